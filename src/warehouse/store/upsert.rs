//! Stores one record: a row is touched only when its content changed, and never by an older answer.

use std::collections::HashMap;
use std::sync::LazyLock;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use crate::record::{Column, Context, Record, Source, Table, Value};
use crate::scope::Role;
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
    upsert: String,
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
        Self { upsert: upsert_sql(table), sighting: sighting_sql(table) }
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
        let Self { connection, from } = self;
        let table = record.table;
        let mut upsert = connection.prepare_cached(&statements(table).upsert)?;
        let role = from.role.to_string();
        let mut at = 0;
        let mut bind = |statement: &mut CachedStatement<'_>, value: &dyn ToSql| {
            at += 1;
            statement.raw_bind_parameter(at, value)
        };
        bind(&mut upsert, &from.account)?;
        for value in &record.values {
            bind(&mut upsert, value)?;
        }
        bind(&mut upsert, &record.extra)?;
        if table.context == Context::Stored {
            bind(&mut upsert, &from.asked_customer)?;
            bind(&mut upsert, &role)?;
        }
        bind(&mut upsert, &from.run)?;
        bind(&mut upsert, &from.run)?;
        bind(&mut upsert, &from.seen_at)?;
        let version = upsert.raw_query().next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
        match version {
            Some(1) => Ok(StoredRow::New),
            Some(_) => Ok(StoredRow::Changed),
            None => self.record_sighting(record),
        }
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

fn upsert_sql(table: &Table) -> String {
    let name = table.name;
    let mut columns = vec!["account"];
    columns.extend(table.columns.iter().map(|column| column.name));
    columns.push("extra");
    if table.context == Context::Stored {
        columns.extend(["asked_customer_id", "role"]);
    }
    columns.extend(["first_seen_run", "last_changed_run", "last_seen_at"]);
    let content = &table.columns[table.key_len..];
    let list = |text: &dyn Fn(&Column) -> String| content.iter().map(text).collect::<Vec<_>>().concat();
    let new = |column: &Column| match column.source {
        Source::GivenOrKept => format!("coalesce(excluded.{0}, {name}.{0})", column.name),
        Source::Field(_) | Source::Nested(..) | Source::Given => format!("excluded.{}", column.name),
    };
    let context_sets = match table.context {
        Context::Stored => "asked_customer_id = excluded.asked_customer_id, role = excluded.role, ",
        Context::InParent => "",
    };
    format!(
        "insert into {name} ({columns}) values ({places})
         on conflict ({key}) do update set {sets}extra = excluded.extra, {context_sets}gone_since = null,
             last_changed_run = excluded.last_changed_run, last_seen_at = excluded.last_seen_at,
             version = {name}.version + 1
         where excluded.last_seen_at >= max({name}.last_seen_at, coalesce({name}.gone_since, ''))
             and ({old}{name}.extra, {name}.gone_since) is not ({new}excluded.extra, null)
         returning version",
        places = vec!["?"; columns.len()].join(", "),
        columns = columns.join(", "),
        key = key_columns(table).collect::<Vec<_>>().join(", "),
        sets = list(&|column| format!("{} = {}, ", column.name, new(column))),
        old = list(&|column| format!("{name}.{}, ", column.name)),
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
