//! Whether a month can be closed: what was read, since when, and what is missing.

use rusqlite::{Connection, params};

use super::{Order, PURCHASE, order, rows, run, warehouse};

/// March 2026 is final at 10:00 on 4 April, UTC+8.
const FINAL: &str = "2026-04-04T02:00:00Z";
const BEFORE: &str = "2026-04-04T01:59:59Z";

/// An account whose orders of March were read at a time, by creation and by payment.
fn march_read_at(db: &Connection, created: &str, paid: &str) {
    run(
        db,
        "insert into watermarks values ('main', 'orders', 'created from', '2026-02-28T16:00:00Z', 1)",
        [],
    );
    run(db, "insert into watermarks values ('main', 'orders', 'paid', ?1, 1)", [paid]);
    run(
        db,
        "insert into coverage (account, stream, scope, lane, window_begin, window_end, expected, seen, requests,
             attempts, verdict, proof, run_id, read_at)
         values ('main', 'orders', 'created march', 'created', '2026-02-28T16:00:00Z', '2026-03-31T16:00:00Z', 1, 1, 1,
             1, 'complete', 'because', 1, ?1)",
        [created],
    );
}

fn lines_read_at(db: &Connection, order: &str, at: &str) {
    run(
        db,
        "insert into coverage (account, stream, scope, parent_id, seen, requests, attempts, verdict, proof, run_id,
             read_at)
         values ('main', 'order_lines', 'order ' || ?1, ?1, 1, 1, 1, 'complete', 'because', 1, ?2)",
        params![order, at],
    );
}

fn waits(db: &Connection, order: &str) {
    run(
        db,
        "insert into queue (account, stream, parent_id, enqueued_run, enqueued_at)
         values ('main', 'order_lines', ?1, 1, '2026-04-05T00:00:00Z')",
        [order],
    );
}

/// A reconciliation of a month ('' of all) that evaluated every check of severity error.
fn reconciled(db: &Connection, month: &str, at: &str) {
    run(
        db,
        "insert into reconciliations (program_version, month, started_at, finished_at, exit_code)
         values ('0', ?1, ?2, ?2, 0)",
        [month, at],
    );
    run(
        db,
        "insert into reconciliation_outcomes (reconciliation_id, account, check_id, severity, is_required, status, breaks,
             acknowledged, differences_e8)
         select (select max(reconciliation_id) from reconciliations), 'main', id, severity, 1, 'pass', 0, 0, '{}'
         from checks where severity = 'error'",
        [],
    );
}

fn error_break(db: &Connection, month: &str) {
    run(
        db,
        "insert into breaks (account, check_id, key, severity, period, first_seen, last_seen)
         values ('main', 'RC10', 'A of ' || ?1, 'error', ?1, ?2, ?2)",
        [month, FINAL],
    );
}

const VERDICT: &str =
    "select customer_id, verdict, is_read_after_final, days_missing, orders, lines_read_at, unread
    from f17_can_i_close where month = '2026-03' order by 1";

#[test]
fn a_month_that_was_read_after_it_was_final_can_be_closed() {
    let db = warehouse();
    march_read_at(&db, FINAL, FINAL);
    order("A", PURCHASE, "1", "2026-03-20T00:00:00Z").insert(&db);
    Order { customer: "cust-2", ..order("B", PURCHASE, "1", "2026-03-31T15:59:59Z") }.insert(&db);
    // Created in March and not paid: of March as well, and nothing is missing.
    Order { paid: None, ..order("C", PURCHASE, "1", "2026-03-21T00:00:00Z") }.insert(&db);
    for (id, at) in
        [("A", "2026-03-20T01:00:00Z"), ("B", "2026-04-01T00:00:00Z"), ("C", "2026-03-21T01:00:00Z")]
    {
        lines_read_at(&db, id, at);
    }
    reconciled(&db, "", FINAL);
    assert_eq!(
        rows(&db, VERDICT),
        [
            "(all customers)|complete|1|0|3|2026-03-20T01:00:00Z|0",
            "cust-1|complete|1|0|2|2026-03-20T01:00:00Z|0",
            "cust-2|complete|1|0|1|2026-04-01T00:00:00Z|0",
        ]
    );
}

