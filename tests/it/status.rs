//! `bss-sync status`: how fresh and complete the warehouse is, and what needs a person.

use sim::{Endpoint, Fault};
use support::Bench;

use crate::cli::steady;
use crate::fixtures::{bench, examples};

#[test]
fn status_without_a_warehouse_says_what_to_do() {
    let bench = bench();
    let ran = bench.call(&["status"]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: there is no warehouse at ./billing.sqlite
      run `bss-sync run` first, or correct `warehouse.path`
    ");
    });
    assert!(!bench.warehouse().exists(), "looking creates nothing");
}

#[test]
fn status_of_a_warehouse_in_which_nothing_ran_says_so() {
    let bench = bench();
    drop(bss_sync::warehouse::Warehouse::open(&bench.warehouse()).expect("a warehouse"));
    let ran = bench.call(&["status"]).expect_code(0);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stdout, @"nothing ran yet: `bss-sync run` begins");
    });
    let json = bench.call(&["status", "--output", "json"]).expect_code(0).json();
    for list in ["runs", "streams", "months", "parts", "queues"] {
        assert_eq!(json[list].as_array().map(Vec::len), Some(0), "{list}");
    }
}

#[test]
fn status_shows_how_fresh_and_complete_each_stream_is() {
    let mut parts = examples();
    let (_, lines) = parts.details.get_mut("CS2601050210DEMO1").expect("an order of the examples");
    lines.push(r#"{"order_line_item_id":"L3","official_amount":0.000000001}"#.to_owned());
    let bench = crate::fixtures::serving(parts);
    bench.sim.set_denied(&[Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    let ran = bench.call(&["status"]).expect_code(0);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let mut settings = steady(&bench);
    // How many months there are depends on the day, how old things are on the time of day.
    settings.add_filter(r"  acme orders  \d{4}-\d\d .*", "  acme orders  MONTHS");
    settings.add_filter(r"    earlier: .*\n", "");
    settings.add_filter(r"\d+ (s|min|h)\b", "AGE");
    settings.add_filter(r"\b[0-9a-f]{32}\b", "ID");
    // Columns are as wide as what stands in them.
    settings.add_filter(r"(AGE|TIME|never|-) {2,}", "$1  ");
    settings.bind(|| {
        insta::assert_snapshot!(ran.stdout, @r#"
        Needs a person
          acme refund_attributions: refused: refund_orders of account acme: not allowed:
            HTTP 403 CBC.0151 "Access denied." (request
            ID)
          acme order_lines: findings: order CS2601050210DEMO1 stays in the queue: 1
            row(s) could not be decoded; 1 row(s) could not be decoded; view
            undecoded_rows and table quarantine have them with the reason
          1 window(s), list(s) or order(s) not proven complete: view disputes
          1 row(s) that could not be decoded: view undecoded_rows

        Freshness
         ACCOUNT  STREAM               COMPLETE UP TO (UTC)  AGE  QUEUED  FAILING
         acme     order_lines          TIME  AGE  1       1
         acme     orders               TIME  AGE  0       0
         acme     refund_attributions  -  never  1       0
         acme     resource_types       TIME  AGE  0       0
         acme     resources            TIME  AGE  0       0
         acme     service_types        TIME  AGE  0       0

        Months (UTC+8)   = complete   > open
          acme orders  MONTHS

        Last runs (how long ago)
         ACCOUNT  JOB                  LAST RUN  OUTCOME   NEW  CHANGED  LAST DONE
         acme     orders               AGE  done      14   0        AGE
         acme     order_lines          AGE  findings  14   0        never
         acme     refund_attributions  AGE  refused   0    0        never
         acme     resources            AGE  done      5    0        AGE
         acme     service_types        AGE  done      4    0        AGE
         acme     resource_types       AGE  done      4    0        AGE

        What was read one by one
          acme order_lines: 5 order(s) read, 1 disputed
          acme resource_types: whole list read TIME
          acme resources: whole list read TIME
          acme resources: 4 order(s) read, 0 disputed
          acme service_types: whole list read TIME

        Queues
          acme order_lines: one that failed: 1 row(s) could not be decoded

        What no document of the vendor lists
          2 field(s) or value(s): table drift
        "#);
    });
    let ran = bench.call(&["status", "--months"]).expect_code(0);
    assert!(ran.stdout.contains("OLDEST READING (UTC)"), "{ran:?}");
    let json = bench.call(&["status", "--output", "json"]).expect_code(0).json();
    assert_eq!(json["quarantined"], 1);
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(6));
    let months = json["months"].as_array().expect("a list");
    assert_eq!(months[0]["month"], "2026-01", "{json}");
    assert_eq!(months[0]["state"], "complete", "{json}");
    assert!(months.len() >= 11, "all of them: {json}");
}

/// Standard output of `status` in one line.
fn status(bench: &Bench) -> String {
    let ran = bench.call(&["status"]).expect_code(0);
    ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All runs until now were three days ago.
fn three_days_pass(bench: &Bench) {
    let earlier = |column: &str| format!("{column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-3 days')");
    let (started, finished) = (earlier("started_at"), earlier("finished_at"));
    bench.writable_db().execute_batch(&format!("update runs set {started}, {finished}")).expect("set");
}

#[test]
fn jobs_that_did_not_run_or_were_not_done_for_a_day_need_a_person() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    assert!(status(&bench).starts_with("Nothing needs a person."));
    three_days_pass(&bench);
    let said = status(&bench);
    let all = "acme orders, order_lines, refund_attributions, resources, service_types, resource_types";
    let expected = format!("Needs a person {all}: no run for 3 days: is the timer, or the service, on?");
    assert!(said.starts_with(&expected), "{said}");

    // It runs again, and the vendor is not there.
    bench.sim.every_nth(None, 1, || Fault::status(503, "CBC.0999", "Unavailable."));
    bench.run(&["--deadline", "1s"]).expect_code(4);
    let said = status(&bench);
    let expected = "acme orders: not done for 3 days: `bss-sync check` tells whether the vendor can be reached; \
                    last: ";
    assert!(said.starts_with("Needs a person acme") && said.contains(expected), "{said}");
    assert!(!said.contains("no run for"), "{said}");
    bench.sim.clear_faults();
    bench.run(&[]).expect_code(0);
    assert!(status(&bench).starts_with("Nothing needs a person."));
}

#[test]
fn a_job_that_was_never_done_needs_a_person_after_a_day() {
    let bench = bench();
    bench.sim.every_nth(None, 1, || Fault::status(503, "CBC.0999", "Unavailable."));
    bench.run(&["orders", "--deadline", "1s"]).expect_code(4);
    assert!(status(&bench).starts_with("Nothing needs a person."), "{}", status(&bench));
    three_days_pass(&bench);
    bench.run(&["orders", "--deadline", "1s"]).expect_code(4);
    let said = status(&bench);
    assert!(said.starts_with("Needs a person acme orders: never done, first run 3 days ago: "), "{said}");
}

#[test]
fn a_job_of_one_day_a_week_is_not_overdue_between_two() {
    let bench = bench();
    std::fs::create_dir(bench.path("jobs")).expect("a folder");
    let job = |schedule: &str| {
        let text =
            format!("stream = \"orders\"\nhistory_start = \"2026-01-01\"\nschedule = \"{schedule}\"\n");
        std::fs::write(bench.path("jobs/orders.toml"), text).expect("written");
    };
    let config = std::fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    let (accounts, _) = config.split_once("[jobs.").expect("settings of jobs");
    bench.write_config(&format!("jobs_dir = \"jobs\"\n{accounts}"));
    job("0 0 0 1 1 *");
    bench.run(&[]).expect_code(0);
    three_days_pass(&bench);
    // Whatever day it is: once a year is not yet due, or was the day before yesterday.
    let is_new_year = bench.count("select strftime('%m', 'now', '+8 hours') = '01'") == 1;
    assert!(is_new_year || status(&bench).starts_with("Nothing needs a person."), "{}", status(&bench));
    job("0 0 * * * *");
    assert!(
        status(&bench).starts_with("Needs a person acme orders: no run for 3 days"),
        "{}",
        status(&bench)
    );
}

#[test]
fn accounts_that_are_no_longer_configured_need_nobody() {
    let mut parts = examples();
    let (_, lines) = parts.details.get_mut("CS2601050210DEMO1").expect("an order of the examples");
    lines.push(r#"{"order_line_item_id":"L3","official_amount":0.000000001}"#.to_owned());
    let bench = crate::fixtures::serving(parts);
    bench.sim.set_denied(&[Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    assert!(status(&bench).starts_with("Needs a person"));
    let config = std::fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("[accounts.acme]", "[accounts.other]"));
    assert!(status(&bench).starts_with("Nothing needs a person."), "{}", status(&bench));
}

#[test]
fn a_monitor_is_told_which_streams_are_too_old() {
    let bench = bench();
    bench.sim.set_denied(&[Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    let ran = bench.call(&["status", "--max-age", "26h"]).expect_code(3);
    assert_eq!(ran.stdout, "stale: acme refund_attributions: never read completely; at most 26 h\n");
    bench.sim.set_denied(&[]);
    bench.run(&[]).expect_code(0);
    let ran = bench.call(&["status", "--max-age", "26h"]).expect_code(0);
    assert_eq!(ran.stdout, "fresh: 6 stream(s)\n");
    bench
        .writable_db()
        .execute_batch("update watermarks set watermark = '2026-01-01T00:00:00Z' where lane = 'created'")
        .expect("set");
    let ran = bench
        .call(&["status", "--max-age", "26h", "--max-age", "resources=1h", "--output", "json"])
        .expect_code(3);
    let stale = &ran.json()["stale"];
    assert_eq!(stale.as_array().map(Vec::len), Some(1), "{stale}");
    assert_eq!(
        (&stale[0]["stream"], &stale[0]["fresh_up_to"]),
        (&"orders".into(), &"2026-01-01T00:00:00Z".into())
    );
    // Only the streams that are named are judged when no age is given for all.
    bench.call(&["status", "--max-age", "resources=1h"]).expect_code(0);
    let ran = bench.call(&["status", "--max-age", "order=1h"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `orders`?"), "{ran:?}");
    let ran = bench.call(&["status", "--max-age", "sub_customers=1h"]).expect_code(2);
    assert!(ran.stderr.contains("no job reads sub_customers"), "{ran:?}");
}
