//! What the service, and a run under systemd, say in their log: a line for each thing that happened, with the fields to find it by.

use super::agenda::{Cause, Invocation, SkippedTimes};
use super::error::Unusable;
use crate::config::ConfigError;
use crate::job::JobName;
use crate::run::{JobReport, Outcome};
use crate::warehouse::{PublishError, Published};

/// Findings logged one by one; the tables of the ledger have all of them.
const FINDINGS_SHOWN: usize = 5;

/// A job begins. That its time has come needs no line.
pub(super) fn begins(account: &str, job: &JobName, cause: Cause) {
    let (account, job) = (account, job.as_str());
    match cause {
        Cause::Schedule { times } if times.are_several() => tracing::info!(
            account.name = account,
            job.name = job,
            times.passed = %times,
            "the job's time passed while it could not run; it runs once now"
        ),
        Cause::Schedule { .. } => {
            tracing::debug!(account.name = account, job.name = job, "the job's time has come");
        }
        Cause::First => {
            tracing::info!(
                account.name = account,
                job.name = job,
                "the job never ran for this account; it begins now"
            );
        }
        Cause::CutShort => {
            tracing::info!(
                account.name = account,
                job.name = job,
                "the job's last run was cut short; it goes on now"
            );
        }
        Cause::NewKeys => tracing::info!(
            account.name = account,
            job.name = job,
            "the job's keys were refused and are others now; it is tried again at once"
        ),
    }
}

/// Times passed while a job itself ran.
pub(super) fn skipped(skipped: &SkippedTimes) {
    let next = skipped.next.map_or_else(|| "never".to_owned(), |next| next.to_string());
    tracing::info!(
        account.name = skipped.account,
        job.name = skipped.job.as_str(),
        times.skipped = %skipped.times,
        next,
        "the job took longer than the time to its next run; the times that passed are skipped"
    );
}

/// A job ended.
pub(crate) fn ended(report: &JobReport) {
    /// The level of an event must be known when it is compiled.
    macro_rules! line {
        ($level:ident, $text:expr) => {
            tracing::$level!(
                account.name = report.account,
                job.name = report.job,
                outcome = report.outcome.as_str(),
                rows.received = report.tally.received,
                rows.new = report.tally.inserted,
                rows.changed = report.tally.changed,
                requests.sent = report.requests.requests,
                requests.refused = report.requests.throttled,
                seconds = report.elapsed.as_secs(),
                reason = report.stopped.as_ref().map(|(reason, _)| reason),
                advice = report.stopped.as_ref().map(|(_, advice)| advice),
                $text
            )
        };
    }
    match report.outcome {
        Outcome::Partial if report.is_unavailable => {
            line!(warn, "the vendor gave no usable answer; the job goes on as scheduled");
        }
        Outcome::Done | Outcome::Partial => line!(info, "the job ended"),
        Outcome::Findings => line!(warn, "the job ended with findings"),
        Outcome::Failed | Outcome::Refused | Outcome::Warehouse => {
            line!(error, "the job failed; it is tried again as scheduled");
        }
    }
    for finding in report.findings.texts().take(FINDINGS_SHOWN) {
        tracing::warn!(account.name = report.account, job.name = report.job, %finding, "something to look at");
    }
}

/// A changed configuration cannot be used: everything that is wrong with it.
pub(super) fn unusable(unusable: &Unusable) {
    match unusable {
        Unusable::Config(error) => {
            problems(error, "the changed configuration cannot be used; the one before stays in force");
        }
        Unusable::OtherWarehouse { .. } | Unusable::Service(_) => {
            tracing::error!(problem = %unusable, "the changed configuration cannot be used; the one before stays in force");
        }
    }
}

/// An account's secrets cannot be read again.
pub(super) fn unread(account: &str, error: &ConfigError) {
    tracing::warn!(
        account.name = account,
        "the account's keys could not be read again; those read before are used"
    );
    problems(error, "this is wrong with the account");
}

fn problems(error: &ConfigError, meaning: &str) {
    for problem in error.problems() {
        // One line each, whatever the shape for people is.
        let problem = problem.to_string().replace("\n  ", "; ");
        tracing::error!(%problem, "{meaning}");
    }
}

/// Something of the warehouse failed that may succeed the next time.
pub(super) fn warehouse(account: &str, error: &crate::warehouse::WarehouseError) {
    tracing::error!(account.name = account, reason = %error, advice = error.advice(), "the warehouse failed");
}

/// A copy for finance was made, or not.
pub(crate) fn published(published: &Result<Published, PublishError>) {
    match published {
        Ok(published) => tracing::info!(
            path = %published.path.display(),
            rows = published.rows,
            bytes = published.bytes,
            "published the copy for finance"
        ),
        Err(PublishError::Stopped) => tracing::info!("asked to stop; the former copy for finance stays"),
        Err(error) => {
            tracing::error!(reason = %error, advice = error.advice(), "the copy for finance could not be made");
        }
    }
}

/// An invocation ended by a panic.
pub(super) fn broken(invocation: &Invocation) {
    let jobs: Vec<&str> = invocation.jobs.iter().map(|(job, _)| job.as_str()).collect();
    tracing::error!(
        account.name = invocation.account,
        jobs = jobs.join(", "),
        "a bug ended these jobs; they are tried again as scheduled. Report it with what stands above"
    );
}
