//! One page: rows, history, queue, checkpoint, coverage and counters, or nothing of it.

use rusqlite::Row;
use sha2::{Digest, Sha256};

use super::checkpoint::PageKeys;
use super::committer::Committer;
use super::gone::PARENT;
use super::page::{Committed, PageCommit, Tally, WalkProgress};
use super::upsert::StoreEffect;
use crate::record::{Column, Drift, Kind, Record, Reject, Source, Table};
use crate::scope::Scope;
use crate::stream::Reading;
use crate::walk::Walk;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::file::transaction::Writing;
use crate::warehouse::ledger::runs::RunId;

impl Warehouse {
    /// Stores a page: all of it, or nothing.
    ///
    /// # Errors
    /// When the warehouse fails, or did so while the page's run was under way: what it goes on from may not be stored.
    pub(super) fn store_page(&mut self, page: &PageCommit) -> Result<Committed, WarehouseError> {
        self.check_kept(page.run)?;
        self.write(|writing| commit_page(writing, page))
    }

    /// What a run stored, as the ledger has it.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn stored_by(&self, run: RunId) -> Result<Tally, WarehouseError> {
        let count = |row: &Row<'_>, at| Ok::<_, rusqlite::Error>(row.get::<_, i64>(at)?.unsigned_abs());
        let rows = self.read(
            "select pages, rows_received, rows_inserted, rows_changed, rows_quarantined, orders_late from runs
             where run_id = ?1",
            [run],
            |row| {
                Ok(Tally {
                    pages: count(row, 0)?,
                    received: count(row, 1)?,
                    inserted: count(row, 2)?,
                    changed: count(row, 3)?,
                    quarantined: count(row, 4)?,
                    late: count(row, 5)?,
                    ..Tally::default()
                })
            },
        )?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}

/// Stores a page inside the caller's transaction.
fn commit_page(connection: &Writing<'_>, commit: &PageCommit) -> rusqlite::Result<Committed> {
    let seen_at = commit.answered_at.to_string();
    Committer::new(connection, commit, &seen_at).run()
}

