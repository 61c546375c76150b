//! The amortisation schedule and the prepaid balance, figures by hand.

use rusqlite::{Connection, params};

use super::{
    CHANGE, Order, PENDING, PURCHASE, REFUND, RENEWAL, attribution, e8, line, order, rows, run, warehouse,
};

/// The service time of a line; midnight of 1 January in UTC+8 is `2025-12-31T16:00:00Z`.
fn term(db: &Connection, line: &str, from: &str, last_second: &str) {
    run(
        db,
        "update order_lines set effective_time = ?2, expire_time = ?3 where order_line_item_id = ?1",
        [line, from, last_second],
    );
}

/// An order with one line for a term.
pub(super) fn bought(db: &Connection, id: &str, amount: &str, paid: &str, from: &str, last_second: &str) {
    order(id, PURCHASE, amount, paid).insert(db);
    line(db, &format!("{id}-1"), id, Some(id), "ecs", amount, "0");
    term(db, &format!("{id}-1"), from, last_second);
}

const NEW_YEAR: &str = "2025-12-31T16:00:00Z";
const END_OF_2026: &str = "2026-12-31T15:59:59Z";

/// The schedule of one service and one currency.
const SCHEDULE: &str = "select month, amortisation, catch_up, expensed, credited, loss, expense
    from f06_amortisation_schedule order by month";

const BALANCE: &str = "select month, opening, additions, amortisation, refunds_credited, closing,
        closing_within_12_months, closing_after_12_months
    from f07_prepaid_balance order by month";

#[test]
fn a_leap_year_is_spread_over_its_days() {
    let db = warehouse();
    bought(&db, "A", "366", "2027-12-31T16:00:00Z", "2027-12-31T16:00:00Z", "2028-12-31T15:59:59Z");
    assert_eq!(
        rows(&db, "select month, amortisation from f06_amortisation_schedule order by month"),
        [
            "2028-01|31.00",
            "2028-02|29.00",
            "2028-03|31.00",
            "2028-04|30.00",
            "2028-05|31.00",
            "2028-06|30.00",
            "2028-07|31.00",
            "2028-08|31.00",
            "2028-09|30.00",
            "2028-10|31.00",
            "2028-11|30.00",
            "2028-12|31.00",
        ]
    );
}

#[test]
fn months_are_rounded_to_the_cent_and_add_up_to_eight_decimals() {
    let db = warehouse();
    bought(&db, "A", "100.00000001", NEW_YEAR, NEW_YEAR, "2026-03-31T15:59:59Z");
    // 31, 59 and 90 of 90 days: 34.444…, 65.555…, all.
    assert_eq!(
        rows(&db, BALANCE),
        [
            "2026-01|0.00|100.00000001|34.44|0.00|65.56000001|65.56000001|0.00",
            "2026-02|65.56000001|0.00|31.12|0.00|34.44000001|34.44000001|0.00",
            "2026-03|34.44000001|0.00|34.44000001|0.00|0.00|0.00|0.00",
        ]
    );
}

#[test]
fn what_is_due_after_twelve_months_stands_apart() {
    let db = warehouse();
    // Two years of 365 days, paid a month before they begin.
    bought(&db, "A", "730", "2025-12-10T00:00:00Z", NEW_YEAR, "2027-12-31T15:59:59Z");
    assert_eq!(
        rows(
            &db,
            &format!("select * from ({BALANCE}) where month in ('2025-12', '2026-01', '2026-12', '2027-12')")
        ),
        [
            "2025-12|0.00|730.00|0.00|0.00|730.00|365.00|365.00",
            "2026-01|730.00|0.00|31.00|0.00|699.00|365.00|334.00",
            "2026-12|396.00|0.00|31.00|0.00|365.00|365.00|0.00",
            "2027-12|31.00|0.00|31.00|0.00|0.00|0.00|0.00",
        ]
    );
}

