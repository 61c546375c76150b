//! The spend by project, region, discount, payment, payer, kind and month of creation.

use proptest::prelude::*;
use rusqlite::{Connection, params};

use super::{
    ADJUSTMENT, CHANGE, Order, PENDING, PURCHASE, REFUND, RENEWAL, TRIAL, attribution, draw, e8, insert_all,
    line, order, resource, rows, run, totals, warehouse,
};
use crate::by_hand::{TO_COMMERCIAL, TO_PAY_PER_USE, TO_YEARLY};

fn project(db: &Connection, order: &str, position: i64, id: &str, name: &str) {
    run(
        db,
        "insert into order_enterprise_projects (account, order_id, position, enterprise_project_id,
             enterprise_project_name, first_seen_run, last_changed_run, last_seen_at)
         values ('main', ?1, ?2, ?3, ?4, 1, 1, '2026-01-01T00:00:00Z')",
        params![order, position, id, name],
    );
}

/// Puts a resource into a region and a project, as if it had never been elsewhere.
fn is_in(db: &Connection, id: &str, region: &str, project: &str) {
    run(
        db,
        "update resources set region_code = ?2, enterprise_project_id = ?3, enterprise_project_name = ?3
         where resource_id = ?1",
        [id, region, project],
    );
    run(db, "delete from resources_history where resource_id = ?1", [id]);
}

const MAY: &str = "2026-05-05T00:00:00Z";

#[test]
fn an_order_of_several_projects_is_whole_and_of_none_with_its_resources() {
    let db = warehouse();
    for (id, amount) in [("default", "1"), ("two", "10"), ("none", "100"), ("by-resource", "1000")] {
        order(id, PURCHASE, amount, MAY).insert(&db);
    }
    project(&db, "default", 0, "0", "default");
    project(&db, "two", 0, "p1", "shop");
    project(&db, "two", 1, "p2", "lab");
    resource(&db, "vm", None, "2026-12-05T15:59:59Z", 3, &["by-resource"]);
    is_in(&db, "vm", "north", "p1");
    // Attached resources do not decide.
    resource(&db, "disk", Some("vm"), "2026-12-05T15:59:59Z", 3, &["by-resource", "none"]);
    is_in(&db, "disk", "north", "p2");
    order("refund", REFUND, "0.5", MAY).insert(&db);
    project(&db, "refund", 0, "p1", "shop");
    let found = "select enterprise_project_id, enterprise_project_name, is_default_project, orders,
                     purchases, refunds, net
                 from f03_net_spend_by_enterprise_project order by 1";
    assert_eq!(
        rows(&db, found),
        [
            "(not allocated)|(not allocated)|0|1|100.00|0.00|100.00",
            "(several projects)|(several projects)|0|1|10.00|0.00|10.00",
            "0|default|1|1|1.00|0.00|1.00",
            "p1|shop|0|2|1000.00|-0.50|999.50",
        ]
    );
}

#[test]
fn a_member_that_names_no_project_is_in_that_of_its_trade() {
    let db = warehouse();
    for (trade, members) in [("T", ["T1", "T2", "T3"]), ("S", ["S1", "S2", "S3"])] {
        order(trade, PURCHASE, "111", MAY).insert(&db);
        for (id, amount) in members.into_iter().zip(["1", "10", "100"]) {
            Order { parent: Some(trade), ..order(id, PURCHASE, amount, MAY) }.insert(&db);
        }
    }
    project(&db, "T", 0, "p1", "shop");
    project(&db, "T1", 0, "p2", "lab");
    project(&db, "S", 0, "p1", "shop");
    project(&db, "S", 1, "p2", "lab");
    // It is in the trade's one project, wherever its machine is; of several, its machine tells which.
    for (id, member) in [("vm-1", "T2"), ("vm-2", "S1")] {
        resource(&db, id, None, "2026-12-05T15:59:59Z", 3, &[member]);
        is_in(&db, id, "north", "p3");
    }
    run(&db, "update resources set enterprise_project_name = 'mine'", []);
    run(&db, "delete from resources_history", []);
    assert_eq!(
        rows(
            &db,
            "select enterprise_project_id, enterprise_project_name, orders, net
             from f03_net_spend_by_enterprise_project order by 1"
        ),
        [
            "(several projects)|(several projects)|2|110.00",
            "p1|shop|2|110.00",
            "p2|lab|1|1.00",
            "p3|mine|1|1.00",
        ]
    );
}

