//! Opens the warehouse: for the one worker, for reading, beside a worker, or nowhere.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::WarehouseError;
use super::lock::Lock;
use super::transaction::{self, Transactions};
use crate::warehouse::schema::files::version;
use crate::warehouse::schema::upgrade::{self, APPLICATION_ID};

/// Oldest SQLite whose WAL code we trust; the bundled one is newer.
pub(super) const OLDEST_SQLITE: i32 = 3_051_003;

/// Prepared statements kept: three for each record table and the ledger's own.
const STATEMENT_CACHE: usize = 128;

/// How the worker's connection works. Most pages that a transaction changes fit into the cache, so that each of them is written
/// once; the log of many transactions (64 MiB) is put into the file together, for the same reason.
const PRAGMAS: &str = "pragma journal_mode = wal;
     pragma synchronous = full;
     pragma foreign_keys = on;
     pragma busy_timeout = 5000;
     pragma cache_size = -8192;
     pragma wal_autocheckpoint = 16384;
     pragma journal_size_limit = 67108864;
     pragma trusted_schema = off;
     pragma cell_size_check = on;";

/// Where temporary tables are once the file is up to date. Before that they may be as large as all histories, and lie in
/// files that nobody else sees.
const TEMPORARY: &str = "pragma temp_store = memory;";

/// An open warehouse.
#[derive(Debug)]
pub struct Warehouse {
    pub(in crate::warehouse) connection: Connection,
    pub(in crate::warehouse) transactions: Transactions,
    pub(in crate::warehouse) path: PathBuf,
    _lock: Option<Lock>,
}

impl Warehouse {
    /// Opens the warehouse for writing: takes the lock, creates the file or brings it up to date.
    ///
    /// # Errors
    /// When another worker holds it, or the file is not ours, newer, damaged or not writable.
    pub fn open(path: &Path) -> Result<Self, WarehouseError> {
        let lock = Lock::take(path)?;
        create_file(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| WarehouseError::sql(path, &error))?;
        let mut warehouse = Self::of(connection, path, Some(lock))?;
        warehouse.prepare()?;
        Ok(warehouse)
    }

    /// Opens an existing warehouse for reading only; takes no lock.
    ///
    /// # Errors
    /// When there is none, or the file is not ours, newer or damaged.
    pub fn open_read_only(path: &Path) -> Result<Self, WarehouseError> {
        if !path.exists() {
            return Err(WarehouseError::Missing { path: path.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| WarehouseError::sql(path, &error))?;
        let warehouse = Self::of(connection, path, None)?;
        warehouse.check_identity()?;
        Ok(warehouse)
    }

    /// Opens an existing warehouse for short writes beside a worker. Takes no lock: the lock keeps a second worker out, and
    /// single transactions are kept apart by `SQLite`. Only a file that is not of this program's version is brought up to date
    /// under the lock first.
    ///
    /// # Errors
    /// When there is none, the file is not ours, newer, damaged or not writable, or it must be brought up to date and a worker
    /// holds it.
    pub fn open_beside(path: &Path) -> Result<Self, WarehouseError> {
        if !path.exists() {
            return Err(WarehouseError::Missing { path: path.to_owned() });
        }
        let warehouse = Self::connect_beside(path)?;
        if upgrade::is_up_to_date(&warehouse.connection).map_err(|error| warehouse.sql(&error))? {
            return Ok(warehouse);
        }
        drop(warehouse);
        drop(Self::open(path)?);
        Self::connect_beside(path)
    }

    fn connect_beside(path: &Path) -> Result<Self, WarehouseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| WarehouseError::sql(path, &error))?;
        let warehouse = Self::of(connection, path, None)?;
        warehouse.check_identity()?;
        let pragmas = "pragma foreign_keys = on; pragma trusted_schema = off; pragma synchronous = full;";
        warehouse
            .connection
            .execute_batch(pragmas)
            .and_then(|()| transaction::wait_beside(&warehouse.connection))
            .map_err(|error| warehouse.sql(&error))?;
        Ok(warehouse)
    }

    /// An empty warehouse that is nowhere: what a first run would find.
    ///
    /// # Errors
    /// When `SQLite` fails.
    pub fn in_memory() -> Result<Self, WarehouseError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| WarehouseError::sql(&path, &error))?;
        let mut warehouse = Self::of(connection, &path, None)?;
        warehouse.bring_up_to_date()?;
        Ok(warehouse)
    }

    fn of(connection: Connection, path: &Path, lock: Option<Lock>) -> Result<Self, WarehouseError> {
        let transactions =
            Transactions::of(&connection).map_err(|error| WarehouseError::sql(path, &error))?;
        Ok(Self { connection, transactions, path: path.to_owned(), _lock: lock })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn prepare(&mut self) -> Result<(), WarehouseError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(WarehouseError::OldLibrary { version: rusqlite::version().to_owned() });
        }
        self.check_identity()?;
        let path = self.path.clone();
        let sql = |error| WarehouseError::sql(&path, &error);
        self.connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        // The journal's mode is written to the file.
        self.with_open_gate(|warehouse| warehouse.connection.execute_batch(PRAGMAS)).map_err(sql)?;
        self.bring_up_to_date()?;
        self.connection.execute_batch(TEMPORARY).map_err(sql)?;
        self.crash_all_runs()
    }

    fn bring_up_to_date(&mut self) -> Result<(), WarehouseError> {
        self.with_open_gate(|warehouse| upgrade::bring_up_to_date(&mut warehouse.connection))
            .map_err(|error| migration_error(&self.path, error))
    }

    /// Refuses files that are no database, another program's, or written by a newer version of ours.
    fn check_identity(&self) -> Result<(), WarehouseError> {
        let sql = |error| WarehouseError::sql(&self.path, &error);
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let application_id = pragma("application_id").map_err(sql)?;
        let objects: i64 = self
            .connection
            .query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
            .map_err(sql)?;
        let is_new = application_id == 0 && objects == 0;
        if !is_new && application_id != APPLICATION_ID {
            return Err(WarehouseError::Foreign { path: self.path.clone() });
        }
        let found = pragma("user_version").map_err(sql)?;
        if found > version() {
            return Err(WarehouseError::Newer { path: self.path.clone(), found, known: version() });
        }
        Ok(())
    }

    pub(in crate::warehouse) fn sql(&self, error: &rusqlite::Error) -> WarehouseError {
        WarehouseError::sql(&self.path, error)
    }
}

fn migration_error(path: &Path, error: rusqlite_migration::Error) -> WarehouseError {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => WarehouseError::sql(path, &err),
        other => WarehouseError::Statement { path: path.to_owned(), detail: other.to_string() },
    }
}

/// Creates the file readable by its owner only: money and customers' names are in it.
fn create_file(path: &Path) -> Result<(), WarehouseError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(WarehouseError::io(path, &error)),
    }
}
