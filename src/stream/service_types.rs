//! The catalogue of cloud service types.

use super::list::{LANGUAGE, ListAnswer, get_page};
use super::spec::{Migration, Reading, Spec, Stream};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Column, Context, Table};
use crate::request::{Endpoint, Method, MostRows, Pagination, Request, ResellerIn};
use crate::scope::{Ask, Scope};
use crate::walk::Cursor;

/// `GET /v2/products/service-types` (vendor-contract.md §7.6).
pub(crate) struct ServiceTypes;

static ENDPOINT: Endpoint = Endpoint {
    name: "service_types",
    method: Method::Get,
    path: "/v2/products/service-types",
    // The documents name no maximum; the vendor's own example asks for 100.
    pages: Pagination::ByRow(MostRows::Assumed(100)),
    quota: Quota::per_second(10),
    reseller: ResellerIn::Needless,
};

/// What the interface of resource types allows; this one's maximum is not documented.
const LARGE_PAGE: u32 = 1000;

static SERVICE_TYPES: Table = Table {
    name: "service_types",
    key_len: 1,
    columns: &[
        Column::id("service_type_code"),
        Column::text("service_type_name"),
        Column::text("abbreviation"),
    ],
    children: &[],
    elsewhere: &[],
    context: Context::Stored,
};

static SPEC: Spec = Spec {
    schema: &[Migration::new(6, include_str!("../../schema/service_types.sql"))],
    job: include_str!("../../jobs/service_types.toml"),
    ..Spec::new("service_types", &ENDPOINT, &[&SERVICE_TYPES], Reading::Whole)
};

impl Stream for ServiceTypes {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    /// Once the list has moved between two pages, one page for all of it is asked for: it is a few hundred rows.
    fn limit(&self, _scope: &Scope, attempt: u32) -> u32 {
        if attempt > 1 { LARGE_PAGE } else { ENDPOINT.max_limit() }
    }

    fn request(&self, _ask: &Ask, cursor: &Cursor, limit: u32) -> Request {
        Request { language: Some(LANGUAGE), ..get_page(&ENDPOINT, cursor, limit) }
    }

    fn decode(&self, body: &[u8], _ask: &Ask) -> Result<Page, BadBody> {
        ListAnswer { rows: "service_types", total: "total_count" }.decode(body, &SERVICE_TYPES, &[])
    }
}
