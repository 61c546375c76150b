//! One invocation: jobs times accounts, each a run of its own in the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::board::{Board, RunProgress};
use super::context::JobContext;
use super::error::RunError;
use super::job;
use super::learned::{LearnedMemory, client_of};
use super::order::Order;
use super::outcome::JobReport;
use super::pace::PagePace;
use super::reach::{cannot_name_reseller, reads};
use crate::client::Deadline;
use crate::job::Job;
use crate::stream::{self, CATALOGUE};
use crate::time::UtcSecond;
use crate::warehouse::{RunStart, WarehouseError, Writer};

/// Runs the jobs of all accounts side by side: every endpoint has its own quota, so none waits for another.
///
/// `stop` becoming true ends the run between two pages. Returns a report for each job and account.
///
/// # Errors
/// When the warehouse fails outside a job, or a client cannot be built.
pub async fn run(
    order: Order<'_>,
    writer: &Writer,
    progress: &Arc<RunProgress>,
    stop: watch::Receiver<bool>,
) -> Result<Vec<JobReport>, RunError> {
    // All clients first: an account that cannot be asked must not end another's jobs in the middle.
    let mut accounts = Vec::new();
    for account in &order.accounts {
        accounts.push((*account, Arc::new(client_of(account, writer).await?)));
    }
    let mut tasks = JoinSet::new();
    for (account, client) in &accounts {
        let jobs: Vec<&Job> = order.jobs.iter().copied().filter(|job| reads(job, account)).collect();
        let out_of_reach: Arc<[&'static str]> = CATALOGUE
            .iter()
            .filter(|stream| cannot_name_reseller(**stream, account))
            .map(|stream| stream.name())
            .collect();
        let board = Arc::new(Board::new(jobs.iter().filter_map(|job| stream::find(&job.stream))));
        let mut by_stream: BTreeMap<&str, Vec<Arc<JobContext>>> = BTreeMap::new();
        for job in jobs {
            // The configuration was checked against the catalogue.
            let Some(stream) = stream::find(&job.stream) else { continue };
            let start = RunStart {
                job: job.name.to_string(),
                account: account.name.clone(),
                stream: stream.name(),
                at: UtcSecond::now(),
            };
            let context = Arc::new(JobContext {
                run: writer.write(move |warehouse| warehouse.start_run(&start)).await?,
                job: job.clone(),
                account: account.name.clone(),
                role: account.role,
                stream,
                client: Arc::clone(client),
                writer: writer.clone(),
                out_of_reach: Arc::clone(&out_of_reach),
                extent: order.extent.clone(),
                word: order.word,
                deadline: order
                    .deadline
                    .or(job.deadline)
                    .map_or(Deadline::NONE, |limit| Deadline::after(Instant::now(), limit)),
                stop: stop.clone(),
                halted: AtomicBool::new(false),
                saw_rows: AtomicBool::new(false),
                pace: PagePace::default(),
                board: Arc::clone(&board),
                counts: progress.add(&account.name, job.name.as_str()),
            });
            by_stream.entry(stream.name()).or_default().push(context);
        }
        for (stream, contexts) in by_stream {
            let Some(stream) = stream::find(stream) else { continue };
            let memory = LearnedMemory::of(account, client, writer).only(stream.endpoint());
            tasks.spawn(run_in_turn(contexts, memory, Arc::clone(progress)));
        }
    }
    let mut reports = Vec::new();
    let mut forgotten = None;
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok((of_stream, kept)) => {
                reports.extend(of_stream);
                forgotten = forgotten.or(kept.err());
            }
            // Nothing cancels these tasks; a panic is a bug and must not look like success.
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
    if let Some(error) = forgotten {
        return Err(error.into());
    }
    let place = |report: &JobReport| {
        let at = order.jobs.iter().position(|job| job.name.as_str() == report.job);
        (report.account.clone(), at)
    };
    reports.sort_by_key(place);
    Ok(reports)
}

/// Jobs of one stream share its checkpoints and its queue, so they run one after the other. What is learned meanwhile is
/// kept; where that fails they are run to their end all the same.
async fn run_in_turn(
    contexts: Vec<Arc<JobContext>>,
    memory: LearnedMemory,
    progress: Arc<RunProgress>,
) -> (Vec<JobReport>, Result<(), WarehouseError>) {
    let mut reports = Vec::with_capacity(contexts.len());
    let mut running = Box::pin(async {
        for context in contexts {
            let report = job::run(context).await;
            progress.ended(&report);
            reports.push(report);
        }
    });
    let failed = tokio::select! {
        () = &mut running => None,
        Err(error) = memory.keep() => Some(error),
    };
    let kept = if let Some(error) = failed {
        running.await;
        Err(error)
    } else {
        drop(running);
        memory.save().await
    };
    (reports, kept)
}
