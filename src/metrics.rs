//! What a monitor is told: the figures of the warehouse and of the runs in hand, as Prometheus reads them.
//!
//! All of them are read when somebody asks, from the ledger: nothing is counted twice, and a restart loses nothing.

mod families;
mod http;
mod text;
mod textfile;

use std::sync::Arc;

use crate::config::Config;
use crate::run::RunCounts;
use crate::warehouse::{Warehouse, WarehouseError};

pub use families::render;
pub use http::{MetricsError, serve_metrics};
pub use textfile::write_textfile;

/// All metrics, in the text form of Prometheus (version 0.0.4): of the configuration's warehouse as it is now, and of the
/// runs in hand. It opens the warehouse for reading only and may take as long as a query does.
///
/// # Errors
/// When there is no warehouse, or it fails.
pub fn of_now(config: &Config, running: &[Arc<RunCounts>]) -> Result<String, WarehouseError> {
    let figures = Warehouse::open_read_only(&config.warehouse)?.figures()?;
    Ok(render(config, &figures, running))
}
