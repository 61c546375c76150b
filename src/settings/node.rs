//! A tree of values that remember where they came from.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::source::SettingSource;

/// One value and the place it came from.
///
/// It has no `Debug`: a person may have written a secret where none belongs, and it must not reach a log.
#[derive(Clone)]
pub struct Node {
    pub(super) source: SettingSource,
    pub(super) value: SettingValue,
}

/// What stands at a key.
#[derive(Clone)]
pub(super) enum SettingValue {
    Text(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    Boolean(bool),
    /// A number or date: no key wants one, so only its kind is kept, for the message.
    Other(&'static str),
}

impl Node {
    /// An empty table.
    #[must_use]
    pub fn empty(source: SettingSource) -> Self {
        Self { source, value: SettingValue::Table(BTreeMap::new()) }
    }

    /// A text, as flags and environment variables give it.
    #[must_use]
    pub fn text(source: SettingSource, text: &str) -> Self {
        Self { source, value: SettingValue::Text(text.to_owned()) }
    }

    /// Reads TOML text; `file` is its name in messages.
    ///
    /// # Errors
    /// The first syntax error with its line. The line itself is not repeated: it may hold a secret.
    pub fn of_toml(file: &Path, text: &str) -> Result<Self, Problem> {
        let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let source = |at: usize| SettingSource::new(&format!("{} line {}", file.display(), line_of(at)));
        match DeTable::parse(text) {
            Ok(table) => Ok(Self {
                source: SettingSource::new(&file.display().to_string()),
                value: table_of(table.get_ref(), &source),
            }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                // The parser's own message names characters and kinds, never the text around them; its Display would.
                Err(Problem::at(&source(at), &format!("this is no TOML: {}", error.message()))
                    .remedy("correct the line; the syntax is at https://toml.io"))
            }
        }
    }

    /// Puts `node` at `path`, replacing what stands there and every part of the path that is no table.
    pub fn put(&mut self, path: &[String], node: Self) {
        let Some((first, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        let table = self.table_mut();
        if rest.is_empty() {
            table.insert(first.clone(), node);
        } else {
            let source = node.source.clone();
            table.entry(first.clone()).or_insert_with(|| Self::empty(source)).put(rest, node);
        }
    }

    /// Takes out and returns what stands at `key` of this table.
    pub fn take(&mut self, key: &str) -> Option<Self> {
        match &mut self.value {
            SettingValue::Table(entries) => entries.remove(key),
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => None,
        }
    }

    /// Lays the entries of `over` on this table, level by level; what `over` has wins.
    pub fn lay_over(&mut self, over: Self) {
        match over.value {
            SettingValue::Table(entries) => {
                let table = self.table_mut();
                for (key, node) in entries {
                    match table.get_mut(&key) {
                        Some(below) => below.lay_over(node),
                        None => {
                            table.insert(key, node);
                        }
                    }
                }
            }
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => *self = over,
        }
    }

    /// What stands at `key`, when this is a table that has it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            SettingValue::Table(entries) => entries.get_mut(key),
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => None,
        }
    }

    /// Whether this is a table.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self.value, SettingValue::Table(_))
    }

    /// The keys of this table; none when it is no table.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|(key, _)| key)
    }

    /// The keys of this table and where their values came from; none when it is no table.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &SettingSource)> {
        let entries = match &self.value {
            SettingValue::Table(entries) => Some(entries),
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => None,
        };
        entries.into_iter().flatten().map(|(key, node)| (key.as_str(), &node.source))
    }

    /// Where this value came from.
    #[must_use]
    pub const fn source(&self) -> &SettingSource {
        &self.source
    }

    fn table_mut(&mut self) -> &mut BTreeMap<String, Self> {
        if !self.is_table() {
            self.value = SettingValue::Table(BTreeMap::new());
        }
        match &mut self.value {
            SettingValue::Table(entries) => entries,
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => {
                unreachable!("a table was just put there")
            }
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match &self.value {
            SettingValue::Text(_) => "a text",
            SettingValue::List(_) => "a list",
            SettingValue::Table(_) => "a table",
            SettingValue::Boolean(_) => "a boolean",
            SettingValue::Other(kind) => kind,
        }
    }
}

fn table_of(table: &DeTable<'_>, source: &dyn Fn(usize) -> SettingSource) -> SettingValue {
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let node = Node { source: source(key.span().start), value: value_of(value.get_ref(), source) };
        (key.get_ref().clone().into_owned(), node)
    };
    SettingValue::Table(table.iter().map(entry).collect())
}

fn value_of(value: &DeValue<'_>, source: &dyn Fn(usize) -> SettingSource) -> SettingValue {
    match value {
        DeValue::String(text) => SettingValue::Text(text.clone().into_owned()),
        DeValue::Array(items) => {
            let item = |item: &Spanned<DeValue<'_>>| Node {
                source: source(item.span().start),
                value: value_of(item.get_ref(), source),
            };
            SettingValue::List(items.iter().map(item).collect())
        }
        DeValue::Table(table) => table_of(table, source),
        DeValue::Integer(_) => SettingValue::Other("a whole number"),
        DeValue::Float(_) => SettingValue::Other("a number"),
        DeValue::Boolean(boolean) => SettingValue::Boolean(*boolean),
        DeValue::Datetime(_) => SettingValue::Other("a date"),
    }
}
