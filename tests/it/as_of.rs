//! As it was known then: each table, question and record view at an instant is what a copy of that instant shows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::fixtures::shorten_history;
use sim::Script;
use support::{Bench, now};

/// Columns that only the present has: a row is seen again without becoming another version, hours pass.
const OF_NOW: [&str; 2] = ["last_seen_at", "hours_left"];

/// A warehouse over some runs of an account that lives on, and a copy of it after each, with its instant (UTC+8).
struct Lived {
    bench: Bench,
    copies: Vec<(PathBuf, String)>,
}

fn lived(orders: usize, runs: i64) -> Lived {
    let bench = Bench::new(Script::seeded(11).orders(orders).any_date());
    shorten_history(&bench);
    // A vendor's clock that is more than a quarter of an hour off is not believed.
    let begin = now();
    let mut copies = Vec::new();
    let mut last_run = 0;
    for step in 0..runs {
        let at = begin + step * 180;
        bench.sim.set_now(at);
        if step > 0 {
            bench.sim.evolve(at - 30);
        }
        bench.run(&["--full"]);
        let db = bench.writable_db();
        // The runs of a test begin all at once; the vendor's clock tells them apart.
        db.execute(
            "update runs set started_at = strftime('%Y-%m-%dT%H:%M:%SZ', ?1 - 1, 'unixepoch') where run_id > ?2",
            [at, last_run],
        )
        .expect("dated");
        last_run = db.query_row("select max(run_id) from runs", [], |row| row.get(0)).expect("a run");
        let path = bench.path(&format!("copy{step}.sqlite"));
        db.execute("vacuum into ?1", [path.to_str()]).expect("copied");
        let as_of = "select strftime('%Y%m%d%H%M%S', ?1, 'unixepoch', '+8 hours')";
        copies.push((path, db.query_row(as_of, [at + 90], |row| row.get(0)).expect("a time")));
    }
    Lived { bench, copies }
}

/// The rows of a query as text, sorted.
fn sorted(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let width = statement.column_count();
    let mut found: Vec<String> = statement
        .query_map([], |row| {
            let cells = (0..width).map(|at| row.get::<_, Value>(at).map(|cell| format!("{cell:?}")));
            Ok(cells.collect::<Result<Vec<_>, _>>()?.join(" | "))
        })
        .expect("a query")
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    found.sort();
    found
}

fn names(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).expect("a query");
    statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
}

/// What has a view as of an instant: tables and views.
fn objects(db: &Connection) -> Vec<String> {
    names(
        db,
        "select substr(name, 1, length(name) - 6) from sqlite_schema where name like '%\\_as\\_of' escape '\\'",
    )
}

#[track_caller]
fn assert_same(found: &[String], wanted: &[String], what: &str) {
    let of_one = |ours: &[String], others: &[String]| ours.iter().find(|row| !others.contains(row)).cloned();
    assert!(found == wanted, "{what}: found {:?}, wanted {:?}", of_one(found, wanted), of_one(wanted, found));
}

/// The columns of an object that can be compared.
fn columns(db: &Connection, object: &str) -> String {
    let mut columns = names(db, &format!("select name from pragma_table_info('{object}') order by cid"));
    columns.retain(|name| !OF_NOW.contains(&name.as_str()));
    columns.join(", ")
}

#[test]
fn each_table_and_view_as_of_an_instant_equals_a_copy_of_that_instant() {
    let lived = lived(16, 3);
    let db = lived.bench.db();
    let mut moved = BTreeSet::new();
    for (path, as_of) in &lived.copies {
        let copy = Connection::open(path).expect("a copy");
        for object in objects(&db) {
            let columns = columns(&db, &object);
            let wanted = sorted(&copy, &format!("select {columns} from {object}"));
            let found = sorted(&db, &format!("select {columns} from {object}_as_of where as_of = {as_of}"));
            assert_same(&found, &wanted, &format!("{object} as of {as_of}"));
            if wanted != sorted(&db, &format!("select {columns} from {object}")) {
                moved.insert(object);
            }
        }
    }
    for object in ["orders", "v_orders", "f01_net_spend_by_service", "f02_net_spend_by_customer"] {
        assert!(moved.contains(object), "{object} has another answer now: {moved:?}");
    }
}

#[test]
fn a_session_that_is_turned_back_shows_what_a_copy_of_that_instant_shows() {
    let lived = lived(60, 5);
    for (path, as_of) in &lived.copies {
        let db = lived.bench.db();
        let copy = Connection::open(path).expect("a copy");
        let script: String = db
            .query_row(&format!("select script from as_of_script where as_of = {as_of}"), [], |row| {
                row.get(0)
            })
            .expect("a script");
        // Twice: it replaces what an earlier one made.
        for _ in 0..2 {
            db.execute_batch(&script).expect("a session of then");
        }
        for object in objects(&db) {
            let columns = columns(&copy, &object);
            let query = format!("select {columns} from {object}");
            assert_same(&sorted(&db, &query), &sorted(&copy, &query), &format!("{object} as of {as_of}"));
        }
        let ended = "select count(*), max(ended_at) from orders_history";
        assert_eq!(sorted(&db, ended), sorted(&copy, ended), "{as_of}");
    }
}

