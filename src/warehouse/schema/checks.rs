//! The reconciliation checks: one SQL file each, whose header says what it is called, how grave a break is and what it needs.

use std::sync::LazyLock;

use serde::Serialize;

use super::files;
use super::text::view_name;

/// What the headers of the files say.
static CHECKS: LazyLock<Vec<Check>> =
    LazyLock::new(|| files::CHECKS.iter().filter_map(|file| Check::of_file(file)).collect());

/// How grave a break is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The figures are not to be trusted: the result is "findings".
    Error,
    /// To be looked at; changes the result when asked to.
    Warn,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word of the files and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }

    pub(in crate::warehouse) fn of_word(word: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info].into_iter().find(|severity| severity.as_str() == word)
    }
}

/// A reconciliation check, as the header of its file describes it.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its number, e.g. RC01.
    pub id: &'static str,
    /// Its name.
    pub name_en: &'static str,
    /// Its name in Chinese.
    pub name_zh: &'static str,
    /// How grave a break is at most.
    pub severity: Severity,
    /// By how much amounts or times may differ.
    pub tolerance: &'static str,
    /// The streams without which it says nothing.
    pub needs: Vec<&'static str>,
    /// What a break means.
    pub meaning_en: &'static str,
    /// What a break means, in Chinese.
    pub meaning_zh: &'static str,
    /// The view with its breaks.
    pub view: &'static str,
    sql: &'static str,
}

impl Check {
    /// All checks, by their numbers.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &CHECKS
    }

    fn of_file(sql: &'static str) -> Option<Self> {
        let mut header = sql.lines().map(|line| line.strip_prefix("-- ").unwrap_or_default());
        let (title, name_zh) = header.next()?.split_once(" | ")?;
        let (id, name_en) = title.split_once(' ')?;
        let mut field = |name: &str| header.next()?.strip_prefix(name)?.strip_prefix(": ");
        let severity = Severity::of_word(field("severity")?)?;
        let tolerance = field("tolerance")?;
        let needs = field("needs")?.split(", ").collect();
        let (meaning_en, meaning_zh) = header.next()?.split_once(" | ")?;
        let view = view_name(sql)?;
        Some(Self { id, name_en, name_zh, severity, tolerance, needs, meaning_en, meaning_zh, view, sql })
    }
}

/// The texts of the checks' views.
pub(super) fn views() -> impl Iterator<Item = &'static str> {
    Check::all().iter().map(|check| check.sql)
}

/// The view that lists the checks: what their headers say.
pub(super) fn catalogue() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let rows: Vec<String> = Check::all()
        .iter()
        .map(|check| {
            let needs = check.needs.join(", ");
            let columns = [
                check.id,
                check.name_en,
                check.name_zh,
                check.severity.as_str(),
                check.tolerance,
                &needs,
                check.meaning_en,
                check.meaning_zh,
                check.view,
            ];
            format!("        ({})", columns.map(quoted).join(", "))
        })
        .collect();
    format!(
        "-- The reconciliation checks: what each is called, how grave a break is and what it means. | 核对检查目录。
create view checks as
with
listed (id, name_en, name_zh, severity, tolerance, needs, meaning_en, meaning_zh, view) as (
    values
{}
)
select
    id, -- number of the check | 检查编号
    name_en, -- its name | 检查名称（英文）
    name_zh, -- its name in Chinese | 检查名称（中文）
    severity, -- error, warn or info: what a break means for the result | 级别
    tolerance, -- by how much values may differ: T0 not at all, T1 a cent per amount compared | 容差
    needs, -- streams without which it is skipped | 所需数据
    meaning_en, -- what a break means | 差异含义（英文）
    meaning_zh, -- what a break means, in Chinese | 差异含义（中文）
    view -- view with the breaks as they are now | 差异视图
from listed;",
        rows.join(",\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::find;

    #[test]
    fn each_file_has_a_header_that_names_known_streams_and_its_view() {
        for file in files::CHECKS {
            let first = file.lines().next().unwrap_or_default();
            let check = Check::of_file(file).unwrap_or_else(|| panic!("no header: {first}"));
            assert!(check.needs.iter().all(|stream| find(stream).is_some()), "{first}");
            let number = check.id.to_lowercase();
            let name = check.name_en.replace([' ', ','], "_").replace("__", "_");
            assert_eq!(check.view, format!("check_{number}_{name}"), "{first}");
        }
        assert!(Check::all().windows(2).all(|pair| pair[0].id < pair[1].id), "by their numbers");
    }
}
