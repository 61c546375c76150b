//! What `plan` and `verify` ask of the warehouse: how much of what is stored.

use super::{Warehouse, WarehouseError};
use crate::record::Dependent;
use crate::stream::Stream;
use crate::time::{UtcSecond, Window};

/// An order of which other rows are stored than its complete answer had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlike {
    /// The order.
    pub parent_id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// When it was created; `None` when neither the order nor its details are stored.
    pub created: Option<UtcSecond>,
    /// Rows in the answer that was proven complete.
    pub proven: u64,
    /// Rows stored and not gone.
    pub stored: u64,
}

impl Unlike {
    /// What reads its records of a stream again.
    #[must_use]
    pub fn dependent(&self, stream: &'static str) -> Dependent {
        Dependent::of(stream, &self.parent_id, self.customer_id.as_deref(), self.created)
    }
}

/// A member of a combined order that only one of the order list and the order details has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The member.
    pub order_id: String,
    /// Its combined order.
    pub parent_id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// When the combined order was created; `None` when no table has it.
    pub created: Option<UtcSecond>,
}

impl Member {
    /// What reads its combined order's records of a stream again.
    #[must_use]
    pub fn dependent(&self, stream: &'static str) -> Dependent {
        Dependent::of(stream, &self.parent_id, self.customer_id.as_deref(), self.created)
    }
}

/// The members in `order_details` that `orders` has never had.
const NOT_IN_ORDERS: &str = "select m.order_id, m.parent_order_id, coalesce(p.customer_id, m.customer_id),
         coalesce(p.create_time, m.create_time)
     from order_details as m
     left join orders as p on p.account = m.account and p.order_id = m.parent_order_id
     where m.account = ?1 and m.parent_order_id is not null and m.gone_since is null and p.gone_since is null
         and not exists (select 1 from orders as o where o.account = m.account and o.order_id = m.order_id)
     order by 4, 1";

/// The members in `orders` that `order_details` lacks, although the details of their combined order were read.
const NOT_IN_DETAILS: &str = "select m.order_id, m.parent_order_id, coalesce(p.customer_id, m.customer_id),
         coalesce(p.create_time, m.create_time)
     from orders as m
     left join orders as p on p.account = m.account and p.order_id = m.parent_order_id
     where m.account = ?1 and m.parent_order_id is not null and m.gone_since is null and p.gone_since is null
         and not exists (select 1 from order_details as d where d.account = m.account and d.order_id = m.order_id)
         and exists (
             select 1 from coverage as c where c.account = m.account and c.stream = 'order_lines'
                 and c.scope = 'order ' || m.parent_order_id and c.verdict = 'complete')
         and not exists (
             select 1 from queue as q where q.account = m.account and q.stream = 'order_lines'
                 and q.parent_id = m.parent_order_id)
     order by 4, 1";

impl Warehouse {
    fn count(&self, sql: &str, params: impl rusqlite::Params) -> Result<u64, WarehouseError> {
        let counts = self.read(sql, params, |row| row.get::<_, i64>(0))?;
        Ok(counts.first().copied().unwrap_or_default().unsigned_abs())
    }

