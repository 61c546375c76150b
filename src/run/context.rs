//! What a run of a job works with: shared by its walks and its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::board::{Board, RunCounts};
use super::order::{Extent, ShortAnswers};
use super::pace::PagePace;
use super::planner::Planner;
use super::refusals::Permission;
use crate::client::{Client, Deadline};
use crate::job::Job;
use crate::scope::Role;
use crate::stream::Stream;
use crate::warehouse::{RunId, Trust, Writer};

/// How long an answer may still take when the worker is asked to stop: `systemd` and people wait ten seconds.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What a run of a job works with.
pub(super) struct JobContext {
    pub(super) run: RunId,
    pub(super) job: Job,
    pub(super) account: String,
    pub(super) role: Role,
    pub(super) stream: &'static dyn Stream,
    pub(super) client: Arc<Client>,
    pub(super) writer: Writer,
    /// Streams that cannot be asked for in this account.
    pub(super) out_of_reach: Arc<[&'static str]>,
    pub(super) extent: Extent,
    /// What the operator says about answers that are too short to be believed.
    pub(super) word: ShortAnswers,
    pub(super) deadline: Deadline,
    pub(super) stop: watch::Receiver<bool>,
    /// Set when one walk of the job met something that ends the job.
    pub(super) halted: AtomicBool,
    /// Set when an answer of this run had rows.
    pub(super) saw_rows: AtomicBool,
    pub(super) pace: PagePace,
    pub(super) board: Arc<Board>,
    pub(super) counts: Arc<RunCounts>,
}

impl JobContext {
    /// Whether to stop after the page in hand.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow() || self.halted.load(Ordering::Relaxed)
    }

    pub(super) fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    /// Whether each request must name the customer it is about.
    pub(super) fn names_customer(&self) -> bool {
        self.wish().names_customer()
    }

    /// What is planned for.
    pub(super) fn wish(&self) -> Planner<'_> {
        Planner {
            account: &self.account,
            role: self.role,
            stream: self.stream,
            job: &self.job,
            extent: &self.extent,
            now: self.client.now(),
        }
    }

    /// An answer had rows.
    pub(super) fn note_rows(&self) {
        self.saw_rows.store(true, Ordering::Relaxed);
    }

    /// Whether an answer of this run had rows.
    fn saw_rows(&self) -> bool {
        self.saw_rows.load(Ordering::Relaxed)
    }

    /// What the answers of this run say about the permission to ask.
    pub(super) fn permission(&self) -> Permission {
        if self.saw_rows() { Permission::Proven } else { Permission::Unproven }
    }

    /// How far an answer with few rows is believed.
    pub(super) fn trust(&self) -> Trust {
        match self.word {
            ShortAnswers::AcceptEmpty => Trust::Told,
            ShortAnswers::RowsWereSeen => Trust::HasSeenRows,
            ShortAnswers::None if self.saw_rows() => Trust::HasSeenRows,
            ShortAnswers::None => Trust::Unproven,
        }
    }

    /// Time from one call of the stream's endpoint to the next, as it is now.
    pub(super) fn spacing(&self) -> Duration {
        self.client.pace().spacing(self.stream.endpoint())
    }

    /// Whether the job's time is over.
    pub(super) fn is_late(&self) -> bool {
        !self.deadline.allows(Instant::now())
    }

    /// Returns some time after somebody asked the worker to stop: a page in hand had its chance.
    pub(super) async fn patience_is_over(&self) {
        self.stop_is_asked().await;
        tokio::time::sleep(STOP_GRACE).await;
    }

    /// Returns when somebody asks the worker to stop.
    pub(super) async fn stop_is_asked(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            // Whoever could ask is gone: nobody will.
            std::future::pending::<()>().await;
        }
    }
}
