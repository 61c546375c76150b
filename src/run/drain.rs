//! Drains a queue of dependent records, newest orders first. An order that fails stays, and blocks no other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::board::Feeding;
use super::context::JobContext;
use super::order::{Extent, ShortAnswers};
use super::outcome::{Finding, JobStop, RunNotes};
use super::pace::Walks;
use super::refusals::{Refusals, RefusedParty};
use super::walk::{Unit, WalkEnd, walk};
use crate::client::FetchError;
use crate::retry::GaveUp;
use crate::scope::{Ask, Role, Scope};
use crate::stream::Reading;
use crate::time::UtcSecond;
use crate::walk::Walk;
use crate::warehouse::{OpenWalk, QueueEntry, Trust, WarehouseError};

/// Entries taken from the warehouse at once: enough to keep the walkers busy, few enough that newer orders
/// soon get their turn.
const BATCH: usize = 64;

/// How often the length of the queue is counted, for whoever watches.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Orders failing in a row until the fault is not theirs; those that failed before stand behind all others and say
/// nothing about it.
const FAILURES_IN_A_ROW: usize = 50;

/// A queue that a run drains, once or several times.
pub(super) struct QueueDrain<'a> {
    context: &'a Arc<JobContext>,
    /// Orders that the last run left in the middle of their pages.
    begun: HashMap<Ask, OpenWalk>,
    pending: VecDeque<QueueEntry>,
    reading: Walks<(QueueEntry, Result<WalkEnd, JobStop>)>,
    /// Orders being read: one that changes meanwhile waits until its first reading is over.
    in_hand: HashSet<String>,
    /// Entries that failed in this run, each with its reason to be read.
    failed: HashSet<(String, i64)>,
    /// Orders that were not shown when no other had been shown either: asked for again once one was.
    lonely: Vec<QueueEntry>,
    failures_in_a_row: usize,
    refusals: Refusals,
    /// What failed concerns all orders: none is asked for any more in this run.
    is_given_up: bool,
    /// When the length of the queue was last counted: the count walks the whole queue.
    counted_at: Option<Instant>,
}

impl<'a> QueueDrain<'a> {
    /// Looks at what earlier runs left.
    pub(super) async fn open(context: &'a Arc<JobContext>, told: &mut RunNotes) -> Result<Self, JobStop> {
        let its = Arc::clone(context);
        let (begun, waiting, permission) = context
            .writer
            .write(move |warehouse| {
                let now = its.client.now();
                // Orders whose answers were doubted are what the operator's word is about.
                if its.extent != Extent::Incremental || its.word == ShortAnswers::AcceptEmpty {
                    warehouse.retry_now(&its.account, its.stream.name())?;
                }
                let waiting = warehouse.failed_and_waiting(&its.account, its.stream.name(), now)?;
                let permission = its.wish().permission(warehouse)?;
                Ok((its.wish().begun_parents(warehouse)?, waiting, permission))
            })
            .await?;
        if let Some((orders, reason)) = waiting {
            told.findings.add(Finding::Waiting { orders, reason });
        }
        Ok(Self {
            context,
            begun,
            pending: VecDeque::new(),
            reading: Walks::new(),
            in_hand: HashSet::new(),
            failed: HashSet::new(),
            lonely: Vec::new(),
            failures_in_a_row: 0,
            refusals: Refusals::new(permission),
            is_given_up: false,
            counted_at: None,
        })
    }

    /// Reads what the queue names until it is empty and cannot grow any more, each order that fails once. Where so many
    /// fail that the fault is not theirs, they are left, which decides how the run ends but ends nothing else of it.
    pub(super) async fn run(&mut self, told: &mut RunNotes) -> Result<(), JobStop> {
        let mut feeding = self.context.board.subscribe();
        // A job that feeds its own queue has done so before it drains.
        let is_fed = self.context.stream.reading() != Reading::Windows;
        if self.context.trust() != Trust::Unproven {
            for entry in self.lonely.drain(..) {
                self.failed.remove(&reason_of(&entry));
            }
        }
        let mut worst: Option<JobStop> = None;
        loop {
            let grows = is_fed && feeding.borrow_and_update().active > 0;
            let is_over =
                worst.is_some() || self.is_given_up || self.context.is_stopped() || self.context.is_late();
            if !is_over {
                self.refill().await?;
                self.start();
            }
            if self.reading.is_empty() {
                if is_over || !grows {
                    break;
                }
                self.wait_for_more(&mut feeding).await;
                continue;
            }
            let ended = self.reading.next(&self.context.pace, self.context.spacing()).await;
            let Some((entry, ended)) = ended else { continue };
            if let Err(stop) = self.settle(entry, ended, told).await {
                self.context.halt();
                JobStop::keep_worst(&mut worst, stop);
            }
        }
        match worst {
            Some(stop) => Err(stop),
            None if self.context.is_stopped() => Err(JobStop::Asked),
            None if self.context.is_late() => Err(JobStop::Late),
            None => Ok(()),
        }
    }

