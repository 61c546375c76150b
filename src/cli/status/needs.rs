//! What needs a person, before everything else that `status` says.

use std::time::Duration;

use super::super::lines::{first_lines, span, wrap};
use crate::config::Config;
use crate::job::Job;
use crate::run::{VERIFY, reads, streams_of};
use crate::time::UtcSecond;
use crate::warehouse::{LastRun, Overview, StreamState};

/// Lines that a reason may take; `history` and JSON have all of it.
const REASON_LINES: usize = 4;

/// How long a job may be without a run, or without one that is done. The alerts of `deploy/prometheus` have the same time.
const OVERDUE: i64 = 26 * 3600;

/// How long after its time by the schedule a job may be done, where that leaves more time between two runs.
const SLACK: i64 = 2 * 3600;

/// What a person should look at, the most urgent first; one line when there is nothing. What the configuration does not have
/// any more is nobody's concern.
pub(super) fn a_person(overview: &Overview, config: &Config, now: UtcSecond) -> String {
    let mut lines: Vec<String> = Vec::new();
    let configured: Vec<&LastRun> = overview.runs.iter().filter(|run| is_configured(config, run)).collect();
    let mut runs: Vec<(u8, &LastRun)> =
        configured.iter().filter_map(|run| Some((urgency(&run.outcome)?, *run))).collect();
    runs.sort_by_key(|(urgency, _)| *urgency);
    for alike in runs
        .chunk_by(|(_, a), (_, b)| (&a.account, &a.outcome, &a.reason) == (&b.account, &b.outcome, &b.reason))
    {
        let Some((_, first)) = alike.first() else { continue };
        let jobs: Vec<&str> = alike.iter().map(|(_, run)| run.job.as_str()).collect();
        let reason = first.reason.as_deref().unwrap_or("no reason was written down");
        lines.push(format!("{} {}: {}: {reason}", first.account, jobs.join(", "), first.outcome));
    }
    lines.extend(overdue(&configured, config, now));
    let of_streams = |count: fn(&StreamState) -> i64| {
        let is_read = |state: &&StreamState| reads_stream(config, &state.account, &state.stream);
        overview.streams.iter().filter(is_read).map(count).sum::<i64>()
    };
    let breaks = overview.open_breaks.unwrap_or_default();
    for (count, what) in [
        (breaks, "open break(s) of the checks: `bss-sync reconcile`"),
        (
            of_streams(|state| state.disputed),
            "window(s), list(s) or order(s) not proven complete: view disputes",
        ),
        (of_streams(|state| state.undecoded), "row(s) that could not be decoded: view undecoded_rows"),
    ] {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    if lines.is_empty() {
        return "Nothing needs a person.".to_owned();
    }
    let shown = lines.iter().map(|line| first_lines(&wrap(&format!("  {line}"), 4), REASON_LINES));
    std::iter::once("Needs a person".to_owned()).chain(shown).collect::<Vec<_>>().join("\n")
}

/// Whether the configuration still has the job and the account of a run. A comparison has no job of its own.
fn is_configured(config: &Config, run: &LastRun) -> bool {
    let Some(account) = config.account(&run.account) else { return false };
    run.job == VERIFY || config.job(&run.job).is_some_and(|job| reads(job, account))
}

/// Whether a job of the configuration reads this stream of this account.
fn reads_stream(config: &Config, account: &str, stream: &str) -> bool {
    config
        .account(account)
        .is_some_and(|account| streams_of(&config.jobs, account).any(|read| read.name() == stream))
}

/// The jobs that nobody started for long, or whose runs are never done, each kind in one line for an account.
fn overdue(runs: &[&LastRun], config: &Config, now: UtcSecond) -> Vec<String> {
    let mut found: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for run in runs {
        let Some(what) = config.job(&run.job).and_then(|job| lag(run, job, now)) else { continue };
        match found.iter_mut().find(|(account, known, _)| *account == run.account && *known == what) {
            Some((_, _, jobs)) => jobs.push(&run.job),
            None => found.push((&run.account, what, vec![&run.job])),
        }
    }
    found.into_iter().map(|(account, what, jobs)| format!("{account} {}: {what}", jobs.join(", "))).collect()
}

/// What is overdue about a job, and what to do; `None` when nothing is.
fn lag(run: &LastRun, job: &Job, now: UtcSecond) -> Option<String> {
    let since = |time: &str| UtcSecond::parse(time).filter(|time| is_overdue(job, *time, now));
    let said = |time: UtcSecond| span(Duration::from_secs(now.unix().abs_diff(time.unix())));
    if run.outcome != "running"
        && let Some(started) = since(&run.started_at)
    {
        let ago = said(started);
        return Some(format!("no run for {ago}: is the timer, or the service, on?"));
    }
    if urgency(&run.outcome).is_some() {
        return None;
    }
    let time = match &run.last_done_at {
        Some(done) => format!("not done for {}", said(since(done)?)),
        None => format!("never done, first run {} ago", said(since(&run.first_started_at)?)),
    };
    let reason = run.last_end_reason.as_ref().map_or_else(String::new, |reason| format!("; last: {reason}"));
    Some(format!("{time}: `bss-sync check` tells whether the vendor can be reached{reason}"))
}

/// Whether something that a job does again and again, and did last at `last`, should have been done since.
fn is_overdue(job: &Job, last: UtcSecond, now: UtcSecond) -> bool {
    now.unix() - last.unix() > OVERDUE
        && job.next_times(last, 1).first().is_none_or(|next| now.unix() - next.timestamp() > SLACK)
}

/// How urgent an outcome is, 0 first; `None` when it needs nobody: the next run goes on from there.
fn urgency(outcome: &str) -> Option<u8> {
    match outcome {
        "refused" => Some(0),
        "failed" => Some(1),
        "crashed" => Some(2),
        "findings" => Some(3),
        _ => None,
    }
}
