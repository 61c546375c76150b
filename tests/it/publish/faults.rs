//! Whatever happens while the copy is made: the former copy stays, in full.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use rusqlite::Connection;

use super::{beside, content, copy, loaded, publish};
use crate::cli::steady;
use crate::fixtures::{bench, rows};
use sim::dice::Dice;
use sim::{self, Script};
use support::Bench;

/// The former copy is as it was, and nothing lies beside it.
#[track_caller]
fn assert_untouched(bench: &Bench, former: &[u8]) {
    assert_eq!(fs::read(bench.path("finance.sqlite")).expect("a copy"), former);
    assert_eq!(beside(bench), ["finance.sqlite"]);
}

#[test]
fn forty_kills_leave_the_former_copy_or_the_new_one() {
    let bench = Bench::new(Script::seeded(77).orders(2_000));
    bench.run(&["orders"]).expect_code(0);
    bench.append_config("[publish]\npath = \"finance.sqlite\"\n");
    publish(&bench).expect_code(0);
    let file = bench.path("finance.sqlite");
    let expected = content(&copy(&file));
    let size = fs::metadata(&file).expect("a copy").len();
    let draft = bench.path("finance.sqlite.publishing");
    let mut dice = Dice::new(77);
    let (mut unfinished, mut finished) = (0, 0);
    for _ in 0..40 {
        // After so many bytes, and then so many looks at the file, because the checks that follow write nothing.
        let (bytes, looks) = (dice.below(size * 5 / 4), dice.below(2_000));
        let mut process = bench.spawn(&["publish", "-q"]);
        let mut seen = 0;
        while process.try_wait().expect("a process").is_none() && seen <= looks {
            let is_reached = fs::metadata(&draft).is_ok_and(|draft| draft.len() >= bytes.min(size));
            seen += u64::from(is_reached);
            std::thread::yield_now();
        }
        let _ = process.kill();
        process.wait().expect("an end");
        if draft.exists() {
            unfinished += 1;
        } else {
            finished += 1;
        }
        let copy = copy(&file);
        assert_eq!(rows(&copy, "pragma integrity_check"), ["'ok'"]);
        let now = content(&copy);
        for ((table, rows), (known, expected)) in now.iter().zip(&expected) {
            // When it was made is another time, and the month that runs is read up to then.
            assert!(table == known && (table == "about" || rows == expected), "{table}");
        }
    }
    println!("{unfinished} kills left an unfinished copy, {finished} did not");
    assert!(unfinished > 0);
    publish(&bench).expect_code(0);
    assert_eq!(beside(&bench), ["finance.sqlite"], "what killed processes left is removed");
}

#[test]
fn a_run_stopped_while_it_publishes_ends_and_leaves_a_whole_copy() {
    let bench = Bench::new(Script::seeded(78).orders(2_000));
    bench.append_config("[publish]\npath = \"finance.sqlite\"\nafter_run = true\n");
    bench.run(&["orders"]).expect_code(0);
    let draft = bench.path("finance.sqlite.publishing");
    let mut run = bench.spawn(&["run", "-q", "orders"]);
    while !draft.exists() && run.try_wait().expect("a process").is_none() {
        std::thread::yield_now();
    }
    let _ = Command::new("kill").arg("-TERM").arg(run.id().to_string()).status();
    // It may have been quicker.
    assert!([Some(0), Some(4)].contains(&run.wait().expect("an end").code()));
    assert_eq!(beside(&bench), ["finance.sqlite"]);
    assert_eq!(rows(&copy(&bench.path("finance.sqlite")), "pragma integrity_check"), ["'ok'"]);
    assert_eq!(bench.count("select count(*) from runs where outcome <> 'done'"), 0, "the run was over");
}

#[test]
fn what_a_killed_process_left_is_removed_and_a_living_one_is_let_be() {
    let bench = loaded();
    let left = bench.path("finance.sqlite.publishing");
    fs::write(&left, "half a copy").expect("written");
    fs::write(bench.path("finance.sqlite.publishing-journal"), "half a journal").expect("written");
    let living = File::open(&left).expect("opened");
    living.lock().expect("locked");
    let ran = publish(&bench).expect_code(75);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: another process is publishing: it writes ./finance.sqlite.publishing
      wait until it ends; nothing was replaced
    ");
    });
    assert_eq!(fs::read_to_string(&left).expect("there"), "half a copy");
    drop(living);
    publish(&bench).expect_code(0);
    assert_eq!(beside(&bench), ["finance.sqlite"]);
}

