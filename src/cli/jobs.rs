//! `bss-sync jobs`: the jobs and their next times.

use serde::Serialize;

use super::common::{Common, Output};
use super::say::{say, say_json, table};
use crate::config::Config;
use crate::time::UtcSecond;

#[derive(Serialize)]
struct JobRow {
    job: String,
    stream: String,
    schedule: Option<String>,
    time_zone: String,
    next: Option<String>,
    accounts: Vec<String>,
}

pub(super) fn execute(common: &Common, config: &Config) {
    let now = UtcSecond::now();
    let rows: Vec<JobRow> = config
        .jobs
        .iter()
        .map(|job| JobRow {
            job: job.name.to_string(),
            stream: job.stream.clone(),
            schedule: job.schedule.as_ref().map(|schedule| schedule.expression().to_owned()),
            time_zone: job.time_zone.to_string(),
            next: job.next_times(now, 1).first().map(chrono::DateTime::to_rfc3339),
            accounts: config
                .accounts
                .iter()
                .filter(|account| crate::run::reads(job, account))
                .map(|account| account.name.clone())
                .collect(),
        })
        .collect();
    match common.output {
        Output::Json => say_json(&rows),
        Output::Text => {
            let mut shown = table(&["JOB", "SCHEDULE", "ZONE", "NEXT", "ACCOUNTS"]);
            for row in rows {
                let accounts =
                    if row.accounts.is_empty() { "(none)".to_owned() } else { row.accounts.join(", ") };
                shown.add_row([
                    row.job,
                    row.schedule.unwrap_or_else(|| "-".to_owned()),
                    row.time_zone,
                    row.next.unwrap_or_else(|| "-".to_owned()),
                    accounts,
                ]);
            }
            say(&shown.to_string());
        }
    }
}
