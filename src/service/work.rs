//! The real work: jobs of the configuration against the vendor, on a warehouse that stays open.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::agenda::{Duty, Invocation, Last};
use super::error::{ServiceError, Unusable};
use super::scheduler::{JobEnded, NextRun, Work};
use super::tell;
use crate::client::Auth;
use crate::config::{Account, Config, ConfigError};
use crate::job::{Job, JobName};
use crate::metrics;
use crate::run::{self, Extent, JobReport, Order, Outcome, RunCounts, RunError, RunProgress, ShortAnswers};
use crate::warehouse::{Warehouse, WarehouseError, Writer};

/// Reads the configuration again, as it was read at the start.
pub type Reload = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// The work of a configuration.
pub struct VendorWork {
    config: Mutex<Arc<Config>>,
    reload: Reload,
    writer: Writer,
    /// Accounts and jobs with a run in the ledger whose end could not be written.
    unended: Mutex<BTreeSet<(String, String)>>,
    /// The invocations under way, and some that are over.
    watched: Mutex<Vec<Weak<RunProgress>>>,
    copies: Copies,
}

impl std::fmt::Debug for VendorWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VendorWork").field("config", &self.config()).finish_non_exhaustive()
    }
}

impl VendorWork {
    /// The work of this configuration on its warehouse.
    #[must_use]
    pub fn new(config: Config, reload: Reload, writer: Writer) -> Self {
        let config = Mutex::new(Arc::new(config));
        Self {
            config,
            reload,
            writer,
            unended: Mutex::default(),
            watched: Mutex::default(),
            copies: Copies::default(),
        }
    }

    /// The configuration in force.
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs of an invocation that is over may have been left without an end; where the warehouse cannot take that now, it is
    /// told before these jobs begin again.
    async fn end_runs_of(&self, invocation: &Invocation) -> Result<(), WarehouseError> {
        let (account, jobs) = (invocation.account.clone(), names(invocation));
        let ended = self.writer.write(move |warehouse| warehouse.crash_runs(&account, &jobs)).await;
        match ended {
            Err(error) if error.may_pass() => {
                tell::warehouse(&invocation.account, &error);
                let left = names(invocation).into_iter().map(|job| (invocation.account.clone(), job));
                self.unended.lock().unwrap_or_else(PoisonError::into_inner).extend(left);
                Ok(())
            }
            result => result,
        }
    }

    /// What a monitor is told now, as `docs/operate/metrics.md` names it; nothing when the service is over. A question that takes long
    /// does not keep the service, and with it the warehouse's lock.
    ///
    /// # Errors
    /// When the warehouse cannot be read.
    pub fn metrics(service: &Weak<Self>) -> Result<String, WarehouseError> {
        let Some(now) = service.upgrade() else { return Ok(String::new()) };
        let (config, running) = (now.config(), now.running());
        drop(now);
        metrics::of_now(&config, &running)
    }

    /// The runs in hand.
    fn running(&self) -> Vec<Arc<RunCounts>> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.iter().filter_map(Weak::upgrade).flat_map(|progress| progress.running()).collect()
    }

    fn watch(&self, progress: &Arc<RunProgress>) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|progress| progress.strong_count() > 0);
        watched.push(Arc::downgrade(progress));
    }

    /// What follows new data: the copy for finance, where the configuration wants one.
    async fn after_invocation(&self, config: &Config, stop: watch::Receiver<bool>) {
        let copy = async || {
            if *stop.borrow() {
                return;
            }
            if let Some(published) =
                run::publish_after_run(config.publish.as_ref(), &config.warehouse, stop.clone()).await
            {
                tell::published(&published);
            }
        };
        self.copies.after_now(copy).await;
    }

    /// Whether runs of these jobs were left without an end; they are no more afterwards.
    fn has_unended(&self, invocation: &Invocation) -> bool {
        let mut unended = self.unended.lock().unwrap_or_else(PoisonError::into_inner);
        let account = &invocation.account;
        names(invocation).into_iter().filter(|job| unended.remove(&(account.clone(), job.clone()))).count()
            > 0
    }
}

/// Copies for finance, one at a time. What ends while one is made is in the next one, and all of it in that one.
#[derive(Default)]
struct Copies {
    /// When the last one began.
    begun: tokio::sync::Mutex<Option<Instant>>,
}

impl Copies {
    /// Makes a copy that has everything stored until now; none when another caller's began meanwhile.
    async fn after_now(&self, copy: impl AsyncFnOnce()) {
        let now = Instant::now();
        let mut begun = self.begun.lock().await;
        if begun.is_none_or(|begun| begun <= now) {
            *begun = Some(Instant::now());
            copy().await;
        }
    }
}

impl Work for VendorWork {
    async fn duties(&self) -> Result<Vec<Duty>, WarehouseError> {
        let starts = self.writer.read(Warehouse::last_starts).await?;
        let last: HashMap<(String, String), Last> = starts
            .into_iter()
            .map(|start| {
                let last = if start.was_cut { Last::CutShort } else { Last::Began(start.at) };
                ((start.account, start.job), last)
            })
            .collect();
        let config = self.config();
        let duty = |(job, account): (&Job, &Account)| {
            let key = (account.name.clone(), job.name.to_string());
            Duty {
                job: job.clone(),
                account: account.name.clone(),
                last: last.get(&key).copied().unwrap_or(Last::Never),
            }
        };
        Ok(pairs(&config).map(duty).collect())
    }

