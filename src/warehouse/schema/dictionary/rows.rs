//! The rows of the dictionary's tables.

use std::collections::BTreeMap;

use super::super::comments::{Described, Meaning};
use super::super::shape::comma;
use super::super::text::literal;

/// Says of a column that it has no unit, although its name is that of an amount.
const NO_UNIT: &str = "none";

/// A name, and what it means in English and Chinese.
type SaidOfColumn = (&'static str, &'static str, &'static str);

/// What the name of a generated object ends with, and what its last columns mean.
#[derive(Debug)]
pub(super) struct MadeObject {
    pub(super) name: &'static str,
    english: &'static str,
    chinese: &'static str,
    columns: &'static [SaidOfColumn],
}

pub(super) const MADE: &[MadeObject] = &[
    MadeObject {
        name: "_history",
        english: "Rows that were replaced.",
        chinese: "被替换的行。",
        columns: &[
            ("ended_run", "run that replaced the row", "替换该行的运行编号"),
            ("ended_at", "when the row was replaced, UTC", "该行被替换的时间（UTC）"),
            ("to_commit", "commit that replaced the row", "替换该行的提交编号"),
        ],
    },
    MadeObject {
        name: "_versions",
        english: "All versions of the rows, with when they were known.",
        chinese: "全部版本及其有效时间。",
        columns: &[
            ("valid_from", "since when this was known, UTC", "该版本自何时起有效（UTC）"),
            (
                "valid_to",
                "until when it was, UTC; null: it is still so",
                "该版本至何时为止（UTC），空表示至今有效",
            ),
            ("made_by_run", "run that brought this version", "产生该版本的运行编号"),
            ("ended_by_run", "run that replaced it", "替换该版本的运行编号"),
            (
                "to_commit",
                "commit that replaced it; null: it is still so",
                "替换该版本的提交编号，空表示至今有效",
            ),
        ],
    },
    MadeObject {
        name: "_as_of",
        english: "As it was known at the time of the filter as_of.",
        chinese: "按 as_of 指定的时点。",
        columns: &[(
            "as_of",
            "filter: the day (20260404) or second (20260404100000) in UTC+8 that is asked for",
            "筛选条件：要查询的日期（20260404）或秒（20260404100000），UTC+8",
        )],
    },
];

/// The view that neither has a file of its own nor is made of another one.
const SCRIPT: &str = "as_of_script";

const SCRIPT_MEANING: (&str, &str) = (
    "Statements after which the records of a session, and the views of them, are those of the time of the filter as_of.",
    "执行后，本连接的数据表及其视图即为 as_of 指定时点的状态。",
);

const SCRIPT_COLUMNS: [SaidOfColumn; 2] =
    [("script", "statements to run", "要执行的语句"), MADE[2].columns[0]];

/// The rows of both tables, as values.
#[derive(Debug, Default)]
pub(super) struct DictionaryRows {
    pub(super) bases: Vec<(String, &'static str)>,
    objects: Vec<String>,
    columns: Vec<String>,
    meanings: BTreeMap<String, (String, String)>,
}

impl DictionaryRows {
    pub(super) fn add<'a>(
        &mut self,
        name: &str,
        kind: &'static str,
        described: &Described,
        columns: impl Iterator<Item = (&'a String, Meaning)>,
    ) {
        let Meaning { english, chinese, .. } = described.meaning.clone().unwrap_or_default();
        self.objects.push(values(&[name, kind, &english, &chinese], "null"));
        for (position, (column, meaning)) in columns.enumerate() {
            let Meaning { english, chinese, unit, source } = meaning;
            // What is said to have no unit.
            let unit = unit.filter(|unit| unit != NO_UNIT).unwrap_or_default();
            let source = source.unwrap_or_default();
            let position = (position + 1).to_string();
            self.columns.push(values(&[name, column, &english, &chinese, &unit, &source], &position));
        }
        self.bases.push((name.to_owned(), kind));
        self.meanings.insert(name.to_owned(), (english, chinese));
    }

    pub(super) fn add_made(&mut self, name: &str, of: &str, kind: &str, ending: &MadeObject) {
        let (english, chinese) = self.meanings.get(of).cloned().unwrap_or_default();
        let texts =
            [name, kind, &format!("{english} {}", ending.english), &format!("{chinese}{}", ending.chinese)];
        self.objects.push(values(&texts, &literal(of)));
    }

    /// The statements that fill the table `data_objects`.
    pub(super) fn objects(&self) -> String {
        let (english, chinese) = SCRIPT_MEANING;
        let script = values(&[SCRIPT, "view", english, chinese], "null");
        let rows: Vec<String> = self.objects.iter().cloned().chain([script]).collect();
        format!(
            "delete from data_objects; \
             insert into data_objects (object, kind, meaning_en, meaning_zh, made_of) values {}",
            rows.join(", ")
        )
    }

    /// The statements that fill the table `data_dictionary`, from `data_objects`.
    pub(super) fn dictionary(&self) -> String {
        let script = SCRIPT_COLUMNS.iter().enumerate().map(|(at, (column, english, chinese))| {
            values(&[SCRIPT, column, english, chinese, "", "bookkeeping"], &(at + 1).to_string())
        });
        let rows: Vec<String> = self.columns.iter().cloned().chain(script).collect();
        let added: Vec<String> = MADE
            .iter()
            .flat_map(|ending| {
                ending.columns.iter().enumerate().map(|(at, (column, english, chinese))| {
                    values(&[ending.name, column, english, chinese], &(at + 1).to_string())
                })
            })
            .collect();
        format!(
            "delete from data_dictionary; \
             insert into data_dictionary with \
             entries (object, column_name, meaning_en, meaning_zh, unit, source, position) as materialized (values {}), \
             added (ending, column_name, meaning_en, meaning_zh, place) as (values {}), \
             widths as (select object, count(*) as width from entries group by object) \
             select o.object, o.kind, e.position, e.column_name, e.meaning_en, e.meaning_zh, e.unit, e.source \
             from data_objects as o inner join entries as e on e.object = coalesce(o.made_of, o.object) \
             union all \
             select o.object, o.kind, w.width + a.place, a.column_name, a.meaning_en, a.meaning_zh, '', 'bookkeeping' \
             from data_objects as o inner join added as a on o.object = o.made_of || a.ending \
             inner join widths as w on w.object = o.made_of",
            rows.join(", "),
            added.join(", "),
        )
    }
}

/// A row of texts, and behind them one that is written as it is.
fn values(texts: &[&str], last: &str) -> String {
    let literals: Vec<String> = texts.iter().map(|text| literal(text)).collect();
    format!("({}, {last})", comma("", &literals))
}
