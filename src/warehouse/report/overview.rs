//! What the ledger says about itself, for `status`.

use serde::Serialize;

use super::months::{MonthState, PartsState};
use super::streams::StreamState;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::limits::PageLimitState;
use crate::warehouse::ledger::rates::QuotaState;
use crate::warehouse::store::queue::IS_ASKED;

/// The state of the warehouse.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// The last run of each job and account.
    pub runs: Vec<LastRun>,
    /// How fresh each stream of each account is.
    pub streams: Vec<StreamState>,
    /// Every billing month of the streams that are read by time, oldest first.
    pub months: Vec<MonthState>,
    /// How much was read by customer, by order or as a whole.
    pub parts: Vec<PartsState>,
    /// Up to where each time field was read completely.
    pub watermarks: Vec<WatermarkState>,
    /// Orders whose dependent records are still to be read.
    pub queues: Vec<QueueState>,
    /// The quotas that the last runs worked with.
    pub quotas: Vec<QuotaState>,
    /// Pages that have another size than the documented one.
    pub page_limits: Vec<PageLimitState>,
    /// Windows, orders and lists that could not be proven complete.
    pub disputed: i64,
    /// Rows that came last in a form that could not be decoded.
    pub quarantined: i64,
    /// Breaks of severity error that nobody explained; `None` when none is known and not every check was ever evaluated.
    pub open_breaks: Option<i64>,
    /// Fields and values the vendor's documents do not list.
    pub drift: i64,
}

/// The last run of a job for an account.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    /// Account.
    pub account: String,
    /// Job.
    pub job: String,
    /// Outcome.
    pub outcome: String,
    /// Why it is not 'done'.
    pub reason: Option<String>,
    /// Start, UTC.
    pub started_at: String,
    /// End, UTC; `None` while it runs and after a crash.
    pub finished_at: Option<String>,
    /// HTTP requests.
    pub requests: i64,
    /// Answers 429.
    pub throttled: i64,
    /// Rows received.
    pub rows_received: i64,
    /// Record rows that were new.
    pub rows_inserted: i64,
    /// Record rows that changed.
    pub rows_changed: i64,
    /// End of the last run that was done, UTC.
    pub last_done_at: Option<String>,
    /// Start of the first run, UTC.
    pub first_started_at: String,
    /// Why the last run that ended was not done; `None` when it was.
    pub last_end_reason: Option<String>,
}

/// A watermark.
#[derive(Clone, Debug, Serialize)]
pub struct WatermarkState {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// Time field: created or paid.
    pub lane: String,
    /// Everything before it was read completely, UTC.
    pub watermark: String,
}

/// A queue.
#[derive(Clone, Debug, Serialize)]
pub struct QueueState {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// Entries.
    pub entries: i64,
    /// Entries that are to be read once more at a later time.
    pub later: i64,
    /// Entries that failed.
    pub failing: i64,
    /// One of their errors.
    pub last_error: Option<String>,
    /// Entries that are not asked for, because a partner's customer left.
    pub left: i64,
}

impl Warehouse {
    /// The state of the warehouse.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn overview(&self) -> Result<Overview, WarehouseError> {
        self.read_overview().map_err(|error| self.sql(&error))
    }

    fn read_overview(&self) -> rusqlite::Result<Overview> {
        let count = |sql: &str| self.connection.query_row(sql, [], |row| row.get(0));
        Ok(Overview {
            runs: self.last_runs(self.crashed_up_to()?)?,
            streams: self.streams()?,
            months: self.months()?,
            parts: self.parts()?,
            watermarks: self
                .connection
                .prepare("select account, stream, lane, watermark from watermarks
                     where lane in ('created', 'paid') order by account, stream, lane")?
                .query_map([], |row| {
                    Ok(WatermarkState {
                        account: row.get(0)?,
                        stream: row.get(1)?,
                        lane: row.get(2)?,
                        watermark: row.get(3)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?,
            queues: self
                .connection
                .prepare(&format!(
                    "select account, stream, count(*),
                         sum(not_before > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')), sum(attempts > 0), max(last_error),
                         sum(not {IS_ASKED})
                     from queue group by account, stream order by account, stream"
                ))?
                .query_map([], |row| {
                    Ok(QueueState {
                        account: row.get(0)?,
                        stream: row.get(1)?,
                        entries: row.get(2)?,
                        later: row.get(3)?,
                        failing: row.get(4)?,
                        last_error: row.get(5)?,
                        left: row.get(6)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?,
            quotas: QuotaState::all(&self.connection)?,
            page_limits: PageLimitState::all(&self.connection)?,
            disputed: count("select count(*) from coverage where verdict = 'disputed'")?,
            quarantined: count(
                "select count(*) from (select distinct account, stream, key from undecoded_rows)",
            )?,
            open_breaks: self.open_breaks()?,
            drift: count("select count(*) from drift")?,
        })
    }

    /// Breaks of severity error that nobody explained; `None` when nothing was ever reconciled.
    fn open_breaks(&self) -> rusqlite::Result<Option<i64>> {
        self.connection.query_row(
            "select iif(exists (select 1 from full_reconciliations), count(*), nullif(count(*), 0))
             from open_breaks where severity = 'error' and not is_acknowledged",
            [],
            |row| row.get(0),
        )
    }

    /// The last run of each job and account; those up to `crashed_up_to` that were never ended are crashed.
    fn last_runs(&self, crashed_up_to: i64) -> rusqlite::Result<Vec<LastRun>> {
        self.connection
            .prepare(
                "with last as (select max(run_id) as run_id from runs group by account, job)
                 select account, job, iif(outcome = 'running' and run_id <= ?1, 'crashed', outcome),
                     iif(outcome = 'running' and run_id <= ?1, 'the worker ended without a word', reason),
                     started_at, finished_at, requests, throttled, rows_received,
                     rows_inserted, rows_changed,
                     (select max(finished_at) from runs as done
                      where done.account = runs.account and done.job = runs.job and done.outcome = 'done'),
                     (select min(first.started_at) from runs as first
                      where first.account = runs.account and first.job = runs.job),
                     (select ended.reason from runs as ended
                      where ended.account = runs.account and ended.job = runs.job and ended.outcome <> 'running'
                      order by ended.run_id desc limit 1)
                 from runs join last using (run_id) order by account, run_id",
            )?
            .query_map([crashed_up_to], |row| {
                Ok(LastRun {
                    account: row.get(0)?,
                    job: row.get(1)?,
                    outcome: row.get(2)?,
                    reason: row.get(3)?,
                    started_at: row.get(4)?,
                    finished_at: row.get(5)?,
                    requests: row.get(6)?,
                    throttled: row.get(7)?,
                    rows_received: row.get(8)?,
                    rows_inserted: row.get(9)?,
                    rows_changed: row.get(10)?,
                    last_done_at: row.get(11)?,
                    first_started_at: row.get(12)?,
                    last_end_reason: row.get(13)?,
                })
            })?
            .collect()
    }
}
