//! Orders, with the members of combined orders, discounts, enterprise projects and who pays.

use super::list::list_unknown;
use super::order::{MEMBERS, PERMISSION, decode_order, discount_table, order_columns, parent};
use super::spec::{Feeds, Migration, Reading, Spec, Stream, StreamKind};
use crate::json::{BadBody, Object};
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Children, Column, Context, Kind, Source, Table, Trade};
use crate::request::{Endpoint, Method, MostRows, Pagination, Request, ResellerIn};
use crate::scope::{Ask, Scope};
use crate::walk::{Cursor, Paging};

/// `GET /v2/orders/customer-orders` (vendor-contract.md §7.1).
pub(crate) struct Orders;

static ENDPOINT: Endpoint = Endpoint {
    name: "orders",
    method: Method::Get,
    path: "/v2/orders/customer-orders",
    pages: Pagination::ByRow(MostRows::Documented(100)),
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

static SPEC: Spec = Spec {
    schema: &[
        Migration::new(2, include_str!("../../schema/orders.sql")),
        Migration::new(13, include_str!("../../schema/orders.2.sql")),
        Migration::new(17, include_str!("../../schema/orders.3.sql")),
    ],
    job: include_str!("../../jobs/orders.toml"),
    kind: StreamKind::Orders { discounts: &DISCOUNTS },
    permission: PERMISSION,
    feeds: Feeds::Others,
    ..Spec::new("orders", &ENDPOINT, &[&ORDERS], Reading::Windows)
};

impl Stream for Orders {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn paging(&self, scope: &Scope) -> Paging {
        match scope {
            Scope::Created(window) => Paging::Keyset(*window),
            Scope::Paid(_) | Scope::Status(_) | Scope::Parent(_) | Scope::Whole | Scope::Slice(_) => {
                Paging::Offset
            }
        }
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
                    let trade = if members.is_empty() { Trade::Single } else { Trade::Combined };
                    order.parents.push(parent(&order, trade, None));
                    let owner = order.text("customer_id").filter(|id| !id.is_empty());
                    for member in &mut members {
                        member.parents.push(parent(member, Trade::Member, owner));
                        // What is asked for with its combined order shows the member as well.
                        member.parents.extend(order.parents.iter().cloned());
                    }
                    page.push(Ok(order));
                    page.records.extend(members);
                }
                Err(reject) => page.push(Err(reject)),
            }
        }
        list_unknown(&answer, &mut page);
        Ok(page)
    }
}
