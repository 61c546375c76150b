//! The warehouse's tables: that they are what the catalogue says, and that they keep what they once held.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bss_sync::record::{Context, Table};
use bss_sync::stream::CATALOGUE;
use rusqlite::Connection;

use crate::fixtures::{bench, examples, rows, serving, shorten_history};
use sim::{Endpoint, Parts, Script, Sim, Truth};
use support::{As, Bench, Login};

/// Columns that every record table has besides the catalogue's.
const BOOKKEEPING: [&str; 8] = [
    "account",
    "extra",
    "first_seen_run",
    "last_changed_run",
    "last_seen_at",
    "gone_since",
    "version",
    "from_commit",
];

/// Columns of tables that say themselves who was asked.
const CONTEXT: [&str; 2] = ["asked_customer_id", "role"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

/// All record tables, lists inside rows included.
fn tables() -> Vec<&'static Table> {
    let mut tables: Vec<&'static Table> = Vec::new();
    for table in CATALOGUE.iter().flat_map(|stream| stream.tables()) {
        tables.push(table);
        tables.extend(table.children.iter().map(|children| children.table));
    }
    tables
}

fn names(db: &Connection, sql: &str) -> BTreeSet<String> {
    let mut statement = db.prepare(sql).expect("a query");
    statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
}

fn columns(db: &Connection, table: &str) -> Vec<String> {
    let mut statement = db.prepare("select name from pragma_table_info(?1) order by cid").expect("a query");
    statement.query_map([table], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
}

/// A warehouse with rows in every record table.
fn filled() -> Bench {
    let mut parts = examples();
    let (_, lines) = parts.details.get_mut("CS2601050210DEMO1").expect("an order of the examples");
    // No line of the examples has a discount.
    let discount = r#""discounts": [{"discount_type":"605","discount_amount":1}]"#;
    lines[0] = lines[0].replacen(r#""discounts": []"#, discount, 1);
    let mut bench = Bench::with(Script::serving(Truth::from_parts(parts)), As::Partner, Login::Keys);
    shorten_history(&bench);
    bench.run(&[]).expect_code(0);
    bench.log_in(As::Customer, Login::Keys);
    shorten_history(&bench);
    bench.run(&[]).expect_code(0);
    bench
}

#[test]
fn the_catalogues_columns_are_those_of_its_tables_and_no_other() {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.db();
    for table in tables() {
        let mut wanted: BTreeSet<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(wanted.len(), table.columns.len(), "{}: a name twice", table.name);
        wanted.extend(BOOKKEEPING);
        if table.context == Context::Stored {
            wanted.extend(CONTEXT);
        }
        let found = columns(&db, table.name);
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, wanted, "{}", table.name);
        let key = names(&db, &format!("select name from pragma_table_info('{}') where pk > 0", table.name));
        let named = table.columns[..table.key_len].iter().map(|column| column.name.to_owned());
        assert_eq!(key, named.chain(["account".to_owned()]).collect(), "key of {}", table.name);
    }
}

#[test]
fn each_record_table_has_a_history_with_its_columns_and_what_ended_a_row() {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.db();
    for table in tables() {
        let mut wanted = columns(&db, table.name);
        wanted.extend(["ended_run", "ended_at", "to_commit"].map(str::to_owned));
        assert_eq!(columns(&db, &format!("{}_history", table.name)), wanted, "{}", table.name);
    }
}

#[test]
fn no_column_can_hold_a_float() {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.db();
    let loose = "select name from pragma_table_list where type = 'table' and schema = 'main' and strict = 0
                 and name not like 'sqlite_%'";
    assert_eq!(rows(&db, loose), [""; 0], "every table is strict");
    let types = "select distinct lower(c.type) from pragma_table_list t, pragma_table_info(t.name) c
                 where t.type = 'table' and t.schema = 'main' and t.name not like 'sqlite_%' order by 1";
    assert_eq!(rows(&db, types), ["'blob'", "'integer'", "'text'"]);
}

#[test]
fn each_file_of_the_schema_is_used_and_nothing_else_is_there() {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.db();
    let defined = |folder: &str, what: &str| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for file in files(folder, "sql") {
            let text = fs::read_to_string(&file).expect("a text").to_lowercase();
            if file.file_stem().is_some_and(|name| name == "glossary") {
                continue;
            }
            let before = found.len();
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix(&format!("create {what} ")) {
                    found.insert(rest.split([' ', '(']).next().unwrap_or_default().to_owned());
                }
            }
            // A later migration (`x.2.sql`) may only change what an earlier one defines, or how it is found.
            let changes = [format!("alter {what} "), "create index ".to_owned(), "analyze ".to_owned()];
            let changes = text.lines().any(|line| changes.iter().any(|change| line.starts_with(change)));
            assert!(found.len() > before || changes, "{} defines no {what}", file.display());
        }
        found
    };
    let tables = names(
        &db,
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like '%_history'",
    );
    assert_eq!(tables, defined("schema", "table"));
    let mut views = names(&db, "select name from sqlite_schema where type = 'view'");
    // Others are generated: the list of the checks from their headers; what was known when, what each question and record
    // once showed.
    let generated = ["as_of_script", "changes", "checks"];
    views.retain(|name| {
        !generated.contains(&name.as_str()) && !name.ends_with("_as_of") && !name.ends_with("_versions")
    });
    let mut wanted = defined("schema/views", "view");
    wanted.extend(defined("schema/checks", "view"));
    assert_eq!(views, wanted);
    let recorded: BTreeSet<String> = self::tables().iter().map(|table| table.name.to_owned()).collect();
    assert!(recorded.is_subset(&tables), "{recorded:?}");
}

