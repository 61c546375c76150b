//! Waiting, but never beyond a job's deadline.

use std::future::Future;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::awaited::Awaited;
use super::error::{CallTarget, FetchError};
use crate::retry::Deadline;

/// Sleeps until an instant, or fails at once when that is not before the deadline.
pub(super) async fn pause(
    until: Instant,
    deadline: Deadline,
    at: &CallTarget,
    reason: Awaited,
) -> Result<(), FetchError> {
    ensure_in_time(until, deadline, at, reason)?;
    sleep_until(until).await;
    Ok(())
}

/// Fails when what is waited for until an instant is not before the deadline.
pub(super) fn ensure_in_time(
    until: Instant,
    deadline: Deadline,
    at: &CallTarget,
    reason: Awaited,
) -> Result<(), FetchError> {
    if deadline.allows(until) {
        return Ok(());
    }
    let wait = Some(until.saturating_duration_since(Instant::now()));
    Err(FetchError::Deadline { at: at.clone(), reason, wait, last: None })
}

/// Waits for something, but not beyond the deadline.
pub(super) async fn within<T>(
    deadline: Deadline,
    at: &CallTarget,
    reason: Awaited,
    what: impl Future<Output = T>,
) -> Result<T, FetchError> {
    match deadline.instant() {
        None => Ok(what.await),
        Some(end) => timeout_at(end, what).await.map_err(|_| FetchError::Deadline {
            at: at.clone(),
            reason,
            wait: None,
            last: None,
        }),
    }
}

/// Adds to a missed deadline what the try before it came to.
pub(super) fn after(error: FetchError, before: Option<&str>) -> FetchError {
    match error {
        FetchError::Deadline { at, reason, wait, last } => {
            FetchError::Deadline { at, reason, wait, last: last.or_else(|| before.map(str::to_owned)) }
        }
        other => other,
    }
}