#[test]
fn a_project_has_the_name_of_its_orders_and_else_of_its_resources() {
    let db = warehouse();
    for (nr, named) in (0..).zip(["", "b", "a"]) {
        let id = format!("o{nr}");
        order(&id, PURCHASE, "1", MAY).insert(&db);
        project(&db, &id, 0, "p1", named);
        let bought = format!("{id} by resource");
        order(&bought, PURCHASE, "1", MAY).insert(&db);
        resource(&db, &id, None, "2026-12-05T15:59:59Z", 3, &[&bought]);
        is_in(&db, &id, "north", ["p1", "p2", "p2"][usize::try_from(nr).unwrap()]);
        run(
            &db,
            "update resources set enterprise_project_name = 'x' || resource_id where resource_id = ?1",
            [&id],
        );
        run(&db, "delete from resources_history", []);
    }
    let names = "select enterprise_project_id, enterprise_project_name, orders
                 from f03_net_spend_by_enterprise_project order by 1";
    assert_eq!(rows(&db, names), ["p1|b|4", "p2|xo2|2"]);
}

#[test]
fn a_project_that_changed_since_is_the_one_of_the_time_of_payment() {
    let db = warehouse();
    for (id, at) in [("before", "2026-05-05T00:00:00Z"), ("after", "2026-06-20T00:00:00Z")] {
        order(id, PURCHASE, "1", at).insert(&db);
        project(&db, id, 0, "old", "old");
        run(
            &db,
            "update order_enterprise_projects set enterprise_project_id = 'new', last_seen_at = '2026-06-10T00:00:00Z'
             where order_id = ?1",
            [id],
        );
        let by_resource = format!("{id} by resource");
        order(&by_resource, PURCHASE, "10", at).insert(&db);
        resource(&db, id, None, "2026-12-05T15:59:59Z", 3, &[&by_resource]);
        is_in(&db, id, "north", "old");
        run(
            &db,
            "update resources set enterprise_project_id = 'new', last_seen_at = '2026-06-10T00:00:00Z'
             where resource_id = ?1",
            [id],
        );
    }
    // It had a second project until then.
    order("was two", PURCHASE, "100", "2026-05-05T00:00:00Z").insert(&db);
    project(&db, "was two", 0, "old", "old");
    project(&db, "was two", 1, "other", "other");
    run(
        &db,
        "update order_enterprise_projects set gone_since = '2026-06-10T00:00:00Z' where enterprise_project_id = 'other'",
        [],
    );
    assert_eq!(
        rows(
            &db,
            "select month, enterprise_project_id, net from f03_net_spend_by_enterprise_project order by 1, 2"
        ),
        ["2026-05|(several projects)|100.00", "2026-05|old|11.00", "2026-06|new|11.00"]
    );
}

#[test]
fn purchases_are_where_their_resources_are_refunds_by_attribution() {
    let db = warehouse();
    for (id, amount) in [("north", "1"), ("both", "10"), ("none", "100")] {
        order(id, PURCHASE, amount, MAY).insert(&db);
    }
    for (id, region, orders) in [
        ("vm-1", "north", &["north", "both"][..]),
        ("vm-2", "north", &["north"]),
        ("vm-3", "south", &["both"]),
    ] {
        resource(&db, id, None, "2026-12-05T15:59:59Z", 3, orders);
        is_in(&db, id, region, "0");
    }
    resource(&db, "disk", Some("vm-1"), "2026-12-05T15:59:59Z", 3, &["north", "none"]);
    is_in(&db, "disk", "south", "0");
    // Released since.
    run(&db, "update resources set gone_since = '2026-06-01T00:00:00Z' where resource_id = 'vm-2'", []);
    Order { coupon: e8("0.3"), ..order("R", REFUND, "5", MAY) }.insert(&db);
    for (id, amount, region) in
        [("1", "-3", "north"), ("2", "1", "north"), ("3", "-2.5", "south"), ("4", "-0.25", "")]
    {
        attribution(&db, id, "R", amount, Some("both"));
        run(&db, "update refund_attributions set region_code = ?2 where id = ?1", [id, region]);
    }
    assert_eq!(
        rows(
            &db,
            "select region_code, orders, purchases, refunds, net, net_of_coupons from f04_net_spend_by_region
             order by 1"
        ),
        [
            // 5.00 less 2.00 and 2.50; the coupon that came back has no region.
            "(not allocated)|2|100.00|-0.50|99.50|99.80",
            "(several regions)|1|10.00|0.00|10.00|10.00",
            "north|2|1.00|-2.00|-1.00|-1.00",
            "south|1|0.00|-2.50|-2.50|-2.50",
        ]
    );
}

