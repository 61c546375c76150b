//! Whether a month is complete, since when, and by which readings; what is disputed and what came late.

use std::collections::BTreeSet;

use bss_sync::warehouse::ReadPart;
use proptest::prelude::*;
use rusqlite::{Connection, params};

use super::{Order, PURCHASE, order, rows, run, warehouse};
use crate::fixtures::bench;

/// Where the history of the account's orders begins.
fn history(db: &Connection, account: &str, from: &str) {
    run(db, "insert into watermarks values (?1, 'orders', 'created from', ?2, 1)", [account, from]);
}

/// A window of creation time that was read with two requests.
#[derive(Clone, Copy)]
struct Reading<'a> {
    account: &'a str,
    verdict: &'a str,
    lane: &'a str,
    customer: &'a str,
}

const COMPLETE: Reading<'_> = Reading { account: "main", verdict: "complete", lane: "created", customer: "" };

impl Reading<'_> {
    fn of(&self, db: &Connection, begin: &str, end: &str, read_at: &str) {
        run(
            db,
            "insert into coverage (account, stream, scope, customer_id, lane, window_begin, window_end, expected, seen,
                 requests, attempts, verdict, proof, run_id, read_at)
             values (?1, 'orders', printf('%s %s/%s', ?2, ?3, ?4), ?5, ?2, ?3, ?4, 9, 8, 2, 3, ?6, 'because', 1, ?7)",
            params![self.account, self.lane, begin, end, self.customer, self.verdict, read_at],
        );
    }
}

fn month_is_complete(db: &Connection, account: &str, month: &str) {
    run(
        db,
        "insert into complete_months values (?1, 'orders', ?2, '2026-04-01T01:00:00Z', 1)",
        [account, month],
    );
}

fn late(db: &Connection, id: &str, created: &str) {
    run(db, "insert into late_orders values ('main', ?1, ?2, '2026-04-02T00:00:00Z', 1)", [id, created]);
}

/// Whole days on both sides of March 2026, read in overlapping windows.
fn march_is_read(db: &Connection) {
    history(db, "main", "2026-02-20T00:00:00Z");
    COMPLETE.of(db, "2026-02-20T00:00:00Z", "2026-03-10T00:00:00Z", "2026-04-03T00:00:00Z");
    COMPLETE.of(db, "2026-03-09T22:00:00Z", "2026-03-20T00:00:00Z", "2026-04-02T00:00:00Z");
    COMPLETE.of(db, "2026-03-20T00:00:00Z", "2026-04-05T00:00:00Z", "2026-04-05T00:01:00Z");
    month_is_complete(db, "main", "2026-02");
    month_is_complete(db, "main", "2026-03");
}

/// The answer for the months up to April 2026.
const ANSWER: &str =
    "select month, state, complete_since, month_seconds - covered_seconds as missing, windows, requests,
         last_proof_at, first_gap
     from coverage_by_month where month <= '2026-04' order by account, month";

#[test]
fn a_month_is_complete_when_windows_hold_each_second_of_it() {
    let db = warehouse();
    march_is_read(&db);
    assert_eq!(
        rows(&db, ANSWER),
        [
            "2026-02|complete|2026-04-01T01:00:00Z|0|1|2|2026-04-03T00:00:00Z|",
            "2026-03|complete|2026-04-01T01:00:00Z|0|3|6|2026-04-02T00:00:00Z|",
            "2026-04|incomplete||2217600|1|2||2026-04-05T00:00:00Z",
        ]
    );
    // The first month counts from the begin of the history on; others begin and end at midnight of UTC+8.
    assert_eq!(
        rows(
            &db,
            "select begins_at, ends_at, month_seconds from coverage_by_month where month <= '2026-03' order by month"
        ),
        [
            "2026-02-20T00:00:00Z|2026-02-28T16:00:00Z|748800",
            "2026-02-28T16:00:00Z|2026-03-31T16:00:00Z|2678400"
        ]
    );
    assert_eq!(
        rows(
            &db,
            "select min(month), max(month) = strftime('%Y-%m', 'now', '+8 hours'), count(*) = count(distinct month)
             from coverage_by_month"
        ),
        ["2026-02|1|1"]
    );
}

