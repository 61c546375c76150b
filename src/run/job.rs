//! One run of one job: plan, walk, drain the queue, and a row in the ledger that says how it went.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;
use tracing::Instrument;

use super::context::JobContext;
use super::drain::QueueDrain;
use super::outcome::{Finding, JobReport, JobStop, Outcome, RunNotes};
use super::pace::Walks;
use super::planner::{Planned, SORTED_RESUMABLE};
use super::refusals::{Permission, Refusals, RefusedParty};
use super::walk::{self, Unit, WalkEnd, concerns_one_unit, is_refusal};
use crate::plan;
use crate::scope::Lane;
use crate::stream::Reading;
use crate::warehouse::{Mark, Warehouse, WarehouseError};

/// Windows and lists failing in a row until the fault may not be theirs.
const FAILURES_IN_A_ROW: usize = 5;

/// Runs a job and records how it went. All that it logs tells which run it is, errors with `--quiet` as well.
pub(super) async fn run(context: Arc<JobContext>) -> JobReport {
    let span = tracing::error_span!(
        "run",
        account.name = context.account,
        job.name = context.job.name.as_str(),
        run.id = %context.run
    );
    run_in_span(context).instrument(span).await
}

async fn run_in_span(context: Arc<JobContext>) -> JobReport {
    tracing::debug!("begins");
    let started = Instant::now();
    let mut told = RunNotes::default();
    let mut result = work(&context, &mut told).await;
    let mut findings = told.findings;
    // Whichever run met them: what they hold is not there.
    match read(&context, |context, warehouse| {
        warehouse.count_undecoded(&context.account, context.stream.name())
    })
    .await
    {
        Ok(0) => {}
        Ok(rows) => findings.add(Finding::Quarantined(rows)),
        Err(error) => result = result.and(Err(error.into())),
    }
    let run = context.run;
    // Its pages were acknowledged before they were committed.
    if let Err(error) = context.writer.settle(run).await {
        result = worse(result, error);
    }
    context.board.ended(context.stream);
    context.counts.end();
    let tally = match &result {
        // Of what was acknowledged something may not be stored.
        Err(JobStop::Warehouse(_)) => context.writer.read(move |warehouse| warehouse.stored_by(run)).await,
        Ok(()) | Err(_) => Ok(context.counts.tally()),
    };
    let tally = tally.unwrap_or_default();
    let requests = context.counts.meter.read();
    let judge = |result: &Result<(), JobStop>| {
        let found = if findings.is_empty() { Outcome::Done } else { Outcome::Findings };
        result.as_ref().err().map_or(found, |stop| found.max(stop.outcome()))
    };
    let outcome = judge(&result);
    let reasons: Vec<String> =
        result.as_ref().err().map(ToString::to_string).into_iter().chain(findings.texts()).collect();
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    let end = outcome.ends_run(reason, requests);
    if let Err(error) = context.writer.write(move |warehouse| warehouse.end_run(run, &end)).await {
        // The next opening shows the run as crashed; that it has no end is told here, whatever else ended it.
        result = worse(result, error);
    }
    let outcome = judge(&result);
    tracing::debug!(outcome = outcome.as_str(), requests = requests.requests, rows = tally.received, "ended");
    JobReport {
        job: context.job.name.to_string(),
        account: context.account.clone(),
        outcome,
        is_unavailable: result.as_ref().err().is_some_and(JobStop::is_unavailability),
        warehouse: result.as_ref().err().and_then(JobStop::warehouse),
        stopped: result.err().map(|stop| (stop.to_string(), stop.advice())),
        findings,
        tally,
        requests,
        elapsed: started.elapsed(),
    }
}

/// What became of a run that the warehouse failed as well.
fn worse(result: Result<(), JobStop>, error: WarehouseError) -> Result<(), JobStop> {
    let mut worst = result.err();
    JobStop::keep_worst(&mut worst, error.into());
    worst.map_or(Ok(()), Err)
}

