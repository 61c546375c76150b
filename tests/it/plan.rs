//! `plan` says what `run` would ask, asks nobody and changes nothing.

use std::fs;

use serde_json::Value;

use sim::{Bounds, Endpoint, Fault, Script};
use support::{As, Bench, Login};

fn plan(bench: &Bench, arguments: &[&str]) -> Value {
    bench.call(&[&["plan", "--output", "json"], arguments].concat()).expect_code(0).json()
}

/// Requests by job: how many, and whether exactly so many.
fn planned(plan: &Value) -> Vec<(String, u64, bool)> {
    let jobs = plan["accounts"][0]["jobs"].as_array().expect("a list");
    let of = |job: &Value| {
        let requests = &job["requests"];
        let count = requests["count"].as_u64().expect("a number");
        (job["job"].as_str().expect("a name").to_owned(), count, requests["exact"] == true)
    };
    jobs.iter().map(of).collect()
}

/// What a run asked, in the same form.
fn asked(reports: &Value) -> Vec<(String, u64, bool)> {
    let reports = reports.as_array().expect("a list");
    let of = |report: &Value| {
        let requests = report["requests"].as_u64().expect("a number");
        (report["job"].as_str().expect("a name").to_owned(), requests, true)
    };
    reports.iter().map(of).collect()
}

#[test]
fn the_plan_of_a_quiet_run_is_what_it_asks() {
    for (who, bounds) in [
        (As::Customer, Bounds::Inclusive),
        (As::Partner, Bounds::ExclusiveEnd),
        (As::Customer, Bounds::ExclusiveBegin),
    ] {
        let script = Script::seeded(71).orders(600).customers(3).bounds(bounds);
        let bench = Bench::with(script, who, Login::Keys);
        bench.run(&[]).expect_code(0);
        bench.sim.reset_stats();
        let before = fs::read(bench.warehouse()).expect("a file");
        let quiet = plan(&bench, &[]);
        assert!(bench.sim.stats().is_empty(), "nobody was asked");
        assert_eq!(fs::read(bench.warehouse()).expect("a file"), before, "nothing was changed");
        let ran = bench.run(&[]).expect_code(0).json();
        assert_eq!(planned(&quiet), asked(&ran), "{quiet:#}");
        assert_eq!(quiet["warehouse_exists"], true);
    }
}

#[test]
fn the_plan_of_a_full_run_is_what_it_asks() {
    let bench = Bench::new(Script::seeded(72).orders(900));
    bench.run(&[]).expect_code(0);
    let full = plan(&bench, &["--full"]);
    let ran = bench.run(&["--full"]).expect_code(0).json();
    let orders = |all: &[(String, u64, bool)]| all[0].clone();
    // Open orders that a list of their status or an id would show come with the windows of the history anyway; both plan
    // them, and so all is equal.
    assert_eq!(orders(&planned(&full)), orders(&asked(&ran)), "{full:#}");
    assert_eq!(planned(&full), asked(&ran), "{full:#}");
}

#[test]
fn the_plan_of_a_first_run_gives_lower_bounds_and_makes_no_file() {
    let bench = Bench::new(Script::seeded(73).orders(50));
    let first = plan(&bench, &[]);
    assert_eq!(first["warehouse_exists"], false);
    assert!(!bench.warehouse().exists(), "planning creates nothing");
    assert!(bench.sim.stats().is_empty(), "nobody was asked");
    assert_eq!(first["accounts"][0]["requests"]["exact"], false, "{first:#}");
    let ran = asked(&bench.run(&[]).expect_code(0).json());
    for ((job, least, exact), (_, requests, _)) in planned(&first).into_iter().zip(ran) {
        assert!(!exact && least <= requests, "{job}: at least {least}, asked {requests}");
    }
}

#[test]
fn the_time_is_that_of_the_slowest_endpoint_at_its_quota() {
    let bench = Bench::new(Script::seeded(74).orders(100));
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.run(&["orders"]).expect_code(0);
    bench.write_config(&config.replace("quotas = \"none\"", "quotas = { order_details = \"9/1s\" }"));
    let plan = plan(&bench, &["order_lines", "resource_types"]);
    let account = &plan["accounts"][0];
    let endpoints = account["endpoints"].as_array().expect("a list");
    assert_eq!(
        (&endpoints[0]["quota"], &endpoints[0]["quota_source"]),
        (&"9/1s".into(), &"configured".into()),
        "{plan:#}"
    );
    assert_eq!(
        (&endpoints[1]["quota"], &endpoints[1]["quota_source"]),
        (&"10/1s".into(), &"published".into())
    );
    assert_eq!(account["seconds"], endpoints[0]["seconds"]);
    let seconds = account["seconds"].as_f64().expect("a number");
    assert!((11.1..11.8).contains(&seconds), "100 requests at hardly less than 9 a second: {seconds}");
}

#[test]
fn a_plan_reads_no_secrets_and_says_what_it_plans_for() {
    let mut bench = crate::fixtures::bench();
    for name in ["TEST_AK", "TEST_SK"] {
        bench.set_env(name, "");
    }
    let first = bench.call(&["plan"]).expect_code(0);
    assert!(first.stdout.starts_with("there is no warehouse at "), "{first:?}");
    assert!(first.stdout.contains("acme: at least "), "{first:?}");
    let wrong = bench.call(&["plan", "order"]).expect_code(2);
    assert!(wrong.stderr.contains("did you mean `orders`?"), "{wrong:?}");
}

#[test]
fn the_plan_of_a_full_run_counts_orders_that_failed_and_wait() {
    let bench = Bench::new(Script::seeded(75).orders(40));
    bench.run(&["orders"]).expect_code(0);
    let waiting = "update queue set attempts = 3, last_error = 'refused', not_before = '2999-01-01T00:00:00Z'
         where stream = 'order_lines' and parent_id in (
             select parent_id from queue where stream = 'order_lines' order by parent_id limit 15)";
    assert_eq!(bench.writable_db().execute(waiting, []), Ok(15));
    for (arguments, count) in [(&["order_lines"][..], 25), (&["order_lines", "--full"], 15)] {
        let planned = planned(&plan(&bench, arguments));
        let ran = bench.run(arguments);
        assert_eq!((planned[0].1, asked(&ran.json())[0].1), (count, count), "{planned:?} {ran:?}");
    }
}

#[test]
fn windows_that_are_disputed_are_planned_as_such() {
    let bench = crate::fixtures::bench();
    bench.sim.every_nth(Endpoint::Orders, 1, || Fault::WrongTotal(999));
    bench.run(&["orders"]).expect_code(3);
    bench.sim.clear_faults();
    let plan = plan(&bench, &["orders"]);
    let rows = plan["accounts"][0]["jobs"][0]["rows"].as_array().expect("a list");
    let reasons: Vec<&str> = rows.iter().map(|row| row["reason"].as_str().expect("a word")).collect();
    assert_eq!(reasons, ["paid since", "new orders", "disputed", "queue"], "{plan:#}");
}