#[test]
fn what_discounts_saved_is_list_price_less_price_of_purchases() {
    let db = warehouse();
    let with_list = |id: &str, table: &str, key: &str, list: &str| {
        run(
            &db,
            &format!("update {table} set official_amount_e8 = ?2 where {key} = ?1"),
            params![id, e8(list)],
        );
    };
    order("A", PURCHASE, "1200", MAY).insert(&db);
    with_list("A", "orders", "order_id", "1500");
    line(&db, "1", "A", Some("A"), "ecs", "800", "0");
    line(&db, "2", "A", Some("A"), "evs", "400", "0");
    with_list("1", "order_lines", "order_line_item_id", "1000");
    with_list("2", "order_lines", "order_line_item_id", "450");
    // No list price: no discount that is known.
    order("B", RENEWAL, "7", MAY).insert(&db);
    order("R", REFUND, "90", MAY).insert(&db);
    with_list("R", "orders", "order_id", "90");
    assert_eq!(
        rows(
            &db,
            "select service_type_code, orders, official, purchases, saved, discount_rate_percent
             from f10_discount_effectiveness order by 1"
        ),
        [
            "(not allocated)|1|50.00|0.00|50.00|100",
            "ecs|2|1007.00|807.00|200.00|19.86",
            "evs|1|450.00|400.00|50.00|11.11"
        ]
    );
}

#[test]
fn coupons_cards_and_the_rest_add_up_to_the_purchases() {
    let db = warehouse();
    Order { coupon: e8("100"), ..order("A", PURCHASE, "1200.00000001", MAY) }.insert(&db);
    run(
        &db,
        "update orders set flexipurchase_coupon_amount_e8 = ?1, stored_card_amount_e8 = ?2",
        [e8("50.5"), e8("0.00000001")],
    );
    order("B", CHANGE, "20", MAY).insert(&db);
    order("down", CHANGE, "-20", MAY).insert(&db);
    order("R", REFUND, "90", MAY).insert(&db);
    assert_eq!(
        rows(
            &db,
            "select orders, purchases, coupon_amount, flexipurchase_coupon_amount, stored_card_amount, cash_or_credit
             from f12_payment_composition"
        ),
        ["2|1220.00000001|100.00|50.50|0.00000001|1069.50"]
    );
}

#[test]
fn spend_by_payer_and_by_consumer_has_the_same_grand_total() {
    let db = warehouse();
    order("own", PURCHASE, "1", MAY).insert(&db);
    Order { payer: Some("agent"), ..order("paid", PURCHASE, "10", MAY) }.insert(&db);
    Order { payer: Some("agent"), customer: "cust-2", ..order("other", PURCHASE, "100", MAY) }.insert(&db);
    Order { payer: Some("agent"), ..order("back", REFUND, "4", MAY) }.insert(&db);
    assert_eq!(
        rows(
            &db,
            "select payer, customer_id, is_paid_by_other, orders, purchases, refunds, net from f15_spend_by_payer
             order by 1, 2"
        ),
        ["agent|cust-1|1|2|10.00|-4.00|6.00", "agent|cust-2|1|1|100.00|0.00|100.00", "cust-1|cust-1|0|1|1.00|0.00|1.00"]
    );
    assert_eq!(
        rows(&db, "select payer, sum(net_e8) / 100000000 from f15_spend_by_payer group by 1 order by 1"),
        ["agent|106", "cust-1|1"]
    );
    assert_eq!(
        rows(
            &db,
            "select customer_id, sum(net_e8) / 100000000 from f15_spend_by_payer group by 1 order by 1"
        ),
        ["cust-1|7", "cust-2|100"]
    );
}

#[test]
fn each_kind_of_business_has_a_name_and_trials_count_without_spend() {
    let db = warehouse();
    for (id, kind, amount) in [
        ("1", PURCHASE, "1"),
        ("2", RENEWAL, "2"),
        ("3", CHANGE, "4"),
        ("4", CHANGE, "-8"),
        ("5", REFUND, "16"),
        ("6", TO_PAY_PER_USE, "32"),
        ("7", TO_YEARLY, "64"),
        ("8", TRIAL, "128"),
        ("9", TO_COMMERCIAL, "256"),
        ("10", ADJUSTMENT, "-512"),
    ] {
        order(id, kind, amount, MAY).insert(&db);
    }
    assert_eq!(
        rows(
            &db,
            "select kind_of_business, kind_of_business_zh, orders, orders_without_spend, purchases, refunds, net
             from f16_kinds_of_business order by 1"
        ),
        [
            "adjustment|费用调整|1|0|-512.00|0.00|-512.00",
            "downgrade|降配|1|0|0.00|-8.00|-8.00",
            "new|新购|1|0|1.00|0.00|1.00",
            "renewal|续费|1|0|2.00|0.00|2.00",
            "switch|按需与包年/包月互转|2|0|64.00|-32.00|32.00",
            "trial|试用|2|1|256.00|0.00|256.00",
            "unsubscribe|退订|1|0|0.00|-16.00|-16.00",
            "upgrade|升配|1|0|4.00|0.00|4.00",
        ]
    );
}

