//! Answers that are empty, or far too short, although the warehouse knows better: with the wrong kind of credential an
//! endpoint may answer success without rows.

use super::{
    Deal, Possession, assert_equals_truth_and_gone, blank, disputed, findings, later, one_window, put,
    quoted, recently, spread, watermark,
};
use sim::clock::DAY;
use sim::{OWNER, Scope, Script};
use support::truth::{assert_equals_truth, differences, expected, stored};
use support::{As, Bench, now};

/// 30 old orders and so many of the last hour, read to the end.
fn loaded(recent: i64) -> (Bench, Vec<Deal>) {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    put(&bench, &spread(30));
    let recent: Vec<Deal> = (0..recent)
        .map(|number| Deal::completed(format!("CSNEW{number:02}"), recently() + 60 * number))
        .collect();
    put(&bench, &recent);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    later(&bench, 2);
    (bench, recent)
}

fn gone(bench: &Bench) -> i64 {
    bench.count("select count(*) from orders where gone_since is not null")
}

/// The recent orders leave: doubted until the operator says once that it is true, and even then kept.
fn is_doubted_until_told(bench: &Bench, leaving: &[Deal]) {
    let all = bench.count("select count(*) from orders");
    let before = watermark(bench);
    bench.sim.change(|truth| assert!(leaving.iter().all(|deal| truth.remove_order(&deal.id))));
    for minutes in [3, 4] {
        later(bench, minutes);
        let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
        let windows = disputed(bench, "orders");
        // By creation and by payment.
        assert_eq!((windows.len(), told.len()), (2, 2), "{windows:?} {told:?}");
        for window in &windows {
            let names = |text: &&String| text.contains(window) && text.contains("--accept-empty");
            assert_eq!(told.iter().filter(names).count(), 1, "{window} in {told:?}");
        }
        assert_eq!(gone(bench), 0);
        assert_eq!(watermark(bench), before, "it stays");
    }
    later(bench, 5);
    let told = findings(&bench.run(&["orders", "--accept-empty"]).expect_code(3), "orders");
    assert!(told.iter().all(|text| text.contains("is not shown any more")), "{told:?}");
    assert_eq!(disputed(bench, "orders"), [] as [&str; 0]);
    assert!(watermark(bench) >= before);
    // The window does not show them, and neither does the question for each of them.
    assert_eq!(gone(bench), i64::try_from(leaving.len()).unwrap());
    later(bench, 6);
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(gone(bench), i64::try_from(leaving.len()).unwrap());
    assert_eq!(bench.count("select count(*) from orders"), all, "nothing is deleted");
    later(bench, 7);
    bench.run(&[]).expect_code(0);
    let names: Vec<&str> = leaving.iter().map(|deal| deal.id.as_str()).collect();
    assert_equals_truth_and_gone(bench, As::Customer, &names);
}

#[test]
fn a_window_that_stays_in_doubt_is_listed_once_however_many_runs_doubt_it() {
    let (bench, recent) = loaded(8);
    bench.sim.change(|truth| assert!(recent.iter().all(|deal| truth.remove_order(&deal.id))));
    bench.run(&["orders"]).expect_code(3);
    let first = disputed(&bench, "orders");
    // As if it had been read earlier, when the window ended earlier.
    let earlier = "update coverage set window_end = strftime('%Y-%m-%dT%H:%M:%SZ', window_end, '-10 minutes'),
                       scope = lane || ' ' || window_begin || '/' || strftime('%Y-%m-%dT%H:%M:%SZ', window_end, '-10 minutes')
                   where verdict = 'disputed'";
    assert_eq!(bench.writable_db().execute(earlier, []), Ok(first.len()));
    bench.run(&["orders"]).expect_code(3);
    assert_eq!(disputed(&bench, "orders").len(), first.len());
}

#[test]
fn an_empty_window_of_stored_orders_is_believed_at_the_operators_word() {
    let (bench, recent) = loaded(8);
    is_doubted_until_told(&bench, &recent);
}

#[test]
fn a_window_that_lost_over_ten_and_half_needs_the_operators_word() {
    let (bench, recent) = loaded(24);
    is_doubted_until_told(&bench, &recent[..13]);
}

