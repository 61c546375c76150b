//! The copy for finance, made when new data is there.

use std::path::Path;

use tokio::sync::watch;

use crate::config::{Publish, PublishWhen};
use crate::warehouse::{Publication, PublishError, Published, Warehouse};

/// Publishes when the configuration wants a copy after each run; `None`: it does not. `stop` becoming true ends it without
/// a new copy.
///
/// # Errors
/// When no copy could be made; the former one is still there.
pub async fn publish_after_run(
    publish: Option<&Publish>,
    warehouse: &Path,
    stop: watch::Receiver<bool>,
) -> Option<Result<Published, PublishError>> {
    let Publish { path, group, .. } =
        publish.filter(|publish| publish.when == PublishWhen::AfterRun)?.clone();
    let warehouse = warehouse.to_owned();
    let work = move || {
        let publication = Publication { path: &path, group: group.as_deref() };
        Warehouse::open_read_only(&warehouse)?.publish(&publication, move || *stop.borrow())
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(published) => Some(published),
        // Nothing cancels it; a panic is a bug and must not look like success.
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
