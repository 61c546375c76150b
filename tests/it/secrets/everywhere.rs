//! Every fault of the simulator, every command and every kind of file, searched for secrets.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use flate2::read::DeflateDecoder;

use super::{assert_holds_none, assert_silent, bench, loud, secrets};
use sim::{Endpoint, Fault, Hold};
use support::{Bench, Login, Ran};

const LOGINS: [Login; 3] = [Login::Keys, Login::TemporaryKeys, Login::Token];

/// One of each kind, and more of those that the program tells apart.
fn faults() -> Vec<Fault> {
    let released = Hold::new();
    released.release();
    vec![
        Fault::status(400, "CBC.0100", "Parameter error."),
        Fault::status(401, "APIGW.0301", "verify aksk signature fail"),
        Fault::status(403, "CBC.0151", "Access denied."),
        Fault::status(404, "APIGW.0101", "no such interface"),
        Fault::status(503, "CBC.0999", "try again"),
        Fault::Throttle { retry_after: None },
        Fault::Throttle { retry_after: Some("1".to_owned()) },
        Fault::DailyQuota,
        Fault::HangUp,
        Fault::HalfBody,
        Fault::Html200,
        Fault::Html502,
        Fault::ErrorIn200,
        Fault::EmptyPage,
        Fault::ShortPage,
        Fault::RepeatPage,
        Fault::RepeatEarlier,
        Fault::WrongTotal(-1),
        Fault::TotalOff(1),
        Fault::HonestTotalOfPage,
        Fault::IgnoreLimit(1),
        Fault::MissingTotal,
        Fault::StringTotal,
        Fault::Redirect("http://127.0.0.1:1/".to_owned()),
        Fault::TokenExpired,
        Fault::Hold(released),
        Fault::mutate(|_| ()),
    ]
}

/// The kind of a fault; whoever adds one is told here that `faults` lacks it.
fn kind(fault: &Fault) -> usize {
    match fault {
        Fault::Status { .. } => 0,
        Fault::Throttle { .. } => 1,
        Fault::DailyQuota => 2,
        Fault::HangUp => 3,
        Fault::HalfBody => 4,
        Fault::Html200 => 5,
        Fault::Html502 => 6,
        Fault::ErrorIn200 => 7,
        Fault::EmptyPage => 8,
        Fault::ShortPage => 9,
        Fault::RepeatPage => 10,
        Fault::RepeatEarlier => 11,
        Fault::WrongTotal(_) => 12,
        Fault::TotalOff(_) => 13,
        Fault::HonestTotalOfPage => 14,
        Fault::IgnoreLimit(_) => 15,
        Fault::MissingTotal => 16,
        Fault::StringTotal => 17,
        Fault::Redirect(_) => 18,
        Fault::TokenExpired => 19,
        Fault::Hold(_) => 20,
        Fault::Mutate(_) => 21,
    }
}

#[test]
fn no_secret_is_told_whatever_the_vendor_does() {
    let kinds: std::collections::BTreeSet<usize> = faults().iter().map(kind).collect();
    assert_eq!(kinds.len(), 22, "one of each kind");
    for login in LOGINS {
        let bench = bench(login);
        for fault in faults() {
            bench.sim.push_fault(Endpoint::Orders, fault);
            let ran = loud(&bench, &["orders", "--full"]);
            assert!(ran.code.is_some_and(|code| code <= 5), "{ran:?}");
            assert_silent(&bench, &ran, &secrets(login));
        }
    }
}

#[test]
fn no_secret_is_told_when_no_token_is_given() {
    let bench = bench(Login::Token);
    for fault in [
        Fault::status(400, "IAM.0011", "Request body is invalid."),
        Fault::status(401, "IAM.0001", "wrong password"),
        Fault::status(500, "IAM.0006", "internal error"),
        Fault::HangUp,
        Fault::HalfBody,
        Fault::Html200,
        Fault::Html502,
        Fault::Redirect("http://127.0.0.1:1/".to_owned()),
    ] {
        bench.sim.push_fault(Endpoint::Tokens, fault);
        let ran = loud(&bench, &["orders", "--full"]);
        assert_silent(&bench, &ran, &secrets(Login::Token));
    }
}

