//! Stores one record: a row is touched only when its content changed, and never by an older answer.

use std::collections::HashMap;
use std::sync::LazyLock;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use crate::record::{Column, Context, Record, Source, Table, Value};
use crate::scope::Role;
use crate::warehouse::file::transaction::CommitNo;
use crate::warehouse::ledger::runs::RunId;
use crate::warehouse::schema::shape::record_tables;

/// What storing a record did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StoreEffect {
    pub(super) inserted: u64,
    pub(super) changed: u64,
    /// Whether the record itself was new, and not only a row of its lists.
    pub(super) born: bool,
    /// Whether a newer answer was stored before: this one says nothing any more.
    pub(super) stale: bool,
}

/// What storing one row did.
enum StoredRow {
    New,
    Changed,
    AsItWas,
    /// A newer answer was stored before: this one says nothing any more.
    Stale,
}

impl StoreEffect {
    fn add(&mut self, stored: &StoredRow) {
        match stored {
            StoredRow::New => self.inserted += 1,
            StoredRow::Changed => self.changed += 1,
            StoredRow::AsItWas | StoredRow::Stale => {}
        }
    }
}

/// Where records come from: who stores them, and from which answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provenance<'a> {
    pub(super) account: &'a str,
    pub(super) role: Role,
    pub(super) asked_customer: Option<&'a str>,
    pub(super) run: RunId,
    pub(super) commit: CommitNo,
    /// When the vendor answered, UTC text.
    pub(super) seen_at: &'a str,
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// The statements of one record table.
#[derive(Debug)]
struct TableSql {
    insert: String,
    change: String,
    sighting: String,
}

/// Stores the records of an answer through a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upsert<'a> {
    pub(super) connection: &'a Connection,
    pub(super) from: Provenance<'a>,
}

/// The statements of all record tables, written once.
static STATEMENTS: LazyLock<HashMap<&'static str, TableSql>> =
    LazyLock::new(|| record_tables().into_iter().map(|table| (table.name, TableSql::of(table))).collect());

impl TableSql {
    fn of(table: &Table) -> Self {
        Self { insert: insert_sql(table), change: change_sql(table), sighting: sighting_sql(table) }
    }
}

fn statements(table: &Table) -> &'static TableSql {
    // Records name tables of the catalogue only, and the statements were made from the whole catalogue.
    &STATEMENTS[table.name]
}

impl Upsert<'_> {
    /// Stores a record and the rows of its lists.
    pub(super) fn store(self, record: &Record) -> rusqlite::Result<StoreEffect> {
        let mut effect = StoreEffect::default();
        let stored = self.store_row(record)?;
        if matches!(stored, StoredRow::Stale) {
            return Ok(StoreEffect { stale: true, ..effect });
        }
        effect.add(&stored);
        effect.born = matches!(stored, StoredRow::New);
        for rows in &record.children {
            for row in rows {
                effect.add(&self.store_row(row)?);
            }
        }
        Ok(effect)
    }

    fn store_row(self, record: &Record) -> rusqlite::Result<StoredRow> {
        let sql = statements(record.table);
        if self.run(&sql.insert, record)? > 0 {
            Ok(StoredRow::New)
        } else if self.run(&sql.change, record)? > 0 {
            Ok(StoredRow::Changed)
        } else {
            self.record_sighting(record)
        }
    }

    /// Runs a statement with the values of a record in the order of [`columns`]; returns how many rows it changed.
    fn run(self, sql: &str, record: &Record) -> rusqlite::Result<usize> {
        let Self { connection, from } = self;
        let mut statement = connection.prepare_cached(sql)?;
        let role = from.role.to_string();
        let mut at = 0;
        let mut bind = |statement: &mut CachedStatement<'_>, value: &dyn ToSql| {
            at += 1;
            statement.raw_bind_parameter(at, value)
        };
        bind(&mut statement, &from.account)?;
        for value in &record.values {
            bind(&mut statement, value)?;
        }
        bind(&mut statement, &record.extra)?;
        if record.table.context == Context::Stored {
            bind(&mut statement, &from.asked_customer)?;
            bind(&mut statement, &role)?;
        }
        bind(&mut statement, &from.run)?;
        bind(&mut statement, &from.run)?;
        bind(&mut statement, &from.seen_at)?;
        bind(&mut statement, &from.commit)?;
        statement.raw_execute()
    }

    /// The row is as it was, or newer than this answer: only the time it was last seen moves, and that is no
    /// change of its content.
    fn record_sighting(self, record: &Record) -> rusqlite::Result<StoredRow> {
        let mut sighting = self.connection.prepare_cached(&statements(record.table).sighting)?;
        sighting.raw_bind_parameter(1, self.from.seen_at)?;
        sighting.raw_bind_parameter(2, self.from.account)?;
        for (at, key) in (3..).zip(&record.values[..record.table.key_len]) {
            sighting.raw_bind_parameter(at, key)?;
        }
        Ok(if sighting.raw_execute()? == 0 { StoredRow::Stale } else { StoredRow::AsItWas })
    }
}

