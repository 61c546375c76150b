//! The reconciliation checks over rows made by hand: silent about a sane account, and exact about each break.

mod data_set;
mod inconsistent;
mod models;
mod orders;
mod refunds;
mod resources;

use rusqlite::{Params, params};

use crate::by_hand::{
    CANCELLED, CHANGE, COMPLETED, Db, PENDING, PURCHASE, REFUND, RENEWAL, TO_PAY_PER_USE, TRIAL, e8, rows,
    warehouse,
};

/// When the vendor last showed whatever is stored.
const SHOWN: &str = "2026-12-01T00:00:00Z";

/// Far enough away that nothing expires while the tests are in use.
const FAR: &str = "2099-01-01T15:59:59Z";

impl Db {
    fn run(&self, sql: &str, params: impl Params) {
        self.execute(sql, params).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The rows of a check, each like `key|expected|actual|diff|currency|period`.
    fn found(&self, check: &str) -> Vec<String> {
        let view: String = self
            .query_row("select view from checks where id = ?1", [check], |row| row.get(0))
            .unwrap_or_else(|error| panic!("{check}: {error}"));
        self.texts(&format!("select key, expected, actual, diff, currency, period from {view} order by key"))
    }

    /// One column of a check's rows.
    fn column(&self, check: &str, column: &str) -> Vec<String> {
        let view: String =
            self.query_row("select view from checks where id = ?1", [check], |row| row.get(0)).unwrap();
        self.texts(&format!("select {column} from {view} order by key"))
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        rows(self, sql)
    }

    /// Changes an order as a later answer would: the former row goes to the history.
    fn order_becomes(&self, id: &str, set: &str, at: &str) {
        let sql =
            format!("update orders set {set}, version = version + 1, last_seen_at = ?2 where order_id = ?1");
        self.run(&sql, [id, at]);
    }

    /// Pins what is open, as `reconcile` does once the evidence is clear.
    fn pin(&self, question: &str, model: &str) {
        self.run("insert into pinned_models values ('main', ?1, ?2, 20, ?3)", [question, model, SHOWN]);
    }
}

/// An order; `put` stores it.
#[derive(Clone, Copy)]
struct Order<'a> {
    id: &'a str,
    parent: Option<&'a str>,
    customer: &'a str,
    kind: i64,
    status: i64,
    amount: &'a str,
    official: Option<&'a str>,
    coupon: &'a str,
    currency: &'a str,
    created: Option<&'a str>,
    paid: Option<&'a str>,
    payer: Option<&'a str>,
    fee: Option<&'a str>,
    consumed: Option<&'a str>,
}

/// A completed order in CNY of customer c1, created and paid at `paid`; its list price is its price.
fn order<'a>(id: &'a str, kind: i64, amount: &'a str, paid: &'a str) -> Order<'a> {
    Order {
        id,
        parent: None,
        customer: "c1",
        kind,
        status: COMPLETED,
        amount,
        official: None,
        coupon: "0",
        currency: "CNY",
        created: Some(paid),
        paid: Some(paid),
        payer: None,
        fee: None,
        consumed: None,
    }
}

impl Order<'_> {
    fn put(&self, db: &Db) {
        db.run(
            "insert into orders (account, order_id, parent_order_id, customer_id, service_type_code, order_type, status,
                 amount_after_discount_e8, official_amount_e8, coupon_amount_e8, currency, create_time, payment_time,
                 is_agent_pay, paying_agent_id, commission_amount_e8, consumed_amount_e8, measure_id, source_type, role,
                 first_seen_run, last_changed_run, last_seen_at)
             values ('main', ?1, ?2, ?3, 'ecs', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 is not null, ?12, ?13, ?14, 1, 1,
                 'customer', 1, 1, ?15)",
            params![
                self.id,
                self.parent,
                self.customer,
                self.kind,
                self.status,
                e8(self.amount),
                e8(self.official.unwrap_or(self.amount)),
                e8(self.coupon),
                self.currency,
                self.created,
                self.paid,
                self.payer,
                self.fee.map(e8),
                self.consumed.map(e8),
                SHOWN,
            ],
        );
    }

    /// Stores the order with one line of its whole amount.
    fn put_with_line(&self, db: &Db) {
        self.put(db);
        let asked = self.parent.unwrap_or(self.id);
        let line = line(self.id, asked, self.amount);
        Line { official: self.official, currency: self.currency, of: Some(self.id), ..line }.put(db);
    }
}