    /// How many orders of the list are stored that were paid in a window.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_paid(&self, account: &str, window: Window) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from orders where account = ?1 and payment_time >= ?2 and payment_time < ?3
                 and parent_order_id is null and gone_since is null",
            (account, window.begin().to_string(), window.end().to_string()),
        )
    }

    /// How many orders of the list are stored with a status.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_status(&self, account: &str, status: i64) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from orders where account = ?1 and status = ?2
                 and parent_order_id is null and gone_since is null",
            (account, status),
        )
    }

    /// Whether an order waits in a queue.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn is_queued(&self, account: &str, stream: &str, parent_id: &str) -> Result<bool, WarehouseError> {
        let found = self.count(
            "select count(*) from queue where account = ?1 and stream = ?2 and parent_id = ?3",
            (account, stream, parent_id),
        )?;
        Ok(found > 0)
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
        let seen = self.read(
            "select seen from coverage where account = ?1 and stream = ?2 and scope = 'whole'
                 and customer_id = ?3 and verdict = 'complete'",
            (account, stream, customer_id.unwrap_or_default()),
            |row| row.get::<_, i64>(0),
        )?;
        Ok(seen.first().map(|seen| seen.unsigned_abs()))
    }

    /// The creation times of the stored orders of the list in `[begin, end]`, sorted.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn order_times(
        &self,
        account: &str,
        begin: UtcSecond,
        end: UtcSecond,
    ) -> Result<Vec<UtcSecond>, WarehouseError> {
        let times = self.read(
            "select distinct create_time from orders where account = ?1 and create_time >= ?2 and create_time <= ?3
                 and parent_order_id is null and gone_since is null order by create_time",
            (account, begin.to_string(), end.to_string()),
            |row| row.get::<_, String>(0),
        )?;
        Ok(times.iter().filter_map(|time| UtcSecond::parse(time)).collect())
    }

    /// How many rows of a whole list are stored and not gone; a partner's customer by customer.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_list(
        &self,
        account: &str,
        stream: &dyn Stream,
        customer_id: Option<&str>,
    ) -> Result<u64, WarehouseError> {
        let Some(table) = stream.tables().first() else { return Ok(0) };
        self.count(
            &format!(
                "select count(*) from {} where account = ?1 and asked_customer_id is ?2 and gone_since is null",
                table.name
            ),
            (account, customer_id),
        )
    }

    /// How many rows of a stream could not be decoded and are not stored by another answer; where `created` is given,
    /// only those that say they were created in it, both ends included.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_undecoded(
        &self,
        account: &str,
        stream: &dyn Stream,
        created: Option<(UtcSecond, UtcSecond)>,
    ) -> Result<u64, WarehouseError> {
        let Some((table, key)) =
            stream.tables().first().and_then(|table| Some((table, table.columns.first()?)))
        else {
            return Ok(0);
        };
        // A row that came in several forms is one row. What SQLite cannot read as JSON has neither key nor time.
        let (begin, end) =
            created.map_or((None, None), |(begin, end)| (Some(begin.to_string()), Some(end.to_string())));
        self.count(
            &format!(
                "with rows as (
                     select raw_sha256, iif(json_valid(raw), raw, '{{}}') as raw from quarantine
                     where account = ?1 and stream = ?2 and scope not like 'order %'
                 ), named as (
                     select coalesce(raw ->> '$.{0}', raw_sha256) as key, raw ->> '$.create_time' as created from rows
                 )
                 select count(distinct key) from named
                 where (?3 is null or created >= ?3 and created <= ?4)
                     and not exists (select 1 from {1} as t where t.account = ?1 and t.{0} = named.key)",
                key.name, table.name
            ),
            (account, stream.name(), begin, end),
        )
    }

    /// The orders of which other rows are stored than the answer had that was proven complete, newest first. Orders that
    /// are being read are left out: some of their rows may be newer than the proof.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn unlike_their_proof(
        &self,
        account: &str,
        stream: &dyn Stream,
    ) -> Result<Vec<Unlike>, WarehouseError> {
        let Some(owned) = stream.owned_by_parent() else { return Ok(Vec::new()) };
        self.read(
            &format!(
                "with counted as (
                     select parent_id, seen - rejected as proven, nullif(customer_id, '') as whose, (
                         select count(*) from {} as t
                         where t.account = c.account and t.{} = c.parent_id and t.gone_since is null) as stored
                     from coverage as c
                     where c.account = ?1 and c.stream = ?2 and c.parent_id is not null and c.verdict = 'complete'
                         and not exists (
                             select 1 from checkpoints as k where k.account = c.account and k.stream = c.stream
                                 and k.scope = c.scope and k.customer_id = c.customer_id)
                 )
                 select parent_id, coalesce(whose, o.customer_id),
                     coalesce(o.create_time, d.create_time), proven, stored
                 from counted
                 left join orders as o on o.account = ?1 and o.order_id = parent_id
                 left join order_details as d on d.account = ?1 and d.order_id = parent_id
                 where proven <> stored order by 3 desc, parent_id",
                owned.table.name, owned.parent_column
            ),
            (account, stream.name()),
            |row| {
                let created: Option<String> = row.get(2)?;
                Ok(Unlike {
                    parent_id: row.get(0)?,
                    customer_id: row.get(1)?,
                    created: created.as_deref().and_then(UtcSecond::parse),
                    proven: row.get::<_, i64>(3)?.unsigned_abs(),
                    stored: row.get::<_, i64>(4)?.unsigned_abs(),
                })
            },
        )
    }

    /// The members of combined orders that the details of orders have and `orders` never had, oldest first.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn members_not_in_orders(&self, account: &str) -> Result<Vec<Member>, WarehouseError> {
        self.read(NOT_IN_ORDERS, [account], member)
    }

    /// The members of combined orders that the details lack although they were read, oldest first; what waits in the
    /// queue left out.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn members_not_in_details(&self, account: &str) -> Result<Vec<Member>, WarehouseError> {
        self.read(NOT_IN_DETAILS, [account], member)
    }
}

fn member(row: &rusqlite::Row<'_>) -> rusqlite::Result<Member> {
    let created: Option<String> = row.get(3)?;
    Ok(Member {
        order_id: row.get(0)?,
        parent_id: row.get(1)?,
        customer_id: row.get(2)?,
        created: created.as_deref().and_then(UtcSecond::parse),
    })
}
