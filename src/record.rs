//! Records and the tables they live in, described by data: the decoder fills them, the warehouse stores them.

mod parent;

use std::fmt;

use crate::money::Amount;
pub use parent::{Dependent, OrderPlace, Parent, Trade};

/// A table of records: one row per thing of the vendor's, keyed by the vendor's own ids.
#[derive(Debug)]
pub struct Table {
    /// Name in the warehouse.
    pub name: &'static str,
    /// How many of the leading columns make the key (the account comes before them).
    pub key_len: usize,
    /// Columns in the order of a [`Record`]'s values; account, `extra` and bookkeeping columns not included.
    pub columns: &'static [Column],
    /// Lists inside a row that have a table of their own, keyed by the row's key and the position in the list.
    pub children: &'static [Children],
    /// Fields of the row that are decoded into other records.
    pub elsewhere: &'static [&'static str],
    /// Whether a row says which customer was asked for and in which role (child rows share their parent's).
    pub context: Context,
}

/// Whether a table has the columns `asked_customer_id` and `role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// It has them.
    Stored,
    /// The parent row has them.
    InParent,
}

/// One column and where its value comes from.
#[derive(Debug)]
pub struct Column {
    /// Name in the warehouse: the API's own field name, with `_e8` behind amounts.
    pub name: &'static str,
    /// Where the value stands in the vendor's JSON.
    pub source: Source,
    /// What the value is.
    pub kind: Kind,
    /// Values the vendor documents; others are kept and listed as drift. Empty: any value.
    pub known: &'static [&'static str],
}

/// Where a column's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A field of the row.
    Field(&'static str),
    /// A field of an object inside the row.
    Nested(&'static str, &'static str),
    /// The stream gives it: from the request, or from the row's place.
    Given,
    /// Like `Given`; a null leaves what is stored (a fact that only some answers tell).
    GivenOrKept,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; a number is kept as its digits.
    Text,
    /// A part of the key: text that must be there.
    Id,
    /// A part of the key that may be missing; missing is stored as the empty text.
    OptionalId,
    /// A whole number, also when it comes as text.
    Integer,
    /// The unit of the row's amounts. Only 1, the currency's main unit, is an amount we can store
    /// (vendor-contract.md §3.4).
    MainUnit,
    /// An exact amount of money, also when it comes as text.
    Money,
    /// A decimal number that is no money, kept as its digits.
    Decimal,
    /// A UTC time, kept as it came; one of another form is listed as drift.
    Time,
    /// true or false, stored as 1 or 0.
    Flag,
}

/// A list inside a row: its table has the parent's key, `position`, and the columns of each element.
#[derive(Debug)]
pub struct Children {
    /// The table of the elements; its columns begin with the parent's key and `position`, all [`Source::Given`].
    pub table: &'static Table,
    /// The list's place in the parent's JSON: a field, or a field of an object inside it.
    pub source: Source,
}

impl Column {
    const fn new(name: &'static str, source: Source, kind: Kind) -> Self {
        Self { name, source, kind, known: &[] }
    }

    /// The text field `name`.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::Text)
    }

    /// The text field `name`, which documents list the values of.
    #[must_use]
    pub const fn code(name: &'static str, known: &'static [&'static str]) -> Self {
        Self { known, ..Self::text(name) }
    }

    /// The key field `name`.
    #[must_use]
    pub const fn id(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::Id)
    }

    /// The key field `name`, which may be missing.
    #[must_use]
    pub const fn optional_id(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::OptionalId)
    }

    /// The integer field `name`.
    #[must_use]
    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::Integer)
    }

    /// The integer field `name`, which documents list the values of.
    #[must_use]
    pub const fn integer_code(name: &'static str, known: &'static [&'static str]) -> Self {
        Self { known, ..Self::integer(name) }
    }

    /// The unit of the row's amounts.
    #[must_use]
    pub const fn main_unit(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::MainUnit)
    }

    /// The money field `field`, stored as `name` in 10⁻⁸ units.
    #[must_use]
    pub const fn money(name: &'static str, field: &'static str) -> Self {
        Self::new(name, Source::Field(field), Kind::Money)
    }

    /// The time field `name`.
    #[must_use]
    pub const fn time(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::Time)
    }

    /// The decimal field `name`.
    #[must_use]
    pub const fn decimal(name: &'static str) -> Self {
        Self::new(name, Source::Field(name), Kind::Decimal)
    }

    /// The field `field` of the object `object`, stored as `name`.
    #[must_use]
    pub const fn nested(name: &'static str, object: &'static str, field: &'static str, kind: Kind) -> Self {
        Self::new(name, Source::Nested(object, field), kind)
    }

    /// A text that the stream gives.
    #[must_use]
    pub const fn given(name: &'static str) -> Self {
        Self::new(name, Source::Given, Kind::Text)
    }

    /// A text that the stream gives when it knows it.
    #[must_use]
    pub const fn given_or_kept(name: &'static str) -> Self {
        Self::new(name, Source::GivenOrKept, Kind::Text)
    }
}

/// A stored value. There is no float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Missing or null: the vendor's documents give the two no different meaning in these records.
    Null,
    /// An integer, or an amount in 10⁻⁸ units.
    Integer(i64),
    /// Text.
    Text(String),
}

impl From<Amount> for Value {
    fn from(amount: Amount) -> Self {
        Self::Integer(amount.e8())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// One row to store, with the rows of its lists.
#[derive(Clone, Debug)]
pub struct Record {
    /// The table.
    pub table: &'static Table,
    /// A value for each of the table's columns.
    pub values: Vec<Value>,
    /// JSON object of the fields nobody documented; `None` when there were none.
    pub extra: Option<String>,
    /// Every list of the table, in its order, complete: stored elements behind its end are gone.
    pub children: Vec<Vec<Record>>,
    /// The orders whose records of other streams must be read when this row is new or changed.
    pub parents: Vec<Parent>,
}

impl Record {
    /// The value of a column; `None` when the table has no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        let at = self.table.columns.iter().position(|candidate| candidate.name == column)?;
        self.values.get(at)
    }

    /// The text of a column; `None` for null, numbers and unknown columns.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.get(column) {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Null | Value::Integer(_)) | None => None,
        }
    }

    /// The integer of a column; `None` for null, text and unknown columns.
    #[must_use]
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Some(Value::Integer(integer)) => Some(*integer),
            Some(Value::Null | Value::Text(_)) | None => None,
        }
    }

    /// The key as text, its parts joined by ` / `.
    #[must_use]
    pub fn key(&self) -> String {
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Integer(integer) => integer.to_string(),
            Value::Null => String::new(),
        };
        let parts: Vec<String> = self.values.iter().take(self.table.key_len).map(text).collect();
        parts.join(" / ")
    }

    /// The first part of the key, as text.
    #[must_use]
    pub fn first_key(&self) -> &str {
        match self.values.first() {
            Some(Value::Text(text)) => text,
            Some(Value::Null | Value::Integer(_)) | None => "",
        }
    }
}

/// A row that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The row's JSON as it came.
    pub raw: String,
    /// Why.
    pub reason: String,
}

/// Something the vendor sent that its documents do not list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// What kind of thing.
    pub kind: DriftKind,
    /// Table and field, dotted.
    pub field: String,
    /// The value, shortened; empty for unknown fields.
    pub value: String,
}

/// Kinds of [`Drift`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// A field that is not documented.
    Field,
    /// A code that is not documented.
    Value,
    /// A time of another form than the documented one.
    Time,
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Field => "field",
            Self::Value => "value",
            Self::Time => "time",
        })
    }
}
