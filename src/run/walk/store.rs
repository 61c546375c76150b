//! Stores a page with what it proves.

use std::sync::Arc;

use super::fetch::FetchedPage;
use crate::run::context::JobContext;
use crate::run::outcome::JobStop;
use crate::scope::Ask;
use crate::time::{UtcSecond, Window};
use crate::walk::{Cursor, Walk};
use crate::warehouse::{Committed, PageCommit, WalkProgress};

pub(super) fn proof_of(done: &Walk) -> &'static str {
    match (done.expected, &done.cursor, done.requests) {
        (None, ..) => "read to an empty page; the vendor announced no number",
        (Some(_), _, 1) => "one page with as many rows as the vendor announced",
        (Some(_), Cursor::Keyset { .. }, _) => "sorted by time, as many rows as the vendor announced",
        (Some(_), Cursor::Offset(_), _) => {
            "pages that overlap, no row twice, as many rows as the vendor announced at the start and at the end"
        }
    }
}

/// The part of a window that was old enough when its first page was answered, by the vendor's clock: rows
/// younger than that may still have been on their way.
pub(super) fn settled(context: &JobContext, window: Window, walk: &Walk) -> Option<Window> {
    let started = UtcSecond::from_unix(walk.started_at?);
    Window::new(window.begin(), window.end().min(started.minus(context.job.settle)))
}

/// Stores a page; returns why its complete answer is not believed, if so.
pub(super) async fn store(
    context: &JobContext,
    ask: Ask,
    fetched: FetchedPage,
    progress: WalkProgress,
) -> Result<Option<String>, JobStop> {
    let generation = match &progress {
        WalkProgress::Complete { walk, .. } | WalkProgress::NoRecords { walk, .. } => walk.generation,
        _ => None,
    };
    let FetchedPage { page, answered_at, sent, limit: _ } = fetched;
    let Committed { tally, doubt } = context
        .writer
        .store(PageCommit {
            run: context.run,
            account: context.account.clone(),
            role: context.role,
            stream: context.stream,
            ask,
            answered_at,
            page,
            progress,
            generation,
            trust: context.trust(),
            out_of_reach: Arc::clone(&context.out_of_reach),
        })
        .await?;
    context.pace.took(sent.elapsed());
    context.counts.stored(tally);
    if tally.enqueued > 0 {
        context.board.fed();
    }
    Ok(doubt)
}
