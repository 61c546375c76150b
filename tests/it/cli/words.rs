//! When all is well: the commands' own words, and readers who go away.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::steady;
use crate::fixtures::{bench, examples};
use crate::sim::{self, Endpoint, Fault, Hold};

#[test]
fn a_reader_who_goes_away_changes_nothing() {
    let bench = bench();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let mut child = bench.spawn(&["run", "-vv"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    drop(child.stdout.take());
    drop(child.stderr.take());
    hold.release();
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert_eq!(bench.count("select count(*) from orders"), 8);
    assert_eq!(bench.count("select count(*) from runs where outcome <> 'done'"), 0);
}

#[test]
fn closed_standard_streams_change_nothing() {
    let bench = bench();
    let status = Command::new("sh")
        .arg("-c")
        .arg("exec \"$0\" run <&- >&- 2>&-")
        .arg(env!("CARGO_BIN_EXE_bss-sync"))
        .current_dir(bench.path(""))
        .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)])
        .stdin(Stdio::null())
        .status()
        .expect("a shell");
    assert_eq!(status.code(), Some(0));
    assert_eq!(bench.count("select count(*) from orders"), 8);
}

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
        insta::assert_snapshot!(ran.stdout, @"
         ACCOUNT  JOB  LAST RUN (UTC)  OUTCOME  REQUESTS  NEW  CHANGED  LAST DONE (UTC)
        nothing ran yet: `bss-sync run` begins
        ");
    });
    let json = bench.call(&["status", "--output", "json"]).expect_code(0).json();
    for list in ["runs", "months", "parts", "queues"] {
        assert_eq!(json[list].as_array().map(Vec::len), Some(0), "{list}");
    }
}

#[test]
fn a_run_ends_with_a_table_of_its_jobs() {
    let bench = bench();
    let ran = bench.call(&["run"]).expect_code(0);
    let mut settings = steady(&bench);
    settings.add_filter(r"\d+\.\d\s*(?m:$)", "S");
    settings.bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
        ACCOUNT  JOB                  OUTCOME  ROWS  NEW  CHANGED  REQUESTS  REFUSED  SECONDS
        acme     orders               done     6     14   0        11        0        S
        acme     order_lines          done     4     14   0        6         0        S
        acme     refund_attributions  done     6     6    0        1         0        S
        acme     resources            done     5     5    0        5         0        S
        acme     service_types        done     4     4    0        1         0        S
        acme     resource_types       done     4     4    0        1         0        S
        ");
    });
    assert_eq!(ran.stderr, "");
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
    let mut settings = steady(&bench);
    // How many months there are depends on the day.
    settings.add_filter(r"( acme +orders +\d{4}-\d\d .*\n)+", " MONTHS\n");
    settings.add_filter(r"acme orders: \d{4}-\d\d to .*\n", "");
    settings.bind(|| insta::assert_snapshot!(ran.stdout, @r#"
     ACCOUNT  JOB                  LAST RUN (UTC)        OUTCOME   REQUESTS  NEW  CHANGED  LAST DONE (UTC)
     acme     orders               TIME  done      11        14   0        TIME
     acme     order_lines          TIME  findings  6         14   0        never
     acme     refund_attributions  TIME  refused   1         0    0        never
     acme     resources            TIME  done      5         5    0        TIME
     acme     service_types        TIME  done      1         4    0        TIME
     acme     resource_types       TIME  done      1         4    0        TIME
    acme order_lines: order CS2601050210DEMO1 stays in the queue: 1 row(s) could not be decoded; 1 row(s) could not be decoded; view undecoded_rows and table quarantine have them with the reason
    acme refund_attributions: refund_orders of account acme: not allowed: HTTP 403 CBC.0151 "Access denied." (request ID)

     ACCOUNT  STREAM  MONTH (UTC+8)  STATE     COMPLETE SINCE (UTC)  OLDEST READING (UTC)  ORDERS  LATE  NOT READ FROM (UTC)
     MONTHS

    acme orders: complete by created time up to TIME
    acme order_lines: 5 order(s) read, 1 disputed
    acme resource_types: whole list read TIME
    acme resources: whole list read TIME
    acme resources: 4 order(s) read, 0 disputed
    acme service_types: whole list read TIME
    acme order_lines: 1 order(s) queued, 0 of them to be read once more later, 1 failing (1 row(s) could not be decoded)
    acme refund_attributions: 1 order(s) queued, 0 of them to be read once more later, 0 failing
    1 window(s), list(s) or order(s) not proven complete: view disputes
    1 row(s) that could not be decoded: view undecoded_rows
    2 undocumented field(s) or value(s): table drift
    "#));
    let json = bench.call(&["status", "--output", "json"]).expect_code(0).json();
    assert_eq!(json["quarantined"], 1);
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(6));
    let months = json["months"].as_array().expect("a list");
    assert_eq!(months[0]["month"], "2026-01", "{json}");
    assert_eq!(months[0]["state"], "complete", "{json}");
    assert!(months.len() >= 11, "all of them: {json}");
}

