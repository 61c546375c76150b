//! `bss-sync reconcile`: how checks end, what the exit code is, and how a break is explained.

use rusqlite::Connection;
use serde_json::Value;

use sim::{Endpoint, Script};
use support::{As, Bench, Login, Ran, now};

/// A bench whose warehouse has everything, without a break.
fn reconciled() -> Bench {
    let bench = Bench::new(Script::seeded(5).orders(60).until(now() - 3_600));
    bench.run(&[]).expect_code(0);
    reconcile(&bench, &[]).expect_code(0);
    bench
}

fn reconcile(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.call(&[&["reconcile", "--output", "json"], arguments].concat())
}

/// How a check ended.
fn outcome(ran: &Ran, check: &str) -> Value {
    let report = ran.json();
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|outcome| outcome["check_id"] == check).cloned().unwrap_or_else(|| panic!("{check}"))
}

/// Completed purchases that nothing else touches, oldest first.
fn purchases(db: &Connection) -> Vec<String> {
    db.prepare(
        "select order_id from orders where order_type = 1 and status = 5 and parent_order_id is null
             and amount_after_discount_e8 > 0 and coupon_amount_e8 = 0 order by payment_time",
    )
    .unwrap()
    .query_map([], |row| row.get(0))
    .unwrap()
    .collect::<Result<_, _>>()
    .unwrap()
}

/// Breaks RC10 for an order: its coupon is more than its price by so much.
fn overpay(db: &Connection, order: &str, by: i64) {
    let sql = "update orders set coupon_amount_e8 = amount_after_discount_e8 + ?2 where order_id = ?1";
    assert_eq!(db.execute(sql, (order, by)).unwrap(), 1);
}

fn mend(db: &Connection, order: &str) {
    db.execute("update orders set coupon_amount_e8 = 0 where order_id = ?1", [order]).unwrap();
}

#[test]
fn every_check_is_evaluated_and_its_outcome_kept() {
    let bench = reconciled();
    assert_eq!(bench.count("select count(*) from reconciliation_outcomes"), 25);
    // How many resources expire soon depends on the day.
    let failed = "select count(*) from reconciliation_outcomes where status <> 'pass' and severity <> 'info'";
    assert_eq!(bench.count(failed), 0);
    assert_eq!(bench.count("select count(*) from reconciliation_outcomes where data_as_of is null"), 0);
    let ran = bench.call(&["reconcile"]).expect_code(0);
    assert!(ran.stdout.contains("every required check passes"), "{}", ran.stdout);
    assert_eq!(bench.count("select count(*) from reconciliations where exit_code = 0"), 2);
}

