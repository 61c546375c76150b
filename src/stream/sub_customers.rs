//! A partner's customers.

use serde_json::json;

use super::{ListAnswer, Reading, Slicing, Stream, codes};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Children, Column, Context, Source, Table};
use crate::request::{Endpoint, Method, Most, Pages, Request, ResellerIn};
use crate::scope::{Ask, Role, Scope};
use crate::walk::Cursor;

/// `POST /v2/partners/sub-customers/query` (`CONTRACT` §7.19).
pub struct SubCustomers;

static ENDPOINT: Endpoint = Endpoint {
    name: "sub_customers",
    method: Method::Post,
    path: "/v2/partners/sub-customers/query",
    pages: Pages::ByRow(Most::Documented(100)),
    quota: Quota::per_second(10),
    reseller: ResellerIn::Body,
};

static ACCOUNT_MANAGERS: Table = Table {
    name: "sub_customer_account_managers",
    key_len: 2,
    columns: &[Column::given("customer_id"), Column::given("position"), Column::text("account_name")],
    children: &[],
    elsewhere: &[],
    context: Context::InParent,
};

static SUB_CUSTOMERS: Table = Table {
    name: "sub_customers",
    key_len: 1,
    columns: &[
        Column::id("customer_id"),
        Column::text("customer"),
        Column::text("account_name"),
        Column::time("associated_on"),
        Column::code("association_type", codes::ASSOCIATION_TYPE),
        Column::text("label"),
        Column::text("telephone"),
        Column::code("verified_status", codes::VERIFIED_STATUS),
        Column::text("country_code"),
        Column::integer_code("customer_type", codes::CUSTOMER_TYPE),
        Column::integer_code("is_frozen", codes::FROZEN),
        Column::text("xaccount_id"),
        Column::text("xaccount_type"),
        Column::code("customer_level", codes::CUSTOMER_LEVEL),
        Column::text("email"),
    ],
    children: &[Children { table: &ACCOUNT_MANAGERS, source: Source::Field("account_managers") }],
    elsewhere: &[],
    context: Context::Stored,
};

static TABLES: [&Table; 1] = [&SUB_CUSTOMERS];

impl Stream for SubCustomers {
    fn name(&self) -> &'static str {
        "sub_customers"
    }

    fn endpoint(&self) -> &'static Endpoint {
        &ENDPOINT
    }

    fn tables(&self) -> &'static [&'static Table] {
        &TABLES
    }

    fn reading(&self) -> Reading {
        Reading::Whole
    }

    fn only_for(&self) -> Option<Role> {
        Some(Role::Partner)
    }

    fn feeds_others(&self) -> bool {
        true
    }

    fn sliced_by(&self) -> Option<Slicing> {
        Some(Slicing { time: "associated_on", statuses: &[], service: None })
    }

    fn permission(&self, _role: Role) -> Option<&'static str> {
        Some("BPC_ITEM_SUBCUSTSERV_010100 or BPC_ITEM_SUBCUSTSERV_010500")
    }

    fn request(&self, ask: &Ask, cursor: &Cursor, limit: u32) -> Request {
        let mut body = json!({ "offset": cursor.offset(), "limit": limit });
        if let Scope::Slice(slice) = &ask.scope {
            if let Some(from) = slice.from {
                body["associated_on_begin"] = json!(from.to_string());
            }
            if let Some(to) = slice.to {
                body["associated_on_end"] = json!(to.to_string());
            }
        }
        Request {
            endpoint: &ENDPOINT,
            path_parameter: None,
            query: Vec::new(),
            body: Some(body.to_string()),
            language: None,
        }
    }

    fn decode(&self, body: &[u8], _ask: &Ask) -> Result<Page, BadBody> {
        ListAnswer { rows: "customer_infos", total: "count" }.decode(body, &SUB_CUSTOMERS, &[])
    }
}
