//! The data dictionary: what each table, view and column means, in English and Chinese, as the comments of the files say.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use rows::{DictionaryRows, MADE};
use rusqlite::Connection;

use super::comments::{Described, Meaning, glossary, tables, view};
use super::shape::columns;
use super::text::{ViewPurpose, sources};
use crate::record::{Source, Table};

/// Columns of views whose name means the same everywhere.
pub(super) const GLOSSARY: &str = include_str!("../../../schema/glossary.sql");

/// Names that are added to a column's name, and what that adds to its meaning.
const ENDINGS: &[(&str, &str, &str)] = &[
    ("_en", ": English name", "（英文名称）"),
    ("_zh", ": Chinese name", "（中文名称）"),
    ("_utc8", ", in UTC+8", "，UTC+8"),
];

const UNIT_E8: &str = "10^-8 currency units";
const UNIT: &str = "currency units";

/// Looks meanings up.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// The tables in the order of their migrations.
    tables: Vec<(String, Described)>,
    glossary: BTreeMap<String, Meaning>,
}

impl Dictionary {
    pub(super) fn of(migrations: &[&str]) -> Self {
        let mut known: Vec<(String, Described)> = Vec::new();
        for (name, described) in migrations.iter().flat_map(|migration| tables(migration)) {
            match known.iter_mut().find(|(table, _)| *table == name) {
                Some((_, table)) => {
                    table.meaning = described.meaning.or(table.meaning.take());
                    table.source = described.source.or(table.source.take());
                    table.columns.extend(described.columns);
                }
                None => known.push((name, described)),
            }
        }
        Self { tables: known, glossary: glossary(GLOSSARY) }
    }

    /// The statements that fill the tables `data_objects` and `data_dictionary`. `views` are the names and texts of the views
    /// that are not generated, `columns` gives their columns and those of tables, `made` the names of
    /// everything in the file.
    pub(super) fn filled(
        &self,
        views: &[(&str, &str)],
        records: &[&Table],
        columns: impl Fn(&str) -> rusqlite::Result<Vec<String>>,
        made: &BTreeSet<String>,
    ) -> rusqlite::Result<[String; 2]> {
        let mut rows = DictionaryRows::default();
        for (name, described) in &self.tables {
            let record = records.iter().copied().find(|table| table.name == name);
            let meaning = |column: &String| {
                let mut meaning = described.columns.get(column).cloned().unwrap_or_default();
                meaning.source.get_or_insert_with(|| source_of(described, record, column));
                meaning
            };
            rows.add(name, "table", described, columns(name)?.iter().map(|column| (column, meaning(column))));
        }
        let all: BTreeMap<&str, ReadView<'_>> = views
            .iter()
            .map(|(name, sql)| (*name, ReadView { described: view(sql), sources: sources(sql) }))
            .collect();
        for (name, _) in views {
            let lookup = Lookup::of(name, self, &all);
            let found = columns(name)?;
            let meaning = |column: &String| {
                let mut meaning = lookup.meaning(column, &found).unwrap_or_default();
                meaning.source.get_or_insert_with(|| "derived".to_owned());
                meaning
            };
            let described = &all[name].described;
            rows.add(name, kind_of(name), described, found.iter().map(|column| (column, meaning(column))));
        }
        for (of, kind) in rows.bases.clone() {
            for ending in MADE {
                let name = format!("{of}{}", ending.name);
                if made.contains(&name) {
                    // A history is a table, and what else is made of a table is a view.
                    let is_view = kind == "table" && ending.name != "_history";
                    rows.add_made(&name, &of, if is_view { "view" } else { kind }, ending);
                }
            }
        }
        Ok([rows.objects(), rows.dictionary()])
    }
}

/// Looks up what the columns of one view mean.
struct Lookup<'a> {
    dictionary: &'a Dictionary,
    /// The view, and the views it reads, itself or through others.
    views: Vec<&'a Described>,
    /// The tables they read.
    tables: Vec<&'a Described>,
}

impl<'a> Lookup<'a> {
    fn of(name: &'a str, dictionary: &'a Dictionary, views: &'a BTreeMap<&str, ReadView<'_>>) -> Self {
        let mut found = Self { dictionary, views: Vec::new(), tables: Vec::new() };
        let mut names = vec![name];
        let mut at = 0;
        while let Some(&name) = names.get(at) {
            at += 1;
            if let Some(read) = views.get(name) {
                found.views.push(&read.described);
                names
                    .extend(read.sources.iter().filter(|source| !names.contains(source)).collect::<Vec<_>>());
            } else if let Some((_, table)) = dictionary.tables.iter().find(|(table, _)| table == name) {
                found.tables.push(table);
            }
        }
        found
    }

    /// What one of the view's columns means, or one whose name its name is made of.
    fn meaning(&self, column: &str, columns: &[String]) -> Option<Meaning> {
        // The same amount, for people or for sums.
        let (other, unit) = match column.strip_suffix("_e8") {
            Some(stem) => (stem.to_owned(), Some(UNIT_E8)),
            None => (format!("{column}_e8"), None),
        };
        let unit = unit.or_else(|| columns.contains(&other).then_some(UNIT));
        // What is always null is no amount, and the text beside it is something else.
        let is_null = |name: &str| self.views.first().is_some_and(|view| view.nulls.contains(name));
        let unit = unit.filter(|_| !is_null(column) && !is_null(&other));
        let with_unit =
            |meaning: Meaning| Meaning { unit: unit.map(str::to_owned).or(meaning.unit.clone()), ..meaning };
        let own = |name: &str| self.views.first().and_then(|view| view.columns.get(name).cloned());
        if let Some(meaning) = own(column).filter(|meaning| meaning.unit.is_some()) {
            return Some(meaning);
        }
        if let Some(meaning) = own(column).or_else(|| own(&other)).or_else(|| self.said(column)) {
            return Some(with_unit(meaning));
        }
        for (ending, english, chinese) in ENDINGS {
            if let Some(meaning) = column.strip_suffix(ending).and_then(|stem| self.said(stem)) {
                let without = |text: &str| text.replace(", UTC", "").replace("（UTC）", "");
                return Some(Meaning {
                    english: without(&meaning.english) + english,
                    chinese: without(&meaning.chinese) + chinese,
                    ..Meaning::default()
                });
            }
        }
        self.said(&other).map(with_unit)
    }

