//! What `check` needs to know of the stored records before it asks the vendor. Changes nothing.

use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What a warehouse knows of an account that a first question to the vendor needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuestionHints {
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
    /// What is stored of an account that a question to the vendor needs.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn hints(&self, account: &str) -> Result<QuestionHints, WarehouseError> {
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
        Ok(QuestionHints {
            order: order_where("parent_order_id is null")?,
            refund: order_where("order_type in (4, 10) and status = 5")?,
            customer: customers.into_iter().next(),
            has_resources: resources.into_iter().next().unwrap_or_default(),
            discounts: discounts.into_iter().next().unwrap_or_default(),
        })
    }
}
