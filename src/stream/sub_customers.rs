//! A partner's customers.

use serde_json::json;

use super::codes;
use super::list::ListAnswer;
use super::spec::{Feeds, Migration, Permissions, Reading, Slicing, Spec, Stream, StreamKind};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Children, Column, Context, Source, Table};
use crate::request::{Endpoint, Method, MostRows, Pagination, Request, ResellerIn};
use crate::scope::{Ask, Role, Scope};
use crate::walk::Cursor;

/// `POST /v2/partners/sub-customers/query` (vendor-contract.md §7.19).
pub(crate) struct SubCustomers;

static ENDPOINT: Endpoint = Endpoint {
    name: "sub_customers",
    method: Method::Post,
    path: "/v2/partners/sub-customers/query",
    pages: Pagination::ByRow(MostRows::Documented(100)),
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

/// Only partners ask.
const PERMISSION: &str = "BPC_ITEM_SUBCUSTSERV_010100 or BPC_ITEM_SUBCUSTSERV_010500";

static SPEC: Spec = Spec {
    schema: &[Migration::new(8, include_str!("../../schema/sub_customers.sql"))],
    job: include_str!("../../jobs/sub_customers.toml"),
    kind: StreamKind::Customers,
    only_for: Some(Role::Partner),
    permission: Permissions { customer: Some(PERMISSION), partner: Some(PERMISSION) },
    feeds: Feeds::Others,
    sliced_by: Some(Slicing { time: "associated_on", statuses: &[], service: None }),
    ..Spec::new("sub_customers", &ENDPOINT, &[&SUB_CUSTOMERS], Reading::Whole)
};

impl Stream for SubCustomers {
    fn spec(&self) -> &'static Spec {
        &SPEC
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
