//! What the jobs of an invocation tell each other and the person who watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::outcome::JobReport;
use crate::client::Meter;
use crate::stream::Stream;
use crate::warehouse::Tally;

/// Tells the jobs of one account whether their queues can still grow. What is in a queue they ask the warehouse.
#[derive(Debug)]
pub(super) struct Board {
    feeding: watch::Sender<Feeding>,
}

/// How the feeding stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Feeding {
    /// Feeding jobs that have not ended.
    pub(super) active: usize,
    /// Grows with every page that put something into a queue.
    pub(super) pages: u64,
}

impl Board {
    pub(super) fn new(streams: impl Iterator<Item = &'static dyn Stream>) -> Self {
        let active = streams.filter(|stream| stream.feeds_others()).count();
        Self { feeding: watch::Sender::new(Feeding { active, pages: 0 }) }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Feeding> {
        self.feeding.subscribe()
    }

    /// A page put something into a queue.
    pub(super) fn fed(&self) {
        self.feeding.send_modify(|feeding| feeding.pages += 1);
    }

    /// A job ended; it will feed nobody any more.
    pub(super) fn ended(&self, stream: &dyn Stream) {
        if stream.feeds_others() {
            self.feeding.send_modify(|feeding| feeding.active = feeding.active.saturating_sub(1));
        }
    }
}

/// The counters of all jobs of an invocation, for whoever shows them, and their ends, for whoever waits for them.
#[derive(Debug, Default)]
pub struct RunProgress {
    counts: Mutex<Vec<Arc<RunCounts>>>,
    ends: Option<mpsc::UnboundedSender<JobReport>>,
}

/// Counters of one job's run.
#[derive(Debug)]
pub struct RunCounts {
    /// Account.
    pub account: String,
    /// Job.
    pub job: String,
    /// HTTP requests.
    pub meter: Meter,
    tally: Mutex<Tally>,
    planned: AtomicU64,
    finished: AtomicU64,
    ended: AtomicU64,
}

impl RunProgress {
    /// One that tells of each job's end as soon as it comes.
    #[must_use]
    pub fn telling(ends: mpsc::UnboundedSender<JobReport>) -> Self {
        Self { ends: Some(ends), ..Self::default() }
    }

    pub(super) fn ended(&self, report: &JobReport) {
        if let Some(ends) = &self.ends {
            // Whoever asked may have gone; the report is returned as well.
            let _ = ends.send(report.clone());
        }
    }

    pub(super) fn add(&self, account: &str, job: &str) -> Arc<RunCounts> {
        let counts = Arc::new(RunCounts {
            account: account.to_owned(),
            job: job.to_owned(),
            meter: Meter::default(),
            tally: Mutex::default(),
            planned: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        });
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&counts));
        counts
    }

    /// The jobs that are running.
    #[must_use]
    pub fn running(&self) -> Vec<Arc<RunCounts>> {
        let all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|counts| counts.ended.load(Ordering::Relaxed) == 0).cloned().collect()
    }
}

impl RunCounts {
    /// What was stored so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Windows, orders and lists that were read to their end, and how many are known to be read in all.
    #[must_use]
    pub fn units(&self) -> (u64, u64) {
        (self.finished.load(Ordering::Relaxed), self.planned.load(Ordering::Relaxed))
    }

    pub(super) fn stored(&self, tally: Tally) {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).add(tally);
    }

    /// Sets how many units are known: those finished and `open` more.
    pub(super) fn plan(&self, open: u64) {
        self.planned.store(self.finished.load(Ordering::Relaxed) + open, Ordering::Relaxed);
    }

    pub(super) fn finished(&self) {
        let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
        self.planned.fetch_max(finished, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.ended.store(1, Ordering::Relaxed);
    }
}
