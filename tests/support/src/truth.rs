//! Compares a warehouse with what the simulator served, field by field. It has its own reading of the vendor's JSON
//! and of decimals, so that a mistake of the program's decoder cannot hide here.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::value::RawValue;

use super::{As, Bench};
use sim::clock;
use sim::{Scope, Truth};

/// A value of a row, as the warehouse must hold it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Nothing.
    Null,
    /// An integer: a count, a code, a flag, or money in units of 10⁻⁸.
    Number(i128),
    /// A text: names, ids and times (UTC).
    Text(String),
}

/// A row by columns; the account and the bookkeeping columns are left out.
pub type Row = BTreeMap<String, Cell>;

/// Rows by table and key.
pub type Tables = BTreeMap<&'static str, BTreeMap<String, Row>>;

/// Record tables and the columns that name a row.
const KEYS: [(&str, &[&str]); 14] = [
    ("orders", &["order_id"]),
    ("order_discounts", &["order_id", "position"]),
    ("order_enterprise_projects", &["order_id", "position"]),
    ("order_details", &["order_id"]),
    ("order_detail_discounts", &["order_id", "position"]),
    ("order_lines", &["order_line_item_id"]),
    ("order_line_discounts", &["order_line_item_id", "position"]),
    ("refund_attributions", &["refund_order_id", "id"]),
    ("resources", &["resource_id"]),
    ("order_resources", &["order_id", "resource_id"]),
    ("service_types", &["service_type_code"]),
    ("resource_types", &["resource_type_code", "service_type_code"]),
    ("sub_customers", &["customer_id"]),
    ("sub_customer_account_managers", &["customer_id", "position"]),
];

/// Columns that say when and by whom a row was stored, not what the vendor said.
const BOOKKEEPING: [&str; 7] =
    ["account", "first_seen_run", "last_changed_run", "last_seen_at", "gone_since", "version", "from_commit"];

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Money,
    Flag,
}

/// Column, place in the vendor's JSON (dotted inside objects), kind.
type Field = (&'static str, &'static str, Kind);

const ORDER: &[Field] = &[
    ("order_id", "order_id", Kind::Text),
    ("customer_id", "customer_id", Kind::Text),
    ("service_type_code", "service_type_code", Kind::Text),
    ("service_type_name", "service_type_name", Kind::Text),
    ("source_type", "source_type", Kind::Number),
    ("status", "status", Kind::Number),
    ("order_type", "order_type", Kind::Number),
    ("amount_after_discount_e8", "amount_after_discount", Kind::Money),
    ("official_amount_e8", "official_amount", Kind::Money),
    ("measure_id", "measure_id", Kind::Number),
    ("create_time", "create_time", Kind::Text),
    ("payment_time", "payment_time", Kind::Text),
    ("currency", "currency", Kind::Text),
    ("contract_id", "contract_id", Kind::Text),
];

const AMOUNTS: &[Field] = &[
    ("flexipurchase_coupon_amount_e8", "amount_info.flexipurchase_coupon_amount", Kind::Money),
    ("coupon_amount_e8", "amount_info.coupon_amount", Kind::Money),
    ("stored_card_amount_e8", "amount_info.stored_card_amount", Kind::Money),
    ("commission_amount_e8", "amount_info.commission_amount", Kind::Money),
    ("consumed_amount_e8", "amount_info.consumed_amount", Kind::Money),
];

const PAYER: &[Field] = &[
    ("paying_agent_id", "agent_pay_info.paying_agent_id", Kind::Text),
    ("is_agent_pay", "agent_pay_info.is_agent_pay", Kind::Flag),
];

const DETAIL: &[Field] = &[
    ("user_name", "user_name", Kind::Text),
    ("pending_payment_end_time", "pending_payment_end_time", Kind::Text),
];

const DISCOUNT: &[Field] =
    &[("discount_type", "discount_type", Kind::Text), ("discount_amount_e8", "discount_amount", Kind::Money)];

const PROJECT: &[Field] =
    &[("enterprise_project_id", "id", Kind::Text), ("enterprise_project_name", "name", Kind::Text)];

