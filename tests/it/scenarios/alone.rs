//! One disturbance of one walk: rows that leave or come while it is read, and pages that are not what they should be.

use super::{
    Deal, QUOTA, asked_for_orders, assert_equals_truth_and_gone, assert_within_quota, between_pages, blank,
    disputed, findings, later, on_second_page, one_window, put, quoted, recently, settles, spread, watermark,
};
use sim::clock::{self, DAY};
use sim::{Endpoint, Fault, RowOrder, Scope, Script};
use support::truth::{assert_equals_truth, assert_sound, expected, stored};
use support::{As, Bench, now};

/// 250 orders in one window of three pages.
fn three_pages() -> (Bench, Vec<Deal>) {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    let deals = spread(250);
    put(&bench, &deals);
    (bench, deals)
}

/// More resources than a page holds, of orders of the usual kind.
fn many_resources() -> Bench {
    let bench = quoted(Script::seeded(71).orders(300), As::Customer);
    assert!(bench.sim.truth().resources(&Scope::Own).len() > 200);
    bench
}

#[test]
fn an_order_that_leaves_a_dense_second_takes_no_other_with_it() {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    let second = now() - 20 * DAY;
    let deals: Vec<Deal> = (0..150).map(|number| Deal::completed(format!("CS{number:03}"), second)).collect();
    put(&bench, &deals);
    // The first page and the second, which begins at its last row, show the same hundred; the third goes by offset.
    bench.sim.push_fault(Endpoint::Orders, Fault::mutate(|_| ()));
    between_pages(&bench, Endpoint::Orders, move |truth| {
        assert!(truth.remove_order("CS005"));
        Deal::completed("CS-late", second + DAY).put(truth);
    });
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(bench.count("select count(*) from orders where order_id <> 'CS005'"), 150, "nobody was lost");
    assert!(asked_for_orders(&bench) > 3, "the window was read again");
    assert_within_quota(&bench);
}

/// Lets three orders leave before the second page; then the sweep and the run after it.
fn three_orders_leave(at: [usize; 3], is_proven_at_once: bool) {
    let (bench, deals) = three_pages();
    let gone: Vec<String> = at.into_iter().map(|at| deals[at].id.clone()).collect();
    let leaving = gone.clone();
    between_pages(&bench, Endpoint::Orders, move |truth| {
        assert!(leaving.iter().all(|id| truth.remove_order(id)));
    });
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(asked_for_orders(&bench) == 3, is_proven_at_once, "{}", asked_for_orders(&bench));
    // Nobody that is there was lost.
    let names: Vec<&str> = gone.iter().map(String::as_str).collect();
    let there = "select count(*) from orders where gone_since is null";
    let stays = bench.count(there);
    assert!((247..=250).contains(&stays), "{stays}");

    // Whoever was read before leaving is missed by the next sweep, by name.
    later(&bench, 2);
    let ran = bench.run(&["orders", "--full"]);
    if stays > 247 {
        let told = findings(&ran.expect_code(3), "orders");
        assert_eq!(told.len(), usize::try_from(stays).unwrap() - 247, "{told:?}");
        assert!(told.iter().all(|text| text.contains("marked as gone")), "{told:?}");
        assert!(told.iter().all(|text| names.iter().any(|id| text.contains(id))), "{told:?}");
    } else {
        ran.expect_code(0);
    }
    assert_eq!(bench.count(there), 247);
    later(&bench, 4);
    bench.run(&[]).expect_code(0);
    bench.run(&["--full"]).expect_code(0);
    assert_equals_truth_and_gone(&bench, As::Customer, &names);
    assert_within_quota(&bench);
}

#[test]
fn three_orders_that_leave_behind_the_reader_take_no_other_with_them() {
    three_orders_leave([3, 40, 99], true);
}

#[test]
fn three_orders_that_leave_before_the_reader_cost_one_proof_of_the_window() {
    three_orders_leave([150, 220, 249], false);
}

#[test]
fn orders_that_leave_every_page_at_once_cost_the_window_its_proof_once() {
    three_orders_leave([5, 150, 249], false);
}