/// A line; `put` stores it.
#[derive(Clone, Copy)]
struct Line<'a> {
    id: &'a str,
    asked: &'a str,
    of: Option<&'a str>,
    amount: &'a str,
    official: Option<&'a str>,
    currency: &'a str,
    resource_type: &'a str,
    quantity: i64,
    period_type: i64,
    effective: &'a str,
    expires: &'a str,
}

/// A line of one virtual machine, of the order that is asked for.
const fn line<'a>(id: &'a str, asked: &'a str, amount: &'a str) -> Line<'a> {
    Line {
        id,
        asked,
        of: Some(asked),
        amount,
        official: None,
        currency: "CNY",
        resource_type: "vm",
        quantity: 1,
        period_type: 2,
        effective: "2026-01-10T02:00:00Z",
        expires: FAR,
    }
}

impl Line<'_> {
    fn put(&self, db: &Db) {
        db.run(
            "insert into order_lines (account, order_line_item_id, requested_order_id, order_id, service_type_code,
                 commercial_resource, period_type, period_num, subscription_num, amount_after_discount_e8,
                 official_amount_e8, currency, effective_time, expire_time, role, first_seen_run, last_changed_run,
                 last_seen_at)
             values ('main', ?1, ?2, ?3, 'ecs', ?4, ?5, 12, ?6, ?7, ?8, ?9, ?10, ?11, 'customer', 1, 1, ?12)",
            params![
                self.id,
                self.asked,
                self.of,
                self.resource_type,
                self.period_type,
                self.quantity,
                e8(self.amount),
                e8(self.official.unwrap_or(self.amount)),
                self.currency,
                self.effective,
                self.expires,
                SHOWN,
            ],
        );
    }
}

/// An attribution; `put` stores it.
#[derive(Clone, Copy)]
struct Attribution<'a> {
    refund: &'a str,
    id: &'a str,
    amount: &'a str,
    base: Option<&'a str>,
    customer: &'a str,
    region: &'a str,
}

const fn attribution<'a>(refund: &'a str, id: &'a str, amount: &'a str, base: &'a str) -> Attribution<'a> {
    Attribution { refund, id, amount, base: Some(base), customer: "c1", region: "north" }
}

impl Attribution<'_> {
    fn put(&self, db: &Db) {
        db.run(
            "insert into refund_attributions (account, refund_order_id, id, amount_e8, measure_id, customer_id,
                 service_type_code, resource_type_code, region_code, base_order_id, role, first_seen_run,
                 last_changed_run, last_seen_at)
             values ('main', ?1, ?2, ?3, 1, ?4, 'ecs', 'vm', ?5, ?6, 'customer', 1, 1, ?7)",
            params![self.refund, self.id, e8(self.amount), self.customer, self.region, self.base, SHOWN],
        );
    }
}

fn discount(db: &Db, order: &str, position: i64, kind: &str, amount: &str) {
    db.run(
        "insert into order_discounts (account, order_id, position, discount_type, discount_amount_e8, first_seen_run,
             last_changed_run, last_seen_at)
         values ('main', ?1, ?2, ?3, ?4, 1, 1, ?5)",
        params![order, position, kind, e8(amount), SHOWN],
    );
}

/// A virtual machine that is renewed automatically, or something attached to `parent`.
fn resource(db: &Db, id: &str, parent: Option<&str>, status: i64, expires: &str, orders: &[&str]) {
    db.run(
        "insert into resources (account, resource_id, service_type_code, resource_type_code, parent_resource_id,
             is_main_resource, status, effective_time, expire_time, expire_policy, update_time, role, first_seen_run,
             last_changed_run, last_seen_at)
         values ('main', ?1, 'ecs', 'vm', ?2, ?2 is null, ?3, '2026-01-10T02:00:00Z', ?4, 3, '2026-01-10T02:01:00Z',
             'customer', 1, 1, ?5)",
        params![id, parent, status, expires, SHOWN],
    );
    for order in orders {
        db.run(
            "insert into order_resources (account, order_id, resource_id, role, first_seen_run, last_changed_run,
                 last_seen_at)
             values ('main', ?1, ?2, 'customer', 1, 1, ?3)",
            [order, id, SHOWN],
        );
    }
}

