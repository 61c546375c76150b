//! A truth made of rows that a test wrote by hand; they are served byte for byte.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use super::clock;
use super::json;
use super::truth::{Bilingual, Order, RawOrder, Resource, SubCustomer, Truth, at};

/// The details of an order: `order_info` and the lines.
pub type Details = (String, Vec<String>);

/// JSON texts of the rows to serve.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Account id of the customer the customer credentials belong to.
    pub owner: String,
    /// Rows of the order list; whose they are says their `customer_id`.
    pub orders: Vec<String>,
    /// By order id; an order without details serves its list row and no lines.
    pub details: HashMap<String, Details>,
    /// Attributions by order id. An order of type 4 or 10 without any has an empty list.
    pub refunds: HashMap<String, Vec<String>>,
    /// (account id of the owner, row).
    pub resources: Vec<(String, String)>,
    /// Resource ids by order id.
    pub links: HashMap<String, Vec<String>>,
    pub service_types: Vec<String>,
    pub resource_types: Vec<String>,
    pub sub_customers: Vec<String>,
}

fn fields(row: &str) -> Value {
    serde_json::from_str(row).unwrap_or_else(|error| panic!("row is no JSON: {error}: {row}"))
}

fn text<'v>(row: &'v Value, name: &str) -> &'v str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn small(row: &Value, name: &str) -> u8 {
    row.get(name).and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok()).unwrap_or(0)
}

impl Truth {
    /// Serves hand-written rows.
    ///
    /// # Panics
    ///
    /// When a row is no JSON object, or an order has no `create_time`.
    pub fn from_parts(parts: Parts) -> Self {
        let mut truth = Self::default();
        truth.customer_or_new(&parts.owner);
        let Parts { orders, mut details, mut refunds, .. } = parts;
        for list in orders {
            let id = text(&fields(&list), "order_id").to_owned();
            let found = details.remove(&id);
            truth.add_order(&list, found, refunds.remove(&id));
        }
        // What is left can be asked for by id and stands in no list, like members of combined trades.
        for (_, found) in details {
            let info = found.0.clone();
            let number = truth.add_order(&info, Some(found), None);
            truth.orders[at(number)].parent = Some(number);
        }
        for (owner, row) in parts.resources {
            truth.add_resource(&owner, &row);
        }
        for (order, resources) in parts.links {
            truth.link(&order, &resources);
        }
        let both = |row: String| {
            let value = fields(&row);
            let name = text(&value, "service_type_name").to_owned();
            Bilingual { zh: row.clone(), en: row, names: [name.clone(), name] }
        };
        truth.service_types = parts.service_types.into_iter().map(both).collect();
        truth.resource_types = parts.resource_types.into_iter().map(both).collect();
        truth.sub_customers = parts.sub_customers.into_iter().map(sub_customer).collect();
        truth.reindex();
        truth
    }

    /// Adds an order served as written: list row, details, refund attributions. Returns its number.
    pub fn add_order(&mut self, list: &str, details: Option<Details>, refunds: Option<Vec<String>>) -> u32 {
        let row = fields(list);
        let time = |name: &str| clock::parse(text(&row, name));
        let created = time("create_time").expect("an order has a create_time");
        let kind = small(&row, "order_type");
        let (info, lines) = details.unwrap_or_else(|| (list.to_owned(), Vec::new()));
        let refunds = refunds.or_else(|| matches!(kind, 4 | 10).then(Vec::new));
        let order = Order {
            id: text(&row, "order_id").into(),
            customer: self.customer_or_new(text(&row, "customer_id")),
            kind,
            status: small(&row, "status"),
            created,
            paid: time("payment_time"),
            raw_service: Some(text(&row, "service_type_code").into()),
            raw: Some(Box::new(RawOrder { list: list.to_owned(), info, lines, refunds })),
            ..Order::default()
        };
        self.insert(order)
    }

    /// Adds a resource served as written.
    pub fn add_resource(&mut self, owner: &str, json: &str) {
        let row = fields(json);
        let resource = Resource {
            id: text(&row, "resource_id").into(),
            customer: self.customer_or_new(owner),
            main: small(&row, "is_main_resource") == 1,
            status: small(&row, "status"),
            expire: clock::parse(text(&row, "expire_time")).unwrap_or(0),
            raw_service: Some(text(&row, "service_type_code").into()),
            raw: Some(json.into()),
            ..Resource::default()
        };
        self.insert_resource(resource);
    }

    /// Links resources to an order; unknown ids are ignored.
    pub fn link(&mut self, order: &str, resources: &[String]) {
        let known = resources.iter().filter_map(|id| self.resource_ids.get(id.as_str()).copied());
        let known: Vec<u32> = known.collect();
        if let Some(number) = self.order(order) {
            self.orders[at(number)].resources.extend(known);
        }
    }

