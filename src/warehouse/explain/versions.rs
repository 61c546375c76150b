//! How rows changed since they were first stored.

use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::answer::AnswerRow;
use super::subject::{Subject, SubjectKind};
use crate::money::Amount;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::schema::history::is_content;

/// The versions of one row, the oldest first.
#[derive(Clone, Debug)]
pub struct RowVersions {
    /// Its table.
    pub table: &'static str,
    /// Its key within the account and the explained id.
    pub key: String,
    /// The versions.
    pub versions: Vec<RowVersion>,
}

/// A row as it was for a while.
#[derive(Clone, Debug)]
pub struct RowVersion {
    /// 1 when it was first stored.
    pub number: i64,
    /// The run that stored it.
    pub run: Option<i64>,
    /// When the vendor showed it first, UTC.
    pub since: Option<String>,
    /// What is another than in the version before.
    pub changes: Vec<ColumnChange>,
}

/// A value that changed.
#[derive(Clone, Debug)]
pub struct ColumnChange {
    /// The column; that of an amount without `_e8`.
    pub column: String,
    /// The value before; an amount as decimal text.
    pub from: Value,
    /// The value since.
    pub to: Value,
}

/// Tables whose rows belong to an order: the table, the column by which its history finds them, the column that tells them
/// apart, and which of its rows belong to the order ?2.
const OF_ORDERS: &[RowsOfSubject] = &[
    RowsOfSubject { table: "orders", by: "order_id", key: "order_id", rows: "order_id = ?2" },
    RowsOfSubject { table: "order_details", by: "order_id", key: "order_id", rows: "order_id = ?2" },
    RowsOfSubject {
        table: "order_lines",
        by: "order_line_item_id",
        key: "order_line_item_id",
        rows: "(order_id = ?2 or requested_order_id = ?2)",
    },
    RowsOfSubject {
        table: "refund_attributions",
        by: "refund_order_id",
        key: "id",
        rows: "refund_order_id = ?2",
    },
    RowsOfSubject { table: "order_resources", by: "order_id", key: "resource_id", rows: "order_id = ?2" },
];

const OF_RESOURCES: &[RowsOfSubject] =
    &[RowsOfSubject { table: "resources", by: "resource_id", key: "resource_id", rows: "resource_id = ?2" }];

const OF_CUSTOMERS: &[RowsOfSubject] = &[RowsOfSubject {
    table: "sub_customers",
    by: "customer_id",
    key: "customer_id",
    rows: "customer_id = ?2",
}];

struct RowsOfSubject {
    table: &'static str,
    by: &'static str,
    key: &'static str,
    rows: &'static str,
}

impl RowVersions {
    /// The runs that its versions name.
    pub(super) fn runs(&self) -> impl Iterator<Item = i64> {
        self.versions.iter().filter_map(|version| version.run)
    }

    pub(super) fn to_json(&self) -> Value {
        let change =
            |change: &ColumnChange| json!({ "column": change.column, "from": change.from, "to": change.to });
        let version = |version: &RowVersion| {
            let changes: Vec<_> = version.changes.iter().map(change).collect();
            json!({ "version": version.number, "run_id": version.run, "since": version.since, "changes": changes })
        };
        let versions: Vec<_> = self.versions.iter().map(version).collect();
        json!({ "table": self.table, "key": self.key, "versions": versions })
    }
}

impl Warehouse {
    /// The versions of the row itself, and of the rows that belong to it and changed.
    pub(super) fn versions(&self, subject: &Subject) -> Result<Vec<RowVersions>, WarehouseError> {
        let places = match subject.kind {
            SubjectKind::Order => OF_ORDERS,
            SubjectKind::Resource => OF_RESOURCES,
            SubjectKind::Customer => OF_CUSTOMERS,
        };
        let mut all: Vec<RowVersions> = Vec::new();
        for (at, place) in places.iter().enumerate() {
            for (key, rows) in self.stored_versions(place, subject)? {
                if at == 0 || rows.len() > 1 {
                    all.push(RowVersions { table: place.table, key, versions: self.compare(&rows)? });
                }
            }
        }
        Ok(all)
    }

    /// The one place that reads stored versions: for each key its rows, the oldest first, each with the run and time that
    /// ended it (null for the one of now).
    fn stored_versions(
        &self,
        place: &RowsOfSubject,
        subject: &Subject,
    ) -> Result<Vec<(String, Vec<AnswerRow>)>, WarehouseError> {
        let RowsOfSubject { table, by, key, rows } = place;
        let columns: Vec<String> =
            self.read("select name from pragma_table_info(?1) order by cid", [table], |row| row.get(0))?;
        let columns = columns.join(", ");
        let mine = format!("account = ?1 and {rows}").replace("?1", ":account").replace("?2", ":id");
        let sql = format!(
            "select {columns}, ended_run, ended_at from {table}_history
             where account = :account and {by} in (select {by} from {table} where {mine})
             union all
             select {columns}, null, null from {table} where {mine}
             order by {key}, version"
        );
        let mut grouped: Vec<(String, Vec<AnswerRow>)> = Vec::new();
        for row in self.named_rows(&sql, &subject.account, &subject.id)? {
            let key = value(&row, key).as_str().unwrap_or_default().to_owned();
            match grouped.last_mut().filter(|(known, _)| *known == key) {
                Some((_, rows)) => rows.push(row),
                None => grouped.push((key, vec![row])),
            }
        }
        Ok(grouped)
    }

    fn compare(&self, rows: &[AnswerRow]) -> Result<Vec<RowVersion>, WarehouseError> {
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let run = value(first, "first_seen_run").as_i64();
        let since = self
            .connection
            .query_row("select started_at from runs where run_id = ?1", [run], |row| row.get(0))
            .optional()
            .map_err(|error| self.sql(&error))?;
        let mut versions = vec![RowVersion { number: number(first), run, since, changes: Vec::new() }];
        for pair in rows.windows(2) {
            let [before, after] = pair else { continue };
            versions.push(RowVersion {
                number: number(after),
                run: value(before, "ended_run").as_i64(),
                since: value(before, "ended_at").as_str().map(str::to_owned),
                changes: changes(before, after),
            });
        }
        Ok(versions)
    }
}

fn number(row: &AnswerRow) -> i64 {
    value(row, "version").as_i64().unwrap_or_default()
}

fn value<'a>(row: &'a AnswerRow, column: &str) -> &'a Value {
    row.iter().find(|(name, _)| name == column).map_or(&Value::Null, |(_, value)| value)
}

/// What the vendor shows otherwise; our own bookkeeping is none of it.
fn changes(before: &AnswerRow, after: &AnswerRow) -> Vec<ColumnChange> {
    let is_shown = |name: &str| is_content(name) && !["ended_run", "ended_at"].contains(&name);
    let changed = before.iter().zip(after).filter(|((name, old), (_, new))| is_shown(name) && old != new);
    changed
        .map(|((name, old), (_, new))| match name.strip_suffix("_e8") {
            Some(column) => ColumnChange { column: column.to_owned(), from: decimal(old), to: decimal(new) },
            None => ColumnChange { column: name.clone(), from: old.clone(), to: new.clone() },
        })
        .collect()
}

fn decimal(e8: &Value) -> Value {
    e8.as_i64().map_or(Value::Null, |e8| Value::from(Amount::from_e8(e8).to_string()))
}