const LINE: &[Field] = &[
    ("order_line_item_id", "order_line_item_id", Kind::Text),
    ("order_id", "order_id", Kind::Text),
    ("service_type_code", "service_type_code", Kind::Text),
    ("service_type_name", "service_type_name", Kind::Text),
    ("product_id", "product_id", Kind::Text),
    ("product_spec_desc", "product_spec_desc", Kind::Text),
    ("period_type", "period_type", Kind::Number),
    ("period_num", "period_num", Kind::Number),
    ("effective_time", "effective_time", Kind::Text),
    ("expire_time", "expire_time", Kind::Text),
    ("subscription_num", "subscription_num", Kind::Number),
    ("amount_after_discount_e8", "amount_after_discount", Kind::Money),
    ("official_amount_e8", "official_amount", Kind::Money),
    ("currency", "currency", Kind::Text),
    ("category_code", "category_code", Kind::Text),
    ("product_owner_service", "product_owner_service", Kind::Text),
    ("commercial_resource", "commercial_resource", Kind::Text),
    ("base_product_id", "base_product_info.product_id", Kind::Text),
    ("base_product_spec_desc", "base_product_info.product_spec_desc", Kind::Text),
    ("base_category_code", "base_product_info.category_code", Kind::Text),
    ("base_product_owner_service", "base_product_info.product_owner_service", Kind::Text),
    ("base_commercial_resource", "base_product_info.commercial_resource", Kind::Text),
];

const ATTRIBUTION: &[Field] = &[
    ("id", "id", Kind::Text),
    ("amount_e8", "amount", Kind::Money),
    ("measure_id", "measure_id", Kind::Number),
    ("customer_id", "customer_id", Kind::Text),
    ("resource_type_code", "resource_type_code", Kind::Text),
    ("service_type_code", "service_type_code", Kind::Text),
    ("resource_type_name", "resource_type_name", Kind::Text),
    ("service_type_name", "service_type_name", Kind::Text),
    ("region_code", "region_code", Kind::Text),
    ("base_order_id", "base_order_id", Kind::Text),
];

const RESOURCE: &[Field] = &[
    ("resource_id", "resource_id", Kind::Text),
    ("id", "id", Kind::Text),
    ("resource_name", "resource_name", Kind::Text),
    ("region_code", "region_code", Kind::Text),
    ("service_type_code", "service_type_code", Kind::Text),
    ("resource_type_code", "resource_type_code", Kind::Text),
    ("resource_type_name", "resource_type_name", Kind::Text),
    ("service_type_name", "service_type_name", Kind::Text),
    ("resource_spec_code", "resource_spec_code", Kind::Text),
    ("project_id", "project_id", Kind::Text),
    ("product_id", "product_id", Kind::Text),
    ("parent_resource_id", "parent_resource_id", Kind::Text),
    ("is_main_resource", "is_main_resource", Kind::Number),
    ("status", "status", Kind::Number),
    ("effective_time", "effective_time", Kind::Text),
    ("expire_time", "expire_time", Kind::Text),
    ("expire_policy", "expire_policy", Kind::Number),
    ("product_spec_desc", "product_spec_desc", Kind::Text),
    ("spec_size", "spec_size", Kind::Text),
    ("spec_size_measure_id", "spec_size_measure_id", Kind::Number),
    ("update_time", "update_time", Kind::Text),
    ("enterprise_project_id", "enterprise_project.id", Kind::Text),
    ("enterprise_project_name", "enterprise_project.name", Kind::Text),
];

const SERVICE_TYPE: &[Field] = &[
    ("service_type_code", "service_type_code", Kind::Text),
    ("service_type_name", "service_type_name", Kind::Text),
    ("abbreviation", "abbreviation", Kind::Text),
];

const RESOURCE_TYPE: &[Field] = &[
    ("resource_type_code", "resource_type_code", Kind::Text),
    ("service_type_code", "service_type_code", Kind::Text),
    ("resource_type_name", "resource_type_name", Kind::Text),
    ("resource_type_desc", "resource_type_desc", Kind::Text),
];

