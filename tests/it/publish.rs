//! The copy for finance: what is in it, who may read it, and that the former one stays whatever happens.

mod faults;
mod readers;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::cli::steady;
use crate::fixtures::{bench, rows};
use sim::Script;
use support::{Bench, Ran, now};

/// A warehouse with the examples' orders, and the configuration of a copy beside it.
fn loaded() -> Bench {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    bench.append_config("[publish]\npath = \"finance.sqlite\"\n");
    bench
}

fn publish(bench: &Bench) -> Ran {
    bench.call(&["publish", "-q"])
}

/// A published copy, as finance opens it.
fn copy(file: &Path) -> Connection {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a copy")
}

/// Everything in a file, whoever wrote it: the rows of each table in the order of their keys.
fn content(db: &Connection) -> Vec<(String, Vec<String>)> {
    let tables =
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name";
    let tables = rows(db, tables).into_iter().map(|name| name.trim_matches('\'').to_owned());
    tables.map(|table| (table.clone(), rows(db, &format!("select * from {table} order by 1, 2")))).collect()
}

/// Names in the folder of a bench that begin like the copy's.
fn beside(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(bench.path("")).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("finance.sqlite")).collect();
    names.sort();
    names
}

#[test]
fn the_copy_has_all_that_the_warehouse_has_but_what_only_a_worker_needs() {
    let bench = loaded();
    publish(&bench).expect_code(0);
    let copy = copy(&bench.path("finance.sqlite"));
    assert_eq!(rows(&copy, "pragma integrity_check"), ["'ok'"]);
    let of_the_copy = ["about", "about_accounts", "about_months"];
    let of_the_worker = ["checkpoints", "checkpoint_pages", "rate_state", "page_limits"];
    for (table, rows) in content(&bench.db()) {
        if !of_the_worker.contains(&table.as_str()) {
            let copied = content(&copy).into_iter().find(|(name, _)| *name == table).map(|(_, rows)| rows);
            // The dictionary knows the copy's own tables as well.
            let is_of_the_copy = |row: &String| table.starts_with("data_") && row.starts_with("'about");
            let copied: Option<Vec<String>> =
                copied.map(|rows| rows.into_iter().filter(|row| !is_of_the_copy(row)).collect());
            assert_eq!(copied, Some(rows), "{table}");
        }
    }
    let others: Vec<(String, usize)> = content(&copy)
        .into_iter()
        .filter(|(table, _)| of_the_worker.contains(&table.as_str()) || of_the_copy.contains(&table.as_str()))
        .map(|(table, rows)| (table, rows.len()))
        .collect();
    let [accounts, months] =
        ["select 1 from about_accounts", "select 1 from about_months"].map(|sql| rows(&copy, sql).len());
    assert_eq!(
        others,
        [
            ("about".to_owned(), 1),
            ("about_accounts".to_owned(), accounts),
            ("about_months".to_owned(), months),
            ("checkpoint_pages".to_owned(), 0),
            ("checkpoints".to_owned(), 0),
            ("page_limits".to_owned(), 0),
            ("rate_state".to_owned(), 0),
        ]
    );
    let net =
        "select month, currency, service_type_code, net_e8 from f01_net_spend_by_service order by 1, 2, 3";
    assert_eq!(rows(&copy, net), rows(&bench.db(), net));
}

#[test]
fn the_copy_is_one_file_without_a_log_that_its_group_may_read() {
    let bench = loaded();
    publish(&bench).expect_code(0);
    assert_eq!(beside(&bench), ["finance.sqlite"]);
    let file = bench.path("finance.sqlite");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o640);
    let header = fs::read(&file).expect("a file");
    assert_eq!(header[18..20], [1, 1], "no reader looks for a log");
    assert_eq!(rows(&copy(&file), "pragma journal_mode"), ["'delete'"]);
}

#[test]
fn the_copy_says_what_it_is() {
    let bench = loaded();
    let ran = publish(&bench).expect_code(0);
    let copy = copy(&bench.path("finance.sqlite"));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        rows(
            &copy,
            "select first_month, last_month = strftime('%Y-%m', published_at, '+8 hours'), accounts, months = (select count(*) from about_months),
                 complete_months = (select count(*) from about_months where verdict = 'complete'),
                 data_as_of = min(published_at, data_as_of), data_as_of_utc8 = strftime('%Y-%m-%d %H:%M:%S', data_as_of, '+8 hours'), open_breaks, program_version,
                 schema_version = (select user_version from pragma_user_version),
                 published_at_utc8 = strftime('%Y-%m-%d %H:%M:%S', published_at, '+8 hours')
             from about"
        ),
        [format!("'2026-01' | 1 | 1 | 1 | 1 | 1 | 1 | null | '{version}' | 1 | 1")]
    );
    assert_eq!(
        rows(
            &copy,
            "select account, first_month, last_month = (select last_month from about),
                 data_as_of = (select min(watermark) from watermarks where lane in ('created', 'paid')), open_breaks
             from about_accounts"
        ),
        ["'acme' | '2026-01' | 1 | 1 | null"]
    );
    assert_eq!(
        rows(
            &copy,
            "select account, stream, month, verdict, orders, open_breaks from about_months order by month limit 3"
        ),
        rows(
            &bench.db(),
            "select account, stream, month, state, orders, null from coverage_by_month order by month limit 3"
        )
    );
    let mut settings = steady(&bench);
    settings.add_filter(r"\d+ bytes, \d+ row\(s\) in \d+ tables", "N bytes, N row(s) in N tables");
    settings.add_filter(r"to \d{4}-\d\d, \d+ of \d+", "to MONTH, N of N");
    settings.bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
        published ./finance.sqlite: N bytes, N row(s) in N tables, checked
        2026-01 to MONTH, N of N month(s) complete; data as of TIME; open breaks: not checked
        ");
    });
}