#[test]
fn orders_that_leave_a_window_of_payments_need_the_operators_word_once() {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    put(&bench, &spread(30));
    bench.run(&[]).expect_code(0);
    // Created long ago, so that no window of creation time is read that should show them.
    let deals: Vec<Deal> = (0..24)
        .map(|number| Deal {
            paid: Some(recently() + 60 * number),
            ..Deal::completed(format!("CSPAID{number:02}"), now() - 40 * DAY + number)
        })
        .collect();
    put(&bench, &deals);
    later(&bench, 2);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    let leaving = &deals[..13];
    bench.sim.change(|truth| assert!(leaving.iter().all(|deal| truth.remove_order(&deal.id))));
    later(&bench, 3);
    bench.run(&["orders"]).expect_code(3);
    assert_eq!((disputed(&bench, "orders").len(), gone(&bench)), (1, 0));
    later(&bench, 4);
    let told = findings(&bench.run(&["orders", "--accept-empty"]).expect_code(3), "orders");
    // The findings name who left; nothing is doubted.
    assert!(told.iter().all(|text| text.contains("marked as gone")), "{told:?}");
    assert_eq!((disputed(&bench, "orders").len(), gone(&bench)), (0, 13));
    later(&bench, 5);
    bench.run(&[]).expect_code(0);
    let names: Vec<&str> = leaving.iter().map(|deal| deal.id.as_str()).collect();
    assert_equals_truth_and_gone(&bench, As::Customer, &names);
}

#[test]
fn ten_orders_that_leave_a_window_with_others_are_looked_for_one_by_one() {
    let (bench, recent) = loaded(14);
    bench.sim.change(|truth| assert!(recent[..10].iter().all(|deal| truth.remove_order(&deal.id))));
    let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
    assert_eq!(told.len(), 10, "{told:?}");
    assert_eq!(gone(&bench), 10);
    later(&bench, 4);
    bench.run(&[]).expect_code(0);
    let names: Vec<&str> = recent[..10].iter().map(|deal| deal.id.as_str()).collect();
    assert_equals_truth_and_gone(&bench, As::Customer, &names);
}

