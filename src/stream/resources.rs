//! Yearly/monthly resources, and which orders bought, renewed or changed them.

use serde_json::json;

use super::codes;
use super::list::ListAnswer;
use super::order::{EXPENSE_ADJUSTMENT, TO_PAY_PER_USE, UNSUBSCRIPTION};
use super::spec::{Migration, Naming, Permissions, Reading, Slicing, Spec, Stream};
use crate::json::BadBody;
use crate::page::Page;
use crate::quota::Quota;
use crate::record::{Column, Context, Kind, OrderPlace, Record, Table, Value};
use crate::request::{Endpoint, Method, MostRows, Pagination, Request, ResellerIn};
use crate::scope::{Ask, Scope};
use crate::walk::Cursor;

/// `POST /v2/orders/suscriptions/resources/query`, spelled so (vendor-contract.md §7.4).
pub(crate) struct Resources;

static ENDPOINT: Endpoint = Endpoint {
    name: "resources",
    method: Method::Post,
    path: "/v2/orders/suscriptions/resources/query",
    // The documents name no maximum for v2; the old interface allowed 500, the contract advises 100.
    pages: Pagination::ByRow(MostRows::Assumed(100)),
    quota: Quota::per_second(10),
    reseller: ResellerIn::Impossible,
};

static RESOURCES: Table = Table {
    name: "resources",
    key_len: 1,
    columns: &[
        Column::id("resource_id"),
        Column::text("id"),
        Column::text("resource_name"),
        Column::text("region_code"),
        Column::text("service_type_code"),
        Column::text("resource_type_code"),
        Column::text("resource_type_name"),
        Column::text("service_type_name"),
        Column::text("resource_spec_code"),
        Column::text("project_id"),
        Column::text("product_id"),
        Column::text("parent_resource_id"),
        Column::integer_code("is_main_resource", codes::YES_NO),
        Column::integer_code("status", codes::RESOURCE_STATUS),
        Column::time("effective_time"),
        Column::time("expire_time"),
        Column::integer_code("expire_policy", codes::EXPIRE_POLICY),
        Column::text("product_spec_desc"),
        Column::decimal("spec_size"),
        Column::integer("spec_size_measure_id"),
        Column::time("update_time"),
        Column::nested("enterprise_project_id", "enterprise_project", "id", Kind::Text),
        Column::nested("enterprise_project_name", "enterprise_project", "name", Kind::Text),
    ],
    children: &[],
    elsewhere: &[],
    context: Context::Stored,
};

static ORDER_RESOURCES: Table = Table {
    name: "order_resources",
    key_len: 2,
    columns: &[Column::given("order_id"), Column::given("resource_id")],
    children: &[],
    elsewhere: &[],
    context: Context::Stored,
};

/// What gives back, or only moves money, leaves no resource of its own.
fn leaves_resources(order: OrderPlace) -> bool {
    let gives_back = matches!(order.order_type, Some(UNSUBSCRIPTION | TO_PAY_PER_USE | EXPENSE_ADJUSTMENT));
    order.is_leaf() && order.is_completed() && !gives_back
}

static SPEC: Spec = Spec {
    schema: &[
        Migration::new(5, include_str!("../../schema/resources.sql")),
        Migration::new(15, include_str!("../../schema/resources.2.sql")),
    ],
    job: include_str!("../../jobs/resources.toml"),
    permission: Permissions {
        customer: Some("billing:subscription:view"),
        partner: Some("BPC_ITEM_SUBCUSTSERV_010105"),
    },
    customer: Naming::ByPartner,
    // The statuses are all that the documents list (vendor-contract.md §9).
    sliced_by: Some(Slicing {
        time: "expire_time",
        statuses: &[2, 3, 4, 5],
        service: Some("service_type_code"),
    }),
    belongs_to: Some(leaves_resources),
    ..Spec::new("resources", &ENDPOINT, &[&RESOURCES, &ORDER_RESOURCES], Reading::QueueAndWhole)
};

impl Stream for Resources {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn request(&self, ask: &Ask, cursor: &Cursor, limit: u32) -> Request {
        let mut body = json!({ "only_main_resource": 0, "offset": cursor.offset(), "limit": limit });
        match &ask.scope {
            Scope::Parent(order_id) => body["order_id"] = json!(order_id),
            Scope::Slice(slice) => {
                if let Some(from) = slice.from {
                    body["expire_time_begin"] = json!(from.to_string());
                }
                if let Some(to) = slice.to {
                    body["expire_time_end"] = json!(to.to_string());
                }
                if let Some(service) = &slice.service {
                    body["service_type_code"] = json!(service);
                }
                if let Some(status) = slice.status {
                    body["status_list"] = json!([status]);
                }
            }
            Scope::Whole | Scope::Created(_) | Scope::Paid(_) | Scope::Status(_) => {}
        }
        if let Some(customer) = &ask.customer_id {
            body["customer_id"] = json!(customer);
        }
        Request {
            endpoint: &ENDPOINT,
            path_parameter: None,
            query: Vec::new(),
            body: Some(body.to_string()),
            language: None,
        }
    }

    fn decode(&self, body: &[u8], ask: &Ask) -> Result<Page, BadBody> {
        let mut page = ListAnswer { rows: "data", total: "total_count" }.decode(body, &RESOURCES, &[])?;
        if let Some(order_id) = ask.scope.parent() {
            let links: Vec<Record> = page.records.iter().map(|resource| link(order_id, resource)).collect();
            page.records.extend(links);
        }
        Ok(page)
    }
}

/// No resource says which order it belongs to: only the request does.
fn link(order_id: &str, resource: &Record) -> Record {
    Record {
        table: &ORDER_RESOURCES,
        values: vec![Value::from(order_id), Value::from(resource.first_key())],
        extra: None,
        children: Vec::new(),
        parents: Vec::new(),
    }
}
