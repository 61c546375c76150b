//! The streams: each kind of record, what to ask for it and what an answer means.

mod order_lines;
mod orders;
mod refund_attributions;
mod resource_types;
mod resources;
mod service_types;
mod sub_customers;

use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::json::{BadBody, Object};
use crate::page::Page;
use crate::record::{Drift, Record, Reject, Table, Value};
use crate::request::{Endpoint, Request};
use crate::scope::{Ask, Role, Scope};
use crate::walk::{Cursor, Paging};
pub use orders::Place;

/// Every stream this build can sync; the only registration there is.
pub static CATALOGUE: &[&dyn Stream] = &[
    &orders::Orders,
    &order_lines::OrderLines,
    &refund_attributions::RefundAttributions,
    &resources::Resources,
    &service_types::ServiceTypes,
    &resource_types::ResourceTypes,
    &sub_customers::SubCustomers,
];

/// The stream of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Stream> {
    CATALOGUE.iter().copied().find(|stream| stream.name() == name)
}

/// How a stream comes to know what to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Windows of time fields, open orders, and single orders from the queue.
    Windows,
    /// One order at a time, from the queue.
    Queue,
    /// One order at a time from the queue, and now and then the whole list.
    QueueAndWhole,
    /// The whole list, now and then.
    Whole,
}

impl Reading {
    /// Whether the stream reads orders that the queue names.
    #[must_use]
    pub const fn drains_queue(self) -> bool {
        !matches!(self, Self::Whole)
    }

    /// Whether the stream reads what belongs to orders.
    #[must_use]
    pub const fn is_by_order(self) -> bool {
        matches!(self, Self::Queue | Self::QueueAndWhole)
    }

    /// Whether the stream reads its whole list.
    #[must_use]
    pub const fn reads_whole(self) -> bool {
        matches!(self, Self::QueueAndWhole | Self::Whole)
    }
}

/// Rows that belong to an order.
#[derive(Clone, Copy, Debug)]
pub struct Owned {
    /// Their table.
    pub table: &'static Table,
    /// Its column with the order's id.
    pub parent_column: &'static str,
}

/// How a whole list can be asked for in parts.
#[derive(Clone, Copy, Debug)]
pub struct Slicing {
    /// The column with the time that the endpoint filters by.
    pub time: &'static str,
    /// The statuses that it filters by: together all there are.
    pub statuses: &'static [i64],
    /// The column with the service that it filters by.
    pub service: Option<&'static str>,
}

/// One kind of record.
pub trait Stream: Sync {
    /// Its name, as jobs and the ledger call it.
    fn name(&self) -> &'static str;

    /// Where it is asked for.
    fn endpoint(&self) -> &'static Endpoint;

    /// The tables it fills; child tables are named by their parents.
    fn tables(&self) -> &'static [&'static Table];

    /// How it comes to know what to ask.
    fn reading(&self) -> Reading;

    /// The only role whose credentials may ask (`CONTRACT` §4); `None`: both may.
    fn only_for(&self) -> Option<Role> {
        None
    }

    /// The permission that the vendor wants of whoever asks, in its words; `None` where any key of the account may.
    fn permission(&self, role: Role) -> Option<&'static str> {
        let _ = role;
        None
    }

    /// The table whose rows belong to the order that was asked for: what a complete answer no longer shows
    /// is gone.
    fn owned_by_parent(&self) -> Option<Owned> {
        None
    }

    /// How long after an order's last event its dependent records are read once more.
    fn read_again_after(&self) -> Option<Duration> {
        None
    }

    /// Whether its rows put orders into the queues of other streams, or name the customers they ask for: those
    /// wait for it.
    fn feeds_others(&self) -> bool {
        false
    }

    /// Whether a partner must name the customer in each request.
    fn partner_names_customer(&self) -> bool {
        false
    }

    /// How the answer to a scope is paged.
    fn paging(&self, scope: &Scope) -> Paging {
        let _ = scope;
        Paging::Offset
    }

    /// How the whole list can be asked for in parts, where nothing promises its order.
    fn sliced_by(&self) -> Option<Slicing> {
        None
    }

    /// The size of page to ask for: the endpoint's largest.
    fn limit(&self, scope: &Scope, attempt: u32) -> u32 {
        let _ = (scope, attempt);
        self.endpoint().max_limit()
    }

    /// The request for a page of `limit` rows.
    fn request(&self, ask: &Ask, cursor: &Cursor, limit: u32) -> Request;

    /// The rows of an answer.
    ///
    /// # Errors
    /// When the body is not what the endpoint answers.
    fn decode(&self, body: &[u8], ask: &Ask) -> Result<Page, BadBody>;
}

impl fmt::Debug for dyn Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.name())
    }
}

/// Language of localised names: one per warehouse, the vendor's default.
const LANGUAGE: &str = "zh_CN";

/// Where the rows and their number stand in a plain list answer.
struct ListAnswer {
    rows: &'static str,
    total: &'static str,
}

impl ListAnswer {
    /// Decodes an answer that is a list of `table`'s rows and its total.
    fn decode(&self, body: &[u8], table: &'static Table, given: &[Value]) -> Result<Page, BadBody> {
        self.decode_with(body, |raw, drift| crate::decode::decode_row(table, raw, given, drift))
    }

