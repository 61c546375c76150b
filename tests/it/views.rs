//! Finance's views over rows made by hand: the definitions of finance, one fact per test.

mod amortisation;
mod breakdowns;
mod changes;
mod closing;
mod codes;
mod months;
mod months_of_orders;
mod plans;
mod reckoned;
mod records;
mod renewals;
mod since_close;

use proptest::prelude::*;
use rusqlite::{Connection, Params, params};

use crate::by_hand::{
    self, ADJUSTMENT, CANCELLED, CHANGE, COMPLETED, Db, PENDING, PURCHASE, REFUND, RENEWAL, TRIAL, e8, rows,
};

/// An empty warehouse, and run 1.
fn warehouse() -> Db {
    by_hand::warehouse(
        "insert into runs (run_id, job, account, stream, program_version, started_at)
         values (1, 'test', 'main', 'orders', '0', '2026-01-01T00:00:00Z')",
    )
}

/// An order row; `insert` writes it. Amounts in 10⁻⁸, as stored.
#[derive(Clone)]
struct Order<'a> {
    id: &'a str,
    parent: Option<&'a str>,
    customer: &'a str,
    service: Option<&'a str>,
    kind: i64,
    status: i64,
    amount: i64,
    coupon: i64,
    currency: &'a str,
    created: &'a str,
    paid: Option<&'a str>,
    payer: Option<&'a str>,
    commission: Option<i64>,
    consumed: Option<i64>,
}

/// A completed purchase of ECS in CNY, created and paid at `paid`.
fn order<'a>(id: &'a str, kind: i64, amount: &str, paid: &'a str) -> Order<'a> {
    Order {
        id,
        parent: None,
        customer: "cust-1",
        service: Some("ecs"),
        kind,
        status: COMPLETED,
        amount: e8(amount),
        coupon: 0,
        currency: "CNY",
        created: paid,
        paid: Some(paid),
        payer: None,
        commission: None,
        consumed: None,
    }
}

impl Order<'_> {
    fn insert(&self, db: &Connection) {
        run(
            db,
            "insert into orders (account, order_id, parent_order_id, customer_id, service_type_code, order_type,
                 status, amount_after_discount_e8, coupon_amount_e8, currency, create_time, payment_time,
                 is_agent_pay, paying_agent_id, commission_amount_e8, consumed_amount_e8, measure_id, role,
                 first_seen_run, last_changed_run, last_seen_at)
             values ('main', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 is not null, ?12, ?13, ?14, 1,
                 'customer', 1, 1, '2026-12-01T00:00:00Z')",
            params![
                self.id,
                self.parent,
                self.customer,
                self.service,
                self.kind,
                self.status,
                self.amount,
                self.coupon,
                self.currency,
                self.created,
                self.paid,
                self.payer,
                self.commission,
                self.consumed,
            ],
        );
    }
}

/// A line of 12 months of VM; `of` is the order it names, `None` when it names none.
fn line(db: &Connection, id: &str, asked: &str, of: Option<&str>, service: &str, amount: &str, coupon: &str) {
    run(
        db,
        "insert into order_lines (account, order_line_item_id, requested_order_id, order_id, service_type_code,
             commercial_resource, period_type, period_num, amount_after_discount_e8, coupon_amount_e8, currency,
             role, first_seen_run, last_changed_run, last_seen_at)
         values ('main', ?1, ?2, ?3, ?4, 'vm', 2, 12, ?5, ?6, 'CNY', 'customer', 1, 1, '2026-12-01T00:00:00Z')",
        params![id, asked, of, service, e8(amount), e8(coupon)],
    );
}

fn attribution(db: &Connection, id: &str, refund: &str, amount: &str, base: Option<&str>) {
    run(
        db,
        "insert into refund_attributions (account, refund_order_id, id, amount_e8, measure_id, base_order_id, role,
             first_seen_run, last_changed_run, last_seen_at)
         values ('main', ?1, ?2, ?3, 1, ?4, 'customer', 1, 1, '2026-12-01T00:00:00Z')",
        params![refund, id, e8(amount), base],
    );
}