    fn reload(&self) -> Result<(), Unusable> {
        let config = (self.reload)()?;
        let open = self.config();
        if config.warehouse != open.warehouse {
            let shown = |path: &PathBuf| path.display().to_string();
            return Err(Unusable::OtherWarehouse {
                open: shown(&open.warehouse),
                now: shown(&config.warehouse),
            });
        }
        if pairs(&config).next().is_none() {
            return Err(ServiceError::Idle.into());
        }
        if config.log != open.log {
            tracing::warn!("the settings in [log] are others now; they need a restart");
        }
        if config.metrics.listen != open.metrics.listen {
            tracing::warn!("[metrics] listen is another now; it needs a restart");
        }
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(())
    }

    async fn invoke(
        &self,
        invocation: Invocation,
        ends: mpsc::UnboundedSender<JobEnded>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), WarehouseError> {
        if self.has_unended(&invocation) {
            self.end_runs_of(&invocation).await?;
        }
        let config = self.config();
        let account = match config.read_again(&invocation.account) {
            Ok(account) => account,
            Err(error) => {
                // The configuration may have lost the account a moment ago.
                let Some(account) = config.account(&invocation.account) else { return Ok(()) };
                tell::unread(&account.name, &error);
                account.clone()
            }
        };
        let jobs = invocation.jobs.iter().filter_map(|(name, _)| config.job(name.as_str())).collect();
        let order = Order {
            jobs,
            accounts: vec![&account],
            extent: Extent::Incremental,
            word: ShortAnswers::None,
            deadline: None,
        };
        let (teller, mut told) = mpsc::unbounded_channel();
        let progress = Arc::new(RunProgress::telling(teller));
        self.watch(&progress);
        let (mut fatal, mut is_unended) = (None, false);
        let mut hear = |report: JobReport| {
            tell::ended(&report);
            is_unended |= report.warehouse.is_some();
            fatal = fatal.take().or_else(|| report.warehouse.clone().filter(|error| !error.may_pass()));
            let then = if has_other_keys(&config, &account.profile.auth, &report) {
                NextRun::AtOnce
            } else {
                NextRun::OnSchedule
            };
            if let Some(job) = JobName::new(&report.job) {
                let (invocation, account) = (invocation.number, report.account);
                // Nobody listens any more when the service broke off.
                let _ = ends.send(JobEnded { invocation, account, job, then });
            }
        };
        let mut running = Box::pin(run::run(order, &self.writer, &progress, stop.clone()));
        let result = loop {
            tokio::select! {
                Some(report) = told.recv() => hear(report),
                result = &mut running => break result,
            }
        };
        while let Ok(report) = told.try_recv() {
            hear(report);
        }
        match result {
            Ok(_) => {}
            Err(RunError::Warehouse(error)) if error.may_pass() => {
                is_unended = true;
                tell::warehouse(&account.name, &error);
            }
            Err(RunError::Warehouse(error)) => fatal = Some(error),
            Err(RunError::Client(error)) => {
                tracing::error!(account.name = account.name, reason = %error, "the account cannot be asked");
            }
        }
        if is_unended && fatal.is_none() {
            self.end_runs_of(&invocation).await?;
        }
        match fatal {
            Some(error) => Err(error),
            None if *stop.borrow() => Ok(()),
            None => {
                self.after_invocation(&config, stop).await;
                Ok(())
            }
        }
    }

    async fn broke_off(&self, invocation: &Invocation) -> Result<(), WarehouseError> {
        self.end_runs_of(invocation).await
    }

    async fn responds(&self) -> Result<(), WarehouseError> {
        self.writer.read(|_| Ok(())).await
    }
}

fn names(invocation: &Invocation) -> Vec<String> {
    invocation.jobs.iter().map(|(job, _)| job.to_string()).collect()
}

/// The jobs with a schedule and the accounts that they read.
fn pairs(config: &Config) -> impl Iterator<Item = (&Job, &Account)> {
    let scheduled = config.jobs.iter().filter(|job| job.schedule.is_some());
    let pair = move |job| config.accounts.iter().map(move |account| (job, account));
    scheduled.flat_map(pair).filter(|(job, account)| run::reads(job, account))
}

/// Whether the vendor refused a job, and the account has other keys now than the job had: they were replaced while it ran.
fn has_other_keys(config: &Config, used: &Auth, report: &JobReport) -> bool {
    report.outcome == Outcome::Refused
        && config.read_again(&report.account).is_ok_and(|now| !now.profile.auth.is_same(used))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_ends_while_a_copy_is_made_shares_the_next_one() {
        let (copies, made, gate) = (Copies::default(), Cell::new(0), Notify::new());
        let copy = || copies.after_now(async || made.set(made.get() + 1));
        let first = copies.after_now(async || {
            gate.notified().await;
            made.set(made.get() + 1);
        });
        let later = async {
            // The clock stands still but for this: the first one has begun before the others come.
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let release = async {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                gate.notify_one();
            };
            tokio::join!(copy(), copy(), copy(), release);
        };
        tokio::join!(first, later);
        assert_eq!(made.get(), 2, "the first one, and one for all that came meanwhile");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        copy().await;
        assert_eq!(made.get(), 3);
    }
}
