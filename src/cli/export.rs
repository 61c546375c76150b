//! `bss-sync export`: views and tables as files for other programs.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::common::{Common, Output};
use super::say::{say, say_json};
use crate::config::Config;
use crate::error::Failure;
use crate::export::{Destination, Export, ExportError, Format};
use crate::settings::nearest;
use crate::warehouse::{Relation, RowFilter, Warehouse};

/// Arguments of `bss-sync export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Views or tables, e.g. `v_orders`; 'f0*' is all that begin so. Several only as xlsx, a sheet each
    #[arg(required = true, value_name = "VIEW")]
    views: Vec<String>,
    /// Form of the file [default: what --to ends with, else csv]
    #[arg(long, value_parser = PossibleValuesParser::new(Format::ALL.map(Format::as_str)))]
    format: Option<String>,
    /// The file, which is replaced; - is standard output, for csv [default: VIEW.FORMAT in this folder]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Only this billing month, e.g. 2026-10; may be repeated
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Vec<String>,
    /// Only this account; may be repeated
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

pub(super) fn execute(args: &ExportArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let warehouse = Warehouse::open_read_only(&config.warehouse)?;
    let relations = choose(&warehouse, &args.views)?;
    let filter = RowFilter { months: args.month.clone(), accounts: args.account.clone() };
    check_filter(&relations, &filter)?;
    let format = format(args);
    let default = format!("{}.{}", default_name(args, &relations), format.as_str());
    let destination = match args.to.as_deref() {
        Some(path) if path == Path::new("-") => Destination::StandardOutput,
        Some(path) => Destination::File(path),
        None => Destination::File(Path::new(&default)),
    };
    let export = Export { relations, filter, format, destination };
    let rows = match export.write(&warehouse) {
        // A reader who went away is no failure.
        Err(ExportError::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(0),
        written => written?,
    };
    if let Destination::File(path) = destination {
        report(common, path, &export.relations, &rows);
    }
    Ok(0)
}

fn report(common: &Common, path: &Path, relations: &[Relation], rows: &[u64]) {
    let of_each = relations.iter().zip(rows);
    match common.output {
        Output::Json => {
            let views: Vec<_> =
                of_each.map(|(relation, rows)| json!({ "view": relation.name, "rows": rows })).collect();
            say_json(&json!({ "file": path, "views": views }));
        }
        Output::Text => {
            let lines = of_each.map(|(relation, rows)| format!("\n{}: {rows} row(s)", relation.name));
            say(&format!("exported {}{}", path.display(), lines.collect::<String>()));
        }
    }
}

fn format(args: &ExportArgs) -> Format {
    let ending = args.to.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    let wanted = args.format.as_deref().or(ending).unwrap_or_default();
    Format::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(wanted)).unwrap_or(Format::Csv)
}

/// The name of a file that nobody named: its view's, or what was asked for.
fn default_name(args: &ExportArgs, relations: &[Relation]) -> String {
    match (relations, args.views.as_slice()) {
        ([relation], _) => relation.name.clone(),
        (_, [pattern]) => format!("{}views", pattern.trim_end_matches('*')),
        _ => "views".to_owned(),
    }
}

/// The views and tables that are meant, each once, in the order of the words.
fn choose(warehouse: &Warehouse, words: &[String]) -> Result<Vec<Relation>, Failure> {
    let known = warehouse.relations()?;
    let mut names: Vec<&str> = Vec::new();
    for word in words {
        let meant: Vec<&str> = match word.strip_suffix('*') {
            Some(begin) => known.iter().map(String::as_str).filter(|name| name.starts_with(begin)).collect(),
            None => known.iter().map(String::as_str).filter(|name| name == word).collect(),
        };
        if meant.is_empty() {
            return Err(unknown(word, &known));
        }
        for name in meant {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let relations = names.into_iter().filter_map(|name| warehouse.relation(name).transpose());
    Ok(relations.collect::<Result<_, _>>()?)
}

fn unknown(word: &str, known: &[String]) -> Failure {
    let names = || known.iter().map(String::as_str);
    let hint = match nearest(word, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        // f01 stands for its view, and is no slip of the pen.
        None => match names().find(|name| !word.is_empty() && name.starts_with(word)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        },
    };
    Failure::Usage(format!("there is no view or table `{word}`; {hint}"))
}

fn check_filter(relations: &[Relation], filter: &RowFilter) -> Result<(), Failure> {
    for relation in relations {
        let lacks = |what: &str, flag: &str| {
            Failure::Usage(format!("{} has no column for {what}; leave out {flag}", relation.name))
        };
        if !filter.months.is_empty() && relation.month().is_none() {
            return Err(lacks("a month", "--month"));
        }
        if !filter.accounts.is_empty() && !relation.has("account") {
            return Err(lacks("the account", "--account"));
        }
    }
    Ok(())
}

fn month(text: &str) -> Result<String, String> {
    let is_month = text.len() == 7
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
        && ("01"..="12").contains(&&text[5..]);
    if is_month { Ok(text.to_owned()) } else { Err("write a month as 2026-10".to_owned()) }
}
