//! The copy for finance: one self-contained file that any user may open without write right on its folder, checked before
//! it replaces the former one in one step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::draft::{Draft, Publication};
use super::error::PublishError;
use crate::files::folder_of;
use crate::time::UtcSecond;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::schema::dictionary::describe_tables;
use crate::warehouse::schema::files::version;
use crate::warehouse::schema::shape::record_tables;

/// Free space asked for, in tenths of the warehouse's size: the copy, and as much again for what runs write meanwhile.
const SPACE_TENTHS: u64 = 22;

/// Steps of SQLite's machine between two looks at whether somebody asked to stop: some milliseconds.
const STEPS: i32 = 100_000;

/// How long SQLite waits for a lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// What only a worker needs: where unfinished walks stand, and the pace it learned. A warehouse that is restored from the
/// copy learns both again. The ledger stays: it proves what the copy says.
const OF_THE_WORKER: [&str; 4] = ["checkpoints", "checkpoint_pages", "rate_state", "page_limits"];

/// Makes the tables with which the copy says what it is.
const ABOUT: &str = include_str!("../../../schema/publish/about.sql");

/// Tables of the ledger whose rows are never deleted.
const ONLY_GROW: [&str; 5] = ["runs", "commits", "drift", "quarantine", "late_orders"];

/// What was published.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its tables.
    pub tables: u64,
    /// The rows in them.
    pub rows: i64,
    /// First billing month whose orders were read.
    pub first_month: Option<String>,
    /// Last one.
    pub last_month: Option<String>,
    /// Months times accounts.
    pub months: i64,
    /// Those that are complete.
    pub complete_months: i64,
    /// Up to then the orders of every account were read completely, UTC.
    pub data_as_of: Option<String>,
    /// Open breaks of the checks; `None` when none is known and not every month was checked since it ended.
    pub open_breaks: Option<i64>,
}

/// Rows by table.
type RowCounts = BTreeMap<String, i64>;

impl Warehouse {
    /// Makes the copy for finance. Readers see the former copy or this one, each in full; whatever fails, and whenever the
    /// process is killed, the former one stays. Runs may write meanwhile.
    ///
    /// # Errors
    /// When the copy could not be made, is not what the warehouse is, or somebody asked to stop.
    pub fn publish(
        &self,
        publication: &Publication<'_>,
        is_stopped: impl Fn() -> bool + Clone + Send + 'static,
    ) -> Result<Published, PublishError> {
        let source = |error| PublishError::Warehouse(self.sql(&error));
        let found: i32 =
            self.connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(source)?;
        if found < version() {
            return Err(PublishError::Older { path: self.path.clone(), found, known: version() });
        }
        let draft = Draft::begin(publication)?;
        self.check_space(folder_of(publication.path))?;
        let wrong = |error| PublishError::sql(draft.path(), &self.path, &error);
        let former = CountedRows::of(&self.connection).map_err(source)?;
        self.copy_into(draft.path(), is_stopped.clone()).map_err(wrong)?;
        let latter = CountedRows::of(&self.connection).map_err(source)?;

        let copy =
            open(draft.path(), OpenFlags::SQLITE_OPEN_READ_WRITE, is_stopped.clone()).map_err(wrong)?;
        let counts = count_rows(&copy).map_err(wrong)?;
        if let Some(detail) = difference(&counts, &former, &latter) {
            return Err(PublishError::Unsound { detail });
        }
        describe(&copy).map_err(wrong)?;
        drop(copy);

        // Opened anew, as finance will.
        let copy = open(draft.path(), OpenFlags::SQLITE_OPEN_READ_ONLY, is_stopped).map_err(wrong)?;
        check(&copy).map_err(wrong)?.map_or(Ok(()), |detail| Err(PublishError::Unsound { detail }))?;
        let published = summary(&copy).map_err(wrong)?;
        drop(copy);
        Ok(Published { path: publication.path.to_owned(), bytes: draft.put_in_place()?, ..published })
    }

    /// Whether a copy could be made there as far as can be seen without making one.
    ///
    /// # Errors
    /// What would keep it from being made.
    pub fn could_publish(&self, publication: &Publication<'_>) -> Result<(), PublishError> {
        publication.check()?;
        self.check_space(folder_of(publication.path))
    }

    fn copy_into(
        &self,
        draft: &Path,
        is_stopped: impl Fn() -> bool + Clone + Send + 'static,
    ) -> rusqlite::Result<()> {
        self.connection.progress_handler(STEPS, Some(is_stopped))?;
        let copied = self.connection.execute("vacuum into ?1", [draft.to_string_lossy()]);
        self.connection.progress_handler(STEPS, None::<fn() -> bool>)?;
        copied.map(|_| ())
    }