const SUB_CUSTOMER: &[Field] = &[
    ("customer_id", "customer_id", Kind::Text),
    ("customer", "customer", Kind::Text),
    ("account_name", "account_name", Kind::Text),
    ("associated_on", "associated_on", Kind::Text),
    ("association_type", "association_type", Kind::Text),
    ("label", "label", Kind::Text),
    ("telephone", "telephone", Kind::Text),
    ("verified_status", "verified_status", Kind::Text),
    ("country_code", "country_code", Kind::Text),
    ("customer_type", "customer_type", Kind::Number),
    ("is_frozen", "is_frozen", Kind::Number),
    ("xaccount_id", "xaccount_id", Kind::Text),
    ("xaccount_type", "xaccount_type", Kind::Text),
    ("customer_level", "customer_level", Kind::Text),
    ("email", "email", Kind::Text),
];

const ACCOUNT_MANAGER: &[Field] = &[("account_name", "account_name", Kind::Text)];

const COMPLETED: i128 = 5;
/// Unsubscription, switch to pay-per-use, expense adjustment: nothing is provisioned for them.
const WITHOUT_RESOURCES: [i128; 3] = [4, 10, 15];

type Fields = BTreeMap<String, Box<RawValue>>;

/// A JSON object that is taken apart; what is left was not documented.
struct Open {
    fields: Fields,
    inner: BTreeMap<&'static str, Fields>,
}

impl Open {
    fn new(json: &str) -> Self {
        let fields = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        Self { fields, inner: BTreeMap::new() }
    }

    /// Takes a field out; null and missing are the same.
    fn take(&mut self, place: &'static str) -> Option<Box<RawValue>> {
        let value = match place.split_once('.') {
            None => self.fields.remove(place),
            Some((object, field)) => {
                let fields = &mut self.fields;
                let inner = self.inner.entry(object).or_insert_with(|| match fields.remove(object) {
                    Some(value) if value.get() != "null" => {
                        serde_json::from_str(value.get()).expect("an object")
                    }
                    Some(_) | None => Fields::new(),
                });
                inner.remove(field)
            }
        };
        value.filter(|value| value.get() != "null")
    }

    fn list(&mut self, place: &'static str) -> Vec<Box<RawValue>> {
        self.take(place).map_or_else(Vec::new, |list| serde_json::from_str(list.get()).expect("a list"))
    }

    fn cells(&mut self, fields: &[Field]) -> Row {
        fields
            .iter()
            .map(|&(column, place, kind)| {
                (column.to_owned(), self.take(place).map_or(Cell::Null, |raw| cell(&raw, kind)))
            })
            .collect()
    }

    /// What nobody took.
    fn extra(mut self) -> Cell {
        for (name, inner) in std::mem::take(&mut self.inner) {
            if !inner.is_empty() {
                let json = RawValue::from_string(object_text(&inner)).expect("JSON");
                self.fields.insert(name.to_owned(), json);
            }
        }
        if self.fields.is_empty() { Cell::Null } else { Cell::Text(object_text(&self.fields)) }
    }
}

fn object_text(fields: &Fields) -> String {
    let entries: Vec<String> =
        fields.iter().map(|(key, value)| format!("{}:{value}", serde_json::json!(key))).collect();
    format!("{{{}}}", entries.join(","))
}

fn cell(raw: &RawValue, kind: Kind) -> Cell {
    let text = match raw.get() {
        json if json.starts_with('"') => serde_json::from_str(json).expect("a text"),
        json => json.to_owned(),
    };
    match kind {
        Kind::Text => Cell::Text(text),
        Kind::Number | Kind::Money | Kind::Flag if text.is_empty() => Cell::Null,
        Kind::Number => Cell::Number(text.parse().expect("an integer")),
        Kind::Money => Cell::Number(e8(&text)),
        Kind::Flag => Cell::Number(i128::from(text == "true" || text == "1")),
    }
}

/// A decimal text in units of 10⁻⁸, exactly.
pub fn e8(text: &str) -> i128 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().expect("digits");
    let places = i64::try_from(fraction.len()).expect("few digits");
    let shift = exponent.parse::<i64>().expect("an exponent") - places + 8;
    let factor = 10_i128.pow(u32::try_from(shift.unsigned_abs()).expect("a small exponent"));
    if shift >= 0 {
        return digits * factor;
    }
    assert_eq!(digits % factor, 0, "{text} has more than 8 decimals");
    digits / factor
}

