//! The customers of a partner, as runs ask for their lists.

use std::collections::{HashMap, HashSet};

use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// A customer of a partner, whose whole lists are read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: String,
    /// When its list was last read completely; `None`: never.
    pub read_at: Option<UtcSecond>,
}

impl Warehouse {
    /// The customers that a partner's warehouse knows, from its customer list and from its orders, in the order of
    /// expected change: those with orders that are new or changed since their list was read, then the longest unread,
    /// and last those whose list the vendor refused to show when it was last asked for. Customers who left are none.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn customers_by_expected_change(
        &self,
        account: &str,
        stream: &str,
    ) -> Result<Vec<Customer>, WarehouseError> {
        let (mut read, mut refused) = (HashMap::new(), HashSet::new());
        for (customer, run, read_at, verdict) in self.read(
            "select customer_id, run_id, read_at, verdict from coverage
             where account = ?1 and stream = ?2 and scope = 'whole' and verdict in ('complete', 'refused')",
            (account, stream),
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                ))
            },
        )? {
            if verdict == "refused" {
                refused.insert(customer);
            } else {
                read.insert(customer, (run, UtcSecond::parse(&read_at)));
            }
        }
        let mut customers = self.read(
            "select customer_id, max(run) from (
                 select customer_id, 0 as run from sub_customers where account = ?1 and gone_since is null
                 union all
                 select customer_id, last_changed_run from orders where account = ?1 and customer_id <> ''
             ) where customer_id not in (
                 select customer_id from sub_customers where account = ?1 and gone_since is not null
             ) group by customer_id",
            [account],
            |row| {
                let id: String = row.get(0)?;
                let changed: i64 = row.get(1)?;
                let (run, read_at) = read.get(&id).copied().unwrap_or((0, None));
                let is_last = refused.contains(&id);
                Ok(((is_last, changed <= run), Customer { id, read_at }))
            },
        )?;
        customers.sort_by(|(a_place, a), (b_place, b)| {
            (a_place, a.read_at, &a.id).cmp(&(b_place, b.read_at, &b.id))
        });
        Ok(customers.into_iter().map(|(_, customer)| customer).collect())
    }
}
