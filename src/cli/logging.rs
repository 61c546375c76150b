//! Log lines: to standard error, as text or JSON, and never with a secret.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::Common;
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
    let layer = match log.format {
        LogFormat::Text => fmt::layer().with_writer(|| LogLines).with_ansi(ansi).with_target(false).boxed(),
        LogFormat::Json => fmt::layer().with_writer(std::io::stderr).json().boxed(),
    };
    // A second start, as in tests, keeps the first's settings.
    let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
}