/// A running ECS machine (or something attached to `parent`), bought by `orders`.
fn resource(db: &Connection, id: &str, parent: Option<&str>, expires: &str, policy: i64, orders: &[&str]) {
    run(
        db,
        "insert into resources (account, resource_id, service_type_code, resource_type_code, parent_resource_id,
             is_main_resource, status, expire_time, expire_policy, role, first_seen_run, last_changed_run,
             last_seen_at)
         values ('main', ?1, 'ecs', 'vm', ?2, ?2 is null, 2, ?3, ?4, 'customer', 1, 1, '2026-12-01T00:00:00Z')",
        params![id, parent, expires, policy],
    );
    for order in orders {
        run(
            db,
            "insert into order_resources (account, order_id, resource_id, role, first_seen_run, last_changed_run,
                 last_seen_at)
             values ('main', ?1, ?2, 'customer', 1, 1, '2026-12-01T00:00:00Z')",
            params![order, id],
        );
    }
}

fn run(db: &Connection, sql: &str, params: impl Params) {
    db.execute(sql, params).unwrap();
}

/// The worked example of the finance definitions.
fn worked_example(db: &Connection) {
    Order { coupon: e8("100"), ..order("A", PURCHASE, "1200", "2026-01-10T02:00:00Z") }.insert(db);
    Order {
        commission: Some(e8("50")),
        consumed: Some(e8("301.37")),
        ..order("R", REFUND, "748.63", "2026-04-10T02:00:00Z")
    }
    .insert(db);
    attribution(db, "1", "R", "-1100", Some("A"));
    attribution(db, "2", "R", "301.37", Some("A"));
    attribution(db, "3", "R", "50", Some("A"));
}

#[test]
fn the_worked_example_costs_451_37_net_of_its_refund() {
    let db = warehouse();
    worked_example(&db);
    assert_eq!(
        rows(
            &db,
            "select month, purchases, refunds, net, net_of_coupons, net_e8 from f01_net_spend_by_service
             order by month"
        ),
        [
            "2026-01|1200.00|0.00|1200.00|1100.00|120000000000",
            "2026-04|0.00|-748.63|-748.63|-748.63|-74863000000"
        ]
    );
    assert_eq!(
        rows(&db, "select sum(net_e8), sum(net_of_coupons_e8) from f01_net_spend_by_service"),
        ["45137000000|35137000000"]
    );
    assert_eq!(
        rows(
            &db,
            "select refund_month, original_month, is_earlier_period, is_earlier_quarter, is_earlier_year, refunded
             from f05_refunds_by_original_month"
        ),
        ["2026-04|2026-01|1|1|0|748.63"]
    );
    assert_eq!(
        rows(
            &db,
            "select month, refund_orders, commission, consumed, net_refund, fee_rate_percent
             from f11_fees_and_consumption_kept_back"
        ),
        ["2026-04|1|50.00|301.37|748.63|4.55"]
    );
}

#[test]
fn what_came_back_follows_attributions_where_the_order_is_before_fees() {
    let db = warehouse();
    order("A", PURCHASE, "99999", "2026-01-10T02:00:00Z").insert(&db);
    for nr in 0..25 {
        let id = format!("R{nr}");
        Order {
            commission: Some(e8("50")),
            consumed: Some(e8("300")),
            ..order(&id, REFUND, "1100", "2026-04-10T02:00:00Z")
        }
        .insert(&db);
        attribution(&db, "1", &id, "-1100", Some("A"));
        attribution(&db, "2", &id, "350", Some("A"));
    }
    let kept_back = "select refund_orders, commission, consumed, net_refund, fee_rate_percent
                     from f11_fees_and_consumption_kept_back";
    assert_eq!(rows(&db, kept_back), ["25|1250.00|7500.00|18750.00|4.55"]);
    // Attributions that are gone, or in another unit, say nothing.
    run(&db, "update refund_attributions set gone_since = '2026-05-01T00:00:00Z' where id = '1'", []);
    run(&db, "update refund_attributions set measure_id = 3 where id = '2'", []);
    assert_eq!(rows(&db, kept_back), ["25|1250.00|7500.00|27500.00|3.45"]);
}

