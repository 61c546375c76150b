//! Years of service: backups that are restored, and warehouses of older programs that go on. The steps are those of
//! `docs/operate/backup.md`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use bss_sync::warehouse::Warehouse;
use flate2::read::GzDecoder;
use rusqlite::Connection;

use crate::fixtures::rows;
use sim::{Endpoint, Fault, Hold, Script};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench};

fn served() -> Bench {
    Bench::new(Script::seeded(31).orders(120))
}

/// Loses the warehouse, and puts a copy in its place.
fn restore(bench: &Bench, copy: &str) {
    for file in ["billing.sqlite", "billing.sqlite-wal", "billing.sqlite-shm"] {
        // The last two are only there while somebody has it open, and after a crash.
        let _ = fs::remove_file(bench.path(file));
    }
    fs::copy(bench.path(copy), bench.warehouse()).expect("restored");
    fs::set_permissions(bench.warehouse(), fs::Permissions::from_mode(0o600)).expect("set");
}

#[test]
fn a_backup_made_while_a_run_writes_is_restored_and_goes_on() {
    let bench = served();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Resources, Fault::Hold(hold.clone()));
    let run = bench.spawn(&["-q", "run"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    bench
        .db()
        .execute_batch(&format!("vacuum into '{}'", bench.path("backup.sqlite").display()))
        .expect("a backup");
    hold.release();
    assert!(run.wait_with_output().expect("an end").status.success());

    restore(&bench, "backup.sqlite");
    assert!(bench.count("select count(*) from orders") > 0, "the backup has what was stored until then");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
}

#[test]
fn a_published_copy_is_restored_and_goes_on() {
    let bench = served();
    bench.run(&[]).expect_code(0);
    bench.call(&["publish", "--to", "published.sqlite"]).expect_code(0);
    restore(&bench, "published.sqlite");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
    let again = bench.run(&[]).expect_code(0);
    assert_eq!(again.job("orders")["rows_inserted"], 0);
}

/// Every table of records and of the ledger: its rows as text, by the columns that both have.
fn content(db: &Connection, columns_of: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let rows_of = |(table, columns): (&String, &Vec<String>)| {
        let sql = format!("select {} from \"{table}\" order by {}", columns.join(", "), columns.join(", "));
        (table.clone(), rows(db, &sql))
    };
    columns_of.iter().map(rows_of).collect()
}

fn columns(db: &Connection) -> BTreeMap<String, Vec<String>> {
    let tables = "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'";
    let names: Vec<String> = db
        .prepare(tables)
        .and_then(|mut tables| tables.query_map([], |row| row.get(0))?.collect())
        .expect("tables");
    names
        .into_iter()
        .map(|table| {
            let sql = format!("select name from pragma_table_info('{table}') order by 1");
            let columns =
                db.prepare(&sql).and_then(|mut columns| columns.query_map([], |row| row.get(0))?.collect());
            (table, columns.expect("columns"))
        })
        .collect()
}

/// What there is in a file, but for the order of columns, which a migration cannot choose.
fn objects(db: &Connection) -> Vec<String> {
    let mut objects =
        rows(db, "select type, name, tbl_name from sqlite_schema where name not like 'sqlite%'");
    objects.extend(columns(db).into_iter().map(|(table, columns)| format!("{table}: {columns:?}")));
    objects.sort();
    objects
}

/// The warehouse of the oldest program whose files are still taken: schema 8, after one run of its own against this simulator
/// with 40 orders.
fn old_warehouse(bench: &Bench) {
    unpack(bench, "schema-8.sql.gz");
}

/// Puts a warehouse of the fixtures in place.
fn unpack(bench: &Bench, name: &str) {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/warehouses").join(name);
    let packed = fs::File::open(packed).expect("a fixture");
    let dump = std::io::read_to_string(GzDecoder::new(packed)).expect("SQL");
    Connection::open(bench.warehouse()).and_then(|db| db.execute_batch(&dump)).expect("an old warehouse");
}

#[test]
fn a_warehouse_of_the_oldest_schema_comes_up_to_date_and_loses_nothing() {
    let bench = Bench::new(Script::seeded(31).orders(40));
    old_warehouse(&bench);
    let (mut kept, before) = {
        let db = bench.db();
        assert_eq!(bench.count("pragma user_version"), 8);
        (columns(&db), rows(&db, "select count(*) from orders"))
    };
    assert_ne!(before, ["0"]);
    // What is derived is made anew; quotas that were learned in another way are learned again.
    for table in ["meta", "rate_state"] {
        kept.remove(table);
    }
    kept.get_mut("queue").expect("a queue").retain(|column| column != "absences");
    let before = content(&bench.db(), &kept);

    drop(Warehouse::open(&bench.warehouse()).expect("an up-to-date warehouse"));
    assert_eq!(content(&bench.db(), &kept), before);
    let fresh = bench.path("fresh.sqlite");
    drop(Warehouse::open(&fresh).expect("a new warehouse"));
    assert_eq!(objects(&bench.db()), objects(&Connection::open(fresh).expect("a new warehouse")));
    assert_sound(&bench);
    bench.call(&["status"]).expect_code(0);
    bench.call(&["publish", "--to", "copy.sqlite"]).expect_code(0);

    bench.run(&["--full"]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_eq!(
        bench.count("select count(*) from orders where version > 1"),
        0,
        "nothing was taken for a change"
    );
    bench.call(&["export", "f0*", "v_*", "--format", "xlsx", "--to", "views.xlsx"]).expect_code(0);
}

/// A warehouse with a history, as the last program without commits wrote it; `make_schema_20.py` beside it says how.
#[test]
fn versions_without_commits_get_numbers_in_the_order_that_is_known() {
    let bench = Bench::new(Script::seeded(31).orders(13));
    unpack(&bench, "schema-20.sql.gz");
    let tables = rows(
        &bench.db(),
        "select name from sqlite_schema where name like '%\\_history' escape '\\' and type = 'table'",
    );
    let tables: Vec<&str> =
        tables.iter().map(|name| name.trim_matches('\'').trim_end_matches("_history")).collect();
    let mut kept = columns(&bench.db());
    // What is derived is made anew.
    kept.retain(|table, _| !["meta", "data_dictionary", "data_objects"].contains(&table.as_str()));
    let before = content(&bench.db(), &kept);
    assert!(
        bench.count("select count(*) from resources_history where version > 1") > 0,
        "rows changed twice"
    );
    assert!(
        bench.count("select count(*) from resources_history where ended_run is null") > 0,
        "some were deleted"
    );

    drop(Warehouse::open(&bench.warehouse()).expect("an up-to-date warehouse"));
    assert_eq!(content(&bench.db(), &kept), before);
    let assert_chains = || {
        let db = bench.db();
        for table in &tables {
            let key = rows(&db, &format!("select name from pragma_table_info('{table}') where pk > 0"));
            let key = key.join(", ").replace('\'', "");
            // Only a row that was deleted by hand and came back was not there in between.
            let broken = format!(
                "select * from (
                     select *, lag(to_commit) over life as former, lag(first_seen_run) over life as former_life,
                         lead(from_commit) over life as next
                     from {table}_versions window life as (partition by {key} order by from_commit))
                 where from_commit = 0 or to_commit <= from_commit or to_commit is null and next is not null
                     or former > from_commit or former < from_commit and former_life = first_seen_run"
            );
            assert_eq!(rows(&db, &broken), [""; 0], "{table}");
            let order = format!(
                "select * from {table}_versions as v join commits as c on c.commit_no = v.to_commit
                 where c.origin = 'derived' and c.at <> v.valid_to"
            );
            assert_eq!(rows(&db, &order), [""; 0], "{table}: a version ended when its commit was");
        }
        assert_eq!(
            bench.count("select count(*) from commits"),
            bench.count("select max(commit_no) from commits")
        );
        let times = "select count(*) from commits as c join commits as n on n.commit_no = c.commit_no + 1 where n.at < c.at";
        assert_eq!(bench.count(times), 0);
    };
    assert_chains();
    let last = bench.count("select max(commit_no) from commits where origin = 'derived'");
    bench.run(&["--full"]);
    assert!(bench.count("select min(commit_no) from commits where origin = 'written'") > last);
    assert!(bench.count(&format!("select count(*) from resources_versions where from_commit > {last}")) > 0);
    assert_chains();
    assert_sound(&bench);
}
