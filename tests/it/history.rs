//! `bss-sync history`: what runs did.

use crate::fixtures::bench;

#[test]
fn past_runs_are_told_the_newest_first() {
    let bench = bench();
    drop(bss_sync::warehouse::Warehouse::open(&bench.warehouse()).expect("a warehouse"));
    assert_eq!(bench.call(&["history"]).expect_code(0).stdout, "no such run\n");
    bench
        .writable_db()
        .execute_batch(
            "insert into runs (run_id, job, account, stream, program_version, started_at, finished_at, outcome, reason, requests,
                 throttled, retried, rows_received, rows_inserted, rows_changed, orders_late, rows_quarantined) values
             (1, 'orders', 'acme', 'orders', '0', '2026-10-01T00:00:00Z', '2026-10-01T00:01:40Z', 'done', null, 70, 1, 2, 6000, 6001, 0, 0, 0),
             (2, 'resources', 'acme', 'resources', '0', '2026-10-01T00:00:00Z', '2026-10-01T02:00:00Z', 'partial', 'the job''s deadline is reached', 9000, 0, 0, 9, 9, 9, 0, 0),
             (3, 'orders', 'beta', 'orders', '0', '2026-10-02T00:00:00Z', null, 'running', null, 0, 0, 0, 0, 0, 0, 0, 0),
             (4, 'orders', 'acme', 'orders', '0', '2026-10-03T00:00:00Z', '2026-10-03T00:00:01Z', 'findings', null, 4, 0, 0, 3, 1, 2, 1, 1);",
        )
        .expect("inserted");
    let ran = bench.call(&["history"]).expect_code(0);
    // Old times on purpose: they need not be hidden.
    insta::assert_snapshot!(ran.stdout.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"), @"
     RUN  ACCOUNT  JOB        STARTED (UTC)         SECONDS  OUTCOME   ROWS  NEW   CHANGED  LATE  UNDECODED  REQUESTS  REFUSED  RETRIED
     4    acme     orders     2026-10-03T00:00:00Z  1        findings  3     1     2        1     1          4         0        0
     3    beta     orders     2026-10-02T00:00:00Z  -        crashed   0     0     0        0     0          0         0        0
     2    acme     resources  2026-10-01T00:00:00Z  7200     partial   9     9     9        0     0          9000      0        0
     1    acme     orders     2026-10-01T00:00:00Z  100      done      6000  6001  0        0     0          70        1        2
    3 beta orders: the worker ended without a word
    2 acme resources: the job's deadline is reached
    ");
    let runs = |arguments: &[&str]| {
        let runs = bench.call(&[&["history", "--output", "json"], arguments].concat()).expect_code(0).json();
        runs.as_array()
            .expect("runs")
            .iter()
            .map(|run| run["run_id"].as_i64().expect("a number"))
            .collect::<Vec<_>>()
    };
    assert_eq!(runs(&["--limit", "2"]), [4, 3]);
    assert_eq!(runs(&["--job", "orders", "--account", "acme"]), [4, 1]);
    assert_eq!(runs(&["--since", "2026-10-02"]), [4, 3]);
    assert_eq!(runs(&["--since", "2026-10-02T00:00:01Z"]), [4]);
    assert_eq!(runs(&["--since", "3000d"]), [4, 3, 2, 1]);
    bench.call(&["history", "--since", "yesterday"]).expect_code(2);
    let ran = bench.call(&["history", "--job", "order"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `orders`?"), "{}", ran.stderr);
}
