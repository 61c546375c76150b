//! Asks the vendor for its numbers, account by account.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::comparison::{Comparison, OrdersCompared};
use super::questions::{self, CountQuestion};
use crate::client::{CallCounts as Asked, Deadline};
use crate::config::Account;
use crate::job::Job;
use crate::run::board::{Board, RunProgress};
use crate::run::context::JobContext;
use crate::run::error::RunError;
use crate::run::learned::{LearnedMemory, client_of};
use crate::run::order::{Extent, ShortAnswers};
use crate::run::outcome::{JobStop, Outcome};
use crate::run::pace::PagePace;
use crate::run::reach::by_stream;
use crate::run::refusals::{Permission, Refusals, RefusedParty};
use crate::run::walk::{fetch, is_refusal};
use crate::stream::Stream;
use crate::time::UtcSecond;
use crate::warehouse::{RunId, RunStart, WarehouseError, Writer};

/// The job's name in the ledger. It is no stream either, so that it says nothing about how fresh one is.
pub const NAME: &str = "verify";

/// Requests on their way at the same time: the client keeps the pace, and these only bridge the time an answer takes.
const WIDTH: usize = 8;

/// What to verify.
#[derive(Clone, Debug)]
pub struct Verify<'a> {
    /// The jobs whose streams are verified; they say how far back.
    pub jobs: Vec<&'a Job>,
    /// The accounts.
    pub accounts: Vec<&'a Account>,
    /// How long it may take for one account.
    pub deadline: Option<Duration>,
}

/// What came of verifying an account.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The account.
    pub account: String,
    /// What was compared, months oldest first.
    pub comparisons: Vec<Comparison>,
    /// How much of what belongs to orders was read, stream by stream.
    pub orders: Vec<OrdersCompared>,
    /// Months and lists that were not compared, because it ended early.
    pub unanswered: u64,
    /// How it ended: [`Outcome::Done`] when everything agrees.
    pub outcome: Outcome,
    /// Why it ended early, and what to do; `None` when it did not.
    pub stopped: Option<(String, &'static str)>,
    /// What was asked.
    pub requests: Asked,
    /// The row of the ledger.
    pub(in crate::run) run: RunId,
}

/// Compares what is stored with what the vendor has; changes nothing in the warehouse but a row of `runs`.
///
/// `stop` becoming true ends it between two requests. Returns what came of it for each account.
///
/// # Errors
/// When the warehouse fails, or a client cannot be built.
pub async fn verify(
    order: &Verify<'_>,
    writer: &Writer,
    progress: &Arc<RunProgress>,
    stop: watch::Receiver<bool>,
) -> Result<Vec<Verified>, RunError> {
    let mut all = Vec::with_capacity(order.accounts.len());
    for account in &order.accounts {
        all.push(verify_account(order, account, writer, progress, &stop).await?);
    }
    Ok(all)
}

async fn verify_account(
    order: &Verify<'_>,
    account: &Account,
    writer: &Writer,
    progress: &Arc<RunProgress>,
    stop: &watch::Receiver<bool>,
) -> Result<Verified, RunError> {
    let client = Arc::new(client_of(account, writer).await?);
    let start =
        RunStart { job: NAME.to_owned(), account: account.name.clone(), stream: NAME, at: UtcSecond::now() };
    let run = writer.write(move |warehouse| warehouse.start_run(&start)).await?;
    let counts = progress.add(&account.name, NAME);
    let deadline = order.deadline.map_or(Deadline::NONE, |limit| Deadline::after(Instant::now(), limit));
    let context = |job: &Job, stream: &'static dyn Stream| JobContext {
        run,
        job: job.clone(),
        account: account.name.clone(),
        role: account.role,
        stream,
        client: Arc::clone(&client),
        writer: writer.clone(),
        // Nothing is stored, and so nothing queued.
        out_of_reach: Arc::default(),
        extent: Extent::Incremental,
        word: ShortAnswers::None,
        deadline,
        stop: stop.clone(),
        halted: AtomicBool::new(false),
        saw_rows: AtomicBool::new(false),
        pace: PagePace::default(),
        board: Arc::new(Board::new(std::iter::empty())),
        counts: Arc::clone(&counts),
    };
    let contexts: Vec<Arc<JobContext>> = by_stream(&order.jobs, account)
        .into_iter()
        .map(|(job, stream)| Arc::new(context(job, stream)))
        .collect();
    let mut compared = Compared::default();
    let result = compare(&contexts, writer, &mut compared).await;
    let Compared { comparisons, orders, unanswered } = compared;
    counts.end();
    let found = if comparisons.iter().all(Comparison::agrees) { Outcome::Done } else { Outcome::Findings };
    let outcome = result.as_ref().err().map_or(found, |stop| found.max(stop.outcome()));
    // What was compared is kept nowhere: the next time begins anew.
    let advice = |stop: &JobStop| match stop.outcome() {
        Outcome::Partial => "nothing was changed; verify again, it begins anew",
        Outcome::Done | Outcome::Findings | Outcome::Failed | Outcome::Refused | Outcome::Warehouse => {
            stop.advice()
        }
    };
    let stopped = result.err().map(|stop| (stop.to_string(), advice(&stop)));
    let requests = counts.meter.read();
    let differing = comparisons.iter().filter(|comparison| !comparison.agrees()).count();
    let reason = stopped.as_ref().map(|(reason, _)| reason.clone());
    let reason = reason.or_else(|| (differing > 0).then(|| format!("{differing} comparison(s) differ")));
    let end = outcome.ends_run(reason, requests);
    writer.write(move |warehouse| warehouse.end_run(run, &end)).await?;
    LearnedMemory::of(account, &client, writer).save().await?;
    Ok(Verified {
        account: account.name.clone(),
        comparisons,
        orders,
        unanswered,
        outcome,
        stopped,
        requests,
        run,
    })
}

