//! One page, one transaction: rows, history, queue, checkpoint, coverage and counters, or nothing of it.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use super::coverage::{Pages, began};
use super::queue::enqueue;
use super::upsert::{Effect, Origin, Store};
use crate::page::Page;
use crate::record::{Drift, Record, Reject, Value};
use crate::scope::{Ask, Role, Scope};
use crate::stream::{Owned, Reading, Stream};
use crate::time::{UtcSecond, Window, seconds};
use crate::walk::Walk;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::runs::RunId;

/// The column of orders that names the combined order of a member.
const PARENT: &str = "parent_order_id";

/// A page to store, and what it means for the walk it belongs to.
#[derive(Debug)]
pub struct PageCommit {
    /// The run that read it.
    pub run: RunId,
    /// Account of the configuration.
    pub account: String,
    /// The account's role.
    pub role: Role,
    /// The stream.
    pub stream: &'static dyn Stream,
    /// What was asked.
    pub ask: Ask,
    /// When the vendor answered.
    pub answered_at: UtcSecond,
    /// The rows.
    pub page: Page,
    /// Where the walk stands now.
    pub progress: Progress,
    /// For entries of the queue: which generation of the entry this reading settles.
    pub generation: Option<i64>,
    /// How far an answer with few rows is believed.
    pub trust: Trust,
    /// Streams that cannot be asked for in this account: nothing is queued for them.
    pub out_of_reach: Arc<[&'static str]>,
}

/// How far a complete answer is believed that shows fewer rows than the warehouse has: with the wrong kind of
/// credential an endpoint may answer success without rows (`CONTRACT` §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing yet shows that this credential sees any rows of the stream.
    Unproven,
    /// Other answers of the run had rows.
    HasSeenRows,
    /// The operator says that it is true.
    Told,
}

/// Where a walk stands after a page.
#[derive(Debug)]
pub enum Progress {
    /// It goes on here.
    Next(Walk),
    /// It begins anew: its end proved nothing.
    Again(Walk),
    /// It begins anew in smaller windows.
    Divided(Vec<(Scope, Walk)>),
    /// A page of a list that is read in slices: nothing to go on from.
    Slice,
    /// Everything was read.
    Complete {
        /// The walk.
        walk: Walk,
        /// The window that is proven, for scopes that are one.
        covered: Option<Window>,
        /// What proves it.
        proof: &'static str,
    },
    /// The vendor says in so many words that the order has no such records.
    NoRecords {
        /// The walk.
        walk: Walk,
        /// The vendor's words.
        proof: &'static str,
    },
    /// It ended several times without proof.
    Disputed {
        /// The last walk.
        walk: Walk,
        /// Why.
        reason: String,
    },
}

/// What a commit changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers stored.
    pub pages: u64,
    /// Rows in them.
    pub received: u64,
    /// Record rows that were new.
    pub inserted: u64,
    /// Record rows whose content changed.
    pub changed: u64,
    /// Rows that could not be decoded.
    pub quarantined: u64,
    /// Entries put into the queue.
    pub enqueued: u64,
    /// Orders that appeared in time that had been read completely before.
    pub late: u64,
}

impl Tally {
    /// Adds another commit's.
    pub const fn add(&mut self, other: Self) {
        self.pages += other.pages;
        self.received += other.received;
        self.inserted += other.inserted;
        self.changed += other.changed;
        self.quarantined += other.quarantined;
        self.enqueued += other.enqueued;
        self.late += other.late;
    }
}

/// What came of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// What it changed.
    pub tally: Tally,
    /// Why a complete answer is not believed: what was asked for is then to be read again.
    pub doubt: Option<String>,
}

impl Warehouse {
    /// Stores pages in one transaction.
    pub(super) fn commit_pages(
        &mut self,
        pages: &[Box<PageCommit>],
    ) -> Result<Vec<Committed>, WarehouseError> {
        let path = self.path.clone();
        let sql = |error| WarehouseError::sql(&path, &error);
        let tx = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(sql)?;
        let committed = pages
            .iter()
            .map(|page| commit_page(&tx, page))
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(sql)?;
        tx.commit().map_err(sql)?;
        Ok(committed)
    }
}

/// Stores a page inside the caller's transaction.
fn commit_page(connection: &Connection, commit: &PageCommit) -> rusqlite::Result<Committed> {
    let seen_at = commit.answered_at.to_string();
    let origin = Origin {
        account: &commit.account,
        role: commit.role,
        asked_customer: commit.ask.customer_id.as_deref(),
        run: commit.run,
        seen_at: &seen_at,
    };
    let committer = Committer { store: Store { connection, origin }, connection, commit, seen_at: &seen_at };
    committer.run()
}

