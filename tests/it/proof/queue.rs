//! Orders whose records are refused, appear late, or change with a member only.

use super::{a_day_passes, a_minute_passes, queued};
use crate::fixtures::{self, front::Front, rows};
use sim::{Endpoint, OWNER, clock};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench, now};

/// The row of an order that costs one yuan.
fn row(id: &str, kind: u8, status: u8, created: i64) -> String {
    let created = clock::text(created);
    format!(
        "{{\"order_id\":\"{id}\",\"customer_id\":\"{OWNER}\",\"service_type_code\":\"hws.service.type.ec2\",\
         \"source_type\":1,\"status\":{status},\"order_type\":{kind},\"amount_after_discount\":1.00,\
         \"official_amount\":1.00,\"measure_id\":1,\"create_time\":\"{created}\",\"currency\":\"CNY\"}}"
    )
}

/// More than the failures in a row after which a run stops.
const FAILING: usize = 60;

#[test]
fn orders_whose_lines_are_always_refused_hold_up_no_other() {
    let bench = fixtures::bench();
    let failing: Vec<String> = (0..FAILING).map(|number| format!("CSFAILS{number:02}")).collect();
    let newest = now() - 3_600;
    bench.sim.change(|truth| {
        for (id, created) in failing.iter().zip(newest..) {
            let row = row(id, 1, 5, created);
            let line = format!(
                "{{\"order_line_item_id\":\"{id}-1\",\"order_id\":\"{id}\",\"amount_after_discount\":1.00}}"
            );
            truth.add_order(&row, Some((row.clone(), vec![line])), None);
        }
    });
    let front = Front::before(&bench);
    for id in failing.iter().flat_map(|id| [id, id, id]) {
        let refused = fixtures::example("error-400-invalid-parameter.json");
        front.answer(&format!("/details/{id}?"), 400, &refused);
    }
    let due = "select count(*) from queue where stream = 'order_lines' and not_before = ''";
    for round in 0.. {
        assert!(round < 12, "no end: {:?}", queued(&bench, "order_lines"));
        // 1: so many in a row that the run stopped. 3: some failed. Those that failed before say nothing new.
        bench.run(&["orders", "order_lines"]).expect_code(if round == 0 { 1 } else { 3 });
        if bench.count(due) == 0 {
            break;
        }
    }
    front.is_used_up();
    let others = "select count(*) from coverage where stream = 'order_lines' and verdict = 'complete'";
    assert_eq!(bench.count(others), 6);
    assert_eq!(bench.count("select count(*) from order_lines"), 4);
    let stay: Vec<String> = failing.iter().map(|id| format!("'{id}' | 3")).collect();
    assert_eq!(queued(&bench, "order_lines"), stay);
    let told = "select count(*) from queue where last_error like '%CBC.0100%'
                    and not_before > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
    assert_eq!(bench.count(told), i64::try_from(FAILING).unwrap());

    bench.sim.reset_stats();
    bench.run(&["order_lines"]);
    assert_eq!(bench.sim.count(Endpoint::Details).calls, 0, "not before their time");
    a_day_passes(&bench);
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.sim.count(Endpoint::Details).calls, u64::try_from(FAILING).unwrap());
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
}

/// Puts an order's row, details and attributions in the place of those it had.
fn replace(bench: &Bench, id: &str, edit: impl Fn(&str) -> String, refunds: Option<Vec<String>>) {
    bench.sim.change(|truth| {
        let list = truth.order_row(id).expect("an order");
        let (info, lines) = truth.details(id).expect("details");
        assert!(truth.remove_order(id));
        truth.add_order(&edit(&list), Some((edit(&info), lines)), refunds);
    });
}