#[test]
fn what_was_read_before_the_month_was_final_is_provisional() {
    for (created, paid) in [(BEFORE, FINAL), (FINAL, BEFORE)] {
        let db = warehouse();
        march_read_at(&db, created, paid);
        reconciled(&db, "", FINAL);
        assert_eq!(rows(&db, VERDICT), ["(all customers)|provisional|0|0|0||0"]);
    }
}

#[test]
fn an_order_whose_lines_wait_makes_its_customers_month_incomplete() {
    let db = warehouse();
    march_read_at(&db, FINAL, FINAL);
    order("A", PURCHASE, "1", "2026-03-20T00:00:00Z").insert(&db);
    Order { customer: "cust-2", ..order("T", PURCHASE, "1", "2026-03-20T00:00:00Z") }.insert(&db);
    Order { customer: "cust-2", parent: Some("T"), ..order("T1", PURCHASE, "1", "2026-03-20T00:00:00Z") }
        .insert(&db);
    waits(&db, "T");
    reconciled(&db, "", FINAL);
    assert_eq!(
        rows(&db, VERDICT),
        ["(all customers)|incomplete|1|0|3||2", "cust-1|complete|1|0|1||0", "cust-2|incomplete|1|0|2||2",]
    );
}

#[test]
fn days_that_were_never_read_make_a_month_incomplete() {
    let db = warehouse();
    march_read_at(&db, FINAL, FINAL);
    run(&db, "update coverage set window_end = '2026-03-29T15:59:59Z'", []);
    // Two days and a second.
    assert_eq!(rows(&db, VERDICT), ["(all customers)|incomplete|0|3|0||0"]);
    run(&db, "update coverage set verdict = 'disputed', window_end = '2026-03-31T16:00:00Z'", []);
    assert_eq!(rows(&db, VERDICT), ["(all customers)|incomplete|0|31|0||0"]);
}

/// The verdict of March, and its open breaks.
fn closing(db: &Connection) -> String {
    let sql = "select verdict, open_error_breaks, reconciled_at from f17_can_i_close where month = '2026-03'";
    rows(db, sql).join("; ")
}

#[test]
fn a_final_month_not_checked_since_is_provisional_with_unknown_breaks() {
    let db = warehouse();
    march_read_at(&db, FINAL, FINAL);
    assert_eq!(closing(&db), "provisional||", "nothing was ever reconciled");
    reconciled(&db, "", BEFORE);
    reconciled(&db, "2026-03", BEFORE);
    assert_eq!(closing(&db), "provisional||", "only before it was final");
    reconciled(&db, "2026-02", FINAL);
    assert_eq!(closing(&db), "provisional||", "only another month");
    reconciled(&db, "2026-03", FINAL);
    assert_eq!(closing(&db), format!("complete|0|{FINAL}"));
    error_break(&db, "2026-02");
    assert_eq!(closing(&db), format!("complete|0|{FINAL}"));
    error_break(&db, "2026-03");
    assert_eq!(closing(&db), format!("provisional|1|{FINAL}"));
}

#[test]
fn a_reconciliation_that_left_a_check_of_severity_error_open_is_none() {
    for (change, wanted) in [
        ("delete from reconciliation_outcomes where check_id <> 'RC10'", "provisional||"),
        ("delete from reconciliation_outcomes where check_id = 'RC10'", "provisional||"),
        (
            "update reconciliation_outcomes set status = 'skipped', reason = 'x' where check_id = 'RC01'",
            "provisional||",
        ),
        ("update reconciliation_outcomes set reason = 'x' where check_id = 'RC29'", "provisional||"),
        ("update reconciliation_outcomes set account = 'other'", "provisional||"),
        // The role may not read what it needs.
        (
            "update reconciliation_outcomes set status = 'skipped', reason = 'x', is_required = 0 where check_id = 'RC13'",
            "complete|0|2026-04-04T02:00:00Z",
        ),
    ] {
        let db = warehouse();
        march_read_at(&db, FINAL, FINAL);
        reconciled(&db, "", FINAL);
        run(&db, change, []);
        assert_eq!(closing(&db), wanted, "{change}");
    }
}
