//! Family E: the data set as a whole.

use rusqlite::params;

use super::{
    Attribution, Db, Line, Order, PENDING, PURCHASE, REFUND, attribution, everything_is_read, line, order,
    sane,
};

const MARCH: &str = "2026-03-28T00:00:00Z";
/// After March was closed, at 10:00 of the 4th of April in UTC+8.
const CLOSED: &str = "2026-04-04T02:00:00Z";
/// The first second of which nothing was known at the close.
const LATE: &str = "2026-04-04T02:00:01Z";
const NOT_YET: &str = "2026-04-04T01:59:59Z";

#[test]
fn rc27_finds_units_and_currencies_that_do_not_fit() {
    let db = sane();
    Order { currency: "", ..order("A", PURCHASE, "5", MARCH) }.put_with_line(&db);
    order("B", PURCHASE, "5", MARCH).put(&db);
    Line { currency: "USD", ..line("B-1", "B", "5") }.put(&db);
    order("C", PURCHASE, "5", MARCH).put_with_line(&db);
    db.run("update orders set measure_id = 3 where order_id = 'C'", []);
    Order { parent: Some("T"), currency: "USD", ..order("T3", PURCHASE, "0", MARCH) }.put_with_line(&db);
    order("R2", REFUND, "-5", MARCH).put_with_line(&db);
    attribution("R2", "1", "-5", "U").put(&db);
    Attribution { base: Some("P"), ..attribution("R2", "2", "0", "") }.put(&db);
    db.run("update refund_attributions set measure_id = 2 where refund_order_id = 'R2' and id = '2'", []);
    db.run("update order_lines set currency = 'CNY' where order_line_item_id = 'T3'", []);
    assert_eq!(
        db.found("RC27"),
        [
            "A/currency|a currency|(none)|||2026-03",
            "B-1/currency|CNY|USD|||2026-03",
            "C/measure_id|1|3|||2026-03",
            "R2/2/measure_id|1|2|||2026-03",
            "R2/U|USD|CNY|||2026-03",
            "T3/trade|CNY|USD|||2026-03",
        ]
    );
}

#[test]
fn rc27_takes_the_currency_of_the_trade_for_a_member_that_says_none() {
    let db = sane();
    let trade = Order { currency: "USD", ..order("UT", PURCHASE, "10", MARCH) };
    trade.put(&db);
    Order { parent: Some("UT"), currency: "", ..order("UT1", PURCHASE, "10", MARCH) }.put_with_line(&db);
    order("R2", REFUND, "-5", MARCH).put_with_line(&db);
    attribution("R2", "1", "-5", "UT1").put(&db);
    assert_eq!(db.found("RC27"), ["R2/UT1|USD|CNY|||2026-03"]);
    db.run("update orders set currency = 'USD' where order_id = 'R2'", []);
    db.run("update order_lines set currency = 'USD' where order_id = 'R2'", []);
    assert_eq!(db.found("RC27"), [""; 0]);
}

#[test]
fn rc27_names_rows_that_were_not_stored_for_their_unit() {
    let db = sane();
    db.run(
        "insert into quarantine (account, stream, raw_sha256, scope, reason, raw, first_run, last_run, last_seen_at,
             record_table, row_key, created_at)
         values ('main', 'orders', 'abc', 'created 2026-03-01T00:00:00Z/2026-04-01T00:00:00Z',
             'field `measure_id`: 3 is another unit of money, not 1 (the currency''s main unit)',
             '{\"order_id\":\"Q\",\"create_time\":\"2026-03-28T00:00:00Z\"}', 1, 1, '2099-01-01T00:00:00Z',
             'orders', '[\"Q\"]', '2026-03-28T00:00:00Z')",
        [],
    );
    assert_eq!(db.found("RC27"), ["orders/Q/measure_id|1|another unit|||2026-03"]);
}

#[test]
fn rc28_shows_what_a_change_after_the_close_did_to_the_month() {
    let db = sane();
    order("A", PURCHASE, "5", MARCH).put_with_line(&db);
    db.order_becomes("A", "amount_after_discount_e8 = 600000000", CLOSED);
    assert_eq!(db.found("RC28"), [""; 0], "it was known at the close");
    db.order_becomes("A", "amount_after_discount_e8 = 650000001", LATE);
    assert_eq!(db.found("RC28"), ["A/3/2026-03|6.00|6.50000001|0.50000001|CNY|2026-03"]);
    db.order_becomes("A", "contract_id = 'c'", LATE);
    assert_eq!(db.found("RC28").len(), 1, "a contract moves no figure");
    db.order_becomes("A", "amount_after_discount_e8 = 500000000", LATE);
    assert_eq!(db.found("RC28"), ["A/3/2026-03|6.00|5.00|-1.00|CNY|2026-03"], "the same break goes on");
    db.order_becomes("A", "amount_after_discount_e8 = 600000000", LATE);
    assert_eq!(db.found("RC28"), [""; 0], "the figure is what it was");
}

