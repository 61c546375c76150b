//! Views and tables as a client sees them: their names, their columns, and their rows one after the other.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params_from_iter};

use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// Columns that hold the month by which finance asks, the first that a relation has.
const MONTHS: [&str; 4] = ["month", "period", "refund_month", "expire_month"];

/// A view or table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<RelationColumn>,
}

/// A column of a view or table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationColumn {
    /// Its name.
    pub name: String,
    /// The type that its table declares, in upper case; empty for what a view computes.
    pub declared: String,
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A ratio, like a percentage; never money.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// Which rows of a relation; an empty list leaves all.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Billing months, `yyyy-MM`.
    pub months: Vec<String>,
    /// Accounts.
    pub accounts: Vec<String>,
}

impl Relation {
    /// The column with the month by which finance asks.
    #[must_use]
    pub fn month(&self) -> Option<&str> {
        MONTHS.into_iter().find(|month| self.has(month))
    }

    /// Whether it has the column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known.name == column)
    }
}

impl Warehouse {
    /// The names of all views and tables, in the order of the alphabet.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn relations(&self) -> Result<Vec<String>, WarehouseError> {
        self.read(
            "select name from sqlite_schema
             where type in ('view', 'table') and name not like 'sqlite\\_%' escape '\\' order by name",
            [],
            |row| row.get(0),
        )
    }

    /// A view or table by its name.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn relation(&self, name: &str) -> Result<Option<Relation>, WarehouseError> {
        if !self.relations()?.iter().any(|known| known == name) {
            return Ok(None);
        }
        let columns =
            self.read("select name, upper(type) from pragma_table_info(?1) order by cid", [name], |row| {
                Ok(RelationColumn { name: row.get(0)?, declared: row.get(1)? })
            })?;
        Ok(Some(Relation { name: name.to_owned(), columns }))
    }

    /// Calls `each` with every row; memory does not grow with their number. Returns how many there were.
    ///
    /// # Errors
    /// When the warehouse fails, or the first error of `each`.
    pub fn scan<E: From<WarehouseError>>(
        &self,
        relation: &Relation,
        filter: &RowFilter,
        mut each: impl FnMut(&[Cell<'_>]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let sql = |error| E::from(self.sql(&error));
        let (text, values) = query(relation, filter);
        let mut statement = self.connection.prepare(&text).map_err(sql)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(sql)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(sql)? {
            let mut cells = Vec::with_capacity(relation.columns.len());
            for at in 0..relation.columns.len() {
                cells.push(match row.get_ref(at).map_err(sql)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Integer(number),
                    ValueRef::Real(number) => Cell::Real(number),
                    // What is no UTF-8 is no text.
                    ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or(Cell::Blob(bytes), Cell::Text),
                    ValueRef::Blob(bytes) => Cell::Blob(bytes),
                });
            }
            each(&cells)?;
            count += 1;
        }
        Ok(count)
    }

    /// Up to when the orders of each account were read completely, UTC; `None`: not yet.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn data_as_of(&self) -> Result<Vec<(String, Option<String>)>, WarehouseError> {
        self.read(
            "select account, min(iif(stream = 'orders' and lane in ('created', 'paid'), watermark, null))
             from (select account, stream, lane, watermark from watermarks
                   union all select account, stream, null, null from runs)
             group by account order by account",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// How far the orders of an account's month were read: the state in `coverage_by_month`.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn verdict(&self, account: &str, month: &str) -> Result<Option<String>, WarehouseError> {
        self.connection
            .query_row(
                "select state from coverage_by_month where account = ?1 and month = ?2 and stream = 'orders'",
                [account, month],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.sql(&error))
    }
}

/// Names are quoted, values bound; a single value is compared so that it reaches an index.
fn query<'a>(relation: &Relation, filter: &'a RowFilter) -> (String, Vec<&'a str>) {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = relation.columns.iter().map(|column| quoted(&column.name)).collect();
    let mut text = format!("select {} from {}", columns.join(", "), quoted(&relation.name));
    let mut values = Vec::new();
    let chosen = [(relation.month(), &filter.months), (Some("account"), &filter.accounts)];
    for (column, wanted) in chosen {
        let (Some(column), Some((first, more))) = (column, wanted.split_first()) else { continue };
        text.push_str(if values.is_empty() { " where " } else { " and " });
        text.push_str(&quoted(column));
        if more.is_empty() {
            text.push_str(" = ?");
        } else {
            text.push_str(&format!(" in ({})", vec!["?"; wanted.len()].join(", ")));
        }
        values.push(first.as_str());
        values.extend(more.iter().map(String::as_str));
    }
    (text, values)
}
