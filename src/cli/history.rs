//! `bss-sync history`: past runs.

use chrono::NaiveDate;
use clap::Args;

use super::choose::choose;
use super::common::{Common, Output};
use super::say::{say, say_json, table};
use crate::config::Config;
use crate::error::Failure;
use crate::settings::duration;
use crate::time::UtcSecond;
use crate::warehouse::{PastRun, RunsWanted, Warehouse};

/// Arguments of `bss-sync history`.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The most runs to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Only this job; may be repeated
    #[arg(long, value_name = "NAME")]
    job: Vec<String>,
    /// Only this account; may be repeated
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Only runs that began since then: a day or time of UTC (2026-10-01, 2026-10-01T08:00:00Z), or so long ago (7d, 12h)
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<UtcSecond>,
}

pub(super) fn execute(args: &HistoryArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let warehouse = Warehouse::open_read_only(&config.warehouse)?;
    let known = warehouse.known_runs()?;
    // The ledger decides what there is, because jobs and accounts leave the configuration and their runs stay.
    if !(known.jobs.is_empty() && known.accounts.is_empty()) {
        choose("job in the history", &args.job, &known.jobs, String::as_str)?;
        choose("account in the history", &args.account, &known.accounts, String::as_str)?;
    }
    let wanted = RunsWanted {
        limit: args.limit,
        jobs: args.job.clone(),
        accounts: args.account.clone(),
        since: args.since,
    };
    let runs = warehouse.past_runs(&wanted)?;
    match common.output {
        Output::Json => say_json(&runs),
        Output::Text => say(&render(&runs)),
    }
    Ok(0)
}

fn since(text: &str) -> Result<UtcSecond, String> {
    let ago = || duration(text).ok().map(|ago| UtcSecond::now().minus(ago));
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(UtcSecond::midnight);
    UtcSecond::parse(text).or_else(day).or_else(ago).ok_or_else(|| {
        "write a day (2026-10-01), a time (2026-10-01T08:00:00Z) or how long ago (7d)".to_owned()
    })
}

fn render(runs: &[PastRun]) -> String {
    if runs.is_empty() {
        return "no such run".to_owned();
    }
    let mut shown = table(&[
        "RUN",
        "ACCOUNT",
        "JOB",
        "STARTED (UTC)",
        "SECONDS",
        "OUTCOME",
        "ROWS",
        "NEW",
        "CHANGED",
        "LATE",
        "UNDECODED",
        "REQUESTS",
        "REFUSED",
        "RETRIED",
    ]);
    for run in runs {
        shown.add_row([
            run.run_id.to_string(),
            run.account.clone(),
            run.job.clone(),
            run.started_at.clone(),
            run.seconds.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string()),
            run.outcome.clone(),
            run.rows_received.to_string(),
            run.rows_inserted.to_string(),
            run.rows_changed.to_string(),
            run.orders_late.to_string(),
            run.rows_quarantined.to_string(),
            run.requests.to_string(),
            run.throttled.to_string(),
            run.retried.to_string(),
        ]);
    }
    let reasons = runs.iter().filter_map(|run| {
        let PastRun { run_id, account, job, .. } = run;
        run.reason.as_ref().map(|reason| format!("\n{run_id} {account} {job}: {reason}"))
    });
    shown.to_string() + &reasons.collect::<String>()
}
