//! The table `[log]`: what is logged and how.

use crate::settings::Section;

/// What is logged and how; the command line may ask for more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Shape of a line.
    pub format: LogFormat,
    /// Least important lines that are still written.
    pub level: tracing::Level,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Reads the table.
pub(super) fn read(root: &Section<'_>) -> Log {
    let mut log = Log { format: LogFormat::Text, level: tracing::Level::INFO };
    if let Some(section) = root.table("log") {
        let format = section.read("format", |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("write \"text\" or \"json\"".to_owned()),
        });
        let level = section.read("level", |text| match text {
            "error" => Ok(tracing::Level::ERROR),
            "warn" => Ok(tracing::Level::WARN),
            "info" => Ok(tracing::Level::INFO),
            "debug" => Ok(tracing::Level::DEBUG),
            "trace" => Ok(tracing::Level::TRACE),
            _ => Err("write \"error\", \"warn\", \"info\", \"debug\" or \"trace\"".to_owned()),
        });
        log = Log { format: format.unwrap_or(log.format), level: level.unwrap_or(log.level) };
        section.finish();
    }
    log
}
