//! One run of one job: plan, walk, drain the queue, and a row in the ledger that says how it went.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Extent;
use super::board::{Board, Counts};
use super::outcome::{Finding, Findings, JobReport, Outcome, Stop};
use super::queue;
use super::units::{plan_whole, plan_windows};
use super::walker::{End, Unit, walk};
use crate::client::{Client, Deadline, FetchError};
use crate::job::Job;
use crate::plan;
use crate::scope::{Ask, Lane, Role, Scope};
use crate::stream::{Reading, Stream};
use crate::time::UtcSecond;
use crate::warehouse::{RunEnd, RunId, WarehouseError, Writer};

/// Walks of one job at the same time. The pace bounds the requests; this only keeps enough of them in flight:
/// 20 requests a second with answers that take 0.8 seconds.
pub(super) const WIDTH: usize = 16;

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
    pub(super) extent: Extent,
    pub(super) deadline: Deadline,
    pub(super) stop: watch::Receiver<bool>,
    /// Set when one walk of the job met something that ends the job.
    pub(super) halted: AtomicBool,
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
        self.role == Role::Partner && self.stream.partner_names_customer()
    }

    /// The last instant a window may reach: younger rows may still be on their way.
    pub(super) fn horizon(&self) -> UtcSecond {
        self.client.now().minus(self.job.settle)
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

    pub(super) fn history_start(&self) -> UtcSecond {
        UtcSecond::midnight(self.job.history_start)
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
    if reading == Reading::Windows {
        let units = plan_windows(context).await?;
        let walked = walk_all(context, units, findings).await;
        move_watermarks(context).await?;
        walked?;
    }
    // Orders that got no answer are for the next run, and no reason to leave the rest.
    let mut unanswered = None;
    if reading.drains_queue() {
        unanswered = queue::drain(context, findings).await?;
    }
    if reading.reads_whole() {
        let units = plan_whole(context).await?;
        walk_all(context, units, findings).await?;
    }
    unanswered.map_or(Ok(()), Err)
}

/// Walks the units, several at a time, in their order.
async fn walk_all(context: &Arc<Context>, units: Vec<Unit>, findings: &mut Findings) -> Result<(), Stop> {
    context.counts.plan(units.len() as u64);
    let mut waiting = units.into_iter();
    let mut walking = JoinSet::new();
    let mut worst: Option<Stop> = None;
    let mut refusals_in_a_row = 0;
    loop {
        while walking.len() < WIDTH && !context.is_stopped() {
            let Some(unit) = waiting.next() else { break };
            let ask = unit.ask.clone();
            let context = Arc::clone(context);
            walking.spawn(async move { (ask, walk_unit(&context, unit).await) });
        }
        let Some(joined) = walking.join_next().await else { break };
        let (ask, ended) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let scope = ask.to_string();
        match ended {
            Ok(End::Disputed(reason)) => findings.add(Finding::Disputed { scope, reason }),
            Ok(End::Complete | End::Absent) => {
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
    let Scope::Status(status) = unit.ask.scope else { return walk(context, unit, None).await };
    let mut seen = HashSet::new();
    walk(context, unit, Some(&mut seen)).await?;
    // Whoever is not in the list of its status any more has changed: read it by itself. A list that moved while it
    // was read only makes this a few more.
    let (account, run, before) = (context.account.clone(), context.run, context.horizon());
    context
        .writer
        .call(move |warehouse| {
            warehouse.enqueue_open_orders(&account, Some(status), before, &seen, run).map(|_| ())
        })
        .await?;
    Ok(End::Complete)
}

/// Moves the watermarks over what is proven now.
async fn move_watermarks(context: &Context) -> Result<(), WarehouseError> {
    let (account, stream) = (context.account.clone(), context.stream.name());
    let history_start = context.history_start();
    let run = context.run;
    context
        .writer
        .call(move |warehouse| {
            for lane in [Lane::Created, Lane::Paid] {
                let covered = warehouse.covered_windows(&account, stream, lane)?;
                let start = match lane {
                    Lane::Created => Some(history_start),
                    Lane::Paid => warehouse.lane_start(&account, stream, lane)?,
                };
                let Some(start) = start.filter(|_| lane == Lane::Created || !covered.is_empty()) else {
                    continue;
                };
                warehouse.set_watermark(&account, stream, lane, plan::watermark(start, &covered), run)?;
            }
            Ok(())
        })
        .await
}
