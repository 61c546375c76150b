//! Proof on demand: asks the vendor how many orders each month and how many rows each list has, one request each, and
//! compares with what is stored. For what belongs to orders nobody is asked: what is stored is compared with what was
//! proven.

mod questions;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::board::{Board, Progress};
use super::job::Context;
use super::learned::{Memory, client_of};
use super::outcome::{Outcome, Stop};
use super::refusals::{About, Refusals};
use super::unit::is_refusal;
use super::units::Permission;
use super::walker::fetch;
use super::width::PagePace;
use super::{Extent, RunError, Word, reads};
use crate::client::{Deadline, Reading as Asked};
use crate::config::Account;
use crate::job::Job;
use crate::stream::{self, Stream};
use crate::time::{UtcSecond, Window};
use crate::warehouse::{Member, RunId, RunStart, Unlike, WarehouseError, Writer};
use questions::Question;

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

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The orders of a month.
    Month {
        /// The billing month (UTC+8), yyyy-MM.
        month: String,
        /// What was asked for: the month, moved a little where an order is at its edge.
        asked: Window,
    },
    /// A whole list.
    List {
        /// Whose, where a partner asks customer by customer.
        customer_id: Option<String>,
    },
    /// What belongs to orders of a month; only those are listed of which other rows are stored than were proven, or of which
    /// nothing is proven and which do not wait in the queue.
    Dependents {
        /// The billing month of the orders' creation; `None` when it is not known.
        month: Option<String>,
        /// The orders.
        orders: Vec<Unlike>,
    },
    /// Members of combined orders that are missing: of the stream `orders` from its table although the details have them,
    /// of `order_lines` from the details.
    Members {
        /// The billing month of the combined orders' creation; `None` when it is not known.
        month: Option<String>,
        /// The members.
        orders: Vec<Member>,
    },
}

/// What the vendor has, and what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The stream.
    pub stream: &'static str,
    /// What is compared.
    pub part: Part,
    /// The vendor's number; for what belongs to orders the number that was proven. `None`: there was no answer.
    pub vendor: Option<u64>,
    /// Rows stored and not gone, those left out that are there or not as the vendor reads the bounds of its windows.
    pub stored: u64,
    /// Rows that may come on top for that reason; 0 nearly always.
    pub on_edge: u64,
    /// Why they differ, as far as that is known.
    pub reasons: Vec<String>,
}

impl Comparison {
    /// Rows stored beyond the vendor's; negative where some are missing here. `None`: there was no answer.
    #[must_use]
    pub fn difference(&self) -> Option<i64> {
        let least = i128::from(self.stored);
        let vendor = i128::from(self.vendor?);
        // The nearest number that some reading of the bounds makes of what is stored.
        let stored = vendor.clamp(least, least + i128::from(self.on_edge));
        i64::try_from(stored - vendor).ok()
    }

    /// Whether the vendor has what is stored.
    #[must_use]
    pub fn agrees(&self) -> bool {
        match self.part {
            Part::Month { .. } | Part::List { .. } => self.difference() == Some(0),
            // Only orders that differ are listed; a row too many of one does not make up for one that another lacks.
            Part::Dependents { .. } | Part::Members { .. } => false,
        }
    }
}

/// How much of what belongs to orders was read, for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders {
    /// The stream.
    pub stream: &'static str,
    /// Orders whose newest answer is proven complete.
    pub complete: u64,
    /// Orders that wait in the queue: the next run reads them, and nothing of them is compared.
    pub queued: u64,
    /// Orders whose newest answer could not be proven complete.
    pub disputed: u64,
    /// Orders that were never read, and that do not wait in the queue either.
    pub never_read: u64,
}

