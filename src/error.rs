//! Why a command could not do its work: one paragraph for a person, one exit code for cron and systemd.

use crate::client::ClientError;
use crate::config::ConfigError;
use crate::export::ExportError;
use crate::run::RunError;
use crate::service::ServiceError;
use crate::warehouse::{PublishError, WarehouseError};

/// A command failed before or outside its jobs.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The command line asks for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The copy for finance could not be made.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A view could not be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A client could not be built from the configuration.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system refused something.
    #[error("{what}: {detail}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's words.
        detail: String,
    },
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Warehouse(error) => Self::Warehouse(error),
            RunError::Client(error) => Self::Client(error),
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            // A bug of ours and not the file's fault: whoever started the service may well start it again.
            ServiceError::Warehouse(WarehouseError::Stopped) => Self::System {
                what: "the thread that writes to the warehouse ended",
                detail: "report it with what stands above".to_owned(),
            },
            ServiceError::Warehouse(error) => Self::Warehouse(error),
            idle @ ServiceError::Idle => Self::Usage(idle.to_string()),
        }
    }
}

impl Failure {
    /// The exit code (docs/operate/exit-codes.md).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage(_) => 2,
            Self::Client(error) => error.exit_code(),
            Self::Publish(error) => error.exit_code(),
            Self::Export(error) => error.exit_code(),
            Self::Warehouse(WarehouseError::Held { .. }) => 75,
            Self::Warehouse(_) => 6,
            Self::System { .. } => 1,
        }
    }

    /// What to do about it; empty where the message says it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Warehouse(error) => error.advice(),
            Self::Publish(error) => error.advice(),
            Self::Export(error) => error.advice(),
            Self::Config(_) | Self::Usage(_) | Self::Client(_) | Self::System { .. } => "",
        }
    }
}
