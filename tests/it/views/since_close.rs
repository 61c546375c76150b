//! F13: what changed since a month was closed, and that it explains the difference to what was known then.

use proptest::prelude::*;
use rusqlite::Connection;

use super::{Db, Order, PURCHASE, REFUND, e8, order, rows, run, warehouse};

const MARCH: &str = "2021-03-10T02:00:00Z";

/// A warehouse that was first read on 5 January 2021.
fn read_since_january() -> Db {
    let db = warehouse();
    run(&db, "update runs set started_at = '2021-01-05T00:00:00Z'", []);
    db
}

/// Begins a run and returns its number.
fn begin(db: &Connection, at: &str) -> i64 {
    run(
        db,
        "insert into runs (job, account, stream, program_version, started_at) values ('test', 'main', 'orders', '0', ?1)",
        [at],
    );
    db.last_insert_rowid()
}

/// Changes an order as an answer of that time does.
fn change(db: &Connection, id: &str, set: &str, at: &str) {
    let number = begin(db, at);
    let sql = format!(
        "update orders set {set}, version = version + 1, last_changed_run = {number}, last_seen_at = '{at}' where order_id = '{id}'"
    );
    assert_eq!(db.execute(&sql, []), Ok(1));
}

/// Stores an order that an answer of that time shows for the first time.
fn first_seen(db: &Connection, order: &Order<'_>, at: &str) {
    order.insert(db);
    let number = begin(db, at);
    let sql = format!(
        "update orders set first_seen_run = {number}, last_seen_at = '{at}' where order_id = '{}'",
        order.id
    );
    run(db, &sql, []);
}

/// Month, currency, order, change, status and amount of then and of now, difference.
fn moved(db: &Connection) -> Vec<String> {
    rows(
        db,
        "select month, currency, order_id, change, old_status, status, old_amount, new_amount, difference
         from f13_changes_since_close order by 1, 2, 3, old_amount_e8 is null",
    )
}

/// For each month that was closed: what F01 says now less what was known then.
fn differences_of_f01(db: &Connection) -> Vec<String> {
    differences(db, "f01_net_spend_by_service", "currency")
}

/// For each month that was closed: what the question says now less what was known then, by this column.
fn differences(db: &Connection, view: &str, by: &str) -> Vec<String> {
    let mut found = Vec::new();
    for month in 1..=9 {
        let then = format!("2021{:02}04100000", month + 1);
        found.extend(rows(
            db,
            &format!(
                "select month, {by}, sum(now_e8) from (
                     select month, {by}, net_e8 as now_e8 from {view}
                     union all
                     select month, {by}, -net_e8 from {view}_as_of where as_of = {then})
                 where month = '2021-{month:02}' group by 1, 2 having sum(now_e8) <> 0 order by 1, 2"
            ),
        ));
    }
    found
}

fn sums_of_f13(db: &Connection) -> Vec<String> {
    rows(
        db,
        "select month, currency, sum(difference_e8) from f13_changes_since_close
         group by 1, 2 having sum(difference_e8) <> 0 order by 1, 2",
    )
}

/// What RC28 says of orders.
fn sums_of_rc28(db: &Connection) -> Vec<String> {
    rows(
        db,
        "select period, currency, sum(diff_e8) from check_rc28_late_arrivals
         where key not like '%/attribution %' group by 1, 2 having sum(diff_e8) <> 0 order by 1, 2",
    )
}