#[test]
fn the_lines_of_an_order_that_left_are_asked_for_no_more() {
    let (bench, deals) = three_pages();
    let gone = deals[7].id.clone();
    bench.run(&[]).expect_code(0);
    later(&bench, 2);
    assert!(bench.sim.change(|truth| truth.restate(&gone, "contract_id", "\"C-1\"")));
    bench.run(&["orders", "--full"]).expect_code(0);
    assert!(bench.sim.change(|truth| truth.remove_order(&gone)));
    later(&bench, 4);
    bench.run(&["orders", "--full"]).expect_code(3);
    later(&bench, 6);
    bench.run(&[]).expect_code(0);
    assert_equals_truth_and_gone(&bench, As::Customer, &[&gone]);
    assert_within_quota(&bench);
}

#[test]
fn three_resources_that_leave_in_mid_walk_take_no_other_with_them() {
    let bench = many_resources();
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    let owned: Vec<String> =
        bench.sim.truth().resource_owners().into_iter().map(|(resource, _)| resource).collect();
    let gone: Vec<String> = [2, 60, owned.len() - 1].into_iter().map(|at| owned[at].clone()).collect();
    let leaving = gone.clone();
    between_pages(&bench, Endpoint::Resources, move |truth| {
        assert!(leaving.iter().all(|id| truth.remove_resource(id)));
    });
    later(&bench, 2);
    bench.run(&["resources", "--full"]).expect_code(0);
    let last_whole =
        "select proof like 'slices%' from coverage where stream = 'resources' and scope = 'whole'";
    assert_eq!(bench.count(last_whole), 1, "the list moved, so it was read in slices");
    // The walk that met the other list had shown two of them.
    for minutes in [4, 6] {
        later(&bench, minutes);
        bench.run(&["resources", "--full"]).expect_code(0);
    }
    let marked = "select count(*) from resources where gone_since is not null";
    assert_eq!(bench.count(marked), 3, "two whole lists without them");
    let wanted = expected(&bench.sim.truth(), As::Customer);
    let mut got = stored(&bench.db());
    got.get_mut("resources").unwrap().retain(|key, _| !key.ends_with(" (gone)"));
    assert_eq!(got["resources"], wanted["resources"]);
    assert_within_quota(&bench);
}

