//! `bss-sync status`: how fresh and complete the warehouse is.

mod completeness;

use super::{Common, Output, say, say_json, table};
use crate::config::Config;
use crate::error::Failure;
use crate::warehouse::{Overview, PageLimitState, QuotaState, Warehouse};

pub(super) fn execute(common: &Common, config: &Config) -> Result<u8, Failure> {
    let overview = Warehouse::open_read_only(&config.warehouse)?.overview()?;
    match common.output {
        Output::Json => say_json(&overview),
        Output::Text => say(&render(&overview)),
    }
    Ok(0)
}

/// The quotas worked with, when any is known.
fn quotas(known: &[QuotaState]) -> String {
    let lines = known.iter().map(|known| {
        let policy = if known.policy.is_empty() { String::new() } else { format!(" by {}", known.policy) };
        let refused =
            known.last_refused_at.as_ref().map_or_else(String::new, |at| format!(", last refused {at}"));
        format!(
            "\n{} {}: quota {}{policy}, {}{refused}",
            known.account, known.endpoint, known.quota, known.origin
        )
    });
    lines.collect()
}

/// The sizes of pages that are not as documented.
fn page_limits(known: &[PageLimitState]) -> String {
    let line = |known: &PageLimitState| {
        let PageLimitState { account, endpoint, limit, documented, learned_at } = known;
        format!(
            "\n{account} {endpoint}: pages of {limit} rows, documented {documented}, learned {learned_at}"
        )
    };
    known.iter().map(line).collect()
}

fn render(overview: &Overview) -> String {
    let mut text = String::new();
    let mut runs = table(&[
        "ACCOUNT",
        "JOB",
        "LAST RUN (UTC)",
        "OUTCOME",
        "REQUESTS",
        "NEW",
        "CHANGED",
        "LAST DONE (UTC)",
    ]);
    for run in &overview.runs {
        runs.add_row([
            run.account.clone(),
            run.job.clone(),
            run.started_at.clone(),
            run.outcome.clone(),
            run.requests.to_string(),
            run.rows_inserted.to_string(),
            run.rows_changed.to_string(),
            run.last_done_at.clone().unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    text.push_str(&runs.to_string());
    if overview.runs.is_empty() {
        text.push_str("\nnothing ran yet: `bss-sync run` begins");
    }
    for run in &overview.runs {
        if let Some(reason) = &run.reason {
            text.push_str(&format!("\n{} {}: {}", run.account, run.job, reason));
        }
    }
    text.push_str(&completeness::by_month(&overview.months));
    for mark in &overview.watermarks {
        text.push_str(&format!(
            "\n{} {}: complete by {} time up to {}",
            mark.account, mark.stream, mark.lane, mark.watermark
        ));
    }
    text.push_str(&completeness::by_part(&overview.parts));
    for queue in &overview.queues {
        text.push_str(&format!(
            "\n{} {}: {} order(s) queued, {} of them to be read once more later, {} failing",
            queue.account, queue.stream, queue.entries, queue.later, queue.failing
        ));
        if queue.left > 0 {
            text.push_str(&format!(", {} of customers who left, not asked for", queue.left));
        }
        if let Some(error) = &queue.last_error {
            text.push_str(&format!(" ({error})"));
        }
    }
    text.push_str(&quotas(&overview.quotas));
    text.push_str(&page_limits(&overview.page_limits));
    for (count, what) in [
        (overview.disputed, "window(s), list(s) or order(s) not proven complete: view disputes"),
        (overview.quarantined, "row(s) that could not be decoded: view undecoded_rows"),
        (overview.drift, "undocumented field(s) or value(s): table drift"),
    ] {
        if count > 0 {
            text.push_str(&format!("\n{count} {what}"));
        }
    }
    text
}
