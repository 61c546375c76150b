//! Asks the file.

use rusqlite::{Params, Row};

use super::error::WarehouseError;
use super::open::Warehouse;

impl Warehouse {
    /// The rows of a query.
    pub(in crate::warehouse) fn read<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, WarehouseError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, read)?.collect())
            .map_err(|error| self.sql(&error))
    }

    /// The number that a query gives.
    pub(in crate::warehouse) fn count(&self, sql: &str, params: impl Params) -> Result<u64, WarehouseError> {
        let counts = self.read(sql, params, |row| row.get(0))?;
        Ok(counts.first().copied().unwrap_or_default())
    }

    /// Lets all that `work` reads be of one moment, whatever a run writes meanwhile.
    ///
    /// # Errors
    /// When the warehouse fails, or what `work` returns.
    pub fn at_one_moment<T, E: From<WarehouseError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let moment = self.connection.unchecked_transaction().map_err(|error| self.sql(&error))?;
        let result = work();
        moment.finish().map_err(|error| self.sql(&error))?;
        result
    }
}
