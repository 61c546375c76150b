//! The warehouse cannot be opened, read or written.

use std::fs;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;

use super::{assert_recovers, call, loaded, steady, stored};
use crate::fixtures::{bench, rows};
use sim::{self, Endpoint, Fault, Hold, Script};
use support::Bench;

#[test]
fn a_warehouse_of_a_newer_program_is_left_alone() {
    let (bench, before) = loaded();
    let known = bench.count("pragma user_version");
    bench.writable_db().pragma_update(None, "user_version", known + 1).expect("set");
    let bytes = fs::read(bench.warehouse()).expect("a file");
    let ran = call(&bench, &[]).expect_code(6);
    // The numbers grow with each migration.
    let told = ran
        .stderr
        .replace(&format!("schema {}", known + 1), "schema N + 1")
        .replace(&format!("up to {known}"), "up to N");
    steady(&bench).bind(|| {
        insta::assert_snapshot!(told, @"
    bss-sync: the warehouse ./billing.sqlite has schema N + 1, this program knows up to N
      nothing was written to it; upgrade bss-sync, or point `warehouse.path` at another file
    ");
    });
    assert_eq!(bench.call(&["status"]).code, Some(6));
    assert_eq!(fs::read(bench.warehouse()).expect("a file"), bytes, "not one byte was written");
    bench.writable_db().pragma_update(None, "user_version", known).expect("set");
    assert_recovers(&bench, &before);
}

#[test]
fn another_programs_database_is_left_alone() {
    let bench = bench();
    let foreign = Connection::open(bench.warehouse()).expect("a database");
    foreign
        .execute_batch("create table notes (text text); insert into notes values ('mine');")
        .expect("made");
    drop(foreign);
    let bytes = fs::read(bench.warehouse()).expect("a file");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: ./billing.sqlite is not a bss-sync warehouse
      nothing was written to it; point `warehouse.path` at another file
    ");
    });
    assert_eq!(fs::read(bench.warehouse()).expect("a file"), bytes, "not one byte was written");
    fs::remove_file(bench.warehouse()).expect("removed");
    bench.run(&[]).expect_code(0);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let bench = bench();
    let text = "account,order,amount\nacme,CS1,1.00\n".repeat(200);
    fs::write(bench.warehouse(), &text).expect("written");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: ./billing.sqlite is not a bss-sync warehouse
      nothing was written to it; point `warehouse.path` at another file
    ");
    });
    assert_eq!(fs::read_to_string(bench.warehouse()).expect("a file"), text);
    fs::remove_file(bench.warehouse()).expect("removed");
    bench.run(&[]).expect_code(0);
}

#[test]
fn a_damaged_warehouse_is_reported_and_a_restored_one_goes_on() {
    let (bench, before) = loaded();
    let good = fs::read(bench.warehouse()).expect("a file");
    let mut bytes = good.clone();
    // Every page but the first, which says that this is our file.
    bytes[4096..].fill(0x5a);
    fs::write(bench.warehouse(), &bytes).expect("written");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @"
    bss-sync: the warehouse ./billing.sqlite is damaged: database disk image is malformed
      nothing more was written to it; keep a copy, restore the last backup to this path and run again: what is missing since is read again
    "));
    let ran = bench.call(&["status"]).expect_code(6);
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
    fs::write(bench.warehouse(), good).expect("restored");
    assert_recovers(&bench, &before);
}

#[test]
fn a_damaged_or_cut_page_of_the_file_is_reported_by_the_run_that_meets_it() {
    let (bench, before) = loaded();
    let good = fs::read(bench.warehouse()).expect("a file");
    let page = bench.count("select rootpage from sqlite_schema where name = 'orders'");
    let page = usize::try_from(page).expect("a page") * 4096;
    let mut damaged = good.clone();
    damaged[page - 4096..page].fill(0x5a);
    let mut cut = good.clone();
    cut.truncate(good.len() / 8192 * 4096);
    for bytes in [damaged, cut] {
        fs::write(bench.warehouse(), &bytes).expect("written");
        let ran = call(&bench, &["orders", "--full"]).expect_code(6);
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains("the warehouse ./billing.sqlite is damaged"), "{said}");
        assert!(said.contains("restore the last backup"), "{said}");
        fs::write(bench.warehouse(), &good).expect("restored");
        for left in ["billing.sqlite-wal", "billing.sqlite-shm"] {
            // What a restore from a backup removes as well.
            let _ = fs::remove_file(bench.path(left));
        }
    }
    assert_recovers(&bench, &before);
}

#[test]
fn an_empty_file_becomes_a_warehouse() {
    let bench = bench();
    fs::write(bench.warehouse(), "").expect("written");
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.count("select count(*) from orders"), 8);
}

/// A file size limit stands for a full disk: the system refuses to let the file grow.
#[test]
fn a_disk_that_fills_up_loses_nothing_that_was_stored() {
    let script = Script::seeded(11).orders(2_000);
    let bench = Bench::new(script);
    bench.run(&["service_types"]).expect_code(0);
    let before = stored(&bench);
    let limit = fs::metadata(bench.warehouse()).expect("a file").len() / 512 + 400;
    let mut full = Command::new("sh");
    full.arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" run -q orders"))
        .arg(env!("CARGO_BIN_EXE_bss-sync"))
        .current_dir(bench.path(""))
        .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)]);
    let output = full.output().expect("a shell");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    let paragraph = said.split_once("\n\n").map_or(said.as_str(), |(_, paragraph)| paragraph);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph, @"
        acme orders: the disk failed to read or write the warehouse ./billing.sqlite: disk I/O error
          check the disk, its free space and this user's file size limit (ulimit -f), then run again: nothing stored is lost
        ");
    });
    assert_eq!(rows(&bench.db(), "pragma integrity_check"), ["'ok'"]);
    let after = stored(&bench);
    assert_eq!(after["service_types"], before["service_types"]);
    bench.run(&["orders"]).expect_code(0);
    let kept = stored(&bench);
    assert!(after["orders"].iter().all(|row| kept["orders"].contains(row)), "what was stored stays");
    let truth = bench.sim.truth();
    let known = truth.order_ids(&sim::Scope::Own).len();
    drop(truth);
    assert_eq!(
        bench.count("select count(*) from orders where parent_order_id is null"),
        i64::try_from(known).expect("few")
    );
}

