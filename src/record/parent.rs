//! Orders as the parents of records of other streams.

use crate::time::UtcSecond;

/// The status of an order that is completed (vendor-contract.md §9).
const COMPLETED: i64 = 5;

/// An order, and what tells which streams have records of it.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Its id.
    pub id: String,
    /// Its owner, whom partners must name.
    pub customer_id: Option<String>,
    /// When it was created, UTC, as the vendor writes it; empty when it does not.
    pub created: String,
    /// What it is.
    pub place: OrderPlace,
}

impl Parent {
    /// What reads its records of a stream.
    #[must_use]
    pub fn dependent(&self, stream: &'static str) -> Dependent {
        Dependent {
            stream,
            parent_id: self.id.clone(),
            customer_id: self.customer_id.clone(),
            parent_time: self.created.clone(),
        }
    }
}

/// An order's type, status and place among others.
#[derive(Clone, Copy, Debug)]
pub struct OrderPlace {
    /// Type of the order.
    pub order_type: Option<i64>,
    /// Status of the order.
    pub status: Option<i64>,
    /// Whether others belong to it, or it to another.
    pub trade: Trade,
}

/// How an order is combined with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// It stands alone.
    Single,
    /// It has members.
    Combined,
    /// It is a member of a combined order.
    Member,
}

impl OrderPlace {
    /// Whether money and resources belong to it: to the members where there are any.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        self.trade != Trade::Combined
    }

    /// Whether it is completed.
    #[must_use]
    pub fn is_completed(self) -> bool {
        self.status == Some(COMPLETED)
    }
}

/// A record that must be read for a parent: it goes into the queue with the parent's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// The stream that reads it.
    pub stream: &'static str,
    /// The order to ask for.
    pub parent_id: String,
    /// The order's owner, whom partners must name.
    pub customer_id: Option<String>,
    /// When the order was created; newest first.
    pub parent_time: String,
}

impl Dependent {
    /// The records of a stream that belong to an order; `created` is when that was, if it is known.
    #[must_use]
    pub fn of(
        stream: &'static str,
        order_id: &str,
        customer_id: Option<&str>,
        created: Option<UtcSecond>,
    ) -> Self {
        Self {
            stream,
            parent_id: order_id.to_owned(),
            customer_id: customer_id.map(str::to_owned),
            parent_time: created.map(|created| created.to_string()).unwrap_or_default(),
        }
    }
}
