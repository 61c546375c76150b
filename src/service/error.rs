//! Why the service ends, or keeps what it has.

use crate::config::ConfigError;
use crate::warehouse::WarehouseError;

/// Why the service ends, or does not even begin.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The warehouse failed, and another try would not help.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// There is nothing to do, ever.
    #[error(
        "no job has a schedule and an account to read; `bss-sync jobs` lists them, and `schedule = \"0 */15 * * * *\"` \
         in a job's file would be every quarter of an hour"
    )]
    Idle,
}

/// Why a changed configuration is not taken over.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It names another warehouse than the one that is open.
    #[error(
        "warehouse.path is {now} now, and a worker keeps the warehouse it began with, {open}; restart it to change that"
    )]
    OtherWarehouse {
        /// The one that is open.
        open: String,
        /// The one that it names.
        now: String,
    },
    /// It leaves nothing to do.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
