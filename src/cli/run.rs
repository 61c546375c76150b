//! `bss-sync run`: runs jobs once, now.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::choose::{check_pairs, choose};
use super::common::{Common, Output};
use super::logging::is_journal;
use super::publish;
use super::say::{say, say_json, table};
use super::watched::with_warehouse;
use crate::config::{Account, Config, LogFormat};
use crate::error::Failure;
use crate::job::Job;
use crate::metrics;
use crate::run::{Extent, JobReport, Order, Outcome, ShortAnswers};
use crate::service::tell;
use crate::settings::duration;
use crate::warehouse::{PublishError, Published, Warehouse, WarehouseError, WarehouseFigures};

/// Arguments of `bss-sync run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Jobs to run; all when none is named
    jobs: Vec<String>,
    /// Accounts to run them for; all when none is named
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Read all orders from the start of the history, and the whole lists, again
    #[arg(long)]
    full: bool,
    /// Believe answers with no rows, or far fewer than are stored: they are true
    #[arg(long)]
    accept_empty: bool,
    /// How long each job may take, e.g. 10m; what is left stays for the next run
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| duration(text))]
    deadline: Option<Duration>,
}

pub(super) fn execute(args: &RunArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let order = Order {
        jobs: choose("job", &args.jobs, &config.jobs, |job: &Job| job.name.as_str())?,
        accounts: choose("account", &args.account, &config.accounts, |account: &Account| &account.name)?,
        extent: if args.full { Extent::Full } else { Extent::Incremental },
        word: if args.accept_empty { ShortAnswers::AcceptEmpty } else { ShortAnswers::None },
        deadline: args.deadline,
    };
    check_pairs(&args.jobs, &args.account, &order)?;
    let (reports, published, figures) = with_warehouse(common, config, async |writer, progress, stop| {
        let reports = crate::run::run(order, writer, progress, stop.clone()).await?;
        let published = publish::after_run(config, &reports, stop).await;
        // By the worker's own connection: another one would leave an empty log beside the warehouse.
        let figures = match config.metrics.textfile {
            Some(_) => Some(writer.read(Warehouse::figures).await),
            None => None,
        };
        Ok((reports, published, figures))
    })?;
    if let (Some(path), Some(figures)) = (&config.metrics.textfile, figures) {
        leave_metrics(path, config, figures);
    }
    if is_journal() || config.log.format == LogFormat::Json {
        log(&reports, published.as_ref());
    }
    match common.output {
        Output::Json => {
            say_json(
                &reports
                    .iter()
                    .map(to_json)
                    .chain(published.iter().map(publish::to_json))
                    .collect::<Vec<_>>(),
            );
        }
        Output::Text => {
            let published = published.as_ref().map(publish::render_after_run);
            say(&[Some(render(&reports)), published].into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
        }
    }
    let outcomes = reports.iter().map(|report| report.outcome).chain(published.iter().map(publish::outcome));
    Ok(outcomes.max().unwrap_or(Outcome::Done).exit_code())
}

/// Says in the log as well what needs somebody: a search of the journal by priority does not find the report, and whoever
/// collects log lines has nothing else. On a terminal the report is enough.
fn log(reports: &[JobReport], published: Option<&Result<Published, PublishError>>) {
    for report in reports.iter().filter(|report| report.outcome != Outcome::Done) {
        tell::ended(report);
    }
    if let Some(failed @ Err(_)) = published {
        tell::published(failed);
    }
}

/// Leaves the figures for a monitor. The run is over, and its outcome does not depend on who watches it; a file that is not
/// renewed has its own alert.
fn leave_metrics(path: &Path, config: &Config, figures: Result<WarehouseFigures, WarehouseError>) {
    let failed = match figures {
        Ok(figures) => {
            let text = metrics::render(config, &figures, &[]);
            metrics::write_textfile(path, &text).err().map(|error| error.to_string())
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(reason) = failed {
        tracing::error!(
            path = %path.display(),
            reason,
            "the metrics were not written; check that the folder exists and this user may write to it"
        );
    }
}

/// Findings shown for a job; the rest are counted.
const FINDINGS_SHOWN: usize = 5;

pub(super) fn render(reports: &[JobReport]) -> String {
    let mut shown =
        table(&["ACCOUNT", "JOB", "OUTCOME", "ROWS", "NEW", "CHANGED", "REQUESTS", "REFUSED", "SECONDS"]);
    for report in reports {
        shown.add_row([
            report.account.clone(),
            report.job.clone(),
            report.outcome.as_str().to_owned(),
            report.tally.received.to_string(),
            report.tally.inserted.to_string(),
            report.tally.changed.to_string(),
            report.requests.requests.to_string(),
            report.requests.throttled.to_string(),
            format!("{:.1}", report.elapsed.as_secs_f64()),
        ]);
    }
    let mut text = shown.to_string();
    for report in reports {
        let JobReport { account, job, .. } = report;
        if let Some((reason, advice)) = &report.stopped {
            // What stopped several jobs of an account is told once, with all their names.
            let alike = |other: &&JobReport| {
                other.account == *account && other.stopped.as_ref().is_some_and(|(same, _)| same == reason)
            };
            let jobs: Vec<&str> = reports.iter().filter(alike).map(|other| other.job.as_str()).collect();
            if jobs.first() == Some(&job.as_str()) {
                text.push_str(&format!("\n\n{account} {}: {reason}\n  {advice}", jobs.join(", ")));
            }
        }
        let texts: Vec<String> = report.findings.texts().collect();
        for text_of_one in texts.iter().take(FINDINGS_SHOWN) {
            text.push_str(&format!("\n\n{account} {job}: {text_of_one}"));
        }
        if texts.len() > FINDINGS_SHOWN {
            text.push_str(&format!("\n  and {} more like this", texts.len() - FINDINGS_SHOWN));
        }
    }
    text
}

pub(super) fn to_json(report: &JobReport) -> serde_json::Value {
    json!({
        "account": report.account,
        "job": report.job,
        "outcome": report.outcome.as_str(),
        "exit_code": report.outcome.exit_code(),
        "reason": report.stopped.as_ref().map(|(reason, _)| reason),
        "advice": report.stopped.as_ref().map(|(_, advice)| advice),
        "findings": report.findings.texts().collect::<Vec<_>>(),
        "rows_received": report.tally.received,
        "rows_inserted": report.tally.inserted,
        "rows_changed": report.tally.changed,
        "orders_late": report.tally.late,
        "rows_quarantined": report.tally.quarantined,
        "requests": report.requests.requests,
        "throttled": report.requests.throttled,
        "retried": report.requests.retried,
        "seconds": report.elapsed.as_secs_f64(),
    })
}
