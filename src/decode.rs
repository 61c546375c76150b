//! From the vendor's JSON to records: exact, complete, and nothing dropped.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use crate::json::{Object, is_number, scalar_text, shorten, type_of};
use crate::money::Amount;
use crate::record::{Children, Column, Drift, DriftKind, Kind, Record, Reject, Source, Table, Value};
use crate::time::UtcSecond;

/// Decodes one row of a table.
///
/// `given` has the values of the table's [`Source::Given`] columns, in their order.
///
/// # Errors
/// When the row cannot be stored as it is: it then goes to quarantine, whole.
pub fn decode_row(
    table: &'static Table,
    raw: &RawValue,
    given: &[Value],
    drift: &mut Vec<Drift>,
) -> Result<Record, Reject> {
    Row::parse(table, raw)
        .and_then(|row| row.decode(given, drift))
        .map_err(|reason| Reject { raw: raw.get().to_owned(), reason })
}

/// A row being decoded: its fields and the objects inside it that columns reach into.
struct Row<'a> {
    table: &'static Table,
    fields: Object<'a>,
    objects: Vec<(&'static str, Object<'a>)>,
}

impl<'a> Row<'a> {
    fn parse(table: &'static Table, raw: &'a RawValue) -> Result<Self, String> {
        let mut fields = Object::parse(raw.get()).map_err(|error| format!("not a JSON object ({error})"))?;
        let mut objects: Vec<(&'static str, Object<'a>)> = Vec::new();
        let columns = table.columns.iter().map(|column| column.source);
        for source in columns.chain(table.children.iter().map(|children| children.source)) {
            if let Source::Nested(object, _) = source
                && !objects.iter().any(|(name, _)| *name == object)
            {
                let inner = match fields.take(object) {
                    Some(value) => Object::parse(value.get()).map_err(|error| {
                        format!("field `{object}` is {}, not an object ({error})", type_of(value))
                    })?,
                    None => Object::default(),
                };
                objects.push((object, inner));
            }
        }
        Ok(Self { table, fields, objects })
    }

    fn take(&mut self, source: Source) -> Option<&'a RawValue> {
        match source {
            Source::Field(name) => self.fields.take(name),
            Source::Nested(object, name) => {
                self.objects.iter_mut().find(|(known, _)| *known == object)?.1.take(name)
            }
            Source::Given | Source::GivenOrKept => None,
        }
    }

    fn decode(mut self, given: &[Value], drift: &mut Vec<Drift>) -> Result<Record, String> {
        let mut given = given.iter();
        let mut values = Vec::with_capacity(self.table.columns.len());
        for column in self.table.columns {
            values.push(match column.source {
                Source::Given | Source::GivenOrKept => given.next().cloned().unwrap_or(Value::Null),
                Source::Field(_) | Source::Nested(..) => {
                    let raw = self.take(column.source);
                    convert(self.table, column, raw, drift)?
                }
            });
        }
        let key = &values[..self.table.key_len];
        let mut lists = Vec::with_capacity(self.table.children.len());
        for children in self.table.children {
            let raw = self.take(children.source);
            lists.push(decode_children(children, raw, key, drift)?);
        }
        let table = self.table;
        let extra = self.extra(drift);
        Ok(Record { table, values, extra, children: lists, parents: Vec::new() })
    }

    fn extra(mut self, drift: &mut Vec<Drift>) -> Option<String> {
        for field in self.table.elsewhere {
            self.fields.take(field);
        }
        self.fields.list_unknown(self.table.name, drift);
        let mut rest = self.fields.rest();
        for (name, object) in self.objects {
            object.list_unknown(&format!("{}.{name}", self.table.name), drift);
            let inner = object.rest();
            if !inner.is_empty() {
                rest.push((Cow::Borrowed(name), Cow::Owned(to_json(inner))));
            }
        }
        (!rest.is_empty()).then(|| to_json(rest))
    }
}

fn decode_children(
    children: &Children,
    raw: Option<&RawValue>,
    parent_key: &[Value],
    drift: &mut Vec<Drift>,
) -> Result<Vec<Record>, String> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let name = children.table.name;
    let elements: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| format!("{name}: {} instead of a list", type_of(raw)))?;
    let mut records = Vec::with_capacity(elements.len());
    for (position, element) in (0i64..).zip(elements) {
        let mut given = parent_key.to_vec();
        given.push(Value::Integer(position));
        let record = Row::parse(children.table, element)
            .and_then(|row| row.decode(&given, drift))
            .map_err(|reason| format!("{name}[{position}]: {reason}"))?;
        records.push(record);
    }
    Ok(records)
}