#[test]
fn each_stream_has_a_job_of_its_name() {
    let streams: BTreeSet<String> = CATALOGUE.iter().map(|stream| stream.name().to_owned()).collect();
    assert_eq!(streams.len(), CATALOGUE.len(), "names are unique");
    let mut files_of: BTreeSet<String> = BTreeSet::new();
    for file in files("jobs", "toml") {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("a text");
        assert!(text.contains(&format!("\nstream = \"{name}\"\n")), "{}", file.display());
        files_of.insert(name);
    }
    assert_eq!(files_of, streams);
    let listed = bench().call(&["jobs", "--output", "json"]).expect_code(0).json();
    let listed = listed.as_array().expect("a list").iter();
    assert_eq!(
        listed.map(|job| job["stream"].as_str().unwrap_or_default().to_owned()).collect::<BTreeSet<_>>(),
        streams,
        "each is built in"
    );
}

#[test]
fn each_view_can_be_read_by_any_client() {
    let bench = Bench::new(Script::seeded(3).orders(200));
    bench.run(&[]).expect_code(0);
    let db = bench.db();
    let views = names(&db, "select name from sqlite_schema where type = 'view'");
    for view in &views {
        let mut statement =
            db.prepare(&format!("select * from {view}")).unwrap_or_else(|error| panic!("{view}: {error}"));
        let mut found = statement.query([]).expect("a query");
        while found.next().unwrap_or_else(|error| panic!("{view}: {error}")).is_some() {}
    }
    for view in ["v_orders", "v_order_lines", "v_refund_attributions", "v_resources"] {
        assert!(bench.count(&format!("select count(*) from {view}")) > 0, "{view}");
    }
}

#[test]
fn a_replaced_and_a_deleted_row_of_any_table_are_copied_with_run_and_time() {
    let bench = filled();
    let db = bench.writable_db();
    db.execute_batch("pragma foreign_keys = on").expect("set");
    let run: i64 = db.query_row("select max(run_id) from runs", [], |row| row.get(0)).expect("a run");
    for table in tables() {
        let name = table.name;
        let count = |sql: &str| -> i64 {
            db.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
        };
        let all = count(&format!("select count(*) from {name}"));
        assert!(all > 0, "{name} has rows");
        db.execute_batch(&format!("update {name} set last_seen_at = '2030-01-01T00:00:00Z'"))
            .expect("updated");
        assert_eq!(
            count(&format!("select count(*) from {name}_history")),
            0,
            "{name}: seen again is no change"
        );
        let old = rows(&db, &format!("select * from {name} order by 1, 2, 3"));
        db.execute_batch(&format!(
            "update {name} set extra = '{{\"new\":1}}', version = version + 1, last_changed_run = {run}"
        ))
        .expect("updated");
        let list = columns(&db, name).join(", ");
        assert_eq!(rows(&db, &format!("select {list} from {name}_history order by 1, 2, 3")), old, "{name}");
        assert_eq!(
            count(&format!(
                "select count(*) from {name}_history where ended_run = {run} and ended_at = '2030-01-01T00:00:00Z'"
            )),
            all,
            "{name}"
        );
        db.execute_batch(&format!("delete from {name}")).expect("deleted");
        assert_eq!(
            count(&format!(
                "select count(*) from {name}_history where ended_run is null and extra like '%new%'"
            )),
            all,
            "{name}"
        );
    }
}

