//! When all is well: the commands' own words, and readers who go away.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::steady;
use crate::fixtures::bench;
use sim::{self, Endpoint, Fault, Hold};

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
          serve        Stay, and run jobs on their schedules; SIGHUP reads the configuration again
          plan         Show what a run would ask now and how long the quotas make it take; asks nobody
          check        Look whether everything a run needs is there and right: files, warehouse,
                       credentials, role, permissions, clock, quotas
          verify       Compare what is stored with the vendor's counts; --repair reads again what differs
          reconcile    Run the reconciliation checks on what is stored; `ack` explains a break
          publish      Make the read-only copy for finance, checked, and replace the former one by it
          export       Write views or tables to a file: CSV, Excel, Parquet
          explain      Show an order, resource or customer with everything it came from: rows, versions,
                       links, readings, runs, checks
          history      Show past runs
          jobs         List the jobs and when their schedules would run them next
          status       Show how fresh and complete the warehouse is, and what needs a person
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
          3   done, with findings: a disputed window, quarantined rows, a count that differs, a broken check
          4   not finished: deadline or quota reached, or a required check says nothing yet; run again
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