#[test]
fn what_was_paid_late_is_caught_up_in_the_month_of_payment() {
    let db = warehouse();
    bought(&db, "A", "90", "2026-03-05T00:00:00Z", NEW_YEAR, "2026-03-31T15:59:59Z");
    bought(&db, "B", "9", "2026-05-31T16:00:00Z", NEW_YEAR, "2026-03-31T15:59:59Z");
    // Not paid at all: in no month.
    bought(&db, "C", "5", NEW_YEAR, NEW_YEAR, "2026-03-31T15:59:59Z");
    run(&db, "update orders set status = ?1, payment_time = null where order_id = 'C'", [PENDING]);
    assert_eq!(
        rows(&db, SCHEDULE),
        ["2026-03|31.00|59.00|0.00|0.00|0.00|90.00", "2026-06|0.00|9.00|0.00|0.00|0.00|9.00"]
    );
}

#[test]
fn what_has_no_term_is_expensed_in_the_month_of_payment() {
    let db = warehouse();
    order("A", PURCHASE, "100", "2026-05-05T00:00:00Z").insert(&db);
    line(&db, "1", "A", Some("A"), "evs", "60", "0");
    run(&db, "update order_lines set period_type = 5, effective_time = '2026-05-05T00:00:00Z'", []);
    // 40.00 are in no line; the other order has none. A term of a century is none.
    order("B", PURCHASE, "7", "2026-05-05T00:00:00Z").insert(&db);
    bought(&db, "C", "3", "2026-05-05T00:00:00Z", "2026-05-05T00:00:00Z", "9999-12-31T15:59:59Z");
    assert_eq!(
        rows(
            &db,
            "select entry, order_id, order_line_item_id, service_type_code, expensed_e8 / 1000000, closing_e8
             from amortised_lines order by 1, 2"
        ),
        ["line|A|1|evs|6000|0", "line|C|C-1|ecs|300|0", "rest|A||ecs|4000|0", "rest|B||ecs|700|0"]
    );
}

#[test]
fn a_refund_ends_the_schedule_and_what_is_kept_back_is_a_loss() {
    let db = warehouse();
    super::worked_example(&db);
    line(&db, "1", "A", Some("A"), "ecs", "1200", "0");
    term(&db, "1", NEW_YEAR, END_OF_2026);
    // Back on 11 April 00:00, UTC+8: 100 of 365 days.
    run(&db, "update orders set payment_time = '2026-04-10T16:00:00Z' where order_id = 'R'", []);
    assert_eq!(
        rows(&db, SCHEDULE),
        [
            "2026-01|101.92|0.00|0.00|0.00|0.00|101.92",
            "2026-02|92.05|0.00|0.00|0.00|0.00|92.05",
            "2026-03|101.92|0.00|0.00|0.00|0.00|101.92",
            // 328.77 by then; 871.23 in the books, of which 748.63 came back.
            "2026-04|32.88|0.00|0.00|871.23|122.60|155.48",
        ]
    );
    assert_eq!(rows(&db, BALANCE)[3], "2026-04|904.11|0.00|32.88|871.23|0.00|0.00|0.00");
    // 1100.00 less the coupon: 93.42, 84.39 and 93.42 before.
    assert_eq!(
        rows(&db, "select month, expense_net_of_coupons from f06_amortisation_schedule order by month"),
        ["2026-01|93.42", "2026-02|84.39", "2026-03|93.42", "2026-04|80.14"]
    );
}

#[test]
fn a_refund_within_five_days_gives_back_what_was_amortised_too() {
    let db = warehouse();
    bought(&db, "A", "365", NEW_YEAR, NEW_YEAR, END_OF_2026);
    order("R", REFUND, "-365", "2026-01-03T16:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-365", Some("A"));
    assert_eq!(rows(&db, SCHEDULE), ["2026-01|3.00|0.00|0.00|362.00|-3.00|0.00"]);
}

