//! Why an invocation could not begin.

use crate::client::ClientError;
use crate::warehouse::WarehouseError;

/// Why an invocation could not even begin its jobs.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A client could not be built.
    #[error(transparent)]
    Client(#[from] ClientError),
}