/// The account as the first column of every key, then the table's own.
pub(super) fn key_columns(table: &Table) -> impl Iterator<Item = &'static str> {
    std::iter::once("account").chain(table.columns[..table.key_len].iter().map(|column| column.name))
}

/// All columns that a record fills, in the order of the parameters of its statements.
fn columns(table: &Table) -> Vec<&'static str> {
    let mut columns = vec!["account"];
    columns.extend(table.columns.iter().map(|column| column.name));
    columns.push("extra");
    if table.context == Context::Stored {
        columns.extend(["asked_customer_id", "role"]);
    }
    columns.extend(["first_seen_run", "last_changed_run", "last_seen_at", "from_commit"]);
    columns
}

fn insert_sql(table: &Table) -> String {
    let columns = columns(table);
    let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
    format!(
        "insert into {} ({}) values ({}) on conflict ({}) do nothing",
        table.name,
        columns.join(", "),
        places.join(", "),
        key_columns(table).collect::<Vec<_>>().join(", "),
    )
}

/// Changes the row of a record unless it is as it was, or newer.
fn change_sql(table: &Table) -> String {
    let columns = columns(table);
    let place = |name: &str| {
        // Every name that is asked for stands in the list.
        let at = columns.iter().position(|column| *column == name).unwrap_or_default();
        format!("?{}", at + 1)
    };
    let content = &table.columns[table.key_len..];
    let new = |column: &Column| match column.source {
        Source::GivenOrKept => format!("coalesce({}, {})", place(column.name), column.name),
        Source::Field(_) | Source::Nested(..) | Source::Given => place(column.name),
    };
    let list = |text: &dyn Fn(&Column) -> String| content.iter().map(text).collect::<Vec<_>>().concat();
    let (extra, seen_at, commit) = (place("extra"), place("last_seen_at"), place("from_commit"));
    let context_sets = match table.context {
        Context::Stored => {
            format!("asked_customer_id = {}, role = {}, ", place("asked_customer_id"), place("role"))
        }
        Context::InParent => String::new(),
    };
    let keys: Vec<String> = key_columns(table).map(|key| format!("{key} = {}", place(key))).collect();
    format!(
        "update {name} set {sets}extra = {extra}, {context_sets}gone_since = null, last_changed_run = {run},
             last_seen_at = {seen_at}, version = version + (from_commit <> {commit}), from_commit = {commit}
         where {keys} and {seen_at} >= max(last_seen_at, coalesce(gone_since, ''))
             and ({old}extra, gone_since) is not ({new}{extra}, null)",
        name = table.name,
        run = place("last_changed_run"),
        keys = keys.join(" and "),
        sets = list(&|column| format!("{} = {}, ", column.name, new(column))),
        old = list(&|column| format!("{}, ", column.name)),
        new = list(&|column| format!("{}, ", new(column))),
    )
}

pub(super) fn key_condition(keys: impl Iterator<Item = &'static str>) -> String {
    keys.map(|key| format!("{key} = ?")).collect::<Vec<_>>().join(" and ")
}

fn sighting_sql(table: &Table) -> String {
    format!(
        "update {} set last_seen_at = ?1 where {} and max(last_seen_at, coalesce(gone_since, '')) <= ?1",
        table.name,
        key_condition(key_columns(table))
    )
}