    /// What is said of a column of this name: by the glossary, the views that are read, the tables they read. The tables
    /// that the view reads itself come first, those of its outermost query before the others.
    fn said(&self, column: &str) -> Option<Meaning> {
        let by_table = |table: &&Described| {
            table.columns.get(column).map(|meaning| Meaning { source: None, ..meaning.clone() })
        };
        self.said_of_views(column).or_else(|| self.tables.iter().find_map(by_table))
    }

    fn said_of_views(&self, column: &str) -> Option<Meaning> {
        let by_view = |view: &&Described| view.columns.get(column).cloned();
        self.dictionary.glossary.get(column).cloned().or_else(|| self.views.iter().find_map(by_view))
    }
}

/// Adds tables that are made by a text of ours, and not by a migration, to the dictionary of their file.
pub(in crate::warehouse) fn describe_tables(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    for (table, described) in tables(sql) {
        let Meaning { english, chinese, .. } = described.meaning.unwrap_or_default();
        connection.execute(
            "insert or replace into data_objects (object, kind, meaning_en, meaning_zh) values (?1, 'table', ?2, ?3)",
            (&table, english, chinese),
        )?;
        for (position, (column, _)) in (1_i64..).zip(columns(connection, &table)?) {
            let meaning = described.columns.get(&column).cloned().unwrap_or_default();
            connection.execute(
                "insert or replace into data_dictionary (object, kind, position, column_name, meaning_en, meaning_zh, unit, source)
                 values (?1, 'table', ?2, ?3, ?4, ?5, ?6, 'derived')",
                (&table, position, column, meaning.english, meaning.chinese, meaning.unit.unwrap_or_default()),
            )?;
        }
    }
    Ok(())
}

/// What a view's text says, and what it reads.
struct ReadView<'a> {
    described: Described,
    sources: Vec<&'a str>,
}

fn kind_of(view: &str) -> &'static str {
    match ViewPurpose::of(view) {
        ViewPurpose::Question => "question",
        ViewPurpose::Check => "check",
        ViewPurpose::Other => "view",
    }
}

/// Where a table's column comes from: the vendor's interface and field.
fn source_of(table: &Described, record: Option<&Table>, column: &str) -> String {
    let Some(api) = &table.source else { return "bookkeeping".to_owned() };
    if column == "extra" {
        return format!("{api}: fields that no document lists");
    }
    let found = record.and_then(|record| record.columns.iter().find(|known| known.name == column));
    match found.map(|known| known.source) {
        None => "bookkeeping".to_owned(),
        Some(Source::Field(field)) => format!("{api}.{field}"),
        Some(Source::Nested(object, field)) => format!("{api}.{object}.{field}"),
        Some(Source::Given | Source::GivenOrKept) => format!("{api}: the request, or the row's place"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks;
    use super::super::files::{MIGRATIONS, VIEWS};
    use super::super::text::view_name;
    use super::super::upgrade::bring_up_to_date;
    use super::*;

    /// The names that a column's meaning may be taken from.
    fn names_of(column: &str) -> Vec<String> {
        let twin = column.strip_suffix("_e8").map_or_else(|| format!("{column}_e8"), str::to_owned);
        let stems =
            ENDINGS.iter().filter_map(|(ending, _, _)| column.strip_suffix(ending)).map(str::to_owned);
        std::iter::once(column.to_owned()).chain(stems).chain([twin]).collect()
    }

    #[test]
    fn a_views_tables_agree_about_each_column_it_does_not_explain() {
        let mut db = Connection::open_in_memory().expect("a file");
        bring_up_to_date(&mut db).expect("the tables of now");
        let dictionary = Dictionary::of(&MIGRATIONS);
        let all: BTreeMap<&str, ReadView<'_>> = VIEWS
            .iter()
            .copied()
            .chain(checks::views())
            .filter_map(|sql| {
                Some((view_name(sql)?, ReadView { described: view(sql), sources: sources(sql) }))
            })
            .collect();
        let mut open = Vec::new();
        for (name, read) in &all {
            let lookup = Lookup::of(name, &dictionary, &all);
            let direct: Vec<&Described> = (dictionary.tables.iter())
                .filter(|(table, _)| read.sources.contains(&table.as_str()))
                .map(|(_, table)| table)
                .collect();
            for (column, _) in columns(&db, name).expect("columns") {
                let names = names_of(&column);
                if names.iter().any(|name| lookup.said_of_views(name).is_some()) {
                    continue;
                }
                let meanings = |tables: &[&Described], name: &String| -> BTreeSet<String> {
                    tables.iter().filter_map(|table| Some(table.columns.get(name)?.english.clone())).collect()
                };
                let found = [&direct, &lookup.tables]
                    .into_iter()
                    .flat_map(|tables| names.iter().map(move |name| meanings(tables, name)))
                    .find(|meanings| !meanings.is_empty());
                if found.as_ref().is_some_and(|meanings| meanings.len() > 1) {
                    open.push(format!("{name}.{column}: {found:?}"));
                }
            }
        }
        assert_eq!(open, [""; 0], "say it behind the column, or in schema/glossary.sql");
    }
}
