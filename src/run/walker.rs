//! Walks one scope page by page. Stopping between pages loses nothing: each page carries its own checkpoint.

use std::collections::HashSet;

use super::job::Context;
use super::outcome::Stop;
use crate::client::FetchError;
use crate::page::Page;
use crate::scope::{Ask, Scope};
use crate::stream::Reading;
use crate::time::{UtcSecond, Window};
use crate::walk::{Paging, Step, Walk};
use crate::warehouse::{Committed, PageCommit, Progress};

/// Walks that end without proof before a scope is called disputed (`DESIGN` §3).
const ATTEMPTS: u32 = 3;

/// Answers of the wrong shape in a row before a walk is given up: the client has already repeated each.
const BAD_BODIES: u32 = 3;

/// How far the vendor lets clocks differ, in seconds (`CONTRACT` §2.1).
const TOLERATED_SKEW: i64 = 15 * 60;

/// One scope to walk.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) ask: Ask,
    /// Where to begin: at the start, or where the last run stopped.
    pub(super) walk: Walk,
    /// For orders of the queue: the generation that this reading settles.
    pub(super) generation: Option<i64>,
}

/// How a walk ended.
#[derive(Debug)]
pub(super) enum End {
    Complete,
    /// The list that has it does not show the order that was asked for.
    Absent,
    Disputed(String),
}

/// Walks a scope to its end. `seen` collects the keys of the rows, where the caller needs them.
pub(super) async fn walk(
    context: &Context,
    unit: Unit,
    mut seen: Option<&mut HashSet<String>>,
) -> Result<End, Stop> {
    let Unit { ask, mut walk, generation } = unit;
    let paging = context.stream.paging(&ask.scope);
    loop {
        let (page, answered_at) = match fetch(context, &ask, &walk).await {
            // Answers of one walk are in order, whatever the clocks behind them say.
            Ok((page, at)) => {
                (page, walk.started_at.map_or(at, |started| at.max(UtcSecond::from_unix(started))))
            }
            Err(Stop::Fetch(error)) if matches!(*error, FetchError::NotARefundOrder { .. }) => {
                let started_at = Some(context.client.now().unix());
                let requests = walk.requests + 1;
                let walk = Walk { seen: 0, expected: Some(0), requests, started_at, ..walk };
                let proof = "the vendor says that it is no refund order (CBC.99005026)";
                let progress = Progress::NoRecords { walk, proof };
                store(context, ask, Page::default(), context.client.now(), progress, generation).await?;
                return Ok(End::Complete);
            }
            Err(stop) => return Err(stop),
        };
        if let Some(seen) = seen.as_deref_mut() {
            seen.extend(page.rows.iter().map(|row| row.key.clone()));
        }
        // The order list answers an unknown id with an empty list: no proof that an order we know is gone.
        if paging == Paging::Offset && page.rows.is_empty() && is_single_order(context, &ask.scope) {
            return Ok(End::Absent);
        }
        let (progress, end) = match walk.clone().step(paging, &page, answered_at) {
            Step::Next(next) => {
                walk = next.clone();
                (Progress::Next(next), None)
            }
            Step::Complete(done) => {
                let covered = ask.scope.window().and_then(|window| settled(context, window, &done));
                let proof = if done.expected.is_some() {
                    "as many rows as the vendor announced"
                } else {
                    "read to an empty page; the vendor announced no number"
                };
                (Progress::Complete { walk: done, covered, proof }, Some(End::Complete))
            }
            Step::Unproven(ended, reason) if ended.attempt >= ATTEMPTS => {
                (Progress::Disputed { walk: ended, reason: reason.clone() }, Some(End::Disputed(reason)))
            }
            Step::Unproven(ended, reason) => {
                tracing::debug!(
                    account.name = context.account,
                    job.name = context.job.name.as_str(),
                    scope = %ask.scope,
                    reason,
                    "the walk proves nothing; walking again"
                );
                walk = Walk::start(paging, ended.attempt + 1);
                if let Some(seen) = seen.as_deref_mut() {
                    seen.clear();
                }
                (Progress::Again(walk.clone()), None)
            }
        };
        let doubt = store(context, ask.clone(), page, answered_at, progress, generation).await?;
        if let Some(end) = end {
            return Ok(doubt.map_or(end, End::Disputed));
        }
        if context.is_stopped() {
            return Err(Stop::Asked);
        }
    }
}

fn is_single_order(context: &Context, scope: &Scope) -> bool {
    context.stream.reading() == Reading::Windows && scope.parent().is_some()
}

/// The part of a window that was old enough when its first page was answered, by the vendor's clock: rows
/// younger than that may still have been on their way.
fn settled(context: &Context, window: Window, walk: &Walk) -> Option<Window> {
    let started = UtcSecond::from_unix(walk.started_at?);
    Window::new(window.begin(), window.end().min(started.minus(context.job.settle)))
}

async fn fetch(context: &Context, ask: &Ask, walk: &Walk) -> Result<(Page, UtcSecond), Stop> {
    let limit = context.stream.endpoint().max_limit;
    let request = context.stream.request(ask, &walk.cursor, limit);
    let mut bad_bodies = 0;
    loop {
        let fetching = context.client.fetch(&request, &context.counts.meter, context.deadline);
        let answer = tokio::select! {
            answer = fetching => answer?,
            () = context.patience_is_over() => return Err(Stop::Asked),
        };
        match context.stream.decode(&answer.body, ask) {
            Ok(page) => return Ok((page, plausible(answer.answered_at, context.client.now()))),
            Err(error) => {
                bad_bodies += 1;
                if bad_bodies >= BAD_BODIES {
                    return Err(Stop::BadBody { scope: ask.scope.to_string(), reason: error.to_string() });
                }
            }
        }
    }
}

/// The vendor's time, unless it is further from ours than any clock it would let in (`CONTRACT` §2.1): a date from
/// a cache or a broken node must not decide which of two answers is the newer.
fn plausible(theirs: UtcSecond, ours: UtcSecond) -> UtcSecond {
    theirs.clamp(ours.plus(-TOLERATED_SKEW), ours.plus(TOLERATED_SKEW))
}

/// Stores a page; returns why its complete answer is not believed, if so.
async fn store(
    context: &Context,
    ask: Ask,
    page: Page,
    answered_at: UtcSecond,
    progress: Progress,
    generation: Option<i64>,
) -> Result<Option<String>, Stop> {
    let Committed { tally, doubt } = context
        .writer
        .commit(PageCommit {
            run: context.run,
            account: context.account.clone(),
            role: context.role,
            stream: context.stream,
            ask,
            answered_at,
            page,
            progress,
            generation,
        })
        .await?;
    context.counts.stored(tally);
    if tally.enqueued > 0 {
        context.board.fed();
    }
    Ok(doubt)
}