#[test]
fn rc28_shows_both_months_of_an_order_that_moved_and_what_vanished() {
    let db = sane();
    order("A", PURCHASE, "5", MARCH).put_with_line(&db);
    db.order_becomes("A", "payment_time = '2026-04-28T00:00:00Z'", "2026-05-10T00:00:00Z");
    assert_eq!(
        db.found("RC28"),
        ["A/2/2026-03|5.00|0.00|-5.00|CNY|2026-03", "A/2/2026-04|0.00|5.00|5.00|CNY|2026-04"]
    );
    let vanished = "2026-05-11T00:00:00Z";
    db.order_becomes("A", &format!("gone_since = '{vanished}'"), vanished);
    // April was closed without it.
    assert_eq!(db.found("RC28"), ["A/2/2026-03|5.00|0.00|-5.00|CNY|2026-03"]);
    order("B", PURCHASE, "7", MARCH).put_with_line(&db);
    db.order_becomes("B", &format!("gone_since = '{vanished}'"), vanished);
    assert_eq!(db.found("RC28")[1], "B/2/2026-03|7.00|0.00|-7.00|CNY|2026-03");
    assert_eq!(db.column("RC28", "note")[1], "gone 2026-05-11T00:00:00Z");
}

#[test]
fn rc28_shows_both_customers_and_currencies_of_an_order_that_changed() {
    let db = sane();
    for id in ["A", "B"] {
        order(id, PURCHASE, "5", MARCH).put_with_line(&db);
    }
    db.order_becomes("A", "customer_id = 'c2'", LATE);
    db.order_becomes("B", "currency = 'USD'", LATE);
    assert_eq!(
        db.texts("select key, customer_id, diff, currency from check_rc28_late_arrivals order by key"),
        [
            "A/2/2026-03|c1|-5.00|CNY",
            "A/2/2026-03/CNY/c2|c2|5.00|CNY",
            "B/2/2026-03|c1|-5.00|CNY",
            "B/2/2026-03/USD/c1|c1|5.00|USD",
        ]
    );
}

#[test]
fn rc28_shows_members_that_their_trade_moved() {
    let db = sane();
    Order { paid: None, status: PENDING, ..order("TT", PURCHASE, "100", MARCH) }.put(&db);
    for (id, amount) in [("M1", "60"), ("M2", "40")] {
        Order { parent: Some("TT"), customer: "", currency: "", ..order(id, PURCHASE, amount, MARCH) }
            .put_with_line(&db);
    }
    db.run(
        "update orders set order_type = null, status = null, create_time = null, payment_time = null
         where parent_order_id = 'TT'",
        [],
    );
    db.run("delete from orders_history", []);
    assert_eq!(db.found("RC28"), [""; 0]);
    db.order_becomes("TT", "status = 5, payment_time = '2026-03-29T00:00:00Z'", "2026-04-10T00:00:00Z");
    assert_eq!(
        db.found("RC28"),
        ["M1/2/2026-03|0.00|60.00|60.00|CNY|2026-03", "M2/2/2026-03|0.00|40.00|40.00|CNY|2026-03"]
    );
    assert_eq!(db.column("RC28", "note"), ["moved with its combined trade"; 2]);
}

#[test]
fn rc28_shows_each_change_in_a_month_closed_before_the_first_reading() {
    let db = sane();
    let november = "2025-11-10T00:00:00Z";
    for id in ["A", "B", "C"] {
        order(id, PURCHASE, "5", november).put_with_line(&db);
    }
    first_seen(&db, "B", LATE);
    db.run("insert into late_orders values ('main', 'B', ?1, ?2, 1)", [november, LATE]);
    first_seen(&db, "C", LATE);
    db.order_becomes("A", "amount_after_discount_e8 = 600000000", LATE);
    db.order_becomes("A", "amount_after_discount_e8 = 700000000", LATE);
    assert_eq!(
        db.found("RC28"),
        [
            "A/2/2025-11|5.00|6.00|1.00|CNY|2025-11",
            "A/3/2025-11|6.00|7.00|1.00|CNY|2025-11",
            "B/1/2025-11|0.00|5.00|5.00|CNY|2025-11",
        ],
        "C came with what was not read before"
    );
}

