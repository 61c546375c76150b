//! How a run of a job ended, and which exit code says so.

use std::time::Duration;

use crate::client::{CallCounts, ExitClass, FetchError};
use crate::scope::Ask;
use crate::time::UtcSecond;
use crate::warehouse::{Absence, FAILED, RunEnd, STOPPED_ON_REQUEST, Tally, WarehouseError};

/// How a run ended. The order is that of urgency: the worst of several runs is the invocation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything asked for is complete.
    Done,
    /// Not finished; the next run goes on from there.
    Partial,
    /// Done, with something a person should look at.
    Findings,
    /// Failed for another reason.
    Failed,
    /// The vendor refused.
    Refused,
    /// The warehouse failed.
    Warehouse,
}

impl Outcome {
    /// The word in `runs.outcome`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Findings => "findings",
            Self::Failed | Self::Warehouse => FAILED,
            Self::Refused => "refused",
        }
    }

    /// What the ledger says of a run that ends so now.
    pub(super) fn ends_run(self, reason: Option<String>, requests: CallCounts) -> RunEnd {
        RunEnd {
            outcome: self.as_str(),
            reason,
            requests: requests.requests,
            throttled: requests.throttled,
            retried: requests.retried,
            at: UtcSecond::now(),
        }
    }

    /// The exit code (docs/operate/exit-codes.md).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Findings => 3,
            Self::Partial => 4,
            Self::Refused => 5,
            Self::Warehouse => 6,
        }
    }
}

/// Something a person should look at; the run went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Rows that came last in a form that could not be decoded.
    Quarantined(u64),
    /// A window or list that could not be proven complete.
    Disputed {
        /// What was read.
        scope: String,
        /// Why it proves nothing.
        reason: String,
    },
    /// A window or list that the vendor refuses.
    Unread {
        /// What was asked for.
        scope: String,
        /// The vendor's answer.
        reason: String,
    },
    /// An order that the vendor does not show any more.
    Absent {
        /// The order.
        order: String,
        /// What became of it.
        absence: Absence,
    },
    /// Orders whose records could not be read in earlier runs, and that wait for their next try.
    Waiting {
        /// How many.
        orders: u64,
        /// Why one of them could not be read.
        reason: String,
    },
    /// An order whose records the vendor does not give.
    Unreadable {
        /// The order.
        order: String,
        /// The vendor's answer.
        reason: String,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Quarantined(rows) => write!(
                f,
                "{rows} row(s) could not be decoded; view undecoded_rows and table quarantine have them with the reason"
            ),
            Self::Disputed { scope, reason } => {
                write!(f, "{scope} could not be proven complete ({reason}); it is read again at the next run")
            }
            Self::Unread { scope, reason } => write!(f, "{scope} was not read: {reason}"),
            Self::Absent { order, absence: Absence::Once } => {
                write!(f, "order {order} is not shown any more; it is asked for once more at the next run")
            }
            Self::Absent { order, absence: Absence::Gone } => {
                write!(f, "order {order} is not shown any more: marked as gone")
            }
            Self::Waiting { orders, reason } => write!(
                f,
                "{orders} order(s) could not be read in earlier runs and wait in the queue for another try: {reason}"
            ),
            Self::Unreadable { order, reason } => {
                write!(f, "order {order} stays in the queue: {reason}")
            }
        }
    }
}

/// Findings kept one by one; the tables of the ledger have all of them.
const FINDINGS_KEPT: usize = 20;

/// The findings of a run: the first ones, and how many more.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    more: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        if self.kept.len() < FINDINGS_KEPT { self.kept.push(finding) } else { self.more += 1 }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// A text for each finding; the last one counts those that were not kept.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more findings", self.more));
        self.kept.iter().map(ToString::to_string).chain(more)
    }
}

/// What a run has to tell at its end, although it went on.
#[derive(Debug, Default)]
pub(super) struct RunNotes {
    pub(super) findings: Findings,
    /// The worst of what single windows, lists and orders without an answer came to.
    pub(super) unanswered: Option<JobStop>,
}

impl RunNotes {
    /// A window, list or order got no answer.
    pub(super) fn note_unanswered(&mut self, stop: JobStop) {
        JobStop::keep_worst(&mut self.unanswered, stop);
    }
}

