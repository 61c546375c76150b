//! The ledger's side of a run: what it must know to go on, and what it leaves behind.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::lock;
use crate::warehouse::file::open::Warehouse;

/// Number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(i64);

#[cfg(test)]
impl RunId {
    /// The run of this number.
    pub(in crate::warehouse) const fn of_test(number: i64) -> Self {
        Self(number)
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl ToSql for RunId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for RunId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// What a run is, at its start.
#[derive(Clone, Debug)]
pub struct RunStart {
    /// The job.
    pub job: String,
    /// The account.
    pub account: String,
    /// The stream.
    pub stream: &'static str,
    /// Now, by this machine's clock.
    pub at: UtcSecond,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// Outcome, as `runs.outcome` names it.
    pub outcome: &'static str,
    /// Why it is not 'done'.
    pub reason: Option<String>,
    /// HTTP requests sent.
    pub requests: u64,
    /// Answers 429.
    pub throttled: u64,
    /// Requests repeated after failures.
    pub retried: u64,
    /// Now, by this machine's clock.
    pub at: UtcSecond,
}

/// The outcome of a run that failed.
pub const FAILED: &str = "failed";

/// Begins the reason of a run that somebody stopped.
pub const STOPPED_ON_REQUEST: &str = "stopped on request";

/// When a job last began for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastStart {
    /// The account.
    pub account: String,
    /// The job.
    pub job: String,
    /// When, by this machine's clock.
    pub at: UtcSecond,
    /// Whether that run was cut: stopped on request, or crashed, which the run before had not.
    pub was_cut: bool,
}

impl Warehouse {
    /// Records that a run begins.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn start_run(&mut self, run: &RunStart) -> Result<RunId, WarehouseError> {
        self.write(|writing| {
            writing.query_row(
                "insert into runs (job, account, stream, program_version, started_at) values (?1, ?2, ?3, ?4, ?5)
                 returning run_id",
                (&run.job, &run.account, run.stream, env!("CARGO_PKG_VERSION"), run.at.to_string()),
                |row| row.get(0),
            )
        })
    }

    /// Records how a run ended.
    ///
    /// # Errors
    /// When the warehouse fails, or did so while the run was under way and the end does not say so.
    pub fn end_run(&mut self, run: RunId, end: &RunEnd) -> Result<(), WarehouseError> {
        if end.outcome != FAILED {
            self.check_kept(run)?;
        }
        self.write(|writing| {
            writing.change_one(
                "update runs set outcome = ?1, reason = ?2, requests = ?3, throttled = ?4, retried = ?5, finished_at = ?6
                 where run_id = ?7",
                (
                    end.outcome,
                    &end.reason,
                    end.requests,
                    end.throttled,
                    end.retried,
                    end.at.to_string(),
                    run,
                ),
            )
        })
    }

    /// When each job last began for each account.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn last_starts(&self) -> Result<Vec<LastStart>, WarehouseError> {
        let starts = self.read(
            "with last as (select max(run_id) as run_id from runs group by account, job)
             select account, job, started_at, outcome, reason,
                 (select outcome from runs as earlier
                  where earlier.account = runs.account and earlier.job = runs.job and earlier.run_id < runs.run_id
                  order by run_id desc limit 1)
             from runs join last using (run_id) order by account, job",
            (),
            |row| {
                let (at, outcome): (String, String) = (row.get(2)?, row.get(3)?);
                let (reason, before): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
                let was_stopped = reason.is_some_and(|reason| reason.starts_with(STOPPED_ON_REQUEST));
                let was_cut = match outcome.as_str() {
                    "partial" => was_stopped,
                    "crashed" => before.as_deref() != Some("crashed"),
                    _ => false,
                };
                let (account, job) = (row.get(0)?, row.get(1)?);
                Ok(UtcSecond::parse(&at).map(|at| LastStart { account, job, at, was_cut }))
            },
        )?;
        Ok(starts.into_iter().flatten().collect())
    }

    /// Records that runs ended without a word, those of jobs of an account that are not ended.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn crash_runs(&mut self, account: &str, jobs: &[String]) -> Result<(), WarehouseError> {
        self.write(|writing| {
            for job in jobs {
                writing.change(
                    "update runs set outcome = 'crashed', reason = 'the worker ended without a word'
                     where outcome = 'running' and account = ?1 and job = ?2",
                    (account, job),
                )?;
            }
            Ok(())
        })
    }

    /// Records that runs ended without a word: all that the file shows as running, once the lock says that none is.
    pub(in crate::warehouse) fn crash_all_runs(&mut self) -> Result<(), WarehouseError> {
        self.write(|writing| {
            writing
                .change(
                    "update runs set outcome = 'crashed', reason = 'the worker ended without a word'
                     where outcome = 'running'",
                    (),
                )
                .map(|_| ())
        })
    }
    /// Whether all that a run was told to be stored is there.
    ///
    /// # Errors
    /// What kept a transaction from being committed while the run was under way.
    pub(in crate::warehouse) fn check_kept(&self, run: RunId) -> Result<(), WarehouseError> {
        match self.transactions.lost() {
            Some(lost) if run.0 <= lost.up_to => Err(lost.error.clone()),
            Some(_) | None => Ok(()),
        }
    }

    /// The newest run that nobody works on although it was never ended; 0 when there is none. A worker that was
    /// killed cannot write how it ended, but the kernel took its lock away.
    pub(in crate::warehouse) fn crashed_up_to(&self) -> rusqlite::Result<i64> {
        let newest = "select coalesce(max(run_id), 0) from runs where outcome = 'running'";
        let newest = self.connection.query_row(newest, [], |row| row.get(0))?;
        Ok(if newest > 0 && !lock::is_held(&self.path) { newest } else { 0 })
    }
}