/// Does the job's work. What ends all of it is told rather than what one window, list or order came to, unless that is worse.
async fn work(context: &Arc<JobContext>, told: &mut RunNotes) -> Result<(), JobStop> {
    let mut worst = read_all(context, told).await.err();
    if let Some(stop) = told.unanswered.take() {
        JobStop::keep_worst(&mut worst, stop);
    }
    worst.map_or(Ok(()), Err)
}

async fn read_all(context: &Arc<JobContext>, told: &mut RunNotes) -> Result<(), JobStop> {
    let reading = context.stream.reading();
    write(context, |context, warehouse| {
        // Nobody goes on with them any more.
        let before = context.client.now().minus(2 * SORTED_RESUMABLE);
        warehouse.forget_walks(&context.account, context.stream.name(), before)
    })
    .await?;
    if reading == Reading::Windows {
        let (units, has_singles) = write(context, |context, warehouse| {
            let plan = context.wish().windows(warehouse)?;
            let (account, stream) = (&context.account, context.stream.name());
            plan.begin(warehouse, account, stream, context.run)?;
            Ok((plan.units, warehouse.count_due(account, stream, context.client.now())? > 0))
        })
        .await?;
        // Single orders must not wait for years of history, which may take longer than the job's deadline.
        let (urgent, rest): (Vec<_>, Vec<_>) =
            units.into_iter().partition(|unit| has_singles && unit.reason.is_urgent());
        walk_windows(context, urgent, told).await?;
        let mut drain = QueueDrain::open(context, told).await?;
        drain.run(told).await?;
        walk_windows(context, rest, told).await?;
        drain.run(told).await?;
        drain.end(told).await?;
    } else if reading.drains_queue() {
        QueueDrain::open(context, told).await?.run(told).await?;
    }
    if reading.reads_whole() {
        let plan = read(context, |context, warehouse| context.wish().lists(warehouse)).await?;
        walk_all(context, plan.units, plan.permission, told).await?;
    }
    Ok(())
}

/// Reads from the warehouse on its thread.
async fn read<T: Send + 'static>(
    context: &Arc<JobContext>,
    work: impl FnOnce(&JobContext, &Warehouse) -> Result<T, WarehouseError> + Send + 'static,
) -> Result<T, WarehouseError> {
    let its = Arc::clone(context);
    context.writer.read(move |warehouse| work(&its, warehouse)).await
}

/// Writes to the warehouse on its thread; it is on disk afterwards.
async fn write<T: Send + 'static>(
    context: &Arc<JobContext>,
    work: impl FnOnce(&JobContext, &mut Warehouse) -> Result<T, WarehouseError> + Send + 'static,
) -> Result<T, WarehouseError> {
    let its = Arc::clone(context);
    context.writer.write(move |warehouse| work(&its, warehouse)).await
}

/// Walks windows, and moves the watermarks over what that proves, whatever ended it.
async fn walk_windows(
    context: &Arc<JobContext>,
    units: Vec<Planned>,
    told: &mut RunNotes,
) -> Result<(), JobStop> {
    let walked = walk_all(context, units, Permission::Unproven, told).await;
    write(context, move_watermarks).await?;
    walked
}

