//! One run of one job: plan, walk, drain the queue, and a row in the ledger that says how it went.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::board::{Board, Counts};
use super::outcome::{Finding, Findings, JobReport, Outcome, Stop};
use super::units::{Planned, SORTED_RESUMABLE, Wish};
use super::walker::{End, Unit, walk};
use super::width::{PagePace, Walks};
use super::{Extent, Word};
use super::{queue, slices};
use crate::client::{Client, Deadline, FetchError};
use crate::job::Job;
use crate::plan;
use crate::plan::open::OpenOrder;
use crate::record::Dependent;
use crate::request::Quota;
use crate::scope::{Ask, Lane, Role, Scope};
use crate::stream::{Reading, Stream};
use crate::time::{UtcSecond, Window};
use crate::walk::Keys;
use crate::warehouse::{Again, Mark, RunEnd, RunId, Trust, Warehouse, WarehouseError, Writer};

/// How long an answer may still take when the worker is asked to stop: `systemd` and people wait ten seconds.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Customers of a partner that may be refused one after the other until the permission itself is in doubt.
pub(super) const REFUSALS_IN_A_ROW: usize = 5;

/// What a run of a job works with.
pub(super) struct Context {
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
    pub(super) word: Word,
    pub(super) deadline: Deadline,
    pub(super) stop: watch::Receiver<bool>,
    /// Set when one walk of the job met something that ends the job.
    pub(super) halted: AtomicBool,
    /// Set when an answer of this run had rows.
    pub(super) saw_rows: AtomicBool,
    pub(super) pace: PagePace,
    pub(super) board: Arc<Board>,
    pub(super) counts: Arc<Counts>,
}

impl Context {
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
    pub(super) fn wish(&self) -> Wish<'_> {
        Wish {
            account: &self.account,
            role: self.role,
            stream: self.stream,
            job: &self.job,
            extent: &self.extent,
            now: self.client.now(),
        }
    }

    /// An answer had rows.
    pub(super) fn has_seen_rows(&self) {
        self.saw_rows.store(true, Ordering::Relaxed);
    }

    /// How far an answer with few rows is believed.
    pub(super) fn trust(&self) -> Trust {
        match self.word {
            Word::AcceptEmpty => Trust::Told,
            Word::RowsWereSeen => Trust::HasSeenRows,
            Word::None if self.saw_rows.load(Ordering::Relaxed) => Trust::HasSeenRows,
            Word::None => Trust::Unproven,
        }
    }

    /// The quota of the stream's endpoint that is kept to now.
    pub(super) fn quota(&self) -> Option<Quota> {
        self.client.quota(self.stream.endpoint()).0
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

/// Runs a job and records how it went.
pub(super) async fn run(context: Arc<Context>) -> JobReport {
    let started = Instant::now();
    let mut findings = Findings::default();
    let mut result = work(&context, &mut findings).await;
    context.board.ended(context.stream);
    context.counts.end();
    let tally = context.counts.tally();
    if tally.quarantined > 0 {
        findings.add(Finding::Quarantined(tally.quarantined));
    }
    let requests = context.counts.meter.read();
    let judge = |result: &Result<(), Stop>| {
        let found = if findings.is_empty() { Outcome::Done } else { Outcome::Findings };
        result.as_ref().err().map_or(found, |stop| found.max(stop.outcome()))
    };
    let outcome = judge(&result);
    let reasons: Vec<String> =
        result.as_ref().err().map(ToString::to_string).into_iter().chain(findings.texts()).collect();
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    let end = RunEnd {
        outcome: outcome.as_str(),
        reason,
        requests: requests.requests,
        throttled: requests.throttled,
        retried: requests.retried,
        at: UtcSecond::now(),
    };
    let run = context.run;
    if let Err(error) = context.writer.call(move |warehouse| warehouse.end_run(run, &end)).await {
        // The next opening shows the run as crashed; what ended it is told here.
        result = result.and(Err(error.into()));
    }
    let outcome = judge(&result);
    JobReport {
        job: context.job.name.to_string(),
        account: context.account.clone(),
        outcome,
        stopped: result.err().map(|stop| (stop.to_string(), stop.advice())),
        findings,
        tally,
        requests,
        elapsed: started.elapsed(),
    }
}

async fn work(context: &Arc<Context>, findings: &mut Findings) -> Result<(), Stop> {
    let reading = context.stream.reading();
    on_warehouse(context, |context, warehouse| {
        // Nobody goes on with them any more.
        let before = context.client.now().minus(2 * SORTED_RESUMABLE);
        warehouse.forget_walks(&context.account, context.stream.name(), before)
    })
    .await?;
    if reading == Reading::Windows {
        let units = on_warehouse(context, |context, warehouse| {
            let plan = context.wish().windows(warehouse)?;
            plan.begin(warehouse, &context.account, context.stream.name(), context.run)?;
            Ok(plan.units)
        })
        .await?;
        let walked = walk_all(context, units, findings).await;
        on_warehouse(context, move_watermarks).await?;
        walked?;
    }
    // Orders that got no answer are for the next run, and no reason to leave the rest.
    let mut unanswered = None;
    if reading.drains_queue() {
        unanswered = queue::drain(context, findings).await?;
    }
    if reading.reads_whole() {
        let units = on_warehouse(context, |context, warehouse| context.wish().lists(warehouse)).await?;
        walk_all(context, units, findings).await?;
    }
    unanswered.map_or(Ok(()), Err)
}

/// Runs a piece of work on the warehouse's thread.
async fn on_warehouse<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Context, &mut Warehouse) -> Result<T, WarehouseError> + Send + 'static,
) -> Result<T, WarehouseError> {
    let its = Arc::clone(context);
    context.writer.call(move |warehouse| work(&its, warehouse)).await
}

