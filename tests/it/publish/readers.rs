//! Who reads the copy or the warehouse while it is published: nobody waits, nobody is disturbed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Output};
use std::time::Duration;

use super::{copy, loaded, publish};
use crate::fixtures::rows;
use sim::{Endpoint, Fault, Hold};

/// A user, and a group, that owns nothing here: nobody.
const NOBODY: &str = "65534";

#[test]
fn who_reads_the_former_copy_reads_it_to_the_end() {
    let bench = loaded();
    publish(&bench).expect_code(0);
    let file = bench.path("finance.sqlite");
    let reader = copy(&file);
    reader.execute_batch("begin").expect("begun");
    assert_eq!(rows(&reader, "select count(*) from orders"), ["8"]);
    let inode = fs::metadata(&file).expect("a file").ino();
    bench
        .writable_db()
        .execute("delete from orders where order_id = (select max(order_id) from orders)", [])
        .expect("deleted");
    publish(&bench).expect_code(0);
    assert_ne!(fs::metadata(&file).expect("a file").ino(), inode, "it is another file");
    assert_eq!(rows(&reader, "select count(*) from orders"), ["8"]);
    assert_eq!(rows(&reader, "pragma integrity_check"), ["'ok'"]);
    reader.execute_batch("commit").expect("ended");
    assert_eq!(rows(&reader, "select count(*) from orders"), ["8"], "until it opens the file anew");
    assert_eq!(rows(&copy(&file), "select count(*) from orders"), ["7"]);
}

#[test]
fn who_reads_or_locks_the_warehouse_does_not_keep_it_from_publication() {
    let bench = loaded();
    let reader = bench.db();
    reader.execute_batch("begin; select count(*) from orders;").expect("a transaction");
    let locker = bench.writable_db();
    locker.execute_batch("begin immediate; delete from order_lines;").expect("a lock");
    publish(&bench).expect_code(0);
    let lines = "select count(*) > 0 from order_lines";
    assert_eq!(
        rows(&copy(&bench.path("finance.sqlite")), lines),
        ["1"],
        "what is not committed is not copied"
    );
    locker.execute_batch("rollback").expect("unlocked");
}

/// Asks the copy as another user; `None`: this test cannot become one.
fn ask_as_nobody(file: &std::path::Path, sql: &str) -> Option<Output> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let has_tools =
        ["setpriv", "sqlite3"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !is_root || !has_tools {
        println!("skipped: needs root to become another user, and the tools setpriv and sqlite3");
        return None;
    }
    let as_nobody = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "sqlite3", "-readonly"];
    Some(Command::new("setpriv").args(as_nobody).arg(file).arg(sql).output().expect("started"))
}

#[test]
fn another_user_of_the_group_reads_the_copy_while_a_run_writes() {
    let bench = loaded();
    bench.append_config(&format!("group = \"{NOBODY}\"\n"));
    // Others may look into the folder, and nobody but its owner writes to it.
    fs::set_permissions(bench.path(""), fs::Permissions::from_mode(0o755)).expect("set");
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let mut run = bench.spawn(&["run", "-q"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the run asks");
    let file = bench.path("finance.sqlite");
    // Only root may give a file to a group it is not in.
    let code = publish(&bench).code;
    if code == Some(0)
        && let Some(answer) =
            ask_as_nobody(&file, "select count(*) from v_orders; select accounts from about")
    {
        assert_eq!(String::from_utf8_lossy(&answer.stdout), "8\n1\n", "{answer:?}");
        let refused = ask_as_nobody(&file, "create table mine (x)").expect("asked before");
        assert!(!refused.status.success(), "{refused:?}");
        let live = ask_as_nobody(&bench.warehouse(), "select count(*) from orders").expect("asked before");
        assert!(!live.status.success(), "the warehouse is its owner's alone: {live:?}");
    }
    hold.release();
    assert_eq!(run.wait().expect("an end").code(), Some(0));
}
