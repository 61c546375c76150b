//! Walks one scope page by page. Stopping between pages loses nothing: each page carries its own checkpoint.

use std::sync::Arc;

use tokio::time::Instant;

use super::cut::Cut;
use super::job::Context;
use super::outcome::Stop;
use crate::client::FetchError;
use crate::page::Page;
use crate::record::Record;
use crate::request::{Answer, Pages, Question};
use crate::scope::{Ask, Scope};
use crate::stream::Reading;
use crate::time::{UtcSecond, Window};
use crate::walk::{Cursor, Keys, Step, Walk};
use crate::warehouse::{Committed, OpenWalk, PageCommit, Progress};

/// Walks that end without proof before a scope is called disputed (`DESIGN` §3).
pub(super) const ATTEMPTS: u32 = 3;

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
    /// The rows that the walk has seen so far, where it goes by offset.
    pub(super) keys: Keys,
}

impl Unit {
    pub(super) fn new(ask: Ask, walk: Walk) -> Self {
        Self { ask, walk, keys: Keys::default() }
    }
}

impl From<OpenWalk> for Unit {
    fn from(open: OpenWalk) -> Self {
        Self { ask: open.ask, walk: open.walk, keys: open.keys }
    }
}

/// How a walk ended.
#[derive(Debug)]
pub(super) enum End {
    /// Everything was seen: these rows, where the walk went by offset.
    Complete(Keys),
    /// The list that has it does not show the order that was asked for, said the vendor then.
    Absent(UtcSecond),
    /// It proves nothing; smaller windows are to be walked instead.
    Divided(Vec<Unit>),
    /// It proves nothing; the list is to be read in slices instead.
    InSlices(Walk),
    Disputed(String),
}