/// The entries in the order of their names, so that the same content is the same text.
fn to_json(mut entries: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> String {
    entries.sort_unstable();
    let mut json = String::from("{");
    for (key, value) in entries {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::String(key.into_owned()).to_string());
        json.push(':');
        json.push_str(&value);
    }
    json.push('}');
    json
}

fn convert(
    table: &Table,
    column: &Column,
    raw: Option<&RawValue>,
    drift: &mut Vec<Drift>,
) -> Result<Value, String> {
    let Some(raw) = raw else {
        return match column.kind {
            Kind::Id => Err(format!("key field `{}` is missing", column.name)),
            Kind::OptionalId => Ok(Value::from("")),
            Kind::Text
            | Kind::Integer
            | Kind::MainUnit
            | Kind::Money
            | Kind::Decimal
            | Kind::Time
            | Kind::Flag => Ok(Value::Null),
        };
    };
    let text = scalar_text(raw).ok_or_else(|| {
        format!("field `{}` is {}, not {}", column.name, type_of(raw), expected(column.kind))
    })?;
    let wrong = |why: &dyn fmt::Display| {
        format!("field `{}`: {} {why}, not {}", column.name, raw.get(), expected(column.kind))
    };
    let value = match column.kind {
        Kind::Id if text.is_empty() => return Err(format!("key field `{}` is empty", column.name)),
        Kind::Text | Kind::Id | Kind::OptionalId => Value::Text(text.into_owned()),
        // An empty text where a number is documented says as little as null.
        Kind::Integer | Kind::MainUnit | Kind::Money | Kind::Decimal | Kind::Flag if text.is_empty() => {
            Value::Null
        }
        Kind::Integer => Value::Integer(text.parse().map_err(|_| wrong(&"is another type"))?),
        Kind::MainUnit if text == "1" => Value::Integer(1),
        Kind::MainUnit => return Err(wrong(&"is another unit of money")),
        Kind::Money => Amount::parse(&text).map_err(|error| wrong(&error))?.into(),
        Kind::Decimal if is_number(&text) => Value::Text(text.into_owned()),
        Kind::Decimal => return Err(wrong(&"is no number")),
        Kind::Flag => match text.as_ref() {
            "true" | "1" => Value::Integer(1),
            "false" | "0" => Value::Integer(0),
            _ => return Err(wrong(&"is another type")),
        },
        Kind::Time => {
            if !text.is_empty() && UtcSecond::parse(&text).is_none() {
                drift.push(unusual(DriftKind::Time, table, column, &text));
            }
            Value::Text(text.into_owned())
        }
    };
    if !column.known.is_empty() {
        let code = match &value {
            Value::Integer(integer) => integer.to_string(),
            Value::Text(text) => text.clone(),
            Value::Null => String::new(),
        };
        if !code.is_empty() && !column.known.contains(&code.as_str()) {
            drift.push(unusual(DriftKind::Value, table, column, &code));
        }
    }
    Ok(value)
}

fn unusual(kind: DriftKind, table: &Table, column: &Column, value: &str) -> Drift {
    Drift { kind, field: format!("{}.{}", table.name, column.name), value: shorten(value) }
}

