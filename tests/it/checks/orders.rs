//! Family B: orders, their lines, prices, times and what became of them.

use super::{
    CANCELLED, CHANGE, COMPLETED, Line, Order, PENDING, PURCHASE, REFUND, TRIAL, discount, line, order,
    order_details, sane,
};

const MARCH: &str = "2026-03-28T00:00:00Z";
const LATER: &str = "2026-12-02T00:00:00Z";

#[test]
fn rc08_finds_lines_that_are_not_the_order() {
    let db = sane();
    Order { official: Some("110"), ..order("A", PURCHASE, "100", MARCH) }.put(&db);
    Line { official: Some("65"), ..line("1", "A", "60") }.put(&db);
    Line { official: Some("35"), ..line("2", "A", "30") }.put(&db);
    assert_eq!(
        db.found("RC08"),
        ["A|90.00|100.00|10.00|CNY|2026-03", "A/official_amount|100.00|110.00|10.00|CNY|2026-03"]
    );
    Line { official: Some("10.02"), ..line("3", "A", "10.02") }.put(&db);
    assert_eq!(db.found("RC08"), [""; 0], "a cent for each line");
    db.run("update order_lines set gone_since = ?1 where order_line_item_id = '3'", [LATER]);
    assert_eq!(db.found("RC08").len(), 2, "a line that is gone is none");
}

#[test]
fn rc08_looks_at_amounts_without_their_signs() {
    let db = sane();
    order("B", REFUND, "25", MARCH).put(&db);
    line("1", "B", "-25").put(&db);
    assert_eq!(db.found("RC08"), [""; 0]);
}

#[test]
fn rc08_knows_an_order_without_lines_from_one_whose_lines_were_not_read() {
    let db = sane();
    order("A", PURCHASE, "5", MARCH).put(&db);
    assert_eq!(db.found("RC08"), [""; 0], "never read");
    order_details(&db, "A", "5", "");
    assert_eq!(
        db.found("RC08"),
        ["A|0.00|5.00|5.00|CNY|2026-03", "A/official_amount|0.00|5.00|5.00|CNY|2026-03"]
    );
    db.run(
        "insert into queue (account, stream, parent_id, enqueued_run, enqueued_at)
         values ('main', 'order_lines', 'A', 1, ?1)",
        [MARCH],
    );
    assert_eq!(db.found("RC08"), [""; 0], "it is to be read again");
}

#[test]
fn rc08_says_when_the_list_and_the_details_differ() {
    let db = sane();
    order("A", PURCHASE, "100", MARCH).put(&db);
    line("1", "A", "80").put(&db);
    order_details(&db, "A", "80", "");
    let notes = db.column("RC08", "note");
    assert!(notes.iter().all(|note| note.contains("the list shows another amount")), "{notes:?}");
}

#[test]
fn rc08_compares_a_combined_trade_and_each_member() {
    let db = sane();
    db.run(
        "update order_lines set amount_after_discount_e8 = 1101000000 where order_line_item_id = 'T1'",
        [],
    );
    assert_eq!(db.found("RC08"), ["T|31.03|30.03|-1.00|CNY|2026-06", "T1|11.01|10.01|-1.00|CNY|2026-06"]);
}

#[test]
fn rc08_counts_a_line_that_names_no_order_to_the_requested_order() {
    let db = sane();
    db.run(
        "update order_lines set requested_order_id = 'T1', order_id = null, amount_after_discount_e8 = 1101000000
         where order_line_item_id = 'T1'",
        [],
    );
    assert_eq!(
        db.found("RC08"),
        [
            "T|20.02|30.03|10.01|CNY|2026-06",
            "T/official_amount|20.02|30.03|10.01|CNY|2026-06",
            "T1|11.01|10.01|-1.00|CNY|2026-06",
        ]
    );
}

#[test]
fn rc09_finds_a_price_that_the_discounts_do_not_explain() {
    let db = sane();
    Order { official: Some("100"), ..order("A", PURCHASE, "70", MARCH) }.put_with_line(&db);
    discount(&db, "A", 0, "605", "20");
    discount(&db, "A", 1, "610", "5");
    assert_eq!(db.found("RC09"), ["A|75.00|70.00|-5.00|CNY|2026-03"]);
    assert!(db.column("RC09", "note")[0].ends_with("the price was adjusted by hand (609, 610)"));
    discount(&db, "A", 2, "700", "5");
    assert_eq!(db.found("RC09"), [""; 0]);
    Order { official: Some("10"), ..order("refund", REFUND, "-7", MARCH) }.put(&db);
    assert_eq!(db.found("RC09"), [""; 0], "refunds are not meant");
}

