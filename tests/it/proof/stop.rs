//! Runs that end before their work does.

use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::Duration;

use super::{covered_until, watermark};
use sim::{Endpoint, Fault, Hold, Script};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench};

/// Longer than anything here takes; so that a broken test ends.
const LONGEST: Duration = Duration::from_mins(2);

/// Where the history begins that a job without settings reads.
const HISTORY_START: &str = "2018-05-01T00:00:00Z";

/// Every `nth` answer of an endpoint never comes.
fn hold_every(bench: &Bench, endpoint: Endpoint, nth: u64) -> Hold {
    let hold = Hold::new();
    let shared = hold.clone();
    bench.sim.every_nth(endpoint, nth, move || Fault::Hold(shared.clone()));
    hold
}

#[test]
fn a_full_run_that_is_cut_goes_on_until_all_history_is_covered_again() {
    let bench = Bench::new(Script::seeded(61).orders(300));
    bench.run(&[]).expect_code(0);
    let before = watermark(&bench);
    assert_eq!(covered_until(&bench, HISTORY_START), before);
    let oldest: String = bench
        .db()
        .query_row(
            "select order_id from orders where status = 5 and parent_order_id is null order by create_time limit 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    // An old order that is complete: nothing but a reading of the whole history finds its change.
    assert!(bench.sim.change(|truth| truth.restate(&oldest, "contract_id", "\"C-61\"")));
    let changed = format!("select contract_id is 'C-61' from orders where order_id = '{oldest}'");

    let hold = hold_every(&bench, Endpoint::Orders, 2);
    bench.run(&["orders", "--full", "--deadline", "2s"]).expect_code(4);
    assert!(hold.wait_for_request(Duration::ZERO), "the deadline came while answers were awaited");
    bench.sim.clear_faults();
    hold.release();
    assert_eq!(bench.count(&changed), 0, "it was not reached");

    bench.run(&["orders"]).expect_code(0);
    assert_eq!(bench.count(&changed), 1);
    assert!(covered_until(&bench, HISTORY_START) >= before);
    assert_eq!(watermark(&bench), covered_until(&bench, HISTORY_START));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
}

/// What a worker left that ended by itself; one that does not is killed.
fn end_of(worker: std::process::Child) -> Output {
    let id = worker.id();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(worker.wait_with_output()));
    let Ok(ended) = told.recv_timeout(LONGEST) else {
        let _ = Command::new("sh").args(["-c", &format!("kill -KILL {id}")]).status();
        panic!("the worker did not end")
    };
    ended.unwrap()
}

#[test]
fn a_worker_that_waits_for_an_answer_ends_when_it_is_asked_to() {
    let bench = Bench::new(Script::seeded(62).orders(60));
    let hold = hold_every(&bench, Endpoint::Details, 1);
    let worker = bench.spawn(&["run", "-q", "--output", "json"]);
    assert!(hold.wait_for_request(LONGEST));
    let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", worker.id())]).status().unwrap();
    assert!(asked.success());
    let output = end_of(worker);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert_eq!(bench.count("select count(*) from runs where outcome in ('running', 'crashed')"), 0);
    let stopped =
        "select count(*) from runs where job = 'order_lines' and outcome = 'partial' and reason <> ''";
    assert_eq!(bench.count(stopped), 1);

    bench.sim.clear_faults();
    hold.release();
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn a_checkpoint_that_nobody_goes_on_with_is_forgotten() {
    let bench = Bench::new(Script::seeded(63).orders(5));
    bench.run(&["orders"]).expect_code(0);
    bench
        .writable_db()
        .execute_batch(
            "insert into checkpoints values ('acme', 'orders', 'paid 2020-01-01T00:00:00Z/2020-01-02T00:00:00Z', '', '{}', 1,
                 '2020-01-03T00:00:00Z');
             insert into checkpoint_pages values
                 ('acme', 'orders', 'paid 2020-01-01T00:00:00Z/2020-01-02T00:00:00Z', '', 1, x'0011223344556677');",
        )
        .unwrap();
    bench.run(&["orders"]).expect_code(0);
    let left = "select (select count(*) from checkpoints) + (select count(*) from checkpoint_pages)";
    assert_eq!(bench.count(left), 0);
}
