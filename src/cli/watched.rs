//! Work on the warehouse that listens to signals and shows how far it is.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::common::Common;
use super::logging::is_journal;
use super::pace::Watch;
use super::screen::{self, Display};
use crate::config::{Config, LogFormat};
use crate::error::Failure;
use crate::run::{RunError, RunProgress};
use crate::warehouse::{Warehouse, Writer};

/// How often progress is written where it cannot be drawn.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// What the system may still do for us when all is done, like looking up a name, is waited for so long.
pub(super) const LEFTOVERS: Duration = Duration::from_secs(1);

/// Opens the warehouse for writing, works, and returns when everything is on disk and the lock is given back. The work is
/// told when to stop between two pages.
pub(super) fn with_warehouse<T>(
    common: &Common,
    config: &Config,
    work: impl AsyncFnOnce(&Writer, &Arc<RunProgress>, watch::Receiver<bool>) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let runtime = runtime()?;
    let warehouse = Warehouse::open(&config.warehouse)?;
    let (writer, thread) = Writer::start(warehouse)?;
    let result =
        runtime.block_on(with_signals_and_progress(work, &writer, ProgressShown::of(common, config)));
    drop(writer);
    runtime.shutdown_timeout(LEFTOVERS);
    // The thread ends with the last writer; waiting for it keeps the lock until everything is on disk.
    let _ = thread.join();
    result
}

/// How progress is shown.
enum ProgressShown {
    Nowhere,
    /// A few lines now and then.
    InLines(Watch),
    /// A display that is drawn again and again.
    Live(Watch, Display),
}

impl ProgressShown {
    /// Progress is for people: not when they ask for quiet, and not between log lines that a machine reads or the journal keeps.
    fn of(common: &Common, config: &Config) -> Self {
        if common.quiet || config.log.format != LogFormat::Text || is_journal() {
            Self::Nowhere
        } else if screen::is_live() {
            Self::Live(Watch::default(), Display::default())
        } else {
            Self::InLines(Watch::default())
        }
    }

    const fn interval(&self) -> Duration {
        match self {
            Self::Nowhere | Self::InLines(_) => PROGRESS_INTERVAL,
            Self::Live(..) => screen::DRAWN_EVERY,
        }
    }

    fn show(&mut self, progress: &RunProgress) {
        match self {
            Self::Nowhere => {}
            Self::InLines(watch) => {
                let mut lines = watch.sentences(progress).join("\n");
                if !lines.is_empty() {
                    lines.push('\n');
                }
                // Progress that nobody can see is no failure.
                let _ = std::io::stderr().write_all(lines.as_bytes());
            }
            Self::Live(watch, display) => display.show(watch.table(progress)),
        }
    }
}

async fn with_signals_and_progress<T>(
    work: impl AsyncFnOnce(&Writer, &Arc<RunProgress>, watch::Receiver<bool>) -> Result<T, RunError>,
    writer: &Writer,
    mut shown: ProgressShown,
) -> Result<T, Failure> {
    let (stopper, stop) = watch::channel(false);
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|error| system("could not listen for SIGTERM", &error))?;
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(|error| system("could not listen for SIGINT", &error))?;
    let progress = Arc::new(RunProgress::default());
    // The work's state is large, and lives on the heap.
    let mut working = Box::pin(work(writer, &progress, stop));
    let interval = shown.interval();
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    loop {
        tokio::select! {
            result = &mut working => return Ok(result?),
            _ = terminate.recv() => finish_page(&stopper),
            _ = interrupt.recv() => finish_page(&stopper),
            _ = ticks.tick() => shown.show(&progress),
        }
    }
}

fn finish_page(stopper: &watch::Sender<bool>) {
    stopper.send_replace(true);
    tracing::info!("asked to stop; finishing the pages in hand");
}

/// What work on the warehouse runs on.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().map_err(|error| system("could not start", &error))
}

pub(super) fn system(what: &'static str, error: &std::io::Error) -> Failure {
    Failure::System { what, detail: error.to_string() }
}
