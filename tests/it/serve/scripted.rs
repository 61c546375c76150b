//! Work that takes as long as a test says, on a clock that a test sets, and a real ledger.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bss_sync::job::Job;
use bss_sync::service::agenda::{Cause, Duty, Invocation, Last};
use bss_sync::service::{Clock, JobEnded, NextRun, ServiceError, Signals, Supervisor, Unusable, Work, keep};
use bss_sync::time::UtcSecond;
use bss_sync::warehouse::{RunEnd, RunStart, STOPPED_ON_REQUEST, Warehouse, WarehouseError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::at;

/// Longer than any test lives.
const NEVER: &str = "2100-01-01T00:00:00Z";

/// A clock that goes with tokio's, and is set forwards or back at certain true times.
#[derive(Clone)]
pub struct Wall {
    begun: Instant,
    start: UtcSecond,
    steps: Vec<(UtcSecond, i64)>,
}

impl Wall {
    pub fn at(start: &str) -> Self {
        Self { begun: Instant::now(), start: at(start), steps: Vec::new() }
    }

    /// At `true_time` it is set by so many seconds.
    pub fn set(mut self, true_time: &str, by: i64) -> Self {
        self.steps.push((at(true_time), by));
        self
    }

    fn true_now(&self) -> UtcSecond {
        self.start.plus(i64::try_from(self.begun.elapsed().as_secs()).unwrap())
    }

    async fn sleep_until(&self, true_time: &str) {
        let left = at(true_time).unix() - self.true_now().unix();
        tokio::time::sleep(Duration::from_secs(u64::try_from(left).unwrap())).await;
    }
}

impl Clock for Wall {
    fn now(&self) -> UtcSecond {
        let now = self.true_now();
        self.steps.iter().filter(|(at, _)| *at <= now).fold(now, |now, (_, by)| now.plus(*by))
    }
}

/// How a run goes.
#[derive(Clone, Copy)]
pub enum Run {
    Takes(Duration, &'static str),
    Panics,
    /// It finds the warehouse damaged.
    Damaged,
}

/// How the service ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Asked,
    Killed,
}

type Plan = dyn Fn(&str, &str, UtcSecond) -> Run + Send + Sync;

/// A house with a worker in it, who comes and goes.
#[derive(Clone)]
pub struct House {
    wall: Wall,
    duties: Vec<(Job, &'static str)>,
    plan: Arc<Plan>,
    ledger: Arc<Mutex<Warehouse>>,
    /// A line for each invocation.
    trace: Arc<Mutex<Vec<String>>>,
    running: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl House {
    pub fn new(
        wall: Wall,
        duties: Vec<(Job, &'static str)>,
        plan: impl Fn(&str, &str, UtcSecond) -> Run + Send + Sync + 'static,
    ) -> Self {
        Self {
            wall,
            duties,
            plan: Arc::new(plan),
            ledger: Arc::new(Mutex::new(Warehouse::in_memory().unwrap())),
            trace: Arc::default(),
            running: Arc::default(),
        }
    }

    pub fn ledger(&self) -> MutexGuard<'_, Warehouse> {
        self.ledger.lock().unwrap()
    }

    pub fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap().clone()
    }

    /// The service, from now until a true time, or until it ends with an error.
    pub async fn serve(&self, true_time: &str) -> Result<(), ServiceError> {
        let (_never, reload) = mpsc::channel(1);
        let signals = Signals { stop: self.wall.sleep_until(true_time), reload };
        keep(Arc::new(self.clone()), self.wall.clone(), Supervisor::Nobody, signals).await
    }

    /// The service, from now until a true time, whatever happened before.
    pub async fn serve_until(&self, true_time: &str, end: End) {
        // As opening the warehouse does.
        for (job, account) in &self.duties {
            self.ledger().crash_runs(account, &[job.name.to_string()]).unwrap();
        }
        if end == End::Asked {
            self.serve(true_time).await.unwrap();
        } else {
            tokio::select! {
                biased;
                () = self.wall.sleep_until(true_time) => {}
                ended = self.serve(NEVER) => panic!("nobody asked it to end: {ended:?}"),
            }
        }
        self.running.lock().unwrap().clear();
    }

    /// Nothing, until a true time.
    pub async fn off_until(&self, true_time: &str) {
        self.wall.sleep_until(true_time).await;
    }

    async fn run(
        &self,
        account: String,
        job: String,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), WarehouseError> {
        let key = (account.clone(), job.clone());
        assert!(self.running.lock().unwrap().insert(key.clone()), "{key:?} runs twice at a time");
        let now = self.wall.now();
        let start = RunStart { job: job.clone(), account, stream: "test", at: now };
        let run = self.ledger().start_run(&start).unwrap();
        let (outcome, reason) = match (self.plan)(&key.0, &job, now) {
            Run::Panics => panic!("the script says so"),
            Run::Damaged => {
                return Err(WarehouseError::Damaged { path: "test".into(), detail: "script".to_owned() });
            }
            Run::Takes(time, outcome) => tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => ("partial", Some(STOPPED_ON_REQUEST.to_owned())),
                () = tokio::time::sleep(time) => (outcome, None),
            },
        };
        let end = RunEnd { outcome, reason, requests: 0, throttled: 0, retried: 0, at: self.wall.now() };
        self.ledger().end_run(run, &end).unwrap();
        self.running.lock().unwrap().remove(&key);
        Ok(())
    }
}

impl Work for House {
    async fn duties(&self) -> Result<Vec<Duty>, WarehouseError> {
        let starts = self.ledger().last_starts()?;
        let last = |job: &Job, account: &str| {
            let last = starts.iter().find(|start| start.account == account && start.job == job.name.as_str());
            last.map_or(
                Last::Never,
                |start| if start.was_cut { Last::CutShort } else { Last::Began(start.at) },
            )
        };
        let duty = |(job, account): &(Job, &str)| Duty {
            job: job.clone(),
            account: (*account).to_owned(),
            last: last(job, account),
        };
        Ok(self.duties.iter().map(duty).collect())
    }

    fn reload(&self) -> Result<(), Unusable> {
        Ok(())
    }

    async fn invoke(
        &self,
        invocation: Invocation,
        ends: mpsc::UnboundedSender<JobEnded>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), WarehouseError> {
        let Invocation { number, account, jobs } = invocation;
        let why = |cause: &Cause| match cause {
            Cause::Schedule { times } if times.are_several() => format!(" ({times} times)"),
            Cause::Schedule { .. } => String::new(),
            Cause::First => " (first)".to_owned(),
            Cause::CutShort => " (goes on)".to_owned(),
            Cause::NewKeys => " (new keys)".to_owned(),
        };
        let named: Vec<String> = jobs.iter().map(|(job, cause)| format!("{job}{}", why(cause))).collect();
        let when = self.wall.now().to_datetime().format("%a %d %H:%M:%S").to_string();
        self.trace.lock().unwrap().push(format!("{when} {account}: {}", named.join(", ")));
        let mut running = JoinSet::new();
        for (job, _) in jobs {
            let (house, ends, account, stop) = (self.clone(), ends.clone(), account.clone(), stop.clone());
            running.spawn(async move {
                let result = house.run(account.clone(), job.to_string(), stop).await;
                let ended = JobEnded { invocation: number, account, job, then: NextRun::OnSchedule };
                let _ = ends.send(ended);
                result
            });
        }
        let mut result = Ok(());
        while let Some(joined) = running.join_next().await {
            let ended = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            result = result.and(ended);
        }
        result
    }

    async fn broke_off(&self, invocation: &Invocation) -> Result<(), WarehouseError> {
        let jobs: Vec<String> = invocation.jobs.iter().map(|(job, _)| job.to_string()).collect();
        for job in &jobs {
            self.running.lock().unwrap().remove(&(invocation.account.clone(), job.clone()));
        }
        self.ledger().crash_runs(&invocation.account, &jobs)
    }

    async fn responds(&self) -> Result<(), WarehouseError> {
        Ok(())
    }
}
