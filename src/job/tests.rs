use proptest::prelude::*;

use super::*;

const STREAMS: [&str; 7] = [
    "orders",
    "order_lines",
    "refund_attributions",
    "resources",
    "service_types",
    "resource_types",
    "sub_customers",
];

fn parse(text: &str) -> Result<Job, String> {
    let name = JobName::new("test").expect("a name");
    Job::parse(name, Path::new("jobs/test.toml"), text, &STREAMS)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn schedule(expression: &str) -> Schedule {
    Schedule::parse(expression).expect("a right expression")
}

/// The next times in a zone as `local time, offset` texts.
fn times(expression: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let after = UtcSecond::parse(after).expect("a vendor time");
    schedule(expression)
        .next_times(zone, after, count)
        .iter()
        .map(|at| at.format("%d %H:%M %z").to_string())
        .collect()
}

#[test]
fn every_built_in_job_parses_and_names_its_own_stream() {
    for (name, text) in built_in() {
        let job = parse(text).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(job.stream, name);
        assert_eq!(job.time_zone, chrono_tz::Asia::Shanghai);
        assert_eq!(job.next_times(UtcSecond::from_unix(1_700_000_000), 3).len(), 3, "{name}");
    }
    let files: Vec<&str> = built_in().into_iter().map(|(name, _)| name).collect();
    let mut expected = STREAMS.to_vec();
    expected.sort_unstable();
    let mut sorted = files;
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
}

#[test]
fn a_job_needs_only_a_stream() {
    let job = parse("stream = \"orders\"").expect("enough");
    assert_eq!((job.schedule, job.deadline, job.accounts, job.roles), (None, None, None, None));
    assert_eq!(job.history_start.to_string(), "2018-05-01");
    assert_eq!(job.window, Duration::from_hours(31 * 24));
    assert_eq!((job.overlap, job.settle), (Duration::from_hours(2), Duration::from_mins(1)));
}

#[test]
fn no_window_is_longer_than_the_longest_that_is_asked_for() {
    let window = |text| parse(&format!("stream = \"orders\"\nwindow = \"{text}\"")).map(|job| job.window);
    assert_eq!(window("364d"), Ok(crate::plan::LONGEST_WINDOW));
    assert!(window("365d").is_err());
}

#[test]
fn every_key_is_read() {
    let job = parse(
        r#"
        stream = "resources"
        schedule = "30 0 6 * * Mon-Fri"
        time_zone = "Europe/Berlin"
        history_start = "2024-02-29"
        overlap = "30m"
        settle = "5m"
        window = "7d"
        sweep = "2d"
        sweep_reach = "30d"
        refresh = "12h"
        deadline = "90s"
        accounts = ["acme", "b-2"]
        roles = ["partner"]
        "#,
    )
    .expect("all right");
    insta::assert_debug_snapshot!(job, @r#"
    Job {
        name: JobName(
            "test",
        ),
        stream: "resources",
        schedule: Some(
            Schedule("30 0 6 * * Mon-Fri"),
        ),
        time_zone: Europe/Berlin,
        history_start: 2024-02-29,
        overlap: 1800s,
        settle: 300s,
        window: 604800s,
        sweep: 172800s,
        sweep_reach: 2592000s,
        refresh: 43200s,
        deadline: Some(
            90s,
        ),
        accounts: Some(
            [
                "acme",
                "b-2",
            ],
        ),
        roles: Some(
            [
                Partner,
            ],
        ),
    }
    "#);
    assert!(job.reads("acme", Role::Partner));
    assert!(!job.reads("acme", Role::Customer));
    assert!(!job.reads("other", Role::Partner));
}

#[test]
fn everything_wrong_with_a_job_is_said_at_once() {
    let text = r#"
        stream = "order"
        schedule = "*/15 * * * *"
        time_zone = "Asia/Shanghay"
        history_start = "2018-13-01"
        overlap = "2 hours"
        window = 31
        settle = "400d"
        roles = ["reseller"]
        accounts = []
        dead_line = "10m"
    "#;
    insta::assert_snapshot!(parse(text).expect_err("wrong"), @r#"
    jobs/test.toml line 2: stream = "order": this value is not understood
      did you mean "orders"? the streams are orders, order_lines, refund_attributions, resources, service_types, resource_types, sub_customers
    jobs/test.toml line 3: schedule = "*/15 * * * *": this value is not understood
      five fields have no seconds here: write "0 */15 * * * *" (seconds come first)
    jobs/test.toml line 4: time_zone = "Asia/Shanghay": this value is not understood
      did you mean "Asia/Shanghai"? write a zone of the IANA database, like "Asia/Shanghai" or "UTC"
    jobs/test.toml line 5: history_start = "2018-13-01": this value is not understood
      write a day that exists as "2018-05-01", 2000 or later
    jobs/test.toml line 6: overlap = "2 hours": this value is not understood
      write a whole number and a unit: "250ms", "60s", "10m", "2h" or "1d"
    jobs/test.toml line 8: settle = "400d": this value is not understood
      write at least "0s" and at most "1d"
    jobs/test.toml line 7: window: a whole number stands here
      write a text in quotes
    jobs/test.toml line 9: roles = "reseller": this value is not understood
      write "customer" or "partner"
    jobs/test.toml line 10: accounts: this list is empty, so the job would read nothing
      name at least one, or remove the key to read all
    jobs/test.toml line 11: dead_line: this key is unknown
      did you mean deadline?
    "#);
    insta::assert_snapshot!(parse("schedule = \"@daily\"").expect_err("no stream"), @r#"
    jobs/test.toml: stream: this key is missing
      write one of orders, order_lines, refund_attributions, resources, service_types, resource_types, sub_customers
    "#);
    insta::assert_snapshot!(parse("stream = \"orders\"\nstream = \"orders\"").expect_err("no TOML"), @r#"
    jobs/test.toml line 2: this is no TOML: duplicate key
      correct the line; the syntax is at https://toml.io
    "#);
}

#[test]
fn what_other_crons_mean_otherwise_is_refused() {
    let refused = |expression: &str| Schedule::parse(expression).expect_err(expression);
    insta::assert_snapshot!(refused("0 2 * * *"), @r#"five fields have no seconds here: write "0 0 2 * * *" (seconds come first)"#);
    insta::assert_snapshot!(refused("* *"), @r#"write six fields, seconds first, like "0 */15 * * * *"; these are 2"#);
    for numbers in ["0 0 2 * * 0", "0 0 2 * * 1", "0 0 2 * * 1-5", "0 0 2 * * Mon,5", "0 0 2 ? * 2/2"] {
        assert_eq!(refused(numbers), refused("0 0 2 * * 7"), "{numbers}");
    }
    insta::assert_snapshot!(refused("0 0 2 * * 0"), @"write days of the week by name, like Mon or Mon-Fri: as numbers, 1 would be Sunday here and Monday in a crontab");
    insta::assert_snapshot!(refused("0 0 2 13 * Fri"), @"restrict the day of the month or the day of the week, not both: a crontab would run on either, this program only where both agree");
    insta::assert_snapshot!(refused("0 0 2 L * *"), @r#"write seconds first: "second minute hour day-of-month month day-of-week", like "0 */15 * * * *" (* , - / and names such as Mon are known; L, W and # are not)"#);
    insta::assert_snapshot!(refused("0 0 2 30 Feb *"), @"no calendar has such a day: write one that comes");
    for wrong in
        ["", "@never", "0 0 25 * * *", "0 0 2 * * Fri-Mon", "0 */0 * * * *", "a b c d e f", "0 0 2 * * 1L"]
    {
        refused(wrong);
    }
}

#[test]
fn what_is_meant_the_same_everywhere_is_taken() {
    for right in [
        "0 */15 * * * *",
        "0 0 2 * * Mon-Fri",
        "0 0 2 ? * Mon-Fri/2",
        "0 0 2 1,15 * ?",
        "@hourly",
        " 0 0 2 1 Jan * 2030 ",
    ] {
        assert!(Schedule::parse(right).is_ok(), "{right}");
    }
    assert_eq!(schedule(" @daily ").expression(), "@daily");
}

#[test]
fn times_are_meant_in_the_jobs_zone() {
    assert_eq!(
        times("0 30 2 * * *", chrono_tz::Asia::Shanghai, "2026-03-07T18:30:00Z", 2),
        ["09 02:30 +0800", "10 02:30 +0800"],
        "a time is never its own successor"
    );
    assert_eq!(times("0 30 2 * * *", chrono_tz::UTC, "2026-03-07T18:30:00Z", 0), Vec::<String>::new());
    assert_eq!(times("0 0 0 1 Jan * 2020", chrono_tz::UTC, "2026-01-01T00:00:00Z", 3), Vec::<String>::new());
}

#[test]
fn a_skipped_time_runs_once_when_the_gap_ends() {
    // New York goes from 02:00 to 03:00 on 2026-03-08.
    let zone = chrono_tz::America::New_York;
    assert_eq!(times("0 30 2 * * *", zone, "2026-03-07T12:00:00Z", 2), ["08 03:00 -0400", "09 02:30 -0400"]);
    assert_eq!(
        times("0 */30 * * * *", zone, "2026-03-08T06:15:00Z", 4),
        ["08 01:30 -0500", "08 03:00 -0400", "08 03:30 -0400", "08 04:00 -0400"]
    );
    // Between the start of the gap and its end there is no time; after it nothing is repeated.
    assert_eq!(times("0 30 2 * * *", zone, "2026-03-08T07:00:00Z", 1), ["09 02:30 -0400"]);
}

#[test]
fn a_time_that_comes_twice_runs_once_but_an_hourly_rhythm_goes_on() {
    // New York goes from 02:00 back to 01:00 on 2026-11-01.
    let zone = chrono_tz::America::New_York;
    assert_eq!(times("0 30 1 * * *", zone, "2026-10-31T12:00:00Z", 2), ["01 01:30 -0400", "02 01:30 -0500"]);
    assert_eq!(
        times("0 */30 * * * *", zone, "2026-11-01T05:15:00Z", 5),
        ["01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500", "01 02:00 -0500", "01 02:30 -0500"]
    );
    // Asked in the middle of the second pass.
    assert_eq!(
        times("0 */30 * * * *", zone, "2026-11-01T06:10:00Z", 2),
        ["01 01:30 -0500", "01 02:00 -0500"]
    );
}

proptest! {
    #[test]
    fn no_text_panics_the_parser(text in any::<String>(), field in "[0-9*/,?LW#A-Za-z-]{0,6}") {
        let _ = parse(&text);
        let _ = parse(&format!("stream = {text}\n{field} = \"{text}\""));
        let _ = Schedule::parse(&text);
        for place in 0..6 {
            let mut fields = ["0", "0", "2", "*", "*", "*"];
            fields[place] = &field;
            let _ = Schedule::parse(&fields.join(" "));
        }
    }

    #[test]
    fn next_times_ascend_and_asking_one_by_one_finds_the_same(
        start in 1_760_000_000i64..1_800_000_000,
        expression in prop::sample::select(vec!["0 */15 * * * *", "0 30 2 * * *", "0 30 1,2 * * *", "0 0 0 * * Sun"]),
        zone in prop::sample::select(vec![chrono_tz::America::New_York, chrono_tz::Australia::Lord_Howe, chrono_tz::Asia::Shanghai]),
    ) {
        let schedule = schedule(expression);
        let together = schedule.next_times(zone, UtcSecond::from_unix(start), 6);
        prop_assert_eq!(together.len(), 6);
        prop_assert!(together[0].timestamp() > start);
        prop_assert!(together.windows(2).all(|pair| pair[0] < pair[1]));
        let mut after = UtcSecond::from_unix(start);
        for at in together {
            prop_assert_eq!(schedule.next_times(zone, after, 1), vec![at]);
            after = UtcSecond::from_unix(at.timestamp());
        }
    }
}
