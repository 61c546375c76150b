//! What is due and why, without anything that runs.

use std::time::Duration;

use bss_sync::job::Job;
use bss_sync::service::agenda::{Agenda, Cause, Duty, Invocation, Last};
use bss_sync::time::UtcSecond;

use super::{at, job};

fn duty(job: Job, account: &str, last: Last) -> Duty {
    Duty { job, account: account.to_owned(), last }
}

/// `account: job job` of each invocation.
fn names(invocations: &[Invocation]) -> Vec<String> {
    let jobs = |invocation: &Invocation| {
        invocation.jobs.iter().map(|(job, _)| job.to_string()).collect::<Vec<_>>().join(" ")
    };
    invocations.iter().map(|invocation| format!("{}: {}", invocation.account, jobs(invocation))).collect()
}

/// When a job runs from one instant up to another, if it ends at once.
fn runs(job: Job, from: &str, to: &str) -> Vec<String> {
    let mut now = at(from);
    let mut agenda = Agenda::new(vec![duty(job, "acme", Last::Began(now))], now);
    let mut times = Vec::new();
    while now < at(to) {
        for invocation in agenda.take_due(now) {
            times.push(now.to_string());
            assert!(agenda.invocation_ended(invocation.number, now).is_empty());
        }
        let sleep = agenda.sleep(now);
        assert!(!sleep.is_zero() && sleep <= Duration::from_mins(1), "{sleep:?}");
        now = now.plus(i64::try_from(sleep.as_secs()).unwrap());
    }
    times
}