/// The ledger says that all of the account was read just now.
fn everything_is_read(db: &Db) {
    db.execute_batch(
        "insert or ignore into watermarks values ('main', 'orders', 'created from', '2025-10-31T16:00:00Z', 1);
         insert or replace into coverage (account, stream, scope, lane, window_begin, window_end, seen, requests, attempts,
             verdict, proof, run_id, started_at, read_at)
         select 'main', 'orders', 'created all', 'created', '2025-10-31T16:00:00Z', now, 9, 1, 1, 'complete', 'because', 1,
             now, now
         from (select strftime('%Y-%m-%dT%H:%M:%SZ', 'now') as now);
         insert or replace into coverage (account, stream, scope, seen, requests, attempts, verdict, proof, run_id, read_at)
         select 'main', 'resources', 'whole', 9, 1, 1, 'complete', 'because', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now');
         insert or replace into coverage (account, stream, scope, parent_id, seen, requests, attempts, verdict, proof, run_id,
             read_at)
         select 'main', s.value, 'order ' || o.order_id, o.order_id, 1, 1, 1, 'complete', 'because', 1,
             strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
         from orders as o, json_each('[\"order_lines\",\"refund_attributions\",\"resources\"]') as s;",
    )
    .unwrap();
}

/// Runs of every stream, and an account whose figures tie in every way: a purchase and two renewals refunded together, a
/// downgrade, a refund within five days with its coupon, a combined trade that somebody else pays, an order across the border
/// of two months, one in another currency with eight decimals and two projects, one that waits and one without a time.
fn sane() -> Db {
    let db = warehouse(
        "insert into runs (job, account, stream, program_version, started_at, finished_at, outcome)
         select value, 'main', value, '0', '2026-01-01T00:00:00Z', '2026-12-01T00:00:00Z', 'done'
         from json_each('[\"orders\",\"order_lines\",\"refund_attributions\",\"resources\"]')",
    );
    for (id, kind, paid) in [
        ("P", PURCHASE, "2025-11-02T00:00:00Z"),
        ("N1", RENEWAL, "2026-01-02T00:00:00Z"),
        ("N2", RENEWAL, "2026-03-02T00:00:00Z"),
    ] {
        Order { official: Some("120"), ..order(id, kind, "100", paid) }.put_with_line(&db);
        discount(&db, id, 0, "605", "20");
    }
    Order { fee: Some("5"), consumed: Some("10"), ..order("R", REFUND, "-215", "2026-03-20T00:00:00Z") }
        .put_with_line(&db);
    for (id, amount, base) in
        [("1", "-40", "P"), ("2", "-90", "N1"), ("3", "-100", "N2"), ("4", "10", "N1"), ("5", "5", "N2")]
    {
        attribution("R", id, amount, base).put(&db);
    }
    resource(&db, "closed", None, 3, "2026-03-20T00:00:00Z", &["P", "N1", "N2", "R"]);
    order("D0", PURCHASE, "120", "2026-02-01T00:00:00Z").put_with_line(&db);
    order("D", CHANGE, "-20", "2026-02-11T00:00:00Z").put_with_line(&db);
    attribution("D", "1", "-20", "D0").put(&db);
    resource(&db, "running", None, 2, FAR, &["D0", "D"]);
    resource(&db, "attached", Some("running"), 2, FAR, &[]);
    Order { coupon: "100", ..order("F", PURCHASE, "300", "2026-05-01T00:00:00Z") }.put_with_line(&db);
    let given_back = order("G", REFUND, "300", "2026-05-03T00:00:00Z");
    Order { coupon: "100", fee: Some("0"), consumed: Some("0"), ..given_back }.put_with_line(&db);
    attribution("G", "1", "-300", "F").put(&db);
    Order { payer: Some("agent"), ..order("T", PURCHASE, "30.03", "2026-06-15T08:00:00Z") }.put(&db);
    for (id, amount) in [("T1", "10.01"), ("T2", "20.02")] {
        Order { parent: Some("T"), paid: None, ..order(id, PURCHASE, amount, "2026-06-15T08:00:00Z") }
            .put_with_line(&db);
        resource(&db, &format!("of {id}"), None, 2, FAR, &[id]);
    }
    let across = order("X", PURCHASE, "1", "2026-10-31T16:30:00Z");
    Order { created: Some("2026-10-31T15:59:00Z"), ..across }.put_with_line(&db);
    resource(&db, "of X", None, 2, FAR, &["X"]);
    let dollars = order("U", PURCHASE, "10.00000001", "2026-07-01T00:00:00Z");
    Order { currency: "USD", customer: "c2", ..dollars }.put_with_line(&db);
    resource(&db, "of U", None, 2, FAR, &["U"]);
    for (position, project) in [(0, "0"), (1, "p1")] {
        db.run(
            "insert into order_enterprise_projects (account, order_id, position, enterprise_project_id, first_seen_run,
                 last_changed_run, last_seen_at)
             values ('main', 'U', ?1, ?2, 1, 1, ?3)",
            params![position, project, SHOWN],
        );
    }
    let waiting = order("W", PURCHASE, "7", "2026-11-20T00:00:00Z");
    Order { status: PENDING, paid: None, ..waiting }.put_with_line(&db);
    order_details(&db, "W", "7", FAR);
    Order { status: 1, created: None, paid: None, ..order("Z", PURCHASE, "3", "") }.put_with_line(&db);
    everything_is_read(&db);
    db
}

