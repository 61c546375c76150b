//! Refund attributions: which original orders the money of an unsubscription or downgrade comes from.

use std::time::Duration;

use super::list::ListAnswer;
use super::order::{CHANGE, PERMISSION, TO_PAY_PER_USE, UNSUBSCRIPTION};
use super::spec::{Migration, Naming, Owned, Reading, Spec, Stream, StreamKind};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Column, Context, OrderPlace, Table, Value};
use crate::request::{Endpoint, Method, Pagination, Request, ResellerIn};
use crate::scope::{Ask, Scope};
use crate::walk::{Cursor, Paging};

/// `GET /v2/orders/customer-orders/refund-orders` (vendor-contract.md §7.3).
pub(crate) struct RefundAttributions;

static ENDPOINT: Endpoint = Endpoint {
    name: "refund_orders",
    method: Method::Get,
    path: "/v2/orders/customer-orders/refund-orders",
    // The endpoint has no paging: one answer has all records.
    pages: Pagination::None,
    quota: Quota::per_second(10),
    reseller: ResellerIn::Query,
};

static ATTRIBUTIONS: Table = Table {
    name: "refund_attributions",
    key_len: 2,
    columns: &[
        // No record says which refund it belongs to: only the request does.
        Column::given("refund_order_id"),
        Column::id("id"),
        Column::money("amount_e8", "amount"),
        Column::main_unit("measure_id"),
        Column::text("customer_id"),
        Column::text("resource_type_code"),
        Column::text("service_type_code"),
        Column::text("resource_type_name"),
        Column::text("service_type_name"),
        Column::text("region_code"),
        Column::text("base_order_id"),
    ],
    children: &[],
    elsewhere: &[],
    context: Context::Stored,
};

/// Asked at every change until the end: when attributions appear is not documented (vendor-contract.md §10).
fn gives_money_back(order: OrderPlace) -> bool {
    order.is_leaf()
        && match order.order_type {
            Some(UNSUBSCRIPTION | TO_PAY_PER_USE) => true,
            // The list does not tell a downgrade from an upgrade; the answer does.
            Some(CHANGE) => order.is_completed(),
            Some(_) | None => false,
        }
}

static SPEC: Spec = Spec {
    schema: &[Migration::new(4, include_str!("../../schema/refund_attributions.sql"))],
    job: include_str!("../../jobs/refund_attributions.toml"),
    kind: StreamKind::Refunds,
    permission: PERMISSION,
    customer: Naming::ByPartner,
    belongs_to: Some(gives_money_back),
    owned_by_parent: Some(Owned { table: &ATTRIBUTIONS, parent_column: "refund_order_id" }),
    // When attributions appear relative to the order's completion is not documented: ask once more a day later
    // (vendor-contract.md §10).
    read_again_after: Some(Duration::from_hours(24)),
    ..Spec::new("refund_attributions", &ENDPOINT, &[&ATTRIBUTIONS], Reading::Queue)
};

impl Stream for RefundAttributions {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn paging(&self, _scope: &Scope) -> Paging {
        Paging::Unpaged
    }

    fn request(&self, ask: &Ask, _cursor: &Cursor, _limit: u32) -> Request {
        let mut query = Vec::with_capacity(2);
        query.extend(ask.scope.parent().map(|order_id| ("order_id", order_id.to_owned())));
        query.extend(ask.customer_id.clone().map(|customer| ("customer_id", customer)));
        Request { endpoint: &ENDPOINT, path_parameter: None, query, body: None, language: None }
    }

    fn decode(&self, body: &[u8], ask: &Ask) -> Result<Page, BadBody> {
        let refund_order = ask.scope.parent().map_or(Value::Null, Value::from);
        ListAnswer { rows: "refund_infos", total: "total_count" }.decode(body, &ATTRIBUTIONS, &[refund_order])
    }
}
