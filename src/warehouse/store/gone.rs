//! What is gone: when a row that the vendor showed before is believed to be no longer there, and how it is marked. Nothing is
//! deleted: `gone_since` says since when, and a later answer that shows the row takes the mark away (`upsert`).
//!
//! An answer about one order proves what belongs to it: what it does not show is gone at once. A whole list proves it when two
//! complete readings in a row do not show a row, and so does the list for an order that is asked for by its id.

use super::committer::{Committer, began};
use super::coverage::whole_reading;
use super::page::Trust;
use super::queue::{enqueue_once, read_dependent};
use super::upsert::{key_columns, key_condition};
use crate::record::{Dependent, Record, Table, Value};
use crate::scope::Scope;
use crate::stream::Owned;
use crate::time::{UtcSecond, Window};
use crate::walk::Walk;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::runs::RunId;

/// The column of orders that names the combined order of a member.
pub(super) const PARENT: &str = "parent_order_id";

/// What became of an order that a complete answer did not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is asked for once more at the next run.
    Once,
    /// It is marked as gone: another complete answer had not shown it either, or the operator says that it is true.
    Gone,
}

/// Marks the rows of a table that a condition names: at ?1, by run ?2, in account ?3, in commit ?4. The condition's own
/// parameters follow. What a row was in between within one commit is no version.
fn marking(table: &str, condition: &str) -> String {
    format!(
        "update {table} set gone_since = ?1, last_changed_run = ?2, version = version + (from_commit <> ?4),
             from_commit = ?4
         where account = ?3 and gone_since is null and {condition}"
    )
}

impl Committer<'_> {
    /// Elements behind the end of lists that became shorter are gone; how many.
    pub(super) fn mark_tails(&self, record: &Record) -> rusqlite::Result<u64> {
        let mut gone = 0;
        for (children, rows) in record.table.children.iter().zip(&record.children) {
            gone += self.mark_tail(record, children.table, rows.len())?;
        }
        Ok(gone)
    }

    fn mark_tail(&self, parent: &Record, child: &Table, len: usize) -> rusqlite::Result<u64> {
        let keys = &parent.values[..parent.table.key_len];
        let parent_keys = key_condition(key_columns(child).skip(1).take(keys.len()));
        let sql = marking(child.name, &format!("{parent_keys} and position >= ? and last_seen_at <= ?1"));
        let mut mark = self.connection.prepare_cached(&sql)?;
        mark.raw_bind_parameter(1, self.seen_at)?;
        mark.raw_bind_parameter(2, self.commit.run)?;
        mark.raw_bind_parameter(3, self.account())?;
        mark.raw_bind_parameter(4, self.connection.commit())?;
        for (at, key) in (5..).zip(keys) {
            mark.raw_bind_parameter(at, key)?;
        }
        mark.raw_bind_parameter(5 + keys.len(), len)?;
        Ok(mark.raw_execute()? as u64)
    }

    /// Rows of a parent that a complete answer, begun at `since`, no longer shows are gone; how many.
    fn mark_missing(&self, owned: Owned, parent: &str, since: &str) -> rusqlite::Result<u64> {
        let sql = marking(owned.table.name, &format!("{} = ?5 and last_seen_at < ?6", owned.parent_column));
        let mut mark = self.connection.prepare_cached(&sql)?;
        let commit = self.connection.commit();
        Ok(mark.execute((self.seen_at, self.commit.run, self.account(), commit, parent, since))? as u64)
    }

    /// What a complete answer about an order does not show of it any more is gone; how many rows.
    pub(super) fn mark_owned(&self, parent: &str, walk: &Walk) -> rusqlite::Result<u64> {
        match (self.commit.stream.owned_by_parent(), began(walk)) {
            (Some(owned), Some(since)) => self.mark_missing(owned, parent, &since),
            (None, _) | (_, None) => Ok(0),
        }
    }

    /// Members that the answer no longer shows in their combined order are gone; how many.
    pub(super) fn mark_members(&self, order: &Record) -> rusqlite::Result<u64> {
        if order.get(PARENT) != Some(&Value::Null) {
            return Ok(0);
        }
        let (id, account) = (order.first_key(), self.account());
        let members = Owned { table: order.table, parent_column: PARENT };
        let gone = self.mark_missing(members, id, self.seen_at)?;
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

    /// After a second complete walk of a whole list in a row: rows that neither showed are gone. The operator's word
    /// stands for the first one.
    pub(super) fn mark_vanished(&self, walk: &Walk) -> rusqlite::Result<u64> {
        if walk.rejected > 0 {
            return Ok(0);
        }
        let since = match self.commit.trust {
            Trust::Told => began(walk),
            Trust::Unproven | Trust::HasSeenRows => self.last_complete_start()?,
        };
        match (since, self.commit.stream.tables().first()) {
            (Some(since), Some(table)) => {
                let sql = marking(table.name, "asked_customer_id is ?5 and last_seen_at < ?6");
                let asked_customer = self.commit.ask.customer_id.as_deref();
                let mut mark = self.connection.prepare_cached(&sql)?;
                let (run, commit) = (self.commit.run, self.connection.commit());
                let marked =
                    mark.execute((self.seen_at, run, self.account(), commit, asked_customer, since))?;
                Ok(marked as u64)
            }
            (None, _) | (_, None) => Ok(0),
        }
    }

    /// Queues the orders that a complete window should have shown and did not, to be asked for by their ids. Returns
    /// how many.
    pub(super) fn look_for_missing(&self, walk: &Walk, window: Window) -> rusqlite::Result<u64> {
        let column = match (&self.commit.ask.scope, self.commit.trust) {
            (Scope::Created(_), _) => "create_time",
            // What the operator said to be true must not be doubted by the next run again.
            (Scope::Paid(_), Trust::Told) => "payment_time",
            _ => return Ok(0),
        };
        let account = &self.commit.account;
        // The window shows the orders of that time: one that another answer showed since is not absent.
        let began = began(walk).unwrap_or_default();
        let missing: Vec<Dependent> = self
            .connection
            .prepare_cached(&format!(
                "select order_id, customer_id, create_time from orders
                 where account = ?1 and parent_order_id is null and gone_since is null
                     and {column} >= ?2 and {column} < ?3 and last_seen_at < ?4"
            ))?
            .query_map((account, window.begin().to_string(), window.end().to_string(), &began), |row| {
                read_dependent(self.commit.stream.name(), row)
            })?
            .collect::<rusqlite::Result<_>>()?;
        for order in &missing {
            enqueue_once(self.connection, account, self.commit.run, self.seen_at, order)?;
            self.connection
                .prepare_cached(
                    "update queue set absent_at = max(coalesce(absent_at, ''), ?4), not_before = ''
                     where account = ?1 and stream = ?2 and parent_id = ?3",
                )?
                .execute((account, order.stream, &order.parent_id, &began))?;
        }
        Ok(missing.len() as u64)
    }

    /// When the last complete walk of the whole list began.
    fn last_complete_start(&self) -> rusqlite::Result<Option<String>> {
        let last = whole_reading(self.connection, self.account(), self.stream(), self.customer())?;
        Ok(last.filter(|last| last.rejected == 0).and_then(|last| last.started_at))
    }
}