#[test]
fn rc09_recognises_vouchers_beside_and_inside_the_price_and_fixed_prices() {
    let db = sane();
    for (id, price) in [("beside", "80"), ("inside", "77"), ("neither", "79")] {
        Order { official: Some("100"), ..order(id, PURCHASE, price, MARCH) }.put_with_line(&db);
        discount(&db, id, 0, "605", "20");
        discount(&db, id, 1, "301", "3");
    }
    for (id, price) in [("reduction", "10"), ("price", "90"), ("no price", "50")] {
        Order { official: Some("100"), ..order(id, PURCHASE, price, MARCH) }.put_with_line(&db);
        discount(&db, id, 0, "502", "90");
    }
    assert_eq!(db.column("RC09", "key"), ["neither", "no price"]);
    db.pin("RC09 vouchers", "beside the price");
    db.pin("RC09 fixed prices", "price");
    assert_eq!(
        db.found("RC09"),
        [
            "inside|80.00|77.00|-3.00|CNY|2026-03",
            "neither|80.00|79.00|-1.00|CNY|2026-03",
            "no price|90.00|50.00|-40.00|CNY|2026-03",
            "reduction|90.00|10.00|-80.00|CNY|2026-03",
        ]
    );
    assert_eq!(
        db.column("RC09", "note")[0],
        "2 discount(s); the account follows: vouchers are beside the price; this order fits only another model"
    );
}

#[test]
fn rc10_finds_deductions_beyond_the_price_and_negative_ones() {
    let db = sane();
    Order { coupon: "50.03000001", ..order("A", PURCHASE, "50", MARCH) }.put_with_line(&db);
    Order { coupon: "50.03", ..order("just", PURCHASE, "50", MARCH) }.put_with_line(&db);
    Order { coupon: "-0.5", ..order("B", PURCHASE, "50", MARCH) }.put_with_line(&db);
    Order { coupon: "-0.5", ..order("C", REFUND, "-50", MARCH) }.put_with_line(&db);
    assert_eq!(
        db.found("RC10"),
        ["A|50.00|50.03000001|0.03000001|CNY|2026-03", "B/negative|0.00|-0.50|-0.50|CNY|2026-03"]
    );
}

#[test]
fn rc11_finds_a_trade_that_is_not_its_members() {
    let db = sane();
    db.run("update orders set amount_after_discount_e8 = 3003000000 + 2000000 where order_id = 'T'", []);
    assert_eq!(db.found("RC11"), [""; 0], "a cent for each member");
    db.run("update orders set amount_after_discount_e8 = 3103000000 where order_id = 'T'", []);
    assert_eq!(db.found("RC11"), ["T|30.03|31.03|1.00|CNY|2026-06"]);
    // A cancelled member may still be in the trade's amount, or not.
    db.run("update orders set status = 4 where order_id = 'T2'", []);
    for amount in [1_001_000_000_i64, 3_003_000_000] {
        db.run("update orders set amount_after_discount_e8 = ?1 where order_id = 'T'", [amount]);
        assert_eq!(db.found("RC11"), [""; 0], "{amount}");
    }
}

#[test]
fn rc11_finds_a_member_that_the_list_shows_as_an_order_of_its_own() {
    let db = sane();
    order("A", PURCHASE, "9", MARCH).put_with_line(&db);
    order_details(&db, "A", "9", "");
    db.run("update order_details set parent_order_id = 'P' where order_id = 'A'", []);
    assert_eq!(db.found("RC11"), ["A/top-level|0.00|9.00|9.00|CNY|2026-03"]);
    assert_eq!(db.column("RC11", "note"), ["also a member of P"]);
}

#[test]
fn rc12_finds_a_completed_order_that_was_never_paid() {
    let db = sane();
    let unpaid = |id, kind, amount| Order { paid: None, ..order(id, kind, amount, MARCH) }.put_with_line(&db);
    unpaid("A", PURCHASE, "5");
    unpaid("free", PURCHASE, "0");
    unpaid("trial", TRIAL, "5");
    unpaid("refund", REFUND, "-5");
    Order { paid: Some(""), status: PENDING, ..order("waits", PURCHASE, "5", MARCH) }.put_with_line(&db);
    assert_eq!(db.found("RC12"), ["A|a time of payment|(none)||CNY|2026-03"]);
    db.pin("RC12 type 4", "paid");
    assert_eq!(db.column("RC12", "key"), ["A", "refund"]);
    db.run("update pinned_models set model = 'not paid'", []);
    // R and G have a time of payment.
    assert_eq!(db.column("RC12", "key"), ["A", "G", "R"]);
}

