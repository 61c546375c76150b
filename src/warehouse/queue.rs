//! The queue of dependent records, as runs see it: what is due, what failed, what must be looked at again.

use std::collections::HashSet;

use rusqlite::Connection;

use super::commit::saturate;
use super::ledger::RunId;
use super::{Warehouse, WarehouseError};
use crate::record::Dependent;
use crate::time::UtcSecond;

/// An order whose dependent records are still to be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueEntry {
    /// The order.
    pub parent_id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// Which reason it is there for: a reading settles this one only.
    pub generation: i64,
}

/// Orders whose status can still change, by status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrders {
    /// The status; `None` when the vendor sent none.
    pub status: Option<i64>,
    /// How many.
    pub count: u64,
}

/// Failures of an entry that the next run tries again at once; after them the wait doubles, up to a day, so that
/// orders that never succeed do not stand before the others.
const EAGER_ATTEMPTS: u32 = 2;

/// Orders that the list shows in their own right and whose status can still change: 4 and 5 look final
/// (`CONTRACT` §9).
const OPEN: &str = "account = ?1 and parent_order_id is null and gone_since is null
     and (status is null or status not in (4, 5)) and coalesce(create_time, '') < ?2";

impl Warehouse {
    /// Open orders created before `before`, counted by status.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn open_orders(&self, account: &str, before: UtcSecond) -> Result<Vec<OpenOrders>, WarehouseError> {
        self.connection
            .prepare_cached(&format!("select status, count(*) from orders where {OPEN} group by status"))
            .and_then(|mut statement| {
                statement
                    .query_map((account, before.to_string()), |row| {
                        let count: i64 = row.get(1)?;
                        Ok(OpenOrders { status: row.get(0)?, count: count.unsigned_abs() })
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .map_err(|error| self.sql(&error))
    }

    /// Puts the open orders of a status, created before `before` and not among `seen`, into the queue, to be
    /// read one by one. Returns how many.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn enqueue_open_orders(
        &mut self,
        account: &str,
        status: Option<i64>,
        before: UtcSecond,
        seen: &HashSet<String>,
        run: RunId,
    ) -> Result<u64, WarehouseError> {
        let path = self.path.clone();
        let sql = |error| WarehouseError::sql(&path, &error);
        let tx = self.connection.transaction().map_err(sql)?;
        let departed: Vec<Dependent> = tx
            .prepare_cached(&format!(
                "select order_id, customer_id, coalesce(create_time, '') from orders where {OPEN} and status is ?3"
            ))
            .and_then(|mut statement| {
                statement
                    .query_map((account, before.to_string(), status), |row| {
                        Ok(Dependent {
                            stream: "orders",
                            parent_id: row.get(0)?,
                            customer_id: row.get(1)?,
                            parent_time: row.get(2)?,
                        })
                    })?
                    .filter(|order| order.as_ref().map_or(true, |order| !seen.contains(&order.parent_id)))
                    .collect()
            })
            .map_err(sql)?;
        let now = UtcSecond::now().to_string();
        for order in &departed {
            enqueue_once(&tx, account, run, &now, order).map_err(sql)?;
        }
        tx.commit().map_err(sql)?;
        Ok(departed.len() as u64)
    }

    /// The next entries of a queue that are due: newest orders first, those that failed before behind all others.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn due_entries(
        &self,
        account: &str,
        stream: &str,
        now: UtcSecond,
        count: u64,
    ) -> Result<Vec<QueueEntry>, WarehouseError> {
        self.connection
            .prepare_cached(
                "select * from (
                     select parent_id, customer_id, generation from queue
                     where account = ?1 and stream = ?2 and not_before <= ?3 and attempts = 0
                     order by parent_time desc limit ?4)
                 union all
                 select * from (
                     select parent_id, customer_id, generation from queue
                     where account = ?1 and stream = ?2 and not_before <= ?3 and attempts > 0
                     order by parent_time desc limit ?4)
                 limit ?4",
            )
            .and_then(|mut statement| {
                statement
                    .query_map((account, stream, now.to_string(), saturate(count)), |row| {
                        Ok(QueueEntry {
                            parent_id: row.get(0)?,
                            customer_id: row.get(1)?,
                            generation: row.get(2)?,
                        })
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .map_err(|error| self.sql(&error))
    }

    /// Entries of a queue that are due.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_due(&self, account: &str, stream: &str, now: UtcSecond) -> Result<u64, WarehouseError> {
        self.connection
            .query_row(
                "select count(*) from queue where account = ?1 and stream = ?2 and not_before <= ?3",
                (account, stream, now.to_string()),
                |row| row.get::<_, i64>(0),
            )
            .map(i64::unsigned_abs)
            .map_err(|error| self.sql(&error))
    }

    /// Records why an entry could not be settled; it stays, and blocks no other.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn entry_failed(
        &mut self,
        account: &str,
        stream: &str,
        entry: &QueueEntry,
        error: &str,
    ) -> Result<(), WarehouseError> {
        self.connection
            .execute(
                "update queue set last_error = ?1, attempts = attempts + 1,
                     not_before = iif(attempts < ?5, '', strftime('%Y-%m-%dT%H:%M:%SZ', 'now',
                         printf('+%d minutes', min(15 << min(attempts - ?5, 10), 1440))))
                 where account = ?2 and stream = ?3 and parent_id = ?4 and generation = ?6",
                (error, account, stream, &entry.parent_id, EAGER_ATTEMPTS, entry.generation),
            )
            .map(|_| ())
            .map_err(|error| self.sql(&error))
    }
}

/// Puts an order into the queue of a stream, or renews the reason why it is there.
pub(super) fn enqueue(
    connection: &Connection,
    account: &str,
    run: RunId,
    at: &str,
    dependent: &Dependent,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "insert into queue (account, stream, parent_id, customer_id, parent_time, enqueued_run, enqueued_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict (account, stream, parent_id) do update set
                 customer_id = excluded.customer_id, parent_time = excluded.parent_time, not_before = '',
                 generation = generation + 1, attempts = 0, last_error = null,
                 enqueued_run = excluded.enqueued_run, enqueued_at = excluded.enqueued_at",
        )?
        .execute((
            account,
            dependent.stream,
            &dependent.parent_id,
            &dependent.customer_id,
            &dependent.parent_time,
            run,
            at,
        ))
        .map(|_| ())
}

/// Puts an order into the queue unless it is there already, waiting for its next try.
pub(super) fn enqueue_once(
    connection: &Connection,
    account: &str,
    run: RunId,
    at: &str,
    dependent: &Dependent,
) -> rusqlite::Result<()> {
    let is_queued = connection
        .prepare_cached("select 1 from queue where account = ?1 and stream = ?2 and parent_id = ?3")?
        .exists((account, dependent.stream, &dependent.parent_id))?;
    if is_queued { Ok(()) } else { enqueue(connection, account, run, at, dependent) }
}
