//! Family A: refunds, their attributions and the orders they belong to.

use rusqlite::params;

use super::{Attribution, CHANGE, Line, Order, REFUND, TO_PAY_PER_USE, attribution, line, order, sane};

const MARCH: &str = "2026-03-28T00:00:00Z";

/// A refund order of P with these attributions.
fn refund(db: &super::Db, id: &str, amount: &str, attributions: &[&str]) {
    Order { fee: Some("0"), consumed: Some("0"), ..order(id, REFUND, amount, MARCH) }.put_with_line(db);
    for (nr, amount) in attributions.iter().enumerate() {
        attribution(id, &nr.to_string(), amount, "P").put(db);
    }
}

#[test]
fn rc01_finds_a_refund_that_is_not_its_attributions() {
    let db = sane();
    refund(&db, "R2", "-50", &["-40"]);
    assert_eq!(db.found("RC01"), ["R2|40.00|50.00|10.00|CNY|2026-03"]);
    assert_eq!(
        db.texts("select severity, customer_id, diff_e8 from check_rc01_refund_ties"),
        ["error|c1|1000000000"]
    );
}

#[test]
fn rc01_allows_a_cent_for_each_attribution_and_not_more() {
    let db = sane();
    refund(&db, "R2", "12.02", &["-5", "-7"]);
    assert_eq!(db.found("RC01"), [""; 0]);
    db.run("update orders set amount_after_discount_e8 = 1202000001 where order_id = 'R2'", []);
    assert_eq!(db.found("RC01"), ["R2|12.00|12.02000001|0.02000001|CNY|2026-03"]);
}

#[test]
fn rc01_compares_a_downgrade_with_what_it_gives_back() {
    let db = sane();
    order("E", CHANGE, "-8", "2026-02-12T00:00:00Z").put_with_line(&db);
    attribution("E", "1", "-9", "D0").put(&db);
    assert_eq!(db.found("RC01"), ["E|9.00|8.00|-1.00|CNY|2026-02"]);
    assert!(db.column("RC01", "note")[0].contains("a change order may also contain a charge"));
}

#[test]
fn rc02_finds_an_unsubscription_that_nobody_attributed() {
    let db = sane();
    refund(&db, "R2", "-50", &[]);
    refund(&db, "free", "0", &[]);
    Order { status: 2, ..order("asked", REFUND, "-1", MARCH) }.put_with_line(&db);
    order("old", REFUND, "-1", "2018-05-31T15:59:59Z").put_with_line(&db);
    order("new", REFUND, "-1", "2018-05-31T16:00:00Z").put_with_line(&db);
    order("switch", TO_PAY_PER_USE, "-1", MARCH).put_with_line(&db);
    refund(&db, "waits", "-3", &[]);
    db.run(
        "insert into queue (account, stream, parent_id, enqueued_run, enqueued_at)
         values ('main', 'refund_attributions', 'waits', 1, ?1)",
        [MARCH],
    );
    assert_eq!(db.found("RC02"), ["R2|50.00|0.00|-50.00|CNY|2026-03", "new|1.00|0.00|-1.00|CNY|2018-06"]);
    assert_eq!(db.column("RC02", "note"), ["never read completely"; 2]);
    super::everything_is_read(&db);
    assert_eq!(db.column("RC02", "note")[0], "the vendor was asked and showed none");
}

#[test]
fn rc02_is_content_with_attributions_of_the_trade_or_of_the_member() {
    let db = sane();
    order("TR", REFUND, "-9", MARCH).put(&db);
    Order { parent: Some("TR"), ..order("TR1", REFUND, "-9", MARCH) }.put(&db);
    assert_eq!(db.column("RC02", "key"), ["TR1"]);
    attribution("TR", "1", "-9", "P").put(&db);
    assert_eq!(db.found("RC02"), [""; 0]);
}

#[test]
fn rc03_finds_what_came_back_beyond_the_price_in_the_last_refunds_month() {
    let db = sane();
    // P cost 100, of which 40 came back in March.
    refund(&db, "R2", "-60.02", &["-60.02"]);
    assert_eq!(db.found("RC03"), [""; 0], "a cent for each of two attributions");
    Order { fee: Some("0"), consumed: Some("0"), ..order("R3", REFUND, "-5", "2026-04-30T16:00:00Z") }
        .put_with_line(&db);
    attribution("R3", "1", "-5", "P").put(&db);
    assert_eq!(db.found("RC03"), ["P|100.00|105.02|5.02|CNY|2026-05"]);
    assert_eq!(db.column("RC03", "customer_id"), ["c1"]);
}

#[test]
fn rc03_counts_what_was_kept_back_and_leaves_out_what_is_gone() {
    let db = sane();
    refund(&db, "R2", "-60", &["-70", "10"]);
    assert_eq!(db.found("RC03"), [""; 0]);
    refund(&db, "R3", "-30", &["-30"]);
    assert_eq!(db.column("RC03", "key"), ["P"]);
    db.run("update orders set gone_since = ?1 where order_id = 'R3'", [MARCH]);
    assert_eq!(db.found("RC03"), [""; 0]);
}