impl Committer<'_> {
    fn run(&self) -> rusqlite::Result<Committed> {
        let page = &self.commit.page;
        let mut tally = Tally {
            pages: 1,
            received: page.rows.len() as u64,
            quarantined: page.rejects.len() as u64,
            ..Tally::default()
        };
        let upsert = self.upsert();
        let mut known_before = Vec::new();
        for record in &page.records {
            let StoreEffect { inserted, mut changed, born, stale } = upsert.store(record)?;
            if born {
                tally.late += self.list_late(record)?;
            } else if !stale {
                changed += self.mark_tails(record)?;
                known_before.push(record);
            }
            tally.inserted += inserted;
            tally.changed += changed;
            if inserted + changed > 0 {
                tally.enqueued += self.enqueue_dependents(record)?;
            }
        }
        // Once all members of the answer are stored.
        for record in known_before {
            let gone = self.mark_members(record)?;
            tally.changed += gone;
            if gone > 0 {
                tally.enqueued += self.enqueue_dependents(record)?;
            }
        }
        for reject in &page.rejects {
            self.quarantine(reject)?;
        }
        for drift in &page.drift {
            self.list_drift(drift)?;
        }
        let doubt = self.save_progress(&mut tally)?;
        self.count(tally)?;
        Ok(Committed { tally, doubt })
    }

    fn quarantine(&self, reject: &Reject) -> rusqlite::Result<()> {
        let digest = hex::encode(Sha256::digest(&reject.raw));
        let stream = self.commit.stream;
        let row_key = stream.listed().map_or_else(|| "null".to_owned(), |table| key_of(table, "?6"));
        let created = match stream.reading() {
            Reading::Windows => "strftime('%Y-%m-%dT%H:%M:%SZ', ?6 ->> '$.create_time')",
            Reading::Queue | Reading::QueueAndWhole | Reading::Whole => "null",
        };
        // What SQLite cannot read as JSON has neither key nor time.
        let readable = |value: &str| format!("case when json_valid(?6) then {value} end");
        self.connection
            .prepare_cached(&format!(
                "insert into quarantine (account, stream, raw_sha256, scope, reason, raw, first_run, last_run, last_seen_at,
                     record_table, row_key, created_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, {}, {})
                 on conflict (account, stream, raw_sha256)
                     do update set scope = excluded.scope, reason = excluded.reason,
                         last_run = excluded.last_run, last_seen_at = excluded.last_seen_at",
                readable(&row_key),
                readable(created)
            ))?
            .execute((
                &self.commit.account,
                stream.name(),
                digest,
                self.commit.ask.scope.to_string(),
                &reject.reason,
                &reject.raw,
                self.commit.run,
                self.seen_at,
                stream.listed().map(|table| table.name),
            ))
            .map(|_| ())
    }

    fn list_drift(&self, drift: &Drift) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "insert into drift (account, stream, kind, field, value, first_run, first_seen_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing",
            )?
            .execute((
                &self.commit.account,
                self.commit.stream.name(),
                drift.kind.to_string(),
                &drift.field,
                &drift.value,
                self.commit.run,
                self.seen_at,
            ))
            .map(|_| ())
    }

    /// Lists an order that appeared in time that had been read completely before; 1 if it is one.
    fn list_late(&self, record: &Record) -> rusqlite::Result<u64> {
        if self.commit.stream.reading() != Reading::Windows || record.text(PARENT).is_some() {
            return Ok(0);
        }
        let Some(created) = record.text("create_time") else { return Ok(0) };
        self.connection
            .prepare_cached(
                "insert into late_orders (account, order_id, create_time, found_at, run_id)
                 select ?1, ?2, ?3, ?4, ?5 where exists (
                     select 1 from coverage where account = ?1 and stream = ?6 and lane = 'created'
                         and verdict = 'complete' and window_begin <= ?3 and window_end > ?3)
                 on conflict do nothing",
            )?
            .execute((
                &self.commit.account,
                record.first_key(),
                created,
                self.seen_at,
                self.commit.run,
                self.commit.stream.name(),
            ))
            .map(|rows| rows as u64)
    }

    /// Checkpoint, coverage, queue, and what is gone. Returns why a complete answer is not believed, if so.
    fn save_progress(&self, tally: &mut Tally) -> rusqlite::Result<Option<String>> {
        let scope = &self.commit.ask.scope;
        match &self.commit.progress {
            WalkProgress::Slice => {}
            WalkProgress::Next(walk) => self.save_checkpoint(scope, walk, PageKeys::Add)?,
            WalkProgress::Again(walk) => self.save_checkpoint(scope, walk, PageKeys::Forget)?,
            WalkProgress::Divided(parts) => {
                self.forget_checkpoint()?;
                for (part, walk) in parts {
                    self.save_checkpoint(part, walk, PageKeys::Forget)?;
                }
            }
            WalkProgress::NoRecords { walk, proof } => {
                if let Some(doubt) = self.doubt_no_records(proof)? {
                    self.cover(walk, None, "disputed", &doubt)?;
                    return Ok(Some(doubt));
                }
                self.settle_parent(walk, proof, tally)?;
            }
            WalkProgress::Complete { walk, covered, proof } => {
                if let Some(doubt) = self.doubt(walk, *covered)? {
                    self.cover(walk, scope.window(), "disputed", &doubt)?;
                    return Ok(Some(doubt));
                }
                match scope {
                    Scope::Parent(_) => self.settle_parent(walk, proof, tally)?,
                    Scope::Whole => {
                        tally.changed += self.mark_vanished(walk)?;
                        tally.enqueued += self.ask_again_after_doubt(walk)?;
                        self.cover(walk, None, "complete", proof)?;
                    }
                    Scope::Created(_) | Scope::Paid(_) | Scope::Status(_) | Scope::Slice(_) => {
                        self.cover(walk, *covered, "complete", proof)?;
                    }
                }
                if let Some(covered) = covered {
                    tally.enqueued += self.look_for_missing(walk, *covered)?;
                }
            }
            WalkProgress::Disputed { walk, reason } => {
                self.cover(walk, scope.window(), "disputed", reason)?;
            }
        }
        Ok(None)
    }

    /// Takes an order out of the queue; what its answer does not show any more is gone.
    fn settle_parent(&self, walk: &Walk, proof: &str, tally: &mut Tally) -> rusqlite::Result<()> {
        self.cover(walk, None, "complete", proof)?;
        let Some(parent) = self.commit.ask.scope.parent() else { return Ok(()) };
        self.settle_entry(parent)?;
        tally.changed += self.mark_owned(parent, walk)?;
        Ok(())
    }

    fn count(&self, tally: Tally) -> rusqlite::Result<()> {
        self.connection.change_one(
            "update runs set pages = pages + ?1, rows_received = rows_received + ?2,
                 rows_inserted = rows_inserted + ?3, rows_changed = rows_changed + ?4,
                 rows_quarantined = rows_quarantined + ?5, orders_late = orders_late + ?6
             where run_id = ?7",
            (
                tally.pages,
                tally.received,
                tally.inserted,
                tally.changed,
                tally.quarantined,
                tally.late,
                self.commit.run,
            ),
        )
    }
}

/// The key that a row's text gives it in a table, as SQL: a JSON list, null when it has none. `raw` is the text, as SQL.
fn key_of(table: &Table, raw: &str) -> String {
    let part = |column: &Column| match (column.source, column.kind) {
        (Source::Field(field), Kind::OptionalId) => format!("coalesce({raw} ->> '$.{field}', '')"),
        (Source::Field(field), _) => format!("{raw} ->> '$.{field}'"),
        (Source::Nested(..) | Source::Given | Source::GivenOrKept, _) => "null".to_owned(),
    };
    let parts: Vec<String> = table.columns.iter().take(table.key_len).map(part).collect();
    let first = parts.first().map_or("null", String::as_str);
    format!("case when {first} is not null then json_array({}) end", parts.join(", "))
}

#[cfg(test)]
mod tests;
