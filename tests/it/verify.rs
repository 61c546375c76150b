//! `verify` names what differs between the vendor and the warehouse, and `--repair` brings it back.

mod edges;
mod members;
mod repairs;
mod unread;

use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::time::Duration;

use serde_json::Value;

use crate::fixtures::{self, rows};
use sim::{Bounds, Endpoint, Fault, Hold, RowOrder, Script, Sim, Truth};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench, Login, Ran, wait_for_log};

const ALL_BOUNDS: [Bounds; 3] = [Bounds::Inclusive, Bounds::ExclusiveEnd, Bounds::ExclusiveBegin];

fn verify(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.call(&[&["verify", "--output", "json", "-q"], arguments].concat())
}

/// The months, lists or dependents of one stream that differ.
fn differing(json: &Value, kind: &str, stream: &str) -> Vec<Value> {
    let all = json["accounts"][0][kind].as_array().unwrap_or_else(|| panic!("{json:#}"));
    all.iter().filter(|entry| entry["stream"] == stream && entry["agrees"] == false).cloned().collect()
}

fn months_of(entries: &[Value]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry["month"].as_str().unwrap_or("unknown").to_owned()).collect()
}

fn nothing_differs(json: &Value) -> bool {
    let account = &json["accounts"][0];
    let agree =
        |kind: &str| account[kind].as_array().expect("a list").iter().all(|entry| entry["agrees"] == true);
    ["months", "lists", "dependents", "members"].into_iter().all(agree)
}

/// Damages the warehouse by hand.
fn delete(bench: &Bench, sql: &[String]) {
    let db = bench.writable_db();
    for sql in sql {
        assert!(db.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}")) > 0, "{sql}");
    }
}

/// Up to `count` rows of a query whose first column is a month, each of another month: the second columns.
fn of_different_months(bench: &Bench, sql: &str, count: usize) -> (BTreeSet<String>, Vec<String>) {
    let db = bench.db();
    let mut query = db.prepare(sql).expect("a query");
    let found = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let mut months = BTreeSet::new();
    let mut ids = Vec::new();
    for (month, id) in found.expect("rows").map(Result::unwrap) {
        if ids.len() < count && months.insert(month.clone()) {
            ids.push(id);
        } else if ids.len() == count {
            break;
        }
    }
    assert_eq!(ids.len(), count, "{sql}");
    (months.into_iter().take(count).collect(), ids)
}

const MONTH: &str = "strftime('%Y-%m', o.create_time, '+8 hours')";

/// Orders without members that have lines, in an order that has nothing to do with time.
fn some_orders(bench: &Bench) -> (BTreeSet<String>, Vec<String>) {
    let sql = format!(
        "select {MONTH}, o.order_id from orders as o
         where o.parent_order_id is null
             and not exists (select 1 from orders as m where m.parent_order_id = o.order_id)
             and exists (select 1 from order_lines as l where l.requested_order_id = o.order_id)
         order by substr(o.order_id, -3), o.order_id"
    );
    of_different_months(bench, &sql, 3)
}

#[test]
fn deleted_orders_are_named_by_month_and_come_back_under_all_bounds() {
    for bounds in ALL_BOUNDS {
        let bench =
            Bench::new(Script::seeded(61).orders(300).burst(60).bounds(bounds).ties(RowOrder::Shuffled));
        bench.run(&[]).expect_code(0);
        let clean = verify(&bench, &[]).expect_code(0).json();
        assert!(nothing_differs(&clean), "{bounds:?}: {clean:#}");
        let months = clean["accounts"][0]["months"].as_array().expect("a list").len();
        bench.sim.reset_stats();

        let (months_deleted, orders) = some_orders(&bench);
        let list = format!("('{}')", orders.join("', '"));
        delete(
            &bench,
            &[
                format!("delete from orders where order_id in {list}"),
                format!("delete from order_lines where requested_order_id in {list}"),
            ],
        );
        let found = verify(&bench, &[]).expect_code(3).json();
        assert_eq!(bench.sim.count(Endpoint::Orders).calls, months as u64, "a request for each month");
        let months = differing(&found, "months", "orders");
        assert_eq!(months_of(&months), months_deleted, "{bounds:?}");
        assert!(months.iter().all(|month| month["difference"] == -1), "{months:#?}");
        assert_eq!(months_of(&differing(&found, "dependents", "order_lines")), months_deleted, "{bounds:?}");
        let missing = format!("select count(*) from orders where order_id in {list}");
        assert_eq!(bench.count(&missing), 0, "looking repairs nothing");

        let repaired = verify(&bench, &["--repair"]).expect_code(0).json();
        assert!(nothing_differs(&repaired), "{bounds:?}: {repaired:#}");
        assert_eq!(repaired["before"][0]["outcome"], "findings");
        assert_equals_truth(&bench, As::Customer);
        assert_sound(&bench);
    }
}