/// Why a job stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobStop {
    /// The vendor's answer, or its absence.
    #[error(transparent)]
    Fetch(#[from] Box<FetchError>),
    /// The same, for a window or list.
    #[error("{scope}: {error}")]
    Unanswered {
        /// What was asked for.
        scope: String,
        /// The vendor's answer, or its absence.
        error: Box<FetchError>,
    },
    /// The warehouse.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// An answer that is not what the endpoint promises, several times.
    #[error("{scope}: {reason}")]
    BadBody {
        /// What was asked for.
        scope: String,
        /// What was wrong with the answer.
        reason: String,
    },
    /// A partner's request must name the order's owner, and the order does not say who that is.
    #[error("the order names no customer, which a partner's request must")]
    Customerless,
    /// Somebody asked the worker to stop.
    #[error("{STOPPED_ON_REQUEST}")]
    Asked,
    /// The job's time is over.
    #[error("the job's deadline is reached")]
    Late,
    /// So many orders fail that the fault is not theirs.
    #[error("{count} orders in a row could not be read; the last: {reason}")]
    TooManyFailures {
        /// How many.
        count: usize,
        /// The last one's reason.
        reason: String,
    },
}

impl From<FetchError> for JobStop {
    fn from(error: FetchError) -> Self {
        Self::Fetch(Box::new(error))
    }
}

impl JobStop {
    /// Keeps the more urgent of several reasons; of equals the first, because the others follow from it.
    pub(super) fn keep_worst(kept: &mut Option<Self>, stop: Self) {
        if kept.as_ref().is_none_or(|known| known.outcome() < stop.outcome()) {
            *kept = Some(stop);
        }
    }

    /// Names what was asked for, where the reason does not.
    pub(super) fn of(self, ask: &Ask) -> Self {
        match self {
            Self::Fetch(error) => Self::Unanswered { scope: ask.to_string(), error },
            other => other,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Fetch(error) | Self::Unanswered { error, .. } => match error.exit_class() {
                ExitClass::Refused => Outcome::Refused,
                ExitClass::NotFinished => Outcome::Partial,
                ExitClass::Failed => Outcome::Failed,
            },
            Self::Warehouse(_) => Outcome::Warehouse,
            Self::BadBody { .. } | Self::Customerless | Self::TooManyFailures { .. } => Outcome::Failed,
            Self::Asked | Self::Late => Outcome::Partial,
        }
    }

    /// Whether the vendor gave no usable answer. The job goes on at the next run, and no run gets further as long as that lasts.
    pub(super) fn is_unavailability(&self) -> bool {
        match self {
            Self::Fetch(error) | Self::Unanswered { error, .. } => error.is_unavailability(),
            Self::Warehouse(_)
            | Self::BadBody { .. }
            | Self::Customerless
            | Self::Asked
            | Self::Late
            | Self::TooManyFailures { .. } => false,
        }
    }

    /// The warehouse's failure, when it is one.
    pub(super) fn warehouse(&self) -> Option<WarehouseError> {
        match self {
            Self::Warehouse(error) => Some(error.clone()),
            Self::Fetch(_)
            | Self::Unanswered { .. }
            | Self::BadBody { .. }
            | Self::Customerless
            | Self::Asked
            | Self::Late
            | Self::TooManyFailures { .. } => None,
        }
    }

    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Fetch(error) | Self::Unanswered { error, .. } => error.advice(),
            Self::Warehouse(error) => error.advice(),
            Self::BadBody { .. } => {
                "nothing of it was stored; if it happens again, the vendor's API or a proxy on the way changed"
            }
            Self::Customerless => "the vendor's order list left the owner out; ask the vendor",
            Self::Asked | Self::Late => "nothing is lost; the next run goes on from here",
            Self::TooManyFailures { .. } => {
                "nothing is lost, they stay in the queue; the table queue has each order's last error"
            }
        }
    }
}

/// What one run of a job did.
#[derive(Clone, Debug)]
pub struct JobReport {
    /// The job.
    pub job: String,
    /// The account.
    pub account: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it stopped early, and what to do; `None` when it did not.
    pub stopped: Option<(String, &'static str)>,
    /// Whether it stopped because the vendor gave no usable answer.
    pub is_unavailable: bool,
    /// The warehouse's failure, when that is what stopped it.
    pub warehouse: Option<WarehouseError>,
    /// What a person should look at.
    pub findings: Findings,
    /// What was stored.
    pub tally: Tally,
    /// What was asked.
    pub requests: CallCounts,
    /// How long it took.
    pub elapsed: Duration,
}
