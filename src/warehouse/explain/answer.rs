//! The parts of an explanation: queries of SQL files, and their rows with the names of their columns.

use rusqlite::named_params;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::subject::{Subject, SubjectKind};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::schema::text::expand_decimals;

/// Begins each part of a file; its name, shape and heading follow.
const MARK: &str = "-- part: ";

/// How a part is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerShape {
    /// One row, a line for each value.
    Record,
    /// Rows below each other.
    Table,
}

/// The values of a row with the names of their columns.
pub type AnswerRow = Vec<(String, Value)>;

/// One question about an id, and its answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its name in JSON.
    pub name: String,
    /// What it answers.
    pub heading: String,
    /// How it is shown.
    pub shape: AnswerShape,
    /// The answer.
    pub rows: Vec<AnswerRow>,
}

impl Answer {
    pub(super) fn empty(name: &str, heading: &str, shape: AnswerShape) -> Self {
        Self { name: name.to_owned(), heading: heading.to_owned(), shape, rows: Vec::new() }
    }

    /// The runs that its rows name.
    pub(super) fn runs(&self) -> impl Iterator<Item = i64> {
        let names_run = |name: &str| name == "run_id" || name.ends_with("_run");
        self.rows
            .iter()
            .flatten()
            .filter(move |(name, _)| names_run(name))
            .filter_map(|(_, value)| value.as_i64())
    }

    pub(super) fn to_json(&self) -> Value {
        let object = |row: &AnswerRow| Value::Object(row.iter().cloned().collect::<Map<_, _>>());
        match (self.shape, self.rows.first()) {
            (AnswerShape::Record, row) => row.map_or(Value::Null, object),
            (AnswerShape::Table, _) => Value::Array(self.rows.iter().map(object).collect()),
        }
    }
}

impl Warehouse {
    pub(super) fn answers(&self, subject: &Subject) -> Result<Vec<Answer>, WarehouseError> {
        let file = match subject.kind {
            SubjectKind::Order => include_str!("../../../schema/explain/order.sql"),
            SubjectKind::Resource => include_str!("../../../schema/explain/resource.sql"),
            SubjectKind::Customer => include_str!("../../../schema/explain/customer.sql"),
        };
        let mut parts = Vec::new();
        for text in file.split(MARK).skip(1) {
            let (title, sql) = text.split_once('\n').unwrap_or((text, ""));
            let mut words = title.splitn(3, " | ");
            let mut word = || words.next().unwrap_or_default();
            let (name, shape) =
                (word(), if word() == "record" { AnswerShape::Record } else { AnswerShape::Table });
            let mut part = Answer::empty(name, word(), shape);
            part.rows = self.named_rows(&expand_decimals(sql), &subject.account, &subject.id)?;
            parts.push(part);
        }
        Ok(parts)
    }

    /// The rows of a query about `:account` and `:id`.
    pub(super) fn named_rows(
        &self,
        sql: &str,
        account: &str,
        id: &str,
    ) -> Result<Vec<AnswerRow>, WarehouseError> {
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
            let rows = statement.query_map(named_params! { ":account": account, ":id": id }, |row| {
                let value = |(at, name): (usize, &String)| Ok((name.clone(), json(row.get_ref(at)?)));
                names.iter().enumerate().map(value).collect()
            })?;
            rows.collect::<rusqlite::Result<Vec<AnswerRow>>>()
        };
        read().map_err(|error| self.sql(&error))
    }
}

pub(super) fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => Value::from(hex::encode(bytes)),
    }
}
