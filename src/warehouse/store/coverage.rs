//! Coverage: what was read to its end, what could not be proven, and what was refused.

use rusqlite::{Connection, OptionalExtension, Row};

use super::committer::{Committer, began};
use crate::scope::{Ask, Lane, Scope};
use crate::time::{UtcSecond, Window};
use crate::walk::Walk;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::runs::RunId;

/// A window that was read completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoveredWindow {
    /// The window.
    pub window: Window,
    /// The run that did.
    pub run: RunId,
}

impl Committer<'_> {
    /// Records that a scope was read to its end; `covered` is the part of a window that this proves or disputes.
    pub(super) fn cover(
        &self,
        walk: &Walk,
        covered: Option<Window>,
        verdict: &str,
        proof: &str,
    ) -> rusqlite::Result<()> {
        let Ask { scope, .. } = &self.commit.ask;
        // What has a status now is no part of the history.
        if matches!(scope, Scope::Status(_)) {
            return Ok(());
        }
        let account = &self.commit.account;
        let stream = self.commit.stream.name();
        self.forget_checkpoint()?;
        let lane = scope.lane();
        // The window that is proven may end before the one that was asked for.
        let covered_scope = match (lane, covered) {
            (Some(lane), Some(window)) => lane.scope(window),
            (Some(_), None) => return Ok(()),
            (None, _) => scope.clone(),
        };
        let window = covered_scope.window();
        let written = self
            .connection
            .prepare_cached(
                "insert into coverage (account, stream, scope, customer_id, lane, window_begin, window_end, parent_id,
                     expected, seen, rejected, requests, attempts, verdict, proof, run_id, started_at, read_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
                 on conflict (account, stream, scope, customer_id) do update set
                     expected = excluded.expected, seen = excluded.seen, rejected = excluded.rejected,
                     requests = excluded.requests, attempts = excluded.attempts,
                     verdict = excluded.verdict, proof = excluded.proof,
                     run_id = excluded.run_id, started_at = excluded.started_at, read_at = excluded.read_at
                 where coverage.lane is null
                     or coalesce(excluded.started_at, excluded.read_at) >= coalesce(coverage.started_at, coverage.read_at)",
            )?
            .execute(rusqlite::params![
                account,
                stream,
                covered_scope.to_string(),
                self.customer(),
                lane.map(|lane| lane.to_string()),
                window.map(|window| window.begin().to_string()),
                window.map(|window| window.end().to_string()),
                scope.parent(),
                // The vendor's number, which may be anything: what SQLite cannot count must not fail what else is stored.
                walk.expected.map(|expected| i64::try_from(expected).unwrap_or(i64::MAX)),
                walk.seen,
                walk.rejected,
                walk.requests,
                walk.attempt,
                verdict,
                proof,
                self.commit.run,
                began(walk),
                self.seen_at,
            ])?;
        match (lane, window) {
            // A walk that was resumed may end after one that began later: then the other says what is true now.
            (Some(lane), Some(window)) if written > 0 => {
                self.replace_older(walk, lane, window, verdict)?;
                if verdict == "complete" { self.settle_disputes(lane) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// Forgets readings of the same verdict that began no later and whose windows this one contains: it says the same,
    /// and is newer.
    fn replace_older(&self, walk: &Walk, lane: Lane, window: Window, verdict: &str) -> rusqlite::Result<()> {
        let began = began(walk).unwrap_or_else(|| self.seen_at.to_owned());
        self.connection
            .prepare_cached(
                "delete from coverage where account = ?1 and stream = ?2 and lane = ?3 and verdict = ?7
                     and window_begin >= ?4 and window_begin < ?5 and window_end <= ?5 and scope <> ?6
                     and coalesce(started_at, read_at) <= ?8",
            )?
            .execute((
                &self.commit.account,
                self.commit.stream.name(),
                lane.to_string(),
                window.begin().to_string(),
                window.end().to_string(),
                lane.scope(window).to_string(),
                verdict,
                began,
            ))
            .map(|_| ())
    }

    /// Forgets disputes about windows that were read completely by walks that began since: by one reading, or by several
    /// that hold the window together, because the next run cuts time in other places. A walk that began earlier and
    /// ended later proves nothing about what the dispute met.
    fn settle_disputes(&self, lane: Lane) -> rusqlite::Result<()> {
        let (account, stream, lane) = (&self.commit.account, self.commit.stream.name(), lane.to_string());
        let disputed: Vec<(String, String)> = self
            .connection
            .prepare_cached(
                "select scope, coalesce(started_at, read_at) from coverage
                 where account = ?1 and stream = ?2 and lane = ?3 and verdict = 'disputed'",
            )?
            .query_map((account, stream, &lane), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (scope, began) in disputed {
            let Some(window) = Scope::parse(&scope).and_then(|scope| scope.window()) else { continue };
            let complete: Vec<String> = self
                .connection
                .prepare_cached(
                    "select scope from coverage where account = ?1 and stream = ?2 and lane = ?3
                         and verdict = 'complete' and coalesce(started_at, read_at) >= ?4",
                )?
                .query_map((account, stream, &lane, began), |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let complete: Vec<Window> =
                complete.iter().filter_map(|scope| Scope::parse(scope)?.window()).collect();
            if window.minus(&complete).is_empty() {
                self.connection
                    .prepare_cached(
                        "delete from coverage where account = ?1 and stream = ?2 and scope = ?3
                             and verdict = 'disputed'",
                    )?
                    .execute((account, stream, scope))?;
            }
        }
        Ok(())
    }
}

impl Warehouse {
    /// The windows of a time field that were read completely.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn covered_windows(
        &self,
        account: &str,
        stream: &str,
        lane: Lane,
    ) -> Result<Vec<Window>, WarehouseError> {
        let covered = self.covered(account, stream, lane)?;
        Ok(covered.into_iter().map(|covered| covered.window).collect())
    }

    /// The windows of a time field that were read completely, and by which run.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn covered(
        &self,
        account: &str,
        stream: &str,
        lane: Lane,
    ) -> Result<Vec<CoveredWindow>, WarehouseError> {
        let rows = self.read(
            "select window_begin, window_end, run_id from coverage
             where account = ?1 and stream = ?2 and lane = ?3 and verdict = 'complete'",
            (account, stream, lane.to_string()),
            |row| Ok((window(row)?, row.get(2)?)),
        )?;
        Ok(rows
            .into_iter()
            .filter_map(|(window, run)| Some(CoveredWindow { window: window?, run }))
            .collect())
    }

    /// The windows of a time field that could not be proven complete.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn disputed_windows(
        &self,
        account: &str,
        stream: &str,
        lane: Lane,
    ) -> Result<Vec<Window>, WarehouseError> {
        let rows = self.read(
            "select window_begin, window_end from coverage
             where account = ?1 and stream = ?2 and lane = ?3 and verdict = 'disputed'",
            (account, stream, lane.to_string()),
            window,
        )?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// When the account's whole list was last read completely.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn last_whole_reading(
        &self,
        account: &str,
        stream: &str,
    ) -> Result<Option<UtcSecond>, WarehouseError> {
        let last = whole_reading(&self.connection, account, stream, "").map_err(|error| self.sql(&error))?;
        Ok(last.and_then(|last| UtcSecond::parse(&last.read_at)))
    }

    /// How many rows the last complete reading of a whole list had; `None`: there was none.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn seen_in_list(
        &self,
        account: &str,
        stream: &str,
        customer_id: Option<&str>,
    ) -> Result<Option<u64>, WarehouseError> {
        let last = whole_reading(&self.connection, account, stream, customer_id.unwrap_or_default());
        Ok(last.map_err(|error| self.sql(&error))?.map(|last| last.seen))
    }

    /// Records that the vendor refused to show a customer's whole list, at `at` by its clock, and why. Takes the place of
    /// what an earlier reading proved: what is gone is judged anew when the list is shown again.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn list_refused(
        &mut self,
        account: &str,
        stream: &str,
        customer_id: &str,
        reason: &str,
        at: UtcSecond,
        run: RunId,
    ) -> Result<(), WarehouseError> {
        self.write(|writing| {
            writing.change_one(
                "insert or replace into coverage (account, stream, scope, customer_id, seen, requests, attempts,
                     verdict, proof, run_id, read_at)
                 values (?1, ?2, 'whole', ?3, 0, 1, 1, 'refused', ?4, ?5, ?6)",
                (account, stream, customer_id, reason, run, at.to_string()),
            )
        })
    }
}

/// The last complete reading of a whole list.
pub(super) struct WholeReading {
    pub(super) seen: u64,
    pub(super) rejected: u64,
    pub(super) started_at: Option<String>,
    pub(super) read_at: String,
}

/// The last complete reading of a whole list; `customer` is empty for the account's own.
pub(super) fn whole_reading(
    connection: &Connection,
    account: &str,
    stream: &str,
    customer: &str,
) -> rusqlite::Result<Option<WholeReading>> {
    connection
        .prepare_cached(
            "select seen, rejected, started_at, read_at from coverage
             where account = ?1 and stream = ?2 and scope = 'whole' and customer_id = ?3 and verdict = 'complete'",
        )?
        .query_row((account, stream, customer), |row| {
            Ok(WholeReading {
                seen: row.get(0)?,
                rejected: row.get(1)?,
                started_at: row.get(2)?,
                read_at: row.get(3)?,
            })
        })
        .optional()
}

/// The window in the first two columns of a row.
fn window(row: &Row<'_>) -> rusqlite::Result<Option<Window>> {
    let (begin, end): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(UtcSecond::parse(&begin).zip(UtcSecond::parse(&end)).and_then(|(begin, end)| Window::new(begin, end)))
}