#[test]
fn deleted_lines_attributions_and_resources_are_named_and_come_back() {
    for (bounds, who) in ALL_BOUNDS.into_iter().zip([As::Customer, As::Partner, As::Customer]) {
        let script = Script::seeded(62).orders(400).customers(3).bounds(bounds);
        let bench = Bench::with(script, who, Login::Keys);
        bench.run(&[]).expect_code(0);
        let (line_months, lines) = of_different_months(
            &bench,
            &format!(
                "select {MONTH}, l.order_line_item_id from order_lines as l
                 join orders as o on o.order_id = l.requested_order_id order by substr(l.order_line_item_id, -3), 2"
            ),
            3,
        );
        let (refund_months, refunds) = of_different_months(
            &bench,
            &format!(
                "select {MONTH}, a.refund_order_id || '/' || a.id from refund_attributions as a
                 join orders as o on o.order_id = a.refund_order_id order by substr(a.id, -3), 2"
            ),
            3,
        );
        delete(
            &bench,
            &[
                format!("delete from order_lines where order_line_item_id in ('{}')", lines.join("', '")),
                format!(
                    "delete from refund_attributions where refund_order_id || '/' || id in ('{}')",
                    refunds.join("', '")
                ),
                "delete from resources where resource_id = (select min(resource_id) from resources)"
                    .to_owned(),
            ],
        );
        bench.sim.reset_stats();
        let found = verify(&bench, &[]).expect_code(3).json();
        assert_eq!(bench.sim.count(Endpoint::Details).calls, 0, "nobody is asked for what was proven");
        assert_eq!(differing(&found, "months", "orders"), [] as [Value; 0]);
        let unlike = differing(&found, "dependents", "order_lines");
        assert_eq!(months_of(&unlike), line_months, "{found:#}");
        assert!(unlike.iter().all(|entry| entry["difference"] == -1), "{unlike:#?}");
        assert_eq!(
            months_of(&differing(&found, "dependents", "refund_attributions")),
            refund_months,
            "{found:#}"
        );
        let lists = differing(&found, "lists", "resources");
        assert_eq!((lists.len(), &lists[0]["difference"]), (1, &Value::from(-1)), "{found:#}");
        assert_eq!(lists[0]["customer_id"].is_string(), who == As::Partner);

        let repaired = verify(&bench, &["--repair"]).expect_code(0).json();
        assert!(nothing_differs(&repaired), "{repaired:#}");
        assert_equals_truth(&bench, who);
        assert_sound(&bench);
    }
}

