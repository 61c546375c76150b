//! Drains a queue of dependent records, newest orders first. An order that fails stays, and blocks no other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::board::Feeding;
use super::job::{Context, WIDTH};
use super::outcome::{Finding, Stop};
use super::walker::{End, Unit, walk};
use crate::client::FetchError;
use crate::retry::GaveUp;
use crate::scope::{Ask, Role, Scope};
use crate::walk::Walk;
use crate::warehouse::{QueueEntry, WarehouseError};

/// Entries taken from the warehouse at once: enough to keep the walkers busy, few enough that newer orders
/// soon get their turn.
const BATCH: usize = 64;

/// How often the length of the queue is counted, for whoever watches.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Orders failing in a row until the fault is not theirs.
const FAILURES_IN_A_ROW: usize = 50;

/// Reads what the queue names until it is empty and cannot grow any more.
pub(super) async fn drain(context: &Arc<Context>, findings: &mut Vec<Finding>) -> Result<(), Stop> {
    let mut drain = Drain {
        context,
        begun: begun_walks(context).await?,
        pending: VecDeque::new(),
        reading: JoinSet::new(),
        excluded: HashSet::new(),
        failures_in_a_row: 0,
        counted_at: None,
        unavailable: None,
        findings,
    };
    let result = drain.run().await;
    let unavailable = drain.unavailable.take();
    result?;
    unavailable.map_or(Ok(()), Err)
}

struct Drain<'a> {
    context: &'a Arc<Context>,
    /// Walks that the last run left in the middle, by scope.
    begun: HashMap<String, Walk>,
    pending: VecDeque<QueueEntry>,
    reading: JoinSet<(QueueEntry, Result<End, Stop>)>,
    /// Entries in hand, and those that failed in this run.
    excluded: HashSet<QueueEntry>,
    failures_in_a_row: usize,
    /// When the length of the queue was last counted: the count walks the whole queue.
    counted_at: Option<Instant>,
    /// The first order that got no answer, while others did.
    unavailable: Option<Stop>,
    findings: &'a mut Vec<Finding>,
}

