//! One invocation: jobs times accounts, each a run of its own in the ledger. The only place where plan, vendor
//! and warehouse meet.

mod board;
mod cut;
mod estimate;
mod job;
mod learned;
mod outcome;
mod publish;
mod queue;
mod refusals;
mod repair;
mod slices;
mod unit;
mod units;
mod verify;
mod walker;
mod width;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use board::{Counts, Progress};
pub use estimate::{AccountPlan, Certainty, EndpointPlan, JobPlan, PlanRow, Requests, estimate};
pub use learned::learned;
pub use outcome::{Finding, Findings, JobReport, Outcome};
pub use publish::publish_after_run;
pub use repair::repair;
pub use units::Reason;
pub use verify::{Comparison, NAME as VERIFY, Orders, Part, Verified, Verify, verify};

use crate::client::{ClientError, Deadline};
use crate::config::Account;
use crate::job::Job;
use crate::request::ResellerIn;
use crate::stream::{self, CATALOGUE, Stream};
use crate::time::{UtcSecond, Window};
use crate::warehouse::{RunStart, WarehouseError, Writer};
use board::Board;
use learned::{Memory, client_of};

/// What to run.
#[derive(Debug)]
pub struct Order<'a> {
    /// The jobs, in the order of the data's way.
    pub jobs: Vec<&'a Job>,
    /// The accounts.
    pub accounts: Vec<&'a Account>,
    /// How much of the past to read.
    pub extent: Extent,
    /// What the operator says about answers that are too short to be believed.
    pub word: Word,
    /// How long each job may take, instead of its own deadline.
    pub deadline: Option<Duration>,
}

/// What the operator says about answers with far fewer rows than are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing: they prove nothing.
    None,
    /// Nothing; but the credential was shown rows of orders a moment ago.
    RowsWereSeen,
    /// They are true.
    AcceptEmpty,
}

/// How much of the past a run reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What no run has read completely, and what can still change.
    Incremental,
    /// Everything from the start of the history, again.
    Full,
    /// These windows of creation time again, newest first, and what is queued.
    Windows(Vec<Window>),
    /// Whole lists again, and what is queued.
    Lists {
        /// Whose, where a partner asks customer by customer.
        customers: Vec<String>,
        /// Whether those of customers are read as well that were never read.
        new: NewCustomers,
    },
}

/// Whether lists of customers are read that were never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewCustomers {
    /// They are left alone.
    Leave,
    /// They are read.
    Read,
}

/// Why an invocation could not even begin its jobs.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A client could not be built.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Runs the jobs of all accounts side by side: every endpoint has its own quota, so none waits for another.
///
/// `stop` becoming true ends the run between two pages. Returns a report for each job and account.
///
/// # Errors
/// When the warehouse fails outside a job, or a client cannot be built.
pub async fn run(
    order: Order<'_>,
    writer: &Writer,
    progress: &Arc<Progress>,
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
        let mut by_stream: BTreeMap<&str, Vec<Arc<job::Context>>> = BTreeMap::new();
        for job in jobs {
            // The configuration was checked against the catalogue.
            let Some(stream) = stream::find(&job.stream) else { continue };
            let start = RunStart {
                job: job.name.to_string(),
                account: account.name.clone(),
                stream: stream.name(),
                at: UtcSecond::now(),
            };
            let context = Arc::new(job::Context {
                run: writer.call(move |warehouse| warehouse.start_run(&start)).await?,
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
                pace: width::PagePace::default(),
                board: Arc::clone(&board),
                counts: progress.add(&account.name, job.name.as_str()),
            });
            by_stream.entry(stream.name()).or_default().push(context);
        }
        for (stream, contexts) in by_stream {
            let Some(stream) = stream::find(stream) else { continue };
            let memory = Memory::of(account, client, writer).only(stream.endpoint());
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
    contexts: Vec<Arc<job::Context>>,
    memory: Memory,
    progress: Arc<Progress>,
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

/// Whether a job reads an account.
#[must_use]
pub fn reads(job: &Job, account: &Account) -> bool {
    why_not(job, account).is_none()
}

/// The streams of an account that any of these jobs reads, in the catalogue's order.
pub fn streams_of(jobs: &[Job], account: &Account) -> impl Iterator<Item = &'static dyn Stream> {
    let is_read = |stream: &&'static dyn Stream| {
        jobs.iter().any(|job| job.stream == stream.name() && reads(job, account))
    };
    CATALOGUE.iter().copied().filter(is_read)
}

/// Why a job does not read an account, said before anybody is asked: with the wrong kind of credential an endpoint may
/// answer success without rows (`CONTRACT` §4).
#[must_use]
pub fn why_not(job: &Job, account: &Account) -> Option<String> {
    let Account { name, role, profile, secrets: _ } = account;
    let stream = stream::find(&job.stream)?;
    if let Some(only) = stream.only_for().filter(|only| only != role) {
        let stream = stream.name();
        return Some(format!("only a {only} may ask for {stream}, and the role of account {name} is {role}"));
    }
    if !job.reads(name, *role) {
        return Some(format!("the job {} is not meant for account {name} (role {role})", job.name));
    }
    profile.reseller.as_ref().filter(|_| cannot_name_reseller(stream, account)).map(|reseller| {
        format!(
            "the vendor has no way to ask for the {} of customers of a reseller, and account {name} is for those of \
             {reseller}",
            stream.name()
        )
    })
}

/// Whether the account is for a reseller's customers and the stream has no way to name the reseller.
fn cannot_name_reseller(stream: &dyn Stream, account: &Account) -> bool {
    account.profile.reseller.is_some() && stream.endpoint().reseller == ResellerIn::Impossible
}
