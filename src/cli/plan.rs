//! `bss-sync plan`: what a run would ask now.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::choose::{check_pairs, choose};
use super::common::{Common, Output};
use super::say::{say, say_json, table};
use crate::config::{Account, Config};
use crate::error::Failure;
use crate::job::Job;
use crate::run::{AccountPlan, Certainty, EndpointPlan, Extent, Order, Requests, ShortAnswers, estimate};
use crate::time::UtcSecond;
use crate::warehouse::{Warehouse, WarehouseError};

/// Arguments of `bss-sync plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Jobs to plan; all when none is named
    jobs: Vec<String>,
    /// Accounts to plan for; all when none is named
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// As `run --full`: all orders from the start of the history, and the whole lists
    #[arg(long)]
    full: bool,
}

pub(super) fn execute(args: &PlanArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let order = Order {
        jobs: choose("job", &args.jobs, &config.jobs, |job: &Job| job.name.as_str())?,
        accounts: choose("account", &args.account, &config.accounts, |account: &Account| &account.name)?,
        extent: if args.full { Extent::Full } else { Extent::Incremental },
        word: ShortAnswers::None,
        deadline: None,
    };
    check_pairs(&args.jobs, &args.account, &order)?;
    let (warehouse, is_there) = match Warehouse::open_read_only(&config.warehouse) {
        Ok(warehouse) => (warehouse, true),
        Err(WarehouseError::Missing { .. }) => (Warehouse::in_memory()?, false),
        Err(error) => return Err(error.into()),
    };
    let plans = estimate(&order, &warehouse, UtcSecond::now())?;
    match common.output {
        Output::Json => say_json(&json!({
            "warehouse_exists": is_there,
            "accounts": plans.iter().map(to_json).collect::<Vec<_>>(),
        })),
        Output::Text => {
            let missing = format!(
                "there is no warehouse at {} yet: this is the plan of the first run\n\n",
                config.warehouse.display()
            );
            say(&format!("{}{}", if is_there { "" } else { missing.as_str() }, render(&plans)));
        }
    }
    Ok(0)
}

fn render(plans: &[AccountPlan]) -> String {
    let mut shown = table(&["ACCOUNT", "JOB", "REASON", "UNITS", "REQUESTS"]);
    for plan in plans {
        for job in &plan.jobs {
            for row in &job.rows {
                shown.add_row([
                    plan.account.clone(),
                    job.job.clone(),
                    row.reason.to_string(),
                    row.units.to_string(),
                    number(row.requests),
                ]);
            }
            if job.rows.is_empty() {
                shown.add_row([plan.account.as_str(), &job.job, "nothing to read", "0", "0"]);
            }
        }
    }
    let mut text = shown.to_string();
    for plan in plans {
        let requests = plan.requests();
        text.push_str(&format!(
            "\n\n{}: {} request(s), {} at the quotas that are known",
            plan.account,
            number(requests),
            duration(plan.time(), requests.certainty)
        ));
        for endpoint in plan.endpoints.iter().filter(|endpoint| endpoint.requests.count > 0) {
            text.push_str(&format!(
                "\n  {}: {} request(s) at {}: {}",
                endpoint.endpoint,
                number(endpoint.requests),
                quota(endpoint),
                duration(endpoint.time, endpoint.requests.certainty)
            ));
        }
    }
    text
}

fn number(requests: Requests) -> String {
    match requests.certainty {
        Certainty::Exact => requests.count.to_string(),
        Certainty::AtLeast => format!("at least {}", requests.count),
    }
}

fn duration(time: Duration, certainty: Certainty) -> String {
    let seconds = time.as_secs();
    let text = match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    };
    match certainty {
        Certainty::Exact => text,
        Certainty::AtLeast => format!("at least {text}"),
    }
}

fn quota(endpoint: &EndpointPlan) -> String {
    let quota = match endpoint.quota {
        Some(quota) => format!("{quota} ({})", endpoint.origin),
        None => "no limit of our own".to_owned(),
    };
    if endpoint.limit == endpoint.documented_limit {
        return quota;
    }
    format!("{quota}, pages of {} rows (learned; documented {})", endpoint.limit, endpoint.documented_limit)
}

fn to_json(plan: &AccountPlan) -> serde_json::Value {
    let requests = |requests: Requests| json!({ "count": requests.count, "exact": requests.certainty == Certainty::Exact });
    let jobs = plan.jobs.iter().map(|job| {
        let rows = job.rows.iter().map(|row| {
            json!({
                "reason": row.reason.to_string(),
                "units": row.units,
                "requests": requests(row.requests),
            })
        });
        json!({
            "job": job.job,
            "stream": job.stream.name(),
            "requests": requests(job.requests()),
            "rows": rows.collect::<Vec<_>>(),
        })
    });
    let endpoints = plan.endpoints.iter().map(|endpoint| {
        json!({
            "endpoint": endpoint.endpoint,
            "requests": requests(endpoint.requests),
            "quota": endpoint.quota.map(|quota| quota.to_string()),
            "quota_source": endpoint.quota.map(|_| endpoint.origin.as_str()),
            "seconds": endpoint.time.as_secs_f64(),
        })
    });
    json!({
        "account": plan.account,
        "requests": requests(plan.requests()),
        "seconds": plan.time().as_secs_f64(),
        "jobs": jobs.collect::<Vec<_>>(),
        "endpoints": endpoints.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_say_them() {
        let text = |seconds| duration(Duration::from_secs(seconds), Certainty::Exact);
        assert_eq!([text(0), text(59), text(61), text(7384)], ["0.0 s", "59.0 s", "1 min 1 s", "2 h 3 min"]);
        assert_eq!(duration(Duration::from_millis(1500), Certainty::AtLeast), "at least 1.5 s");
    }
}