/// One bad page of orders or of the whole list of resources, the first or the second: the run ends well.
fn ends_well(fault: impl Fn() -> Fault) {
    let (bench, _) = three_pages();
    bench.sim.push_fault(Endpoint::Orders, fault());
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(stored(&bench.db())["orders"], expected(&bench.sim.truth(), As::Customer)["orders"]);
    assert_within_quota(&bench);

    let (bench, _) = three_pages();
    on_second_page(&bench, Endpoint::Orders, fault());
    bench.run(&["orders"]).expect_code(0);
    assert_within_quota(&bench);
    bench.run(&[]).expect_code(0);
    for is_first in [true, false] {
        if is_first {
            bench.sim.push_fault(Endpoint::Resources, fault());
        } else {
            on_second_page(&bench, Endpoint::Resources, fault());
        }
        later(&bench, 2);
        bench.run(&["resources", "--full"]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
        assert_sound(&bench);
        assert_within_quota(&bench);
    }
}

#[test]
fn a_short_page_loses_nothing() {
    ends_well(|| Fault::ShortPage);
}

#[test]
fn an_empty_page_loses_nothing() {
    ends_well(|| Fault::EmptyPage);
}

#[test]
fn an_error_with_status_200_loses_nothing() {
    ends_well(|| Fault::ErrorIn200);
}

#[test]
fn a_total_that_is_one_too_many_loses_nothing() {
    ends_well(|| Fault::TotalOff(1));
}

#[test]
fn a_total_that_is_one_too_few_loses_nothing() {
    ends_well(|| Fault::TotalOff(-1));
}

#[test]
fn a_total_always_off_by_one_is_told_and_settled_by_the_next_run() {
    for by in [1, -1] {
        let (bench, _) = three_pages();
        bench.sim.every_nth(Endpoint::Orders, 1, move || Fault::TotalOff(by));
        let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
        bench.sim.clear_faults();
        let windows = disputed(&bench, "orders");
        assert!(!windows.is_empty());
        assert_eq!(told.len(), windows.len(), "{told:?}");
        for window in &windows {
            assert!(told.iter().any(|text| text.contains(window)), "{window} in {told:?}");
        }
        assert_eq!(bench.count("select count(*) from orders"), 250, "what came is stored nevertheless");
        settles(&bench, As::Customer);
        assert_within_quota(&bench);
    }
}

#[test]
fn orders_of_one_second_that_fill_pages_are_all_there() {
    let bench = quoted(Script::seeded(72).orders(320).burst(250), As::Customer);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_within_quota(&bench);
}

#[test]
fn orders_that_leave_a_second_of_many_pages_take_no_other_with_them() {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    let second = now() - 45 * DAY;
    let deals: Vec<Deal> = (0..250).map(|number| Deal::completed(format!("CS{number}"), second)).collect();
    put(&bench, &deals);
    // In the vendor's order of the second, which nobody knows: some of those that leave were read, some were not.
    let gone: Vec<String> = deals.iter().step_by(20).map(|deal| deal.id.clone()).collect();
    let leaving = gone.clone();
    between_pages(&bench, Endpoint::Orders, move |truth| {
        assert!(leaving.iter().all(|id| truth.remove_order(id)));
    });
    bench.run(&["orders"]).expect_code(0);
    later(&bench, 2);
    let told = findings(&bench.run(&["orders", "--full"]).expect_code(3), "orders");
    assert!(told.iter().all(|text| text.contains("marked as gone")), "{told:?}");
    later(&bench, 4);
    bench.run(&["--full"]).expect_code(0);
    let names: Vec<&str> = gone.iter().map(String::as_str).collect();
    assert_equals_truth_and_gone(&bench, As::Customer, &names);
    assert_within_quota(&bench);
}

#[test]
fn a_shuffled_second_is_all_there_or_the_second_is_named() {
    let bench = quoted(blank().ties(RowOrder::Shuffled), As::Customer);
    one_window(&bench, "");
    let second = now() - 45 * DAY;
    let deals: Vec<Deal> = (0..250).map(|number| Deal::completed(format!("CS{number}"), second)).collect();
    put(&bench, &deals);
    let ran = bench.run(&["orders"]);
    let named = disputed(&bench, "orders");
    println!(
        "{} requests, {} of 250, disputed: {named:?}",
        asked_for_orders(&bench),
        bench.count("select count(*) from orders")
    );
    if named.is_empty() {
        ran.expect_code(0);
        assert_eq!(bench.count("select count(*) from orders"), 250);
    } else {
        let told = findings(&ran.expect_code(3), "orders");
        assert!(named.iter().all(|window| told.iter().any(|text| text.contains(window))), "{told:?}");
        let time = clock::text(second);
        let holding = format!(
            "select count(*) from coverage where verdict = 'disputed' and window_begin <= '{time}' and window_end > '{time}'"
        );
        assert_eq!(bench.count(&holding), 1);
        assert!(watermark(&bench).as_str() <= time.as_str());
    }
    // The vendor sorts them again.
    let truth = bench.sim.truth().clone();
    bench.sim.restart(Script::serving(truth).quotas(QUOTA));
    later(&bench, 2);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_within_quota(&bench);
}

#[test]
fn a_partner_follows_20_changed_customers_of_200() {
    let bench = quoted(Script::seeded(73).orders(260).customers(200), As::Partner);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
    let customers: Vec<String> = bench.sim.truth().customer_ids().into_iter().map(str::to_owned).collect();
    let deals: Vec<Deal> = (0..20)
        .map(|number| Deal::completed(format!("CSNEW{number}"), recently() + 60 * number))
        .zip(customers.iter().skip(3).step_by(9))
        .map(|(deal, customer)| deal.of(customer))
        .collect();
    assert_eq!(deals.len(), 20);
    put(&bench, &deals);
    later(&bench, 2);
    bench.sim.reset_stats();
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
    for (endpoint, most) in [(Endpoint::Orders, 6), (Endpoint::Details, 20), (Endpoint::Resources, 20)] {
        let calls = bench.sim.count(endpoint).calls;
        println!("20 changed customers of 200: {calls} requests of {endpoint:?}");
        assert!(calls <= most, "{endpoint:?}: {calls}");
    }
    assert_within_quota(&bench);
}
