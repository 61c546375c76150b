//! What is due: jobs of accounts against the clock. No input, no output; the time is an argument.

use std::time::Duration;

use crate::job::{Job, JobName};
use crate::time::UtcSecond;

/// Longest time until the clock is looked at again: it may be set, and the machine may be suspended.
pub const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// How far a clock may be set back, in seconds, without times that had their run having another: enough for the
/// corrections of NTP. Set back further, the times before were wrong, and waiting for them could take years.
const SMALL_STEP_BACK: i64 = 300;

/// Scheduled times counted one by one; beyond, "more than" says enough.
const COUNTED: usize = 100;

/// A job to run for an account, again and again.
#[derive(Clone, Debug)]
pub struct Duty {
    /// The job.
    pub job: Job,
    /// The account.
    pub account: String,
    /// What the ledger says.
    pub last: Last,
}

/// When a job last ran for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// It never did.
    Never,
    /// It began then.
    Began(UtcSecond),
    /// It was cut short: the worker was stopped, or crashed.
    CutShort,
}

/// Why a job runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its time has come. Times that passed while nobody could run it make one run.
    Schedule {
        /// Scheduled times since it last began, at least one.
        times: TimesPassed,
    },
    /// It never ran for this account.
    First,
    /// Its last run was cut short.
    CutShort,
    /// The vendor refused keys that were replaced meanwhile.
    NewKeys,
}

/// A number of scheduled times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimesPassed(usize);

impl TimesPassed {
    /// Whether there is none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether it is more than one.
    #[must_use]
    pub const fn are_several(self) -> bool {
        self.0 > 1
    }
}

impl std::fmt::Display for TimesPassed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 > COUNTED { write!(f, "more than {COUNTED}") } else { write!(f, "{}", self.0) }
    }
}

/// Jobs of one account that are due at the same time: one invocation, in which jobs that drain a queue wait for those
/// that fill it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Tells it from all others of this worker.
    pub number: u64,
    /// The account.
    pub account: String,
    /// The jobs, in the order of the configuration, and why each runs.
    pub jobs: Vec<(JobName, Cause)>,
}

/// Scheduled times that passed while the job itself ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedTimes {
    /// The account.
    pub account: String,
    /// The job.
    pub job: JobName,
    /// How many, at least one.
    pub times: TimesPassed,
    /// When it runs next.
    pub next: Option<UtcSecond>,
}

/// A duty and where it stands.
#[derive(Clone, Debug)]
struct AgendaEntry {
    job: Job,
    account: String,
    /// Scheduled times up to here had their run, or are past.
    since: UtcSecond,
    /// First scheduled time after `since`.
    next: Option<UtcSecond>,
    /// To run whatever the schedule says.
    at_once: Option<Cause>,
}

/// A job that runs. It is none of the entries' business: they may be replaced meanwhile.
#[derive(Clone, Debug)]
struct Running {
    invocation: u64,
    account: String,
    job: JobName,
    stream: String,
}

/// All duties, and what runs.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    entries: Vec<AgendaEntry>,
    running: Vec<Running>,
    invocations: u64,
}

impl Agenda {
    /// An agenda of these duties; nothing runs.
    #[must_use]
    pub fn new(duties: Vec<Duty>, now: UtcSecond) -> Self {
        let mut agenda = Self::default();
        agenda.replace(duties, now);
        agenda
    }

    /// Takes over other duties. Those that were there already keep their place in time, and a new schedule begins now;
    /// what runs goes on.
    pub fn replace(&mut self, duties: Vec<Duty>, now: UtcSecond) {
        let mut before = std::mem::take(&mut self.entries);
        for Duty { job, account, last } in duties {
            let known = before.iter().position(|entry| entry.is_for(&account, &job.name));
            let entry = match known.map(|at| before.swap_remove(at)) {
                Some(known) => known.under(job, now),
                None => AgendaEntry::new(job, account, last, now),
            };
            self.entries.push(entry);
        }
    }

    /// Takes what is due now: an invocation for each account. Jobs that run, and jobs whose stream is being read for the
    /// account, wait until that is over.
    pub fn take_due(&mut self, now: UtcSecond) -> Vec<Invocation> {
        for entry in &mut self.entries {
            entry.notice_steps_back(now);
        }
        let mut invocations: Vec<Invocation> = Vec::new();
        let mut begun = Vec::new();
        for entry in &mut self.entries {
            let Some(cause) = entry.cause(now).filter(|_| !is_busy(&self.running, entry)) else { continue };
            let at = invocations.iter().position(|invocation| invocation.account == entry.account);
            let at = at.unwrap_or_else(|| {
                self.invocations += 1;
                let account = entry.account.clone();
                invocations.push(Invocation { number: self.invocations, account, jobs: Vec::new() });
                invocations.len() - 1
            });
            invocations[at].jobs.push((entry.job.name.clone(), cause));
            begun.push(Running {
                invocation: invocations[at].number,
                account: entry.account.clone(),
                job: entry.job.name.clone(),
                stream: entry.job.stream.clone(),
            });
            entry.at_once = None;
            entry.pass(now);
        }
        self.running.extend(begun);
        invocations
    }