#[test]
fn reading_the_same_again_changes_nothing() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let ran = bench.run(&["--full"]).expect_code(0);
    for report in ran.json().as_array().expect("reports") {
        assert_eq!((&report["rows_inserted"], &report["rows_changed"]), (&0.into(), &0.into()), "{report}");
    }
    let db = bench.db();
    for table in tables() {
        let name = table.name;
        assert_eq!(rows(&db, &format!("select count(*) from {name}_history")), ["0"], "{name}");
        assert_eq!(rows(&db, &format!("select count(*) from {name} where version <> 1")), ["0"], "{name}");
    }
}

#[test]
fn opening_again_applies_nothing_twice() {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let state = |bench: &Bench| {
        let db = bench.db();
        let mut state = rows(&db, "pragma user_version");
        // The number of schema changes the file has seen.
        state.extend(rows(&db, "pragma schema_version"));
        state.extend(rows(&db, "select type, name, sql from sqlite_schema order by 1, 2"));
        state.extend(rows(&db, "select key, value from meta order by 1"));
        state
    };
    let before = state(&bench);
    bench.run(&["service_types"]).expect_code(0);
    assert_eq!(state(&bench), before);
}

#[test]
fn views_and_triggers_of_another_program_version_are_replaced() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let objects =
        |bench: &Bench| rows(&bench.db(), "select type, name, sql from sqlite_schema order by 1, 2");
    let before = objects(&bench);
    bench
        .writable_db()
        .execute_batch(
            "update meta set value = 'another' where key = 'derived_objects';
             update meta set value = value || ' v_of_another_version' where key = 'derived_views';
             drop view v_orders;
             create view v_of_another_version as select 1 as one;
             drop trigger orders_keeps_replaced_rows;",
        )
        .expect("changed");
    bench.run(&[]).expect_code(0);
    assert_eq!(objects(&bench), before);
}

#[test]
fn a_view_of_somebody_elses_stays_when_ours_are_replaced() {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    bench
        .writable_db()
        .execute_batch(
            "update meta set value = 'another' where key = 'derived_objects';
             create view finance_own as select count(*) as orders from orders;",
        )
        .expect("changed");
    bench.run(&["service_types"]).expect_code(0);
    assert_eq!(bench.count("select orders from finance_own"), 0);
}

#[test]
fn a_changed_order_is_version_two_and_its_dependents_are_read_again() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let known = "select status, payment_time, version from orders where order_id = 'CS2602030900DEMO3'";
    assert_eq!(rows(&bench.db(), known), ["6 | null | 1"]);
    bench.sim.change(|truth| truth.set_status("CS2602030900DEMO3", 5, Some(1_770_200_000)));
    bench.sim.reset_stats();
    let ran = bench.run(&[]).expect_code(0);
    assert_eq!(ran.job("orders")["rows_changed"], 1);
    assert_eq!(rows(&bench.db(), known), ["5 | '2026-02-04T10:13:20Z' | 2"]);
    let history = "select h.status, h.payment_time, h.version, r.job, h.ended_at = o.last_seen_at
         from orders_history h join orders o using (account, order_id) join runs r on r.run_id = h.ended_run";
    assert_eq!(rows(&bench.db(), history), ["6 | null | 1 | 'orders' | 1"]);
    let asked = bench.sim.requests();
    let details: Vec<&str> = asked
        .iter()
        .filter(|seen| seen.endpoint == Endpoint::Details)
        .map(|seen| seen.target.as_str())
        .collect();
    assert_eq!(details.len(), 1, "{details:?}");
    assert!(details[0].contains("CS2602030900DEMO3"), "{details:?}");
    let resources: Vec<&str> = asked
        .iter()
        .filter(|seen| seen.endpoint == Endpoint::Resources)
        .map(|seen| seen.body.as_str())
        .collect();
    assert_eq!(resources.len(), 1, "it is completed now: {resources:?}");
    assert!(resources[0].contains("CS2602030900DEMO3"), "{resources:?}");
    assert_eq!(bench.count("select count(*) from queue"), 0);
    assert_eq!(
        rows(&bench.db(), "select status, version from order_details where order_id = 'CS2602030900DEMO3'"),
        ["5 | 2"]
    );
}

