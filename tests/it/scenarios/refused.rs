//! Customers of a partner whose orders and lists the vendor refuses keep nothing else from being read.

use super::starving::{age, partner};
use super::{Deal, findings, later, put, recently};
use crate::fixtures::{self, front::Front};
use sim::Endpoint;
use support::truth::assert_equals_truth;
use support::{As, Bench, Ran};

/// A new order for each of these customers, the first one's the newest.
fn new_orders(bench: &Bench, customers: &[String]) {
    for (place, customer) in (0..).zip(customers) {
        put(bench, &[Deal::completed(format!("CSNEW{place}"), recently() - place).of(customer)]);
    }
    bench.run(&["orders", "order_lines", "refund_attributions"]).expect_code(0);
}

/// The lists that the last run of `resources` read.
fn reread(bench: &Bench) -> i64 {
    bench.count(
        "select count(*) from coverage where verdict = 'complete' and scope = 'whole'
             and run_id = (select max(run_id) from runs where job = 'resources')",
    )
}

fn queued(bench: &Bench) -> i64 {
    bench.count("select count(*) from queue where stream = 'resources'")
}

#[test]
fn refused_customers_hold_up_no_order_and_no_list_of_others() {
    let (bench, mut customers) = partner(9);
    customers.push(bench.sim.truth().owner().to_owned());
    let (refused, staying) = customers.split_at(6);
    age(&bench, refused, 2);
    age(&bench, staying, 3);
    new_orders(&bench, &customers[..8]);
    let front = Front::before(&bench);
    let denied = fixtures::example("error-403-denied.json");
    // Orders and lists alike.
    let run = |code| {
        for id in refused.iter().flat_map(|id| [id, id]) {
            front.answer(id, 403, &denied);
        }
        bench.run(&["resources"]).expect_code(code)
    };
    // So far it may be the permission. The lists show that it is not.
    let ran: Ran = run(5);
    assert_eq!(reread(&bench), 4, "{ran:?}");
    for _ in 0..3 {
        let told = findings(&run(3), "resources");
        assert!(refused.iter().all(|id| told.iter().any(|text| text.contains(id))), "{told:#?}");
        assert_eq!(queued(&bench), 6);
    }
}

#[test]
fn verify_goes_on_behind_customers_who_are_refused() {
    let (bench, customers) = partner(9);
    age(&bench, &customers[..7], 1);
    let front = Front::before(&bench);
    for id in &customers[..6] {
        front.answer(id, 403, &fixtures::example("error-403-denied.json"));
    }
    front.answer(&customers[6], 400, &fixtures::example("error-400-invalid-parameter.json"));
    let found = bench.call(&["verify", "--output", "json"]).expect_code(3).json();
    front.is_used_up();
    let lists = found["accounts"][0]["lists"].as_array().expect("a list").iter();
    let resources: Vec<_> = lists.filter(|list| list["stream"] == "resources").collect();
    let unanswered = resources.iter().filter(|list| list["vendor"].is_null()).count();
    assert_eq!((resources.len(), unanswered), (10, 7), "{found:#}");

    bench.sim.set_denied(&[Endpoint::Resources]);
    age(&bench, &customers, 3);
    age(&bench, &[bench.sim.truth().owner().to_owned()], 3);
    bench.call(&["verify"]).expect_code(5);
}

#[test]
fn orders_of_a_customer_who_left_wait_unasked_until_the_customer_is_back() {
    let (bench, customers) = partner(4);
    let left = &customers[1];
    put(&bench, &[Deal::completed("CSLEFT", recently()).of(left)]);
    bench.run(&["orders"]).expect_code(0);
    let queued = "select count(*) from queue where parent_id = 'CSLEFT'";
    let entries = bench.count(queued);
    assert!(entries >= 2, "lines and resources");
    let rows = bench.sim.change(|truth| {
        let all = std::mem::take(&mut truth.sub_customers);
        let (gone, stay) = all.into_iter().partition(|row| row.json.contains(left.as_str()));
        truth.sub_customers = stay;
        let gone: Vec<_> = gone;
        gone
    });
    for minutes in [4, 6] {
        later(&bench, minutes);
        bench.run(&["sub_customers", "--full"]).expect_code(0);
    }
    bench.sim.reset_stats();
    bench.run(&[]).expect_code(0);
    bench.run(&["--full"]).expect_code(0);
    let asked = bench.sim.requests();
    let is_theirs = |text: &str| text.contains("CSLEFT") || text.contains(left.as_str());
    assert!(asked.iter().all(|seen| !is_theirs(&seen.target) && !is_theirs(&seen.body)), "{asked:#?}");
    assert_eq!(bench.count(queued), entries);
    let status = bench.call(&["status"]).expect_code(0).stdout;
    assert!(status.contains("1 of customers who left are not asked for"), "{status}");

    bench.sim.change(|truth| truth.sub_customers.extend(rows));
    later(&bench, 8);
    bench.run(&["sub_customers", "--full"]).expect_code(0);
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.count(queued), 0);
    assert_equals_truth(&bench, As::Partner);
}