#[test]
fn coupons_given_back_by_a_refund_count_again() {
    let db = warehouse();
    Order { coupon: e8("100"), ..order("A", PURCHASE, "300", "2026-01-10T02:00:00Z") }.insert(&db);
    Order { coupon: e8("100"), ..order("R", REFUND, "-300", "2026-01-11T02:00:00Z") }.insert(&db);
    assert_eq!(rows(&db, "select net, net_of_coupons from f01_net_spend_by_service"), ["0.00|0.00"]);
}

#[test]
fn months_are_months_of_utc_plus_8() {
    let db = warehouse();
    order("late", PURCHASE, "1", "2026-10-31T16:30:00Z").insert(&db);
    order("early", PURCHASE, "1", "2026-10-31T15:59:59Z").insert(&db);
    assert_eq!(
        rows(&db, "select order_id, month, event_time_utc8 from v_orders order by order_id"),
        ["early|2026-10|2026-10-31 23:59:59", "late|2026-11|2026-11-01 00:30:00"]
    );
}

#[test]
fn a_refund_without_payment_time_is_dated_by_its_creation_and_flagged() {
    let db = warehouse();
    Order { paid: Some(""), ..order("R", REFUND, "5", "2026-03-01T00:00:00Z") }.insert(&db);
    assert_eq!(
        rows(&db, "select month, event_time_is_estimated, signed_amount_e8 from counted_orders"),
        ["2026-03|1|-500000000"]
    );
}

#[test]
fn a_combined_trade_is_counted_once_and_paid_by_its_payer() {
    let db = warehouse();
    Order { service: None, payer: Some("agent"), ..order("T", PURCHASE, "30.03", "2026-02-15T08:00:00Z") }
        .insert(&db);
    Order { parent: Some("T"), ..order("T1", PURCHASE, "10.01", "2026-02-15T08:00:00Z") }.insert(&db);
    Order {
        parent: Some("T"),
        service: Some("evs"),
        ..order("T2", PURCHASE, "20.02", "2026-02-15T08:00:00Z")
    }
    .insert(&db);
    line(&db, "T-1", "T", Some("T1"), "ecs", "10.01", "0");
    assert_eq!(
        rows(&db, "select service_type_code, net from f01_net_spend_by_service order by 1"),
        ["ecs|10.01", "evs|20.02"]
    );
    assert_eq!(
        rows(&db, "select order_id, payer, is_paid_by_other from counted_orders order by 1"),
        ["T1|agent|1", "T2|agent|1"]
    );
    assert_eq!(
        rows(&db, "select not_counted_because from v_orders where order_id = 'T'"),
        ["combined trade: its members count"]
    );
}

#[test]
fn a_member_of_a_combined_trade_is_as_its_trade_where_it_says_nothing() {
    let db = warehouse();
    let trade = Order {
        customer: "owner",
        payer: Some("agent"),
        currency: "USD",
        created: "2026-02-01T00:00:00Z",
        ..order("T", PURCHASE, "30", "2026-02-28T16:30:00Z")
    };
    trade.insert(&db);
    let bare = Order {
        parent: Some("T"),
        customer: "",
        currency: "",
        created: "",
        paid: None,
        payer: None,
        ..trade
    };
    Order { id: "T1", amount: e8("10"), ..bare.clone() }.insert(&db);
    Order { id: "T2", amount: e8("20"), paid: Some(""), ..bare.clone() }.insert(&db);
    run(
        &db,
        "update orders set customer_id = null, currency = null, create_time = null, order_type = null, status = null,
             is_agent_pay = null
         where order_id = 'T2'",
        [],
    );
    assert_eq!(
        rows(
            &db,
            "select order_id, customer_id, payer, currency, month, event_time_is_estimated, create_time, payment_time,
                 counted_as
             from v_orders where parent_order_id = 'T' order by 1"
        ),
        [
            "T1|owner|agent|USD|2026-03|0|2026-02-01T00:00:00Z|2026-02-28T16:30:00Z|purchase",
            "T2|owner|agent|USD|2026-03|0|2026-02-01T00:00:00Z|2026-02-28T16:30:00Z|purchase",
        ]
    );
    assert_eq!(rows(&db, "select month, net from f02_net_spend_by_customer"), ["2026-03|30.00"]);
    // Money that comes back from a member came from the month in which its trade was paid.
    Order { currency: "USD", ..order("R", REFUND, "5", "2026-04-20T00:00:00Z") }.insert(&db);
    attribution(&db, "1", "R", "-5", Some("T1"));
    assert_eq!(rows(&db, "select original_month from f05_refunds_by_original_month"), ["2026-03"]);
    assert_eq!(rows(&db, "select original_month from v_refund_attributions"), ["2026-03"]);
    // What it says itself is what counts.
    run(
        &db,
        "update orders set customer_id = 'own', payment_time = '2026-05-05T00:00:00Z' where order_id = 'T1'",
        [],
    );
    assert_eq!(rows(&db, "select customer_id, month from v_orders where order_id = 'T1'"), ["own|2026-05"]);
}

