//! The live display on a terminal, and log lines that do not tear it.

use std::io::{IsTerminal, Write};
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The one display of this process: log lines come from everywhere.
static SCREEN: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));

/// Times a second that the display is drawn anew: figures that change faster cannot be read.
pub(super) const DRAWN_EVERY: Duration = Duration::from_millis(250);

/// Whether standard error is a terminal that can move its cursor.
pub(super) fn is_live() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|kind| kind != "dumb")
}

/// Lines at the bottom of the terminal that change while everything else scrolls by above them. Gone when dropped.
#[derive(Debug, Default)]
pub(super) struct Display {
    lines: Vec<ProgressBar>,
}

impl Display {
    /// Shows these lines instead of those before.
    pub(super) fn show(&mut self, lines: Vec<String>) {
        while self.lines.len() < lines.len() {
            let line = ProgressBar::new_spinner();
            // The template is a constant.
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                line.set_style(style);
            }
            self.lines.push(SCREEN.add(line));
        }
        for line in self.lines.drain(lines.len()..) {
            SCREEN.remove(&line);
        }
        for (line, text) in self.lines.iter().zip(lines) {
            line.set_message(text);
            line.tick();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for line in &self.lines {
            line.finish_and_clear();
            SCREEN.remove(line);
        }
    }
}

/// Standard error for log lines: the display steps aside while one is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogLines;

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        SCREEN.suspend(|| std::io::stderr().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