    fn check_space(&self, folder: &Path) -> Result<(), PublishError> {
        let size = self.bytes()?;
        let disk = statvfs(folder).map_err(|error| PublishError::io(folder, &error.into()))?;
        let free = disk.blocks_available() * disk.fragment_size();
        let needed = size / 10 * SPACE_TENTHS;
        if free < needed {
            return Err(PublishError::NoSpace { folder: folder.to_owned(), free, size, needed });
        }
        Ok(())
    }
}

/// What a connection sees: the rows, and a number that is another one when somebody else wrote.
struct CountedRows {
    counts: RowCounts,
    version: i64,
}

impl CountedRows {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        // One transaction, so that the numbers are of one moment.
        let tx = connection.unchecked_transaction()?;
        let counts = count_rows(&tx)?;
        let version = tx.pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(Self { counts, version })
    }
}

fn open(
    path: &Path,
    access: OpenFlags,
    is_stopped: impl Fn() -> bool + Send + 'static,
) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.progress_handler(STEPS, Some(is_stopped))?;
    Ok(connection)
}

fn count_rows(connection: &Connection) -> rusqlite::Result<RowCounts> {
    let names: Vec<String> = connection
        .prepare(
            "select name from sqlite_schema
             where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let count = |name: String| {
        let sql = format!("select count(*) from \"{}\"", name.replace('"', "\"\""));
        Ok((name, connection.query_row(&sql, [], |row| row.get(0))?))
    };
    names.into_iter().map(count).collect()
}

/// What the copy has too many or too few of. While nobody writes, it has what the warehouse has; when a run wrote meanwhile,
/// a table that only grows lies between its two lengths, and of the others only SQLite knows what they were.
fn difference(copy: &RowCounts, former: &CountedRows, latter: &CountedRows) -> Option<String> {
    let wrote = former.version != latter.version;
    let grows = |table: &str| {
        table.ends_with("_history")
            || ONLY_GROW.contains(&table)
            || record_tables().iter().any(|known| known.name == table)
    };
    former.counts.iter().find_map(|(table, &from)| {
        let to = latter.counts.get(table).copied().unwrap_or(from);
        match copy.get(table) {
            None => Some(format!("the table {table} is missing")),
            Some(rows) if (!wrote || grows(table)) && !(from..=to).contains(rows) => {
                let held = if from == to { from.to_string() } else { format!("{from} to {to}") };
                Some(format!("the table {table} has {rows} rows, and the warehouse {held}"))
            }
            Some(_) => None,
        }
    })
}

/// Makes the copy one that says what it is, and takes out what only a worker needs.
fn describe(copy: &Connection) -> rusqlite::Result<()> {
    // Without a log beside it: who opens it needs no right to write anywhere.
    let _: String = copy.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))?;
    copy.execute_batch(
        "pragma secure_delete = on; pragma trusted_schema = off; pragma temp_store = memory;",
    )?;
    let tx = copy.unchecked_transaction()?;
    for table in OF_THE_WORKER {
        tx.execute(&format!("delete from {table}"), [])?;
    }
    tx.execute(
        "create temp table this_copy as select ?1 as program_version, ?2 as published_at",
        (env!("CARGO_PKG_VERSION"), UtcSecond::now().to_string()),
    )?;
    tx.execute_batch(ABOUT)?;
    describe_tables(&tx, ABOUT)?;
    tx.commit()
}

/// The first thing that is wrong with the copy.
fn check(copy: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = copy.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Ok(Some(found));
    }
    let mode: String = copy.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "delete" {
        return Ok(Some(format!("its journal mode is {mode}")));
    }
    let orphan = copy
        .prepare("select \"table\", rowid, parent from pragma_foreign_key_check limit 1")?
        .query_map([], |row| {
            let (table, row, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let row = row.map_or_else(String::new, |row| format!(" {row}"));
            Ok(format!("row{row} of {table} names a row of {parent} that is not there"))
        })?
        .next()
        .transpose()?;
    Ok(orphan)
}

fn summary(copy: &Connection) -> rusqlite::Result<Published> {
    let counts = count_rows(copy)?;
    copy.query_row(
        "select first_month, last_month, months, complete_months, data_as_of, open_breaks from about",
        [],
        |row| {
            Ok(Published {
                path: PathBuf::new(),
                bytes: 0,
                tables: counts.len() as u64,
                rows: counts.values().sum(),
                first_month: row.get(0)?,
                last_month: row.get(1)?,
                months: row.get(2)?,
                complete_months: row.get(3)?,
                data_as_of: row.get(4)?,
                open_breaks: row.get(5)?,
            })
        },
    )
}