#[test]
fn what_is_unpaid_cancelled_pending_trial_or_gone_is_not_spent() {
    let db = warehouse();
    let at = "2026-02-15T08:00:00Z";
    Order { paid: None, ..order("unpaid", PURCHASE, "1", at) }.insert(&db);
    Order { paid: Some(""), status: PENDING, ..order("pending", PURCHASE, "1", at) }.insert(&db);
    Order { status: CANCELLED, ..order("cancelled", PURCHASE, "1", at) }.insert(&db);
    Order { status: 2, ..order("refunding", REFUND, "1", at) }.insert(&db);
    order("trial", TRIAL, "1", at).insert(&db);
    order("unknown", 77, "1", at).insert(&db);
    order("gone", PURCHASE, "1", at).insert(&db);
    run(&db, "update orders set gone_since = '2026-03-01T00:00:00Z' where order_id = 'gone'", []);
    order("odd", PURCHASE, "1", at).insert(&db);
    run(&db, "update orders set measure_id = 3 where order_id = 'odd'", []);
    assert_eq!(rows(&db, "select order_id from counted_orders"), [""; 0]);
    assert_eq!(
        rows(&db, "select order_id, not_counted_because from v_orders order by 1"),
        [
            "cancelled|cancelled",
            "odd|amount is not in the main unit of its currency",
            "pending|not paid",
            "refunding|refund is not completed",
            "trial|trial",
            "unknown|order type is not known",
            "unpaid|not paid",
        ]
    );
}

#[test]
fn a_refund_names_the_purchase_and_both_renewals_and_an_unknown_order() {
    let db = warehouse();
    order("P", PURCHASE, "100", "2025-11-02T00:00:00Z").insert(&db);
    order("N1", RENEWAL, "100", "2026-01-02T00:00:00Z").insert(&db);
    order("N2", RENEWAL, "100", "2026-03-02T00:00:00Z").insert(&db);
    order("R", REFUND, "250", "2026-03-20T00:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-40", Some("P"));
    attribution(&db, "2", "R", "-90", Some("N1"));
    attribution(&db, "3", "R", "-100", Some("N2"));
    attribution(&db, "4", "R", "-15", Some("2017"));
    // 5.00 of the refund stays unexplained.
    assert_eq!(
        rows(
            &db,
            "select original_month, is_earlier_period, is_earlier_quarter, is_earlier_year, refunded
             from f05_refunds_by_original_month order by 1"
        ),
        [
            "(before history)||||15.00",
            "(not attributed)||||5.00",
            "2025-11|1|1|1|40.00",
            "2026-01|1|0|0|90.00",
            "2026-03|0|0|0|100.00",
        ]
    );
    assert_eq!(
        rows(
            &db,
            "select refund_month, original_month, refunded, meaning_en from v_refund_attributions where id = '2'"
        ),
        ["2026-03|2026-01|90.00|refunded"]
    );
}

#[test]
fn a_refund_without_attributions_is_not_attributed() {
    let db = warehouse();
    order("R", REFUND, "-7", "2026-03-20T00:00:00Z").insert(&db);
    assert_eq!(
        rows(&db, "select original_month, refunded from f05_refunds_by_original_month"),
        ["(not attributed)|7.00"]
    );
}