#[test]
fn a_line_that_stands_with_another_order_makes_up_for_nothing() {
    let bench = Bench::new(Script::seeded(65).orders(120));
    bench.run(&[]).expect_code(0);
    let sql = format!(
        "select {MONTH}, o.order_id from orders as o join order_lines as l on l.requested_order_id = o.order_id
         order by 1, 2"
    );
    let (_, orders) = of_different_months(&bench, &sql, 2);
    // Two orders of one month: one lacks a line, the other has one too many, and the sum is right.
    let other = format!(
        "select min(o.order_id) from orders as o join order_lines as l on l.requested_order_id = o.order_id
         where o.order_id <> '{0}' and {MONTH} = (select {MONTH} from orders as o where o.order_id = '{0}')",
        orders[0]
    );
    let moved = format!(
        "update order_lines set requested_order_id = ({other}) where order_line_item_id = (
             select min(order_line_item_id) from order_lines where requested_order_id = '{}')",
        orders[0]
    );
    delete(&bench, &[moved]);
    let found = verify(&bench, &[]).expect_code(3).json();
    let unlike = differing(&found, "dependents", "order_lines");
    assert_eq!((unlike.len(), &unlike[0]["difference"]), (1, &Value::from(0)), "{found:#}");
    assert_eq!(unlike[0]["orders"].as_array().map(Vec::len), Some(2), "{found:#}");
    verify(&bench, &["--repair"]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn what_the_vendor_no_longer_shows_is_asked_for_by_id_and_marked_as_gone() {
    let mut bench = Bench::new(Script::seeded(63).orders(200));
    bench.run(&[]).expect_code(0);
    let (months, orders) = some_orders(&bench);
    let (of_list, resource) = of_different_months(
        &bench,
        "select 'any', resource_id from resources order by substr(resource_id, -3)",
        1,
    );
    assert_eq!(of_list.len(), 1);
    assert!(bench.sim.change(|truth| truth.remove_order(&orders[0])));
    assert!(bench.sim.change(|truth| truth.remove_resource(&resource[0])));
    // What was seen a second ago cannot be told from what is seen now.
    let truth = bench.sim.truth().clone();
    bench.sim = Sim::start(Script::serving(truth).clock_ahead(60));
    bench.log_in(As::Customer, Login::Keys);

    let found = verify(&bench, &[]).expect_code(3).json();
    let differ = differing(&found, "months", "orders");
    assert!(differ.len() == 1 && months.contains(differ[0]["month"].as_str().expect("a month")), "{found:#}");
    assert_eq!(differ[0]["difference"], 1);
    assert!(differ[0]["reasons"][0].as_str().expect("a reason").contains("--repair asks for"), "{found:#}");
    assert_eq!(differing(&found, "lists", "resources")[0]["difference"], 1);

    let repaired = verify(&bench, &["--repair"]).expect_code(0);
    assert!(repaired.stdout.contains("marked as gone"), "{repaired:?}");
    assert!(nothing_differs(&repaired.json()), "{repaired:?}");
    let gone = "select order_id from orders where gone_since is not null";
    assert_eq!(rows(&bench.db(), gone), [format!("'{}'", orders[0])]);
    let gone = "select resource_id from resources where gone_since is not null";
    assert_eq!(rows(&bench.db(), gone), [format!("'{}'", resource[0])]);
    verify(&bench, &[]).expect_code(0);
}

#[test]
fn a_month_whose_only_order_is_gone_can_be_repaired_as_well() {
    let owner = sim::OWNER;
    let mut parts = fixtures::examples();
    parts.orders.push(format!(
        r#"{{"order_id":"S1","customer_id":"{owner}","order_type":1,"status":4,"create_time":"2026-05-11T00:00:00Z"}}"#
    ));
    let mut bench = fixtures::serving(parts);
    bench.run(&[]).expect_code(0);
    assert!(bench.sim.change(|truth| truth.remove_order("S1")));
    let truth = bench.sim.truth().clone();
    bench.sim = Sim::start(Script::serving(truth).clock_ahead(60));
    bench.log_in(As::Customer, Login::Keys);
    verify(&bench, &["--repair"]).expect_code(0);
    assert_eq!(rows(&bench.db(), "select order_id from orders where gone_since is not null"), ["'S1'"]);
}

#[test]
fn orders_between_two_months_are_counted_once_under_all_bounds() {
    let owner = sim::OWNER;
    for bounds in ALL_BOUNDS {
        let mut parts = fixtures::examples();
        for (id, time) in
            [("E1", "2026-02-28T15:59:59Z"), ("E2", "2026-02-28T16:00:00Z"), ("E3", "2026-02-28T16:00:01Z")]
        {
            parts.orders.push(format!(
                r#"{{"order_id":"{id}","customer_id":"{owner}","order_type":1,"status":4,"create_time":"{time}"}}"#
            ));
        }
        let bench = Bench::new(Script::serving(Truth::from_parts(parts)).bounds(bounds));
        fixtures::shorten_history(&bench);
        bench.run(&[]).expect_code(0);
        verify(&bench, &[]).expect_code(0);
        delete(&bench, &["delete from orders where order_id = 'E2'".to_owned()]);
        let ran = bench.call(&["verify"]).expect_code(3);
        assert!(
            ran.stdout.contains(" 2026-02 to 2026-02-28T16:00:03Z "),
            "it is not known in which month: {ran:?}"
        );
        verify(&bench, &["--repair"]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
    }
}

#[test]
fn undecoded_rows_are_named_as_the_reason_and_stay_a_finding() {
    let owner = sim::OWNER;
    let mut parts = fixtures::examples();
    for id in ["B1", "B2"] {
        parts.orders.push(format!(
            r#"{{"order_id":"{id}","customer_id":"{owner}","order_type":1,"status":5,"create_time":"2026-02-11T00:00:00Z","amount_after_discount":true}}"#
        ));
    }
    let bench = fixtures::serving(parts);
    bench.run(&[]).expect_code(3);
    for arguments in [&[][..], &["--repair"]] {
        let found = verify(&bench, arguments).expect_code(3).json();
        let months = differing(&found, "months", "orders");
        assert_eq!(months_of(&months), BTreeSet::from(["2026-02".to_owned()]), "{found:#}");
        assert_eq!(months[0]["reasons"][0], "2 row(s) that could not be decoded: table quarantine");
    }
}

#[test]
fn the_table_names_what_differs_and_a_line_says_what_agrees() {
    let bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    delete(
        &bench,
        &[
            "delete from orders where order_id = 'CS2602101515DEMO4'".to_owned(),
            "delete from service_types where service_type_code = 'hws.service.type.obs'".to_owned(),
        ],
    );
    let mut settings = crate::cli::steady(&bench);
    // How many months there are depends on the day.
    settings.add_filter(r"\d+ of \d+ month\(s\)", "N of M month(s)");
    settings.add_filter(r"\d+ month\(s\)", "M month(s)");
    settings.add_filter(r"\d+ request\(s\)", "R request(s)");
    settings.add_filter(r" +\d+\.\d *(?m:$)", " S");
    let ran = bench.call(&["verify"]).expect_code(3);
    settings.bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
         ACCOUNT  STREAM         WHAT        EXPECTED  STORED  DIFFERENCE  WHY
         acme     orders         2026-02     4         3       -1
         acme     service_types  whole list  4         3       -1
        acme: N of M month(s) agree, 2 of 3 list(s) agree; of every order that was read the rows that were proven are stored; R request(s)
        ");
    });
    let ran = bench.call(&["verify", "--repair"]).expect_code(0);
    settings.bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
        before the repair:
         ACCOUNT  STREAM         WHAT        EXPECTED  STORED  DIFFERENCE  WHY
         acme     orders         2026-02     4         3       -1
         acme     service_types  whole list  4         3       -1
        acme: N of M month(s) agree, 2 of 3 list(s) agree; of every order that was read the rows that were proven are stored; R request(s)

         ACCOUNT  JOB                  OUTCOME  ROWS  NEW  CHANGED  REQUESTS  REFUSED  SECONDS
         acme     orders               done     4     1    0        1         0 S
         acme     order_lines          done     2     0    0        1         0 S
         acme     refund_attributions  done     6     0    0        1         0 S
         acme     resources            done     0     0    0        0         0 S
         acme     service_types        done     4     1    0        1         0 S

        after the repair:
        acme: M month(s) agree, 3 list(s) agree; of every order that was read the rows that were proven are stored; R request(s)
        ");
    });
    assert_eq!(
        rows(&bench.db(), "select outcome, reason from runs where job = 'verify'"),
        ["'findings' | '2 comparison(s) differ'", "'findings' | '2 comparison(s) differ'", "'done' | null"]
    );
}