/// What came of verifying an account.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The account.
    pub account: String,
    /// What was compared, months oldest first.
    pub comparisons: Vec<Comparison>,
    /// How much of what belongs to orders was read, stream by stream.
    pub orders: Vec<Orders>,
    /// Months and lists that were not compared, because it ended early.
    pub unanswered: u64,
    /// How it ended: [`Outcome::Done`] when everything agrees.
    pub outcome: Outcome,
    /// Why it ended early, and what to do; `None` when it did not.
    pub stopped: Option<(String, &'static str)>,
    /// What was asked.
    pub requests: Asked,
    /// The row of the ledger.
    pub(super) run: RunId,
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
    progress: &Arc<Progress>,
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
    progress: &Arc<Progress>,
    stop: &watch::Receiver<bool>,
) -> Result<Verified, RunError> {
    let client = Arc::new(client_of(account, writer).await?);
    let start =
        RunStart { job: NAME.to_owned(), account: account.name.clone(), stream: NAME, at: UtcSecond::now() };
    let run = writer.call(move |warehouse| warehouse.start_run(&start)).await?;
    let counts = progress.add(&account.name, NAME);
    let deadline = order.deadline.map_or(Deadline::NONE, |limit| Deadline::after(Instant::now(), limit));
    let context = |job: &Job, stream: &'static dyn Stream| Context {
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
        word: Word::None,
        deadline,
        stop: stop.clone(),
        halted: AtomicBool::new(false),
        saw_rows: AtomicBool::new(false),
        pace: PagePace::default(),
        board: Arc::new(Board::new(std::iter::empty())),
        counts: Arc::clone(&counts),
    };
    let contexts: Vec<Arc<Context>> = by_stream(&order.jobs, account)
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
    let advice = |stop: &Stop| match stop.outcome() {
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
    writer.call(move |warehouse| warehouse.end_run(run, &end)).await?;
    Memory::of(account, &client, writer).save().await?;
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

/// The streams that are read for an account, each with its job: of several the one that goes back the furthest.
pub(super) fn by_stream<'a>(jobs: &[&'a Job], account: &Account) -> Vec<(&'a Job, &'static dyn Stream)> {
    let mut chosen: Vec<(&Job, &'static dyn Stream)> = Vec::new();
    for job in jobs.iter().copied().filter(|job| reads(job, account)) {
        let Some(stream) = stream::find(&job.stream) else { continue };
        match chosen.iter_mut().find(|(_, known)| known.name() == stream.name()) {
            Some((known, _)) if job.history_start < known.history_start => *known = job,
            Some(_) => {}
            None => chosen.push((job, stream)),
        }
    }
    chosen
}

/// What a comparison found, also when it ended early.
#[derive(Debug, Default)]
struct Compared {
    comparisons: Vec<Comparison>,
    orders: Vec<Orders>,
    unanswered: u64,
}

async fn compare(contexts: &[Arc<Context>], writer: &Writer, compared: &mut Compared) -> Result<(), Stop> {
    let Compared { comparisons, orders, unanswered } = compared;
    let (mut questions, mut permission) = (Vec::new(), Permission::Unproven);
    for context in contexts {
        let its = Arc::clone(context);
        let (of_stream, known) = writer
            .call(move |warehouse| Ok((questions::of(&its, warehouse)?, its.wish().permission(warehouse)?)))
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
            .call(move |warehouse| {
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
async fn explained(context: &Arc<Context>, mut comparison: Comparison) -> Result<Comparison, WarehouseError> {
    if comparison.agrees() {
        return Ok(comparison);
    }
    let its = Arc::clone(context);
    context
        .writer
        .call(move |warehouse| {
            questions::explain(&its, warehouse, &mut comparison)?;
            Ok(comparison)
        })
        .await
}

type Answered = (usize, Arc<Context>, Comparison);

/// Asks the questions, several at a time.
async fn ask_all(
    questions: Vec<Question>,
    permission: Permission,
    answered: &mut Vec<Answered>,
) -> Result<(), Stop> {
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
        let Question { context, mut comparison, ask, .. } = question;
        match asked {
            Ok(number) => {
                if ask.customer_id.is_some() {
                    refusals.answered();
                }
                comparison.vendor = Some(number);
            }
            // The customer may have left the partner; when nobody is answered it is the permission.
            Err(Stop::Fetch(error)) if is_refusal(&error) && ask.customer_id.is_some() => {
                if refusals.judge(context.permission()) == About::Credential {
                    Stop::keep_worst(&mut worst, Stop::Fetch(error));
                    continue;
                }
                comparison.reasons.push(error.to_string());
            }
            Err(stop) => {
                Stop::keep_worst(&mut worst, stop.of(&ask));
                continue;
            }
        }
        context.counts.finished();
        answered.push((at, context, comparison));
    }
    match worst {
        Some(stop) => Err(stop),
        None if waiting.next().is_some() => Err(Stop::Asked),
        None => Ok(()),
    }
}

/// The vendor's number of rows: one request for one row.
async fn ask(question: &Question) -> Result<u64, Stop> {
    let Question { context, ask, cursor, .. } = question;
    let fetched = fetch(context, ask, cursor, 1).await?;
    fetched.page.total.ok_or_else(|| Stop::BadBody {
        scope: ask.to_string(),
        reason: "the answer does not say how many rows there are".to_owned(),
    })
}
