//! The record tables: which there are, and their columns in the file.

use rusqlite::Connection;

use crate::record::Table;
use crate::stream::CATALOGUE;

/// A record table as it is in the file.
#[derive(Debug)]
pub(super) struct TableShape {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) key: Vec<String>,
}

impl TableShape {
    pub(super) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Self> {
        let names = columns(connection, table)?.into_iter().map(|(name, _)| name).collect();
        let key = connection
            .prepare("select name from pragma_table_info(?1) where pk > 0 order by pk")?
            .query_map([table], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { table: table.to_owned(), columns: names, key })
    }
}

/// All record tables, child tables included.
pub(in crate::warehouse) fn record_tables() -> Vec<&'static Table> {
    let mut tables: Vec<&'static Table> = Vec::new();
    for stream in CATALOGUE {
        for table in stream.tables() {
            tables.push(table);
            tables.extend(table.children.iter().map(|children| children.table));
        }
    }
    tables
}

/// The columns of a table or view of the file, and their types.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    connection
        .prepare("select name, type from pragma_table_info(?1) order by cid")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Names in a list, each behind `prefix`.
pub(super) fn comma(prefix: &str, names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("{prefix}{}", name.as_ref())).collect::<Vec<_>>().join(", ")
}
