//! The two steps of a reconciliation.
//!
//! Reading takes one read transaction, so that all checks see the same state, and holds up nobody. What was found is stored
//! in one short transaction beside a worker, whose lock it does not need: SQLite keeps the two apart.

use super::reconciliation::{Reconciled, Reconciliation};
use super::{find, record};
use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

impl Warehouse {
    /// Runs the checks and stores what they found.
    ///
    /// # Errors
    /// When the warehouse fails, or another program holds it for long.
    pub fn reconcile(&mut self, order: &Reconciliation<'_>) -> Result<Reconciled, WarehouseError> {
        let started = UtcSecond::now();
        self.with_temporary_tables(|connection| find::find(connection, order))?;
        self.write(|writing| record::record(writing, order, started))
    }
}