    /// A job of an invocation ended; its scheduled times meanwhile are skipped.
    pub fn job_ended(&mut self, invocation: u64, job: &JobName, now: UtcSecond) -> Option<SkippedTimes> {
        let is_it = |running: &Running| running.invocation == invocation && running.job == *job;
        let at = self.running.iter().position(is_it)?;
        let Running { account, job, .. } = self.running.swap_remove(at);
        let entry = self.entries.iter_mut().find(|entry| entry.is_for(&account, &job))?;
        let times = entry.times_until(now);
        entry.pass(now);
        let next = entry.next;
        (!times.is_none()).then_some(SkippedTimes { account, job, times, next })
    }

    /// An invocation ended, and with it whatever of its jobs was not known to have.
    pub fn invocation_ended(&mut self, invocation: u64, now: UtcSecond) -> Vec<SkippedTimes> {
        let of_it = self.running.iter().filter(|running| running.invocation == invocation);
        let jobs: Vec<JobName> = of_it.map(|running| running.job.clone()).collect();
        jobs.iter().filter_map(|job| self.job_ended(invocation, job, now)).collect()
    }

    /// A job is to run at once, whatever its schedule says.
    pub fn run_at_once(&mut self, account: &str, job: &JobName, cause: Cause) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.is_for(account, job)) {
            entry.at_once = Some(cause);
        }
    }

    /// How long to sleep until something may be due.
    #[must_use]
    pub fn sleep(&self, now: UtcSecond) -> Duration {
        // What runs, or waits for a stream, is looked at when that ends.
        let free = self.entries.iter().filter(|entry| !is_busy(&self.running, entry));
        let until = |entry: &AgendaEntry| match entry.at_once {
            Some(_) => Some(Duration::ZERO),
            None => entry.next.map(|next| seconds_until(now, next)),
        };
        free.filter_map(until).min().map_or(LONGEST_SLEEP, |least| least.min(LONGEST_SLEEP))
    }

    /// What comes next of all that does not run: account, job and time.
    #[must_use]
    pub fn next(&self) -> Option<(&str, &JobName, UtcSecond)> {
        let free = self.entries.iter().filter(|entry| !is_busy(&self.running, entry));
        let timed = free.filter_map(|entry| Some((entry.account.as_str(), &entry.job.name, entry.next?)));
        timed.min_by_key(|(_, _, next)| *next)
    }

    /// What runs: account and job.
    pub fn running(&self) -> impl Iterator<Item = (&str, &JobName)> {
        self.running.iter().map(|running| (running.account.as_str(), &running.job))
    }
}

/// Whether the entry's job runs, or another one that reads its stream for the account.
fn is_busy(running: &[Running], entry: &AgendaEntry) -> bool {
    running.iter().any(|running| {
        running.account == entry.account
            && (running.job == entry.job.name || running.stream == entry.job.stream)
    })
}

fn seconds_until(now: UtcSecond, then: UtcSecond) -> Duration {
    Duration::from_secs(u64::try_from(then.unix() - now.unix()).unwrap_or(0))
}

impl AgendaEntry {
    fn new(job: Job, account: String, last: Last, now: UtcSecond) -> Self {
        let (since, at_once) = match last {
            Last::Never => (now, Some(Cause::First)),
            Last::Began(at) => (at, None),
            Last::CutShort => (now, Some(Cause::CutShort)),
        };
        let mut entry = Self { job, account, since, next: None, at_once };
        entry.pass(since);
        entry
    }

    /// The same duty under another configuration.
    fn under(self, job: Job, now: UtcSecond) -> Self {
        let is_same = (&job.schedule, job.time_zone) == (&self.job.schedule, self.job.time_zone);
        let since = if is_same { self.since } else { now };
        let mut entry = Self { job, ..self };
        entry.pass(since);
        entry
    }

    fn is_for(&self, account: &str, job: &JobName) -> bool {
        self.account == account && self.job.name == *job
    }

    /// Scheduled times up to `at` are past.
    fn pass(&mut self, at: UtcSecond) {
        self.since = at;
        self.next = self.job.next_times(at, 1).first().map(|next| UtcSecond::from_unix(next.timestamp()));
    }

    /// A clock that was set back: what was waited for is far away, or will come again.
    fn notice_steps_back(&mut self, now: UtcSecond) {
        if self.since > now.plus(SMALL_STEP_BACK) {
            self.pass(now);
        }
    }

    fn cause(&self, now: UtcSecond) -> Option<Cause> {
        let by_schedule = || Cause::Schedule { times: self.times_until(now) };
        self.at_once.or_else(|| self.next.is_some_and(|next| next <= now).then(by_schedule))
    }

    fn times_until(&self, now: UtcSecond) -> TimesPassed {
        if self.next.is_none_or(|next| next > now) {
            return TimesPassed(0);
        }
        let times = self.job.next_times(self.since, COUNTED + 1);
        TimesPassed(times.iter().take_while(|at| at.timestamp() <= now.unix()).count())
    }
}