/// Walks the units, several at a time, in their order.
async fn walk_all(context: &Arc<Context>, units: Vec<Planned>, findings: &mut Findings) -> Result<(), Stop> {
    context.counts.plan(units.len() as u64);
    let mut waiting: VecDeque<Unit> = units.into_iter().map(|planned| planned.unit).collect();
    let mut walking = Walks::new();
    let mut worst: Option<Stop> = None;
    let mut refusals_in_a_row = 0;
    loop {
        while walking.have_room(&context.pace, context.quota()) && !context.is_stopped() {
            let Some(unit) = waiting.pop_front() else { break };
            let ask = unit.ask.clone();
            let context = Arc::clone(context);
            walking.begin(async move { (ask, walk_unit(&context, unit).await) });
        }
        if walking.is_empty() {
            break;
        }
        let Some((ask, ended)) = walking.next(&context.pace, context.quota()).await else { continue };
        let scope = ask.to_string();
        match ended {
            Ok(End::Disputed(reason)) => findings.add(Finding::Disputed { scope, reason }),
            Ok(End::Divided(units)) => {
                for unit in units.into_iter().rev() {
                    waiting.push_front(unit);
                }
                context.counts.plan((waiting.len() + walking.len()) as u64);
            }
            Ok(End::Complete(_) | End::Absent(_) | End::InSlices(_)) => {
                refusals_in_a_row = 0;
                context.counts.finished();
            }
            Err(Stop::Fetch(error))
                if concerns_one_unit(&error, &ask) && refusals_in_a_row < REFUSALS_IN_A_ROW =>
            {
                refusals_in_a_row += 1;
                findings.add(Finding::Unread { scope, reason: error.to_string() });
            }
            Err(stop) => {
                context.halt();
                Stop::keep_worst(&mut worst, stop);
            }
        }
    }
    match worst {
        Some(stop) => Err(stop),
        None if context.is_stopped() => Err(Stop::Asked),
        None => Ok(()),
    }
}

/// Whether a refusal says something about what was asked for, and not about us: the next may be answered.
fn concerns_one_unit(error: &FetchError, ask: &Ask) -> bool {
    match error {
        // Whether each site knows each status filter is not documented, and a customer may have left the partner.
        FetchError::Invalid { .. } | FetchError::NotFound { .. } | FetchError::Forbidden { .. } => {
            matches!(ask.scope, Scope::Status(_)) || ask.customer_id.is_some()
        }
        FetchError::Credentials { .. }
        | FetchError::Clock { .. }
        | FetchError::NotARefundOrder { .. }
        | FetchError::Unsendable { .. }
        | FetchError::TooLarge { .. }
        | FetchError::Redirected { .. }
        | FetchError::Tls { .. }
        | FetchError::Unavailable { .. }
        | FetchError::DailyQuota { .. }
        | FetchError::Deadline { .. } => false,
    }
}

async fn walk_unit(context: &Context, unit: Unit) -> Result<End, Stop> {
    let ask = unit.ask.clone();
    match (walk(context, unit).await?, &ask.scope, context.stream.sliced_by()) {
        (End::InSlices(again), _, Some(slicing)) => slices::read(context, slicing, &ask, again).await,
        (End::Complete(seen), Scope::Status(status), _) => {
            look_for_departed(context, *status, seen).await?;
            Ok(End::Complete(Keys::default()))
        }
        (end, ..) => Ok(end),
    }
}

/// Whoever is not in the list of its status any more has changed: it is read by itself.
async fn look_for_departed(context: &Context, status: i64, seen: Keys) -> Result<(), WarehouseError> {
    let (account, run) = (context.account.clone(), context.run);
    let before = context.wish().horizon();
    context
        .writer
        .call(move |warehouse| {
            let (mut departed, _) = warehouse.open_orders(&account, before)?;
            departed.retain(|order| order.status == Some(status) && !seen.holds(&order.id));
            let departed: Vec<Dependent> = departed.iter().map(OpenOrder::dependent).collect();
            warehouse.enqueue_all(&account, &departed, Again::Leave, run)
        })
        .await
}

/// Moves the watermarks over what is proven now, and records which months are complete.
fn move_watermarks(context: &Context, warehouse: &mut Warehouse) -> Result<(), WarehouseError> {
    let (account, stream, run) = (context.account.as_str(), context.stream.name(), context.run);
    for lane in [Lane::Created, Lane::Paid] {
        let covered = warehouse.covered_windows(account, stream, lane)?;
        let windows: Vec<Window> = covered.into_iter().map(|covered| covered.window).collect();
        let Some((start, _)) = warehouse.mark(account, stream, Mark::Begin(lane))? else { continue };
        if lane == Lane::Paid && windows.is_empty() {
            continue;
        }
        if lane == Lane::Created {
            let months = plan::complete_months(start, context.client.now(), &windows);
            warehouse.set_complete_months(account, stream, &months, context.client.now(), run)?;
        }
        warehouse.set_mark(account, stream, Mark::Watermark(lane), plan::watermark(start, &windows), run)?;
    }
    Ok(())
}