/// Collects what the warehouse must hold.
struct Collector {
    tables: Tables,
    role: &'static str,
    /// Whether requests for what belongs to a customer name the customer.
    names_customers: bool,
}

impl Collector {
    fn put(&mut self, table: &'static str, row: Row) {
        let key = key(table, &row);
        let old = self.tables.entry(table).or_default().insert(key.clone(), row);
        assert!(old.is_none(), "{table} {key} is served twice");
    }

    /// Adds the columns of the request: whom it named, and in which role it was sent.
    fn asked(&self, row: &mut Row, customer: Option<&str>) {
        let asked = customer.filter(|_| self.names_customers);
        row.insert("asked_customer_id".into(), asked.map_or(Cell::Null, text));
        row.insert("role".into(), text(self.role));
    }

    fn children(&mut self, table: &'static str, owner: (&str, &str), list: &[Box<RawValue>], spec: &[Field]) {
        for (position, element) in (0..).zip(list) {
            let mut open = Open::new(element.get());
            let mut row = open.cells(spec);
            row.insert(owner.0.into(), text(owner.1));
            row.insert("position".into(), Cell::Number(position));
            row.insert("extra".into(), open.extra());
            self.put(table, row);
        }
    }

    /// An order of the list and, behind it, its members; returns the rows that carry money and resources.
    fn order(&mut self, json: &str, parent: Option<&str>) -> Vec<Row> {
        let mut open = Open::new(json);
        let mut row = open.cells(&[ORDER, AMOUNTS, PAYER].concat());
        let id = text_of(&row, "order_id");
        self.children("order_discounts", ("order_id", &id), &open.list("amount_info.discounts"), DISCOUNT);
        self.children(
            "order_enterprise_projects",
            ("order_id", &id),
            &open.list("enterprise_projects"),
            PROJECT,
        );
        let members = open.list("sub_order_infos");
        row.insert("parent_order_id".into(), parent.map_or(Cell::Null, text));
        row.insert("extra".into(), open.extra());
        self.asked(&mut row, None);
        self.put("orders", row.clone());
        if members.is_empty() {
            return vec![row];
        }
        members.iter().flat_map(|member| self.order(member.get(), Some(&id))).collect()
    }

    fn detail(&mut self, json: &str, parent: Option<&str>) {
        let mut open = Open::new(json);
        let mut row = open.cells(&[ORDER, AMOUNTS, DETAIL].concat());
        let id = text_of(&row, "order_id");
        self.children(
            "order_detail_discounts",
            ("order_id", &id),
            &open.list("amount_info.discounts"),
            DISCOUNT,
        );
        let members = open.list("sub_order_infos");
        row.insert("parent_order_id".into(), parent.map_or(Cell::Null, text));
        row.insert("extra".into(), open.extra());
        self.asked(&mut row, None);
        self.put("order_details", row);
        for member in members {
            self.detail(member.get(), Some(&id));
        }
    }

    fn line(&mut self, json: &str, requested: &str) {
        let mut open = Open::new(json);
        let mut row = open.cells(&[LINE, AMOUNTS].concat());
        let id = text_of(&row, "order_line_item_id");
        self.children(
            "order_line_discounts",
            ("order_line_item_id", &id),
            &open.list("amount_info.discounts"),
            DISCOUNT,
        );
        row.insert("requested_order_id".into(), text(requested));
        row.insert("extra".into(), open.extra());
        self.asked(&mut row, None);
        self.put("order_lines", row);
    }

