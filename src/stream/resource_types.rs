//! The catalogue of resource types.

use super::list::{LANGUAGE, ListAnswer, get_page};
use super::spec::{Migration, Reading, Spec, Stream};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Column, Context, Table};
use crate::request::{Endpoint, Method, MostRows, Pagination, Request, ResellerIn};
use crate::scope::Ask;
use crate::walk::Cursor;

/// `GET /v2/products/resource-types` (vendor-contract.md §7.5).
pub(crate) struct ResourceTypes;

static ENDPOINT: Endpoint = Endpoint {
    name: "resource_types",
    method: Method::Get,
    path: "/v2/products/resource-types",
    pages: Pagination::ByRow(MostRows::Documented(1000)),
    quota: Quota::per_second(10),
    reseller: ResellerIn::Needless,
};

static RESOURCE_TYPES: Table = Table {
    name: "resource_types",
    key_len: 2,
    columns: &[
        Column::id("resource_type_code"),
        Column::optional_id("service_type_code"),
        Column::text("resource_type_name"),
        Column::text("resource_type_desc"),
    ],
    children: &[],
    elsewhere: &[],
    context: Context::Stored,
};

static SPEC: Spec = Spec {
    schema: &[Migration::new(7, include_str!("../../schema/resource_types.sql"))],
    job: include_str!("../../jobs/resource_types.toml"),
    ..Spec::new("resource_types", &ENDPOINT, &[&RESOURCE_TYPES], Reading::Whole)
};

impl Stream for ResourceTypes {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn request(&self, _ask: &Ask, cursor: &Cursor, limit: u32) -> Request {
        Request { language: Some(LANGUAGE), ..get_page(&ENDPOINT, cursor, limit) }
    }

    fn decode(&self, body: &[u8], _ask: &Ask) -> Result<Page, BadBody> {
        ListAnswer { rows: "resource_types", total: "total_count" }.decode(body, &RESOURCE_TYPES, &[])
    }
}
