//! Warehouses whose rows are made by hand.

use std::sync::LazyLock;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

// Types of orders.
pub const PURCHASE: i64 = 1;
pub const RENEWAL: i64 = 2;
pub const CHANGE: i64 = 3;
pub const REFUND: i64 = 4;
pub const TO_PAY_PER_USE: i64 = 10;
pub const TO_YEARLY: i64 = 11;
pub const TRIAL: i64 = 13;
pub const TO_COMMERCIAL: i64 = 14;
pub const ADJUSTMENT: i64 = 15;

// States of orders.
pub const CANCELLED: i64 = 4;
pub const COMPLETED: i64 = 5;
pub const PENDING: i64 = 6;

/// An empty warehouse of the program, opened as any other client would.
pub struct Db {
    connection: Connection,
    _folder: tempfile::TempDir,
}

impl std::ops::Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// A warehouse in which these statements were run.
pub fn warehouse(sql: &str) -> Db {
    // Made once: there are many tests, and some make many warehouses.
    static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("warehouse.sqlite");
        drop(bss_sync::warehouse::Warehouse::open(&file).unwrap());
        std::fs::read(file).unwrap()
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("warehouse.sqlite");
    std::fs::write(&file, &*EMPTY).unwrap();
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch("pragma foreign_keys = on; pragma synchronous = off;").unwrap();
    connection.execute_batch(sql).unwrap();
    Db { connection, _folder: folder }
}

/// All rows of a query as text, columns parted by a bar; null is empty.
pub fn rows(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    statement
        .query_map([], |row| {
            let texts: Vec<String> = (0..columns)
                .map(|at| {
                    row.get_ref(at).map(|value| match value {
                        ValueRef::Null => String::new(),
                        ValueRef::Integer(number) => number.to_string(),
                        ValueRef::Real(number) => number.to_string(),
                        other => other.as_str().unwrap().to_owned(),
                    })
                })
                .collect::<Result<_, _>>()?;
            Ok(texts.join("|"))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// `1200.00` in 10⁻⁸.
pub fn e8(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<8}").parse().unwrap()
}