    /// Changes the status of an order, and its payment time when there is a new one. False when there is
    /// no such order.
    pub fn set_status(&mut self, id: &str, status: u8, paid: Option<i64>) -> bool {
        let Some(number) = self.order(id) else { return false };
        self.change(number, |order| {
            order.status = status;
            order.paid = paid.or(order.paid);
            if let Some(raw) = &mut order.raw {
                for row in [&mut raw.list, &mut raw.info] {
                    *row = json::with_field(row, "status", &status.to_string());
                    if let Some(paid) = paid {
                        let time = format!("\"{}\"", clock::text(paid));
                        *row = json::with_field(row, "payment_time", &time);
                    }
                }
            }
        });
        true
    }

    /// Changes a field of the list row and of `order_info`; the order becomes a hand-written one. `value`
    /// is JSON text. False when there is no such order.
    pub fn restate(&mut self, id: &str, field: &str, value: &str) -> bool {
        let Some(number) = self.order(id) else { return false };
        let lines = self.line_count(number);
        let order = &self.orders[at(number)];
        let mut raw = order.raw.as_deref().cloned().unwrap_or_else(|| RawOrder {
            list: self.order_json(number),
            info: self.info_json(number, "zh_CN"),
            lines: (0..lines).map(|line| self.line_json(number, line, "zh_CN")).collect(),
            refunds: self.is_refund(number).then(|| self.refund_rows(number)),
        });
        raw.list = json::with_field(&raw.list, field, value);
        raw.info = json::with_field(&raw.info, field, value);
        let service = order.service_code().map(Box::<str>::from);
        self.change(number, |order| {
            order.raw_service = service;
            order.raw = Some(Box::new(raw));
        });
        true
    }

    /// Makes an order vanish. False when there is no such order.
    pub fn remove_order(&mut self, id: &str) -> bool {
        let Some(number) = self.order(id) else { return false };
        self.change(number, |order| order.gone = true);
        true
    }

    /// Makes a resource vanish from every answer. False when there is no such resource.
    pub fn remove_resource(&mut self, id: &str) -> bool {
        let Some(number) = self.resource_ids.remove(id) else { return false };
        let owner = std::mem::replace(&mut self.resources[at(number)].customer, u32::MAX);
        self.own[at(owner)].resources.retain(|&other| other != number);
        true
    }
}

fn sub_customer(json: String) -> SubCustomer {
    let row = fields(&json);
    let own = |name: &str| text(&row, name).to_owned();
    SubCustomer {
        id: own("customer_id"),
        account_name: own("account_name"),
        name: own("customer"),
        label: own("label"),
        association_type: own("association_type"),
        associated_on: clock::parse(text(&row, "associated_on")),
        json,
    }
}

impl Parts {
    /// The contract's own examples, from a folder with its files.
    ///
    /// # Panics
    ///
    /// When a file is missing or not what the contract shows.
    pub fn of_examples(folder: &Path) -> Self {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
        };
        let rows = |name: &str, field: &str| -> Vec<String> {
            let page: HashMap<String, Box<RawValue>> =
                serde_json::from_str(&read(name)).expect("an example is a JSON object");
            let rows = page.get(field).expect("the example has its rows").get();
            let rows: Vec<Box<RawValue>> = serde_json::from_str(rows).expect("the rows are an array");
            rows.iter().map(|row| row.get().to_owned()).collect()
        };
        let info = |name: &str| -> String {
            let page: HashMap<String, Box<RawValue>> =
                serde_json::from_str(&read(name)).expect("an example is a JSON object");
            page["order_info"].get().to_owned()
        };
        let owner = super::OWNER.to_owned();
        let mut parts = Self { owner: owner.clone(), ..Self::default() };
        for name in ["list-orders-page1.json", "list-orders-page2.json"] {
            parts.orders.extend(rows(name, "order_infos"));
        }
        for (id, name) in [
            ("CS2601050210DEMO1", "order-details-purchase.json"),
            ("CS2602101515DEMO4", "order-details-refund.json"),
        ] {
            parts.details.insert(id.into(), (info(name), rows(name, "order_line_items")));
        }
        let refunds = rows("refund-orders.json", "refund_infos");
        parts.refunds.insert("CS2602101515DEMO4".into(), refunds);
        let resources = rows("resources.json", "data");
        let linked = rows("resources-of-order-DEMO1.json", "data");
        let linked = linked.iter().map(|row| text(&fields(row), "resource_id").to_owned());
        parts.links.insert("CS2601050210DEMO1".into(), linked.collect());
        parts.resources = resources.into_iter().map(|row| (owner.clone(), row)).collect();
        parts.service_types = rows("service-types.json", "service_types");
        parts.resource_types = rows("resource-types.json", "resource_types");
        parts.sub_customers = rows("sub-customers.json", "customer_infos");
        parts
    }
}
