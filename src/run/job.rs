//! One run of one job: plan, walk, drain the queue, and a row in the ledger that says how it went.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Extent;
use super::board::{Board, Counts};
use super::outcome::{Finding, JobReport, Outcome, Stop};
use super::queue;
use super::walker::{End, Unit, walk};
use crate::client::{Client, Deadline};
use crate::job::Job;
use crate::plan::{self, Known};
use crate::scope::{Ask, Lane, Role, Scope};
use crate::stream::{Reading, Stream};
use crate::time::{UtcSecond, Window};
use crate::walk::Walk;
use crate::warehouse::{RunEnd, RunId, WarehouseError, Writer};

/// Walks of one job at the same time. The pace bounds the requests; this only keeps enough of them in flight:
/// 20 requests a second with answers that take 0.8 seconds.
pub(super) const WIDTH: usize = 16;

/// Statuses the order list can be filtered by (`CONTRACT` §7.1); the others are read order by order.
const FILTERABLE_STATUSES: &[i64] = &[1, 3, 4, 5, 6, 9];

/// Open orders of one status from which on listing them is cheaper than reading them one by one: a page of
/// 100, or one request each.
const LIST_FROM: u64 = 2;

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

    /// The last instant a window may reach: younger rows may still be on their way.
    fn horizon(&self) -> UtcSecond {
        self.client.now().minus(self.job.settle)
    }

    fn history_start(&self) -> UtcSecond {
        UtcSecond::midnight(self.job.history_start)
    }
}

