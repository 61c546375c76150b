//! A week of the service: restarts, a job that fails, one that takes too long, clocks that are set.

use std::time::Duration;

use bss_sync::service::ServiceError;
use bss_sync::warehouse::{STOPPED_ON_REQUEST, WarehouseError};

use super::job;
use super::scripted::{End, House, Run, Wall};

const HOUR: Duration = Duration::from_hours(1);

/// When each job is to run, by the clock on the wall (UTC). In Berlin summer time begins on Sunday the 29th.
///
/// - night: 02:30 in Berlin, every day
/// - noon: 12:00 UTC, for two accounts; it fails for one of them
/// - long: every six hours, UTC; takes an hour, but on Tuesday morning thirteen
/// - trade: 09:00 in New York, Monday to Friday
const WEEK: &str = "
Mon 23 00:00:00 acme: night (first), noon (first), long (first), trade (first)
Mon 23 00:00:00 beta: noon (first)
Mon 23 01:30:00 acme: night
Mon 23 06:00:00 acme: long
Mon 23 12:00:00 acme: noon, long
Mon 23 12:00:00 beta: noon
Mon 23 13:00:00 acme: trade
Mon 23 18:00:00 acme: long

Tue 24 00:00:00 acme: long
Tue 24 01:30:00 acme: night
Tue 24 06:00:00 acme: long                    until 19:00: 12:00 and 18:00 are skipped, all others have their time
Tue 24 12:00:00 acme: noon
Tue 24 12:00:00 beta: noon
Tue 24 13:00:00 acme: trade

Wed 25 00:00:00 acme: long
Wed 25 01:30:00 acme: night
Wed 25 06:00:00 acme: long                    stopped at 10:00, started at 19:30
Wed 25 19:30:00 acme: noon, long (2 times), trade
Wed 25 19:30:00 beta: noon

Thu 26 00:00:00 acme: long                    stopped at 00:30, started at 00:40
Thu 26 00:40:00 acme: long (goes on)
Thu 26 01:30:00 acme: night
Thu 26 06:00:00 acme: long
Thu 26 12:00:00 acme: noon, long
Thu 26 12:00:00 beta: noon
Thu 26 13:00:00 acme: trade
Thu 26 18:00:00 acme: long

Fri 27 00:00:00 acme: long
Fri 27 01:30:00 acme: night
Fri 27 06:00:00 acme: long                    killed at 06:10, started at 06:20
Fri 27 06:20:00 acme: long (goes on)          killed at 06:30, started at 06:40: not a third time
Fri 27 12:00:00 acme: noon, long
Fri 27 12:00:00 beta: noon
Fri 27 13:00:00 acme: trade
Fri 27 18:00:00 acme: long

Sat 28 00:00:00 acme: long
Sat 28 01:30:00 acme: night
Sat 28 06:00:00 acme: long                    at 09:00:30 the clock is set to 12:30:30, which is noticed within a minute
Sat 28 12:31:00 acme: noon, long
Sat 28 12:31:00 beta: noon
Sat 28 18:00:00 acme: long                    at 20:00:30 it is set back to 16:30:30: the 18:00 before was none
Sat 28 18:00:00 acme: long

Sun 29 00:00:00 acme: long
Sun 29 01:00:00 acme: night                   02:30 does not exist in Berlin: when the gap ends
Sun 29 06:00:00 acme: long
Sun 29 12:00:00 acme: noon, long              at 12:00:30 set back by a minute: nothing runs twice
Sun 29 12:00:00 beta: noon
Sun 29 18:00:00 acme: long

Mon 30 00:00:00 acme: long
Mon 30 00:30:00 acme: night
";