    /// Tells which orders were not shown in a run that was shown no other either: that proves nothing about them.
    pub(super) async fn end(mut self, told: &mut RunNotes) -> Result<(), JobStop> {
        for entry in std::mem::take(&mut self.lonely) {
            let reason = "the order list shows neither it nor any other".to_owned();
            told.findings.add(Finding::Unreadable { order: entry.parent_id.clone(), reason: reason.clone() });
            self.record_failure(entry, reason, told).await?;
        }
        Ok(())
    }

    /// Returns when a queue may have grown, when nothing more will come, or when there is no time left.
    async fn wait_for_more(&self, feeding: &mut watch::Receiver<Feeding>) {
        let more = async {
            tokio::select! {
                _ = feeding.changed() => {}
                () = self.context.stop_is_asked() => {}
            }
        };
        match self.context.deadline.instant() {
            // Whichever comes first: the loop looks again.
            Some(deadline) => drop(tokio::time::timeout_at(deadline, more).await),
            None => more.await,
        }
    }

    /// Takes the next entries from the warehouse when none are waiting.
    async fn refill(&mut self) -> Result<(), WarehouseError> {
        if !self.pending.is_empty() || !self.has_room() {
            return Ok(());
        }
        let (account, stream) = (self.context.account.clone(), self.context.stream.name());
        let now = self.context.client.now();
        let count = (BATCH + self.in_hand.len() + self.failed.len()) as u64;
        let is_count_old = self.counted_at.is_none_or(|at| at.elapsed() > COUNT_INTERVAL);
        let (entries, due) = self
            .context
            .writer
            .read(move |warehouse| {
                let entries = warehouse.due_entries(&account, stream, now, count)?;
                let due = is_count_old.then(|| warehouse.count_due(&account, stream, now)).transpose()?;
                Ok((entries, due))
            })
            .await?;
        if let Some(due) = due {
            self.context.counts.plan(due);
            self.counted_at = Some(Instant::now());
        }
        self.pending = entries
            .into_iter()
            .filter(|entry| {
                !self.in_hand.contains(&entry.parent_id) && !self.failed.contains(&reason_of(entry))
            })
            .collect();
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.reading.have_room(&self.context.pace, self.context.spacing())
    }

    fn start(&mut self) {
        while self.has_room() {
            let Some(entry) = self.pending.pop_front() else { break };
            self.in_hand.insert(entry.parent_id.clone());
            let context = Arc::clone(self.context);
            let names_customer = context.names_customer();
            let customer_id = entry.customer_id.clone().filter(|_| names_customer);
            let ask = Ask { scope: Scope::Parent(entry.parent_id.clone()), customer_id };
            // An order that changed since its walk began is read from the start.
            let begun = self.begun.remove(&ask);
            let begun = begun.filter(|open| open.walk.generation == Some(entry.generation));
            self.reading.begin(async move {
                let ended = if names_customer && ask.customer_id.is_none() {
                    Err(JobStop::Customerless)
                } else {
                    let unit = if let Some(open) = begun {
                        Unit::from(open)
                    } else {
                        let from_start = Walk::start(context.stream.paging(&ask.scope), 1);
                        Unit::new(ask, Walk { generation: Some(entry.generation), ..from_start })
                    };
                    walk(&context, unit).await
                };
                (entry, ended)
            });
        }
    }

