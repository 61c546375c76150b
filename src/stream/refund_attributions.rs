//! Refund attributions: which original orders the money of an unsubscription or downgrade comes from.

use std::time::Duration;

use super::{ListAnswer, Owned, Reading, Stream, permission_of_orders};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Column, Context, Table, Value};
use crate::request::{Endpoint, Method, Pages, Request, ResellerIn};
use crate::scope::{Ask, Role, Scope};
use crate::walk::{Cursor, Paging};

/// `GET /v2/orders/customer-orders/refund-orders` (`CONTRACT` §7.3).
pub struct RefundAttributions;

static ENDPOINT: Endpoint = Endpoint {
    name: "refund_orders",
    method: Method::Get,
    path: "/v2/orders/customer-orders/refund-orders",
    // The endpoint has no paging: one answer has all records.
    pages: Pages::None,
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

static TABLES: [&Table; 1] = [&ATTRIBUTIONS];

impl Stream for RefundAttributions {
    fn name(&self) -> &'static str {
        "refund_attributions"
    }

    fn endpoint(&self) -> &'static Endpoint {
        &ENDPOINT
    }

    fn tables(&self) -> &'static [&'static Table] {
        &TABLES
    }

    fn reading(&self) -> Reading {
        Reading::Queue
    }

    fn partner_names_customer(&self) -> bool {
        true
    }

    fn paging(&self, _scope: &Scope) -> Paging {
        Paging::Unpaged
    }

    fn owned_by_parent(&self) -> Option<Owned> {
        Some(Owned { table: &ATTRIBUTIONS, parent_column: "refund_order_id" })
    }

    /// When attributions appear relative to the order's completion is not documented: ask once more a day
    /// later (`CONTRACT` §10).
    fn read_again_after(&self) -> Option<Duration> {
        Some(Duration::from_hours(24))
    }

    fn permission(&self, role: Role) -> Option<&'static str> {
        Some(permission_of_orders(role))
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