#[test]
fn what_moved_a_closed_month_is_listed_with_what_was_known_then() {
    let db = read_since_january();
    for (id, amount) in
        [("kept", "100"), ("amount", "100"), ("cancelled", "30"), ("gone", "20"), ("back", "4")]
    {
        order(id, PURCHASE, amount, MARCH).insert(&db);
    }
    order("in-time", PURCHASE, "50", MARCH).insert(&db);
    order("at-close", PURCHASE, "10", MARCH).insert(&db);
    order("month", PURCHASE, "5", "2021-03-31T15:59:59Z").insert(&db);
    order("currency", PURCHASE, "8", MARCH).insert(&db);
    order("customer", PURCHASE, "3", MARCH).insert(&db);
    Order { status: 2, ..order("refund", REFUND, "40", "2021-03-30T00:00:00Z") }.insert(&db);
    Order { paid: None, ..order("unpaid", PURCHASE, "6", "2021-03-30T00:00:00Z") }.insert(&db);

    change(&db, "in-time", "amount_after_discount_e8 = 6000000000", "2021-03-20T00:00:00Z");
    change(&db, "at-close", "amount_after_discount_e8 = 1100000000", "2021-04-04T02:00:00Z");
    change(&db, "back", "gone_since = '2021-04-01T00:00:00Z'", "2021-04-01T00:00:00Z");
    change(&db, "unpaid", "payment_time = '2021-04-05T00:00:00Z'", "2021-04-05T01:00:00Z");
    change(&db, "amount", "amount_after_discount_e8 = 9000000001", "2021-05-06T00:00:00Z");
    change(&db, "cancelled", "status = 4", "2021-05-06T00:00:00Z");
    change(&db, "gone", "gone_since = '2021-05-06T00:00:00Z'", "2021-05-06T00:00:00Z");
    change(&db, "back", "gone_since = null", "2021-05-06T00:00:00Z");
    change(&db, "month", "payment_time = '2021-03-31T16:00:00Z'", "2021-05-06T00:00:00Z");
    change(&db, "currency", "currency = 'USD'", "2021-05-06T00:00:00Z");
    change(&db, "customer", "customer_id = 'cust-2'", "2021-05-06T00:00:00Z");
    change(&db, "refund", "status = 5", "2021-05-06T00:00:00Z");
    change(&db, "kept", "service_type_name = 'another name'", "2021-05-06T00:00:00Z");
    first_seen(&db, &order("late", PURCHASE, "7", "2021-03-31T15:00:00Z"), "2021-05-06T00:00:00Z");

    assert_eq!(
        moved(&db),
        [
            "2021-03|CNY|amount|changed|5|5|100.00|90.00000001|-9.99999999",
            "2021-03|CNY|back|changed||5||4.00|4.00",
            "2021-03|CNY|cancelled|changed|5|4|30.00||-30.00",
            "2021-03|CNY|currency|changed|5|5|8.00||-8.00",
            "2021-03|CNY|customer|changed|5|5|3.00||-3.00",
            "2021-03|CNY|customer|changed||5||3.00|3.00",
            "2021-03|CNY|gone|gone|5|5|20.00||-20.00",
            "2021-03|CNY|late|new||5||7.00|7.00",
            "2021-03|CNY|month|changed|5|5|5.00||-5.00",
            "2021-03|CNY|refund|changed||5||-40.00|-40.00",
            "2021-03|USD|currency|changed||5||8.00|8.00",
            "2021-04|CNY|month|changed||5||5.00|5.00",
        ]
    );
    assert_eq!(
        rows(
            &db,
            "select distinct closed_at, first_seen, last_changed from f13_changes_since_close
             where order_id in ('amount', 'late') order by order_id"
        ),
        [
            "2021-04-04T02:00:00Z|2021-01-05T00:00:00Z|2021-05-06T00:00:00Z",
            "2021-04-04T02:00:00Z|2021-05-06T00:00:00Z|2021-05-06T00:00:00Z",
        ]
    );
    assert_eq!(sums_of_f13(&db), differences_of_f01(&db));
    // By customer as well: the one lost what the other one got.
    let by_customer = "select month, customer_id, sum(difference_e8) from f13_changes_since_close
                       group by 1, 2 having sum(difference_e8) <> 0 order by 1, 2";
    let found = rows(&db, by_customer);
    assert!(found.contains(&"2021-03|cust-2|300000000".to_owned()), "{found:?}");
    assert_eq!(found, differences(&db, "f02_net_spend_by_customer", "customer_id"));
}