#[test]
fn an_error_is_exit_code_3_and_names_the_check_the_key_and_the_amounts() {
    let bench = reconciled();
    let db = bench.writable_db();
    let order = purchases(&db).remove(0);
    overpay(&db, &order, 500_000_000);
    let ran = reconcile(&bench, &[]).expect_code(3);
    let outcome = outcome(&ran, "RC10");
    assert_eq!(
        (&outcome["status"], &outcome["breaks"], &outcome["differences_e8"]["CNY"]),
        (&"fail".into(), &1.into(), &500_000_000.into())
    );
    let report = ran.json();
    let found = report["breaks"].as_array().expect("breaks").iter().find(|found| found["check_id"] == "RC10");
    assert_eq!(found.expect("the break")["key"], order);
    let ran = bench.call(&["reconcile"]).expect_code(3);
    assert!(ran.stdout.contains(&order) && ran.stdout.contains("CNY 5.00"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("broken: RC10\n"), "{}", ran.stdout);
}

#[test]
fn warnings_change_the_result_only_when_asked() {
    let bench = reconciled();
    let db = bench.writable_db();
    let order = purchases(&db).remove(0);
    db.execute(
        "update orders set official_amount_e8 = official_amount_e8 + 900000000 where order_id = ?1",
        [&order],
    )
    .unwrap();
    db.execute(
        "update order_lines set official_amount_e8 = official_amount_e8 + 900000000
         where order_line_item_id = (select min(order_line_item_id) from order_lines where order_id = ?1)",
        [&order],
    )
    .unwrap();
    let ran = reconcile(&bench, &[]).expect_code(0);
    assert_eq!(outcome(&ran, "RC09")["status"], "fail");
    reconcile(&bench, &["--strict"]).expect_code(3);
    // Worth knowing is no warning.
    reconcile(&bench, &["--strict", "--check", "rc21"]).expect_code(0);
}

#[test]
fn a_stream_never_read_skips_its_checks_and_that_is_no_pass() {
    let bench = Bench::new(Script::seeded(5).orders(60).until(now() - 3_600));
    bench.run(&["orders", "order_lines"]).expect_code(0);
    let ran = reconcile(&bench, &[]).expect_code(4);
    assert_eq!(outcome(&ran, "RC08")["status"], "pass");
    let skipped = outcome(&ran, "RC01");
    assert_eq!(
        (&skipped["status"], &skipped["reason"], &skipped["is_required"]),
        (&"skipped".into(), &"refund_attributions was never read".into(), &true.into())
    );
    assert_eq!(outcome(&ran, "RC17")["is_required"], false, "a warning is not required");
    reconcile(&bench, &["--check", "RC08", "--check", "RC17"]).expect_code(0);
    let ran = bench.call(&["reconcile"]).expect_code(4);
    assert!(ran.stdout.contains("required checks say nothing yet: RC01, RC02"), "{}", ran.stdout);
}

#[test]
fn what_a_role_cannot_read_is_skipped_and_not_required() {
    let bench = Bench::with(
        Script::seeded(6).orders(60).customers(4).resellers(1).until(now() - 3_600),
        As::Partner,
        Login::Keys,
    );
    let reseller = bench.sim.truth().resellers[0].clone();
    let config = std::fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    let reseller = format!("role = \"partner\"\nindirect_partner_id = \"{reseller}\"\n");
    bench.write_config(&config.replace("role = \"partner\"\n", &reseller));
    bench.run(&[]).expect_code(0);
    let ran = reconcile(&bench, &[]).expect_code(0);
    let skipped = outcome(&ran, "RC13");
    assert_eq!((&skipped["status"], &skipped["is_required"]), (&"skipped".into(), &false.into()));
    assert_eq!(skipped["reason"], "no job reads resources for this account");
}

#[test]
fn what_is_incomplete_is_a_break_and_makes_its_checks_inconclusive() {
    let bench = reconciled();
    let db = bench.writable_db();
    let order = purchases(&db).remove(0);
    let month: String = db
        .query_row("select month from known_orders where order_id = ?1", [&order], |row| row.get(0))
        .unwrap();
    db.execute(
        "insert into queue (account, stream, parent_id, attempts, last_error, enqueued_run, enqueued_at)
         values ('acme', 'order_lines', ?1, 3, 'no answer', 1, '2099-01-01T00:00:00Z')",
        [&order],
    )
    .unwrap();
    let ran = reconcile(&bench, &["--check", "RC08", "--check", "RC01"]).expect_code(4);
    let inconclusive = outcome(&ran, "RC08");
    assert_eq!(inconclusive["status"], "inconclusive");
    assert_eq!(inconclusive["reason"], format!("order_lines: orders waiting in {month}"));
    assert_eq!(outcome(&ran, "RC01")["status"], "pass", "it needs no lines");
    let ran = reconcile(&bench, &[]).expect_code(3);
    assert_eq!(outcome(&ran, "RC29")["breaks"], 1);
    // Another month is not concerned.
    reconcile(&bench, &["--month", "2019-01"]).expect_code(0);
    reconcile(&bench, &["--month", &month, "--check", "RC08"]).expect_code(4);
    // Somebody knows that it stays so: it is no finding any more, and what is missing is still missing.
    let key = format!("order_lines/orders waiting/{month}");
    bench
        .call(&["reconcile", "ack", "RC29", &key, "--by", "fin", "--because", "the order is being migrated"])
        .expect_code(0);
    let ran = reconcile(&bench, &[]).expect_code(4);
    assert_eq!(outcome(&ran, "RC08"), inconclusive);
    let explained = outcome(&ran, "RC29");
    assert_eq!((&explained["status"], &explained["acknowledged"]), (&"pass".into(), &1.into()));
    assert_eq!(bench.count("select count(*) from full_reconciliations where month = ''"), 1, "the first one");
}

#[test]
fn a_month_no_reading_reaches_is_a_break_of_coverage_and_passes_nothing() {
    let bench = reconciled();
    // The history of orders begins in May 2018: that no order is in a month does not matter.
    reconcile(&bench, &["--month", "2018-05"]).expect_code(0);
    for (month, why) in [
        ("2018-04", "the history of the account begins in 2018-05: see history_start of the job orders"),
        ("2099-01", "the month has not begun"),
    ] {
        let ran = reconcile(&bench, &["--month", month]).expect_code(3);
        let report = ran.json();
        let found = report["breaks"].as_array().expect("breaks");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (&found[0]["key"], &found[0]["actual"], &found[0]["note"]),
            (&format!("orders/never read/{month}").into(), &"never read".into(), &why.into())
        );
        let inconclusive = outcome(&ran, "RC10");
        assert_eq!(
            (&inconclusive["status"], &inconclusive["reason"]),
            (&"inconclusive".into(), &format!("orders: never read in {month}").into())
        );
        reconcile(&bench, &["--month", month, "--check", "RC10"]).expect_code(4);
        let text = bench.call(&["reconcile", "--month", month]).expect_code(3).stdout;
        assert!(!text.contains("every required check passes"), "{text}");
    }
    // It was no month of the account's.
    reconcile(&bench, &[]).expect_code(0);
    assert_eq!(bench.count("select count(*) from open_breaks where severity = 'error'"), 0);
}