#[test]
fn one_missing_second_makes_a_month_incomplete() {
    let db = warehouse();
    march_is_read(&db);
    run(
        &db,
        "update coverage set window_begin = '2026-03-20T00:00:01Z' where window_begin = '2026-03-20T00:00:00Z'",
        [],
    );
    assert_eq!(
        rows(&db, ANSWER)[1],
        "2026-03|incomplete||1|3|6||2026-03-20T00:00:00Z",
        "whatever the table of complete months still says"
    );
}

#[test]
fn a_deleted_window_is_a_gap_in_each_month_it_reached_into() {
    let db = warehouse();
    march_is_read(&db);
    run(&db, "delete from coverage where window_begin = '2026-02-20T00:00:00Z'", []);
    assert_eq!(
        rows(&db, ANSWER)[..2],
        [
            "2026-02|incomplete||748800|0|0||2026-02-20T00:00:00Z",
            "2026-03|incomplete||799200|2|4||2026-02-28T16:00:00Z",
        ]
    );
    run(&db, "delete from coverage", []);
    assert_eq!(
        rows(&db, "select distinct state, covered_seconds from coverage_by_month where month < '2026-04'"),
        ["incomplete|0"]
    );
}

#[test]
fn a_disputed_window_disputes_the_months_it_reaches_into() {
    let db = warehouse();
    march_is_read(&db);
    let disputed = Reading { verdict: "disputed", ..COMPLETE };
    disputed.of(&db, "2026-02-28T15:00:00Z", "2026-02-28T16:00:00Z", "2026-04-06T00:00:00Z");
    let states =
        "select state, complete_since from coverage_by_month where month <= '2026-03' order by month";
    assert_eq!(rows(&db, states), ["disputed|", "complete|2026-04-01T01:00:00Z"]);
    disputed.of(&db, "2026-02-28T15:00:00Z", "2026-02-28T16:00:01Z", "2026-04-06T00:00:00Z");
    assert_eq!(rows(&db, states), ["disputed|", "disputed|"]);
    // Payment times and single orders say nothing about months of creation.
    run(&db, "delete from coverage where verdict = 'disputed'", []);
    Reading { lane: "paid", ..disputed }.of(
        &db,
        "2026-03-01T00:00:00Z",
        "2026-03-02T00:00:00Z",
        "2026-04-06T00:00:00Z",
    );
    assert_eq!(rows(&db, states), ["complete|2026-04-01T01:00:00Z", "complete|2026-04-01T01:00:00Z"]);
}

#[test]
fn only_windows_of_creation_time_of_the_whole_account_count() {
    let db = warehouse();
    history(&db, "main", "2026-02-28T16:00:00Z");
    for reading in [Reading { lane: "paid", ..COMPLETE }, Reading { customer: "c", ..COMPLETE }] {
        reading.of(&db, "2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z", "2026-04-03T00:00:00Z");
    }
    assert_eq!(rows(&db, ANSWER)[0], "2026-03|incomplete||2678400|0|0||2026-02-28T16:00:00Z");
}

#[test]
fn accounts_do_not_mix() {
    let db = warehouse();
    march_is_read(&db);
    history(&db, "other", "2026-03-15T00:00:00Z");
    Reading { account: "other", ..COMPLETE }.of(
        &db,
        "2026-03-16T00:00:00Z",
        "2026-04-20T00:00:00Z",
        "2026-04-20T00:01:00Z",
    );
    let third = Reading { account: "third", verdict: "disputed", ..COMPLETE };
    third.of(&db, "2026-03-16T00:00:00Z", "2026-04-20T00:00:00Z", "2026-04-20T00:01:00Z");
    order("A", PURCHASE, "1", "2026-03-20T00:00:00Z").insert(&db);
    assert_eq!(
        rows(
            &db,
            "select account, state, complete_since, windows, orders, first_gap from coverage_by_month
             where month = '2026-03' order by account"
        ),
        [
            "main|complete|2026-04-01T01:00:00Z|3|1|",
            "other|incomplete||1|0|2026-03-15T00:00:00Z",
            // The third has no begin of a history: it is not read by windows.
        ]
    );
}