    fn plain(
        &mut self,
        table: &'static str,
        json: &str,
        spec: &[Field],
        given: &[(&str, &str)],
        customer: Option<&str>,
    ) {
        let mut open = Open::new(json);
        let mut row = open.cells(spec);
        for (column, value) in given {
            row.insert((*column).into(), text(value));
        }
        if table == "resource_types" && row["service_type_code"] == Cell::Null {
            // A key has no null.
            row.insert("service_type_code".into(), text(""));
        }
        if table == "sub_customers" {
            let id = text_of(&row, "customer_id");
            let managers = open.list("account_managers");
            self.children("sub_customer_account_managers", ("customer_id", &id), &managers, ACCOUNT_MANAGER);
        }
        row.insert("extra".into(), open.extra());
        self.asked(&mut row, customer);
        self.put(table, row);
    }
}

/// What the warehouse must hold when everything was read.
pub fn expected(truth: &Truth, who: As) -> Tables {
    let (scope, role) = match who {
        As::Customer => (Scope::Own, "customer"),
        As::Partner => (Scope::Partner, "partner"),
    };
    let mut all = Collector { tables: Tables::new(), role, names_customers: who == As::Partner };
    for (table, _) in KEYS {
        all.tables.insert(table, BTreeMap::new());
    }
    for json in truth.orders(&scope) {
        for leaf in all.order(&json, None) {
            let (id, customer) = (text_of(&leaf, "order_id"), text_of(&leaf, "customer_id"));
            for json in truth.refunds(&id).unwrap_or_default() {
                let given = [("refund_order_id", id.as_str())];
                all.plain("refund_attributions", &json, ATTRIBUTION, &given, Some(&customer));
            }
            let provisions = leaf["status"] == Cell::Number(COMPLETED)
                && !WITHOUT_RESOURCES.iter().any(|kind| leaf["order_type"] == Cell::Number(*kind));
            for resource in provisions.then(|| truth.links(&id)).into_iter().flatten() {
                let given = [("order_id", id.as_str()), ("resource_id", resource.as_str())];
                all.plain("order_resources", "{}", &[], &given, Some(&customer));
            }
        }
    }
    for id in truth.order_ids(&scope) {
        let (info, lines) = truth.details(&id).expect("a listed order has details");
        all.detail(&info, None);
        for line in &lines {
            all.line(line, &id);
        }
    }
    let owners: BTreeMap<String, String> = truth.resource_owners().into_iter().collect();
    for json in truth.resources(&scope) {
        let id = text_of(&Open::new(&json).cells(&RESOURCE[..1]), "resource_id");
        all.plain("resources", &json, RESOURCE, &[], Some(&owners[&id]));
    }
    for json in truth.service_types() {
        all.plain("service_types", json, SERVICE_TYPE, &[], None);
    }
    for json in truth.resource_types() {
        all.plain("resource_types", json, RESOURCE_TYPE, &[], None);
    }
    if who == As::Partner {
        for json in truth.sub_customers() {
            all.plain("sub_customers", json, SUB_CUSTOMER, &[], None);
        }
    }
    all.tables
}

/// What the warehouse holds. Rows marked as gone are told apart by their key.
pub fn stored(db: &Connection) -> Tables {
    KEYS.iter().map(|(table, _)| (*table, stored_rows(db, table))).collect()
}

fn stored_rows(db: &Connection, table: &str) -> BTreeMap<String, Row> {
    let mut statement = db.prepare(&format!("select * from {table}")).expect("a table");
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = statement.query([]).expect("rows");
    let mut rows = BTreeMap::new();
    while let Some(record) = found.next().expect("a row") {
        let mut row = Row::new();
        for (position, name) in names.iter().enumerate() {
            let value = match record.get_ref(position).expect("a column") {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Number(number.into()),
                ValueRef::Text(bytes) => Cell::Text(String::from_utf8(bytes.to_vec()).expect("UTF-8")),
                other @ (ValueRef::Real(_) | ValueRef::Blob(_)) => {
                    panic!("{table}.{name} holds {other:?}")
                }
            };
            row.insert(name.clone(), value);
        }
        assert_eq!(row["account"], text("acme"), "{table}");
        let gone = if row["gone_since"] == Cell::Null { "" } else { " (gone)" };
        row.retain(|column, _| !BOOKKEEPING.contains(&column.as_str()));
        rows.insert(format!("{}{gone}", key(table, &row)), row);
    }
    rows
}