/// Runs a job and records how it went.
pub(super) async fn run(context: Arc<Context>) -> JobReport {
    let started = Instant::now();
    let mut findings = Vec::new();
    let mut result = work(&context, &mut findings).await;
    context.board.ended(context.stream.name());
    context.counts.end();
    let tally = context.counts.tally();
    if tally.quarantined > 0 {
        findings.push(Finding::Quarantined(tally.quarantined));
    }
    let requests = context.counts.meter.read();
    let outcome = match &result {
        Ok(()) if findings.is_empty() => Outcome::Done,
        Ok(()) => Outcome::Findings,
        Err(stop) => stop.outcome(),
    };
    let reason = match &result {
        Ok(()) if findings.is_empty() => None,
        Ok(()) => Some(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        Err(stop) => Some(stop.to_string()),
    };
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
    let outcome = match &result {
        Ok(()) => outcome,
        Err(stop) => stop.outcome(),
    };
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

async fn work(context: &Arc<Context>, findings: &mut Vec<Finding>) -> Result<(), Stop> {
    let reading = context.stream.reading();
    if reading == Reading::Windows {
        let units = plan_windows(context).await?;
        let walked = walk_all(context, units, findings).await;
        move_watermarks(context).await?;
        walked?;
    }
    if reading.drains_queue() {
        queue::drain(context, findings).await?;
    }
    if reading.reads_whole() {
        let units = plan_whole(context).await?;
        walk_all(context, units, findings).await?;
    }
    Ok(())
}

/// New orders, orders paid since, orders that can still change, and the walks the last run left in the middle.
async fn plan_windows(context: &Arc<Context>) -> Result<Vec<Unit>, Stop> {
    let (account, stream) = (context.account.clone(), context.stream.name());
    let (begun, created, paid, paid_since) = context
        .writer
        .call(move |warehouse| {
            Ok((
                warehouse.open_walks(&account, stream)?,
                warehouse.covered_windows(&account, stream, Lane::Created)?,
                warehouse.covered_windows(&account, stream, Lane::Paid)?,
                warehouse.watermark(&account, stream, Lane::Paid)?,
            ))
        })
        .await?;
    let end = context.horizon();
    let full = context.extent == Extent::Full;
    let begun: Vec<(Scope, Walk)> = if full {
        Vec::new()
    } else {
        begun.into_iter().filter_map(|(scope, _, walk)| Some((Scope::parse(&scope)?, walk))).collect()
    };
    let begun_windows = |lane: Lane| -> Vec<Window> {
        let of_lane = begun.iter().filter(|(scope, _)| scope.lane() == Some(lane));
        of_lane.filter_map(|(scope, _)| scope.window()).collect()
    };
    let plan = |lane: Lane, start: UtcSecond, covered: &[Window]| {
        let known = Known { start, end, covered, begun: &begun_windows(lane) };
        plan::windows(known, context.job.overlap, context.job.window)
    };
    let is_first = created.is_empty();
    let read_before: &[Window] = if full { &[] } else { &created };
    let new = plan(Lane::Created, context.history_start(), read_before);
    let mut scopes = Vec::new();
    match paid_since {
        // Whatever is paid from now on is found by its payment time; what was paid before, the first load sees.
        None => set_watermark(context, Lane::Paid, end.minus(context.job.overlap)).await?,
        Some(_) if full => {}
        Some(since) => {
            let start = paid.iter().map(Window::begin).min().unwrap_or(since);
            scopes.extend(plan(Lane::Paid, start, &paid).into_iter().map(Scope::Paid));
        }
    }
    if !is_first && !full {
        let newest = new.first().map_or(end, Window::begin);
        scopes.extend(plan_open_orders(context, newest).await?);
    }
    scopes.extend(new.into_iter().map(Scope::Created));
    let resumed = begun.into_iter().filter(|(scope, _)| scope.window().is_some());
    let resumed = resumed.map(|(scope, walk)| unit(scope, None, walk));
    let from_start = |scope: Scope| {
        let walk = Walk::start(context.stream.paging(&scope), 1);
        unit(scope, None, walk)
    };
    Ok(resumed.chain(scopes.into_iter().map(from_start)).collect())
}

fn unit(scope: Scope, customer_id: Option<String>, walk: Walk) -> Unit {
    Unit { ask: Ask { scope, customer_id }, walk, generation: None }
}

/// How to look again at orders whose status can still change, created before `before`: by a list of their
/// status where that is cheaper, else one by one through the queue.
async fn plan_open_orders(context: &Arc<Context>, before: UtcSecond) -> Result<Vec<Scope>, Stop> {
    let (account, run) = (context.account.clone(), context.run);
    let lists = context
        .writer
        .call(move |warehouse| {
            let mut lists = Vec::new();
            for open in warehouse.open_orders(&account, before)? {
                match open.status {
                    Some(status) if open.count >= LIST_FROM && FILTERABLE_STATUSES.contains(&status) => {
                        lists.push(Scope::Status(status));
                    }
                    status => {
                        warehouse.enqueue_open_orders(&account, status, before, &HashSet::new(), run)?;
                    }
                }
            }
            Ok(lists)
        })
        .await?;
    Ok(lists)
}

/// The whole lists that are older than the job wants them; a partner's resources customer by customer.
async fn plan_whole(context: &Arc<Context>) -> Result<Vec<Unit>, Stop> {
    let by_customer = context.role == Role::Partner && context.stream.partner_names_customer();
    let (account, stream) = (context.account.clone(), context.stream.name());
    let oldest = context.client.now().minus(context.job.refresh);
    let full = context.extent == Extent::Full;
    let paging = context.stream.paging(&Scope::Whole);
    let units = context
        .writer
        .call(move |warehouse| {
            let customers = if by_customer {
                warehouse.known_customers(&account)?.into_iter().map(Some).collect()
            } else {
                vec![None]
            };
            let begun = warehouse.open_walks(&account, stream)?;
            let mut units = Vec::new();
            for customer in customers {
                let read_at = warehouse.last_whole_reading(&account, stream, customer.as_deref())?;
                if !full && read_at.is_some_and(|at| at > oldest) {
                    continue;
                }
                let name = customer.as_deref().unwrap_or_default();
                let whole = Scope::Whole.to_string();
                let resumed = begun.iter().find(|(scope, owner, _)| *scope == whole && owner == name);
                let walk = resumed.map_or_else(|| Walk::start(paging, 1), |(_, _, walk)| walk.clone());
                units.push(unit(Scope::Whole, customer, walk));
            }
            Ok(units)
        })
        .await?;
    Ok(units)
}

/// Walks the units, several at a time, in their order.
async fn walk_all(context: &Arc<Context>, units: Vec<Unit>, findings: &mut Vec<Finding>) -> Result<(), Stop> {
    context.counts.plan(units.len() as u64);
    let mut waiting = units.into_iter();
    let mut walking = JoinSet::new();
    let mut first_stop = None;
    loop {
        while walking.len() < WIDTH && !context.is_stopped() {
            let Some(unit) = waiting.next() else { break };
            let scope = unit.ask.scope.to_string();
            let context = Arc::clone(context);
            walking.spawn(async move { (scope, walk_unit(&context, unit).await) });
        }
        let Some(joined) = walking.join_next().await else { break };
        let (scope, ended) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        match ended {
            Ok(End::Disputed(reason)) => findings.push(Finding::Disputed { scope, reason }),
            Ok(End::Complete | End::Absent) => context.counts.finished(),
            Err(stop) => {
                context.halt();
                // Walks that stop because of this one have nothing to add.
                if !matches!((&first_stop, &stop), (Some(_), Stop::Asked)) {
                    first_stop.get_or_insert(stop);
                }
            }
        }
    }
    match first_stop {
        Some(stop) => Err(stop),
        None if context.is_stopped() => Err(Stop::Asked),
        None => Ok(()),
    }
}

async fn walk_unit(context: &Context, unit: Unit) -> Result<End, Stop> {
    let Scope::Status(status) = unit.ask.scope else { return walk(context, unit, None).await };
    let mut seen = HashSet::new();
    let end = walk(context, unit, Some(&mut seen)).await?;
    if matches!(end, End::Complete) {
        // Whoever is not in the list of its status any more has changed: read it by itself.
        let (account, run, before) = (context.account.clone(), context.run, context.horizon());
        context
            .writer
            .call(move |warehouse| {
                warehouse.enqueue_open_orders(&account, Some(status), before, &seen, run).map(|_| ())
            })
            .await?;
    }
    Ok(end)
}

async fn set_watermark(context: &Context, lane: Lane, watermark: UtcSecond) -> Result<(), WarehouseError> {
    let (account, stream, run) = (context.account.clone(), context.stream.name(), context.run);
    context
        .writer
        .call(move |warehouse| warehouse.set_watermark(&account, stream, lane, watermark, run))
        .await
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
                    Lane::Paid => covered.iter().map(Window::begin).min(),
                };
                let Some(start) = start else { continue };
                warehouse.set_watermark(&account, stream, lane, plan::watermark(start, &covered), run)?;
            }
            Ok(())
        })
        .await
}
