//! Windows that prove nothing are divided, and a run that is killed meanwhile goes on with the parts.

use std::sync::{Arc, Mutex};

use super::{
    Deal, LONGEST, asked_for_orders, assert_within_quota, blank, disputed, findings, later, one_window, put,
    quoted, settles, spread,
};
use sim::{Endpoint, Fault, Hold};
use support::truth::{assert_equals_truth, assert_sound, expected, stored};
use support::{As, Bench, now};

fn three_pages() -> Bench {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    put(&bench, &spread(250));
    bench
}

/// The windows of a verdict: attempts and rows, the newest first.
fn covered(bench: &Bench, verdict: &str) -> Vec<(i64, i64)> {
    let db = bench.db();
    let mut query = db
        .prepare(
            "select attempts, seen from coverage where stream = 'orders' and verdict = ?1 and lane = 'created'
             order by window_begin desc",
        )
        .unwrap();
    query.query_map([verdict], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// The complete or disputed windows hold the history together without a gap or an overlap.
#[track_caller]
fn assert_seamless(bench: &Bench) {
    let sql = "select sum(unixepoch(window_end) - unixepoch(window_begin))
                   - (unixepoch(max(window_end)) - unixepoch(min(window_begin)))
               from coverage where stream = 'orders' and lane = 'created'";
    assert_eq!(bench.count(sql), 0);
}

#[test]
fn a_window_whose_total_is_wrong_once_is_proven_by_its_halves() {
    let bench = three_pages();
    bench.sim.push_fault(Endpoint::Orders, Fault::TotalOff(1));
    bench.run(&["orders"]).expect_code(0);
    let halves = covered(&bench, "complete");
    assert_eq!(halves.len(), 2, "{halves:?}");
    // A second on each side of a half belongs to both answers.
    assert!(halves.iter().all(|(attempt, seen)| *attempt == 2 && (120..=130).contains(seen)), "{halves:?}");
    assert_seamless(&bench);
    println!("250 orders, total wrong once: {} requests", asked_for_orders(&bench));
    assert!(asked_for_orders(&bench) <= 3 + 2 * 2);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
    assert_within_quota(&bench);
}

#[test]
fn a_window_whose_total_is_always_wrong_ends_in_named_disputed_quarters() {
    let bench = three_pages();
    bench.sim.every_nth(Endpoint::Orders, 1, || Fault::TotalOff(1));
    let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
    bench.sim.clear_faults();
    let quarters = disputed(&bench, "orders");
    assert_eq!(quarters.len(), 4, "{quarters:?}");
    assert_eq!(told.len(), 4, "{told:?}");
    for quarter in &quarters {
        assert!(told.iter().any(|text| text.contains(quarter)), "{quarter} in {told:?}");
    }
    assert_eq!(covered(&bench, "complete"), []);
    assert!(covered(&bench, "disputed").iter().all(|(attempt, _)| *attempt == 3));
    assert_seamless(&bench);
    assert_eq!(bench.count("select count(*) from orders"), 250, "what came is stored nevertheless");
    let reason = "select count(*) from runs where outcome = 'findings' and reason like '%created %could not be proven%'";
    assert_eq!(bench.count(reason), 1);
    println!("250 orders, total always wrong: {} requests", asked_for_orders(&bench));
    settles(&bench, As::Customer);
    assert_within_quota(&bench);
}

#[test]
fn a_run_killed_between_the_halves_goes_on_with_them() {
    let bench = three_pages();
    bench.sim.push_fault(Endpoint::Orders, Fault::TotalOff(1));
    for _ in 0..2 {
        bench.sim.push_fault(Endpoint::Orders, Fault::mutate(|_| ()));
    }
    let hold = Hold::new();
    for _ in 0..2 {
        bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    }
    let mut worker = bench.spawn(&["run", "orders", "-q"]);
    assert!(hold.wait_for_request(LONGEST), "a half is asked for");
    worker.kill().unwrap();
    worker.wait().unwrap();
    bench.sim.clear_faults();
    hold.release();
    let halves = "select count(*) from checkpoints where stream = 'orders' and walk like '%\"attempt\":2%'";
    assert_eq!(bench.count(halves), 2);
    assert_eq!(bench.count("select count(*) from coverage"), 0);
    bench.sim.reset_stats();
    bench.run(&["orders"]).expect_code(0);
    let complete = covered(&bench, "complete");
    assert_eq!(complete.iter().filter(|(attempt, _)| *attempt == 2).count(), 2, "{complete:?}");
    println!("after a kill between the halves: {} requests", asked_for_orders(&bench));
    // The halves, what is new since, and what was paid since.
    assert!(asked_for_orders(&bench) <= 2 * 2 + 2, "{}", asked_for_orders(&bench));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
}

/// One window of 8 000 orders, and a worker without a quota of its own: more walks than windows.
fn long_window() -> (Bench, Vec<Deal>) {
    let bench = Bench::new(blank());
    bench.sim.set_now(now());
    one_window(&bench, "");
    let deals = spread(8_000);
    put(&bench, &deals);
    (bench, deals)
}

#[test]
fn a_long_window_is_cut_where_walks_idle_and_proven_part_by_part() {
    let (bench, _) = long_window();
    bench.run(&["orders"]).expect_code(0);
    let parts = covered(&bench, "complete");
    println!("{} requests, {} parts", asked_for_orders(&bench), parts.len());
    assert!(parts.len() > 1 && parts.iter().all(|(attempt, _)| *attempt == 1), "{parts:?}");
    assert_seamless(&bench);
    assert!(asked_for_orders(&bench) <= 80 * 103 / 100 + 2 + 1, "{}", asked_for_orders(&bench));
    let wanted = expected(&bench.sim.truth(), As::Customer);
    assert!(stored(&bench.db())["orders"] == wanted["orders"], "too many to print");
}

#[test]
fn orders_that_leave_while_a_long_window_is_cut_take_no_other_with_them() {
    let (bench, deals) = long_window();
    let gone: Vec<String> = deals.iter().step_by(600).map(|deal| deal.id.clone()).collect();
    let leaving = Arc::new(Mutex::new(gone.clone()));
    bench.sim.every_nth(Endpoint::Orders, 5, move || {
        let next = leaving.lock().unwrap().pop();
        Fault::mutate(move |truth| {
            if let Some(id) = next {
                assert!(truth.remove_order(&id));
            }
        })
    });
    let ran = bench.run(&["orders"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    bench.sim.clear_faults();
    for minutes in [2, 4] {
        later(&bench, minutes);
        let ran = bench.run(&["orders", "--full"]);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    }
    later(&bench, 6);
    bench.run(&["orders", "--full"]).expect_code(0);
    let mut got = stored(&bench.db());
    got.get_mut("orders").unwrap().retain(|id, _| !id.ends_with(" (gone)"));
    assert!(got["orders"] == expected(&bench.sim.truth(), As::Customer)["orders"], "too many to print");
    assert_sound(&bench);
}

#[test]
fn a_run_killed_where_a_long_window_was_cut_goes_on_with_its_parts() {
    let (bench, _) = long_window();
    let hold = Hold::new();
    let same = hold.clone();
    // Most of the parts have begun.
    for _ in 0..40 {
        bench.sim.push_fault(Endpoint::Orders, Fault::mutate(|_| ()));
    }
    bench.sim.every_nth(Endpoint::Orders, 1, move || Fault::Hold(same.clone()));
    let mut worker = bench.spawn(&["run", "orders", "-q"]);
    assert!(hold.wait_for_request(LONGEST), "more than forty pages are asked for");
    // Nothing more comes, so all that was answered is committed.
    let begun = std::time::Instant::now();
    while bench.count("select coalesce(sum(pages), 0) from runs where stream = 'orders'") < 40 {
        assert!(begun.elapsed() < LONGEST, "forty answers are on disk");
        std::thread::yield_now();
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    bench.sim.clear_faults();
    hold.release();
    let parts = bench.count("select count(*) from checkpoints where stream = 'orders'");
    let read = covered(&bench, "complete").len();
    assert!(parts > 1 && read > 0, "{parts} parts under way, {read} read");
    bench.sim.reset_stats();
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(bench.count("select count(*) from checkpoints where stream = 'orders'"), 0);
    println!("{parts} parts under way: {} requests after the kill", asked_for_orders(&bench));
    assert!(asked_for_orders(&bench) <= 40 + 2 * u64::try_from(parts).unwrap() + 4);
    let wanted = expected(&bench.sim.truth(), As::Customer);
    assert!(stored(&bench.db())["orders"] == wanted["orders"], "too many to print");
    assert_sound(&bench);
}
