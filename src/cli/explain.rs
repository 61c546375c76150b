//! `bss-sync explain`: one order, resource or customer, and where everything about it came from.

use clap::Args;
use serde_json::{Value, json};

use super::choose::choose;
use super::common::{Common, Output};
use super::say::{say, say_json, table};
use crate::config::Config;
use crate::error::Failure;
use crate::warehouse::{
    Answer, AnswerRow, AnswerShape, Explanation, RowVersions, SearchedAccount, Warehouse,
};

/// Arguments of `bss-sync explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// An order, refund order, order line, refund attribution, resource or customer
    #[arg(value_name = "ID")]
    id: String,
    /// Only in this account; may be repeated
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

/// The exit code when nothing has the id, as of a search that finds nothing.
const NOT_FOUND: u8 = 1;

pub(super) fn execute(args: &ExplainArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let warehouse = Warehouse::open_read_only(&config.warehouse)?;
    choose("account in the warehouse", &args.account, &warehouse.known_runs()?.accounts, String::as_str)?;
    let found = warehouse.explain(args.id.trim(), &args.account)?;
    let searched = if found.is_empty() { warehouse.searched(&args.account)? } else { Vec::new() };
    match common.output {
        Output::Json => say_json(&json!({
            "id": args.id.trim(),
            "found": found.iter().map(Explanation::to_json).collect::<Vec<_>>(),
            "searched": searched.iter().map(searched_to_json).collect::<Vec<_>>(),
        })),
        Output::Text if found.is_empty() => say(&not_found(args.id.trim(), &searched)),
        Output::Text => say(&found.iter().map(render).collect::<Vec<_>>().join("\n\n")),
    }
    Ok(if found.is_empty() { NOT_FOUND } else { 0 })
}

fn render(found: &Explanation) -> String {
    let mut text = format!("{} {} of account {}", found.kind.as_str(), found.id, found.account);
    if let Some(by) = found.found_by {
        text.push_str(&format!(" (found by {by})"));
    }
    let parts = || found.parts.iter().chain([&found.checks]);
    for part in parts().filter(|part| !part.rows.is_empty()) {
        text.push_str(&format!("\n\n{}\n{}", part.heading, render_answer(part)));
    }
    for versions in &found.versions {
        text.push_str(&format!("\n\n{}", render_versions(versions)));
    }
    if !found.runs.rows.is_empty() {
        text.push_str(&format!("\n\n{}\n{}", found.runs.heading, render_answer(&found.runs)));
    }
    let none: Vec<&str> =
        parts().filter(|part| part.rows.is_empty()).map(|part| part.name.as_str()).collect();
    if !none.is_empty() {
        text.push_str(&format!("\n\nNothing found: {}", none.join(", ").replace('_', " ")));
    }
    text
}

fn render_answer(part: &Answer) -> String {
    match part.shape {
        AnswerShape::Record => part.rows.iter().map(render_record).collect::<Vec<_>>().join("\n"),
        AnswerShape::Table => render_table(&part.rows),
    }
}

/// A line for each value that is there.
fn render_record(row: &AnswerRow) -> String {
    let row = with_code_names(row);
    let width =
        row.iter().filter(|(_, text)| !text.is_empty()).map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = row.iter().filter(|(_, text)| !text.is_empty());
    lines.map(|(name, text)| format!("  {name:width$}  {text}")).collect::<Vec<_>>().join("\n")
}

/// A column for each value that any row has.
fn render_table(rows: &[AnswerRow]) -> String {
    let rows: Vec<Vec<(String, String)>> = rows.iter().map(with_code_names).collect();
    let names: Vec<&str> = rows.first().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let filled: Vec<bool> = (0..names.len())
        .map(|at| rows.iter().any(|row| row.get(at).is_some_and(|(_, text)| !text.is_empty())))
        .collect();
    let header: Vec<String> = names
        .iter()
        .zip(&filled)
        .filter(|(_, filled)| **filled)
        .map(|(name, _)| name.to_uppercase())
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut shown = table(&header);
    for row in rows {
        let cells = row.into_iter().zip(&filled).filter(|(_, filled)| **filled);
        shown.add_row(cells.map(|((_, text), _)| text).collect::<Vec<_>>());
    }
    shown.to_string()
}

/// Values as text; a code and its two names become one: `5 completed 已完成`.
fn with_code_names(row: &AnswerRow) -> Vec<(String, String)> {
    let of = |name: &str| row.iter().find(|(known, _)| known == name).map(|(_, value)| plain(value));
    let is_name_of_code = |name: &str| {
        let code = name.strip_suffix("_en").or_else(|| name.strip_suffix("_zh"));
        code.is_some_and(|code| of(code).is_some())
    };
    let kept = row.iter().filter(|(name, _)| !is_name_of_code(name));
    kept.map(|(name, value)| {
        let names = ["_en", "_zh"].iter().filter_map(|ending| of(&format!("{name}{ending}")));
        let texts: Vec<String> =
            [plain(value)].into_iter().chain(names).filter(|text| !text.is_empty()).collect();
        (name.clone(), texts.join(" "))
    })
    .collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.chars().flat_map(escaped).collect(),
        other => other.to_string(),
    }
}

/// Control characters of the vendor's texts must not reach a terminal.
fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

fn render_versions(versions: &RowVersions) -> String {
    let RowVersions { table, key, versions } = versions;
    let mut text = format!("Versions of {table} {key}");
    for version in versions {
        let since = version.since.as_deref().unwrap_or("an unknown time");
        let run = version.run.map_or_else(String::new, |run| format!(" (run {run})"));
        text.push_str(&format!("\n  {} since {since}{run}", version.number));
        for change in &version.changes {
            let shown = |value: &Value| if value.is_null() { "nothing".to_owned() } else { plain(value) };
            text.push_str(&format!(
                "\n    {}: {} -> {}",
                change.column,
                shown(&change.from),
                shown(&change.to)
            ));
        }
    }
    text
}

fn not_found(id: &str, searched: &[SearchedAccount]) -> String {
    let mut text = format!(
        "{id} is no order, refund order, order line, refund attribution, resource or customer of the warehouse, and nothing in \
         it names it"
    );
    if searched.is_empty() {
        text.push_str("\nnothing was read yet: `bss-sync run` begins");
    }
    for account in searched {
        let SearchedAccount { account, months, first_incomplete, data_as_of, queued } = account;
        let span = months.as_ref().map_or_else(
            || "no month was read yet".to_owned(),
            |(first, last)| match first_incomplete {
                None => format!("orders created from {first} to {last} were read completely"),
                Some(month) => {
                    format!("orders created from {first} to {last} were read, but {month} is not complete")
                }
            },
        );
        let as_of = data_as_of.as_ref().map_or_else(String::new, |at| format!(", up to {at}"));
        text.push_str(&format!("\n{account}: {span}{as_of}"));
        if *queued > 0 {
            text.push_str(&format!(
                "; lines, refunds or resources of {queued} order(s) are still to be read"
            ));
        }
    }
    text
}

fn searched_to_json(searched: &SearchedAccount) -> Value {
    let (first, last) = searched.months.clone().unzip();
    json!({
        "account": searched.account,
        "first_month": first,
        "last_month": last,
        "first_incomplete_month": searched.first_incomplete,
        "data_as_of": searched.data_as_of,
        "orders_queued": searched.queued,
    })
}
