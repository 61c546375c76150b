//! Reading one table of settings: each key once, every problem collected, unknown keys named at the end.

use std::cell::RefCell;

use super::node::{Node, SettingValue};
use super::problem::{Problem, Problems};
use super::source::SettingSource;
use super::text::{is_name, nearest};

/// One table being read. Call [`Section::finish`] last: keys nobody asked for are unknown keys.
pub struct Section<'a> {
    path: String,
    node: &'a Node,
    known: RefCell<Vec<&'static str>>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// The whole tree; its path is empty.
    #[must_use]
    pub const fn root(node: &'a Node, problems: &'a Problems) -> Self {
        Self::at(String::new(), node, problems)
    }

    /// The tree as the part of a greater one that stands at `path` there.
    #[must_use]
    pub const fn at(path: String, node: &'a Node, problems: &'a Problems) -> Self {
        Self { path, node, known: RefCell::new(Vec::new()), problems }
    }

    /// Where the table came from.
    #[must_use]
    pub const fn source(&self) -> &SettingSource {
        self.node.source()
    }

    /// Where the value of `key` came from; where the table did when there is none.
    #[must_use]
    pub fn source_of(&self, key: &str) -> &SettingSource {
        self.raw(key).map_or(self.node.source(), Node::source)
    }

    /// Whether there is a value for `key`, right or wrong. Asking makes the key known.
    #[must_use]
    pub fn has(&self, key: &'static str) -> bool {
        self.entry(key).is_some()
    }

    /// The text at `key` as `parse` understands it; `None` when missing, or wrong and therefore reported.
    ///
    /// `parse` answers with what would be right.
    pub fn read<T>(&self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let node = self.entry(key)?;
        let SettingValue::Text(text) = &node.value else {
            self.wrong_kind(key, node, "a text in quotes");
            return None;
        };
        parse(text)
            .map_err(|remedy| {
                let problem = Problem::at(&node.source, "this value is not understood");
                self.problems.add(problem.key(&self.dotted(key)).value(text).remedy(&remedy));
            })
            .ok()
    }

    /// The boolean at `key`; `None` when missing, or no boolean and therefore reported. A flag or variable gives it as text.
    pub fn boolean(&self, key: &'static str) -> Option<bool> {
        let node = self.entry(key)?;
        match &node.value {
            SettingValue::Boolean(boolean) => Some(*boolean),
            SettingValue::Text(text) if text == "true" => Some(true),
            SettingValue::Text(text) if text == "false" => Some(false),
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Table(_)
            | SettingValue::Other(_) => {
                self.wrong_kind(key, node, "true or false, without quotes");
                None
            }
        }
    }

    /// As [`Section::read`], but a missing key is a problem too; `remedy` says what to write.
    pub fn required<T>(
        &self,
        key: &'static str,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.missing(key, remedy);
        }
        self.read(key, parse)
    }

    /// The texts at `key`, each as `parse` understands it. A flag or variable gives a list with commas: `a,b`.
    pub fn list<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let node = self.entry(key)?;
        let report = |source: &SettingSource, text: &str, remedy: String| {
            let problem = Problem::at(source, "this value is not understood");
            self.problems.add(problem.key(&self.dotted(key)).value(text).remedy(&remedy));
        };
        match &node.value {
            SettingValue::Text(text) => {
                let item =
                    |item: &str| parse(item.trim()).map_err(|remedy| report(&node.source, item, remedy)).ok();
                text.split(',').map(item).collect()
            }
            SettingValue::List(items) => {
                let item = |item: &Node| match &item.value {
                    SettingValue::Text(text) => {
                        parse(text).map_err(|remedy| report(&item.source, text, remedy)).ok()
                    }
                    SettingValue::List(_)
                    | SettingValue::Table(_)
                    | SettingValue::Boolean(_)
                    | SettingValue::Other(_) => {
                        self.wrong_kind(key, item, "a text in quotes");
                        None
                    }
                };
                items.iter().map(item).collect()
            }
            SettingValue::Table(_) | SettingValue::Boolean(_) | SettingValue::Other(_) => {
                self.wrong_kind(key, node, "a list of texts: [\"a\", \"b\"]");
                None
            }
        }
    }

    /// The table at `key`; `None` when missing, or no table and therefore reported.
    pub fn table(&self, key: &'static str) -> Option<Section<'a>> {
        let node = self.entry(key)?;
        if matches!(node.value, SettingValue::Table(_)) {
            return Some(Section::at(self.dotted(key), node, self.problems));
        }
        self.wrong_kind(key, node, "a table");
        None
    }

    /// The text at `key` as it stands, for keys that decide how others are read; `None` for anything else.
    #[must_use]
    pub fn peek(&self, key: &'static str) -> Option<&'a str> {
        match &self.entry(key)?.value {
            SettingValue::Text(text) => Some(text),
            SettingValue::List(_)
            | SettingValue::Table(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => None,
        }
    }

    /// Makes keys known that are read elsewhere, or not at all because of another problem.
    pub fn know(&self, keys: &[&'static str]) {
        self.known.borrow_mut().extend(keys);
    }

    /// Whether the table has no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().next().is_none()
    }

    /// Every entry of a table whose keys are names a person chose; an entry that is no table is reported.
    pub fn tables(&self) -> Vec<(&'a str, Section<'a>)> {
        let tables = self.entries().filter_map(|(name, node)| {
            if matches!(node.value, SettingValue::Table(_)) {
                return Some((name, Section::at(self.dotted(name), node, self.problems)));
            }
            self.wrong_kind(name, node, "a table");
            None
        });
        tables.collect()
    }

    /// Every entry of a table of texts whose keys are one of `keys`; others are reported.
    pub fn texts<T>(&self, keys: &[&str], parse: impl Fn(&str) -> Result<T, String>) -> Vec<(&'a str, T)> {
        let texts = self.entries().filter_map(|(key, node)| {
            if !keys.contains(&key) {
                self.unknown(key, node, keys);
                return None;
            }
            let SettingValue::Text(text) = &node.value else {
                self.wrong_kind(key, node, "a text in quotes");
                return None;
            };
            let report = |remedy: String| {
                let problem = Problem::at(&node.source, "this value is not understood");
                self.problems.add(problem.key(&self.dotted(key)).value(text).remedy(&remedy));
            };
            parse(text).map_err(report).ok().map(|value| (key, value))
        });
        texts.collect()
    }

    /// Reports a problem at `key`, without its value.
    pub fn report(&self, key: &str, what: &str, remedy: &str) {
        let problem = Problem::at(self.source_of(key), what);
        self.problems.add(problem.key(&self.dotted(key)).remedy(remedy));
    }

    /// Reports that `key` is missing.
    pub fn missing(&self, key: &'static str, remedy: &str) {
        let problem = Problem::at(self.node.source(), "this key is missing");
        self.problems.add(problem.key(&self.dotted(key)).remedy(remedy));
    }

    /// Reports the keys nobody asked for, without their values.
    pub fn finish(self) {
        let known = self.known.borrow();
        for (key, node) in self.entries() {
            if !known.contains(&key) {
                self.unknown(key, node, &known);
            }
        }
    }

    /// The dotted path of `key`, which the person may have invented.
    #[must_use]
    pub fn dotted(&self, key: &str) -> String {
        let shown: String = key.chars().take(64).collect();
        let key = if is_name(&shown) { shown } else { format!("{shown:?}") };
        match self.path.as_str() {
            "" => key,
            path => format!("{path}.{key}"),
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let node: &'a Node = self.node;
        let entries = match &node.value {
            SettingValue::Table(entries) => Some(entries),
            SettingValue::Text(_)
            | SettingValue::List(_)
            | SettingValue::Boolean(_)
            | SettingValue::Other(_) => None,
        };
        entries.into_iter().flatten().map(|(key, node)| (key.as_str(), node))
    }

    fn entry(&self, key: &'static str) -> Option<&'a Node> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        self.raw(key)
    }

    fn raw(&self, key: &str) -> Option<&'a Node> {
        self.entries().find(|(name, _)| *name == key).map(|(_, node)| node)
    }

    fn unknown(&self, key: &str, node: &Node, known: &[&str]) {
        let remedy = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean {}?", self.dotted(near)),
            None if known.is_empty() => "remove it".to_owned(),
            None => format!("the keys here are {}", known.join(", ")),
        };
        self.problems
            .add(Problem::at(&node.source, "this key is unknown").key(&self.dotted(key)).remedy(&remedy));
    }

    fn wrong_kind(&self, key: &str, node: &Node, expected: &str) {
        let problem = Problem::at(&node.source, &format!("{} stands here", node.kind()));
        self.problems.add(problem.key(&self.dotted(key)).remedy(&format!("write {expected}")));
    }
}
