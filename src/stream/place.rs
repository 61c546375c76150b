//! What an order says about its records of other streams.

use super::CATALOGUE;
use crate::record::{Dependent, Record};

/// Order types whose records differ (`CONTRACT` §9).
pub(super) const CHANGE: i64 = 3;
pub(super) const UNSUBSCRIPTION: i64 = 4;
pub(super) const TO_PAY_PER_USE: i64 = 10;
pub(super) const EXPENSE_ADJUSTMENT: i64 = 15;

const COMPLETED: i64 = 5;

/// An order's place, type and status.
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
    pub(super) fn of(order: &Record, trade: Trade) -> Self {
        Self { order_type: order.integer("order_type"), status: order.integer("status"), trade }
    }

    /// Whether money and resources belong to it: to the members where there are any.
    pub(super) fn is_leaf(self) -> bool {
        self.trade != Trade::Combined
    }

    pub(super) fn is_completed(self) -> bool {
        self.status == Some(COMPLETED)
    }
}

/// What must be read for an order when it is new or changed. `owner` is its combined order's, which a member may leave out.
pub(super) fn dependents(order: &Record, place: OrderPlace, owner: Option<&str>) -> Vec<Dependent> {
    let of = |stream| Dependent {
        stream,
        parent_id: order.first_key().to_owned(),
        customer_id: order.text("customer_id").filter(|id| !id.is_empty()).or(owner).map(str::to_owned),
        parent_time: order.text("create_time").unwrap_or_default().to_owned(),
    };
    CATALOGUE.iter().filter(|stream| stream.has_records_of(place)).map(|stream| of(stream.name())).collect()
}
