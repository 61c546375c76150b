//! Orders, with the members of combined orders, discounts, enterprise projects and who pays.

use serde_json::value::RawValue;

use super::{Reading, Stream, codes, discount_table, order_columns, permission_of_orders};
use crate::decode::decode_row;
use crate::json::{BadBody, Object};
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{
    Children, Column, Context, Dependent, Drift, Kind, Record, Reject, Source, Table, Value,
};
use crate::request::{Endpoint, Method, Most, Pages, Request, ResellerIn};
use crate::scope::{Ask, Role, Scope};
use crate::walk::{Cursor, Paging};

/// `GET /v2/orders/customer-orders` (`CONTRACT` §7.1).
pub struct Orders;

static ENDPOINT: Endpoint = Endpoint {
    name: "orders",
    method: Method::Get,
    path: "/v2/orders/customer-orders",
    pages: Pages::ByRow(Most::Documented(100)),
    quota: Quota::per_second(20),
    reseller: ResellerIn::Query,
};

static DISCOUNTS: Table = discount_table!("order_discounts", "order_id");

static ENTERPRISE_PROJECTS: Table = Table {
    name: "order_enterprise_projects",
    key_len: 2,
    columns: &[
        Column::given("order_id"),
        Column::given("position"),
        Column { name: "enterprise_project_id", ..Column::text("id") },
        Column { name: "enterprise_project_name", ..Column::text("name") },
    ],
    children: &[],
    elsewhere: &[],
    context: Context::InParent,
};

static ORDERS: Table = Table {
    name: "orders",
    key_len: 1,
    columns: order_columns!(
        Column::nested("paying_agent_id", "agent_pay_info", "paying_agent_id", Kind::Text),
        Column::nested("is_agent_pay", "agent_pay_info", "is_agent_pay", Kind::Flag),
    ),
    children: &[
        Children { table: &DISCOUNTS, source: Source::Nested("amount_info", "discounts") },
        Children { table: &ENTERPRISE_PROJECTS, source: Source::Field("enterprise_projects") },
    ],
    elsewhere: &[MEMBERS],
    context: Context::Stored,
};

static TABLES: [&Table; 1] = [&ORDERS];

impl Stream for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn endpoint(&self) -> &'static Endpoint {
        &ENDPOINT
    }

    fn tables(&self) -> &'static [&'static Table] {
        &TABLES
    }

    fn reading(&self) -> Reading {
        Reading::Windows
    }

    fn paging(&self, scope: &Scope) -> Paging {
        match scope {
            Scope::Created(window) => Paging::Keyset(*window),
            Scope::Paid(_) | Scope::Status(_) | Scope::Parent(_) | Scope::Whole | Scope::Slice(_) => {
                Paging::Offset
            }
        }
    }

    fn feeds_others(&self) -> bool {
        true
    }

    fn permission(&self, role: Role) -> Option<&'static str> {
        Some(permission_of_orders(role))
    }

    fn request(&self, ask: &Ask, cursor: &Cursor, limit: u32) -> Request {
        let mut query = vec![
            ("limit", limit.to_string()),
            ("offset", cursor.offset().to_string()),
            ("order_by", "createTime".to_owned()),
        ];
        match &ask.scope {
            Scope::Created(window) => {
                let from = cursor.keyset_from().unwrap_or(window.begin());
                query.push(("create_time_begin", from.to_string()));
                query.push(("create_time_end", window.end().to_string()));
            }
            Scope::Paid(window) => {
                // Whether the begin is inclusive is not documented; a second of overlap is.
                query.push(("payment_time_begin", window.begin().plus(-1).to_string()));
                query.push(("payment_time_end", window.end().to_string()));
            }
            Scope::Status(status) => query.push(("status", status.to_string())),
            Scope::Parent(order_id) => query.push(("order_id", order_id.clone())),
            Scope::Whole | Scope::Slice(_) => {}
        }
        if let Some(customer) = &ask.customer_id {
            query.push(("customer_id", customer.clone()));
        }
        Request { endpoint: &ENDPOINT, path_parameter: None, query, body: None, language: None }
    }

    fn decode(&self, body: &[u8], _ask: &Ask) -> Result<Page, BadBody> {
        let mut answer = Object::of_body(body)?;
        let (rows, total) = answer.take_list("order_infos", "total_count")?;
        let mut page = Page { total, ..Page::default() };
        for raw in rows {
            match decode_order(&ORDERS, raw, &mut page.drift) {
                Ok((mut order, mut members)) => {
                    let lines = dependent(LINES, &order, None);
                    // Money and resources belong to leaves: to the members where there are any.
                    if members.is_empty() {
                        add_leaf_dependents(&mut order, None);
                    }
                    let owner = order.text("customer_id").filter(|id| !id.is_empty());
                    for member in &mut members {
                        add_leaf_dependents(member, owner);
                        // The lines of a member are asked for with its combined order.
                        member.dependents.push(lines.clone());
                    }
                    order.dependents.push(lines);
                    page.push(Ok(order));
                    page.records.extend(members);
                }
                Err(reject) => page.push(Err(reject)),
            }
        }
        super::list_unknown(&answer, &mut page);
        Ok(page)
    }
}

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

