//! Order lines, with the order's head as the details endpoint shows it.

use super::codes;
use super::list::{LANGUAGE, get_page, list_unknown};
use super::order::{MEMBERS, PERMISSION, decode_order, discount_table, order_columns};
use super::spec::{Migration, Owned, Reading, Spec, Stream, StreamKind};
use crate::decode::decode_row;
use crate::json::{BadBody, Object};
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Children, Column, Context, Kind, Source, Table, Trade, Value};
use crate::request::{Endpoint, Method, MostRows, Pagination, Request, ResellerIn};
use crate::scope::Ask;
use crate::walk::Cursor;

/// `GET /v2/orders/customer-orders/details/{order_id}` (vendor-contract.md §7.2).
pub(crate) struct OrderLines;

static ENDPOINT: Endpoint = Endpoint {
    name: "order_details",
    method: Method::Get,
    path: "/v2/orders/customer-orders/details",
    pages: Pagination::ByRow(MostRows::Documented(100)),
    quota: Quota::per_second(10),
    reseller: ResellerIn::Query,
};

static DETAIL_DISCOUNTS: Table = discount_table!("order_detail_discounts", "order_id");
static LINE_DISCOUNTS: Table = discount_table!("order_line_discounts", "order_line_item_id");

static DETAILS: Table = Table {
    name: "order_details",
    key_len: 1,
    columns: order_columns!(Column::text("user_name"), Column::time("pending_payment_end_time")),
    children: &[Children { table: &DETAIL_DISCOUNTS, source: Source::Nested("amount_info", "discounts") }],
    elsewhere: &[MEMBERS],
    context: Context::Stored,
};

static LINES: Table = Table {
    name: "order_lines",
    key_len: 1,
    columns: &[
        Column::id("order_line_item_id"),
        Column::given("requested_order_id"),
        Column::text("order_id"),
        Column::text("service_type_code"),
        Column::text("service_type_name"),
        Column::text("product_id"),
        Column::text("product_spec_desc"),
        Column::integer_code("period_type", codes::PERIOD_TYPE),
        Column::integer("period_num"),
        Column::time("effective_time"),
        Column::time("expire_time"),
        Column::integer("subscription_num"),
        Column::money("amount_after_discount_e8", "amount_after_discount"),
        Column::money("official_amount_e8", "official_amount"),
        Column::nested(
            "flexipurchase_coupon_amount_e8",
            "amount_info",
            "flexipurchase_coupon_amount",
            Kind::Money,
        ),
        Column::nested("coupon_amount_e8", "amount_info", "coupon_amount", Kind::Money),
        Column::nested("stored_card_amount_e8", "amount_info", "stored_card_amount", Kind::Money),
        Column::nested("commission_amount_e8", "amount_info", "commission_amount", Kind::Money),
        Column::nested("consumed_amount_e8", "amount_info", "consumed_amount", Kind::Money),
        Column::text("currency"),
        Column::text("category_code"),
        Column::text("product_owner_service"),
        Column::text("commercial_resource"),
        Column::nested("base_product_id", "base_product_info", "product_id", Kind::Text),
        Column::nested("base_product_spec_desc", "base_product_info", "product_spec_desc", Kind::Text),
        Column::nested("base_category_code", "base_product_info", "category_code", Kind::Text),
        Column::nested(
            "base_product_owner_service",
            "base_product_info",
            "product_owner_service",
            Kind::Text,
        ),
        Column::nested("base_commercial_resource", "base_product_info", "commercial_resource", Kind::Text),
    ],
    children: &[Children { table: &LINE_DISCOUNTS, source: Source::Nested("amount_info", "discounts") }],
    elsewhere: &[],
    context: Context::Stored,
};

static SPEC: Spec = Spec {
    schema: &[
        Migration::new(3, include_str!("../../schema/order_lines.sql")),
        Migration::new(14, include_str!("../../schema/order_lines.2.sql")),
        Migration::new(16, include_str!("../../schema/order_lines.3.sql")),
    ],
    job: include_str!("../../jobs/order_lines.toml"),
    kind: StreamKind::OrderDetails,
    permission: PERMISSION,
    // The lines of a member are asked for with its combined order.
    belongs_to: Some(|order| order.trade != Trade::Member),
    owned_by_parent: Some(Owned { table: &LINES, parent_column: "requested_order_id" }),
    ..Spec::new("order_lines", &ENDPOINT, &[&DETAILS, &LINES], Reading::Queue)
};

impl Stream for OrderLines {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn request(&self, ask: &Ask, cursor: &Cursor, limit: u32) -> Request {
        Request {
            path_parameter: ask.scope.parent().map(str::to_owned),
            language: Some(LANGUAGE),
            ..get_page(&ENDPOINT, cursor, limit)
        }
    }

    fn decode(&self, body: &[u8], ask: &Ask) -> Result<Page, BadBody> {
        let mut answer = Object::of_body(body)?;
        let (lines, total) = answer.take_list("order_line_items", "total_count")?;
        let mut page = Page { total, ..Page::default() };
        if let Some(raw) = answer.take("order_info") {
            match decode_order(&DETAILS, raw, &mut page.drift) {
                Ok((order, members)) => {
                    page.records.push(order);
                    page.records.extend(members);
                }
                Err(reject) => page.rejects.push(reject),
            }
        }
        let requested = ask.scope.parent().map_or(Value::Null, Value::from);
        for raw in lines {
            let line = decode_row(&LINES, raw, std::slice::from_ref(&requested), &mut page.drift);
            page.push(line);
        }
        list_unknown(&answer, &mut page);
        Ok(page)
    }
}