/// What a comparison found, also when it ended early.
#[derive(Debug, Default)]
struct Compared {
    comparisons: Vec<Comparison>,
    orders: Vec<OrdersCompared>,
    unanswered: u64,
}

async fn compare(
    contexts: &[Arc<JobContext>],
    writer: &Writer,
    compared: &mut Compared,
) -> Result<(), JobStop> {
    let Compared { comparisons, orders, unanswered } = compared;
    let (mut questions, mut permission) = (Vec::new(), Permission::Unproven);
    for context in contexts {
        let its = Arc::clone(context);
        let (of_stream, known) = writer
            .read(move |warehouse| Ok((questions::of(&its, warehouse)?, its.wish().permission(warehouse)?)))
            .await?;
        questions.extend(of_stream);
        if known == Permission::Proven {
            permission = known;
        }
    }
    let all = questions.len();
    let mut answered = Vec::with_capacity(all);
    let asked = ask_all(questions, permission, &mut answered).await;
    *unanswered = (all - answered.len()) as u64;
    answered.sort_by_key(|(at, _, _)| *at);
    for (_, context, comparison) in answered {
        comparisons.push(explained(&context, comparison).await?);
    }
    questions::name_shared_seconds(comparisons);
    for context in contexts {
        let its = Arc::clone(context);
        let (found, read) = writer
            .read(move |warehouse| {
                let (mut found, read) = questions::dependents(&its, warehouse)?;
                found.extend(questions::members(&its, warehouse)?);
                Ok((found, read))
            })
            .await?;
        comparisons.extend(found);
        orders.extend(read);
    }
    asked
}

/// Names what is known to make a difference.
async fn explained(
    context: &Arc<JobContext>,
    mut comparison: Comparison,
) -> Result<Comparison, WarehouseError> {
    if comparison.agrees() {
        return Ok(comparison);
    }
    let its = Arc::clone(context);
    context
        .writer
        .read(move |warehouse| {
            questions::explain(&its, warehouse, &mut comparison)?;
            Ok(comparison)
        })
        .await
}

type Answered = (usize, Arc<JobContext>, Comparison);

/// Asks the questions, several at a time.
async fn ask_all(
    questions: Vec<CountQuestion>,
    permission: Permission,
    answered: &mut Vec<Answered>,
) -> Result<(), JobStop> {
    let Some(context) = questions.first().map(|question| Arc::clone(&question.context)) else {
        return Ok(());
    };
    context.counts.plan(questions.len() as u64);
    let mut waiting = questions.into_iter().enumerate();
    let mut asking = JoinSet::new();
    let mut worst = None;
    let mut refusals = Refusals::new(permission);
    loop {
        while asking.len() < WIDTH && worst.is_none() && !context.is_stopped() {
            let Some((at, question)) = waiting.next() else { break };
            asking.spawn(async move {
                let asked = ask(&question).await;
                (at, question, asked)
            });
        }
        let Some(joined) = asking.join_next().await else { break };
        let (at, question, asked) =
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let CountQuestion { context, mut comparison, ask, .. } = question;
        match asked {
            Ok(number) => {
                if ask.customer_id.is_some() {
                    refusals.answered();
                }
                comparison.vendor = Some(number);
            }
            // The customer may have left the partner; when nobody is answered it is the permission.
            Err(JobStop::Fetch(error)) if is_refusal(&error) && ask.customer_id.is_some() => {
                if refusals.judge(context.permission()) == RefusedParty::Credential {
                    JobStop::keep_worst(&mut worst, JobStop::Fetch(error));
                    continue;
                }
                comparison.reasons.push(error.to_string());
            }
            Err(stop) => {
                JobStop::keep_worst(&mut worst, stop.of(&ask));
                continue;
            }
        }
        context.counts.finished();
        answered.push((at, context, comparison));
    }
    match worst {
        Some(stop) => Err(stop),
        None if waiting.next().is_some() => Err(JobStop::Asked),
        None => Ok(()),
    }
}

/// The vendor's number of rows: one request for one row.
async fn ask(question: &CountQuestion) -> Result<u64, JobStop> {
    let CountQuestion { context, ask, cursor, .. } = question;
    let fetched = fetch(context, ask, cursor, 1).await?;
    fetched.page.total.ok_or_else(|| JobStop::BadBody {
        scope: ask.to_string(),
        reason: "the answer does not say how many rows there are".to_owned(),
    })
}