impl Drain<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        let mut feeding = self.context.board.subscribe();
        // A job that feeds its own queue has done so before it drains.
        let own_feeding = usize::from(self.context.stream.name() == "orders");
        let can_grow =
            |feeding: &Feeding| feeding.active > own_feeding && self.context.stream.name() != "orders";
        let mut first_stop: Option<Stop> = None;
        loop {
            let grows = can_grow(&feeding.borrow_and_update());
            if first_stop.is_none() && !self.context.is_stopped() {
                self.refill().await?;
                self.start();
            }
            if self.reading.is_empty() {
                if first_stop.is_some() || self.context.is_stopped() || !grows {
                    break;
                }
                tokio::select! {
                    _ = feeding.changed() => {}
                    () = stopped(self.context) => {}
                }
                continue;
            }
            let Some(joined) = self.reading.join_next().await else { continue };
            let (entry, ended) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            if let Err(stop) = self.settle(entry, ended).await {
                self.context.halt();
                first_stop.get_or_insert(stop);
            }
        }
        match first_stop {
            Some(stop) => Err(stop),
            None if self.context.is_stopped() => Err(Stop::Asked),
            None => Ok(()),
        }
    }

    /// Takes the next entries from the warehouse when none are waiting.
    async fn refill(&mut self) -> Result<(), WarehouseError> {
        if !self.pending.is_empty() || self.reading.len() >= WIDTH {
            return Ok(());
        }
        let (account, stream) = (self.context.account.clone(), self.context.stream.name());
        let now = self.context.client.now();
        let count = (BATCH + self.excluded.len()) as u64;
        let is_count_old = self.counted_at.is_none_or(|at| at.elapsed() > COUNT_INTERVAL);
        let (entries, due) = self
            .context
            .writer
            .call(move |warehouse| {
                let entries = warehouse.due_entries(&account, stream, now, count)?;
                let due = is_count_old.then(|| warehouse.count_due(&account, stream, now)).transpose()?;
                Ok((entries, due))
            })
            .await?;
        if let Some(due) = due {
            self.context.counts.plan(due);
            self.counted_at = Some(Instant::now());
        }
        self.pending = entries.into_iter().filter(|entry| !self.excluded.contains(entry)).collect();
        Ok(())
    }

    fn start(&mut self) {
        while self.reading.len() < WIDTH {
            let Some(entry) = self.pending.pop_front() else { break };
            self.excluded.insert(entry.clone());
            let context = Arc::clone(self.context);
            let scope = Scope::Parent(entry.parent_id.clone());
            let begun = self.begun.remove(&scope.to_string());
            let walk_from = begun.unwrap_or_else(|| Walk::start(context.stream.paging(&scope), 1));
            let names_customer = context.role == Role::Partner && context.stream.partner_names_customer();
            let customer_id = entry.customer_id.clone().filter(|_| names_customer);
            self.reading.spawn(async move {
                let ended = if names_customer && customer_id.is_none() {
                    Err(Stop::Customerless)
                } else {
                    let ask = Ask { scope, customer_id };
                    walk(&context, Unit { ask, walk: walk_from, generation: Some(entry.generation) }, None)
                        .await
                };
                (entry, ended)
            });
        }
    }

    /// Judges how the reading of an entry ended; an error ends the job.
    async fn settle(&mut self, entry: QueueEntry, ended: Result<End, Stop>) -> Result<(), Stop> {
        let reason = match ended {
            Ok(End::Complete) => {
                self.excluded.remove(&entry);
                self.failures_in_a_row = 0;
                self.context.counts.finished();
                return Ok(());
            }
            Ok(End::Absent) => "the order list does not show it any more".to_owned(),
            Ok(End::Disputed(reason)) => reason,
            Err(Stop::Fetch(error)) if is_this_order_only(&error) => {
                let reason = error.to_string();
                if matches!(*error, FetchError::Unavailable { .. }) {
                    self.unavailable.get_or_insert(Stop::Fetch(error));
                    return self.record_failure(&entry, reason).await;
                }
                reason
            }
            Err(stop @ (Stop::BadBody { .. } | Stop::Customerless)) => stop.to_string(),
            Err(stop) => return Err(stop),
        };
        self.findings.push(Finding::Unreadable { order: entry.parent_id.clone(), reason: reason.clone() });
        self.record_failure(&entry, reason).await
    }

    async fn record_failure(&mut self, entry: &QueueEntry, reason: String) -> Result<(), Stop> {
        self.failures_in_a_row += 1;
        let (account, stream, entry, text) =
            (self.context.account.clone(), self.context.stream.name(), entry.clone(), reason.clone());
        self.context
            .writer
            .call(move |warehouse| warehouse.entry_failed(&account, stream, &entry, &text))
            .await?;
        if self.failures_in_a_row >= FAILURES_IN_A_ROW {
            return Err(Stop::TooManyFailures { count: self.failures_in_a_row, reason });
        }
        Ok(())
    }
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

async fn begun_walks(context: &Context) -> Result<HashMap<String, Walk>, WarehouseError> {
    let (account, stream) = (context.account.clone(), context.stream.name());
    let walks = context.writer.call(move |warehouse| warehouse.open_walks(&account, stream)).await?;
    Ok(walks.into_iter().map(|(scope, _, walk)| (scope, walk)).collect())
}

/// Returns when somebody asks the worker to stop, or the job's time is over.
async fn stopped(context: &Context) {
    let mut stop = context.stop.clone();
    let asked = async {
        if stop.wait_for(|stop| *stop).await.is_err() {
            // Whoever could ask is gone: nobody will.
            std::future::pending::<()>().await;
        }
    };
    match context.deadline.instant() {
        Some(deadline) => {
            let _ = tokio::time::timeout_at(deadline, asked).await;
        }
        None => asked.await,
    }
}