/// Walks a scope to its end.
pub(super) async fn walk(context: &Context, unit: Unit) -> Result<End, Stop> {
    let Unit { ask, mut walk, mut keys } = unit;
    let paging = context.stream.paging(&ask.scope);
    let largest = context.stream.endpoint().max_limit();
    let mut allowed = u32::MAX;
    loop {
        let most = context.stream.limit(&ask.scope, walk.attempt).min(allowed);
        let fetched = match fetch(context, &ask, &walk.cursor, most).await {
            Ok(fetched) => fetched,
            Err(Stop::Fetch(error)) if matches!(*error, FetchError::NotARefundOrder { .. }) => {
                let started_at = Some(context.client.now().unix());
                let requests = walk.requests + 1;
                let walk = Walk { seen: 0, expected: Some(0), requests, started_at, ..walk };
                let proof = "the vendor says that it is no refund order (CBC.99005026)";
                let progress = Progress::NoRecords { walk, proof };
                let doubt = store(context, ask, Fetched::nothing(context), progress).await?;
                return Ok(doubt.map_or(End::Complete(keys), End::Disputed));
            }
            // A page larger than the documents promise was worth a try.
            Err(Stop::Fetch(error)) if matches!(*error, FetchError::Invalid { .. }) && most > largest => {
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
            return Ok(End::Absent(answered_at));
        }
        if is_single_order(context, &ask.scope)
            && walk.seen == 0
            && shows_only_others(&ask.scope, &fetched.page)
        {
            let reason = "the answer shows other orders than the one that was asked for".to_owned();
            return Err(Stop::BadBody { scope: ask.scope.to_string(), reason });
        }
        if let Some(cut) = Cut::of(context, &ask, &walk, &fetched) {
            return cut.make(context, ask, fetched).await;
        }
        let (progress, end) = match walk.clone().step(paging, limit, &fetched.page, answered_at, &mut keys) {
            Step::Next(next) => {
                walk = next.clone();
                (Progress::Next(next), None)
            }
            Step::Complete(done) => {
                let covered = ask.scope.window().and_then(|window| settled(context, window, &done));
                let proof = proof_of(&done);
                (Progress::Complete { walk: done, covered, proof }, Some(End::Complete(Keys::default())))
            }
            Step::Unproven(ended, reason) if ended.attempt >= ATTEMPTS => {
                (Progress::Disputed { walk: ended, reason: reason.clone() }, Some(End::Disputed(reason)))
            }
            Step::Unproven(ended, reason) => {
                tracing::debug!(
                    scope = %ask.scope,
                    reason,
                    "the walk proves nothing; walking again"
                );
                keys = Keys::default();
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
                    (Progress::Divided(parts), Some(End::Divided(units)))
                } else if ask.scope == Scope::Whole && context.stream.sliced_by().is_some() {
                    let again = again(&ask.scope);
                    (Progress::Again(again.clone()), Some(End::InSlices(again)))
                } else {
                    walk = again(&ask.scope);
                    (Progress::Again(walk.clone()), None)
                }
            }
        };
        let doubt = store(context, ask.clone(), fetched, progress).await?;
        match (end, doubt) {
            (Some(_), Some(doubt)) => return Ok(End::Disputed(doubt)),
            (Some(End::Complete(_)), None) => return Ok(End::Complete(keys)),
            (Some(end), None) => return Ok(end),
            (None, _) => {}
        }
        if context.is_stopped() {
            return Err(Stop::Asked);
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

fn is_single_order(context: &Context, scope: &Scope) -> bool {
    context.stream.reading() == Reading::Windows && scope.parent().is_some()
}

/// Whether an answer has rows, all of them can be read, and none is the order that was asked for.
fn shows_only_others(scope: &Scope, page: &Page) -> bool {
    let is_asked_for = |record: &Record| scope.parent() == Some(record.first_key());
    page.rejects.is_empty() && !page.records.is_empty() && !page.records.iter().any(is_asked_for)
}

/// The part of a window that was old enough when its first page was answered, by the vendor's clock: rows
/// younger than that may still have been on their way.
pub(super) fn settled(context: &Context, window: Window, walk: &Walk) -> Option<Window> {
    let started = UtcSecond::from_unix(walk.started_at?);
    Window::new(window.begin(), window.end().min(started.minus(context.job.settle)))
}

/// A decoded answer.
pub(super) struct Fetched {
    pub(super) page: Page,
    /// By the vendor's clock.
    pub(super) answered_at: UtcSecond,
    /// When its request was sent.
    sent: Instant,
    /// Most rows that were asked for.
    pub(super) limit: u32,
}

impl Fetched {
    pub(super) fn nothing(context: &Context) -> Self {
        Self { page: Page::default(), answered_at: context.client.now(), sent: Instant::now(), limit: 0 }
    }

    /// Answers of one walk are in order, whatever the clocks behind them say: what it showed must not look as if it was
    /// seen before the walk began.
    pub(super) fn in_order(self, walk: &Walk) -> Self {
        let started = walk.started_at.map(UtcSecond::from_unix);
        Self {
            answered_at: started.map_or(self.answered_at, |started| self.answered_at.max(started)),
            ..self
        }
    }
}

/// Asks for a page of at most `most` rows, smaller where the server cannot answer that.
pub(super) async fn fetch(context: &Context, ask: &Ask, cursor: &Cursor, most: u32) -> Result<Fetched, Stop> {
    let endpoint = context.stream.endpoint();
    let of = |limit| context.stream.request(ask, cursor, limit);
    let exactly = of(most);
    // A page beyond what the documents promise is worth one try, as it is.
    let is_page = matches!(endpoint.pages, Pages::ByRow(_)) && most <= endpoint.max_limit();
    let question = if is_page { Question::Page { most, of: &of } } else { Question::Exact(&exactly) };
    let mut bad_bodies = 0;
    loop {
        let fetching = context.client.fetch(question, &context.counts.meter, context.deadline);
        let Answer { body, answered_at, sent, limit } = tokio::select! {
            answer = fetching => answer?,
            () = context.patience_is_over() => return Err(Stop::Asked),
        };
        match context.stream.decode(&body, ask) {
            Ok(page) => {
                if !page.rows.is_empty() {
                    context.has_seen_rows();
                }
                let limit = limit.unwrap_or(most);
                context.client.pages().came(endpoint, limit, page.rows.len());
                let answered_at = plausible(answered_at, context.client.now());
                return Ok(Fetched { page, answered_at, sent, limit });
            }
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
pub(super) async fn store(
    context: &Context,
    ask: Ask,
    fetched: Fetched,
    progress: Progress,
) -> Result<Option<String>, Stop> {
    let generation = match &progress {
        Progress::Complete { walk, .. } | Progress::NoRecords { walk, .. } => walk.generation,
        _ => None,
    };
    let Fetched { page, answered_at, sent, limit: _ } = fetched;
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
