//! The loop around the agenda: sleeps, starts what is due, listens to its ends and to signals.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::agenda::{Agenda, Cause, Duty, Invocation, LONGEST_SLEEP};
use super::error::{ServiceError, Unusable};
use super::supervisor::Supervisor;
use super::tell;
use crate::job::JobName;
use crate::time::UtcSecond;
use crate::warehouse::WarehouseError;

/// Without a turn of the loop for so long, the scheduler counts as stuck.
const STUCK: Duration = Duration::from_secs(3 * LONGEST_SLEEP.as_secs());

/// The wall clock. Sleeping is tokio's.
pub trait Clock {
    /// Now.
    fn now(&self) -> UtcSecond;
}

/// This machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcSecond {
        UtcSecond::now()
    }
}

/// What the scheduler schedules.
pub trait Work: Send + Sync + 'static {
    /// The duties of the present configuration, with what the ledger says.
    fn duties(&self) -> impl Future<Output = Result<Vec<Duty>, WarehouseError>> + Send;

    /// Takes over a changed configuration, or keeps the old one whole.
    ///
    /// # Errors
    /// All that is wrong with it.
    fn reload(&self) -> Result<(), Unusable>;

    /// Runs an invocation to its end, telling of each job's as it comes. `stop` becoming true ends it between two pages.
    ///
    /// # Errors
    /// When the warehouse failed, and another try would not help.
    fn invoke(
        &self,
        invocation: Invocation,
        ends: mpsc::UnboundedSender<JobEnded>,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = Result<(), WarehouseError>> + Send;

    /// An invocation broke off by a bug of ours: what it left behind is put in order.
    fn broke_off(&self, invocation: &Invocation) -> impl Future<Output = Result<(), WarehouseError>> + Send;

    /// Returns when what all work depends on responded.
    ///
    /// # Errors
    /// When it never will.
    fn responds(&self) -> impl Future<Output = Result<(), WarehouseError>> + Send;
}

/// A job of an invocation ended.
#[derive(Clone, Debug)]
pub struct JobEnded {
    /// The invocation.
    pub invocation: u64,
    /// The account.
    pub account: String,
    /// The job.
    pub job: JobName,
    /// When it is to run again.
    pub then: NextRun,
}

/// When a job that ended runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRun {
    /// As its schedule says, however it ended.
    OnSchedule,
    /// At once: its keys were refused, and there are others now.
    AtOnce,
}

/// What a person or systemd asks of the service.
#[derive(Debug)]
pub struct Signals<S> {
    /// Completes when the service is to stop.
    pub stop: S,
    /// A message for each time the configuration is to be read again.
    pub reload: mpsc::Receiver<()>,
}

/// Does the work on its schedules until it is told to stop; then everything that runs has finished its page in hand.
///
/// # Errors
/// When there is nothing to do, or the warehouse failed and another try would not help.
pub async fn keep<W: Work>(
    work: Arc<W>,
    clock: impl Clock,
    supervisor: Supervisor,
    signals: Signals<impl Future<Output = ()>>,
) -> Result<(), ServiceError> {
    let turned = Cell::new(Instant::now());
    let scheduling = schedule(&work, clock, supervisor, signals, &turned);
    tokio::select! {
        result = scheduling => result,
        never = tell_of_life(&*work, supervisor, &turned) => match never {},
    }
}

/// Tells the supervisor that the worker is alive, as long as the warehouse's thread responds and the loop turns.
async fn tell_of_life(work: &impl Work, supervisor: Supervisor, turned: &Cell<Instant>) -> Infallible {
    let Some(pulse) = supervisor.pulse() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(pulse);
    loop {
        ticks.tick().await;
        if work.responds().await.is_ok() && turned.get().elapsed() < STUCK {
            supervisor.tell_alive();
        }
    }
}

/// What is under way.
struct UnderWay<W> {
    work: Arc<W>,
    tasks: JoinSet<Result<(), WarehouseError>>,
    /// Which task is which invocation.
    invocations: Vec<(Id, Invocation)>,
    ends: mpsc::UnboundedSender<JobEnded>,
    stopper: watch::Sender<bool>,
}