const LINES: &str = "order_lines";
const REFUNDS: &str = "refund_attributions";
const RESOURCES: &str = "resources";

const COMPLETED: i64 = 5;
const CHANGE: i64 = 3;
const UNSUBSCRIPTION: i64 = 4;
const TO_PAY_PER_USE: i64 = 10;
const EXPENSE_ADJUSTMENT: i64 = 15;

/// An order's place, type and status: what they say about its records of other streams.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Type of the order.
    pub order_type: Option<i64>,
    /// Status of the order.
    pub status: Option<i64>,
    /// Whether it belongs to a combined order.
    pub is_member: bool,
    /// Whether it is a combined order.
    pub has_members: bool,
}

impl Place {
    /// Whether such an order is put into the queue of a stream when it is new or changed.
    #[must_use]
    pub fn has_records_of(&self, stream: &str) -> bool {
        if stream == LINES {
            // The lines of a member are asked for with its combined order.
            !self.is_member
        } else {
            !self.has_members && streams_of_leaf(self.order_type, self.status).contains(&stream)
        }
    }
}

/// The streams that have records of a leaf, beside its lines.
fn streams_of_leaf(order_type: Option<i64>, status: Option<i64>) -> &'static [&'static str] {
    let completed = status == Some(COMPLETED);
    match order_type {
        // Asked at every change until the end: when attributions appear is not documented (`CONTRACT` §10).
        Some(UNSUBSCRIPTION | TO_PAY_PER_USE) => &[REFUNDS],
        // The list does not tell a downgrade from an upgrade; the answer does.
        Some(CHANGE) if completed => &[REFUNDS, RESOURCES],
        Some(CHANGE | EXPENSE_ADJUSTMENT) => &[],
        Some(_) | None if completed => &[RESOURCES],
        Some(_) | None => &[],
    }
}

/// What must be read for a leaf when it is new or changed. `owner` is its combined order's, which a member may
/// leave out.
fn add_leaf_dependents(order: &mut Record, owner: Option<&str>) {
    for stream in streams_of_leaf(order.integer("order_type"), order.integer("status")) {
        order.dependents.push(dependent(stream, order, owner));
    }
}

fn dependent(stream: &'static str, order: &Record, owner: Option<&str>) -> Dependent {
    Dependent {
        stream,
        parent_id: order.first_key().to_owned(),
        customer_id: order.text("customer_id").filter(|id| !id.is_empty()).or(owner).map(str::to_owned),
        parent_time: order.text("create_time").unwrap_or_default().to_owned(),
    }
}
