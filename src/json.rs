//! JSON whose values are still text, so that numbers keep every digit.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::record::{Drift, DriftKind};

/// Longest value listed in `drift`, in characters: enough to recognise a code.
const DRIFT_VALUE_CHARS: usize = 200;

/// A body that is not the JSON object its endpoint promises. Worth another try: the vendor's 200s are
/// sometimes HTML or cut off.
#[derive(Debug, thiserror::Error)]
pub enum BadBody {
    /// Not JSON, or not an object.
    #[error("the answer is not a JSON object ({0})")]
    NotAnObject(String),
    /// Neither rows nor their number: whatever this is, it is not an empty list.
    #[error("the answer has neither rows in `{rows}` nor their number in `{total}`")]
    Hollow {
        /// The field with the rows.
        rows: &'static str,
        /// The field with their number.
        total: &'static str,
    },
    /// A field that carries the rows or their number has another type.
    #[error("field `{field}` of the answer is {found}, not {expected}")]
    WrongType {
        /// Field of the answer.
        field: &'static str,
        /// What was found.
        found: &'static str,
        /// What the contract says.
        expected: &'static str,
    },
}

/// A JSON object whose values are still text, so that numbers keep every digit.
#[derive(Debug, Default)]
pub struct Object<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Parses an object.
    ///
    /// # Errors
    /// When the text is not one JSON object.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Parses the body of an answer.
    ///
    /// # Errors
    /// When the body is not one JSON object.
    pub fn of_body(body: &'a [u8]) -> Result<Self, BadBody> {
        serde_json::from_slice(body).map_err(|error| BadBody::NotAnObject(error.to_string()))
    }

    /// Takes a field out; null and missing are the same.
    pub fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.entries.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.entries.swap_remove(at);
        (value.get() != "null").then_some(value)
    }

    /// Takes out the rows of an answer and the number of matching rows.
    ///
    /// A list that is missing or empty is an empty one only where the vendor also says how many rows match: whether it
    /// leaves an empty list out is not documented (vendor-contract.md §12), and each of these answers has a number
    /// (§3.1).
    ///
    /// # Errors
    /// When there is neither, or one has another type.
    pub fn take_list(
        &mut self,
        rows: &'static str,
        total: &'static str,
    ) -> Result<(Vec<&'a RawValue>, Option<u64>), BadBody> {
        let matching = self.take_total(total)?;
        let found = self.take_rows(rows)?.unwrap_or_default();
        if found.is_empty() && matching.is_none() {
            return Err(BadBody::Hollow { rows, total });
        }
        Ok((found, matching))
    }

    /// Takes out the number of matching records: a number, or a number as text. `None` when it is missing.
    fn take_total(&mut self, field: &'static str) -> Result<Option<u64>, BadBody> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let text = value.get().trim_matches('"');
        text.parse().map(Some).map_err(|_| BadBody::WrongType {
            field,
            found: type_of(value),
            expected: "a count",
        })
    }

    /// Takes out a list of rows; `None` when it is null or missing.
    ///
    /// # Errors
    /// When it is anything but a list.
    pub fn take_rows(&mut self, field: &'static str) -> Result<Option<Vec<&'a RawValue>>, BadBody> {
        let Some(value) = self.take(field) else { return Ok(None) };
        serde_json::from_str(value.get()).map(Some).map_err(|_| BadBody::WrongType {
            field,
            found: type_of(value),
            expected: "a list",
        })
    }

    /// What nobody took, as drift of `owner` (a table, or the answer itself).
    pub fn list_unknown(&self, owner: &str, drift: &mut Vec<Drift>) {
        for (key, _) in &self.entries {
            drift.push(Drift {
                kind: DriftKind::Field,
                field: shorten(&format!("{owner}.{key}")),
                value: String::new(),
            });
        }
    }

    /// What nobody took, as JSON.
    pub(crate) fn rest(self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        self.entries.into_iter().map(|(key, value)| (key, Cow::Borrowed(value.get()))).collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut entries: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(24);
                while let Some((Key(key), value)) = map.next_entry()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(serde::de::Error::custom(format_args!("field `{key}` twice")));
                    }
                    entries.push((key, value));
                }
                Ok(Object { entries })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A key, borrowed when it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(DRIFT_VALUE_CHARS).collect()
}

/// The text of a string, number or truth value; `None` for lists and objects.
pub(crate) fn scalar_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => {
            let Key(text) = serde_json::from_str(json).ok()?;
            Some(text)
        }
        Some(b'{' | b'[') | None => None,
        Some(_) => Some(Cow::Borrowed(json)),
    }
}

pub(crate) fn is_number(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text)
        .is_ok_and(|value| value.get().starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']))
}

pub(crate) fn type_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a truth value",
        _ => "a number",
    }
}
