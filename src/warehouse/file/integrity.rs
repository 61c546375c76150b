//! Whether the file is whole, of which version, how large, and who holds it. Changes nothing.

use std::path::Path;

use super::error::WarehouseError;
use super::lock;
use super::open::{OLDEST_SQLITE, Warehouse};
use crate::warehouse::schema::files::version;

/// How closely a warehouse is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closeness {
    /// The structure of every page; not whether indexes and tables agree.
    Quick,
    /// Everything: reads each row and each index entry.
    Full,
}

impl Warehouse {
    /// Who holds a warehouse, as its lock file says; `None` when nobody does. Takes no lock.
    #[must_use]
    pub fn holder(path: &Path) -> Option<String> {
        lock::holder(path)
    }

    /// The version of the SQLite library.
    ///
    /// # Errors
    /// When it is too old to be trusted with a warehouse.
    pub fn sqlite() -> Result<&'static str, WarehouseError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(WarehouseError::OldLibrary { version: rusqlite::version().to_owned() });
        }
        Ok(rusqlite::version())
    }

    /// The version of the file's schema, and the one this program writes.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn schema(&self) -> Result<(i32, i32), WarehouseError> {
        let found = self.connection.pragma_query_value(None, "user_version", |row| row.get(0));
        Ok((found.map_err(|error| self.sql(&error))?, version()))
    }

    /// The size of the file, in bytes.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn bytes(&self) -> Result<u64, WarehouseError> {
        self.size().map_err(|error| self.sql(&error))
    }

    pub(in crate::warehouse) fn size(&self) -> rusqlite::Result<u64> {
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
        Ok(pragma("page_count")? * pragma("page_size")?)
    }

    /// Asks SQLite whether the file is whole.
    ///
    /// # Errors
    /// When it is not, or cannot be read.
    pub fn check_integrity(&self, closeness: Closeness) -> Result<(), WarehouseError> {
        let question = match closeness {
            Closeness::Quick => "quick_check",
            Closeness::Full => "integrity_check",
        };
        // One finding is enough: a damaged file is restored, not repaired.
        let verdict: String = self
            .connection
            .query_row(&format!("pragma {question}(1)"), [], |row| row.get(0))
            .map_err(|error| self.sql(&error))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(WarehouseError::Damaged { path: self.path.clone(), detail: verdict })
    }
}