#[test]
fn a_downgrade_is_a_refund_and_an_upgrade_a_purchase() {
    let db = warehouse();
    order("up", CHANGE, "30", "2026-03-01T00:00:00Z").insert(&db);
    order("down", CHANGE, "-20", "2026-03-02T00:00:00Z").insert(&db);
    order("less", ADJUSTMENT, "-1", "2026-03-02T00:00:00Z").insert(&db);
    assert_eq!(
        rows(&db, "select orders, purchases, refunds, net from f01_net_spend_by_service"),
        ["3|29.00|-20.00|9.00"]
    );
}

#[test]
fn what_lines_leave_unexplained_is_not_allocated() {
    let db = warehouse();
    Order { coupon: e8("9"), ..order("A", PURCHASE, "100", "2026-03-01T00:00:00Z") }.insert(&db);
    line(&db, "1", "A", Some("A"), "ecs", "60", "9");
    // A line without an order of its own belongs to the order that was asked for.
    line(&db, "2", "A", None, "evs", "10", "0");
    line(&db, "3", "A", Some("A"), "evs", "20", "0");
    Order { service: None, ..order("B", PURCHASE, "1", "2026-03-01T00:00:00Z") }.insert(&db);
    assert_eq!(
        rows(
            &db,
            "select service_type_code, orders, net, net_of_coupons from f01_net_spend_by_service order by 1"
        ),
        ["(not allocated)|2|11.00|11.00", "ecs|1|60.00|51.00", "evs|1|30.00|30.00"]
    );
}

#[test]
fn lines_of_a_refund_take_the_sign_of_their_order() {
    let db = warehouse();
    order("R", REFUND, "90", "2026-03-01T00:00:00Z").insert(&db);
    line(&db, "1", "R", Some("R"), "ecs", "60", "0");
    line(&db, "2", "R", Some("R"), "evs", "-30", "0");
    assert_eq!(
        rows(&db, "select service_type_code, refunds, net from f01_net_spend_by_service order by 1"),
        ["ecs|-60.00|-60.00", "evs|-30.00|-30.00"]
    );
}

#[test]
fn currencies_are_never_added() {
    let db = warehouse();
    order("A", PURCHASE, "1", "2026-03-01T00:00:00Z").insert(&db);
    Order { currency: "USD", ..order("B", PURCHASE, "2", "2026-03-01T00:00:00Z") }.insert(&db);
    Order { currency: "", ..order("C", PURCHASE, "4", "2026-03-01T00:00:00Z") }.insert(&db);
    for view in ["f01_net_spend_by_service", "f02_net_spend_by_customer"] {
        assert_eq!(
            rows(&db, &format!("select currency, net from {view} order by 1")),
            ["(unknown)|4.00", "CNY|1.00", "USD|2.00"]
        );
    }
}

#[test]
fn customers_are_ranked_with_shares_and_changes() {
    let db = warehouse();
    run(
        &db,
        "insert into sub_customers (account, customer_id, customer, role, first_seen_run, last_changed_run,
             last_seen_at)
         values ('main', 'b', 'Beta', 'partner', 1, 1, '2026-12-01T00:00:00Z')",
        [],
    );
    let paid = |id, customer, amount, at| Order { customer, ..order(id, PURCHASE, amount, at) }.insert(&db);
    paid("1", "a", "10", "2025-03-05T00:00:00Z");
    paid("2", "a", "30", "2026-02-05T00:00:00Z");
    paid("3", "a", "25", "2026-03-05T00:00:00Z");
    paid("4", "b", "75", "2026-03-05T00:00:00Z");
    assert_eq!(
        rows(
            &db,
            "select month, rank, customer_name, net, share_percent, cumulative_share_percent,
                 change_to_previous_month, change_to_last_year
             from f02_net_spend_by_customer order by month, rank"
        ),
        [
            "2025-03|1|a|10.00|100|100||",
            "2026-02|1|a|30.00|100|100|30.00|",
            "2026-03|1|Beta|75.00|75|75|75.00|75.00",
            "2026-03|2|a|25.00|25|100|-5.00|15.00",
        ]
    );
}

/// One generated order: type, status, amount, coupon, day, customer, service, is it paid, lines, attributions.
type Draw = (i64, i64, i64, i64, u8, u8, u8, bool, Vec<i64>, Vec<i64>);