#[test]
fn orders_count_in_the_month_of_creation_without_members_and_vanished() {
    let db = warehouse();
    march_is_read(&db);
    for (id, created) in [
        ("before", "2026-02-28T15:59:59Z"),
        ("first", "2026-02-28T16:00:00Z"),
        ("last", "2026-03-31T15:59:59Z"),
        ("after", "2026-03-31T16:00:00Z"),
        ("gone", "2026-03-05T00:00:00Z"),
    ] {
        Order { created, ..order(id, PURCHASE, "1", "2026-05-01T00:00:00Z") }.insert(&db);
    }
    Order { parent: Some("first"), ..order("member", PURCHASE, "1", "2026-03-05T00:00:00Z") }.insert(&db);
    run(&db, "update orders set gone_since = '2026-05-02T00:00:00Z' where order_id = 'gone'", []);
    late(&db, "first", "2026-02-28T16:00:00Z");
    late(&db, "after", "2026-03-31T16:00:00Z");
    assert_eq!(
        rows(
            &db,
            "select month, orders, late_orders from coverage_by_month where month <= '2026-04' order by 1"
        ),
        ["2026-02|1|0", "2026-03|2|1", "2026-04|1|1"]
    );
}

#[test]
fn a_month_is_as_fresh_as_the_oldest_of_its_newest_readings() {
    let db = warehouse();
    history(&db, "main", "2026-02-28T16:00:00Z");
    // The first reading of all is older, but later ones hold all its time together, cut in other places.
    COMPLETE.of(&db, "2026-02-28T16:00:00Z", "2026-04-20T00:00:00Z", "2026-04-21T00:00:00Z");
    COMPLETE.of(&db, "2026-02-01T00:00:00Z", "2026-03-12T00:00:00Z", "2026-05-02T00:00:00Z");
    COMPLETE.of(&db, "2026-03-12T00:00:00Z", "2026-04-12T00:00:00Z", "2026-05-01T00:00:00Z");
    assert_eq!(
        rows(&db, "select month, last_proof_at from coverage_by_month where month = '2026-03'"),
        ["2026-03|2026-05-01T00:00:00Z"]
    );
    // One second that was not read again keeps the month as old as its only reading.
    run(&db, "update coverage set window_end = '2026-03-11T23:59:59Z' where read_at like '2026-05-02%'", []);
    assert_eq!(
        rows(&db, "select month, last_proof_at from coverage_by_month where month = '2026-03'"),
        ["2026-03|2026-04-21T00:00:00Z"]
    );
    // A walk that was resumed saw its first orders when it began.
    run(&db, "update coverage set started_at = '2026-04-20T09:00:00Z' where read_at like '2026-04-21%'", []);
    assert_eq!(
        rows(&db, "select month, last_proof_at from coverage_by_month where month = '2026-03'"),
        ["2026-03|2026-04-20T09:00:00Z"]
    );
}

/// An instant some hours before now, and its billing month.
fn hours_ago(db: &Connection, hours: i64) -> (String, String) {
    let instant = format!("strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{hours} hours')");
    let month = format!("strftime('%Y-%m', 'now', '-{hours} hours', '+8 hours')");
    (rows(db, &format!("select {instant}")).remove(0), rows(db, &format!("select {month}")).remove(0))
}

#[test]
fn a_running_month_is_open_while_nothing_older_than_a_day_is_missing() {
    let db = warehouse();
    let (begin, _) = hours_ago(&db, 24 * 40);
    let (now, this_month) = hours_ago(&db, 0);
    history(&db, "main", &begin);
    let state = |month: &str| {
        rows(
            &db,
            &format!(
                "select state, complete_since, last_proof_at from coverage_by_month where month = '{month}'"
            ),
        )
    };
    let (end, month) = hours_ago(&db, 23);
    COMPLETE.of(&db, &begin, &end, &now);
    assert_eq!(state(&month), ["open||"]);
    assert_eq!(state(&this_month), ["open||"]);
    assert_eq!(rows(&db, "select min(first_gap) from coverage_by_month"), [end], "so far it was read");
    run(&db, "delete from coverage", []);
    let (end, month) = hours_ago(&db, 25);
    COMPLETE.of(&db, &begin, &end, &now);
    assert_eq!(state(&month), ["incomplete||"]);
}