#[test]
fn jobs_are_listed_with_their_next_time_in_their_zone() {
    let bench = bench();
    let ran = bench.call(&["jobs"]).expect_code(0);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
        JOB                  SCHEDULE        ZONE           NEXT                       ACCOUNTS
        orders               0 */15 * * * *  Asia/Shanghai  TIME  acme
        order_lines          0 5/15 * * * *  Asia/Shanghai  TIME  acme
        refund_attributions  0 5/15 * * * *  Asia/Shanghai  TIME  acme
        resources            0 20 * * * *    Asia/Shanghai  TIME  acme
        sub_customers        0 40 5 * * *    Asia/Shanghai  TIME  (none)
        service_types        0 10 5 * * *    Asia/Shanghai  TIME  acme
        resource_types       0 15 5 * * *    Asia/Shanghai  TIME  acme
        ");
    });
}

#[test]
fn help_tells_the_commands_and_the_exit_codes() {
    let bench = bench();
    let mut wide = bench.command(&["--help"]);
    let output = wide.env("COLUMNS", "100").output().expect("the program starts");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @"
    Copies an account's billing records from the Huawei Cloud BSS API into a SQLite warehouse

    Usage: bss-sync [OPTIONS] <COMMAND>

    Commands:
      run          Run jobs once, now (for cron and systemd timers)
      plan         Show what a run would ask now and how long the quotas make it take; asks nobody
      verify       Compare what is stored with the vendor's counts; --repair reads again what differs
      publish      Make the read-only copy for finance, checked, and replace the former one by it
      export       Write views or tables to a file: CSV, Excel, Parquet
      explain      Show an order, resource or customer with everything it came from: rows, versions,
                   links, readings, runs, checks
      history      Show past runs
      jobs         List the jobs and when their schedules would run them next
      status       Show how fresh and complete the warehouse is
      completions  Print the completions of this program for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
          --config <FILE>
              Configuration file [default: ./bss-sync.toml, then /etc/bss-sync/config.toml]

          --set <KEY=VALUE>
              Set a key of the configuration, e.g. --set warehouse.path=/srv/billing.sqlite; may be
              repeated

          --output <OUTPUT>
              Form of what is written to standard output

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

      -v, --verbose...
              Log more: -v each request, -vv everything

      -q, --quiet
              No progress, and only errors in the log

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit codes:
      0   done: everything asked for is complete
      1   failed for another reason; explain: nothing has this id
      2   wrong usage or configuration
      3   done, with findings: a disputed window, quarantined rows, a count that differs
      4   not finished: deadline or quota reached; the next run goes on from there
      5   refused by the vendor: credentials, permission, role, clock, TLS
      6   the warehouse failed: disk full, damaged, newer
      75  another worker holds the warehouse
    ");
    let mut wide = bench.command(&["run", "--help"]);
    let output = wide.env("COLUMNS", "100").output().expect("the program starts");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @"
    Run jobs once, now (for cron and systemd timers)

    Usage: bss-sync run [OPTIONS] [JOBS]...

    Arguments:
      [JOBS]...
              Jobs to run; all when none is named

    Options:
          --account <NAME>
              Accounts to run them for; all when none is named

          --config <FILE>
              Configuration file [default: ./bss-sync.toml, then /etc/bss-sync/config.toml]

          --full
              Read all orders from the start of the history, and the whole lists, again

          --set <KEY=VALUE>
              Set a key of the configuration, e.g. --set warehouse.path=/srv/billing.sqlite; may be
              repeated

          --accept-empty
              Believe answers with no rows, or far fewer than are stored: they are true

          --output <OUTPUT>
              Form of what is written to standard output

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

          --deadline <DURATION>
              How long each job may take, e.g. 10m; what is left stays for the next run

      -v, --verbose...
              Log more: -v each request, -vv everything

      -q, --quiet
              No progress, and only errors in the log

      -h, --help
              Print help (see a summary with '-h')
    ");
}