#[test]
fn a_break_keeps_its_identity_until_it_is_gone_and_returns_as_a_new_one() {
    let bench = reconciled();
    let db = bench.writable_db();
    let order = purchases(&db).remove(0);
    overpay(&db, &order, 500_000_000);
    reconcile(&bench, &[]).expect_code(3);
    let old = "2026-01-01T00:00:00Z";
    db.execute("update breaks set first_seen = ?1, last_seen = ?1 where check_id = 'RC10'", [old]).unwrap();
    reconcile(&bench, &[]).expect_code(3);
    let state = "select count(*) from breaks where check_id = 'RC10' and first_seen = '2026-01-01T00:00:00Z'
                     and last_seen > first_seen and resolved_at is null";
    assert_eq!(bench.count(state), 1);
    let seen: String =
        db.query_row("select first_seen from check_rc10_deductions_fit", [], |row| row.get(0)).unwrap();
    assert_eq!(seen, old, "the check's own view shows it");
    mend(&db, &order);
    reconcile(&bench, &[]).expect_code(0);
    assert_eq!(
        bench.count("select count(*) from breaks where check_id = 'RC10' and resolved_at is not null"),
        1
    );
    overpay(&db, &order, 500_000_000);
    reconcile(&bench, &[]).expect_code(3);
    assert_eq!(bench.count("select count(*) from breaks where check_id = 'RC10'"), 2);
}

#[test]
fn an_explained_break_is_no_finding_and_hides_no_other() {
    let bench = reconciled();
    let db = bench.writable_db();
    let orders = purchases(&db);
    overpay(&db, &orders[0], 500_000_000);
    reconcile(&bench, &[]).expect_code(3);
    let ack = |more: &[&str]| {
        let ack =
            ["reconcile", "ack", "rc10", &orders[0], "--by", "Li Na", "--because", "agreed with the vendor"];
        bench.call(&[&ack, more].concat())
    };
    ack(&["--until", "2099-12-31"]).expect_code(0);
    let ran = reconcile(&bench, &[]).expect_code(0);
    let explained = outcome(&ran, "RC10");
    assert_eq!(
        (&explained["status"], &explained["breaks"], &explained["acknowledged"]),
        (&"pass".into(), &1.into(), &1.into())
    );
    let text = bench.call(&["reconcile"]).expect_code(0).stdout;
    assert!(text.contains("explained by Li Na"), "{text}");
    // Another break of the same check counts.
    overpay(&db, &orders[1], 100_000_000);
    reconcile(&bench, &[]).expect_code(3);
    mend(&db, &orders[1]);
    reconcile(&bench, &[]).expect_code(0);
    // Another amount is not what was explained.
    overpay(&db, &orders[0], 900_000_000);
    reconcile(&bench, &[]).expect_code(3);
    assert!(bench.call(&["reconcile", "acks"]).stdout.contains("other values"));
    overpay(&db, &orders[0], 500_000_000);
    reconcile(&bench, &[]).expect_code(0);
    // What comes back is a new break.
    mend(&db, &orders[0]);
    reconcile(&bench, &[]).expect_code(0);
    overpay(&db, &orders[0], 500_000_000);
    reconcile(&bench, &[]).expect_code(3);
    assert!(bench.call(&["reconcile", "acks"]).stdout.contains("resolved"));
}