/// A file size limit stands for a disk that fills up in the middle.
#[test]
fn a_disk_that_fills_up_in_the_middle_leaves_the_former_copy() {
    let bench = Bench::new(Script::seeded(11).orders(500));
    bench.run(&["orders"]).expect_code(0);
    bench.append_config("[publish]\npath = \"finance.sqlite\"\n");
    publish(&bench).expect_code(0);
    let former = fs::read(bench.path("finance.sqlite")).expect("a copy");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" publish", former.len() / 1024))
        .arg(env!("CARGO_BIN_EXE_bss-sync"))
        .current_dir(bench.path(""))
        .output()
        .expect("a shell");
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    steady(&bench).bind(|| { insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    bss-sync: could not write ./finance.sqlite.publishing: disk I/O error
      check that the folder exists, that this user may write to it, and its limits (ulimit -f); the former copy is as it was
    "); });
    assert_untouched(&bench, &former);
}

/// A small disk of its own, where the system allows one.
#[test]
fn a_disk_that_is_too_small_is_named_before_anything_is_written() {
    const NO_DISK: i32 = 99;
    let bench = Bench::new(Script::seeded(11).orders(500));
    bench.run(&["orders"]).expect_code(0);
    fs::create_dir(bench.path("disk")).expect("a folder");
    let script = format!(
        "mount -t tmpfs -o size=1m none disk || exit {NO_DISK}; \"$0\" publish --to disk/finance.sqlite; code=$?; ls disk; exit $code"
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
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing was written");
    let mut settings = steady(&bench);
    settings.add_filter(r"\d{5,}", "N");
    settings.bind(|| {
        insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    bss-sync: the folder disk has N bytes free, and publishing N bytes needs N
      free some space and publish again; the former copy is as it was
    ");
    });
}

#[test]
fn a_damaged_warehouse_is_not_published() {
    let bench = loaded();
    publish(&bench).expect_code(0);
    let former = fs::read(bench.path("finance.sqlite")).expect("a copy");
    let page = bench.count("select rootpage from sqlite_schema where name = 'orders'");
    let page = usize::try_from(page).expect("a page") * 4096;
    let mut bytes = fs::read(bench.warehouse()).expect("a file");
    bytes[page - 4096..page].fill(0x5a);
    fs::write(bench.warehouse(), bytes).expect("written");
    let ran = publish(&bench).expect_code(6);
    assert!(ran.stderr.contains("the warehouse ./billing.sqlite is damaged"), "{}", ran.stderr);
    assert_untouched(&bench, &former);
}

/// As under a unit with `PrivateUsers=yes`: the group has no number there, and nobody may give it files.
#[test]
fn where_no_file_can_be_given_to_a_group_the_folder_does_it() {
    const GROUP: u32 = 12_345;
    let bench = loaded();
    let folder = bench.path("finance");
    fs::create_dir(&folder).expect("a folder");
    if std::os::unix::fs::chown(&folder, None, Some(GROUP)).is_err() {
        println!("files cannot be given to groups here: not tried");
        return;
    }
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    let (config, _) = config.split_once("[publish]").expect("a copy");
    bench.write_config(&format!(
        "{config}[publish]\npath = \"finance/billing.sqlite\"\ngroup = \"{GROUP}\"\n"
    ));
    let publish = |mode: u32| {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("set");
        Command::new("unshare")
            .args(["--user", "--map-root-user", env!("CARGO_BIN_EXE_bss-sync"), "publish", "-q"])
            .current_dir(bench.path(""))
            .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)])
            .output()
            .expect("unshare")
    };
    let refused = publish(0o750);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    if said.contains("unshare") {
        println!("no user namespaces here: not tried");
        return;
    }
    assert_eq!(refused.status.code(), Some(6), "{said}");
    assert!(said.contains("chmod g+s") && said.contains("leave [publish] group out"), "{said}");
    let done = publish(0o2750);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let copy = fs::metadata(folder.join("billing.sqlite")).expect("a copy");
    assert_eq!((copy.gid(), copy.mode() & 0o777), (GROUP, 0o640));
}

