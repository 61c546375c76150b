//! What a monitor watches of the warehouse, read at one moment.

use rusqlite::{Connection, Row};

use super::months::Completeness;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::schema::files::version;
use crate::warehouse::store::queue::IS_ASKED;

/// What a monitor watches. All times are seconds since 1970, UTC.
#[derive(Clone, Debug)]
pub struct WarehouseFigures {
    /// Schema version of the file.
    pub schema: i64,
    /// Size in bytes, with what is still in the log.
    pub bytes: u64,
    /// Size of its log in bytes.
    pub log_bytes: u64,
    /// Each job for each account.
    pub jobs: Vec<JobFigures>,
    /// How many runs ended how.
    pub outcomes: Vec<OutcomeFigures>,
    /// Each stream of each account.
    pub streams: Vec<StreamFigures>,
    /// How many months are in which state, by account.
    pub months: Vec<MonthFigures>,
    /// The quotas that the last runs worked with.
    pub quotas: Vec<QuotaFigures>,
}

/// All runs of a job for an account.
#[derive(Clone, Debug)]
pub struct JobFigures {
    /// Account.
    pub account: String,
    /// Job.
    pub job: String,
    /// Outcome of the last run.
    pub last_outcome: String,
    /// Start of the last run.
    pub last_started_at: i64,
    /// Seconds that the last run took; `None` while it runs and after a crash.
    pub last_seconds: Option<i64>,
    /// End of the last run that was done.
    pub last_done_at: Option<i64>,
    /// HTTP requests of all ended runs.
    pub requests: i64,
    /// Answers 429 of all ended runs.
    pub refusals: i64,
    /// Requests repeated after another failure, of all ended runs.
    pub retries: i64,
    /// Rows received.
    pub received: i64,
    /// Record rows that were new.
    pub new: i64,
    /// Record rows that changed.
    pub changed: i64,
    /// Orders that appeared in time that had been read completely before.
    pub late: i64,
}

/// How many runs of a job for an account ended so.
#[derive(Clone, Debug)]
pub struct OutcomeFigures {
    /// Account.
    pub account: String,
    /// Job.
    pub job: String,
    /// Outcome; never 'running'.
    pub outcome: String,
    /// Runs.
    pub runs: i64,
}

/// How a stream of an account stands.
#[derive(Clone, Debug)]
pub struct StreamFigures {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// Up to when it is complete by creation time.
    pub created_up_to: Option<i64>,
    /// Up to when it is complete by payment time.
    pub paid_up_to: Option<i64>,
    /// Orders that wait in its queue.
    pub queued: i64,
    /// Since when the oldest of those that are due could have been read.
    pub queued_since: Option<i64>,
    /// Orders in it that were tried in vain.
    pub failing: i64,
    /// Windows, lists and orders that could not be proven complete.
    pub disputed: i64,
    /// Rows that came last in a form that could not be decoded.
    pub quarantined: i64,
    /// Fields and values that the vendor's documents do not list.
    pub drift: i64,
}

/// How many months of an account are in a state.
#[derive(Clone, Debug)]
pub struct MonthFigures {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// The state.
    pub state: Completeness,
    /// Months.
    pub months: i64,
}

/// A quota.
#[derive(Clone, Debug)]
pub struct QuotaFigures {
    /// Account.
    pub account: String,
    /// The endpoint's short name.
    pub endpoint: String,
    /// Whose calls it counts together; empty when the vendor did not say.
    pub policy: String,
    /// Calls …
    pub calls: i64,
    /// … in so many seconds.
    pub period: i64,
    /// The part of its time that is left unused, in millionths.
    pub margin_ppm: i64,
    /// When a call was last refused.
    pub last_refused_at: Option<i64>,
}

impl Warehouse {
    /// What a monitor watches, all of one moment.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn figures(&self) -> Result<WarehouseFigures, WarehouseError> {
        self.read_figures().map_err(|error| self.sql(&error))
    }

    fn read_figures(&self) -> rusqlite::Result<WarehouseFigures> {
        let tx = self.connection.unchecked_transaction()?;
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        Ok(WarehouseFigures {
            schema: tx.pragma_query_value(None, "user_version", |row| row.get(0))?,
            bytes: self.size()?,
            // A warehouse without a log is one that nobody writes to.
            log_bytes: std::fs::metadata(log).map_or(0, |file| file.len()),
            jobs: jobs(&tx, self.crashed_up_to()?)?,
            outcomes: outcomes(&tx)?,
            streams: streams(&tx)?,
            months: months(&tx)?,
            quotas: quotas(&tx)?,
        })
    }
}