/// The parts of a zip archive, decompressed; archives of one pass do not tell sizes before the parts.
fn unpacked(archive: &[u8]) -> Vec<Vec<u8>> {
    const HEADER: &[u8] = b"PK\x03\x04";
    let starts = archive.windows(4).enumerate().filter(|(_, bytes)| *bytes == HEADER).map(|(at, _)| at);
    let length = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    starts
        .map(|at| {
            let mut part = Vec::new();
            let data = at + 30 + length(at + 26) + length(at + 28);
            DeflateDecoder::new(&archive[data..]).read_to_end(&mut part).expect("a compressed part");
            part
        })
        .collect()
}

#[test]
fn no_command_tells_a_secret_and_no_file_holds_one() {
    for login in LOGINS {
        let bench = bench(login);
        loud(&bench, &[]).expect_code(0);
        for arguments in [
            &["verify", "--repair"][..],
            &["plan"],
            &["status"],
            &["status", "--output", "json"],
            &["history"],
            &["jobs"],
            &["explain", "CS2601050210DEMO1"],
            &["publish"],
            &["export", "v_orders"],
            &["export", "runs"],
            &["export", "coverage"],
            &["export", "v_orders", "runs", "coverage", "meta", "--format", "xlsx", "--to", "exported.xlsx"],
            &["man", "man"],
            &["completions", "bash"],
            &["--help"],
            &["run", "--help"],
        ] {
            let ran = bench.call(&[&["-vv"], arguments].concat()).expect_code(0);
            assert_silent(&bench, &ran, &secrets(login));
        }
        for file in ["billing.sqlite", "copy.sqlite", "bss_sync.prom", "runs.csv", "exported.xlsx", "man"] {
            assert!(bench.path(file).exists(), "{file} was searched");
        }
        let workbook = unpacked(&fs::read(bench.path("exported.xlsx")).expect("a workbook"));
        assert!(
            workbook.iter().any(|part| part.windows(10).any(|bytes| bytes == b"<sheetData")),
            "{workbook:?}"
        );
        for part in &workbook {
            assert_holds_none("the workbook", part, &secrets(login));
        }
    }
}

/// Runs until a request for resources waits, when most is stored and still in the log; then the worker is killed.
fn killed(bench: &Bench) -> Ran {
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Resources, Fault::Hold(hold.clone()));
    let mut child = bench.spawn(&["-vv", "run"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    child.kill().expect("killed");
    let output = child.wait_with_output().expect("an end");
    hold.release();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_killed_worker_leaves_no_secret_in_the_log_of_the_warehouse() {
    for login in LOGINS {
        let bench = bench(login);
        let ran = killed(&bench);
        assert!(fs::metadata(bench.path("billing.sqlite-wal")).expect("a log").len() > 0);
        assert_silent(&bench, &ran, &secrets(login));
    }
}

#[test]
fn the_memory_with_the_secrets_is_not_dumped() {
    let dumps = |program: &mut Command| {
        let status = program.status().expect("a shell");
        status.core_dumped()
    };
    let folder = tempfile::TempDir::new().expect("a folder");
    let ordinary = "ulimit -c unlimited; cd \"$1\"; exec sh -c 'kill -ABRT $$'";
    if !dumps(Command::new("sh").args(["-c", ordinary, "sh"]).arg(folder.path())) {
        println!("nothing is dumped here, whatever aborts: not tried");
        return;
    }
    let bench = bench(Login::Keys);
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let program = env!("CARGO_BIN_EXE_bss-sync");
    let mut child = Command::new("sh");
    child.args(["-c", "ulimit -c unlimited; exec \"$0\" -q run", program]);
    let prepared = bench.command(&[]);
    child.current_dir(bench.path("")).env_clear();
    child.envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = child.spawn().expect("a shell");
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    let aborted = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().expect("kill");
    assert!(aborted.success());
    let status = child.wait().expect("an end");
    hold.release();
    assert_eq!(status.signal(), Some(6), "{status:?}");
    assert!(!status.core_dumped(), "{status:?}");
}