#[test]
fn a_row_that_names_none_keeps_the_copy_from_being_published() {
    let bench = loaded();
    publish(&bench).expect_code(0);
    let former = fs::read(bench.path("finance.sqlite")).expect("a copy");
    let db = bench.writable_db();
    db.execute_batch("pragma foreign_keys = off; delete from runs where run_id = 1;").expect("deleted");
    let ran = publish(&bench).expect_code(6);
    steady(&bench).bind(|| { insta::assert_snapshot!(ran.stderr, @"
    bss-sync: the copy failed its check: row 1 of orders names a row of runs that is not there
      publish again; if it happens again, check the disk and report it with this message; the former copy is as it was
    "); });
    assert_untouched(&bench, &former);
}

#[test]
fn nothing_but_a_published_copy_is_replaced() {
    let bench = loaded();
    let at = |name: &str| bench.call(&["publish", "-q", "--to", name]);
    fs::write(bench.path("report.xlsx"), "a report").expect("written");
    steady(&bench).bind(|| {
        insta::assert_snapshot!(at("report.xlsx").expect_code(2).stderr, @"
    bss-sync: report.xlsx is no published copy
      it was left alone; name another file with --to or in the configuration: [publish] path
    ");
    });
    assert_eq!(fs::read_to_string(bench.path("report.xlsx")).expect("there"), "a report");
    let notes = Connection::open(bench.path("notes.sqlite")).expect("a database");
    notes.execute_batch("create table notes (text)").expect("made");
    at("notes.sqlite").expect_code(2);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(at("billing.sqlite").expect_code(2).stderr, @"
    bss-sync: billing.sqlite is a warehouse that runs write to
      it was left alone; name another file with --to or in the configuration: [publish] path
    ");
    });
    assert_eq!(bench.count("select count(*) from orders"), 8);
    // An empty file is nothing.
    fs::write(bench.path("new.sqlite"), "").expect("written");
    at("new.sqlite").expect_code(0);
    at("new.sqlite").expect_code(0);
}

#[test]
fn a_copy_that_somebody_wrote_to_is_left_to_a_person() {
    let bench = loaded();
    publish(&bench).expect_code(0);
    let former = fs::read(bench.path("finance.sqlite")).expect("a copy");
    let journal = bench.path("finance.sqlite-journal");
    fs::write(&journal, "what another program left").expect("written");
    steady(&bench).bind(|| {
        insta::assert_snapshot!(publish(&bench).expect_code(6).stderr, @"
    bss-sync: another program wrote to the published copy: ./finance.sqlite-journal lies beside it
      nothing was replaced; close that program, remove the file, and let finance only read the copy
    ");
    });
    fs::remove_file(journal).expect("removed");
    assert_untouched(&bench, &former);
    publish(&bench).expect_code(0);
}

#[test]
fn a_group_that_is_not_there_is_named_and_a_place_must_be() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    steady(&bench).bind(|| insta::assert_snapshot!(publish(&bench).expect_code(2).stderr, @r#"
    bss-sync: it is not said where to publish; name a file with --to FILE, or write in the configuration: [publish] path = "/srv/finance/billing.sqlite"
    "#));
    bench.append_config("[publish]\npath = \"finance.sqlite\"\ngroup = \"no-such-group\"\n");
    steady(&bench).bind(|| {
        insta::assert_snapshot!(publish(&bench).expect_code(2).stderr, @"
    bss-sync: there is no group `no-such-group`
      correct [publish] group, or create the group
    ");
    });
    assert_eq!(beside(&bench), [""; 0]);
}

#[test]
fn a_warehouse_of_an_older_program_is_not_published() {
    let bench = loaded();
    let known = bench.count("pragma user_version");
    bench.writable_db().pragma_update(None, "user_version", known - 1).expect("set");
    let ran = publish(&bench).expect_code(6);
    assert!(ran.stderr.contains("run `bss-sync run` first"), "{}", ran.stderr);
    assert_eq!(beside(&bench), [""; 0]);
}
