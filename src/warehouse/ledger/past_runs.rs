//! Past runs, the newest first.

use serde::Serialize;

use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// Which runs; an empty list leaves all.
#[derive(Clone, Debug)]
pub struct RunsWanted {
    /// The most that are told.
    pub limit: u32,
    /// Jobs.
    pub jobs: Vec<String>,
    /// Accounts.
    pub accounts: Vec<String>,
    /// Only runs that began then or later.
    pub since: Option<UtcSecond>,
}

/// One run of a job for an account.
#[derive(Clone, Debug, Serialize)]
pub struct PastRun {
    /// Its number, which rows and readings name.
    pub run_id: i64,
    /// Account.
    pub account: String,
    /// Job.
    pub job: String,
    /// Version of the program.
    pub program_version: String,
    /// Start, UTC.
    pub started_at: String,
    /// End, UTC; `None` while it runs and after a crash.
    pub finished_at: Option<String>,
    /// Seconds from start to end.
    pub seconds: Option<i64>,
    /// Outcome.
    pub outcome: String,
    /// Why it is not 'done'.
    pub reason: Option<String>,
    /// HTTP requests.
    pub requests: i64,
    /// Answers 429.
    pub throttled: i64,
    /// Requests repeated after a failure that was no 429.
    pub retried: i64,
    /// Answers stored.
    pub pages: i64,
    /// Rows received.
    pub rows_received: i64,
    /// Record rows that were new.
    pub rows_inserted: i64,
    /// Record rows that changed.
    pub rows_changed: i64,
    /// Orders that appeared in time that had been read completely before.
    pub orders_late: i64,
    /// Rows that could not be decoded.
    pub rows_quarantined: i64,
}

/// The names that the ledger knows.
#[derive(Clone, Debug)]
pub struct KnownRuns {
    /// Jobs that ever ran.
    pub jobs: Vec<String>,
    /// Accounts they ran for.
    pub accounts: Vec<String>,
}

impl Warehouse {
    /// The jobs and accounts of all past runs.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn known_runs(&self) -> Result<KnownRuns, WarehouseError> {
        Ok(KnownRuns {
            jobs: self.read("select distinct job from runs order by job", [], |row| row.get(0))?,
            accounts: self
                .read("select distinct account from runs order by account", [], |row| row.get(0))?,
        })
    }

    /// Past runs, the newest first. A run that nobody works on although it was never ended is crashed.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn past_runs(&self, wanted: &RunsWanted) -> Result<Vec<PastRun>, WarehouseError> {
        let list = |names: &[String]| serde_json::Value::from(names).to_string();
        let crashed_up_to = self.crashed_up_to().map_err(|error| self.sql(&error))?;
        self.read(
            "select run_id, account, job, program_version, started_at, finished_at,
                 unixepoch(finished_at) - unixepoch(started_at),
                 iif(outcome = 'running' and run_id <= ?1, 'crashed', outcome),
                 iif(outcome = 'running' and run_id <= ?1, 'the worker ended without a word', reason),
                 requests, throttled, retried, pages, rows_received, rows_inserted, rows_changed, orders_late,
                 rows_quarantined
             from runs
             where (?2 = '[]' or job in (select value from json_each(?2)))
                 and (?3 = '[]' or account in (select value from json_each(?3)))
                 and started_at >= ?4
             order by run_id desc
             limit ?5",
            (
                crashed_up_to,
                list(&wanted.jobs),
                list(&wanted.accounts),
                wanted.since.map_or_else(String::new, |since| since.to_string()),
                wanted.limit,
            ),
            |row| {
                Ok(PastRun {
                    run_id: row.get(0)?,
                    account: row.get(1)?,
                    job: row.get(2)?,
                    program_version: row.get(3)?,
                    started_at: row.get(4)?,
                    finished_at: row.get(5)?,
                    seconds: row.get(6)?,
                    outcome: row.get(7)?,
                    reason: row.get(8)?,
                    requests: row.get(9)?,
                    throttled: row.get(10)?,
                    retried: row.get(11)?,
                    pages: row.get(12)?,
                    rows_received: row.get(13)?,
                    rows_inserted: row.get(14)?,
                    rows_changed: row.get(15)?,
                    orders_late: row.get(16)?,
                    rows_quarantined: row.get(17)?,
                })
            },
        )
    }
}