impl WarehouseFigures {
    /// The newest schema version that this program knows.
    #[must_use]
    pub fn known_schema() -> i64 {
        version().into()
    }
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map(values, read)?.collect()
}

fn jobs(connection: &Connection, crashed_up_to: i64) -> rusqlite::Result<Vec<JobFigures>> {
    all(
        connection,
        "with every as (
             select account, job, max(run_id) as run_id, max(iif(outcome = 'done', finished_at, null)) as last_done_at,
                 sum(requests) as requests, sum(throttled) as refusals, sum(retried) as retries,
                 sum(rows_received) as received, sum(rows_inserted) as new, sum(rows_changed) as changed,
                 sum(orders_late) as late
             from runs group by account, job)
         select e.account, e.job, iif(l.outcome = 'running' and l.run_id <= ?1, 'crashed', l.outcome),
             unixepoch(l.started_at), unixepoch(l.finished_at) - unixepoch(l.started_at), unixepoch(e.last_done_at),
             e.requests, e.refusals, e.retries, e.received, e.new, e.changed, e.late
         from every as e join runs as l using (run_id) order by e.account, e.job",
        [crashed_up_to],
        |row| {
            Ok(JobFigures {
                account: row.get(0)?,
                job: row.get(1)?,
                last_outcome: row.get(2)?,
                last_started_at: row.get(3)?,
                last_seconds: row.get(4)?,
                last_done_at: row.get(5)?,
                requests: row.get(6)?,
                refusals: row.get(7)?,
                retries: row.get(8)?,
                received: row.get(9)?,
                new: row.get(10)?,
                changed: row.get(11)?,
                late: row.get(12)?,
            })
        },
    )
}

fn outcomes(connection: &Connection) -> rusqlite::Result<Vec<OutcomeFigures>> {
    all(
        connection,
        "select account, job, outcome, count(*) from runs where outcome <> 'running'
         group by account, job, outcome order by account, job, outcome",
        [],
        |row| {
            Ok(OutcomeFigures {
                account: row.get(0)?,
                job: row.get(1)?,
                outcome: row.get(2)?,
                runs: row.get(3)?,
            })
        },
    )
}

fn streams(connection: &Connection) -> rusqlite::Result<Vec<StreamFigures>> {
    all(
        connection,
        &format!(
            "select f.account, f.stream, unixepoch(f.created_complete_up_to), unixepoch(f.paid_complete_up_to), f.queued,
                 (select unixepoch(min(max(enqueued_at, not_before))) from queue
                  where queue.account = f.account and queue.stream = f.stream
                      and not_before <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now') and {IS_ASKED}),
                 f.failing, f.disputed, f.quarantined,
                 (select count(*) from drift as d where d.account = f.account and d.stream = f.stream)
             from freshness as f order by f.account, f.stream"
        ),
        [],
        |row| {
            Ok(StreamFigures {
                account: row.get(0)?,
                stream: row.get(1)?,
                created_up_to: row.get(2)?,
                paid_up_to: row.get(3)?,
                queued: row.get(4)?,
                queued_since: row.get(5)?,
                failing: row.get(6)?,
                disputed: row.get(7)?,
                quarantined: row.get(8)?,
                drift: row.get(9)?,
            })
        },
    )
}

fn months(connection: &Connection) -> rusqlite::Result<Vec<MonthFigures>> {
    all(
        connection,
        "select account, stream, state, count(*) from coverage_by_month
         group by account, stream, state order by account, stream, state",
        [],
        |row| {
            Ok(MonthFigures {
                account: row.get(0)?,
                stream: row.get(1)?,
                state: row.get(2)?,
                months: row.get(3)?,
            })
        },
    )
}

fn quotas(connection: &Connection) -> rusqlite::Result<Vec<QuotaFigures>> {
    all(
        connection,
        "select account, endpoint, policy, quota_calls, quota_period_s, margin_ppm, unixepoch(last_refused_at)
         from rate_state order by account, endpoint, policy",
        [],
        |row| {
            Ok(QuotaFigures {
                account: row.get(0)?,
                endpoint: row.get(1)?,
                policy: row.get(2)?,
                calls: row.get(3)?,
                period: row.get(4)?,
                margin_ppm: row.get(5)?,
                last_refused_at: row.get(6)?,
            })
        },
    )
}