#[tokio::test(start_paused = true)]
async fn in_a_week_of_trouble_each_job_runs_exactly_when_it_should() {
    let wall = Wall::at("2026-03-23T00:00:00Z")
        .set("2026-03-28T09:00:30Z", 12_600)
        .set("2026-03-28T16:30:30Z", -12_600)
        .set("2026-03-29T12:00:30Z", -60);
    let noon = job("noon", "refund_attributions", "0 0 12 * * *", "UTC");
    let duties = vec![
        (job("night", "orders", "0 30 2 * * *", "Europe/Berlin"), "acme"),
        (noon.clone(), "acme"),
        (noon, "beta"),
        (job("long", "resources", "0 0 */6 * * *", "UTC"), "acme"),
        (job("trade", "order_lines", "0 0 9 * * Mon-Fri", "America/New_York"), "acme"),
    ];
    let house = House::new(wall, duties, |account, job, now| match (account, job) {
        ("acme", "noon") => Run::Takes(Duration::from_secs(10), "failed"),
        (_, "long") if now.to_string() == "2026-03-24T06:00:00Z" => Run::Takes(13 * HOUR, "done"),
        (_, "long") => Run::Takes(HOUR, "done"),
        _ => Run::Takes(Duration::from_secs(10), "done"),
    });
    house.serve_until("2026-03-25T10:00:00Z", End::Asked).await;
    house.off_until("2026-03-25T19:30:00Z").await;
    house.serve_until("2026-03-26T00:30:00Z", End::Asked).await;
    house.off_until("2026-03-26T00:40:00Z").await;
    house.serve_until("2026-03-27T06:10:00Z", End::Killed).await;
    house.off_until("2026-03-27T06:20:00Z").await;
    house.serve_until("2026-03-27T06:30:00Z", End::Killed).await;
    house.off_until("2026-03-27T06:40:00Z").await;
    house.serve_until("2026-03-30T01:00:00Z", End::Asked).await;

    let without_remark = |line: &str| line.split("   ").next().unwrap_or_default().to_owned();
    let expected: Vec<String> = WEEK.lines().filter(|line| !line.is_empty()).map(without_remark).collect();
    let ran = house.trace();
    for (ran, expected) in ran.iter().zip(&expected) {
        assert_eq!(ran, expected);
    }
    assert_eq!(ran.len(), expected.len(), "{ran:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_is_crashed_in_the_ledger_and_stops_no_other() {
    let duties = vec![
        (job("broken", "orders", "0 0 * * * *", "UTC"), "acme"),
        (job("whole", "orders", "0 0 * * * *", "UTC"), "beta"),
    ];
    let house = House::new(Wall::at("2026-11-26T10:30:00Z"), duties, |_, job, _| match job {
        "broken" => Run::Panics,
        _ => Run::Takes(HOUR / 3, "done"),
    });
    house.serve_until("2026-11-26T12:30:00Z", End::Asked).await;
    assert_eq!(
        house.trace(),
        [
            "Thu 26 10:30:00 acme: broken (first)",
            "Thu 26 10:30:00 beta: whole (first)",
            "Thu 26 11:00:00 acme: broken",
            "Thu 26 11:00:00 beta: whole",
            "Thu 26 12:00:00 acme: broken",
            "Thu 26 12:00:00 beta: whole",
        ]
    );
    let overview = house.ledger().overview().unwrap();
    let outcomes: Vec<(&str, &str)> =
        overview.runs.iter().map(|run| (run.job.as_str(), run.outcome.as_str())).collect();
    assert_eq!(outcomes, [("broken", "crashed"), ("whole", "done")]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_warehouse_ends_the_service_after_the_pages_in_hand() {
    let duties = vec![
        (job("slow", "orders", "0 0 * * * *", "UTC"), "acme"),
        (job("finds", "orders", "0 0 * * * *", "UTC"), "beta"),
    ];
    let house = House::new(Wall::at("2026-11-26T10:30:00Z"), duties, |_, job, _| match job {
        "finds" => Run::Damaged,
        _ => Run::Takes(HOUR, "done"),
    });
    let ended = house.serve("2026-11-26T23:00:00Z").await;
    assert!(matches!(&ended, Err(ServiceError::Warehouse(WarehouseError::Damaged { .. }))), "{ended:?}");
    let overview = house.ledger().overview().unwrap();
    assert_eq!(overview.runs[0].reason.as_deref(), Some(STOPPED_ON_REQUEST));
    assert_eq!(house.trace().len(), 2);
}
