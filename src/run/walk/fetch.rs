//! One page: asked for, and decoded.

use std::time::Duration;

use tokio::time::Instant;

use crate::page::Page;
use crate::request::{Pagination, Question, VendorAnswer};
use crate::run::context::JobContext;
use crate::run::outcome::JobStop;
use crate::scope::Ask;
use crate::time::UtcSecond;
use crate::walk::{Cursor, Walk};

/// Answers of the wrong shape in a row before a walk is given up: the client has already repeated each.
const BAD_BODIES: u32 = 3;

/// Where calls follow each other at least this fast, a page that is stored can wait for the next one. At a slower pace each
/// is on disk before another is asked for.
const SOON: Duration = Duration::from_millis(10);

/// How far the vendor lets clocks differ, in seconds (vendor-contract.md §2.1).
const TOLERATED_SKEW: i64 = 15 * 60;

/// A decoded answer.
pub(in crate::run) struct FetchedPage {
    pub(in crate::run) page: Page,
    /// By the vendor's clock.
    pub(super) answered_at: UtcSecond,
    /// When its request was sent.
    pub(super) sent: Instant,
    /// Most rows that were asked for.
    pub(super) limit: u32,
}

impl FetchedPage {
    pub(super) fn nothing(context: &JobContext) -> Self {
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
pub(in crate::run) async fn fetch(
    context: &JobContext,
    ask: &Ask,
    cursor: &Cursor,
    most: u32,
) -> Result<FetchedPage, JobStop> {
    let endpoint = context.stream.endpoint();
    let of = |limit| context.stream.request(ask, cursor, limit);
    let exactly = of(most);
    // A page beyond what the documents promise is worth one try, as it is.
    let is_page = matches!(endpoint.pages, Pagination::ByRow(_)) && most <= endpoint.max_limit();
    let question = if is_page { Question::Page { most, of: &of } } else { Question::Exact(&exactly) };
    let mut bad_bodies = 0;
    // Until its answer is there, pages that are stored need not be committed at once.
    let _coming = (context.spacing() < SOON).then(|| context.writer.expect_page());
    loop {
        let fetching = context.client.fetch(question, &context.counts.meter, context.deadline);
        let VendorAnswer { body, answered_at, sent, limit } = tokio::select! {
            answer = fetching => answer?,
            () = context.patience_is_over() => return Err(JobStop::Asked),
        };
        match context.stream.decode(&body, ask) {
            Ok(page) => {
                if !page.rows.is_empty() {
                    context.note_rows();
                }
                let limit = limit.unwrap_or(most);
                context.client.pages().came(endpoint, limit, page.rows.len());
                let answered_at = plausible(answered_at, context.client.now());
                return Ok(FetchedPage { page, answered_at, sent, limit });
            }
            Err(error) => {
                bad_bodies += 1;
                if bad_bodies >= BAD_BODIES {
                    return Err(JobStop::BadBody { scope: ask.scope.to_string(), reason: error.to_string() });
                }
            }
        }
    }
}

/// The vendor's time, unless it is further from ours than any clock it would let in (vendor-contract.md §2.1): a date
/// from a cache or a broken node must not decide which of two answers is the newer.
fn plausible(theirs: UtcSecond, ours: UtcSecond) -> UtcSecond {
    theirs.clamp(ours.plus(-TOLERATED_SKEW), ours.plus(TOLERATED_SKEW))
}