#[test]
fn where_clocks_change_each_job_runs_exactly_when_it_should() {
    const DAILY: &str = "0 30 2 * * *";
    const HOURLY: &str = "0 30 * * * *";
    // Zone, schedule, the days around the change, and every time that is to be run, UTC.
    let table: [(&str, &str, [&str; 2], &[&str]); 8] = [
        // 29 March, 02:00 becomes 03:00: 02:30 does not exist and is run when the gap ends.
        (
            "Europe/Berlin",
            DAILY,
            ["2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z"],
            &["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "Europe/Berlin",
            HOURLY,
            ["2026-03-28T23:45:00Z", "2026-03-29T03:00:00Z"],
            &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"],
        ),
        // 25 October, 03:00 becomes 02:00: 02:30 comes twice and is run the first time; every hour is every hour.
        (
            "Europe/Berlin",
            DAILY,
            ["2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z"],
            &["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        (
            "Europe/Berlin",
            HOURLY,
            ["2026-10-24T23:45:00Z", "2026-10-25T03:00:00Z"],
            &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
        ),
        // 8 March, 02:00 becomes 03:00.
        (
            "America/New_York",
            DAILY,
            ["2026-03-06T12:00:00Z", "2026-03-09T12:00:00Z"],
            &["2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
        ),
        // 1 November, 02:00 becomes 01:00.
        (
            "America/New_York",
            "0 30 1 * * *",
            ["2026-10-30T12:00:00Z", "2026-11-02T12:00:00Z"],
            &["2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        ),
        (
            "America/New_York",
            HOURLY,
            ["2026-11-01T04:45:00Z", "2026-11-01T08:00:00Z"],
            &["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z"],
        ),
        // No clock is ever changed there.
        (
            "Asia/Shanghai",
            DAILY,
            ["2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z"],
            &["2026-03-27T18:30:00Z", "2026-03-28T18:30:00Z", "2026-03-29T18:30:00Z"],
        ),
    ];
    for (zone, schedule, [from, to], expected) in table {
        assert_eq!(runs(job("a", "orders", schedule, zone), from, to), expected, "{schedule} in {zone}");
    }
}

#[test]
fn what_is_due_at_the_same_time_is_one_invocation_for_each_account() {
    let now = at("2026-11-26T10:00:00Z");
    let hourly = |name, stream| job(name, stream, "0 0 * * * *", "UTC");
    let duties = vec![
        duty(hourly("orders", "orders"), "acme", Last::Never),
        duty(hourly("orders", "orders"), "beta", Last::Began(at("2026-11-26T08:59:00Z"))),
        duty(hourly("lines", "order_lines"), "acme", Last::CutShort),
        duty(hourly("lines", "order_lines"), "beta", Last::Began(at("2026-11-26T10:00:00Z"))),
    ];
    let mut agenda = Agenda::new(duties, now);
    let due = agenda.take_due(now);
    assert_eq!(names(&due), ["acme: orders lines", "beta: orders"]);
    assert_eq!([due[0].jobs[0].1, due[0].jobs[1].1], [Cause::First, Cause::CutShort]);
    // 09:00 and 10:00 passed: one run.
    assert!(matches!(due[1].jobs[0].1, Cause::Schedule { times } if times.to_string() == "2"), "{due:?}");
    assert_eq!(names(&agenda.take_due(now)), [""; 0]);
    assert_eq!(
        agenda.next().map(|(account, job, at)| format!("{account} {job} {at}")).as_deref(),
        Some("beta lines 2026-11-26T11:00:00Z")
    );
}

#[test]
fn times_that_pass_while_the_job_itself_runs_are_skipped_and_counted() {
    let mut now = at("2026-11-26T10:00:00Z");
    let quarterly = job("orders", "orders", "0 */15 * * * *", "UTC");
    let mut agenda = Agenda::new(vec![duty(quarterly.clone(), "acme", Last::Never)], now);
    let invocation = agenda.take_due(now).remove(0);
    now = at("2026-11-26T10:31:00Z");
    assert_eq!(names(&agenda.take_due(now)), [""; 0], "it never runs twice at a time");
    assert_eq!(agenda.sleep(now), Duration::from_mins(1));
    let skipped = agenda.job_ended(invocation.number, &quarterly.name, now).expect("it took too long");
    assert_eq!((skipped.times.to_string().as_str(), skipped.next), ("2", Some(at("2026-11-26T10:45:00Z"))));
    assert_eq!(names(&agenda.take_due(now)), [""; 0]);
    assert_eq!(agenda.invocation_ended(invocation.number, now), []);
    assert_eq!(names(&agenda.take_due(at("2026-11-26T10:45:00Z"))), ["acme: orders"]);
}

#[test]
fn another_job_of_the_same_stream_waits_and_loses_no_time() {
    let now = at("2026-11-26T10:00:00Z");
    let often = job("often", "orders", "0 0 * * * *", "UTC");
    let daily = job("daily", "orders", "0 30 10 * * *", "UTC");
    let resources = job("resources", "resources", "0 30 10 * * *", "UTC");
    let began = Last::Began(at("2026-11-26T09:59:00Z"));
    let duties = [often.clone(), daily, resources].map(|job| duty(job, "acme", began)).to_vec();
    let mut agenda = Agenda::new(duties, now);
    let first = agenda.take_due(now).remove(0);
    assert_eq!(names(&agenda.take_due(at("2026-11-26T10:30:00Z"))), ["acme: resources"]);
    let end = at("2026-11-26T10:50:00Z");
    assert_eq!(agenda.job_ended(first.number, &often.name, end), None);
    assert_eq!(agenda.sleep(end), Duration::ZERO);
    assert_eq!(names(&agenda.take_due(end)), ["acme: daily"]);
}

#[test]
fn a_clock_that_was_years_ahead_keeps_nothing_waiting() {
    let hourly = job("orders", "orders", "0 0 * * * *", "UTC");
    let runs_at = |last: &str, now: UtcSecond| {
        let mut agenda = Agenda::new(vec![duty(hourly.clone(), "acme", Last::Began(at(last)))], now);
        assert_eq!(names(&agenda.take_due(now)), [""; 0]);
        agenda.next().map(|(_, _, next)| next.to_string())
    };
    let now = at("2026-11-26T09:59:58Z");
    assert_eq!(runs_at("2031-01-01T00:00:00Z", now).as_deref(), Some("2026-11-26T10:00:00Z"));
    // A correction by seconds runs nothing twice.
    assert_eq!(runs_at("2026-11-26T10:00:01Z", now).as_deref(), Some("2026-11-26T11:00:00Z"));
}

#[test]
fn a_changed_schedule_begins_now_and_what_runs_goes_on() {
    let now = at("2026-11-26T10:50:00Z");
    let hourly = job("orders", "orders", "0 0 * * * *", "UTC");
    let resources = job("resources", "resources", "0 0 * * * *", "UTC");
    let began = Last::Began(at("2026-11-26T10:00:00Z"));
    let mut agenda =
        Agenda::new(vec![duty(hourly, "acme", began), duty(resources.clone(), "acme", Last::Never)], now);
    let running = agenda.take_due(now).remove(0);
    assert_eq!(names(std::slice::from_ref(&running)), ["acme: resources"]);
    let quarterly = job("orders", "orders", "0 */15 * * * *", "UTC");
    let types = job("types", "service_types", "0 0 5 * * *", "UTC");
    let duties = [(quarterly, began), (types, Last::Never)];
    agenda.replace(duties.map(|(job, last)| duty(job, "acme", last)).to_vec(), now);
    assert_eq!(names(&agenda.take_due(now)), ["acme: types"], "10:15 was no time of the old schedule");
    assert_eq!(agenda.next().map(|(_, _, next)| next), Some(at("2026-11-26T11:00:00Z")));
    // Back again while it still runs.
    agenda.replace(vec![duty(resources.clone(), "acme", Last::CutShort)], now);
    assert_eq!(names(&agenda.take_due(now)), [""; 0]);
    assert_eq!(agenda.job_ended(running.number, &resources.name, now), None);
    assert_eq!(names(&agenda.take_due(now)), ["acme: resources"]);
}
