//! Log lines: to standard error, as text or JSON, and never with a secret.

use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::common::Common;
use super::screen::LogLines;
use crate::config::{Log, LogFormat};

/// Libraries on the way of requests. At their loudest they print headers, and tokens stand in headers: they
/// are kept at warnings whatever is asked for.
const LIBRARIES: &[&str] = &["h2", "hyper", "hyper_util", "reqwest", "rustls", "tower"];

/// Starts logging; `-v` and `-q` win over the configuration.
pub(super) fn start(common: &Common, log: &Log) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::from_level(log.level),
        (false, 1) => LevelFilter::from_level(log.level).max(LevelFilter::DEBUG),
        (false, _) => LevelFilter::TRACE,
    };
    let targets = LIBRARIES.iter().fold(Targets::new().with_default(level), |targets, library| {
        targets.with_target(*library, level.min(LevelFilter::WARN))
    });
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let ansi = !no_color && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Text if is_journal() => {
            let plain = fmt::format().without_time().with_target(false).with_ansi(false);
            lines.with_ansi(false).event_format(ForJournal(plain)).boxed()
        }
        LogFormat::Text => fmt::layer().with_writer(|| LogLines).with_ansi(ansi).with_target(false).boxed(),
        // A run is the only span there is.
        LogFormat::Json => lines.json().with_span_list(false).boxed(),
    };
    // A second start, as in tests, keeps the first's settings.
    let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
}

/// Whether systemd's journal reads standard error: it tells the device and the inode of what it listens to (systemd.exec(5)).
/// The variable alone says nothing, because whatever a service starts inherits it.
pub(super) fn is_journal() -> bool {
    let Some(told) = std::env::var_os("JOURNAL_STREAM") else { return false };
    fstat(std::io::stderr())
        .is_ok_and(|ours| told.as_bytes() == format!("{}:{}", ours.st_dev, ours.st_ino).as_bytes())
}

/// Lines for the journal: it has the time by itself, and takes the priority from their beginning (sd-daemon(3)), so that
/// `journalctl --priority warning` finds what it should.
struct ForJournal(Format<Full, ()>);

impl<S, N> FormatEvent<S, N> for ForJournal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        self.0.format_event(context, writer, event)
    }
}