#[test]
fn an_explanation_that_is_over_or_revoked_counts_no_more() {
    let bench = reconciled();
    let db = bench.writable_db();
    let order = purchases(&db).remove(0);
    overpay(&db, &order, 500_000_000);
    reconcile(&bench, &[]).expect_code(3);
    let named = ["RC10", order.as_str(), "--account", "acme", "--by", "Li Na"];
    let ack = |more: &[&str]| bench.call(&[&["reconcile", "ack"], &named[..], more].concat());
    ack(&["--because", "agreed", "--until", "2099-12-31"]).expect_code(0);
    assert_eq!(
        bench.count("select count(*) from acknowledgements where valid_until = '2099-12-31T15:59:59Z'"),
        1,
        "the day of UTC+8 to its end"
    );
    db.execute("update acknowledgements set valid_until = '2026-01-01T00:00:00Z'", []).unwrap();
    reconcile(&bench, &[]).expect_code(3);
    assert!(bench.call(&["reconcile", "acks"]).stdout.contains("over"));
    ack(&["--because", "agreed again"]).expect_code(0);
    reconcile(&bench, &[]).expect_code(0);
    bench.call(&[&["reconcile", "revoke"], &named[..]].concat()).expect_code(0);
    reconcile(&bench, &[]).expect_code(3);
    let listed = bench.call(&["reconcile", "acks", "--output", "json"]).expect_code(0).json();
    assert_eq!(listed[0]["state"], "revoked by Li Na");
}

#[test]
fn a_reconciliation_of_one_month_leaves_the_others_as_they_are() {
    let bench = reconciled();
    let db = bench.writable_db();
    let order = purchases(&db).remove(0);
    overpay(&db, &order, 500_000_000);
    let month: String = db
        .query_row("select month from known_orders where order_id = ?1", [&order], |row| row.get(0))
        .unwrap();
    reconcile(&bench, &["--month", &month]).expect_code(3);
    reconcile(&bench, &["--month", "2019-01"]).expect_code(0);
    assert_eq!(bench.count("select count(*) from open_breaks where check_id = 'RC10'"), 1);
    mend(&db, &order);
    reconcile(&bench, &["--month", &month]).expect_code(0);
    assert_eq!(bench.count("select count(*) from open_breaks where check_id = 'RC10'"), 0);
}