/// The head of an order's details.
fn order_details(db: &Db, id: &str, amount: &str, deadline: &str) {
    db.run(
        "insert into order_details (account, order_id, status, order_type, amount_after_discount_e8, official_amount_e8,
             currency, pending_payment_end_time, role, first_seen_run, last_changed_run, last_seen_at)
         values ('main', ?1, 6, 1, ?2, ?2, 'CNY', ?3, 'customer', 1, 1, ?4)",
        params![id, e8(amount), deadline, SHOWN],
    );
}

#[test]
fn no_check_has_a_word_to_say_about_a_sane_account() {
    let db = sane();
    let checks = db.texts("select id, view from checks");
    assert_eq!(checks.len(), 25);
    for check in checks {
        let (id, view) = check.split_once('|').unwrap();
        let found = db.texts(&format!("select key, expected, actual, note from {view}"));
        assert_eq!(found, [""; 0], "{id}");
    }
}

#[test]
fn all_checks_have_the_same_columns() {
    let db = sane();
    let wanted = "account, check_id, severity, customer_id, key, expected, actual, diff, currency, period, first_seen, note, \
                  expected_e8, actual_e8, diff_e8";
    for view in db.texts("select view from checks") {
        let columns = db.texts(&format!("select group_concat(name, ', ') from pragma_table_info('{view}')"));
        assert_eq!(columns, [wanted], "{view}");
    }
}

#[test]
fn the_catalogue_says_what_each_check_is_in_both_languages() {
    let db = sane();
    assert_eq!(
        db.texts(
            "select id, name_en, name_zh, severity, tolerance, needs from checks where id in ('RC01', 'RC21')"
        ),
        [
            "RC01|refund ties|退款金额核对|error|T1|orders, refund_attributions",
            "RC21|expires without renewal|即将到期未设自动续费|info|30 days|resources",
        ]
    );
    assert_eq!(
        db.texts("select id from checks where meaning_en not like 'A break means%' or meaning_zh not like '差异说明%'"),
        [""; 0]
    );
    assert_eq!(
        db.texts("select group_concat(id, ' ') from checks where severity = 'error'"),
        ["RC01 RC02 RC03 RC06 RC07 RC08 RC10 RC11 RC12 RC13 RC15 RC16 RC27 RC29"]
    );
}