#[test]
fn status_counts_the_lists_of_customers_that_were_never_read() {
    let db = warehouse();
    for customer in ["c1", "c2", "c3", "c4"] {
        run(
            &db,
            "insert into sub_customers (account, customer_id, role, first_seen_run, last_changed_run, last_seen_at)
             values ('main', ?1, 'partner', 1, 1, '2026-12-01T00:00:00Z')",
            [customer],
        );
    }
    // Known from an order only.
    Order { customer: "c5", ..order("A", PURCHASE, "1", "2026-03-01T00:00:00Z") }.insert(&db);
    for (customer, verdict, read_at) in [
        ("c1", "complete", "2026-04-02T00:00:00Z"),
        ("c2", "complete", "2026-04-01T00:00:00Z"),
        ("c3", "disputed", "2026-03-01T00:00:00Z"),
        ("c6", "refused", "2026-03-01T00:00:00Z"),
    ] {
        run(
            &db,
            "insert into coverage (account, stream, scope, customer_id, seen, requests, attempts, verdict, proof, run_id,
                 read_at)
             values ('main', 'resources', 'whole', ?1, 1, 1, 1, ?2, 'because', 1, ?3)",
            [customer, verdict, read_at],
        );
    }
    let file = db.path().unwrap();
    let overview = bss_sync::warehouse::Warehouse::open_read_only(file.as_ref()).unwrap().overview().unwrap();
    let found: Vec<_> = overview
        .parts
        .iter()
        .map(|parts| {
            (
                parts.part,
                parts.read,
                parts.oldest_read_at.as_deref(),
                parts.disputed,
                parts.refused,
                parts.never_read,
            )
        })
        .collect();
    assert_eq!(found, [(ReadPart::Customer, 2, Some("2026-04-01T00:00:00Z"), 1, 1, 2)]);
}

#[test]
fn what_is_disputed_is_listed_with_its_reason() {
    let db = warehouse();
    march_is_read(&db);
    let disputed = Reading { verdict: "disputed", ..COMPLETE };
    disputed.of(&db, "2026-02-28T15:00:00Z", "2026-03-31T16:00:00Z", "2026-04-06T00:00:00Z");
    run(
        &db,
        "insert into coverage (account, stream, scope, customer_id, parent_id, seen, requests, attempts, verdict, proof,
             run_id, read_at)
         values ('main', 'order_lines', 'order A', '', 'A', 1, 1, 1, 'disputed', 'rows moved', 1, '2026-04-07T00:00:00Z'),
                ('main', 'resources', 'whole', 'c1', null, 1, 1, 1, 'disputed', 'rows moved', 1, '2026-04-08T00:00:00Z'),
                ('main', 'service_types', 'whole', '', null, 1, 1, 1, 'disputed', 'rows moved', 1, '2026-04-09T00:00:00Z')",
        [],
    );
    assert_eq!(
        rows(
            &db,
            "select stream, what, customer_id, order_id, first_month, last_month, expected, seen, attempts, reason, read_at
             from disputes order by read_at"
        ),
        [
            "orders|orders created in a window of time|||2026-02|2026-03|9|8|3|because|2026-04-06T00:00:00Z",
            "order_lines|what belongs to an order||A||||1|1|rows moved|2026-04-07T00:00:00Z",
            "resources|list of a customer|c1|||||1|1|rows moved|2026-04-08T00:00:00Z",
            "service_types|whole list||||||1|1|rows moved|2026-04-09T00:00:00Z",
        ]
    );
}

