//! What a person sees while a run goes on: a live display on a terminal, plain lines in a pipe, nothing when quiet.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use nix::pty::{Winsize, openpty};

use crate::fixtures::bench;
use sim::{Endpoint, Fault, Hold};
use support::Bench;

/// A terminal of 80 columns, with a worker's standard error on it.
struct Terminal {
    screen: File,
    seen: String,
}

impl Terminal {
    fn start(bench: &Bench, arguments: &[&str]) -> (Self, std::process::Child) {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("a terminal");
        let mut command = bench.command(arguments);
        command.env("TERM", "xterm").stdout(Stdio::piped()).stderr(Stdio::from(pair.slave));
        let child = command.spawn().expect("the program starts");
        (Self { screen: File::from(pair.master), seen: String::new() }, child)
    }

    /// Reads what is drawn until these words stand there, or until nobody draws any more.
    fn wait_for(&mut self, words: &str) -> bool {
        let mut bytes = [0; 4096];
        while !self.seen.contains(words) {
            // The terminal of a process that ended fails to be read.
            let Ok(count @ 1..) = self.screen.read(&mut bytes) else { return false };
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        true
    }
}

#[test]
fn a_terminal_has_a_live_display_that_log_lines_do_not_tear() {
    let bench = bench();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Details, Fault::Hold(hold.clone()));
    bench.sim.push_fault(Endpoint::Orders, Fault::status(500, "CBC.0999", "Internal error."));
    let (mut terminal, child) = Terminal::start(&bench, &["run", "-v", "orders", "order_lines"]);
    // The command was given its end of the terminal; ours must not keep it open.
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    assert!(terminal.wait_for("acme order_lines"), "{}", terminal.seen);
    hold.release();
    while terminal.wait_for("what nobody writes") {}
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0), "{}", terminal.seen);
    assert!(terminal.seen.contains("JOB") && terminal.seen.contains("REQ/S"), "{}", terminal.seen);
    // A log line begins where a line ended or where the display was wiped away: behind a movement of the cursor.
    let logs = terminal.seen.match_indices(" answer ").map(|(at, _)| &terminal.seen[..at]);
    let begins = logs.filter_map(|before| before.rfind("\u{1b}[2m20").map(|at| &before[..at]));
    let torn = begins.filter(|before| {
        let is_moved = before.rfind("\u{1b}[").is_some_and(|at| {
            let moved = &before[at + 2..];
            moved.len() <= 4 && moved.ends_with(['A', 'K'])
        });
        !(before.is_empty() || before.ends_with('\n') || is_moved)
    });
    assert_eq!(torn.count(), 0, "{}", terminal.seen);
}

#[test]
fn a_terminal_that_cannot_draw_and_a_quiet_run_have_no_display() {
    let bench = bench();
    for (arguments, kind) in [(&["run", "-q", "orders"][..], "xterm"), (&["run", "orders"], "dumb")] {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("a terminal");
        let mut command = bench.command(arguments);
        command.env("TERM", kind).stdout(Stdio::piped()).stderr(Stdio::from(pair.slave));
        let child = command.spawn().expect("the program starts");
        drop(command);
        let mut terminal = Terminal { screen: File::from(pair.master), seen: String::new() };
        assert!(!terminal.wait_for("REQ/S"), "{}", terminal.seen);
        assert_eq!(child.wait_with_output().expect("an end").status.code(), Some(0));
        assert_eq!(terminal.seen, "", "{kind}");
    }
}
