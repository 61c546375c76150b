//! `configuration.md`: the example configuration as a page, because it explains each key the program accepts.

use std::collections::{BTreeMap, BTreeSet};

use super::{assert_page, made_of, repository};
use crate::fixtures::bench;

/// A key that nobody would mean.
const NO_KEY: &str = "qqqqqqqqqqqq";

/// The file that is installed with the program.
const EXAMPLE: &str = "deploy/config.example.toml";

#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// `[table]`, in use or not.
    Table(&'a str),
    /// `key = value`, in use or not, and the whole line as it is to be written.
    Key(&'a str, &'a str),
    /// A line of prose.
    Prose(&'a str),
    Blank,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let text = line.strip_prefix('#').map_or(line, |rest| rest.strip_prefix(' ').unwrap_or(rest));
        if line.is_empty() {
            return Self::Blank;
        }
        if let Some(table) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Self::Table(table);
        }
        match text.split_once(" = ") {
            Some((key, value))
                if key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
                    && value.starts_with(['"', '{', '[', 't', 'f']) =>
            {
                Self::Key(key, text)
            }
            _ => Self::Prose(text),
        }
    }
}

fn example() -> String {
    std::fs::read_to_string(repository().join(EXAMPLE)).expect("the example")
}

#[test]
fn the_page_of_the_configuration_is_the_example() {
    let mut page = format!(
        "# Configuration\n\n{}This page is `{EXAMPLE}` with its comments as text. Each block shows a key with its default, or an\n\
         alternative. Without `--config` the program reads `./bss-sync.toml`, else `/etc/bss-sync/config.toml`.\n\n",
        made_of(EXAMPLE)
    );
    let (example, mut prose, mut keys) = (example(), Vec::new(), Vec::new());
    // The first line and the empty one below it are about the file, not about its keys.
    for line in example.lines().skip(2).map(Line::of).chain([Line::Blank]) {
        if !keys.is_empty() && !matches!(line, Line::Key(..)) {
            page += &format!("```toml\n{}\n```\n\n", keys.join("\n"));
            keys.clear();
        }
        if let Line::Table(table) = line {
            page += &format!("## [{table}] {{#{}}}\n\n", table.replace('.', "-"));
        }
        if !prose.is_empty() && !matches!(line, Line::Prose(_)) {
            page += &format!("{}\n\n", prose.join("\n"));
            prose.clear();
        }
        match line {
            Line::Key(_, text) => keys.push(text.to_owned()),
            Line::Prose(text) => prose.push(text.to_owned()),
            Line::Table(_) | Line::Blank => {}
        }
    }
    assert_page("configuration.md", &format!("{}\n", page.trim_end()));
}

/// The keys of the example by table; jobs are one table, because they all have the same.
fn explained() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut tables: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut table = "";
    for line in example().lines().map(Line::of) {
        match line {
            Line::Table(name) => {
                let (of, key) = name.split_once('.').unwrap_or((name, ""));
                table = match (of, key) {
                    ("accounts", _) => "accounts.acme",
                    ("jobs", _) => "jobs.orders",
                    ("warehouse", _) => "warehouse",
                    ("publish", _) => "publish",
                    ("metrics", _) => "metrics",
                    ("log", _) => "log",
                    _ => panic!("a table that this test does not know: {name}"),
                };
                tables.entry("").or_default().insert(of.to_owned());
            }
            Line::Key(key, _) => {
                tables.entry(table).or_default().insert(key.to_owned());
            }
            Line::Prose(_) | Line::Blank => {}
        }
    }
    tables
}

#[test]
fn the_example_explains_the_keys_that_the_program_accepts() {
    let bench = bench();
    for (table, explained) in explained() {
        let key = if table.is_empty() { NO_KEY.to_owned() } else { format!("{table}.{NO_KEY}") };
        let said = bench.call(&["jobs", "--set", &format!("{key}=x")]).expect_code(2).stderr;
        let (_, keys) = said.split_once("the keys here are ").unwrap_or_else(|| panic!("{table}: {said}"));
        let keys = keys.lines().next().expect("a line");
        let accepted: BTreeSet<String> = keys.split(", ").map(|key| key.trim().to_owned()).collect();
        assert_eq!(explained, accepted, "[{table}]: on the left what {EXAMPLE} explains");
    }
}