#[test]
fn a_refund_over_a_purchase_and_two_renewals_ends_each_of_them() {
    let db = warehouse();
    bought(&db, "P", "31", NEW_YEAR, NEW_YEAR, "2026-01-31T15:59:59Z");
    bought(&db, "N1", "28", "2026-01-20T00:00:00Z", "2026-01-31T16:00:00Z", "2026-02-28T15:59:59Z");
    bought(&db, "N2", "62", "2026-02-20T00:00:00Z", "2026-02-28T16:00:00Z", "2026-03-31T15:59:59Z");
    run(&db, "update orders set order_type = ?1 where order_id in ('N1', 'N2')", [RENEWAL]);
    // 14 days of February are used, March is not begun; the purchase is over.
    order("R", REFUND, "73", "2026-02-14T16:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-1", Some("P"));
    attribution(&db, "2", "R", "-13", Some("N1"));
    run(&db, "update orders set payment_time = '2026-02-10T00:00:00Z' where order_id = 'N2'", []);
    attribution(&db, "3", "R", "-59", Some("N2"));
    assert_eq!(
        rows(
            &db,
            "select month, order_id, sum(amortisation_e8) / 1000000, sum(credited_e8) / 1000000,
                 sum(loss_e8) / 1000000, sum(closing_e8) / 1000000
             from amortised_lines group by 1, 2 order by 1, 2"
        ),
        [
            "2026-01|N1|0|0|0|2800",
            "2026-01|P|3100|0|0|0",
            "2026-02|N1|1400|1400|100|0",
            "2026-02|N2|0|6200|300|0",
            "2026-02|P|0|0|-100|0",
        ]
    );
}

#[test]
fn a_refund_is_shared_by_the_lines_of_its_service_and_resource_type() {
    let db = warehouse();
    order("A", PURCHASE, "1200", NEW_YEAR).insert(&db);
    for (id, amount) in [("1", "600"), ("2", "300"), ("3", "300")] {
        line(&db, id, "A", Some("A"), "ecs", amount, "0");
        term(&db, id, NEW_YEAR, END_OF_2026);
    }
    run(&db, "update order_lines set commercial_resource = 'volume' where order_line_item_id = '3'", []);
    order("R", REFUND, "500.00000001", "2026-01-31T16:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-600.00000001", Some("A"));
    attribution(&db, "2", "R", "100", Some("A"));
    run(&db, "update refund_attributions set service_type_code = 'ecs', resource_type_code = 'vm'", []);
    // 2/3 and 1/3 of each amount, cut to 8 decimals; the last line takes what is left.
    assert_eq!(
        rows(
            &db,
            "select order_line_item_id, sum(-loss_e8) from amortised_lines where entry = 'refund' group by 1 order by 1"
        ),
        ["1|33333333334", "2|16666666667"]
    );
    assert_eq!(
        rows(
            &db,
            "select order_line_item_id, credited_e8 / 1000000, closing_e8 / 1000000 from amortised_lines
             where entry = 'line' and month = '2026-02' order by 1"
        ),
        ["1|54904|0", "2|27452|0", "3|0|25151"]
    );
    // Named otherwise than the lines are: for all of them.
    run(&db, "update refund_attributions set resource_type_code = 'bundle'", []);
    assert_eq!(
        rows(
            &db,
            "select order_line_item_id, sum(-loss_e8) from amortised_lines where entry = 'refund' group by 1 order by 1"
        ),
        ["1|25000000000", "2|12500000000", "3|12500000001"]
    );
}

#[test]
fn money_back_for_what_is_not_ours_lowers_the_expense_of_its_month() {
    let db = warehouse();
    bought(&db, "A", "31", NEW_YEAR, NEW_YEAR, "2026-01-31T15:59:59Z");
    order("R", REFUND, "10", "2026-01-20T00:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-4", Some("of 2017"));
    attribution(&db, "2", "R", "-5", Some("A"));
    run(&db, "update refund_attributions set measure_id = 3 where id = '2'", []);
    assert_eq!(rows(&db, SCHEDULE), ["2026-01|31.00|0.00|0.00|0.00|-10.00|21.00"]);
    assert_eq!(
        rows(&db, "select entry, order_id, loss_e8 / 1000000 from amortised_lines where loss_e8 <> 0"),
        ["unnamed|R|-1000"]
    );
}

