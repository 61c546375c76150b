//! A transaction that writes: its number, what is done inside it, and the gate before its commit. `write` makes them.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Params};

use super::error::WarehouseError;

/// Number of a commit: each transaction that writes takes the next one, whichever process makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::warehouse) struct CommitNo(i64);

impl ToSql for CommitNo {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for CommitNo {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// How often a process beside the worker looks whether it may write.
const LOOK: Duration = Duration::from_millis(1);

/// Looks after which it gives up: half a minute, which is far more than a worker's transaction takes.
const LOOKS: i32 = 30_000;

/// When the warehouse commits what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commits {
    /// Each piece of writing at its end.
    Each,
    /// Several pieces together, when whoever writes them says so.
    Together,
}

/// A transaction that is under way.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) commit: CommitNo,
    pub(super) since: Instant,
    /// When it must be committed at the latest.
    pub(super) due: Instant,
    /// Rows that the connection had changed when it had its number.
    pub(super) changes_before: u64,
    /// Whether somebody was told that something of it is stored.
    pub(super) is_promised: bool,
}

/// A transaction with promises that was not committed.
#[derive(Debug)]
pub(in crate::warehouse) struct Lost {
    /// Number of the last run that may know what is not there: all up to it were under way or over.
    pub(in crate::warehouse) up_to: i64,
    /// Why it is not there.
    pub(in crate::warehouse) error: WarehouseError,
}

/// What the transactions of a warehouse share.
#[derive(Debug)]
pub(in crate::warehouse) struct Transactions {
    pub(super) commits: Commits,
    pub(super) open: Option<Open>,
    pub(super) lost: Option<Lost>,
    /// When the warehouse was opened.
    pub(super) opened: Instant,
    /// When the last one was committed.
    pub(super) committed: Option<Instant>,
    /// Opens the gate of the connection's commits.
    pub(super) may_commit: Arc<AtomicBool>,
}

/// A piece of writing, inside its transaction.
#[derive(Clone, Copy, Debug)]
pub(in crate::warehouse) struct Writing<'a> {
    connection: &'a Connection,
    commit: CommitNo,
}

impl Deref for Writing<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl<'a> Writing<'a> {
    pub(super) fn of(connection: &'a Connection, commit: CommitNo) -> Self {
        Self { connection, commit }
    }

    /// The number of the transaction.
    pub(in crate::warehouse) fn commit(&self) -> CommitNo {
        self.commit
    }

    /// Runs a statement; returns how many rows it changed.
    pub(in crate::warehouse) fn change(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    /// Runs a statement that must change one row.
    pub(in crate::warehouse) fn change_one(&self, sql: &str, params: impl Params) -> rusqlite::Result<()> {
        match self.change(sql, params)? {
            1 => Ok(()),
            rows => Err(rusqlite::Error::StatementChangedRows(rows)),
        }
    }
}

impl Transactions {
    /// Those of a connection that was opened just now.
    pub(in crate::warehouse) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let may_commit = Arc::new(AtomicBool::new(false));
        let gate = Arc::clone(&may_commit);
        // A commit that the gate refuses becomes a rollback, and its statement an error.
        connection.commit_hook(Some(move || !gate.load(Ordering::Relaxed)))?;
        let (commits, opened) = (Commits::Each, Instant::now());
        Ok(Self { commits, open: None, lost: None, opened, committed: None, may_commit })
    }

    /// The last transaction with promises that was not committed.
    pub(in crate::warehouse) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }
}

/// Lets a process beside the worker wait for its turn: more often than `SQLite` would look, because a busy worker leaves the
/// file free for moments only.
pub(in crate::warehouse) fn wait_beside(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(|looks| {
        std::thread::sleep(LOOK);
        looks < LOOKS
    }))
}