#[test]
fn members_move_with_their_trade_and_a_trade_with_its_members() {
    let db = read_since_january();
    let trade = order("T", PURCHASE, "30", MARCH);
    trade.insert(&db);
    for (id, amount) in [("T1", "10"), ("T2", "20")] {
        Order { parent: Some("T"), amount: e8(amount), id, ..trade.clone() }.insert(&db);
    }
    // They leave to their trade what they can.
    run(
        &db,
        "update orders set status = null, order_type = null, payment_time = null, create_time = null where parent_order_id = 'T'",
        [],
    );
    run(&db, "delete from orders_history", []);
    order("S", PURCHASE, "9", MARCH).insert(&db);
    change(&db, "T", "status = 4", "2021-05-06T00:00:00Z");
    // A trade that counted in its own right, because its member was not known.
    first_seen(
        &db,
        &Order { parent: Some("S"), ..order("S1", PURCHASE, "8", MARCH) },
        "2021-05-06T00:00:00Z",
    );
    assert_eq!(
        moved(&db),
        [
            "2021-03|CNY|S|changed|5|5|9.00||-9.00",
            "2021-03|CNY|S1|new||5||8.00|8.00",
            "2021-03|CNY|T1|changed|5||10.00||-10.00",
            "2021-03|CNY|T2|changed|5||20.00||-20.00",
        ]
    );
    assert_eq!(sums_of_f13(&db), differences_of_f01(&db));
}

#[test]
fn a_month_closed_before_the_first_reading_has_no_figure_to_move() {
    let db = read_since_january();
    order("old", PURCHASE, "1", "2020-11-05T00:00:00Z").insert(&db);
    change(&db, "old", "amount_after_discount_e8 = 2", "2021-05-06T00:00:00Z");
    // This month is not closed.
    let this_month = rows(&db, "select strftime('%Y-%m-%dT%H:%M:%SZ', 'now')").remove(0);
    order("young", PURCHASE, "1", &this_month).insert(&db);
    change(&db, "young", "amount_after_discount_e8 = 2", &this_month);
    assert_eq!(moved(&db), [""; 0]);
}

/// A change of one of the orders: which, what, and when after the one before, in hours.
fn step() -> impl Strategy<Value = (usize, &'static str, u16)> {
    let what = prop::sample::select(vec![
        "amount_after_discount_e8 = coalesce(amount_after_discount_e8, 0) + 7",
        "amount_after_discount_e8 = null",
        "status = 4",
        "status = 5",
        "status = null",
        "order_type = 4",
        "order_type = null",
        "measure_id = 3",
        "currency = 'USD'",
        "currency = ''",
        "customer_id = 'cust-2'",
        "customer_id = ''",
        "payment_time = null",
        "payment_time = ''",
        "payment_time = '2021-03-31T16:00:00Z'",
        "payment_time = '2021-02-28T15:59:59Z'",
        "create_time = ''",
        "gone_since = last_seen_at",
        "gone_since = null",
        "parent_order_id = 'o0'",
        "parent_order_id = null",
    ]);
    (0usize..5, what, 0u16..900)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_months_differences_are_its_figure_now_less_the_one_at_its_close(
        seen in prop::collection::vec((0u16..4000, 1u8..6, prop::bool::weighted(0.3)), 5),
        steps in prop::collection::vec(step(), 0..24),
    ) {
        let db = read_since_january();
        let at = |hours: u32| rows(&db, &format!("select strftime('%Y-%m-%dT%H:%M:%SZ', '2021-01-05', '{hours} hours')")).remove(0);
        for (nr, (hours, month, is_member)) in seen.iter().enumerate() {
            let paid = format!("2021-{month:02}-28T16:00:00Z");
            let id = format!("o{nr}");
            let parent = (*is_member && nr > 0).then_some("o0");
            first_seen(&db, &Order { parent, ..order(&id, PURCHASE, "1", &paid) }, &at(u32::from(*hours)));
        }
        let mut hours = 0;
        for (nr, what, pause) in steps {
            hours += u32::from(pause);
            let (id, now) = (format!("o{nr}"), at(hours));
            // Answers come in the order of their times.
            let is_known = format!("select 1 from orders where order_id = '{id}' and max(last_seen_at, coalesce(gone_since, '')) <= '{now}'");
            if !rows(&db, &is_known).is_empty() {
                let what = what.replace("gone_since = last_seen_at", &format!("gone_since = '{now}'"));
                change(&db, &id, &what, &now);
            }
        }
        prop_assert_eq!(sums_of_f13(&db), differences_of_f01(&db));
        prop_assert_eq!(sums_of_rc28(&db), sums_of_f13(&db));
        let twice = "select key from check_rc28_late_arrivals group by account, key having count(*) > 1";
        prop_assert_eq!(rows(&db, twice), [""; 0]);
    }
}