#[test]
fn open_breaks_are_none_only_where_every_check_was_evaluated() {
    let bench = Bench::new(Script::seeded(5).orders(60).until(now() - 3_600));
    bench.run(&[]).expect_code(0);
    bench.append_config("[publish]\npath = \"finance.sqlite\"\n");
    let said = |reconcile: &[&str]| {
        bench.call(&[&["reconcile"], reconcile].concat());
        publish(&bench).expect_code(0);
        let copy = copy(&bench.path("finance.sqlite"));
        let month = |month: &str| format!("(select open_breaks from about_months where month = '{month}')");
        let (other, one) = (month("2026-02"), month("2026-03"));
        rows(
            &copy,
            &format!(
                "select a.open_breaks, b.open_breaks, {other}, {one} from about as a, about_accounts as b"
            ),
        )
        .remove(0)
    };
    assert_eq!(said(&["--check", "RC21"]), "null | null | null | null");
    assert_eq!(said(&["--month", "2026-03"]), "null | null | null | 0");
    assert_eq!(said(&[]), "0 | 0 | 0 | 0");
    let db = bench.writable_db();
    db.execute_batch("update reconciliations set started_at = '2026-03-05T00:00:00Z' where month = ''")
        .expect("dated");
    assert_eq!(said(&["--check", "RC21"]), "null | null | 0 | 0", "later months were not checked");
    db.execute_batch(
        "insert into breaks (account, check_id, key, severity, period, first_seen, last_seen)
         values ('acme', 'RC10', 'A', 'error', '2026-02', '2026-03-05T00:00:00Z', '2026-03-05T00:00:00Z')",
    )
    .expect("a break");
    assert_eq!(said(&["--check", "RC21"]), "1 | 1 | 1 | 0", "what is known is said");
}

#[test]
fn a_warehouse_in_which_nothing_ran_is_published_as_unknown() {
    let bench = bench();
    drop(bss_sync::warehouse::Warehouse::open(&bench.warehouse()).expect("a warehouse"));
    let ran = bench.call(&["publish", "--to", "empty.sqlite", "--output", "json"]).expect_code(0).json();
    let null = serde_json::Value::Null;
    for unknown in ["first_month", "last_month", "data_as_of", "open_breaks"] {
        assert_eq!(ran[unknown], null, "{unknown}");
    }
    assert_eq!(
        (&ran["months"], &ran["rows"]),
        (
            &0.into(),
            &copy(&bench.path("empty.sqlite"))
                .query_row(
                    "select count(*) + (select count(*) from meta) + (select count(*) from data_objects)
                         + (select count(*) from data_dictionary) + (select count(*) from commits)
                     from about",
                    [],
                    |row| row.get::<_, i64>(0)
                )
                .expect("a row")
                .into()
        )
    );
}

#[test]
fn a_run_publishes_at_its_end_when_configured() {
    let bench = bench();
    bench.append_config("[publish]\npath = \"finance.sqlite\"\nafter_run = true\n");
    let reports = bench.run(&["orders"]).expect_code(0);
    let report = reports.job("publish");
    assert_eq!((&report["outcome"], &report["exit_code"]), (&"done".into(), &0.into()));
    let orders = "select count(*) from orders";
    assert_eq!(rows(&copy(&bench.path("finance.sqlite")), orders), ["8"]);
    let text = bench.call(&["run", "-q"]).expect_code(0);
    assert!(text.stdout.contains("\n\npublished "), "{}", text.stdout);
    assert_eq!(rows(&copy(&bench.path("finance.sqlite")), "select count(*) > 0 from order_lines"), ["1"]);
    bench.run(&["orders", "--set", "publish.after_run=false"]).expect_code(0);
}

#[test]
fn a_copy_that_fails_is_a_finding_of_the_run_and_spoils_nothing_of_it() {
    let bench = bench();
    bench.append_config("[publish]\npath = \"nowhere/finance.sqlite\"\nafter_run = true\n");
    let ran = bench.call(&["run", "-q"]).expect_code(3);
    let (_, paragraph) = ran.stdout.split_once("\n\n").expect("a paragraph");
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph, @"
        not published: could not write ./nowhere/finance.sqlite.publishing: No such file or directory (os error 2)
          check that the folder exists, that this user may write to it, and its limits (ulimit -f); the former copy is as it was
        ");
    });
    assert_eq!(bench.count("select count(*) from runs where outcome <> 'done'"), 0);
    let report = bench.run(&[]).expect_code(3).job("publish");
    assert_eq!((&report["outcome"], &report["exit_code"]), (&"findings".into(), &3.into()));
}