#[test]
fn a_member_that_changes_alone_has_its_combined_orders_lines_read_again() {
    const COMBINED: &str = "CS2602150800DEMO6";
    let bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    let content = format!("select version from orders where order_id = '{COMBINED}'");
    let member = format!("select version from orders where order_id = '{COMBINED}B'");
    let detail = format!("select amount_after_discount_e8 from order_details where order_id = '{COMBINED}B'");
    assert_eq!(bench.count(&detail), 2_002_000_000);
    // 20.02 is the amount of the second member and of nothing else.
    replace(&bench, COMBINED, |json| json.replace("20.02", "20.03"), None);

    bench.sim.reset_stats();
    bench.run(&["orders", "order_lines", "--full"]).expect_code(0);
    assert_eq!((bench.count(&content), bench.count(&member)), (1, 2), "only the member changed");
    let asked: Vec<String> = bench.sim.requests().into_iter().map(|seen| seen.target).collect();
    let asked: Vec<&String> = asked.iter().filter(|target| target.contains("/details/")).collect();
    assert!(matches!(asked[..], [one] if one.contains(&format!("/details/{COMBINED}?"))), "{asked:?}");
    assert_eq!(bench.count(&detail), 2_003_000_000);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

/// When attributions appear after an order's completion is not documented.
#[test]
fn attributions_that_appear_after_completion_are_found_a_day_later() {
    const ORDER: &str = "CSLATE";
    let bench = fixtures::bench();
    // Neither the order's creation nor its payment is recent, only its completion.
    let created = row(ORDER, 4, 3, now() - 40 * clock::DAY);
    bench
        .sim
        .change(|truth| truth.add_order(&created, Some((created.clone(), Vec::new())), Some(Vec::new())));
    bench.run(&[]).expect_code(0);
    assert_eq!(queued(&bench, "refund_attributions"), [] as [&str; 0], "asked once while it is in progress");

    assert!(bench.sim.change(|truth| truth.set_status(ORDER, 5, None)));
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.count(&format!("select status from orders where order_id = '{ORDER}'")), 5);
    let later = "select parent_id, attempts, not_before > strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+23 hours')
                     and not_before <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+1 day') from queue";
    assert_eq!(rows(&bench.db(), later), [format!("'{ORDER}' | 0 | 1")]);

    let attribution =
        "{\"id\":\"71\",\"amount\":-1.00,\"measure_id\":\"1\",\"base_order_id\":\"CS2601050210DEMO1\"}";
    replace(&bench, ORDER, str::to_owned, Some(vec![attribution.to_owned()]));
    let stored = format!("select count(*) from refund_attributions where refund_order_id = '{ORDER}'");
    bench.sim.reset_stats();
    bench.run(&[]).expect_code(0);
    assert_eq!((bench.sim.count(Endpoint::Refunds).calls, bench.count(&stored)), (0, 0));

    a_day_passes(&bench);
    bench.run(&[]).expect_code(0);
    assert_eq!((bench.sim.count(Endpoint::Refunds).calls, bench.count(&stored)), (1, 1));
    assert_eq!(bench.count("select count(*) from queue"), 0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn attributions_that_are_doubted_and_wait_are_gone_at_the_operators_word() {
    const REFUND: &str = "CS2602101515DEMO4";
    let bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    let all = bench.count("select count(*) from refund_attributions");
    assert!(all > 0);
    replace(&bench, REFUND, str::to_owned, Some(Vec::new()));
    assert!(bench.sim.change(|truth| truth.restate(REFUND, "contract_id", "\"C-1\"")));
    bench.run(&["orders", "--full"]).expect_code(0);
    for attempts in 1..=3 {
        bench.run(&["refund_attributions"]).expect_code(3);
        assert_eq!(queued(&bench, "refund_attributions"), [format!("'{REFUND}' | {attempts}")]);
    }
    bench.sim.reset_stats();
    bench.run(&["refund_attributions"]).expect_code(3);
    assert_eq!(bench.sim.count(Endpoint::Refunds).calls, 0, "it waits");

    let gone = "select count(*) from refund_attributions where gone_since is not null";
    assert_eq!(bench.count(gone), 0);
    a_minute_passes(&bench);
    bench.run(&["refund_attributions", "--accept-empty"]).expect_code(0);
    assert_eq!(bench.sim.count(Endpoint::Refunds).calls, 1);
    assert_eq!(bench.count(gone), all);
    // An order that changed is asked for once more a day later.
    a_day_passes(&bench);
    bench.run(&["refund_attributions"]).expect_code(0);
    assert_eq!(bench.sim.count(Endpoint::Refunds).calls, 2);
    assert_eq!(queued(&bench, "refund_attributions"), [] as [&str; 0]);
}

/// The list does not say how many orders match: that it shows none is no proof that the order is gone.
#[test]
fn an_empty_list_without_a_number_does_not_make_an_order_absent() {
    let bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    let order = "CS2602030900DEMO3";
    assert!(bench.sim.change(|truth| truth.remove_order(order)));
    bench.sim.set_now(now() + 120);
    let front = Front::before(&bench);
    for _ in 0..3 {
        front.answer(&format!("order_id={order}"), 200, r#"{"order_infos":[]}"#);
    }
    bench.run(&["orders", "--full"]).expect_code(3);
    front.is_used_up();
    assert_eq!(bench.count("select count(*) from orders where gone_since is not null"), 0);
    let failed = format!(
        "select count(*) from queue where parent_id = '{order}' and last_error like '%neither rows%'"
    );
    assert_eq!(bench.count(&failed), 1);
}
