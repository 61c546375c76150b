//! What the streams of orders share: the columns of an order, its members, and who may see it.

use serde_json::value::RawValue;

use super::spec::Permissions;
use crate::decode::decode_row;
use crate::json::Object;
use crate::record::{Drift, OrderPlace, Parent, Record, Reject, Table, Trade, Value};

/// The permission to see orders and what belongs to them (vendor-contract.md §7.1 to §7.3).
pub(super) const PERMISSION: Permissions = Permissions {
    customer: Some("billing:order:view (older name bss:order:view)"),
    partner: Some("BPC_ITEM_SUBCUSTSERV_060100 or BPC_ITEM_SUBCUSTSERV_060200"),
};

/// Order types whose records differ (vendor-contract.md §9).
pub(super) const CHANGE: i64 = 3;
pub(super) const UNSUBSCRIPTION: i64 = 4;
pub(super) const TO_PAY_PER_USE: i64 = 10;
pub(super) const EXPENSE_ADJUSTMENT: i64 = 15;

/// The field that holds the members of a combined order.
pub(super) const MEMBERS: &str = "sub_order_infos";

/// Decodes an order and the members of a combined one. An order with a broken member is rejected whole:
/// its other members would not add up to it.
pub(super) fn decode_order(
    table: &'static Table,
    raw: &RawValue,
    drift: &mut Vec<Drift>,
) -> Result<(Record, Vec<Record>), Reject> {
    let reject = |reason: String| Reject { raw: raw.get().to_owned(), reason };
    let order = decode_row(table, raw, &[Value::Null], drift)?;
    let mut fields = Object::parse(raw.get()).map_err(|error| reject(error.to_string()))?;
    let parent = Value::from(order.first_key());
    let members = fields
        .take_rows(MEMBERS)
        .map_err(|error| reject(error.to_string()))?
        .unwrap_or_default()
        .into_iter()
        .map(|member| decode_row(table, member, std::slice::from_ref(&parent), drift))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|inner| reject(format!("member of the combined order: {}", inner.reason)))?;
    Ok((order, members))
}

/// An order as the parent of its records. `owner` is its combined order's, which a member may leave out.
pub(super) fn parent(order: &Record, trade: Trade, owner: Option<&str>) -> Parent {
    Parent {
        id: order.first_key().to_owned(),
        customer_id: order.text("customer_id").filter(|id| !id.is_empty()).or(owner).map(str::to_owned),
        created: order.text("create_time").unwrap_or_default().to_owned(),
        place: OrderPlace { order_type: order.integer("order_type"), status: order.integer("status"), trade },
    }
}

/// The columns that the order list and the order details share (`CustomerOrderV2`, `CustomerOrderV3` and
/// their sub-orders), followed by the caller's own.
macro_rules! order_columns {
    ($($own:expr),* $(,)?) => {
        &[
            $crate::record::Column::id("order_id"),
            $crate::record::Column::given_or_kept("parent_order_id"),
            $crate::record::Column::text("customer_id"),
            $crate::record::Column::text("service_type_code"),
            $crate::record::Column::text("service_type_name"),
            $crate::record::Column::integer_code("source_type", $crate::stream::codes::ORDER_SOURCE),
            $crate::record::Column::integer_code("status", $crate::stream::codes::ORDER_STATUS),
            $crate::record::Column::integer_code("order_type", $crate::stream::codes::ORDER_TYPE),
            $crate::record::Column::money("amount_after_discount_e8", "amount_after_discount"),
            $crate::record::Column::money("official_amount_e8", "official_amount"),
            $crate::record::Column::main_unit("measure_id"),
            $crate::record::Column::time("create_time"),
            $crate::record::Column::time("payment_time"),
            $crate::record::Column::text("currency"),
            $crate::record::Column::text("contract_id"),
            $crate::record::Column::nested("flexipurchase_coupon_amount_e8", "amount_info", "flexipurchase_coupon_amount", $crate::record::Kind::Money),
            $crate::record::Column::nested("coupon_amount_e8", "amount_info", "coupon_amount", $crate::record::Kind::Money),
            $crate::record::Column::nested("stored_card_amount_e8", "amount_info", "stored_card_amount", $crate::record::Kind::Money),
            $crate::record::Column::nested("commission_amount_e8", "amount_info", "commission_amount", $crate::record::Kind::Money),
            $crate::record::Column::nested("consumed_amount_e8", "amount_info", "consumed_amount", $crate::record::Kind::Money),
            $($own),*
        ]
    };
}
pub(super) use order_columns;

/// The table of a list of discounts whose owner's key is `$owner`.
macro_rules! discount_table {
    ($name:literal, $owner:literal) => {
        $crate::record::Table {
            name: $name,
            key_len: 2,
            columns: &[
                $crate::record::Column::given($owner),
                $crate::record::Column::given("position"),
                $crate::record::Column::code("discount_type", $crate::stream::codes::DISCOUNT_TYPE),
                $crate::record::Column::money("discount_amount_e8", "discount_amount"),
            ],
            children: &[],
            elsewhere: &[],
            context: $crate::record::Context::InParent,
        }
    };
}
pub(super) use discount_table;