/// The order is one that a run of that time saw first.
fn first_seen(db: &Db, id: &str, at: &str) {
    db.run(
        "insert into runs (job, account, stream, program_version, started_at) values ('test', 'main', 'orders', '0', ?1)",
        [at],
    );
    db.run("update orders set first_seen_run = ?2 where order_id = ?1", params![id, db.last_insert_rowid()]);
}

#[test]
fn rc28_shows_an_order_that_appeared_late_and_a_refund_completed_late() {
    let db = sane();
    order("A", PURCHASE, "5", MARCH).put_with_line(&db);
    first_seen(&db, "A", LATE);
    order("B", PURCHASE, "5", MARCH).put_with_line(&db);
    first_seen(&db, "B", CLOSED);
    Order { status: 2, paid: None, ..order("C", REFUND, "9", MARCH) }.put_with_line(&db);
    db.order_becomes("C", "status = 5", LATE);
    // This month is open.
    let now = db.texts("select strftime('%Y-%m-%dT%H:%M:%SZ', 'now')").remove(0);
    order("Y", PURCHASE, "5", &now).put_with_line(&db);
    first_seen(&db, "Y", &now);
    assert_eq!(
        db.found("RC28"),
        ["A/1/2026-03|0.00|5.00|5.00|CNY|2026-03", "C/2/2026-03|0.00|-9.00|-9.00|CNY|2026-03"]
    );
    assert_eq!(
        db.column("RC28", "note"),
        ["first seen 2026-04-04T02:00:01Z", "changed 2026-04-04T02:00:01Z"]
    );
}

#[test]
fn rc28_shows_attributions_that_changed_or_vanished() {
    let db = sane();
    for (id, set) in [("1", "amount_e8 = -4200000000"), ("2", "gone_since = '2026-05-01T00:00:00Z'")] {
        db.run(
            &format!(
                "update refund_attributions set {set}, version = 2, last_seen_at = '2026-05-01T00:00:00Z'
                 where refund_order_id = 'R' and id = ?1"
            ),
            [id],
        );
    }
    assert_eq!(
        db.found("RC28"),
        ["R/attribution 1/2|40.00|42.00|2.00|CNY|2026-03", "R/attribution 2/2|90.00|0.00|-90.00|CNY|2026-03"]
    );
}

/// The key and the values of the gaps.
fn gaps(db: &Db) -> Vec<String> {
    db.texts("select key, expected, actual from check_rc29_coverage order by key")
}

#[test]
fn rc29_finds_months_that_were_not_read_or_only_before_they_were_final() {
    let db = sane();
    db.run("update coverage set started_at = ?1 where lane = 'created'", [NOT_YET]);
    let keys = db.column("RC29", "key");
    assert_eq!(keys[0], "orders/before it was final/2026-03", "read before the 4th of April: {keys:?}");
    db.run("update coverage set started_at = ?1 where lane = 'created'", [CLOSED]);
    assert_eq!(db.column("RC29", "key")[0], "orders/before it was final/2026-04");
    everything_is_read(&db);
    assert_eq!(gaps(&db), [""; 0]);
    db.run("update coverage set window_begin = '2025-11-05T00:00:00Z' where lane = 'created'", []);
    assert_eq!(gaps(&db), ["orders/incomplete/2025-11|every second read|2025-10-31T16:00:00Z"]);
    assert_eq!(db.column("RC29", "period"), ["2025-11"]);
}

#[test]
fn rc29_finds_orders_that_wait_are_disputed_or_were_never_read() {
    let db = sane();
    for id in ["A", "B", "C"] {
        order(id, PURCHASE, "5", MARCH).put_with_line(&db);
    }
    everything_is_read(&db);
    assert_eq!(gaps(&db), [""; 0]);
    db.run("delete from coverage where scope in ('order A', 'order C')", []);
    db.run("update coverage set verdict = 'disputed' where stream = 'resources' and scope = 'order B'", []);
    db.run(
        "insert into queue (account, stream, parent_id, attempts, last_error, enqueued_run, enqueued_at)
         values ('main', 'order_lines', 'A', 2, 'no answer', 1, ?1), ('main', 'resources', 'A', 0, null, 1, ?1)",
        [MARCH],
    );
    assert_eq!(
        gaps(&db),
        [
            "order_lines/orders never read/2026-03|0 orders never read|1 orders never read",
            "order_lines/orders waiting/2026-03|0 orders in the queue|1 orders in the queue",
            "resources/orders disputed/2026-03|0 orders disputed|1 orders disputed",
            "resources/orders never read/2026-03|0 orders never read|1 orders never read",
            "resources/orders waiting/2026-03|0 orders in the queue|1 orders in the queue",
        ]
    );
    assert_eq!(db.column("RC29", "note")[1], "1 failing, e.g. no answer");
}

