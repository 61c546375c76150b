//! The rows of the dictionary's tables.

use std::collections::BTreeMap;

use super::super::comma;
use super::super::comments::{Described, Meaning};
use super::super::text::literal;

/// A name, and what it means in English and Chinese.
type Said = (&'static str, &'static str, &'static str);

/// What the name of a generated object ends with, and what its last columns mean.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) name: &'static str,
    english: &'static str,
    chinese: &'static str,
    columns: &'static [Said],
}

pub(super) const MADE: &[Ending] = &[
    Ending {
        name: "_history",
        english: "Rows that were replaced.",
        chinese: "被替换的行。",
        columns: &[
            ("ended_run", "run that replaced the row", "替换该行的运行编号"),
            ("ended_at", "when the row was replaced, UTC", "该行被替换的时间（UTC）"),
        ],
    },
    Ending {
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
        ],
    },
    Ending {
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

/// What is made by this file and its neighbours, and has no file of its own.
const OURS: &[(&str, &str, &str, &[Said])] = &[
    (
        "as_of_script",
        "Statements after which the tables and views of a session are those of the time of the filter as_of.",
        "执行后，本连接的表和视图即为 as_of 指定时点的状态。",
        &[
            ("script", "statements to run", "要执行的语句"),
            ("as_of", MADE[2].columns[0].1, MADE[2].columns[0].2),
        ],
    ),
    (
        "data_objects",
        "Tables and views of this file, and what each is.",
        "本文件的表和视图及其含义。",
        &[
            ("object", "table or view", "表或视图"),
            (
                "kind",
                "table, view, check or question",
                "类型：table 表，view 视图，check 核对，question 财务问题",
            ),
            ("meaning_en", "what it is, in English", "英文含义"),
            ("meaning_zh", "what it is, in Chinese", "中文含义"),
            (
                "made_of",
                "table or view it is generated from; null: from none",
                "由哪个表或视图生成，空表示非生成",
            ),
        ],
    ),
    (
        "data_dictionary",
        "Columns of all tables and views of this file, and what each is.",
        "本文件全部表和视图的字段及其含义。",
        &[
            ("object", "table or view", "表或视图"),
            (
                "kind",
                "table, view, check or question",
                "类型：table 表，view 视图，check 核对，question 财务问题",
            ),
            ("position", "place of the column, from 1", "字段序号，从 1 开始"),
            ("column_name", "column", "字段名"),
            ("meaning_en", "what it is, in English", "英文含义"),
            ("meaning_zh", "what it is, in Chinese", "中文含义"),
            ("unit", "unit of the values; empty: none", "单位，空表示无"),
            (
                "source",
                "interface and field of the vendor, 'derived' or 'bookkeeping'",
                "来源：华为云接口及字段、derived 派生或 bookkeeping 程序记录",
            ),
        ],
    ),
];

/// The rows of both tables, as values.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) bases: Vec<(String, &'static str)>,
    objects: Vec<String>,
    columns: Vec<String>,
    meanings: BTreeMap<String, (String, String)>,
}

impl Rows {
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
            let (unit, source) = (unit.unwrap_or_default(), source.unwrap_or_default());
            let position = (position + 1).to_string();
            self.columns.push(values(&[name, column, &english, &chinese, &unit, &source], &position));
        }
        self.bases.push((name.to_owned(), kind));
        self.meanings.insert(name.to_owned(), (english, chinese));
    }

    pub(super) fn add_made(&mut self, name: &str, of: &str, kind: &str, ending: &Ending) {
        let (english, chinese) = self.meanings.get(of).cloned().unwrap_or_default();
        let texts =
            [name, kind, &format!("{english} {}", ending.english), &format!("{chinese}{}", ending.chinese)];
        self.objects.push(values(&texts, &literal(of)));
    }

    /// The statements that make the table `data_objects`.
    pub(super) fn objects_table(&self) -> String {
        let ours = OURS.iter().map(|(name, english, chinese, _)| {
            let kind = if name.starts_with("data_") { "table" } else { "view" };
            values(&[name, kind, english, chinese], "null")
        });
        let rows: Vec<String> = self.objects.iter().cloned().chain(ours).collect();
        format!(
            "drop table if exists data_objects; \
             create table data_objects (object text primary key, kind text not null, meaning_en text not null, \
             meaning_zh text not null, made_of text) strict; \
             insert into data_objects (object, kind, meaning_en, meaning_zh, made_of) values {}",
            rows.join(", ")
        )
    }

    /// The statements that make the table `data_dictionary`, from `data_objects`.
    pub(super) fn dictionary_table(&self) -> String {
        let ours = OURS.iter().flat_map(|(name, _, _, columns)| {
            columns.iter().enumerate().map(move |(at, (column, english, chinese))| {
                values(&[name, column, english, chinese, "", "bookkeeping"], &(at + 1).to_string())
            })
        });
        let rows: Vec<String> = self.columns.iter().cloned().chain(ours).collect();
        let added: Vec<String> = MADE
            .iter()
            .flat_map(|ending| {
                ending.columns.iter().enumerate().map(|(at, (column, english, chinese))| {
                    values(&[ending.name, column, english, chinese], &(at + 1).to_string())
                })
            })
            .collect();
        format!(
            "drop table if exists data_dictionary; \
             create table data_dictionary (object text not null, kind text not null, position integer not null, \
             column_name text not null, meaning_en text not null, meaning_zh text not null, unit text not null, \
             source text not null, primary key (object, position)) strict; \
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