/// A small disk of its own, where the system allows one.
#[test]
fn a_disk_that_is_full_is_named_and_freed_space_is_all_it_needs() {
    const NO_DISK: i32 = 99;
    let bench = Bench::new(Script::seeded(11).orders(2_000));
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    fs::create_dir(bench.path("disk")).expect("a folder");
    fs::create_dir(bench.path("saved")).expect("a folder");
    bench.write_config(&config.replace("billing.sqlite", "disk/billing.sqlite"));
    // Room for the empty warehouse, however large, and for some of the orders.
    let script = format!(
        "mount -t tmpfs -o size=32m none disk || exit {NO_DISK}
         \"$0\" run -q service_types >/dev/null || exit {NO_DISK}
         head -c $(($(df --output=avail -B1 disk | tail -n 1) - 300000)) /dev/zero >disk/filler
         \"$0\" run -q orders; code=$?; rm disk/filler; cp disk/* saved; exit $code"
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, env!("CARGO_BIN_EXE_bss-sync")])
        .current_dir(bench.path(""))
        .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)])
        .output();
    let output = match output {
        Ok(output) if output.status.code().is_some_and(|code| code != NO_DISK && code != 1) => output,
        refused => {
            println!("skipped: the system gives no disk to test with: {refused:?}");
            return;
        }
    };
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    let paragraph = said.split_once("\n\n").map_or(said.as_str(), |(_, paragraph)| paragraph);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph, @"
    acme orders: the disk is full: could not write to the warehouse ./disk/billing.sqlite
      free some space and run again: nothing stored is lost, the run goes on from its last page
    ");
    });
    bench.write_config(&config.replace("billing.sqlite", "saved/billing.sqlite"));
    bench.run(&["orders"]).expect_code(0);
    let saved = Connection::open(bench.path("saved/billing.sqlite")).expect("a warehouse");
    assert_eq!(rows(&saved, "pragma integrity_check"), ["'ok'"]);
    let known = bench.sim.truth().order_ids(&sim::Scope::Own).len();
    assert_eq!(
        rows(&saved, "select count(*) from orders where parent_order_id is null"),
        [known.to_string()]
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = bench();
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("billing.sqlite", "nowhere/billing.sqlite"));
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @"
    bss-sync: could not open or write the warehouse ./nowhere/billing.sqlite.lock: No such file or directory (os error 2)
      check that the folder exists and that this user may write to it, then run again: nothing stored is lost
    "));
    bench.write_config(&config);
    bench.run(&[]).expect_code(0);
}

#[test]
fn a_folder_that_is_read_only_is_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (bench, before) = loaded();
    if fs::metadata(bench.path("bss-sync.toml")).is_ok_and(|file| file.uid() == 0) {
        println!("skipped: the system lets root write into any folder");
        return;
    }
    let folder = bench.path("");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).expect("set");
    fs::set_permissions(bench.warehouse(), fs::Permissions::from_mode(0o400)).expect("set");
    let ran = call(&bench, &[]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("set");
    fs::set_permissions(bench.warehouse(), fs::Permissions::from_mode(0o600)).expect("set");
    let ran = ran.expect_code(6);
    assert!(ran.stderr.contains("could not open or write the warehouse"), "{}", ran.stderr);
    assert_recovers(&bench, &before);
}

#[test]
fn another_program_that_writes_to_the_warehouse_is_told_to_be_closed() {
    let (bench, before) = loaded();
    let other = bench.writable_db();
    other.execute_batch("begin immediate").expect("a lock");
    let ran = call(&bench, &["orders"]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: another program holds a write lock on the warehouse ./billing.sqlite
      close the program that writes to it, then run again: nothing stored is lost
    ");
    });
    other.execute_batch("rollback").expect("unlocked");
    drop(other);
    assert_recovers(&bench, &before);
}

#[test]
fn a_reader_with_an_open_transaction_disturbs_nothing() {
    let (bench, before) = loaded();
    let reader = bench.db();
    reader.execute_batch("begin; select count(*) from orders;").expect("a snapshot");
    assert_recovers(&bench, &before);
    assert_eq!(rows(&reader, "select count(*) from orders"), ["8"]);
}

#[test]
fn a_second_worker_is_refused_and_the_first_finishes() {
    let bench = bench();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let mut first = bench.spawn(&["run", "orders"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the first worker asks");
    let second = call(&bench, &[]).expect_code(75);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(second.stderr, @"
        bss-sync: another worker holds the warehouse ./billing.sqlite (process PID, since TIME)
          wait until it ends, or stop it with SIGTERM: it then ends after the page in hand, and nothing it read is lost
        ");
    });
    hold.release();
    assert_eq!(first.wait().expect("an end").code(), Some(0));
    bench.run(&[]).expect_code(0);
}
