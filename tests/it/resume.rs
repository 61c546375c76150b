//! Whatever ends a run in its middle, the next one goes on, and the warehouse holds what it would have held.

use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use bss_sync::warehouse::Warehouse;

use sim::dice::Dice;
use sim::{Endpoint, Fault, Hold, Script, Sim};
use support::truth::{assert_equals_truth, assert_no_differences, assert_sound, stored};
use support::{As, Bench, Login, now, wait_for_log};

/// Longer than anything here takes; so that a broken test ends.
const LONGEST: Duration = Duration::from_mins(2);

fn answered(sim: &Sim) -> u64 {
    sim.stats().values().map(|count| count.calls).sum()
}

/// Holds every `nth` answer of an endpoint back.
fn hold_every(sim: &Sim, endpoint: Endpoint, nth: u64) -> Hold {
    let hold = Hold::new();
    let shared = hold.clone();
    sim.every_nth(endpoint, nth, move || Fault::Hold(shared.clone()));
    hold
}

/// Waits until the worker got that many answers.
fn wait_for_answers(sim: &Sim, worker: &mut Child, count: u64) {
    let begun = Instant::now();
    while answered(sim) < count {
        assert_eq!(worker.try_wait().unwrap(), None, "ended after {} answers of {count}", answered(sim));
        assert!(begun.elapsed() < LONGEST, "{count} answers never came");
        std::thread::yield_now();
    }
}