pub(super) struct Committer<'a> {
    pub(super) store: Store<'a>,
    pub(super) connection: &'a Connection,
    pub(super) commit: &'a PageCommit,
    pub(super) seen_at: &'a str,
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
        let mut known_before = Vec::new();
        for record in &page.records {
            let Effect { inserted, changed, born, stale } = self.store.store(record)?;
            if born {
                tally.late += self.list_late(record)?;
            } else if !stale {
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
            let gone = self.mark_members_gone(record)?;
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

    /// Queues what must be read for a record that is new or changed; how much that is.
    fn enqueue_dependents(&self, record: &Record) -> rusqlite::Result<u64> {
        let Self { connection, commit, seen_at, .. } = self;
        let mut enqueued = 0;
        for dependent in &record.dependents {
            if !commit.out_of_reach.contains(&dependent.stream) {
                enqueue(connection, &commit.account, commit.run, seen_at, dependent)?;
                enqueued += 1;
            }
        }
        Ok(enqueued)
    }

    /// Members that the answer no longer shows in their combined order are gone; how many.
    fn mark_members_gone(&self, order: &Record) -> rusqlite::Result<u64> {
        if order.get(PARENT) != Some(&Value::Null) {
            return Ok(0);
        }
        let (id, account) = (order.first_key(), &self.commit.account);
        let members = Owned { table: order.table, parent_column: PARENT };
        let gone = self.store.mark_missing_gone(members, id, self.seen_at)?;
        if gone > 0 {
            // Nobody can be asked for their records any more; should one come back, it is queued anew.
            self.connection
                .prepare_cached(
                    "delete from queue where account = ?1 and parent_id in (
                         select order_id from orders
                         where account = ?1 and parent_order_id = ?2 and gone_since is not null)",
                )?
                .execute((account, id))?;
        }
        Ok(gone)
    }

    fn quarantine(&self, reject: &Reject) -> rusqlite::Result<()> {
        let digest = hex::encode(Sha256::digest(&reject.raw));
        self.connection
            .prepare_cached(
                "insert into quarantine (account, stream, raw_sha256, scope, reason, raw, first_run, last_run, last_seen_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
                 on conflict (account, stream, raw_sha256)
                     do update set scope = excluded.scope, reason = excluded.reason,
                         last_run = excluded.last_run, last_seen_at = excluded.last_seen_at",
            )?
            .execute((
                &self.commit.account,
                self.commit.stream.name(),
                digest,
                self.commit.ask.scope.to_string(),
                &reject.reason,
                &reject.raw,
                self.commit.run,
                self.seen_at,
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
            Progress::Slice => {}
            Progress::Next(walk) => self.save_checkpoint(scope, walk, Pages::Add)?,
            Progress::Again(walk) => self.save_checkpoint(scope, walk, Pages::Forget)?,
            Progress::Divided(parts) => {
                self.forget_checkpoint()?;
                for (part, walk) in parts {
                    self.save_checkpoint(part, walk, Pages::Forget)?;
                }
            }
            Progress::NoRecords { walk, proof } => {
                if let Some(doubt) = self.doubt_no_records(proof)? {
                    self.cover(walk, None, "disputed", &doubt)?;
                    return Ok(Some(doubt));
                }
                self.settle_parent(walk, proof, tally)?;
            }
            Progress::Complete { walk, covered, proof } => {
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
            Progress::Disputed { walk, reason } => {
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
        if let (Some(owned), Some(since)) = (self.commit.stream.owned_by_parent(), began(walk)) {
            tally.changed += self.store.mark_missing_gone(owned, parent, &since)?;
        }
        Ok(())
    }

    /// After a second complete walk of a whole list in a row: rows that neither showed are gone. The operator's word
    /// stands for the first one.
    fn mark_vanished(&self, walk: &Walk) -> rusqlite::Result<u64> {
        if walk.rejected > 0 {
            return Ok(0);
        }
        let since = match self.commit.trust {
            Trust::Told => began(walk),
            Trust::Unproven | Trust::HasSeenRows => self.last_complete_start()?,
        };
        match (since, self.commit.stream.tables().first()) {
            (Some(since), Some(table)) => self.store.mark_vanished_gone(table, &since),
            (None, _) | (_, None) => Ok(0),
        }
    }

    pub(super) fn customer(&self) -> &str {
        self.commit.ask.customer_id.as_deref().unwrap_or_default()
    }

    /// Takes the order out of the queue, unless it changed meanwhile or must be read once more later.
    fn settle_entry(&self, parent: &str) -> rusqlite::Result<()> {
        let (Some(generation), account) = (self.commit.generation, &self.commit.account) else {
            return Ok(());
        };
        let stream = self.commit.stream.name();
        if let Some(delay) = self.commit.stream.read_again_after() {
            // Recent is an order that was created or paid a short while ago, or that was stored before and
            // changed then.
            let is_recent: bool = self
                .connection
                .prepare_cached(
                    "select max(coalesce(o.create_time, ''), coalesce(o.payment_time, '')) > ?3
                         or (o.version > 1 and q.enqueued_at > ?3)
                     from orders as o
                     join queue as q on q.account = o.account and q.stream = ?4 and q.parent_id = o.order_id
                     where o.account = ?1 and o.order_id = ?2",
                )?
                .query_row(
                    (account, parent, self.commit.answered_at.minus(delay).to_string(), stream),
                    |row| row.get(0),
                )
                .optional()?
                .unwrap_or(false);
            if is_recent {
                let later = self.commit.answered_at.plus(seconds(delay));
                return self
                    .connection
                    .prepare_cached(
                        "update queue set not_before = ?1, attempts = 0, last_error = null
                         where account = ?2 and stream = ?3 and parent_id = ?4 and generation = ?5",
                    )?
                    .execute((later.to_string(), account, stream, parent, generation))
                    .map(|_| ());
            }
        }
        self.connection
            .prepare_cached(
                "delete from queue where account = ?1 and stream = ?2 and parent_id = ?3 and generation = ?4",
            )?
            .execute((account, stream, parent, generation))
            .map(|_| ())
    }

    fn count(&self, tally: Tally) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "update runs set pages = pages + ?1, rows_received = rows_received + ?2,
                     rows_inserted = rows_inserted + ?3, rows_changed = rows_changed + ?4,
                     rows_quarantined = rows_quarantined + ?5, orders_late = orders_late + ?6
                 where run_id = ?7",
            )?
            .execute((
                tally.pages,
                tally.received,
                tally.inserted,
                tally.changed,
                tally.quarantined,
                tally.late,
                self.commit.run,
            ))
            .map(|_| ())
    }
}

#[cfg(test)]
mod tests;