/// Walks the units, several at a time, in their order. One that fails by itself keeps no other from being read: where many
/// do in a row, the last of all is asked for as a witness, because the first ones may be the same in every run.
async fn walk_all(
    context: &Arc<JobContext>,
    units: Vec<Planned>,
    permission: Permission,
    told: &mut RunNotes,
) -> Result<(), JobStop> {
    context.counts.plan(units.len() as u64);
    let mut waiting: VecDeque<Unit> = units.into_iter().map(|planned| planned.unit).collect();
    let mut walking = Walks::new();
    let mut worst: Option<JobStop> = None;
    let mut refusals = Refusals::new(permission);
    let mut failures_in_a_row = 0;
    loop {
        while walking.have_room(&context.pace, context.spacing()) && !context.is_stopped() {
            let is_witness = failures_in_a_row >= FAILURES_IN_A_ROW;
            let next = match is_witness {
                true if walking.is_empty() => waiting.pop_back(),
                true => None,
                false => waiting.pop_front(),
            };
            let Some(unit) = next else { break };
            let ask = unit.ask.clone();
            let context = Arc::clone(context);
            walking.begin(async move { (ask, is_witness, walk::read(&context, unit).await) });
        }
        if walking.is_empty() {
            break;
        }
        context.pace.employs(walking.len() + waiting.len());
        let ended = walking.next(&context.pace, context.spacing()).await;
        let Some((ask, is_witness, ended)) = ended else { continue };
        let scope = ask.to_string();
        let failed_alone = matches!(&ended, Err(stop) if concerns_one_unit(stop));
        failures_in_a_row = if failed_alone { failures_in_a_row + 1 } else { 0 };
        let may_go_on = failures_in_a_row < FAILURES_IN_A_ROW || !is_witness && !waiting.is_empty();
        match ended {
            Ok(WalkEnd::Disputed(reason)) => told.findings.add(Finding::Disputed { scope, reason }),
            Ok(WalkEnd::Divided(units)) => {
                for unit in units.into_iter().rev() {
                    waiting.push_front(unit);
                }
                context.counts.plan((waiting.len() + walking.len()) as u64);
            }
            Ok(WalkEnd::Complete(_) | WalkEnd::Absent(_) | WalkEnd::InSlices(_)) => {
                refusals.answered();
                context.counts.finished();
            }
            // The customer may have left the partner; when nobody is answered it is the permission.
            Err(JobStop::Fetch(error)) if is_refusal(&error) && ask.customer_id.is_some() => {
                match refusals.judge(context.permission()) {
                    RefusedParty::Customer => {
                        told.findings.add(Finding::Unread { scope, reason: error.to_string() });
                    }
                    RefusedParty::Credential => {
                        context.halt();
                        JobStop::keep_worst(&mut worst, JobStop::Fetch(error));
                    }
                }
            }
            Err(stop) if failed_alone && may_go_on => {
                let stop = stop.of(&ask);
                tracing::warn!(
                    reason = %stop,
                    "not read in this run; going on with the others"
                );
                told.note_unanswered(stop);
            }
            Err(stop) => {
                context.halt();
                let stop = if failed_alone { stop.of(&ask) } else { stop };
                JobStop::keep_worst(&mut worst, stop);
            }
        }
    }
    match worst {
        Some(stop) => Err(stop),
        None if context.is_stopped() => Err(JobStop::Asked),
        None => Ok(()),
    }
}

/// Moves the watermarks over what is proven now, and records which months are complete.
fn move_watermarks(context: &JobContext, warehouse: &mut Warehouse) -> Result<(), WarehouseError> {
    let (account, stream, run) = (context.account.as_str(), context.stream.name(), context.run);
    for lane in [Lane::Created, Lane::Paid] {
        let windows = warehouse.covered_windows(account, stream, lane)?;
        let Some((start, _)) = warehouse.mark(account, stream, Mark::Begin(lane))? else { continue };
        if lane == Lane::Paid && windows.is_empty() {
            continue;
        }
        if lane == Lane::Created {
            // A month with an order that could not be stored is read, and not complete.
            let undecoded = warehouse.undecoded_times(account, stream)?;
            let decoded: Vec<_> = windows.iter().flat_map(|window| window.minus(&undecoded)).collect();
            let disputed = warehouse.disputed_windows(account, stream, lane)?;
            let months = plan::complete_months(start, context.client.now(), &decoded, &disputed);
            warehouse.set_complete_months(account, stream, &months, context.client.now(), run)?;
        }
        warehouse.set_mark(account, stream, Mark::Watermark(lane), plan::watermark(start, &windows), run)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_whose_end_could_not_be_written_says_so_whatever_ended_it() {
        for ended in [Ok(()), Err(JobStop::Asked), Err(JobStop::Late)] {
            let stop = worse(ended, WarehouseError::Stopped).expect_err("the warehouse failed");
            assert!(stop.warehouse().is_some(), "{stop}");
        }
    }
}