#[test]
fn rc13_finds_times_that_cannot_be() {
    let db = sane();
    Order { created: Some("2026-03-28T00:05:01Z"), ..order("early", PURCHASE, "1", MARCH) }
        .put_with_line(&db);
    Order { created: Some("2026-03-28T00:05:00Z"), ..order("clock", PURCHASE, "1", MARCH) }
        .put_with_line(&db);
    order("ahead", PURCHASE, "1", "2026-12-02T00:00:01Z").put_with_line(&db);
    order("nearly", PURCHASE, "1", "2026-12-02T00:00:00Z").put_with_line(&db);
    order("A", PURCHASE, "1", MARCH).put(&db);
    Line { effective: MARCH, expires: MARCH, ..line("A-1", "A", "1") }.put(&db);
    db.run("update resources set expire_time = effective_time where resource_id = 'of X'", []);
    db.run("update resources set update_time = '2026-12-02T00:00:01Z' where resource_id = 'of U'", []);
    assert_eq!(
        db.found("RC13"),
        [
            "A-1/term|after 2026-03-28T00:00:00Z|2026-03-28T00:00:00Z|||2026-03",
            "ahead/future|at or before 2026-12-01T00:00:00Z|2026-12-02T00:00:01Z|||2026-12",
            "early/payment|at or after 2026-03-28T00:05:01Z|2026-03-28T00:00:00Z|||2026-03",
            "of U/future|at or before 2026-12-01T00:00:00Z|2026-12-02T00:00:01Z|||",
            "of X/term|after 2026-01-10T02:00:00Z|2026-01-10T02:00:00Z|||",
        ]
    );
}

#[test]
fn rc14_finds_an_order_that_waits_for_payment_a_day_after_its_deadline() {
    let db = sane();
    let waits = |id, deadline: &str| {
        Order { status: PENDING, paid: None, ..order(id, PURCHASE, "5", MARCH) }.put_with_line(&db);
        order_details(&db, id, "5", deadline);
    };
    waits("A", "2026-04-04T00:00:00Z");
    let now = db.texts("select strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-23 hours')");
    waits("B", &now[0]);
    assert_eq!(
        db.found("RC14"),
        ["A|paid or cancelled by 2026-04-04T00:00:00Z|pending payment||CNY|2026-03"]
    );
    assert_eq!(
        db.column("RC14", "note"),
        ["the vendor still showed it after that: the platform cancels late"]
    );
    db.run("update orders set last_seen_at = '2026-04-01T00:00:00Z' where order_id = 'A'", []);
    assert_eq!(db.column("RC14", "note"), ["not read since 2026-04-01T00:00:00Z"]);
    Order { status: PENDING, paid: None, ..order("trade", PURCHASE, "5", MARCH) }.put(&db);
    order_details(&db, "trade", "5", "2026-04-04T00:00:00Z");
    let member =
        Order { parent: Some("trade"), status: PENDING, paid: None, ..order("member", PURCHASE, "5", MARCH) };
    member.put_with_line(&db);
    assert_eq!(db.column("RC14", "key"), ["A", "member"], "a member has its trade's deadline");
}

#[test]
fn rc15_finds_statuses_and_payments_that_went_back() {
    let db = sane();
    for (id, status) in [("a", COMPLETED), ("b", CANCELLED), ("c", 3), ("d", COMPLETED), ("e", 6), ("f", 1)] {
        Order { status, ..order(id, PURCHASE, "1", MARCH) }.put_with_line(&db);
    }
    db.order_becomes("a", "status = 3", LATER);
    db.order_becomes("b", "status = 6, payment_time = null", LATER);
    db.order_becomes("c", "status = 6", LATER);
    db.order_becomes("d", "status = 2", LATER);
    // Steps that nobody saw lie between.
    db.order_becomes("e", "status = 11", LATER);
    db.order_becomes("e", "status = 5", LATER);
    db.order_becomes("f", "status = 5", LATER);
    assert_eq!(
        db.found("RC15"),
        [
            "a/1/status|status 5 or what follows it|status 3|||2026-03",
            "b/1/payment|paid at 2026-03-28T00:00:00Z|not paid|||2026-03",
            "b/1/status|status 4 or what follows it|status 6|||2026-03",
            "c/1/status|status 3 or what follows it|status 6|||2026-03",
            "d/1/status|status 5 or what follows it|status 2|||2026-03",
        ]
    );
    assert_eq!(db.column("RC15", "severity"), ["error", "error", "error", "warn", "warn"]);
    // Whatever follows, the step was taken.
    db.order_becomes("a", "status = 5", LATER);
    assert_eq!(db.column("RC15", "key").len(), 5);
}