#[test]
fn orders_that_no_run_read_yet_are_said_to_be_unread() {
    let bench = Bench::new(Script::seeded(64).orders(30));
    let found = verify(&bench, &[]).expect_code(3).json();
    let months = differing(&found, "months", "orders");
    assert!(!months.is_empty());
    for month in &months {
        assert!(
            month["reasons"][0].as_str().expect("a reason").starts_with("not read yet from "),
            "{month:#}"
        );
    }
    verify(&bench, &["--repair"]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert!(bench.count("select count(*) from coverage_by_month") > 0, "status shows the months");
}

#[test]
fn a_refusal_a_stop_and_another_worker_have_their_exit_codes() {
    let bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    bench.sim.set_denied(&[Endpoint::Orders]);
    let refused = verify(&bench, &["--repair"]).expect_code(5).json();
    assert_eq!(refused["accounts"][0]["outcome"], "refused", "{refused:#}");
    let account = &refused["accounts"][0];
    let months = account["months"].as_array().expect("a list").len() as u64;
    assert!(account["not_compared"].as_u64().expect("a number") > 0 && months == 0, "{refused:#}");
    let reason = account["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("created 20"), "it says what was asked for: {reason}");
    assert_eq!(refused["repair"], Value::Null, "nothing is repaired that was not compared");
    bench.sim.set_denied(&[]);

    // No answer comes before the worker knows that it is to stop, and there are more questions than it asks at a time.
    let hold = Hold::new();
    let same = hold.clone();
    bench.sim.every_nth(None, 1, move || Fault::Hold(same.clone()));
    let mut child = bench.spawn(&["verify", "--set", "jobs.orders.history_start=2018-05-01"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "it asks");
    bench.run(&[]).expect_code(75);
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(killed.success());
    let mut log = BufReader::new(child.stderr.take().expect("a log"));
    wait_for_log(&mut log, "asked to stop");
    bench.sim.clear_faults();
    hold.release();
    let mut rest = String::new();
    log.read_to_string(&mut rest).expect("the rest of the log");
    let output = child.wait_with_output().expect("an end");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{stdout} {rest}");
    assert!(stdout.contains("stopped on request"), "{stdout}");
    assert!(stdout.contains("verify again, it begins anew"), "{stdout}");
    assert!(stdout.contains("month(s) or list(s) not compared"), "{stdout}");

    let nobody = bench.call(&["verify", "--account", "acne"]).expect_code(2);
    assert!(nobody.stderr.contains("did you mean `acme`?"), "{nobody:?}");
}