/// What reads the ledger, which holds the present only: docs/finance/as-it-was-known.md names the questions and checks among it.
const OF_THE_LEDGER: [&str; 17] = [
    "check_rc02_refund_without_attribution",
    "check_rc04_orphan_attribution",
    "check_rc08_order_equals_lines",
    "check_rc17_paid_order_without_resource",
    "check_rc18_resource_without_order",
    "check_rc27_units_and_currency",
    "check_rc28_late_arrivals",
    "check_rc29_coverage",
    "coverage_by_month",
    "coverage_gaps",
    "disputes",
    "f17_can_i_close",
    "freshness",
    "full_reconciliations",
    "late_arrivals",
    "open_breaks",
    "undecoded_rows",
];

#[test]
fn what_reads_the_ledger_has_no_past_and_says_so() {
    let bench = Bench::new(Script::seeded(11).orders(16));
    bench.run(&[]).expect_code(0);
    let db = bench.db();
    let ours = names(
        &db,
        "select object from data_objects where kind <> 'table' and made_of is null and object <> 'as_of_script' order by 1",
    );
    let script = "select script from as_of_script where as_of = 20990101";
    let script: String = db.query_row(script, [], |row| row.get(0)).expect("a script");
    db.execute_batch(&script).expect("a session of then");
    let mut refused = Vec::new();
    for view in &ours {
        if let Err(error) = db.prepare(&format!("select * from {view}")) {
            let said = format!("{view} is not known as of 2099-01-01T15:59:59Z: it reads ");
            assert!(error.to_string().contains(&said), "{error}");
            refused.push(view.as_str());
        }
    }
    assert_eq!(refused, OF_THE_LEDGER);
    let known = objects(&db);
    let is_for_finance = |view: &str| {
        let is_question = view.starts_with('f') && view[1..].starts_with(|c: char| c.is_ascii_digit());
        is_question || view.starts_with("check_") || view.starts_with("v_")
    };
    for view in ours.iter().filter(|view| is_for_finance(view)) {
        assert_ne!(known.contains(view), refused.contains(&view.as_str()), "{view}");
    }
}

#[test]
fn numbers_texts_and_nulls_of_then_are_exact() {
    let bench = Bench::new(Script::seeded(1).orders(0));
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.writable_db();
    for (id, amount, name) in [
        ("least", i64::MIN + 1, Some("它\"'引号\\\n中文\t\u{1f600}")),
        ("most", i64::MAX, Some("")),
        ("null", 9_007_199_254_740_993, None),
    ] {
        db.execute(
            "insert into orders (account, order_id, order_type, status, amount_after_discount_e8, service_type_name,
                 contract_id, create_time, measure_id, role, first_seen_run, last_changed_run, last_seen_at)
             values ('acme', ?1, 15, 5, ?2, ?3, ?3, '2020-01-01T00:00:00Z', 1, 'customer', 1, 1, '2020-01-01T00:00:00Z')",
            rusqlite::params![id, amount, name],
        )
        .expect("an order");
    }
    db.execute_batch("update runs set started_at = '2020-01-01T00:00:00Z'").expect("dated");
    let columns = columns(&db, "v_orders");
    assert_same(
        &sorted(&db, &format!("select {columns} from v_orders_as_of where as_of = 20200101")),
        &sorted(&db, &format!("select {columns} from v_orders")),
        "v_orders",
    );
}

#[test]
fn a_day_is_its_last_second_in_utc_plus_8_and_no_instant_is_an_error() {
    let bench = Bench::new(Script::seeded(1).orders(0));
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.writable_db();
    db.execute_batch("update runs set started_at = '2026-04-04T15:59:59Z'").expect("dated");
    let all = bench.count("select count(*) from service_types");
    assert!(all > 0);
    let count = |filter: &str| -> rusqlite::Result<i64> {
        let sql = format!("select count(*) from service_types_as_of {filter}");
        db.query_row(&sql, [], |row| row.get(0))
    };
    for (filter, wanted) in [
        ("where as_of = 20260404", all),
        ("where as_of = 20260403", 0),
        ("where as_of = 20260404235959", all),
        ("where as_of = 20260404235958", 0),
        ("where as_of in (20260404, 20260405)", 2 * all),
        ("where as_of = '20260404' and account = 'acme'", all),
        ("", 0),
    ] {
        assert_eq!(count(filter), Ok(wanted), "{filter}");
    }
    for no_instant in ["202604", "'2026-04-04'", "20261341", "2026040410", "'today'"] {
        assert!(count(&format!("where as_of = {no_instant}")).is_err(), "{no_instant}");
    }
}