const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Id | Kind::OptionalId => "a text",
        Kind::Integer => "a whole number",
        Kind::MainUnit => "1 (the currency's main unit)",
        Kind::Money => "an exact amount",
        Kind::Decimal => "a number",
        Kind::Time => "a time",
        Kind::Flag => "a truth value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Context;

    static CHILD: Table = Table {
        name: "child",
        key_len: 2,
        columns: &[Column::given("id"), Column::given("position"), Column::text("kind")],
        children: &[],
        elsewhere: &[],
        context: Context::InParent,
    };

    static TABLE: Table = Table {
        name: "thing",
        key_len: 1,
        columns: &[
            Column::id("id"),
            Column::integer_code("status", &["1", "2"]),
            Column::money("amount_e8", "amount"),
            Column::main_unit("measure_id"),
            Column::time("create_time"),
            Column::nested("fee_e8", "info", "fee", Kind::Money),
            Column::nested("is_paid", "info", "is_paid", Kind::Flag),
            Column::decimal("size"),
            Column::text("name"),
        ],
        children: &[Children { table: &CHILD, source: Source::Nested("info", "parts") }],
        elsewhere: &["members"],
        context: Context::Stored,
    };

    fn decode(json: &str) -> (Result<Record, Reject>, Vec<Drift>) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let mut drift = Vec::new();
        (decode_row(&TABLE, raw, &[], &mut drift), drift)
    }

    fn decoded(json: &str) -> Record {
        decode(json).0.expect("decodes")
    }

    fn reason(json: &str) -> String {
        decode(json).0.expect_err("is rejected").reason
    }

    #[test]
    fn every_documented_field_lands_in_its_column() {
        let record = decoded(
            r#"{"id":"a","status":"2","amount":-1E-8,"measure_id":"1","create_time":"2026-01-01T00:00:00Z",
                "info":{"fee":0.10,"is_paid":true,"parts":[{"kind":"x"},{"kind":null}]},"size":40.50,"name":7,"members":[]}"#,
        );
        assert_eq!(
            record.values,
            [
                Value::from("a"),
                Value::Integer(2),
                Value::Integer(-1),
                Value::Integer(1),
                Value::from("2026-01-01T00:00:00Z"),
                Value::Integer(10_000_000),
                Value::Integer(1),
                Value::from("40.50"),
                Value::from("7"),
            ]
        );
        assert_eq!(record.extra, None);
        let parts: Vec<_> = record.children[0].iter().map(|part| part.values.clone()).collect();
        assert_eq!(parts[0], [Value::from("a"), Value::Integer(0), Value::from("x")]);
        assert_eq!(parts[1], [Value::from("a"), Value::Integer(1), Value::Null]);
    }

    #[test]
    fn missing_and_null_are_null_and_an_empty_text_stays() {
        let record = decoded(r#"{"id":"a","amount":null,"name":"","info":null}"#);
        assert_eq!(record.get("amount_e8"), Some(&Value::Null));
        assert_eq!(record.get("fee_e8"), Some(&Value::Null));
        assert_eq!(record.text("name"), Some(""));
    }

    #[test]
    fn unknown_fields_are_kept_with_every_digit_and_listed() {
        let (record, drift) =
            decode(r#"{"z":1.50,"id":"a","b":{"x":[1]},"info":{"new":0.123456789012345678}}"#);
        assert_eq!(
            record.expect("decodes").extra.as_deref(),
            Some(r#"{"b":{"x":[1]},"info":{"new":0.123456789012345678},"z":1.50}"#)
        );
        let fields: Vec<_> = drift.iter().map(|drift| drift.field.as_str()).collect();
        assert_eq!(fields, ["thing.z", "thing.b", "thing.info.new"]);
    }

    #[test]
    fn unknown_codes_and_odd_times_are_kept_and_listed() {
        let (record, drift) = decode(r#"{"id":"a","status":99,"create_time":"yesterday"}"#);
        let record = record.expect("decodes");
        assert_eq!(record.integer("status"), Some(99));
        assert_eq!(record.text("create_time"), Some("yesterday"));
        let kinds: Vec<_> = drift.iter().map(|drift| (drift.kind, drift.value.as_str())).collect();
        assert_eq!(kinds, [(DriftKind::Value, "99"), (DriftKind::Time, "yesterday")]);
    }

    #[test]
    fn a_row_that_cannot_be_stored_as_it_is_says_why() {
        for (json, expected) in [
            ("{}", "key field `id` is missing"),
            (r#"{"id":""}"#, "key field `id` is empty"),
            (
                r#"{"id":"a","amount":0.000000001}"#,
                "field `amount_e8`: 0.000000001 has more than 8 decimals, not an exact amount",
            ),
            (
                r#"{"id":"a","amount":1e400}"#,
                "field `amount_e8`: 1e400 is beyond ±92233720368.54775807, not an exact amount",
            ),
            (r#"{"id":"a","status":1.5}"#, "field `status`: 1.5 is another type, not a whole number"),
            (
                r#"{"id":"a","measure_id":3}"#,
                "field `measure_id`: 3 is another unit of money, not 1 (the currency's main unit)",
            ),
            (r#"{"id":"a","name":{"x":1}}"#, "field `name` is an object, not a text"),
            (r#"{"id":"a","info":{"parts":7}}"#, "child: a number instead of a list"),
        ] {
            assert_eq!(reason(json), expected, "{json}");
        }
        assert!(reason(r#"{"id":"a","id":"b"}"#).contains("field `id` twice"));
        assert!(reason("[]").starts_with("not a JSON object"));
    }
}