impl Warehouse {
    /// Records that a complete answer about an order, given at `at` (UTC), does not show it. The second one without an
    /// answer between them that does marks it, and the members of a combined order, as gone; the operator's word stands
    /// for the first one.
    ///
    /// # Errors
    /// When the warehouse fails, or did so while the run was under way: what showed the order meanwhile may not be stored.
    pub fn record_absence(
        &mut self,
        account: &str,
        order_id: &str,
        at: UtcSecond,
        run: RunId,
        trust: Trust,
    ) -> Result<Absence, WarehouseError> {
        self.check_kept(run)?;
        let key = (account, order_id);
        self.write(|writing| {
            let is_second: bool = writing.query_row(
                "select q.absent_at is not null and coalesce(o.last_seen_at, '') < q.absent_at
                 from queue as q left join orders as o on o.account = q.account and o.order_id = q.parent_id
                 where q.account = ?1 and q.stream = 'orders' and q.parent_id = ?2",
                key,
                |row| row.get(0),
            )?;
            writing.change_one(
                "update queue set absent_at = ?3, attempts = attempts + 1, not_before = '',
                     last_error = 'the order list does not show it any more'
                 where account = ?1 and stream = 'orders' and parent_id = ?2",
                (account, order_id, at.to_string()),
            )?;
            if !is_second && trust != Trust::Told {
                return Ok(Absence::Once);
            }
            writing.change(
                &marking("orders", &format!("(order_id = ?5 or {PARENT} = ?5)")),
                (at.to_string(), run, account, writing.commit(), order_id),
            )?;
            // Nobody can be asked for its records any more; should it come back, it is queued anew.
            writing.change(
                "delete from queue where account = ?1 and (parent_id = ?2 or parent_id in (
                     select order_id from orders where account = ?1 and parent_order_id = ?2))",
                key,
            )?;
            Ok(Absence::Gone)
        })
    }
}
