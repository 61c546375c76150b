//! Orders that appear late or change long after their creation: which run finds them, by what, and how it is counted.

use super::{
    Deal, LONGEST, assert_equals_truth_and_gone, assert_within_quota, blank, findings, later, one_window,
    put, quoted, recently, spread,
};
use sim::clock::DAY;
use sim::{Endpoint, Fault, Hold, Truth};
use support::truth::{assert_equals_truth, expected, stored};
use support::{As, Bench, now};

/// 120 completed orders, read to the end.
fn loaded(settings: &str, more: &[Deal]) -> (Bench, Vec<Deal>) {
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, settings);
    let deals = spread(120);
    put(&bench, &deals);
    put(&bench, more);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    later(&bench, 2);
    (bench, deals)
}

fn status(bench: &Bench, order: &str) -> i64 {
    bench.count(&format!("select status from orders where order_id = '{order}'"))
}

/// One more order was late, and everybody who counts them says so.
#[track_caller]
fn assert_counted_late(bench: &Bench, report: &serde_json::Value, order: &str) {
    assert_eq!(report["orders_late"], 1, "{report}");
    let listed = format!("select count(*) from late_orders where order_id = '{order}'");
    assert_eq!(bench.count(&listed), 1);
    let of_last = "select orders_late from runs where job = 'orders' order by run_id desc limit 1";
    assert_eq!(bench.count(of_last), 1);
}

#[test]
fn an_unpaid_order_a_day_late_is_found_by_the_sweep_and_counted() {
    let (bench, _) = loaded("", &[]);
    put(&bench, &[Deal::unpaid("CSLATE", now() - DAY)]);
    let report = bench.run(&["orders"]).expect_code(0).job("orders");
    assert_eq!(report["orders_late"], 0, "nothing tells of it: {report}");
    let report = bench.run(&["orders", "--full"]).expect_code(0).job("orders");
    assert_counted_late(&bench, &report, "CSLATE");
    let report = bench.run(&["orders", "--full"]).expect_code(0).job("orders");
    assert_eq!(report["orders_late"], 0, "counted once: {report}");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_within_quota(&bench);
}

#[test]
fn a_paid_order_a_day_late_is_found_by_its_payment_and_counted() {
    let (bench, _) = loaded("", &[]);
    put(&bench, &[Deal { paid: Some(recently()), ..Deal::completed("CSLATE", now() - DAY) }]);
    let report = bench.run(&["orders"]).expect_code(0).job("orders");
    assert_counted_late(&bench, &report, "CSLATE");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_within_quota(&bench);
}