#[test]
fn rc16_finds_values_that_changed_after_completion() {
    let db = sane();
    order("a", PURCHASE, "10.00000001", MARCH).put_with_line(&db);
    Order { status: 3, ..order("b", PURCHASE, "10", MARCH) }.put_with_line(&db);
    db.order_becomes("a", "amount_after_discount_e8 = 1000000000, currency = 'USD'", LATER);
    db.order_becomes("a", "contract_id = 'c'", LATER);
    db.order_becomes("b", "amount_after_discount_e8 = 900000000, status = 5", LATER);
    db.order_becomes(
        "b",
        "official_amount_e8 = 900000000, payment_time = '2026-04-28T00:00:00Z', customer_id = 'c3'",
        LATER,
    );
    db.run(
        "update refund_attributions set amount_e8 = -4100000000, version = 2, last_seen_at = ?1
         where refund_order_id = 'R' and id = '1'",
        [LATER],
    );
    assert_eq!(
        db.found("RC16"),
        [
            "R/attribution 1/1|-40.00|-41.00|-1.00|CNY|2026-03",
            "a/amount_after_discount/1|10.00000001|10.00|-0.00000001|USD|2026-03",
            "a/currency/1|CNY|USD||USD|2026-03",
            "b/customer_id/2|c1|c3||CNY|2026-04",
            "b/official_amount/2|10.00|9.00|-1.00|CNY|2026-04",
            "b/payment_time/2|2026-03-28T00:00:00Z|2026-04-28T00:00:00Z||CNY|2026-04",
        ]
    );
}

#[test]
fn rc16_takes_what_was_once_completed_for_completed() {
    let db = sane();
    order("a", PURCHASE, "10", MARCH).put_with_line(&db);
    db.order_becomes("a", "status = 2", LATER);
    db.order_becomes("a", "amount_after_discount_e8 = 900000000", LATER);
    assert_eq!(db.found("RC16"), ["a/amount_after_discount/2|10.00|9.00|-1.00|CNY|2026-03"]);
}

#[test]
fn rc16_takes_a_member_for_completed_when_its_trade_is() {
    let db = sane();
    Order { status: 3, ..order("TT", PURCHASE, "100", MARCH) }.put(&db);
    Order { parent: Some("TT"), currency: "", ..order("M", PURCHASE, "50", MARCH) }.put_with_line(&db);
    db.run("update orders set status = null where order_id = 'M'", []);
    db.run("delete from orders_history", []);
    db.order_becomes("M", "amount_after_discount_e8 = 6000000000", "2026-12-02T00:00:00Z");
    db.order_becomes("TT", "status = 5", "2026-12-03T00:00:00Z");
    // Of the answer that showed the completion.
    db.order_becomes("M", "amount_after_discount_e8 = 7000000000", "2026-12-03T00:00:00Z");
    assert_eq!(db.found("RC16"), [""; 0]);
    db.order_becomes("M", "amount_after_discount_e8 = 10000000000", "2026-12-04T00:00:00Z");
    // What its trade said anyway.
    db.order_becomes("M", "currency = 'CNY'", "2026-12-05T00:00:00Z");
    assert_eq!(db.found("RC16"), ["M/amount_after_discount/3|70.00|100.00|30.00|CNY|2026-03"]);
}

#[test]
fn a_break_of_an_order_without_a_time_belongs_to_no_month() {
    let db = sane();
    Order { created: None, paid: None, ..order("A", PURCHASE, "5", "") }.put_with_line(&db);
    assert_eq!(db.found("RC12"), ["A|a time of payment|(none)||CNY|"]);
}

#[test]
fn a_break_belongs_to_the_month_of_utc_plus_8() {
    let db = sane();
    for (id, paid) in [("in", "2026-10-31T15:59:59Z"), ("behind", "2026-10-31T16:00:00Z")] {
        Order { official: Some("6"), ..order(id, CHANGE, "5", paid) }.put_with_line(&db);
    }
    assert_eq!(db.found("RC09"), ["behind|6.00|5.00|-1.00|CNY|2026-11", "in|6.00|5.00|-1.00|CNY|2026-10"]);
    assert_eq!(db.texts("select key from check_rc09_price_identity where period = '2026-10'"), ["in"]);
}
