//! Walks one scope page by page. Stopping between pages loses nothing: each page carries its own checkpoint.

use super::cut::WalkCut;
use super::fetch::{FetchedPage, fetch};
use super::store::{proof_of, settled, store};
use super::unit::{Unit, WalkEnd};
use crate::client::FetchError;
use crate::page::Page;
use crate::record::Record;
use crate::run::context::JobContext;
use crate::run::outcome::JobStop;
use crate::scope::{Ask, Scope};
use crate::stream::Reading;
use crate::walk::{SeenKeys, Walk, WalkStep};
use crate::warehouse::WalkProgress;

/// Walks that end without proof before a scope is called disputed (docs/inside/walking-and-proof.md).
pub(super) const ATTEMPTS: u32 = 3;

/// Walks a scope to its end.
pub(in crate::run) async fn walk(context: &JobContext, unit: Unit) -> Result<WalkEnd, JobStop> {
    let Unit { ask, mut walk, mut keys } = unit;
    let paging = context.stream.paging(&ask.scope);
    let largest = context.stream.endpoint().max_limit();
    let mut allowed = u32::MAX;
    loop {
        let most = context.stream.limit(&ask.scope, walk.attempt).min(allowed);
        let fetched = match fetch(context, &ask, &walk.cursor, most).await {
            Ok(fetched) => fetched,
            Err(JobStop::Fetch(error)) if matches!(*error, FetchError::NotARefundOrder { .. }) => {
                let started_at = Some(context.client.now().unix());
                let requests = walk.requests + 1;
                let walk = Walk { seen: 0, expected: Some(0), requests, started_at, ..walk };
                let proof = "the vendor says that it is no refund order (CBC.99005026)";
                let progress = WalkProgress::NoRecords { walk, proof };
                let doubt = store(context, ask, FetchedPage::nothing(context), progress).await?;
                return Ok(doubt.map_or(WalkEnd::Complete(keys), WalkEnd::Disputed));
            }
            // A page larger than the documents promise was worth a try.
            Err(JobStop::Fetch(error)) if matches!(*error, FetchError::Invalid { .. }) && most > largest => {
                allowed = largest;
                continue;
            }
            Err(stop) => return Err(stop),
        };
        let fetched = fetched.in_order(&walk);
        let (answered_at, limit) = (fetched.answered_at, fetched.limit);
        // The order list answers an unknown id with an empty list: no proof that an order we know is gone.
        let shows_nothing = fetched.page.rows.is_empty() && fetched.page.total == Some(0);
        if shows_nothing && is_single_order(context, &ask.scope) {
            return Ok(WalkEnd::Absent(answered_at));
        }
        if is_single_order(context, &ask.scope)
            && walk.seen == 0
            && shows_only_others(&ask.scope, &fetched.page)
        {
            let reason = "the answer shows other orders than the one that was asked for".to_owned();
            return Err(JobStop::BadBody { scope: ask.scope.to_string(), reason });
        }
        if let Some(cut) = WalkCut::of(context, &ask, &walk, &fetched) {
            return cut.make(context, ask, fetched).await;
        }
        let (progress, end) = match walk.clone().step(paging, limit, &fetched.page, answered_at, &mut keys) {
            WalkStep::Next(next) => {
                walk = next.clone();
                (WalkProgress::Next(next), None)
            }
            WalkStep::Complete(done) => {
                let covered = ask.scope.window().and_then(|window| settled(context, window, &done));
                let proof = proof_of(&done);
                (
                    WalkProgress::Complete { walk: done, covered, proof },
                    Some(WalkEnd::Complete(SeenKeys::default())),
                )
            }
            WalkStep::Unproven(ended, reason) if ended.attempt >= ATTEMPTS => (
                WalkProgress::Disputed { walk: ended, reason: reason.clone() },
                Some(WalkEnd::Disputed(reason)),
            ),
            WalkStep::Unproven(ended, reason) => {
                tracing::debug!(
                    scope = %ask.scope,
                    reason,
                    "the walk proves nothing; walking again"
                );
                keys = SeenKeys::default();
                let again = |scope: &Scope| Walk {
                    generation: ended.generation,
                    ..Walk::start(context.stream.paging(scope), ended.attempt + 1)
                };
                let parts = parts(&ask.scope, &ended, limit);
                if !parts.is_empty() {
                    let parts: Vec<(Scope, Walk)> =
                        parts.into_iter().map(|scope| (scope.clone(), again(&scope))).collect();
                    let unit = |(scope, walk): (Scope, Walk)| Unit::new(Ask { scope, ..ask.clone() }, walk);
                    let units = parts.iter().cloned().map(unit).collect();
                    (WalkProgress::Divided(parts), Some(WalkEnd::Divided(units)))
                } else if ask.scope == Scope::Whole && context.stream.sliced_by().is_some() {
                    let again = again(&ask.scope);
                    (WalkProgress::Again(again.clone()), Some(WalkEnd::InSlices(again)))
                } else {
                    walk = again(&ask.scope);
                    (WalkProgress::Again(walk.clone()), None)
                }
            }
        };
        let doubt = store(context, ask.clone(), fetched, progress).await?;
        match (end, doubt) {
            (Some(_), Some(doubt)) => return Ok(WalkEnd::Disputed(doubt)),
            (Some(WalkEnd::Complete(_)), None) => return Ok(WalkEnd::Complete(keys)),
            (Some(end), None) => return Ok(end),
            (None, _) => {}
        }
        if context.is_stopped() {
            return Err(JobStop::Asked);
        }
    }
}

/// The halves of a window that could not be proven, when it takes more than a page: what moved concerns only one.
fn parts(scope: &Scope, ended: &Walk, limit: u32) -> Vec<Scope> {
    let (Some(lane), Some(window)) = (scope.lane(), scope.window()) else { return Vec::new() };
    let length = window.end().unix() - window.begin().unix();
    if length < 2 || ended.seen.max(ended.expected.unwrap_or_default()) <= u64::from(limit) {
        return Vec::new();
    }
    // Newest first, like all windows.
    window.split((length + 1) / 2).into_iter().rev().map(|half| lane.scope(half)).collect()
}

fn is_single_order(context: &JobContext, scope: &Scope) -> bool {
    context.stream.reading() == Reading::Windows && scope.parent().is_some()
}

/// Whether an answer has rows, all of them can be read, and none is the order that was asked for.
fn shows_only_others(scope: &Scope, page: &Page) -> bool {
    let is_asked_for = |record: &Record| scope.parent() == Some(record.first_key());
    page.rejects.is_empty() && !page.records.is_empty() && !page.records.iter().any(is_asked_for)
}