#[test]
fn rc29_leaves_orders_of_the_running_month_a_day() {
    let db = sane();
    let now = db.texts("select strftime('%Y-%m-%dT%H:%M:%SZ', 'now')").remove(0);
    order("A", PURCHASE, "5", &now).put_with_line(&db);
    db.run("update orders set last_seen_at = ?1 where order_id = 'A'", [&now]);
    let waits = |since: &str| {
        db.run(
            "insert or replace into queue (account, stream, parent_id, enqueued_run, enqueued_at)
             select 'main', value, 'A', 1, ?1 from json_each('[\"order_lines\",\"resources\"]')",
            [since],
        );
    };
    waits(&now);
    assert_eq!(gaps(&db), [""; 0]);
    assert_eq!(db.texts("select is_break from coverage_gaps"), ["0", "0"]);
    waits("2026-11-01T00:00:00Z");
    assert_eq!(db.column("RC29", "key").len(), 2);
    // An answer that came since: the entry is only there to be read once more.
    db.run(
        "insert into coverage (account, stream, scope, parent_id, seen, requests, attempts, verdict, proof, run_id, read_at)
         select 'main', value, 'order A', 'A', 1, 1, 1, 'complete', 'because', 1, ?1
         from json_each('[\"order_lines\",\"resources\"]')",
        [&now],
    );
    assert_eq!(db.texts("select key from coverage_gaps"), [""; 0]);
}

#[test]
fn rc29_finds_customers_of_a_partner_whose_list_was_not_read() {
    let db = sane();
    for customer in ["c1", "c2", "c3", "c4", "gone"] {
        db.run(
            "insert into sub_customers (account, customer_id, role, first_seen_run, last_changed_run, last_seen_at,
                 gone_since)
             values ('main', ?1, 'partner', 1, 1, ?2, iif(?1 = 'gone', ?2, null))",
            [customer, MARCH],
        );
    }
    db.run("delete from coverage where scope = 'whole'", []);
    let old = "2026-01-05T00:00:00Z";
    let now = db.texts("select strftime('%Y-%m-%dT%H:%M:%SZ', 'now')").remove(0);
    for (customer, verdict, read_at) in
        [("c1", "complete", now.as_str()), ("c2", "refused", now.as_str()), ("c3", "complete", old)]
    {
        db.run(
            "insert into coverage (account, stream, scope, customer_id, seen, requests, attempts, verdict, proof, run_id,
                 read_at)
             values ('main', 'resources', 'whole', ?1, 1, 1, 1, ?2, 'because', 1, ?3)",
            params![customer, verdict, read_at],
        );
    }
    let last = db
        .texts("select strftime('%Y-%m', 'now', '+8 hours', '-3 days', '-10 hours', 'start of month', '-1 month')")
        .remove(0);
    assert_eq!(
        db.texts("select key, customer_id, period from check_rc29_coverage order by key"),
        [
            format!("resources/list before it was final/c3/{last}|c3|{last}"),
            "resources/list never read/c4|c4|".to_owned(),
            "resources/list refused/c2|c2|".to_owned(),
        ]
    );
}

#[test]
fn rc30_counts_the_rows_of_each_value_that_is_not_documented() {
    let db = sane();
    for id in ["A", "B"] {
        order(id, 77, "5", MARCH).put_with_line(&db);
    }
    order("C", 77, "5", "2026-04-28T00:00:00Z").put_with_line(&db);
    super::discount(&db, "A", 0, "999", "0");
    db.run("update order_lines set period_type = 9 where order_id = 'A'", []);
    db.run("update orders set source_type = 44, status = 8 where order_id = 'A'", []);
    db.run("update resources set expire_policy = 7, status = 1 where resource_id = 'of X'", []);
    assert_eq!(
        db.texts("select key, actual, period, note from check_rc30_unknown_code order by key"),
        [
            "order_discounts.discount_type=999/2026-03|999|2026-03|1 row(s), e.g. A",
            "order_lines.period_type=9/2026-03|9|2026-03|1 row(s), e.g. A",
            "orders.order_type=77/2026-03|77|2026-03|2 row(s), e.g. A",
            "orders.order_type=77/2026-04|77|2026-04|1 row(s), e.g. C",
            "orders.source_type=44/2026-03|44|2026-03|1 row(s), e.g. A",
            "orders.status=8/2026-03|8|2026-03|1 row(s), e.g. A",
            "resources.expire_policy=7|7||1 row(s), e.g. of X",
            "resources.status=1|1||1 row(s), e.g. of X",
        ]
    );
}
