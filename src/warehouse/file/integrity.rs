//! What `check` looks at: whether the file is whole, and what it knows that a question to the vendor needs. Changes nothing.

use std::path::Path;

use super::error::WarehouseError;
use super::lock;
use super::open::{OLDEST_SQLITE, Warehouse};
use crate::warehouse::schema::files::version;

/// How closely a warehouse is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closeness {
    /// The structure of every page; not whether indexes and tables agree.
    Quick,
    /// Everything: reads each row and each index entry.
    Full,
}

/// What a warehouse knows of an account that a first question to the vendor needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The newest order that the list shows in its own right, and its owner.
    pub order: Option<(String, Option<String>)>,
    /// The newest completed refund, and its owner.
    pub refund: Option<(String, Option<String>)>,
    /// A customer of a partner.
    pub customer: Option<String>,
    /// Whether resources are stored that are not gone.
    pub has_resources: bool,
    /// Of the newest orders that cost less than their official price: how many say which discounts, and how many there are.
    pub discounts: (u64, u64),
}

/// Orders that are looked at for their discounts: a page of them tells.
const DISCOUNTED: u32 = 20;

impl Warehouse {
    /// Who holds a warehouse, as its lock file says; `None` when nobody does. Takes no lock.
    #[must_use]
    pub fn holder(path: &Path) -> Option<String> {
        lock::holder(path)
    }

    /// The version of the SQLite library.
    ///
    /// # Errors
    /// When it is too old to be trusted with a warehouse.
    pub fn sqlite() -> Result<&'static str, WarehouseError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(WarehouseError::OldLibrary { version: rusqlite::version().to_owned() });
        }
        Ok(rusqlite::version())
    }

    /// The version of the file's schema, and the one this program writes.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn schema(&self) -> Result<(i32, i32), WarehouseError> {
        let found = self.connection.pragma_query_value(None, "user_version", |row| row.get(0));
        Ok((found.map_err(|error| self.sql(&error))?, version()))
    }

    /// The size of the file, in bytes.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn bytes(&self) -> Result<u64, WarehouseError> {
        self.size().map_err(|error| self.sql(&error))
    }

    pub(in crate::warehouse) fn size(&self) -> rusqlite::Result<u64> {
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
        Ok(pragma("page_count")? * pragma("page_size")?)
    }

    /// Asks SQLite whether the file is whole.
    ///
    /// # Errors
    /// When it is not, or cannot be read.
    pub fn check_integrity(&self, closeness: Closeness) -> Result<(), WarehouseError> {
        let question = match closeness {
            Closeness::Quick => "quick_check",
            Closeness::Full => "integrity_check",
        };
        // One finding is enough: a damaged file is restored, not repaired.
        let verdict: String = self
            .connection
            .query_row(&format!("pragma {question}(1)"), [], |row| row.get(0))
            .map_err(|error| self.sql(&error))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(WarehouseError::Damaged { path: self.path.clone(), detail: verdict })
    }

    /// What is stored of an account that a question to the vendor needs.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn hints(&self, account: &str) -> Result<Hints, WarehouseError> {
        let order_where = |condition: &str| {
            let sql = format!(
                "select order_id, nullif(customer_id, '') from orders
                 where account = ?1 and gone_since is null and {condition} order by create_time desc limit 1"
            );
            self.read(&sql, [account], |row| Ok((row.get(0)?, row.get(1)?)))
                .map(|rows| rows.into_iter().next())
        };
        let customers = self.read(
            "select customer_id from sub_customers where account = ?1 and gone_since is null limit 1",
            [account],
            |row| row.get(0),
        )?;
        let resources = self.read(
            "select exists (select 1 from resources where account = ?1 and gone_since is null)",
            [account],
            |row| row.get(0),
        )?;
        let discounts = self.read(
            "select coalesce(sum(shown), 0), count(*) from (
                 select exists (
                     select 1 from order_discounts as d where d.account = o.account and d.order_id = o.order_id
                 ) as shown
                 from orders as o
                 where o.account = ?1 and o.gone_since is null and o.official_amount_e8 > o.amount_after_discount_e8
                 order by o.create_time desc limit ?2
             )",
            (account, DISCOUNTED),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Hints {
            order: order_where("parent_order_id is null")?,
            refund: order_where("order_type in (4, 10) and status = 5")?,
            customer: customers.into_iter().next(),
            has_resources: resources.into_iter().next().unwrap_or_default(),
            discounts: discounts.into_iter().next().unwrap_or_default(),
        })
    }
}
