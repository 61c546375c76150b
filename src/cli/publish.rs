//! `bss-sync publish`: the read-only copy for finance.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::common::{Common, Output};
use super::say::{say, say_json};
use crate::config::{Config, PublishWhen};
use crate::error::Failure;
use crate::run::{JobReport, Outcome, publish_after_run};
use crate::warehouse::{Publication, PublishError, Published, Warehouse};

/// Arguments of `bss-sync publish`.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// The published file, instead of the one the configuration names; a former copy there is replaced
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) fn execute(args: &PublishArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let configured = config.publish.as_ref();
    let path = args.to.as_deref().or(configured.map(|publish| publish.path.as_path())).ok_or_else(|| {
        Failure::Usage(
            "it is not said where to publish; name a file with --to FILE, or write in the configuration: [publish] path = \
             \"/srv/finance/billing.sqlite\""
                .to_owned(),
        )
    })?;
    let group = configured.and_then(|publish| publish.group.as_deref());
    // Whoever ends this process needs no word of farewell: the next one removes what it left.
    let published =
        Warehouse::open_read_only(&config.warehouse)?.publish(&Publication { path, group }, || false)?;
    match common.output {
        Output::Json => say_json(&published),
        Output::Text => say(&render(&published)),
    }
    Ok(0)
}

/// Publishes at the end of a run, when the configuration wants it; `None`: it was not tried.
pub(super) async fn after_run(
    config: &Config,
    reports: &[JobReport],
    stop: watch::Receiver<bool>,
) -> Option<Result<Published, PublishError>> {
    let publish = config.publish.as_ref().filter(|publish| publish.when == PublishWhen::AfterRun)?;
    let is_of_no_use = reports.iter().any(|report| report.outcome == Outcome::Warehouse);
    if is_of_no_use || *stop.borrow() {
        tracing::warn!(path = %publish.path.display(), "not published: the run was stopped or the warehouse failed");
        return None;
    }
    publish_after_run(Some(publish), &config.warehouse, stop).await
}

/// How it bears on the run's outcome: the data is stored whatever becomes of the copy, and a person should look.
pub(super) const fn outcome(published: &Result<Published, PublishError>) -> Outcome {
    match published {
        Ok(_) => Outcome::Done,
        Err(PublishError::Stopped) => Outcome::Partial,
        Err(_) => Outcome::Findings,
    }
}

pub(super) fn render_after_run(published: &Result<Published, PublishError>) -> String {
    match published {
        Ok(published) => render(published),
        Err(error) => format!("not published: {error}\n  {}", error.advice()),
    }
}

pub(super) fn to_json(published: &Result<Published, PublishError>) -> Value {
    let outcome = outcome(published);
    let mut entry =
        json!({ "job": "publish", "outcome": outcome.as_str(), "exit_code": outcome.exit_code() });
    match published {
        Ok(published) => entry["published"] = json!(published),
        Err(error) => {
            entry["reason"] = json!(error.to_string());
            entry["advice"] = json!(error.advice());
        }
    }
    entry
}

fn render(published: &Published) -> String {
    let Published { path, bytes, tables, rows, months, complete_months, .. } = published;
    let span = match (&published.first_month, &published.last_month) {
        (Some(first), Some(last)) => {
            format!("{first} to {last}, {complete_months} of {months} month(s) complete")
        }
        _ => "no month was read yet".to_owned(),
    };
    let fresh = published.data_as_of.as_deref().unwrap_or("not known");
    let breaks = published.open_breaks.map_or_else(|| "not checked".to_owned(), |breaks| breaks.to_string());
    format!(
        "published {}: {bytes} bytes, {rows} row(s) in {tables} tables, checked\n\
         {span}; data as of {fresh}; open breaks: {breaks}",
        path.display()
    )
}