#[test]
fn rc04_gives_the_reason_why_an_original_order_is_not_known() {
    let db = sane();
    refund(&db, "R2", "-10", &[]);
    let of = |id, base| Attribution { base, ..attribution("R2", id, "-2", "") };
    of("1", None).put(&db);
    of("2", Some("")).put(&db);
    of("3", Some("CS2410310000ABCDE")).put(&db);
    Attribution { customer: "somebody", ..of("4", Some("B4")) }.put(&db);
    of("5", Some("CS2511010000ABCDE")).put(&db);
    assert_eq!(
        db.texts(
            "select key, actual, diff, period, severity from check_rc04_orphan_attribution order by key"
        ),
        [
            "R2/1|(none)|2.00|2026-03|warn",
            "R2/2|(none)|2.00|2026-03|warn",
            "R2/3|CS2410310000ABCDE|2.00|2026-03|warn",
            "R2/4|B4|2.00|2026-03|warn",
            "R2/5|CS2511010000ABCDE|2.00|2026-03|warn",
        ]
    );
    assert_eq!(
        db.column("RC04", "note"),
        [
            "the vendor names no original order",
            "the vendor names no original order",
            "by its number it is older than the loaded history, which begins 2025-10-31T16:00:00Z",
            "its customer is not in scope",
            "unknown; the loaded history begins 2025-10-31T16:00:00Z",
        ]
    );
}

#[test]
fn rc05_finds_parts_that_are_not_what_was_kept_back() {
    let db = sane();
    let r2 = order("R2", REFUND, "-85", MARCH);
    Order { fee: Some("3"), consumed: Some("10"), ..r2 }.put_with_line(&db);
    // Not stated at all: perhaps left out.
    order("R3", REFUND, "-4", MARCH).put_with_line(&db);
    for (refund, id, amount) in [("R2", "1", "-100"), ("R2", "2", "15"), ("R3", "1", "-5"), ("R3", "2", "1")]
    {
        attribution(refund, id, amount, "D0").put(&db);
    }
    assert_eq!(db.found("RC05"), ["R2|15.00|13.00|-2.00|CNY|2026-03"]);
    db.pin("RC05", "stated");
    assert_eq!(db.column("RC05", "key"), ["R2", "R3"]);
    db.run("update pinned_models set model = 'omitted'", []);
    // Whatever states something does not follow any more.
    assert_eq!(db.column("RC05", "key"), ["G", "R", "R2"]);
}

#[test]
fn rc06_finds_like_attributions_unless_as_many_things_were_bought() {
    let db = sane();
    refund(&db, "R2", "-20", &["-10", "-10"]);
    assert_eq!(db.found("RC06"), ["R2/0|-10.00|-20.00|-10.00|CNY|2026-03"]);
    db.run("update order_lines set subscription_num = 2 where order_id = 'P'", []);
    assert_eq!(db.found("RC06"), [""; 0]);
    attribution("R2", "7", "-10", "P").put(&db);
    assert_eq!(db.found("RC06"), ["R2/0|-10.00|-30.00|-20.00|CNY|2026-03"]);
    let elsewhere = Attribution { region: "south", ..attribution("R2", "8", "-10", "P") };
    elsewhere.put(&db);
    assert_eq!(db.found("RC06").len(), 1, "another region is another thing");
}

#[test]
fn rc06_counts_the_things_of_a_line_that_names_no_order() {
    let db = sane();
    refund(&db, "R2", "-20", &["-10", "-10"]);
    refund(&db, "R3", "-20", &["-5", "-15"]);
    assert_eq!(db.column("RC06", "key"), ["R2/0", "R3/R2/P"]);
    db.run("update order_lines set subscription_num = 2, order_id = '' where order_id = 'P'", []);
    assert_eq!(db.found("RC06"), [""; 0]);
}

#[test]
fn rc06_finds_a_second_refund_of_the_same_amount_within_a_day() {
    let db = sane();
    let refund = |id, paid| {
        Order { fee: Some("0"), consumed: Some("0"), ..order(id, REFUND, "-30", paid) }.put_with_line(&db);
        attribution(id, "1", "-30", "D0").put(&db);
    };
    refund("R2", "2026-04-01T00:00:00Z");
    refund("R3", "2026-04-02T00:00:01Z");
    assert_eq!(db.found("RC06"), [""; 0], "a second more than a day");
    refund("R4", "2026-04-02T00:00:00Z");
    assert_eq!(
        db.found("RC06"),
        ["R3/R4/D0|30.00|60.00|30.00|CNY|2026-04", "R4/R2/D0|30.00|60.00|30.00|CNY|2026-04"]
    );
    Line { quantity: 1, ..line("another", "D0", "0") }.put(&db);
    assert_eq!(db.found("RC06"), [""; 0], "the order bought two things");
}

#[test]
fn rc07_finds_a_refund_before_the_purchase_and_one_of_another_customer() {
    let db = sane();
    Order { fee: Some("0"), consumed: Some("0"), ..order("R2", REFUND, "-1", "2026-01-31T23:59:59Z") }
        .put_with_line(&db);
    attribution("R2", "1", "-1", "D0").put(&db);
    refund(&db, "R3", "-1", &[]);
    Attribution { customer: "c9", ..attribution("R3", "1", "-1", "D0") }.put(&db);
    assert_eq!(
        db.found("RC07"),
        [
            "R2/D0/time|at or after 2026-02-01T00:00:00Z|2026-01-31T23:59:59Z||CNY|2026-02",
            "R3/D0/customer c9|c1|c9||CNY|2026-03",
        ]
    );
}

#[test]
fn rc07_looks_at_the_trade_for_what_a_member_leaves_out() {
    let db = sane();
    refund(&db, "R2", "-1", &[]);
    Attribution { base: Some("T1"), ..attribution("R2", "1", "-1", "") }.put(&db);
    // T1 is paid with its trade, on the 15th of June.
    assert_eq!(db.column("RC07", "key"), ["R2/T1/time"]);
    db.run("update orders set payment_time = ?1 where order_id = 'R2'", params!["2026-06-16T00:00:00Z"]);
    assert_eq!(db.found("RC07"), [""; 0]);
}