    /// Judges how the reading of an entry ended; an error ends the job.
    async fn settle(
        &mut self,
        entry: QueueEntry,
        ended: Result<WalkEnd, JobStop>,
        told: &mut RunNotes,
    ) -> Result<(), JobStop> {
        self.in_hand.remove(&entry.parent_id);
        let reason = match ended {
            Ok(WalkEnd::Complete(_) | WalkEnd::Divided(_) | WalkEnd::InSlices(_)) => {
                self.failures_in_a_row = 0;
                self.refusals.answered();
                self.context.counts.finished();
                return Ok(());
            }
            Ok(WalkEnd::Absent(_)) if self.context.trust() == Trust::Unproven => {
                self.failed.insert(reason_of(&entry));
                self.lonely.push(entry);
                return Ok(());
            }
            Ok(WalkEnd::Absent(at)) => return self.settle_absent(entry, at, told).await,
            Ok(WalkEnd::Disputed(reason)) => reason,
            Err(JobStop::Fetch(error)) if is_this_order_only(&error) => {
                let reason = error.to_string();
                if matches!(*error, FetchError::Unavailable { .. }) {
                    told.note_unanswered(JobStop::Fetch(error));
                    return self.record_failure(entry, reason, told).await;
                }
                reason
            }
            // A customer may have left the partner; when nobody is answered it is the permission. An order that was
            // refused before says nothing new about it.
            Err(JobStop::Fetch(error))
                if matches!(*error, FetchError::Forbidden { .. }) && self.context.role == Role::Partner =>
            {
                let is_first_try = entry.attempts == 0;
                if is_first_try && self.refusals.judge(self.context.permission()) == RefusedParty::Credential
                {
                    self.is_given_up = true;
                    told.note_unanswered(JobStop::Fetch(error));
                    return Ok(());
                }
                error.to_string()
            }
            Err(stop @ (JobStop::BadBody { .. } | JobStop::Customerless)) => stop.to_string(),
            Err(stop) => return Err(stop),
        };
        told.findings.add(Finding::Unreadable { order: entry.parent_id.clone(), reason: reason.clone() });
        self.record_failure(entry, reason, told).await
    }

    /// The list does not show an order that is stored.
    async fn settle_absent(
        &mut self,
        entry: QueueEntry,
        at: UtcSecond,
        told: &mut RunNotes,
    ) -> Result<(), JobStop> {
        self.failures_in_a_row = 0;
        self.failed.insert(reason_of(&entry));
        let (account, run, trust) = (self.context.account.clone(), self.context.run, self.context.trust());
        let order = entry.parent_id.clone();
        let absence = self
            .context
            .writer
            .write(move |warehouse| warehouse.record_absence(&account, &order, at, run, trust))
            .await?;
        told.findings.add(Finding::Absent { order: entry.parent_id, absence });
        Ok(())
    }

    async fn record_failure(
        &mut self,
        entry: QueueEntry,
        reason: String,
        told: &mut RunNotes,
    ) -> Result<(), JobStop> {
        if entry.attempts == 0 {
            self.failures_in_a_row += 1;
        }
        self.failed.insert(reason_of(&entry));
        let (account, stream, text) =
            (self.context.account.clone(), self.context.stream.name(), reason.clone());
        self.context
            .writer
            .write(move |warehouse| warehouse.entry_failed(&account, stream, &entry, &text))
            .await?;
        if self.failures_in_a_row >= FAILURES_IN_A_ROW {
            self.is_given_up = true;
            told.note_unanswered(JobStop::TooManyFailures { count: self.failures_in_a_row, reason });
        }
        Ok(())
    }
}

/// What tells an entry from all others, whatever became of it meanwhile.
fn reason_of(entry: &QueueEntry) -> (String, i64) {
    (entry.parent_id.clone(), entry.generation)
}

/// Whether an error says something about the order that was asked for, and not about us or the vendor.
fn is_this_order_only(error: &FetchError) -> bool {
    match error {
        FetchError::Invalid { .. }
        | FetchError::NotFound { .. }
        | FetchError::NotARefundOrder { .. }
        | FetchError::Unsendable { .. }
        | FetchError::TooLarge { .. } => true,
        FetchError::Unavailable { gave_up, .. } => *gave_up == GaveUp::Tries,
        FetchError::Credentials { .. }
        | FetchError::Forbidden { .. }
        | FetchError::Clock { .. }
        | FetchError::Redirected { .. }
        | FetchError::Tls { .. }
        | FetchError::DailyQuota { .. }
        | FetchError::Deadline { .. } => false,
    }
}