/// How two sets of rows differ, in words.
pub fn differences(expected: &Tables, stored: &Tables) -> Vec<String> {
    let mut found = Vec::new();
    for (table, _) in KEYS {
        let (wanted, got) = (&expected[table], &stored[table]);
        let keys: BTreeSet<&String> = wanted.keys().chain(got.keys()).collect();
        for key in keys {
            match (wanted.get(key), got.get(key)) {
                (Some(wanted), Some(got)) => {
                    let columns: BTreeSet<&String> = wanted.keys().chain(got.keys()).collect();
                    for column in columns.into_iter().filter(|column| wanted.get(*column) != got.get(*column))
                    {
                        found.push(format!(
                            "{table} {key} {column}: served {:?}, stored {:?}",
                            wanted.get(column),
                            got.get(column)
                        ));
                    }
                }
                (Some(_), None) => found.push(format!("{table} {key}: missing")),
                (None, _) => found.push(format!("{table} {key}: nobody served it")),
            }
        }
    }
    found
}

/// Fails with the first of the differences when there are any.
#[track_caller]
pub fn assert_no_differences(expected: &Tables, stored: &Tables) {
    let found = differences(expected, stored);
    let shown = found.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "{} differences, the first:\n{shown}", found.len());
}

/// The warehouse holds what the simulator serves: every row, every field, and nothing else.
#[track_caller]
pub fn assert_equals_truth(bench: &Bench, who: As) -> Tables {
    let expected = expected(&bench.sim.truth(), who);
    assert_no_differences(&expected, &stored(&bench.db()));
    expected
}

/// The file is sound, every reference leads somewhere, and nothing was put aside.
#[track_caller]
pub fn assert_sound(bench: &Bench) {
    let db = bench.db();
    let integrity: String = db.query_row("pragma integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(integrity, "ok");
    let broken = db.prepare("pragma foreign_key_check").and_then(|mut check| check.exists([]));
    assert_eq!(broken, Ok(false), "references lead nowhere");
    assert_eq!(bench.count("select count(*) from quarantine"), 0);
    assert_eq!(bench.count("select count(*) from coverage where verdict <> 'complete'"), 0);
}

/// Net spend by month (UTC+8) and currency, from what was served: purchases when paid and not cancelled, refunds
/// (always negative) when completed; trials and combined trades themselves do not count.
pub fn net_spend(tables: &Tables) -> BTreeMap<(String, String), i128> {
    let orders = &tables["orders"];
    let combined: BTreeSet<&Cell> = orders.values().map(|order| &order["parent_order_id"]).collect();
    let mut sums = BTreeMap::new();
    for order in orders.values().filter(|order| !combined.contains(&order["order_id"])) {
        let Cell::Number(amount) = order["amount_after_discount_e8"] else { continue };
        let (Cell::Number(kind), Cell::Number(status)) = (&order["order_type"], &order["status"]) else {
            continue;
        };
        let paid = Some(text_of(order, "payment_time")).filter(|time| !time.is_empty());
        let signed = match kind {
            4 | 10 if *status == COMPLETED => -amount.abs(),
            3 if amount < 0 && *status == COMPLETED => amount,
            1 | 2 | 11 | 14 | 15 if *status != 4 && paid.is_some() => amount,
            3 if amount >= 0 && *status != 4 && paid.is_some() => amount,
            _ => continue,
        };
        let time = paid.unwrap_or_else(|| text_of(order, "create_time"));
        let local = clock::text(clock::parse(&time).expect("a time") + 8 * clock::HOUR);
        *sums.entry((local[..7].to_owned(), text_of(order, "currency"))).or_default() += signed;
    }
    sums
}

fn key(table: &str, row: &Row) -> String {
    let (_, columns) = KEYS.iter().find(|(name, _)| *name == table).expect("a known table");
    let parts: Vec<String> = columns
        .iter()
        .map(|column| match &row[*column] {
            Cell::Null => "null".to_owned(),
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        })
        .collect();
    parts.join("/")
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn text_of(row: &Row, column: &str) -> String {
    match &row[column] {
        Cell::Text(text) => text.clone(),
        Cell::Null => String::new(),
        Cell::Number(number) => number.to_string(),
    }
}