    fn decode_with(
        &self,
        body: &[u8],
        mut decode: impl FnMut(&RawValue, &mut Vec<Drift>) -> Result<Record, Reject>,
    ) -> Result<Page, BadBody> {
        let mut answer = Object::of_body(body)?;
        let (rows, total) = answer.take_list(self.rows, self.total)?;
        let mut page = Page { total, ..Page::default() };
        for raw in rows {
            let decoded = decode(raw, &mut page.drift);
            page.push(decoded);
        }
        list_unknown(&answer, &mut page);
        Ok(page)
    }
}

/// Lists what an answer has beside its documented fields; `error_code` was judged before.
fn list_unknown(answer: &Object<'_>, page: &mut Page) {
    answer.list_unknown("answer", &mut page.drift);
    page.drift.retain(|drift| !matches!(drift.field.as_str(), "answer.error_code" | "answer.error_msg"));
}

/// The permission to see orders and what belongs to them (`CONTRACT` §7.1 to §7.3).
const fn permission_of_orders(role: Role) -> &'static str {
    match role {
        Role::Customer => "billing:order:view (older name bss:order:view)",
        Role::Partner => "BPC_ITEM_SUBCUSTSERV_060100 or BPC_ITEM_SUBCUSTSERV_060200",
    }
}

/// A GET of a page of a plain list.
fn get_page(endpoint: &'static Endpoint, cursor: &Cursor, limit: u32) -> Request {
    Request {
        endpoint,
        path_parameter: None,
        query: vec![("limit", limit.to_string()), ("offset", cursor.offset().to_string())],
        body: None,
        language: None,
    }
}

/// Codes of the vendor's documents (`CONTRACT` §9).
mod codes {
    pub const ORDER_STATUS: &[&str] = &["1", "2", "3", "4", "5", "6", "9", "10", "11", "12", "13"];
    pub const ORDER_TYPE: &[&str] = &["1", "2", "3", "4", "10", "11", "13", "14", "15"];
    pub const ORDER_SOURCE: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8"];
    pub const DISCOUNT_TYPE: &[&str] = &[
        "200", "300", "301", "302", "500", "501", "502", "600", "601", "602", "603", "604", "605", "606",
        "607", "609", "610", "700", "800", "900", "901",
    ];
    pub const PERIOD_TYPE: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7"];
    pub const RESOURCE_STATUS: &[&str] = &["2", "3", "4", "5"];
    pub const EXPIRE_POLICY: &[&str] = &["0", "1", "2", "3", "4", "5"];
    pub const YES_NO: &[&str] = &["0", "1"];
    pub const ASSOCIATION_TYPE: &[&str] = &["1", "2", "3"];
    pub const VERIFIED_STATUS: &[&str] = &["-1", "0", "1", "2"];
    pub const CUSTOMER_TYPE: &[&str] = &["-1", "0", "1"];
    pub const FROZEN: &[&str] = &["0", "1", "2"];
    pub const CUSTOMER_LEVEL: &[&str] = &["V0", "V1", "V2", "V3", "V4", "V5"];
}

/// The columns that the order list and the order details share (`CustomerOrderV2`, `CustomerOrderV3` and
/// their sub-orders), followed by the caller's own.
macro_rules! order_columns {
    ($($own:expr),* $(,)?) => {
        &[
            Column::id("order_id"),
            Column::given_or_kept("parent_order_id"),
            Column::text("customer_id"),
            Column::text("service_type_code"),
            Column::text("service_type_name"),
            Column::integer_code("source_type", codes::ORDER_SOURCE),
            Column::integer_code("status", codes::ORDER_STATUS),
            Column::integer_code("order_type", codes::ORDER_TYPE),
            Column::money("amount_after_discount_e8", "amount_after_discount"),
            Column::money("official_amount_e8", "official_amount"),
            Column::main_unit("measure_id"),
            Column::time("create_time"),
            Column::time("payment_time"),
            Column::text("currency"),
            Column::text("contract_id"),
            Column::nested("flexipurchase_coupon_amount_e8", "amount_info", "flexipurchase_coupon_amount", Kind::Money),
            Column::nested("coupon_amount_e8", "amount_info", "coupon_amount", Kind::Money),
            Column::nested("stored_card_amount_e8", "amount_info", "stored_card_amount", Kind::Money),
            Column::nested("commission_amount_e8", "amount_info", "commission_amount", Kind::Money),
            Column::nested("consumed_amount_e8", "amount_info", "consumed_amount", Kind::Money),
            $($own),*
        ]
    };
}
use order_columns;

/// The table of a list of discounts whose owner's key is `$owner`.
macro_rules! discount_table {
    ($name:literal, $owner:literal) => {
        Table {
            name: $name,
            key_len: 2,
            columns: &[
                Column::given($owner),
                Column::given("position"),
                Column::code("discount_type", codes::DISCOUNT_TYPE),
                Column::money("discount_amount_e8", "discount_amount"),
            ],
            children: &[],
            elsewhere: &[],
            context: Context::InParent,
        }
    };
}
use discount_table;
