//! What `verify` asks of the warehouse about records that belong to orders: whether they are what was proven, and whether
//! they were read at all.

use crate::record::{Dependent, OrderPlace, Trade};
use crate::stream::{self, Stream};
use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What is proven of an order's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderProof {
    /// So many rows were in the answer that was proven complete.
    Complete(u64),
    /// The last answer could not be proven complete.
    Disputed,
    /// They were never read, and the order does not wait in the queue.
    NeverRead,
}

/// An order of which other rows are stored than were proven, or of which nothing is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnprovenOrder {
    /// The order.
    pub parent_id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// When it was created; `None` when neither the order nor its details are stored.
    pub created: Option<UtcSecond>,
    /// What is proven.
    pub proof: OrderProof,
    /// Rows stored and not gone, where some were proven.
    pub stored: u64,
}

impl UnprovenOrder {
    /// What reads its records of a stream again.
    #[must_use]
    pub fn dependent(&self, stream: &'static str) -> Dependent {
        Dependent::of(stream, &self.parent_id, self.customer_id.as_deref(), self.created)
    }

    /// Rows that were proven.
    #[must_use]
    pub const fn proven(&self) -> Option<u64> {
        match self.proof {
            OrderProof::Complete(rows) => Some(rows),
            OrderProof::Disputed | OrderProof::NeverRead => None,
        }
    }
}

/// How many orders' records of a stream were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrdersRead {
    /// Orders whose newest answer is proven complete.
    pub complete: u64,
    /// Orders that wait in the queue to be read, those of a dispute and those to be read once more later left out.
    pub queued: u64,
}

/// A member of a combined order that only one of the order list and the order details has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderMember {
    /// The member.
    pub order_id: String,
    /// Its combined order.
    pub parent_id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// When the combined order was created; `None` when no table has it.
    pub created: Option<UtcSecond>,
}

impl OrderMember {
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
             select 1 from coverage as c where c.account = m.account and c.stream = ?2
                 and c.scope = 'order ' || m.parent_order_id and c.verdict = 'complete')
         and not exists (
             select 1 from queue as q where q.account = m.account and q.stream = ?2
                 and q.parent_id = m.parent_order_id)
     order by 4, 1";

impl Warehouse {
    /// How many orders' records of a stream were read, and how many wait.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn orders_read(
        &self,
        account: &str,
        stream: &str,
        now: UtcSecond,
    ) -> Result<OrdersRead, WarehouseError> {
        let complete = self.count(
            "select count(*) from coverage
             where account = ?1 and stream = ?2 and parent_id is not null and verdict = 'complete'",
            (account, stream),
        )?;
        let queued = self.count(
            "select count(*) from queue as q
             where account = ?1 and stream = ?2 and (not_before <= ?3 or attempts > 0) and not exists (
                 select 1 from coverage as c where c.account = q.account and c.stream = q.stream
                     and c.scope = 'order ' || q.parent_id and c.verdict = 'disputed')",
            (account, stream, now.to_string()),
        )?;
        Ok(OrdersRead { complete, queued })
    }

    /// The orders whose records of a stream could not be proven complete when they were last read.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn disputed_orders(&self, account: &str, stream: &str) -> Result<Vec<UnprovenOrder>, WarehouseError> {
        self.read(
            "select c.parent_id, coalesce(nullif(c.customer_id, ''), o.customer_id), o.create_time
             from coverage as c
             left join orders as o on o.account = c.account and o.order_id = c.parent_id
             where c.account = ?1 and c.stream = ?2 and c.parent_id is not null and c.verdict = 'disputed'
                 and o.gone_since is null
             order by 1",
            (account, stream),
            |row| {
                let created: Option<String> = row.get(2)?;
                Ok(UnprovenOrder {
                    parent_id: row.get(0)?,
                    customer_id: row.get(1)?,
                    created: created.as_deref().and_then(UtcSecond::parse),
                    proof: OrderProof::Disputed,
                    stored: 0,
                })
            },
        )
    }

    /// The orders that have records of a stream by their type and status, and of which neither the coverage nor the queue
    /// knows.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn orders_never_read(
        &self,
        account: &str,
        stream: &dyn Stream,
    ) -> Result<Vec<UnprovenOrder>, WarehouseError> {
        let unknown = self.read(
            "select o.order_id, coalesce(nullif(o.customer_id, ''), p.customer_id), o.create_time, o.order_type, o.status,
                 o.parent_order_id is not null,
                 exists (select 1 from orders as m where m.account = o.account and m.parent_order_id = o.order_id)
             from orders as o
             left join orders as p on p.account = o.account and p.order_id = o.parent_order_id
             where o.account = ?1 and o.gone_since is null
                 and not exists (
                     select 1 from coverage as c
                     where c.account = o.account and c.stream = ?2 and c.scope = 'order ' || o.order_id)
                 and not exists (
                     select 1 from queue as q
                     where q.account = o.account and q.stream = ?2 and q.parent_id = o.order_id)",
            (account, stream.name()),
            |row| {
                let created: Option<String> = row.get(2)?;
                let trade = match (row.get(5)?, row.get(6)?) {
                    (true, _) => Trade::Member,
                    (false, true) => Trade::Combined,
                    (false, false) => Trade::Single,
                };
                let place = OrderPlace { order_type: row.get(3)?, status: row.get(4)?, trade };
                let unlike = UnprovenOrder {
                    parent_id: row.get(0)?,
                    customer_id: row.get(1)?,
                    created: created.as_deref().and_then(UtcSecond::parse),
                    proof: OrderProof::NeverRead,
                    stored: 0,
                };
                Ok((place, unlike))
            },
        )?;
        let owed = unknown.into_iter().filter(|(place, _)| stream.has_records_of(*place));
        Ok(owed.map(|(_, order)| order).collect())
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
    ) -> Result<Vec<UnprovenOrder>, WarehouseError> {
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
                Ok(UnprovenOrder {
                    parent_id: row.get(0)?,
                    customer_id: row.get(1)?,
                    created: created.as_deref().and_then(UtcSecond::parse),
                    proof: OrderProof::Complete(row.get(3)?),
                    stored: row.get(4)?,
                })
            },
        )
    }

    /// The members of combined orders that the details of orders have and `orders` never had, oldest first.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn members_not_in_orders(&self, account: &str) -> Result<Vec<OrderMember>, WarehouseError> {
        self.read(NOT_IN_ORDERS, [account], member)
    }

    /// The members of combined orders that the details lack although they were read, oldest first; what waits in the
    /// queue left out.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn members_not_in_details(&self, account: &str) -> Result<Vec<OrderMember>, WarehouseError> {
        self.read(NOT_IN_DETAILS, (account, stream::order_details().name()), member)
    }
}

fn member(row: &rusqlite::Row<'_>) -> rusqlite::Result<OrderMember> {
    let created: Option<String> = row.get(3)?;
    Ok(OrderMember {
        order_id: row.get(0)?,
        parent_id: row.get(1)?,
        customer_id: row.get(2)?,
        created: created.as_deref().and_then(UtcSecond::parse),
    })
}