fn draw() -> impl Strategy<Value = Draw> {
    (
        prop::sample::select(vec![1, 2, 3, 4, 10, 11, 13, 14, 15, 77]),
        prop::sample::select(vec![2, 4, 5, 5, 5, 6]),
        -500i64..500,
        0i64..50,
        1u8..28,
        0u8..3,
        0u8..3,
        prop::bool::weighted(0.8),
        prop::collection::vec(-300i64..300, 0..3),
        prop::collection::vec(-300i64..100, 0..3),
    )
}

/// Stores generated orders with their lines and attributions.
fn insert_all(db: &Connection, draws: Vec<Draw>) {
    for (at, (kind, status, amount, coupon, day, customer, service, is_paid, lines, refunds)) in
        draws.into_iter().enumerate()
    {
        let id = format!("o{at}");
        // Every third order is a member of the one before.
        let parent = format!("o{}", at.wrapping_sub(1));
        let time = format!("2026-{:02}-{day:02}T17:00:00Z", day % 3 + 1);
        Order {
            id: &id,
            parent: (at % 3 == 2).then_some(&parent),
            customer: ["a", "b", ""][usize::from(customer)],
            service: [Some("ecs"), Some(""), None][usize::from(service)],
            kind,
            status,
            amount,
            coupon,
            currency: ["CNY", "USD"][at % 2],
            created: &time,
            paid: is_paid.then_some(&time),
            payer: None,
            commission: Some(1),
            consumed: Some(2),
        }
        .insert(db);
        for (nr, amount) in lines.into_iter().enumerate() {
            let line_id = format!("{id}-{nr}");
            line(db, &line_id, &id, (nr == 0).then_some(&id), ["ecs", "evs"][nr], "0", "0");
            run(
                db,
                "update order_lines set amount_after_discount_e8 = ?2, currency = '' where order_line_item_id = ?1",
                params![line_id, amount],
            );
        }
        for (nr, amount) in refunds.into_iter().enumerate() {
            attribution(db, &nr.to_string(), &id, "0", Some(&parent));
            run(
                db,
                "update refund_attributions set amount_e8 = ?2 where refund_order_id = ?1 and id = ?3",
                params![id, amount, nr.to_string()],
            );
        }
    }
}

/// The spend per month and currency: purchases, refunds, net, net of 代金券.
fn totals(db: &Connection) -> Vec<String> {
    rows(
        db,
        "select month, currency, sum(iif(kind = 'purchase', signed_amount_e8, 0)),
             sum(iif(kind = 'refund', signed_amount_e8, 0)), sum(signed_amount_e8),
             sum(signed_amount_e8 + coupon_effect_e8)
         from counted_orders group by 1, 2 order by 1, 2",
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_breakdown_adds_up_to_the_total(draws in prop::collection::vec(draw(), 1..20)) {
        let db = warehouse();
        insert_all(&db, draws);
        let total = totals(&db);
        for view in ["f01_net_spend_by_service", "f02_net_spend_by_customer"] {
            let sums = rows(
                &db,
                &format!(
                    "select month, currency, sum(purchases_e8), sum(refunds_e8), sum(net_e8), sum(net_of_coupons_e8)
                     from {view} group by 1, 2 order by 1, 2"
                ),
            );
            prop_assert_eq!(&sums, &total, "{}", view);
        }
        let refunded = rows(
            &db,
            "select month, currency, -sum(signed_amount_e8) as back from counted_orders where kind = 'refund'
             group by 1, 2 having back <> 0 order by 1, 2",
        );
        let sums = rows(
            &db,
            "select refund_month, currency, sum(refunded_e8) as back from f05_refunds_by_original_month
             group by 1, 2 having back <> 0 order by 1, 2",
        );
        prop_assert_eq!(sums, refunded);
        // F11 believes the attributions where there are any.
        let came_back = rows(
            &db,
            "select month, currency, sum(coalesce(a.back_e8, -signed_amount_e8)) from counted_orders as o
             left join (select refund_order_id, -sum(amount_e8) as back_e8 from refund_attributions group by 1) as a
                 on a.refund_order_id = o.order_id
             where kind = 'refund' group by 1, 2 order by 1, 2",
        );
        let net = "select month, currency, net_refund_e8 from f11_fees_and_consumption_kept_back order by 1, 2";
        prop_assert_eq!(rows(&db, net), came_back);
    }
}