/// What does not depend on when and in how many runs it was read.
fn settled(bench: &Bench) -> BTreeSet<String> {
    let db = bench.db();
    let mut lines = BTreeSet::new();
    for sql in [
        "select stream || ' read ' || parent_id || ' ' || customer_id || ' ' || seen || ' ' || verdict
             from coverage where parent_id is not null and stream <> 'orders'",
        "select stream || ' queued ' || parent_id from queue",
        "select stream || ' open ' || scope from checkpoints",
        "select field || ' drifts to ' || value from drift",
    ] {
        let mut query = db.prepare(sql).unwrap();
        lines.extend(query.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    lines
}

/// Kills a worker five times, at moments chosen by `seed`, and lets a sixth finish.
fn survives_five_kills(who: As, login: Login, seed: u64) {
    let script = || Script::seeded(31).orders(400).customers(3);
    let undisturbed = Bench::with(script(), who, login);
    undisturbed.run(&[]).expect_code(0);

    let bench = Bench::with(script(), who, login);
    let mut dice = Dice::new(seed);
    for round in 0..5 {
        bench.sim.reset_stats();
        let at = 20 + dice.below(90);
        let mut worker;
        let mut held_back = None;
        if dice.percent(50) {
            // In the middle of an answer.
            let endpoint = dice.pick(&[Endpoint::Orders, Endpoint::Details, Endpoint::Resources]);
            let hold = hold_every(&bench.sim, endpoint, at / 3);
            worker = bench.spawn(&["run", "-q"]);
            assert!(hold.wait_for_request(LONGEST), "round {round}: no {endpoint:?}");
            held_back = Some(hold);
        } else {
            worker = bench.spawn(&["run", "-q"]);
            wait_for_answers(&bench.sim, &mut worker, at);
        }
        worker.kill().unwrap();
        worker.wait().unwrap();
        bench.sim.clear_faults();
        held_back.iter().for_each(Hold::release);
    }
    bench.sim.reset_stats();
    bench.run(&[]).expect_code(0);
    println!(
        "{who:?}: the last run took {} of {} requests",
        answered(&bench.sim),
        answered(&undisturbed.sim)
    );

    assert_sound(&bench);
    assert_equals_truth(&bench, who);
    assert_no_differences(&stored(&undisturbed.db()), &stored(&bench.db()));
    let (got, wanted) = (settled(&bench), settled(&undisturbed));
    let differing: Vec<&String> = got.symmetric_difference(&wanted).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(bench.count("select count(*) from runs where outcome = 'running'"), 0);
    assert!(bench.count("select count(*) from runs where outcome = 'crashed'") >= 5);
}

#[test]
fn five_kills_of_a_customers_worker_leave_no_trace_in_the_records() {
    survives_five_kills(As::Customer, Login::Keys, 1);
}

#[test]
fn five_kills_of_a_partners_worker_leave_no_trace_in_the_records() {
    survives_five_kills(As::Partner, Login::Token, 2);
}

#[test]
fn kills_while_the_account_lives_on_lose_no_change() {
    for seed in 1..=2 {
        let bench = Bench::new(Script::seeded(36).orders(200));
        let mut dice = Dice::new(seed);
        bench.run(&[]).expect_code(0);
        for round in 0..6 {
            bench.sim.evolve(now() - 3_600 + 300 * round);
            bench.sim.reset_stats();
            let mut worker = bench.spawn(&["run", "-q"]);
            wait_for_answers(&bench.sim, &mut worker, 1 + dice.below(20));
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
        bench.run(&[]).expect_code(0);
        bench.run(&["resources", "--full"]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
        assert_sound(&bench);
    }
}

#[test]
fn a_run_goes_on_where_the_killed_one_stopped() {
    let bench = Bench::new(Script::seeded(32).orders(400));
    let hold = hold_every(&bench.sim, Endpoint::Details, 150);
    let mut worker = bench.spawn(&["run", "orders", "order_lines", "-q"]);
    assert!(hold.wait_for_request(LONGEST));
    worker.kill().unwrap();
    worker.wait().unwrap();
    bench.sim.clear_faults();
    hold.release();
    let stored = bench.count("select count(*) from coverage where stream = 'order_lines'");
    bench.sim.reset_stats();
    bench.run(&["orders", "order_lines"]).expect_code(0);
    let orders = bench.count("select count(*) from orders where parent_order_id is null");
    // What was stored is not asked for again.
    assert!(stored > 100, "{stored}");
    assert_eq!(i64::try_from(bench.sim.count(Endpoint::Details).calls).unwrap(), orders - stored);
}

#[test]
fn a_killed_run_shows_as_crashed() {
    let bench = Bench::new(Script::seeded(33).orders(50));
    let hold = hold_every(&bench.sim, Endpoint::Details, 1);
    let mut worker = bench.spawn(&["run", "order_lines", "orders", "-q"]);
    assert!(hold.wait_for_request(LONGEST));
    let lines = |outcome: &str| {
        let status = bench.call(&["status", "--output", "json"]).expect_code(0).json();
        let runs = status["runs"].as_array().unwrap().clone();
        runs.iter().any(|run| run["job"] == "order_lines" && run["outcome"] == outcome)
    };
    assert!(lines("running"), "{:?}", bench.call(&["status"]));
    worker.kill().unwrap();
    worker.wait().unwrap();
    bench.sim.clear_faults();
    hold.release();
    assert!(lines("crashed"), "{:?}", bench.call(&["status"]));
    // Another process has its number by now, as in every container that is started again.
    let lock = bench.path("billing.sqlite.lock");
    std::fs::write(lock, format!("process {}, since 2026-01-01T00:00:00Z\n", std::process::id())).unwrap();
    assert!(lines("crashed"), "{:?}", bench.call(&["status"]));
    let ran = bench.call(&["check", "--offline"]).expect_code(0);
    assert!(ran.stdout.contains("lock: free"), "{}", ran.stdout);
    let figures = Warehouse::open_read_only(&bench.warehouse()).unwrap().figures().unwrap();
    let lines_of = figures.jobs.iter().find(|job| job.job == "order_lines").unwrap();
    assert_eq!((lines_of.last_outcome.as_str(), lines_of.last_seconds), ("crashed", None));
    bench.run(&["order_lines"]).expect_code(0);
    assert!(lines("done"));
    assert_eq!(bench.count("select count(*) from runs where job = 'order_lines' and outcome = 'crashed'"), 1);
}

#[test]
fn a_worker_asked_to_stop_finishes_the_page_in_hand() {
    let bench = Bench::new(Script::seeded(34).orders(400));
    let hold = hold_every(&bench.sim, Endpoint::Details, 100);
    let mut worker = bench.spawn(&["run", "--output", "json"]);
    assert!(hold.wait_for_request(LONGEST));
    let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", worker.id())]).status().unwrap();
    assert!(asked.success());
    let mut log = BufReader::new(worker.stderr.take().unwrap());
    wait_for_log(&mut log, "asked to stop");
    bench.sim.clear_faults();
    hold.release();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    let output = worker.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{rest}");

    let reports: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = reports.as_array().unwrap().iter().find(|report| report["job"] == "order_lines").unwrap();
    assert_eq!(lines["outcome"], "partial");
    assert_eq!(bench.count("select count(*) from runs where outcome = 'partial' and reason <> ''"), {
        i64::try_from(reports.as_array().unwrap().iter().filter(|r| r["outcome"] == "partial").count())
            .unwrap()
    });
    // Nothing that was answered is thrown away.
    let answers = i64::try_from(bench.sim.count(Endpoint::Details).calls).unwrap();
    assert_eq!(bench.count("select count(*) from coverage where stream = 'order_lines'"), answers);
    assert!((100..400).contains(&answers), "{answers}");
    assert_sound(&bench);

    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn a_second_worker_leaves_at_once_and_names_the_holder() {
    let bench = Bench::new(Script::seeded(35).orders(60));
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Details, Fault::Hold(hold.clone()));
    let mut first = bench.spawn(&["run", "-q"]);
    assert!(hold.wait_for_request(LONGEST));

    // The second one would ask another vendor, who must hear nothing.
    let elsewhere = Sim::start(Script::seeded(35).orders(60));
    let url = elsewhere.url();
    let ran = bench
        .call(&[
            "run",
            "--set",
            &format!("accounts.acme.endpoint={url}"),
            "--set",
            &format!("accounts.acme.iam_endpoint={url}"),
        ])
        .expect_code(75);
    assert!(ran.stderr.contains(&format!("process {}", first.id())), "{ran:?}");
    assert_eq!(answered(&elsewhere), 0);

    hold.release();
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_equals_truth(&bench, As::Customer);
}