#[test]
fn an_order_of_the_last_hour_is_found_by_the_overlap_and_counted_as_late() {
    let (bench, _) = loaded("", &[]);
    put(&bench, &[Deal::unpaid("CSLATE", recently())]);
    let report = bench.run(&["orders"]).expect_code(0).job("orders");
    assert_counted_late(&bench, &report, "CSLATE");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn an_order_paid_40_days_after_its_creation_is_found_by_the_next_run() {
    let old = now() - 40 * DAY;
    let open = Deal::unpaid("CSOPEN", old);
    // A final status: nobody looks at it any more, so only its payment tells.
    let revived = Deal { status: 4, ..Deal::unpaid("CSCANCELLED", old - DAY) };
    let (bench, _) = loaded("", &[open.clone(), revived.clone()]);
    for deal in [&open, &revived] {
        bench.sim.change(|truth| {
            assert!(truth.set_status(&deal.id, 5, Some(recently())));
            deal.provision(truth);
        });
    }
    bench.sim.reset_stats();
    let report = bench.run(&["orders"]).expect_code(0).job("orders");
    assert_eq!(
        (report["rows_changed"].as_i64(), report["orders_late"].as_i64()),
        (Some(2), Some(0)),
        "{report}"
    );
    assert_eq!((status(&bench, "CSOPEN"), status(&bench, "CSCANCELLED")), (5, 5));
    let by_payment = |target: &str| target.contains("payment_time_begin=");
    assert_eq!(bench.sim.requests().iter().filter(|seen| by_payment(&seen.target)).count(), 1);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_within_quota(&bench);
}

#[test]
fn an_open_order_cancelled_after_40_days_is_found_by_the_next_run() {
    let (bench, _) = loaded("", &[Deal::unpaid("CSOPEN", now() - 40 * DAY)]);
    assert!(bench.sim.change(|truth| truth.set_status("CSOPEN", 4, None)));
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(status(&bench, "CSOPEN"), 4);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn a_completed_order_cancelled_after_its_sweep_is_found_by_the_next() {
    let (bench, deals) = loaded("", &[]);
    bench.run(&["orders", "--full"]).expect_code(0);
    later(&bench, 4);
    let cancelled = deals[60].id.clone();
    assert!(bench.sim.change(|truth| truth.set_status(&cancelled, 4, None)));
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(status(&bench, &cancelled), 5, "no filter of the vendor finds it");
    let report = bench.run(&["orders", "--full"]).expect_code(0).job("orders");
    assert_eq!((status(&bench, &cancelled), report["rows_changed"].as_i64()), (4, Some(1)));
    bench.run(&[]).expect_code(0);
    // The resource stays that it bought; that the order has one is not asked for any more.
    let wanted = expected(&bench.sim.truth(), As::Customer);
    let got = stored(&bench.db());
    assert_eq!((&got["orders"], &got["order_details"]), (&wanted["orders"], &wanted["order_details"]));
    assert_within_quota(&bench);
}

#[test]
fn a_sweep_happens_by_itself_when_its_time_has_come() {
    let (bench, deals) = loaded("sweep = \"1h\"\n", &[]);
    let changed = deals[60].id.clone();
    assert!(bench.sim.change(|truth| truth.restate(&changed, "contract_id", "\"C-1\"")));
    let has_changed = format!("select contract_id is 'C-1' from orders where order_id = '{changed}'");
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(bench.count(&has_changed), 0, "not yet");
    // Two hours pass.
    let earlier = "update watermarks set watermark = strftime('%Y-%m-%dT%H:%M:%SZ', watermark, '-2 hours')
                       where lane = 'sweep'";
    assert_eq!(bench.writable_db().execute(earlier, []), Ok(1));
    bench.sim.reset_stats();
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(bench.count(&has_changed), 1);
    println!("a sweep over 120 orders: {} requests", bench.sim.count(Endpoint::Orders).calls);
    bench.sim.reset_stats();
    bench.run(&["orders"]).expect_code(0);
    assert!(bench.sim.count(Endpoint::Orders).calls <= 6, "the next one has time");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn an_order_that_leaves_is_told_once_and_there_again_when_it_is_back() {
    let leaving = Deal::completed("CSLEAVES", recently());
    let (bench, _) = loaded("", &[leaving, Deal::completed("CSSTAYS", recently())]);
    let spent = || bench.count("select coalesce(sum(net_e8), 0) from f01_net_spend_by_service");
    let before = spent();
    let (list, details) = {
        let truth = bench.sim.truth();
        (truth.order_row("CSLEAVES").unwrap(), truth.details("CSLEAVES").unwrap())
    };
    assert!(bench.sim.change(|truth| truth.remove_order("CSLEAVES")));
    let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("CSLEAVES") && told[0].contains("marked as gone"), "{told:?}");
    let gone = "select count(*) from orders where order_id = 'CSLEAVES' and gone_since is not null";
    assert_eq!(bench.count(gone), 1);
    assert!(spent() < before, "no view counts it");
    later(&bench, 4);
    bench.run(&[]).expect_code(0);
    assert_equals_truth_and_gone(&bench, As::Customer, &["CSLEAVES"]);

    bench.sim.change(|truth| truth.add_order(&list, Some(details), None));
    bench.sim.change(|truth| truth.link("CSLEAVES", &["r-CSLEAVES".to_owned()]));
    later(&bench, 6);
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.count(gone), 0);
    assert_eq!(spent(), before);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_eq!(bench.count("select count(*) from orders"), 122);
    assert_within_quota(&bench);
}

/// Nothing tells a lost permission from an order that left, when the run is shown no other order either.
#[test]
fn the_only_open_order_that_leaves_is_gone_at_the_operators_word() {
    let (bench, _) = loaded("", &[Deal::unpaid("CSOPEN", now() - 290 * DAY)]);
    assert!(bench.sim.change(|truth| truth.remove_order("CSOPEN")));
    let gone = "select count(*) from orders where gone_since is not null";
    for minutes in [3, 4, 5] {
        later(&bench, minutes);
        let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
        assert!(told[0].contains("neither it nor any other"), "{told:?}");
    }
    later(&bench, 6);
    let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
    assert!(told[0].contains("wait in the queue"), "{told:?}");
    assert_eq!(bench.count(gone), 0);
    later(&bench, 7);
    let told = findings(&bench.run(&["orders", "--accept-empty"]).expect_code(3), "orders");
    assert!(told.len() == 1 && told[0].contains("marked as gone"), "{told:?}");
    assert_eq!(bench.count(gone), 1);
    later(&bench, 8);
    bench.run(&[]).expect_code(0);
    assert_equals_truth_and_gone(&bench, As::Customer, &["CSOPEN"]);
}

#[test]
fn an_order_that_a_window_shows_between_two_absences_is_not_gone() {
    let open = Deal::unpaid("CSOPEN", now() - 290 * DAY);
    let (bench, _) = loaded("", &[open.clone(), Deal::completed("CSRECENT", recently())]);
    let gone = "select count(*) from orders where gone_since is not null";
    let once_more = |bench: &Bench, arguments: &[&str]| {
        let told = findings(&bench.run(arguments).expect_code(3), "orders");
        assert!(told.len() == 1 && told[0].contains("asked for once more"), "{told:?}");
        assert_eq!(bench.count(gone), 0);
    };
    // A run asks for the open order by its id, and then for the windows of the sweep, one of which shows it.
    bench.sim.reset_stats();
    bench.run(&["orders", "--full"]).expect_code(0);
    let requests = bench.sim.requests();
    let before = requests.iter().position(|seen| seen.target.contains("order_id=CSOPEN")).expect("asked for");
    assert!(before + 1 < requests.len(), "{requests:?}");

    later(&bench, 3);
    for _ in 0..before {
        bench.sim.push_fault(Endpoint::Orders, Fault::mutate(|_| ()));
    }
    let leave = |truth: &mut Truth| assert!(truth.remove_order("CSOPEN"));
    bench.sim.push_fault(Endpoint::Orders, Fault::mutate(leave));
    bench.sim.push_fault(Endpoint::Orders, Fault::mutate(move |truth| open.put(truth)));
    bench.sim.reset_stats();
    once_more(&bench, &["orders", "--full"]);
    assert_eq!(bench.sim.requests().len(), requests.len());
    assert_eq!(bench.sim.faults_waiting(), 0);

    later(&bench, 4);
    bench.sim.change(leave);
    once_more(&bench, &["orders"]);

    later(&bench, 5);
    let told = findings(&bench.run(&["orders"]).expect_code(3), "orders");
    assert!(told.len() == 1 && told[0].contains("marked as gone"), "{told:?}");
    assert_eq!(bench.count(gone), 1);
    later(&bench, 6);
    bench.run(&[]).expect_code(0);
    assert_equals_truth_and_gone(&bench, As::Customer, &["CSOPEN"]);
}

#[test]
fn an_order_of_the_last_hour_that_changes_is_found_by_the_overlap() {
    let (bench, _) = loaded("", &[Deal::completed("CSRECENT", recently())]);
    assert!(bench.sim.change(|truth| truth.restate("CSRECENT", "contract_id", "\"C-1\"")));
    let report = bench.run(&["orders"]).expect_code(0).job("orders");
    assert_eq!(report["rows_changed"], 1, "{report}");
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

/// The answer about its lines that is on its way may be older than the change, and settles no more than it was asked for.
#[test]
fn an_order_that_changes_while_its_lines_come_has_them_read_again() {
    // Their status is listed first; the one that no list can be asked for is read by itself, once all windows are stored.
    let bench = quoted(blank(), As::Customer);
    one_window(&bench, "");
    put(&bench, &spread(400));
    put(&bench, &[290, 200, 110].map(|days| Deal::unpaid(format!("CSOPEN{days}"), now() - days * DAY)));
    put(&bench, &[Deal { status: 2, ..Deal::unpaid("CSLAST", now() - 250 * DAY) }]);
    bench.run(&[]).expect_code(0);
    later(&bench, 2);
    assert!(bench.sim.change(|truth| truth.restate("CSOPEN200", "contract_id", "\"C-1\"")));
    let [lines, windows, last] = [Hold::new(), Hold::new(), Hold::new()];
    bench.sim.push_fault(Endpoint::Details, Fault::Hold(lines.clone()));
    bench.sim.push_fault(Endpoint::Orders, Fault::mutate(|_| ()));
    for hold in [&windows, &windows, &last] {
        bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    }
    bench.sim.reset_stats();
    let mut worker = bench.spawn(&["run", "orders", "order_lines", "-q"]);
    assert!(lines.wait_for_request(LONGEST), "the list of the status showed the first change");
    assert!(bench.sim.change(|truth| truth.set_status("CSOPEN200", 5, Some(recently()))));
    windows.release();
    assert!(last.wait_for_request(LONGEST), "the window of payments showed the second one");
    lines.release();
    last.release();
    assert_eq!(worker.wait().expect("an end").code(), Some(0));
    let asked = bench.sim.requests();
    let asked = asked.iter().filter(|seen| seen.target.contains("/details/CSOPEN200?")).count();
    assert_eq!(asked, 2);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}