#[test]
fn what_is_clear_is_pinned_and_what_does_not_follow_is_then_a_break() {
    let bench = Bench::new(Script::seeded(9).orders(900).until(now() - 3_600));
    bench.run(&[]).expect_code(0);
    let ran = reconcile(&bench, &[]).expect_code(0);
    let pinned = ran.json()["pinned"].clone();
    let pinned = pinned.as_array().expect("a list").iter();
    let answers: Vec<(&str, &str)> = pinned
        .map(|pinned| (pinned["question"].as_str().unwrap(), pinned["model"].as_str().unwrap()))
        .collect();
    assert!(answers.contains(&("RC01", "net")) && answers.contains(&("RC05", "stated")), "{answers:?}");
    assert_eq!(reconcile(&bench, &[]).json()["pinned"], serde_json::json!([]), "once");
    // An unsubscription that states nothing is recognised while it is open, and no more.
    let db = bench.writable_db();
    db.execute(
        "update orders set commission_amount_e8 = null, consumed_amount_e8 = null
         where order_id = (select order_id from refund_ties where order_type = 4 and kept_e8 > 2000000 limit 1)",
        [],
    )
    .unwrap();
    let ran = reconcile(&bench, &[]).expect_code(0);
    assert_eq!(outcome(&ran, "RC05")["breaks"], 1);
    // Pinned for good it is not: somebody may know that the account changed its ways.
    let ran = bench.call(&["reconcile", "unpin", "rc05", "--account", "acme"]).expect_code(0);
    assert!(ran.stdout.contains("is open again, it was pinned to: stated"), "{}", ran.stdout);
    let ran = reconcile(&bench, &["--check", "RC05"]).expect_code(0);
    assert_eq!(outcome(&ran, "RC05")["breaks"], 0);
    let ran = bench.call(&["reconcile", "unpin", "RC05"]).expect_code(2);
    assert!(ran.stderr.contains("nothing is pinned for RC05 of account acme"), "{}", ran.stderr);
    assert_eq!(bench.count("select count(*) from pinned_models where question = 'RC01'"), 1);
    // The order that states nothing speaks against it.
    reconcile(&bench, &[]).expect_code(0);
    assert_eq!(bench.count("select count(*) from pinned_models where question = 'RC05'"), 0);
}

#[test]
fn it_reads_and_stores_while_a_worker_holds_the_warehouse() {
    let bench = reconciled();
    let worker = bss_sync::warehouse::Warehouse::open(&bench.warehouse()).unwrap();
    reconcile(&bench, &[]).expect_code(0);
    drop(worker);
    assert_eq!(bench.count("select count(*) from reconciliations"), 2);
    assert_eq!(bench.count("select count(*) from runs where outcome = 'crashed'"), 0);
}

#[test]
fn a_warehouse_of_an_older_version_is_brought_up_to_date_first() {
    let bench = reconciled();
    bench
        .writable_db()
        .execute_batch(
            "update meta set value = 'another' where key = 'derived_objects'; drop view open_breaks;",
        )
        .unwrap();
    reconcile(&bench, &[]).expect_code(0);
    bench
        .writable_db()
        .execute_batch("update meta set value = 'another' where key = 'derived_objects'")
        .unwrap();
    let worker = bss_sync::warehouse::Warehouse::open(&bench.warehouse()).unwrap();
    bench
        .writable_db()
        .execute_batch("update meta set value = 'another' where key = 'derived_objects'")
        .unwrap();
    // Only the worker's own version may write its tables anew.
    reconcile(&bench, &[]).expect_code(75);
    drop(worker);
}

#[test]
fn wrong_use_is_exit_code_2_and_says_what_there_is() {
    let bench = reconciled();
    for (arguments, said) in [
        (&["reconcile", "--check", "RC99"][..], "there is no check `RC99`"),
        (&["reconcile", "--month", "2026-13"], "a month is written like 2026-10"),
        (&["reconcile", "--month", "2026-1"], "a month is written like 2026-10"),
        (&["reconcile", "--account", "acne"], "did you mean `acme`?"),
        (&["reconcile", "ack", "RC10", "X", "--by", "me", "--because", "so"], "has no open break RC10 X"),
        (&["reconcile", "ack", "RC10", "X", "--by", "me"], "--because"),
        (&["reconcile", "revoke", "RC10", "X", "--by", "me"], "has no explained break RC10 X"),
        (
            &["reconcile", "ack", "RC10", "X", "--by", "me", "--because", "so", "--until", "2020-01-01"],
            "2020-01-01 is over",
        ),
    ] {
        let ran = bench.call(arguments).expect_code(2);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn a_warehouse_that_cannot_be_read_is_exit_code_6() {
    let bench = Bench::new(Script::seeded(5).orders(0));
    let ran = reconcile(&bench, &[]).expect_code(6);
    assert!(ran.stderr.contains("there is no warehouse"), "{}", ran.stderr);
    std::fs::write(bench.warehouse(), "no database at all, but some text that is long enough to be read")
        .unwrap();
    reconcile(&bench, &[]).expect_code(6);
    assert_eq!(bench.sim.count(Endpoint::Orders).calls, 0, "nobody was asked");
}