#[test]
fn late_arrivals_name_the_month_whose_figures_they_moved() {
    let db = warehouse();
    Order { created: "2026-03-31T15:00:00Z", ..order("A", PURCHASE, "12.5", "2026-04-01T00:00:00Z") }
        .insert(&db);
    late(&db, "A", "2026-03-31T15:00:00Z");
    late(&db, "not stored", "2026-04-01T00:00:00Z");
    assert_eq!(
        rows(
            &db,
            "select order_id, created_month, month, hours_late, currency, amount_after_discount from late_arrivals
             order by 1"
        ),
        ["A|2026-03|2026-04|33|CNY|12.50", "not stored|2026-04||24||"]
    );
}

#[test]
fn after_a_full_load_the_past_is_complete_and_a_lost_window_shows() {
    let bench = bench();
    bench.run(&["orders"]).expect_code(0);
    let states =
        "select distinct state, complete_since = (select max(finished_at) from runs), last_proof_at is null
         from coverage_by_month where month between '2026-01' and '2026-10'";
    let months = "select count(*), min(month), sum(orders) from coverage_by_month where month <= '2026-10'";
    assert_eq!(rows(&bench.db(), states), ["complete|1|0"]);
    assert_eq!(
        rows(&bench.db(), months),
        [format!("10|2026-01|{}", bench.count("select count(*) from orders where parent_order_id is null"))]
    );
    assert_eq!(
        rows(
            &bench.db(),
            "select state, first_gap = (select watermark from watermarks where lane = 'created')
             from coverage_by_month order by month desc limit 1"
        ),
        ["open|1"],
        "the newest month is read as far as the watermark says"
    );
    let lost = rows(
        &bench.db(),
        "select max(window_begin) from coverage where lane = 'created' and window_begin < '2026-03-31T16:00:00Z'",
    );
    run(
        &bench.writable_db(),
        "delete from coverage where lane = 'created' and window_begin = ?1",
        [&lost[0]],
    );
    assert_eq!(
        rows(
            &bench.db(),
            "select state, complete_since, first_gap from coverage_by_month where month = '2026-03'"
        ),
        [format!("incomplete||{}", lost[0])]
    );
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(
        rows(
            &bench.db(),
            "select distinct state from coverage_by_month where month between '2026-01' and '2026-10'"
        ),
        ["complete"]
    );
}

/// An hour of March 2026 as text; hour 0 is the begin of the billing month.
fn hour(at: i64) -> String {
    // 2026-02-28T16:00:00Z
    bss_sync::time::UtcSecond::from_unix(1_772_294_400 + at * 3600).to_string()
}

const HOURS_OF_MARCH: i64 = 31 * 24;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_view_says_of_any_windows_what_looking_at_each_hour_says(
        windows in proptest::collection::vec((-100i64..800, 1i64..400, 0i64..40), 0..12),
    ) {
        let db = warehouse();
        history(&db, "main", &hour(0));
        // Windows that contain each other, and the same one twice, may be there; the same scope only once.
        let windows: BTreeSet<_> = windows.into_iter().map(|(begin, length, read)| ((begin, begin + length), read)).collect();
        let mut newest = vec![None; usize::try_from(HOURS_OF_MARCH).unwrap()];
        let mut seen = BTreeSet::new();
        for ((begin, end), read) in windows {
            if !seen.insert((begin, end)) {
                continue;
            }
            let read_at = hour(HOURS_OF_MARCH + read);
            COMPLETE.of(&db, &hour(begin), &hour(end), &read_at);
            for at in begin.max(0)..end.min(HOURS_OF_MARCH) {
                let known = &mut newest[usize::try_from(at).unwrap()];
                *known = known.clone().max(Some(read_at.clone()));
            }
        }
        let covered = newest.iter().flatten().count();
        let gap = newest.iter().position(Option::is_none).map(|at| hour(i64::try_from(at).unwrap()));
        let oldest = newest.iter().min().cloned().flatten();
        let state = if gap.is_none() { "complete" } else { "incomplete" };
        prop_assert_eq!(
            rows(&db, "select state, covered_seconds, last_proof_at, first_gap from coverage_by_month where month = '2026-03'"),
            [format!("{state}|{}|{}|{}", covered * 3600, oldest.unwrap_or_default(), gap.unwrap_or_default())]
        );
    }
}
