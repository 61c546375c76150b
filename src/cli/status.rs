//! `bss-sync status`: how fresh and complete the warehouse is, and what needs a person.

mod age;
mod completeness;
mod needs;

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::common::{Common, Output};
use super::lines::{COLUMNS, span, wrap};
use super::say::{say, say_json, table};
use crate::config::Config;
use crate::error::Failure;
use crate::time::UtcSecond;
use crate::warehouse::{Overview, PageLimitState, QueueState, QuotaState, Warehouse};
use age::{MaxAge, Stale};

/// Arguments of `bss-sync status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// For monitors: exit code 3, and a line for each stream that is older, e.g. 26h, or orders=1h for one; may be repeated
    #[arg(long, value_name = "[STREAM=]DURATION", value_parser = MaxAge::parse)]
    max_age: Vec<MaxAge>,
    /// Show the last 13 months one by one
    #[arg(long)]
    months: bool,
}

/// Exit code when a stream is older than it may be: something a person should look at.
const STALE: u8 = 3;

/// What machines are told.
#[derive(Serialize)]
struct StatusReport<'a> {
    #[serde(flatten)]
    overview: &'a Overview,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<&'a [Stale]>,
}

pub(super) fn execute(args: &StatusArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let overview = Warehouse::open_read_only(&config.warehouse)?.overview()?;
    let now = UtcSecond::now();
    let is_judged = !args.max_age.is_empty();
    let judgement = age::judge(&args.max_age, config, &overview.streams, now)?;
    match common.output {
        Output::Json => {
            let stale = is_judged.then_some(judgement.stale.as_slice());
            say_json(&StatusReport { overview: &overview, stale });
        }
        Output::Text if is_judged => say(&judgement.render()),
        Output::Text => {
            let months = if args.months { Months::OneByOne } else { Months::InLines };
            say(&render(&overview, config, now, months));
        }
    }
    Ok(if judgement.stale.is_empty() { 0 } else { STALE })
}

/// How the last months are shown.
#[derive(Clone, Copy)]
enum Months {
    InLines,
    OneByOne,
}

fn render(overview: &Overview, config: &Config, now: UtcSecond, months: Months) -> String {
    if overview.runs.is_empty() {
        return "nothing ran yet: `bss-sync run` begins".to_owned();
    }
    let sections = [
        needs::a_person(overview, config, now),
        streams(overview, now),
        match months {
            Months::InLines => completeness::in_lines(&overview.months),
            Months::OneByOne => completeness::by_month(&overview.months),
        },
        runs(overview, now),
        section("What was read one by one", &completeness::by_part(&overview.parts)),
        section("Queues", &overview.queues.iter().filter_map(queue).collect::<Vec<_>>()),
        section("Quotas", &quotas(&overview.quotas)),
        section("Sizes of pages", &page_limits(&overview.page_limits)),
        section("What no document of the vendor lists", &drift(overview.drift)),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Lines under a title, wrapped; nothing without lines.
fn section(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|line| wrap(&format!("  {line}"), 4));
    std::iter::once(title.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// A table that fits the terminal.
fn narrow(header: &[&str]) -> comfy_table::Table {
    let mut table = table(header);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_width(u16::try_from(COLUMNS).unwrap_or(u16::MAX));
    table
}

/// How long ago a time of the ledger is.
fn ago(time: Option<&str>, now: UtcSecond) -> String {
    let Some(then) = time.and_then(UtcSecond::parse) else { return "never".to_owned() };
    span(Duration::from_secs(now.unix().saturating_sub(then.unix()).max(0).unsigned_abs()))
}

fn streams(overview: &Overview, now: UtcSecond) -> String {
    let mut shown = narrow(&["ACCOUNT", "STREAM", "COMPLETE UP TO (UTC)", "AGE", "QUEUED", "FAILING"]);
    for state in &overview.streams {
        shown.add_row([
            state.account.clone(),
            state.stream.clone(),
            state.fresh_up_to.clone().unwrap_or_else(|| "-".to_owned()),
            ago(state.fresh_up_to.as_deref(), now),
            state.queued.to_string(),
            state.failing.to_string(),
        ]);
    }
    format!("Freshness\n{shown}")
}

fn runs(overview: &Overview, now: UtcSecond) -> String {
    let mut shown = narrow(&["ACCOUNT", "JOB", "LAST RUN", "OUTCOME", "NEW", "CHANGED", "LAST DONE"]);
    for run in &overview.runs {
        shown.add_row([
            run.account.clone(),
            run.job.clone(),
            ago(Some(&run.started_at), now),
            run.outcome.clone(),
            run.rows_inserted.to_string(),
            run.rows_changed.to_string(),
            ago(run.last_done_at.as_deref(), now),
        ]);
    }
    format!("Last runs (how long ago)\n{shown}")
}

/// What the table of streams does not say about a queue; `None` when there is nothing more.
fn queue(queue: &QueueState) -> Option<String> {
    let QueueState { account, stream, later, left, last_error, .. } = queue;
    let more = [
        (*later > 0).then(|| format!("{later} order(s) are to be read later or once more")),
        (*left > 0).then(|| format!("{left} of customers who left are not asked for")),
        last_error.as_ref().map(|error| format!("one that failed: {error}")),
    ];
    let more: Vec<String> = more.into_iter().flatten().collect();
    (!more.is_empty()).then(|| format!("{account} {stream}: {}", more.join("; ")))
}

/// The quotas worked with.
fn quotas(known: &[QuotaState]) -> Vec<String> {
    let line = |known: &QuotaState| {
        let policy = if known.policy.is_empty() { String::new() } else { format!(" by {}", known.policy) };
        let refused =
            known.last_refused_at.as_ref().map_or_else(String::new, |at| format!(", last refused {at}"));
        format!("{} {}: {}{policy}, {}{refused}", known.account, known.endpoint, known.quota, known.origin)
    };
    known.iter().map(line).collect()
}

/// The sizes of pages that are not as documented.
fn page_limits(known: &[PageLimitState]) -> Vec<String> {
    let line = |known: &PageLimitState| {
        let PageLimitState { account, endpoint, limit, documented, learned_at } = known;
        format!("{account} {endpoint}: {limit} rows, documented {documented}, learned {learned_at}")
    };
    known.iter().map(line).collect()
}

/// What the vendor's documents do not list; it is stored all the same.
fn drift(count: i64) -> Vec<String> {
    (count > 0).then(|| format!("{count} field(s) or value(s): table drift")).into_iter().collect()
}