#[test]
fn orders_that_crossed_the_end_of_a_month_are_cut_off() {
    let db = warehouse();
    let created =
        |id, kind, amount, created, paid| Order { created, ..order(id, kind, amount, paid) }.insert(&db);
    // 31 October 23:59:59 and 1 November 00:00:00, UTC+8.
    created("late", PURCHASE, "1", "2026-10-31T15:59:59Z", "2026-10-31T16:00:00Z");
    created("same", PURCHASE, "10", "2026-10-31T15:59:58Z", "2026-10-31T15:59:59Z");
    created("back", REFUND, "4", "2026-10-30T00:00:00Z", "2026-11-02T00:00:00Z");
    // Not paid yet: in no month.
    Order { paid: None, status: PENDING, ..order("open", PURCHASE, "99", "2026-10-30T00:00:00Z") }
        .insert(&db);
    assert_eq!(
        rows(
            &db,
            "select created_month, month, kind, is_cut_off, orders, amount from f18_cut_off order by 1, 2, 3"
        ),
        [
            "2026-10|2026-10|purchase|0|1|10.00",
            "2026-10|2026-11|purchase|1|1|1.00",
            "2026-10|2026-11|refund|1|1|-4.00",
        ]
    );
    for view in ["f03_net_spend_by_enterprise_project", "f04_net_spend_by_region", "f16_kinds_of_business"] {
        assert_eq!(
            rows(&db, &format!("select month, sum(net_e8) from {view} group by 1 order by 1")),
            ["2026-10|1000000000", "2026-11|-300000000"],
            "{view}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_other_breakdown_adds_up_to_the_total(
        draws in prop::collection::vec(draw(), 1..20),
        projects in prop::collection::vec((0u8..20, 0i64..3, 0u8..3), 0..20),
        resources in prop::collection::vec((0u8..20, 0u8..3, any::<bool>()), 0..20),
    ) {
        let db = warehouse();
        insert_all(&db, draws);
        for (order, position, id) in projects {
            run(
                &db,
                "insert or ignore into order_enterprise_projects (account, order_id, position, enterprise_project_id,
                     first_seen_run, last_changed_run, last_seen_at)
                 values ('main', 'o' || ?1, ?2, ?3, 1, 1, '2026-01-01T00:00:00Z')",
                params![order, position, ["0", "p", ""][usize::from(id)]],
            );
        }
        for (nr, (order, region, is_attached)) in resources.into_iter().enumerate() {
            let id = format!("r{nr}");
            resource(&db, &id, is_attached.then_some("r0"), "2026-12-05T15:59:59Z", 3, &[&format!("o{order}")]);
            is_in(&db, &id, ["north", "south", ""][usize::from(region)], ["0", "p", ""][usize::from(region)]);
        }
        run(&db, "update orders set is_agent_pay = 1, paying_agent_id = 'agent' where rowid % 3 = 0", []);
        run(&db, "update refund_attributions set region_code = iif(rowid % 2, 'north', 'south') where rowid % 3", []);
        let all = totals(&db);
        let some: Vec<String> =
            all.iter().map(|row| row.rsplit_once('|').unwrap().0.to_owned()).collect();
        for (view, columns, wanted) in [
            ("f03_net_spend_by_enterprise_project", ", sum(net_of_coupons_e8)", &all),
            ("f04_net_spend_by_region", ", sum(net_of_coupons_e8)", &all),
            ("f15_spend_by_payer", ", sum(net_of_coupons_e8)", &all),
            ("f16_kinds_of_business", "", &some),
        ] {
            let sums = rows(
                &db,
                &format!(
                    "select month, currency, sum(purchases_e8), sum(refunds_e8), sum(net_e8) {columns} from {view}
                     where orders > {} group by 1, 2 order by 1, 2",
                    if view.starts_with("f16") { "orders_without_spend" } else { "0" }
                ),
            );
            prop_assert_eq!(&sums, wanted, "{}", view);
        }
        let by_kind = "select month, currency, sum(iif(kind = 'purchase', amount_e8, 0)),
                           sum(iif(kind = 'refund', amount_e8, 0)), sum(amount_e8)
                       from f18_cut_off group by 1, 2 order by 1, 2";
        prop_assert_eq!(&rows(&db, by_kind), &some);
        let purchases = rows(
            &db,
            "select month, currency, sum(signed_amount_e8) from counted_orders where kind = 'purchase'
             group by 1, 2 order by 1, 2",
        );
        for view in ["f10_discount_effectiveness", "f12_payment_composition"] {
            let sums = rows(
                &db,
                &format!("select month, currency, sum(purchases_e8) from {view} group by 1, 2 order by 1, 2"),
            );
            prop_assert_eq!(&sums, &purchases, "{}", view);
        }
        prop_assert_eq!(
            rows(
                &db,
                "select count(*) from f12_payment_composition
                 where purchases_e8 <> coupon_amount_e8 + flexipurchase_coupon_amount_e8 + stored_card_amount_e8
                     + cash_or_credit_e8"
            ),
            ["0"]
        );
    }
}
