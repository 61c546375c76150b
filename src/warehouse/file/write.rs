//! The one way to write to the warehouse: in a transaction that takes the next number, whose commit is checked. A hook refuses
//! whatever else would commit.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::WarehouseError;
use super::open::Warehouse;
use super::transaction::{Commits, Lost, Open, Writing};
use crate::time::UtcSecond;
use crate::warehouse::schema::commits::next_commit;

/// Changed rows after which the writer's thread commits, those of the ledger included. A page of the file that many records share is
/// then written once for all of them; `benches/writes.py` counts it.
const ROWS: u64 = 30_000;

/// Part of the time since the warehouse was opened after which it commits: what a crash costs is what was fetched in it, a twentieth
/// of what was fetched before. Longer transactions write less, because a page of the file holds rows of many orders.
const PART: u32 = 20;

/// Shortest time after which it commits, unless nothing more comes.
const SHORTEST: Duration = Duration::from_millis(100);

/// Longest time after which it commits.
const LONGEST: Duration = Duration::from_secs(1);

/// How long the file stays free after a commit of the writer's thread: another process that writes looks every
/// millisecond whether it may.
const FREE: Duration = Duration::from_millis(2);

impl Warehouse {
    /// Does a piece of writing: all of it, or nothing when it fails. It is on disk afterwards, unless the warehouse commits
    /// several pieces together.
    pub(in crate::warehouse) fn write<T>(
        &mut self,
        work: impl FnOnce(&Writing<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, WarehouseError> {
        if self.transactions.open.is_none() {
            self.begin()?;
        }
        let done = self.do_inside(work);
        match (self.transactions.commits, done) {
            (Commits::Together, done) => done,
            (Commits::Each, Ok(done)) => self.settle().map(|()| done),
            (Commits::Each, Err(error)) => {
                self.give_up(&error);
                Err(error)
            }
        }
    }

    /// Runs work that makes tables of its own connection and fills them, which is no writing to the file.
    pub(in crate::warehouse) fn with_temporary_tables<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, WarehouseError> {
        self.with_open_gate(|warehouse| {
            work(&mut warehouse.connection).map_err(|error| warehouse.sql(&error))
        })
    }

    /// Runs work that commits for itself.
    pub(super) fn with_open_gate<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.transactions.may_commit.store(true, Ordering::Relaxed);
        let done = work(self);
        self.transactions.may_commit.store(false, Ordering::Relaxed);
        done
    }

    /// From now on what is written is committed together, when [`Warehouse::settle`] is called.
    pub(in crate::warehouse) fn commit_together(&mut self) {
        self.transactions.commits = Commits::Together;
    }

    /// Somebody is told that what was just written is stored, before it is committed.
    pub(in crate::warehouse) fn promise(&mut self) {
        if let Some(open) = &mut self.transactions.open {
            open.is_promised = true;
        }
    }

    /// When the transaction that is under way must be committed at the latest; `None` when there is none.
    pub(in crate::warehouse) fn due(&self) -> Option<Instant> {
        self.transactions.open.as_ref().map(|open| {
            let rows = self.connection.total_changes().saturating_sub(open.changes_before);
            if rows < ROWS { open.due } else { open.since }
        })
    }

    /// Commits the transaction that is under way. One that changed nothing leaves nothing.
    ///
    /// # Errors
    /// When nothing of it is stored. Every run of that time must end as failed.
    pub(in crate::warehouse) fn settle(&mut self) -> Result<(), WarehouseError> {
        let Some(open) = &self.transactions.open else { return Ok(()) };
        if self.connection.total_changes() == open.changes_before {
            let rolled_back = self.connection.execute_batch("rollback").map_err(|error| self.sql(&error));
            self.transactions.open = None;
            return rolled_back;
        }
        let commit = open.commit;
        self.transactions.may_commit.store(true, Ordering::Relaxed);
        let committed = self
            .connection
            .prepare_cached("update commits set origin = 'written' where commit_no = ?1")
            .and_then(|mut written| written.execute([commit]))
            .and_then(|_| self.connection.execute_batch("commit"));
        self.transactions.may_commit.store(false, Ordering::Relaxed);
        if let Err(error) = committed {
            let error = self.sql(&error);
            self.give_up(&error);
            return Err(error);
        }
        self.transactions.open = None;
        self.transactions.committed = Some(Instant::now());
        Ok(())
    }

    fn begin(&mut self) -> Result<(), WarehouseError> {
        if let (Commits::Together, Some(committed)) = (self.transactions.commits, self.transactions.committed)
        {
            std::thread::sleep(FREE.saturating_sub(committed.elapsed()));
        }
        self.connection.execute_batch("begin immediate").map_err(|error| self.sql(&error))?;
        let numbered = self
            .connection
            .prepare_cached(&format!("{} returning commit_no", next_commit("open", "?1")))
            .and_then(|mut next| next.query_row([UtcSecond::now().to_string()], |row| row.get(0)));
        match numbered {
            Ok(commit) => {
                let changes_before = self.connection.total_changes();
                let since = Instant::now();
                let may_take = ((since - self.transactions.opened) / PART).clamp(SHORTEST, LONGEST);
                self.transactions.open =
                    Some(Open { commit, since, due: since + may_take, changes_before, is_promised: false });
                Ok(())
            }
            Err(error) => {
                let error = self.sql(&error);
                self.give_up(&error);
                Err(error)
            }
        }
    }

    /// Does work that leaves nothing behind when it fails, while what was written before it stays.
    fn do_inside<T>(
        &mut self,
        work: impl FnOnce(&Writing<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, WarehouseError> {
        let Some(Open { commit, .. }) = self.transactions.open else { return Err(WarehouseError::Stopped) };
        let connection = &self.connection;
        let done = connection
            .execute_batch("savepoint piece")
            .and_then(|()| work(&Writing::of(connection, commit)))
            .and_then(|done| connection.execute_batch("release piece").map(|()| done));
        done.map_err(|error| {
            let error = self.sql(&error);
            // After errors of the disk SQLite has given the whole transaction up.
            let is_over = self.connection.is_autocommit();
            if is_over || self.connection.execute_batch("rollback to piece; release piece").is_err() {
                self.give_up(&error);
            }
            error
        })
    }

    /// Ends the transaction that is under way without committing it.
    fn give_up(&mut self, error: &WarehouseError) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("rollback")
        {
            tracing::error!(reason = %error, "a transaction could not be rolled back");
        }
        if self.transactions.open.take().is_some_and(|open| open.is_promised) {
            // Where not even that can be read, nobody is to believe anything any more.
            let up_to = self
                .connection
                .query_row("select max(run_id) from runs", [], |row| row.get(0))
                .unwrap_or(i64::MAX);
            self.transactions.lost = Some(Lost { up_to, error: error.clone() });
        }
    }
}
