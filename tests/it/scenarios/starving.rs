//! What fails, is refused or takes long keeps nothing else from being read.

use super::{
    Deal, asked_for_orders, assert_equals_truth_and_gone, blank, findings, later, one_window, put, quoted,
    spread,
};
use crate::fixtures::{self, front::Front};
use sim::clock::{self, DAY};
use sim::{Endpoint, Fault, Script};
use support::truth::assert_equals_truth;
use support::{As, Bench, now};

/// A history of many windows, and so many orders in it.
fn many_windows(orders: i64) -> Bench {
    let bench = quoted(blank(), As::Customer);
    let start = clock::text(now() - super::HISTORY * DAY);
    bench.append_config(&format!("[jobs.orders]\nhistory_start = \"{}\"\nwindow = \"10d\"\n", &start[..10]));
    put(&bench, &spread(orders));
    bench
}

/// The vendor finds a request too large.
fn too_large() -> Fault {
    Fault::status(413, "APIGW.0201", "Request entity too large")
}

/// The sizes in which a page is asked for, one after the other, while it is too large.
const SIZES: [u32; 5] = [100, 50, 25, 12, 10];

/// The vendor finds a window of orders too large, whatever the size of its page.
fn too_large_at_every_size(front: &Front) {
    for size in SIZES {
        let page = format!("&limit={size}&");
        front.answer(&page, 413, r#"{"error_code":"APIGW.0201","error_msg":"too large"}"#);
    }
}

fn status(bench: &Bench, order: &str) -> i64 {
    bench.count(&format!("select status from orders where order_id = '{order}'"))
}

/// Where in the order of requests the first one stands whose target holds the text.
fn place(bench: &Bench, text: &str) -> usize {
    let asked = bench.sim.requests();
    asked.iter().position(|seen| seen.target.contains(text)).unwrap_or_else(|| panic!("{text}: {asked:#?}"))
}

#[test]
fn windows_without_a_usable_answer_keep_no_other_from_being_read() {
    let bench = many_windows(60);
    let front = Front::before(&bench);
    // The newest one, which is read first, and then another one.
    for _ in 0..3 {
        front.answer("create_time_begin=", 200, "{}");
    }
    too_large_at_every_size(&front);
    let report = bench.run(&["orders"]).expect_code(1).job("orders");
    front.is_used_up();
    let reason = report["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("created "), "{reason}");
    let windows = bench.count("select count(*) from coverage where verdict = 'complete'");
    assert!(windows >= 28, "{windows} windows");
    let orders = bench.count("select count(*) from orders");
    assert!((54..60).contains(&orders), "{orders} orders");

    later(&bench, 2);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn a_window_that_is_too_large_is_named() {
    let bench = many_windows(60);
    let front = Front::before(&bench);
    too_large_at_every_size(&front);
    let report = bench.run(&["orders"]).expect_code(1).job("orders");
    let reason = report["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("created ") && reason.contains("too large"), "{reason}");
    later(&bench, 2);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn windows_that_all_fail_end_the_job_after_a_few() {
    let bench = many_windows(60);
    bench.sim.every_nth(Endpoint::Orders, 1, too_large);
    bench.run(&["orders"]).expect_code(1);
    // Five, and what was asked for at the same time as the last of them.
    let sizes = SIZES.len() as u64;
    assert!((5..12 + sizes).contains(&asked_for_orders(&bench)), "{}", asked_for_orders(&bench));
}

#[test]
fn a_window_that_fails_in_every_sweep_holds_up_no_other() {
    let bench = many_windows(60);
    bench.append_config("sweep = \"1h\"\n");
    bench.run(&["orders"]).expect_code(0);
    later(&bench, 2);
    let front = Front::before(&bench);
    let failing = now() - super::HISTORY * DAY;
    let failing =
        clock::parse(&format!("{}T00:00:00Z", &clock::text(failing)[..10])).expect("a time") + 30 * DAY - 1;
    let failing = format!("create_time_begin={}", clock::text(failing).replace(':', "%3A"));
    let swept_hours_ago = |hours: u32| {
        let earlier = format!(
            "update watermarks set watermark = strftime('%Y-%m-%dT%H:%M:%SZ', watermark, '-{hours} hours')
             where lane = 'sweep'"
        );
        assert_eq!(bench.writable_db().execute(&earlier, []), Ok(1));
        // No list, three times over.
        for _ in 0..3 {
            front.answer(&failing, 200, "{}");
        }
        bench.run(&["orders"]).expect_code(1);
        front.is_used_up();
    };
    // A sweep begins, and all but one window is read.
    swept_hours_ago(2);
    assert!(bench.sim.change(|truth| truth.restate("CS00030", "contract_id", "\"C-1\"")));
    let has_changed = "select contract_id is 'C-1' from orders where order_id = 'CS00030'";
    // What is left of it is tried again.
    swept_hours_ago(1);
    assert_eq!(bench.count(has_changed), 0);
    // The next but one is due.
    swept_hours_ago(2);
    assert_eq!(bench.count(has_changed), 1);
}

/// An order that waits for its payment so long that nothing but a question for itself shows it.
fn with_an_open_order() -> Bench {
    let bench = many_windows(250);
    put(&bench, &[Deal::unpaid("CSOPEN", now() - 250 * DAY)]);
    bench.run(&["orders"]).expect_code(0);
    later(&bench, 2);
    bench.sim.reset_stats();
    bench
}

#[test]
fn single_orders_do_not_wait_for_a_sweep() {
    let bench = with_an_open_order();
    bench.run(&["orders", "--full"]).expect_code(0);
    let windows = bench.sim.requests().len();
    assert!(windows > 25, "{windows}");
    let place = place(&bench, "order_id=CSOPEN");
    assert!(place <= 3, "behind {place} others");
}

#[test]
fn a_window_that_fails_does_not_keep_single_orders_from_being_read() {
    let bench = with_an_open_order();
    assert!(bench.sim.change(|truth| truth.set_status("CSOPEN", 4, None)));
    let front = Front::before(&bench);
    too_large_at_every_size(&front);
    bench.run(&["orders"]).expect_code(1);
    front.is_used_up();
    assert_eq!(status(&bench, "CSOPEN"), 4);
}

#[test]
fn an_order_that_fails_before_the_sweep_is_not_asked_for_again_behind_it() {
    let bench = with_an_open_order();
    let front = Front::before(&bench);
    front.answer("order_id=CSOPEN", 400, &fixtures::example("error-400-invalid-parameter.json"));
    let told = findings(&bench.run(&["orders", "--full"]).expect_code(3), "orders");
    front.is_used_up();
    assert!(matches!(&told[..], [one] if one.contains("order CSOPEN stays in the queue")), "{told:?}");
    let asked = bench.sim.requests();
    assert!(asked.iter().all(|seen| !seen.target.contains("order_id=CSOPEN")), "once in a run");
}

/// A vendor that leaves the filter out of account says nothing about the order that was asked for.
#[test]
fn an_answer_about_another_order_settles_nothing() {
    let bench = with_an_open_order();
    assert!(bench.sim.change(|truth| truth.set_status("CSOPEN", 4, None)));
    let other = bench.sim.truth().order_row("CS00100").expect("an order");
    let front = Front::before(&bench);
    front.answer("order_id=CSOPEN", 200, &format!("{{\"total_count\":1,\"order_infos\":[{other}]}}"));
    let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
    front.is_used_up();
    assert!(matches!(&told[..], [one] if one.contains("order CSOPEN stays in the queue")), "{told:?}");
    assert_eq!(status(&bench, "CSOPEN"), 6);
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(status(&bench, "CSOPEN"), 4);
}

/// Open orders so far from each other that listing their status is the cheapest way to look at them.
const OPEN: [&str; 3] = ["CSOPEN0", "CSOPEN1", "CSOPEN2"];

fn with_open_orders() -> Bench {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    put(&bench, &spread(400));
    for (id, days) in OPEN.into_iter().zip([290, 200, 110]) {
        put(&bench, &[Deal::unpaid(id, now() - days * DAY)]);
    }
    bench.run(&["orders"]).expect_code(0);
    later(&bench, 2);
    bench.sim.change(|truth| assert!(OPEN.iter().all(|id| truth.set_status(id, 4, None))));
    bench
}

/// The answers to the list of a status are these; the orders are read all the same, and the run ends well.
#[track_caller]
fn reads_open_orders_one_by_one(answers: &[(u16, String)]) {
    let bench = with_open_orders();
    let front = Front::before(&bench);
    for (code, body) in answers {
        front.answer("&status=6", *code, body);
    }
    let ran = bench.call(&["run", "orders", "--output", "json"]).expect_code(0);
    front.is_used_up();
    assert!(OPEN.iter().all(|id| status(&bench, id) == 4), "{ran:?}");
    assert_eq!(ran.stderr.matches("are read one by one").count(), 1, "{}", ran.stderr);
    bench.run(&[]).expect_code(0);
    assert_equals_truth_and_gone(&bench, As::Customer, &[]);
}

#[test]
fn open_orders_are_read_one_by_one_where_their_status_list_is_refused() {
    for (file, code) in [("error-400-invalid-parameter.json", 400), ("error-403-denied.json", 403)] {
        reads_open_orders_one_by_one(&[(code, fixtures::example(file))]);
    }
}

#[test]
fn open_orders_are_read_one_by_one_where_their_status_list_proves_nothing() {
    let hollow = (200, r#"{"total_count":5,"order_infos":[]}"#.to_owned());
    reads_open_orders_one_by_one(&vec![hollow; 3]);
}

/// A partner with these customers besides the owner, everything read, in the past.
pub(super) fn partner(customers: usize) -> (Bench, Vec<String>) {
    let bench = quoted(Script::seeded(76).orders(60).customers(customers + 1), As::Partner);
    bench.run(&[]).expect_code(0);
    let ids = bench.sim.truth().customer_ids().into_iter().skip(1).map(str::to_owned).collect();
    later(&bench, 2);
    (bench, ids)
}

/// Lets the lists of some customers have been read so many days earlier.
pub(super) fn age(bench: &Bench, customers: &[String], days: u32) {
    for id in customers {
        let earlier = format!(
            "update coverage set read_at = strftime('%Y-%m-%dT%H:%M:%SZ', read_at, '-{days} days')
             where stream = 'resources' and scope = 'whole' and customer_id = '{id}'"
        );
        assert_eq!(bench.writable_db().execute(&earlier, []), Ok(1));
    }
}

fn lists(bench: &Bench, verdict: &str) -> i64 {
    bench.count(&format!(
        "select count(*) from coverage where stream = 'resources' and scope = 'whole' and verdict = '{verdict}'"
    ))
}

#[test]
fn customers_who_left_keep_no_other_customer_from_being_read() {
    let (bench, customers) = partner(9);
    let owner = bench.sim.truth().owner().to_owned();
    let (gone, staying) = customers.split_at(6);
    let staying = &[staying, &[owner]].concat();
    // These six are asked for first.
    age(&bench, gone, 3);
    age(&bench, staying, 2);
    let front = Front::before(&bench);
    let denied = fixtures::example("error-403-denied.json");
    let refuse = || gone.iter().for_each(|id| front.answer(id, 403, &denied));
    let last = "select max(run_id) from runs where job = 'resources'";
    let reread = || {
        let run = bench.count(last);
        bench.count(&format!("select count(*) from coverage where run_id = {run} and verdict = 'complete'"))
    };

    // It may be the permission.
    refuse();
    let report = bench.run(&["resources"]).expect_code(5).job("resources");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(5), "{report}");
    front.is_used_up();
    assert_eq!(lists(&bench, "refused"), 6);
    let told = "select count(*) from coverage where verdict = 'refused' and proof like '%CBC.0151%'";
    assert_eq!(bench.count(told), 6);

    // It is not: the others are asked for first now.
    age(&bench, staying, 2);
    refuse();
    let told = findings(&bench.run(&["resources"]).expect_code(3), "resources");
    front.is_used_up();
    assert_eq!(told.len(), 6, "{told:#?}");
    assert!(gone.iter().all(|id| told.iter().any(|text| text.contains(id))), "{told:#?}");
    assert_eq!(reread(), 4);

    // Nobody else is to be read.
    refuse();
    let told = findings(&bench.run(&["resources"]).expect_code(3), "resources");
    front.is_used_up();
    assert_eq!((told.len(), reread()), (6, 0), "{told:#?}");
    let status = bench.call(&["status"]).expect_code(0);
    assert!(status.stdout.contains("6 refused by the vendor"), "{status:?}");

    // They are back.
    bench.run(&["resources"]).expect_code(0);
    assert_eq!((lists(&bench, "refused"), reread()), (0, 6));
    assert_equals_truth(&bench, As::Partner);
}

/// More lists than may fail in a row, all of customers who were never read: they stand first in every run.
#[test]
fn lists_that_always_fail_keep_no_other_list_from_being_read() {
    let bench = quoted(Script::seeded(76).orders(60).customers(12), As::Partner);
    bench.run(&["orders", "sub_customers"]).expect_code(0);
    let first: Vec<String> = {
        let db = bench.db();
        let mut query = db
            .prepare(
                "select distinct customer_id from orders where parent_order_id is null order by 1 limit 6",
            )
            .unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(first.len(), 6);
    let front = Front::before(&bench);
    for id in &first {
        // The whole list, and not what belongs to an order.
        let asked = format!("\"customer_id\":\"{id}\",\"limit\":100,\"offset\":0,\"only_main_resource\":0}}");
        // No list, three times over.
        for _ in 0..3 {
            front.answer(&asked, 200, "{}");
        }
    }
    bench.run(&["resources"]).expect_code(1);
    front.is_used_up();
    assert_eq!(lists(&bench, "complete"), 6);

    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
}

#[test]
fn a_permission_that_is_taken_away_ends_the_job_run_after_run() {
    let (bench, customers) = partner(12);
    age(&bench, &customers, 2);
    age(&bench, &[bench.sim.truth().owner().to_owned()], 2);
    bench.sim.set_denied(&[Endpoint::Resources]);
    for _ in 0..4 {
        bench.sim.reset_stats();
        bench.run(&["resources"]).expect_code(5);
        assert!(bench.sim.count(Endpoint::Resources).calls <= 8, "{:?}", bench.sim.stats());
    }
    bench.sim.set_denied(&[]);
    bench.run(&["resources"]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
}

#[test]
fn a_customer_that_left_the_partners_list_is_asked_for_no_more() {
    let (bench, customers) = partner(4);
    let left = &customers[1];
    let has_orders = format!("select count(*) > 0 from orders where customer_id = '{left}'");
    assert_eq!(bench.count(&has_orders), 1);
    bench.sim.change(|truth| truth.sub_customers.retain(|row| !row.json.contains(left.as_str())));
    for minutes in [4, 6] {
        later(&bench, minutes);
        bench.run(&["sub_customers", "--full"]).expect_code(0);
    }
    let is_gone = "select count(*) from sub_customers where gone_since is not null";
    assert_eq!(bench.count(is_gone), 1);
    bench.sim.reset_stats();
    bench.run(&["resources", "--full"]).expect_code(0);
    let asked = bench.sim.requests();
    assert!(asked.len() >= customers.len(), "{asked:#?}");
    assert!(asked.iter().all(|seen| !seen.body.contains(left.as_str())), "{asked:#?}");
}

/// A window of creation time may span a year at most.
#[test]
fn an_order_that_stays_open_for_more_than_a_year_is_read_by_itself() {
    let bench = quoted(blank(), As::Customer);
    let start = clock::text(now() - 420 * DAY);
    bench.append_config(&format!("[jobs.orders]\nhistory_start = \"{}\"\n", &start[..10]));
    // No list of this status can be asked for.
    put(&bench, &[Deal { status: 2, ..Deal::unpaid("CSOPEN", now() - 400 * DAY) }]);
    put(&bench, &spread(5));
    bench.run(&["orders"]).expect_code(0);
    later(&bench, 2);
    assert!(bench.sim.change(|truth| truth.set_status("CSOPEN", 4, None)));
    bench.run(&[]).expect_code(0);
    assert_eq!(status(&bench, "CSOPEN"), 4);
    assert_equals_truth(&bench, As::Customer);
}