#[test]
fn a_downgrade_lowers_the_months_that_are_left_and_ends_with_its_order() {
    let db = warehouse();
    bought(&db, "A", "730", NEW_YEAR, NEW_YEAR, END_OF_2026);
    order("D", CHANGE, "-184", "2026-06-30T16:00:00Z").insert(&db);
    line(&db, "D-1", "D", Some("D"), "ecs", "-184", "0");
    term(&db, "D-1", "2026-06-30T16:00:00Z", END_OF_2026);
    attribution(&db, "1", "D", "-184", Some("A"));
    let from_july = |figures: &str| rows(&db, figures).split_off(6);
    assert_eq!(
        from_july(BALANCE)[..2],
        [
            // 2.00 a day until June, 1.00 since.
            "2026-07|368.00|0.00|31.00|184.00|153.00|153.00|0.00",
            "2026-08|153.00|0.00|31.00|0.00|122.00|122.00|0.00",
        ]
    );
    order("R", REFUND, "100", "2026-08-31T16:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-100", Some("A"));
    assert_eq!(
        from_july(SCHEDULE),
        [
            "2026-07|31.00|0.00|0.00|184.00|0.00|31.00",
            "2026-08|31.00|0.00|0.00|0.00|0.00|31.00",
            "2026-09|0.00|0.00|0.00|122.00|22.00|22.00",
        ]
    );
}

#[test]
fn a_combined_trade_is_amortised_once_and_currencies_apart() {
    let db = warehouse();
    let trade = Order { service: None, ..order("T", PURCHASE, "93", NEW_YEAR) };
    trade.insert(&db);
    for (id, amount, currency) in [("T1", "31", "CNY"), ("T2", "62", "USD")] {
        Order { id, parent: Some("T"), amount: e8(amount), currency, ..trade.clone() }.insert(&db);
        line(&db, id, "T", Some(id), "ecs", amount, "0");
        term(&db, id, NEW_YEAR, "2026-01-31T15:59:59Z");
    }
    run(&db, "update order_lines set currency = ''", []);
    assert_eq!(
        rows(
            &db,
            "select month, currency, additions, amortisation, closing from f07_prepaid_balance order by 2"
        ),
        ["2026-01|CNY|31.00|31.00|0.00", "2026-01|USD|62.00|62.00|0.00"]
    );
}

#[test]
fn an_order_that_went_back_is_not_amortised_any_more() {
    let db = warehouse();
    bought(&db, "A", "31", NEW_YEAR, NEW_YEAR, "2026-01-31T15:59:59Z");
    run(&db, "update orders set status = 4", []);
    assert_eq!(rows(&db, BALANCE), [""; 0]);
}

#[test]
fn the_largest_amount_over_the_longest_term_stays_a_whole_number() {
    let db = warehouse();
    for (id, amount) in [("most", i64::MAX), ("least", -i64::MAX)] {
        order(id, PURCHASE, "1", NEW_YEAR).insert(&db);
        line(&db, id, id, Some(id), "ecs", "1", "0");
        run(&db, "update orders set amount_after_discount_e8 = ?2 where order_id = ?1", params![id, amount]);
        run(
            &db,
            "update order_lines set amount_after_discount_e8 = ?2 where order_id = ?1",
            params![id, amount],
        );
        // 3 037 000 499 seconds.
        term(&db, id, NEW_YEAR, "2122-03-29T03:14:58Z");
        run(&db, "update orders set currency = ?1 where order_id = ?1", [id]);
    }
    run(&db, "update order_lines set currency = ''", []);
    assert_eq!(
        rows(
            &db,
            "select currency, count(*), sum(amortisation_e8), max(typeof(amortisation_e8)), min(typeof(closing_e8)),
                 min(typeof(closing_within_year_e8)), max(abs(amortisation_e8)) / 100000000
             from amortised_lines group by 1 order by 1"
        ),
        [
            format!("least|1155|-{}|integer|integer|integer|81343021", i64::MAX),
            format!("most|1155|{}|integer|integer|integer|81343021", i64::MAX),
        ]
    );
}
