//! The jobs and accounts that a command line names.

use crate::config::Account;
use crate::error::Failure;
use crate::job::Job;
use crate::run::Order;
use crate::settings::nearest;

/// The named ones, or all; in the configuration's order.
pub(super) fn choose<'a, T>(
    what: &str,
    names: &[String],
    all: &'a [T],
    name_of: impl Fn(&T) -> &str,
) -> Result<Vec<&'a T>, Failure> {
    for name in names {
        if !all.iter().any(|one| name_of(one) == name) {
            let known: Vec<&str> = all.iter().map(&name_of).collect();
            let hint = nearest(name, known.iter().copied()).map_or_else(
                || format!("there are: {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(Failure::Usage(format!("there is no {what} `{name}`; {hint}")));
        }
    }
    let chosen = |one: &&T| names.is_empty() || names.iter().any(|name| name == name_of(one));
    Ok(all.iter().filter(chosen).collect())
}

/// Every job and every account that was named must have something to do, or somebody expects what will not happen.
pub(super) fn check_pairs(jobs: &[String], accounts: &[String], order: &Order<'_>) -> Result<(), Failure> {
    let refusal = |jobs: &[&Job], accounts: &[&Account]| {
        let pairs = jobs.iter().flat_map(|job| accounts.iter().map(move |account| (job, account)));
        let mut reasons = Vec::new();
        for (job, account) in pairs {
            reasons.push(crate::run::why_not(job, account)?);
        }
        Some(Failure::Usage(format!(
            "{}; `bss-sync jobs` lists which job reads which account",
            reasons.join("; ")
        )))
    };
    let named_jobs = order.jobs.iter().filter(|_| !jobs.is_empty());
    let idle_job = named_jobs.into_iter().find_map(|job| refusal(&[job], &order.accounts));
    let named_accounts = order.accounts.iter().filter(|_| !accounts.is_empty());
    let idle_account = || named_accounts.into_iter().find_map(|account| refusal(&order.jobs, &[account]));
    let idle = || refusal(&order.jobs, &order.accounts);
    idle_job.or_else(idle_account).or_else(idle).map_or(Ok(()), Err)
}