#[test]
fn an_amount_restated_by_the_vendor_keeps_the_old_one_in_the_history() {
    let bench = bench();
    bench.run(&["orders"]).expect_code(0);
    bench.sim.change(|truth| truth.restate("CS2601050210DEMO1", "amount_after_discount", "1199.99999999"));
    bench.run(&["orders", "--full"]).expect_code(0);
    bench.sim.change(|truth| truth.restate("CS2601050210DEMO1", "amount_after_discount", "1200.00"));
    bench.run(&["orders", "--full"]).expect_code(0);
    let versions = "select version, amount_after_discount_e8 from orders where order_id = 'CS2601050210DEMO1'
        union all select version, amount_after_discount_e8 from orders_history where order_id = 'CS2601050210DEMO1'
        order by 1";
    assert_eq!(rows(&bench.db(), versions), ["1 | 120000000000", "2 | 119999999999", "3 | 120000000000"]);
}

#[test]
fn elements_that_a_list_no_longer_has_are_gone_until_they_come_back() {
    let bench = bench();
    let discounts = |amounts: &str| format!("{{\"discounts\":[{amounts}]}}");
    let two = r#"{"discount_type":"605","discount_amount":1},{"discount_type":"607","discount_amount":2}"#;
    let one = r#"{"discount_type":"605","discount_amount":1}"#;
    let state = "select position, discount_type, gone_since is null, version from order_discounts
                 where order_id = 'CS2601050210DEMO1' order by position";
    for (amounts, wanted) in [
        (two, ["0 | '605' | 1 | 1", "1 | '607' | 1 | 1"]),
        (one, ["0 | '605' | 1 | 1", "1 | '607' | 0 | 2"]),
        (one, ["0 | '605' | 1 | 1", "1 | '607' | 0 | 2"]),
        (two, ["0 | '605' | 1 | 1", "1 | '607' | 1 | 3"]),
    ] {
        bench.sim.change(|truth| truth.restate("CS2601050210DEMO1", "amount_info", &discounts(amounts)));
        bench.run(&["orders", "--full"]).expect_code(0);
        assert_eq!(rows(&bench.db(), state), wanted, "{amounts}");
    }
}

/// The examples, with the first order's price and number of lines.
fn with_lines(price: &str, lines: usize) -> Parts {
    let mut parts = examples();
    let first = &mut parts.orders[0];
    *first = first.replacen("1200.00", price, 1);
    let (_, all) = parts.details.get_mut("CS2601050210DEMO1").expect("an order of the examples");
    all.truncate(lines);
    parts
}

#[test]
fn lines_that_an_order_no_longer_has_are_gone_until_they_come_back() {
    let mut bench = serving(with_lines("1200.00", 2));
    let state = "select order_line_item_id, gone_since is null, version from order_lines
                 where requested_order_id = 'CS2601050210DEMO1' order by 1";
    let states = [
        ("1200.00", 2, ["1 | 1", "1 | 1"]),
        ("1000.00", 1, ["1 | 1", "0 | 2"]),
        ("1200.00", 2, ["1 | 1", "1 | 3"]),
    ];
    for ((price, lines, wanted), minutes) in states.into_iter().zip(0..) {
        // A vendor whose clock is minutes on: what was seen is older than what is asked now.
        let script = Script::serving(Truth::from_parts(with_lines(price, lines))).clock_ahead(minutes * 60);
        bench.sim = Sim::start(script);
        bench.log_in(As::Customer, Login::Keys);
        shorten_history(&bench);
        bench.run(&["orders", "order_lines", "--full"]).expect_code(0);
        let found = rows(&bench.db(), state);
        let found: Vec<&str> =
            found.iter().filter_map(|row| row.split_once(" | ")).map(|(_, rest)| rest).collect();
        assert_eq!(found, wanted, "{price}");
    }
}

#[test]
fn an_older_answer_never_overwrites_a_newer_one() {
    let mut bench = bench();
    bench.run(&["orders"]).expect_code(0);
    let mut parts = examples();
    parts.orders[0] = parts.orders[0].replacen("1200.00", "1.00", 1);
    bench.sim = Sim::start(Script::serving(Truth::from_parts(parts)).clock_ahead(-600));
    bench.log_in(As::Customer, Login::Keys);
    shorten_history(&bench);
    bench.run(&["orders", "--full"]).expect_code(0);
    let price = "select amount_after_discount_e8, version from orders where order_id = 'CS2601050210DEMO1'";
    assert_eq!(rows(&bench.db(), price), ["120000000000 | 1"]);
}

#[test]
fn the_warehouse_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    for name in ["billing.sqlite", "billing.sqlite.lock"] {
        let mode = fs::metadata(bench.path(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