async fn schedule<W: Work>(
    work: &Arc<W>,
    clock: impl Clock,
    supervisor: Supervisor,
    signals: Signals<impl Future<Output = ()>>,
    turned: &Cell<Instant>,
) -> Result<(), ServiceError> {
    let duties = work.duties().await?;
    if duties.is_empty() {
        return Err(ServiceError::Idle);
    }
    let mut agenda = Agenda::new(duties, clock.now());
    let Signals { stop, mut reload } = signals;
    let mut stop = std::pin::pin!(stop);
    let (ends, mut ended) = mpsc::unbounded_channel();
    let mut hands = UnderWay {
        work: Arc::clone(work),
        tasks: JoinSet::new(),
        invocations: Vec::new(),
        ends,
        stopper: watch::Sender::new(false),
    };
    supervisor.tell_ready();
    let mut said = String::new();
    let mut end: Option<Result<(), ServiceError>> = None;
    while end.is_none() || !hands.tasks.is_empty() {
        turned.set(Instant::now());
        let now = clock.now();
        if end.is_none() {
            agenda.take_due(now).into_iter().for_each(|invocation| hands.begin(invocation));
        }
        let text = status(&agenda);
        if text != said {
            supervisor.status(&text);
            said = text;
        }
        let sleep = if end.is_some() { LONGEST_SLEEP } else { agenda.sleep(now) };
        let failed = tokio::select! {
            biased;
            () = &mut stop, if end.is_none() => {
                tracing::info!("asked to stop; finishing the pages in hand");
                end = Some(Ok(()));
                None
            }
            Some(()) = reload.recv(), if end.is_none() => reloaded(work, &clock, supervisor, &mut agenda).await.err(),
            Some(job) = ended.recv() => {
                job_ended(&mut agenda, &job, clock.now());
                None
            }
            Some(joined) = hands.tasks.join_next_with_id() => {
                // It told of these before it ended.
                while let Ok(job) = ended.try_recv() {
                    job_ended(&mut agenda, &job, clock.now());
                }
                hands.joined(joined, &mut agenda, clock.now()).await.err()
            }
            () = tokio::time::sleep(sleep) => None,
        };
        if let Some(error) = failed {
            tracing::error!(reason = %error, advice = error.advice(), "the service ends; finishing the pages in hand");
            end = Some(Err(error.into()));
        }
        if end.is_some() && !hands.stopper.send_replace(true) {
            supervisor.tell_stopping();
        }
    }
    end.unwrap_or(Ok(()))
}

impl<W: Work> UnderWay<W> {
    fn begin(&mut self, invocation: Invocation) {
        for (job, cause) in &invocation.jobs {
            tell::begins(&invocation.account, job, *cause);
        }
        let (work, its, ends, stop) =
            (Arc::clone(&self.work), invocation.clone(), self.ends.clone(), self.stopper.subscribe());
        let task = self.tasks.spawn(async move { work.invoke(its, ends, stop).await });
        self.invocations.push((task.id(), invocation));
    }

    /// An invocation's task ended, by itself or by a panic; its jobs go back to their schedules.
    async fn joined(
        &mut self,
        joined: Result<(Id, Result<(), WarehouseError>), JoinError>,
        agenda: &mut Agenda,
        now: UtcSecond,
    ) -> Result<(), WarehouseError> {
        let (id, result) = match joined {
            Ok((id, result)) => (id, Some(result)),
            Err(panic) => (panic.id(), None),
        };
        let Some(at) = self.invocations.iter().position(|(task, _)| *task == id) else { return Ok(()) };
        let (_, invocation) = self.invocations.swap_remove(at);
        agenda.invocation_ended(invocation.number, now).iter().for_each(tell::skipped);
        if let Some(result) = result {
            return result;
        }
        // A bug of one job must not stop the others, and must not look like success either.
        tell::broken(&invocation);
        self.work.broke_off(&invocation).await
    }
}

/// The configuration is to be read again.
async fn reloaded(
    work: &Arc<impl Work>,
    clock: &impl Clock,
    supervisor: Supervisor,
    agenda: &mut Agenda,
) -> Result<(), WarehouseError> {
    supervisor.tell_reloading();
    match work.reload() {
        Ok(()) => {
            agenda.replace(work.duties().await?, clock.now());
            tracing::info!("the configuration was read again; it is in force for what begins from now on");
        }
        Err(unusable) => tell::unusable(&unusable),
    }
    supervisor.tell_ready();
    Ok(())
}

fn job_ended(agenda: &mut Agenda, ended: &JobEnded, now: UtcSecond) {
    agenda.job_ended(ended.invocation, &ended.job, now).iter().for_each(tell::skipped);
    if ended.then == NextRun::AtOnce {
        agenda.run_at_once(&ended.account, &ended.job, Cause::NewKeys);
    }
}

/// What runs and what comes next, in a line.
fn status(agenda: &Agenda) -> String {
    let running: Vec<String> = agenda.running().map(|(account, job)| format!("{account} {job}")).collect();
    let running = if running.is_empty() {
        "nothing runs".to_owned()
    } else {
        format!("running: {}", running.join(", "))
    };
    match agenda.next() {
        Some((account, job, at)) => format!("{running}; next: {account} {job} at {at}"),
        None => running,
    }
}