#[test]
fn a_whole_history_that_is_empty_takes_no_order_away() {
    let (bench, recent) = loaded(8);
    let kept = bench.sim.truth().clone();
    let old = spread(30);
    bench.sim.change(|truth| {
        assert!(recent.iter().chain(&old).all(|deal| truth.remove_order(&deal.id)));
    });
    for minutes in [3, 4] {
        later(&bench, minutes);
        bench.run(&["orders", "--full"]).expect_code(3);
        assert_eq!(gone(&bench), 0);
    }
    bench.sim.change(|truth| *truth = kept);
    later(&bench, 5);
    bench.run(&[]).expect_code(0);
    bench.run(&["--full"]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

/// Resources of nobody's orders.
fn possessions(count: i64) -> Vec<Possession> {
    (0..count)
        .map(|number| Possession {
            id: format!("res-{number:03}"),
            ..Possession::until(now() + number * DAY)
        })
        .collect()
}

/// 30 resources of which so many stay: doubted until the operator says once that it is true.
fn list_shrinks_to(stay: usize) {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    let all = possessions(30);
    bench.sim.change(|truth| all.iter().for_each(|one| one.put(truth, OWNER)));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    bench.sim.change(|truth| assert!(all[stay..].iter().all(|one| truth.remove_resource(&one.id))));
    let marked = || bench.count("select count(*) from resources where gone_since is not null");
    for minutes in [2, 3] {
        later(&bench, minutes);
        let told = findings(&bench.run(&["resources", "--full"]).expect_code(3), "resources");
        assert!(told[0].contains(&format!("{stay} row(s) shown, and 30 are stored")), "{told:?}");
        assert_eq!(marked(), 0);
        assert_eq!(disputed(&bench, "resources"), ["whole"]);
    }
    later(&bench, 4);
    bench.run(&["resources", "--accept-empty"]).expect_code(0);
    assert_eq!(disputed(&bench, "resources"), [] as [&str; 0]);
    assert_eq!(marked(), i64::try_from(30 - stay).unwrap());
    assert_eq!(bench.count("select count(*) from resources"), 30, "nothing is deleted");
    for minutes in [5, 6] {
        later(&bench, minutes);
        bench.run(&["resources", "--full"]).expect_code(0);
        assert_eq!(disputed(&bench, "resources"), [] as [&str; 0]);
    }
    assert_eq!(marked(), i64::try_from(30 - stay).unwrap());
}

#[test]
fn a_resource_list_shrunk_from_30_to_5_needs_the_operators_word_once() {
    list_shrinks_to(5);
}

#[test]
fn a_resource_list_shrunk_to_nothing_needs_the_operators_word_once() {
    list_shrinks_to(0);
}

#[test]
fn a_partner_shown_no_customers_resources_is_told_at_the_first_run() {
    let bench = quoted(Script::seeded(74).orders(60).customers(4), As::Partner);
    let kept = bench.sim.truth().clone();
    let owners = bench.sim.truth().resource_owners();
    bench.sim.change(|truth| owners.iter().for_each(|(id, _)| assert!(truth.remove_resource(id))));
    let ran = bench.run(&[]).expect_code(3);
    let told = findings(&ran, "resources");
    println!("{told:#?}");
    assert_eq!(ran.job("resources")["outcome"], "findings");
    let complete = "select count(*) from coverage where stream = 'resources' and scope = 'whole'
                        and verdict = 'complete'";
    assert_eq!(bench.count(complete), 0, "{told:?}");
    let customers = bench.sim.truth().customer_ids().len();
    assert_eq!(told.len(), customers, "{told:?}");

    // The permission is given.
    bench.sim.change(|truth| *truth = kept);
    later(&bench, 2);
    bench.run(&[]).expect_code(0);
    bench.run(&["--full"]).expect_code(0);
    // And with them which order bought which, although those answers were empty and settled.
    assert_equals_truth(&bench, As::Partner);
}

/// Each list of resources is complete without a row.
fn assert_believed_empty(bench: &Bench, lists: usize) {
    let complete = "select count(*) from coverage where stream = 'resources' and scope = 'whole'
                        and verdict = 'complete' and seen = 0";
    assert_eq!(bench.count(complete), i64::try_from(lists).unwrap());
    assert_eq!(disputed(bench, "resources"), [] as [&str; 0]);
}

#[test]
fn lists_empty_by_the_operators_word_stay_so_until_their_order_changes() {
    for who in [As::Partner, As::Customer] {
        let bench = quoted(Script::seeded(77).orders(60).customers(4), who);
        let owners = bench.sim.truth().resource_owners();
        bench.sim.change(|truth| owners.iter().for_each(|(id, _)| assert!(truth.remove_resource(id))));
        let lists = if who == As::Partner { bench.sim.truth().customer_ids().len() } else { 1 };
        assert_eq!(findings(&bench.run(&[]).expect_code(3), "resources").len(), lists, "{who:?}");
        later(&bench, 2);
        bench.run(&["--accept-empty"]).expect_code(0);
        assert_believed_empty(&bench, lists);
        for minutes in [3, 4] {
            later(&bench, minutes);
            bench.run(&["resources", "--full"]).expect_code(0);
            assert_believed_empty(&bench, lists);
        }

        // Something was bought since, and is not there.
        let bought = Deal::completed("CSNEW", recently());
        put(&bench, std::slice::from_ref(&bought));
        bench.sim.change(|truth| assert!(truth.remove_resource("r-CSNEW")));
        later(&bench, 5);
        let told = findings(&bench.run(&["orders", "resources", "--full"]).expect_code(3), "resources");
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

/// With it the interface answers success and no resource.
#[test]
fn a_partners_key_in_the_role_of_a_customer_proves_no_list_empty() {
    let bench = quoted(Script::seeded(78).orders(60).customers(4), As::Partner);
    let as_partner = std::fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&as_partner.replace("role = \"partner\"", "role = \"customer\""));
    for _ in 0..2 {
        let told = findings(&bench.run(&["orders", "resources"]).expect_code(3), "resources");
        assert!(told[0].contains("check the credential's role"), "{told:?}");
        assert_eq!(disputed(&bench, "resources"), ["whole"]);
    }

    bench.write_config(&as_partner);
    later(&bench, 2);
    bench.run(&[]).expect_code(0);
    later(&bench, 3);
    bench.run(&["--full"]).expect_code(0);
    let differing = differences(&expected(&bench.sim.truth(), As::Partner), &stored(&bench.db()));
    // Of what did not change it stays on record as whom it was asked for.
    let others: Vec<&String> = differing.iter().filter(|line| !line.contains(" role: served")).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(disputed(&bench, "resources"), [] as [&str; 0]);
    let again = "select count(*) from queue where stream = 'resources'";
    assert_eq!(bench.count(again), 0, "asked once more, and not for ever");
}

#[test]
fn one_customer_without_resources_among_others_is_complete() {
    let bench = quoted(Script::seeded(75).orders(60).customers(4), As::Partner);
    let (one, theirs) = {
        let truth = bench.sim.truth();
        let one = truth.customer_ids()[2].to_owned();
        let theirs = truth.resource_owners().into_iter().filter(|(_, owner)| *owner == one);
        let theirs: Vec<String> = theirs.map(|(resource, _)| resource).collect();
        (one, theirs)
    };
    assert!(!theirs.is_empty());
    bench.sim.change(|truth| assert!(theirs.iter().all(|id| truth.remove_resource(id))));
    assert!(bench.sim.truth().resources(&Scope::Customer(one.clone())).is_empty());
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
    let complete = format!(
        "select count(*) from coverage where stream = 'resources' and scope = 'whole' and verdict = 'complete'
             and customer_id = '{one}' and seen = 0"
    );
    assert_eq!(bench.count(&complete), 1);
}
