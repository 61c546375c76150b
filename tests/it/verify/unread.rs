//! What was never read, or read without a proof, is no agreement.

use serde_json::Value;

use super::{delete, differing, nothing_differs, verify};
use crate::fixtures;
use sim::{Endpoint, Script};
use support::truth::assert_equals_truth;
use support::{As, Bench, Login};

/// What `verify` counts of a stream's orders.
fn orders(json: &Value, stream: &str) -> Value {
    let all = json["accounts"][0]["orders"].as_array().unwrap_or_else(|| panic!("{json:#}"));
    all.iter().find(|entry| entry["stream"] == stream).cloned().unwrap_or_else(|| panic!("{json:#}"))
}

#[test]
fn orders_that_wait_in_the_queue_are_counted_in_words() {
    let bench = fixtures::bench();
    bench.run(&["orders"]).expect_code(0);
    let found = verify(&bench, &[]).json();
    assert_eq!(differing(&found, "dependents", "order_lines"), [] as [Value; 0]);
    let lines = orders(&found, "order_lines");
    assert_eq!((&lines["complete"], &lines["queued"]), (&Value::from(0), &Value::from(6)), "{found:#}");
    let ran = bench.call(&["verify"]);
    let said = "acme order_lines: 6 order(s) wait in the queue and are not compared: run first";
    assert!(ran.stdout.contains(said), "{ran:?}");
    assert!(ran.stdout.contains("nothing that belongs to orders was read yet"), "{ran:?}");
}

#[test]
fn an_order_unknown_to_coverage_and_queue_is_read_by_a_repair() {
    let bench = Bench::new(Script::seeded(66).orders(200));
    bench.run(&[]).expect_code(0);
    let clean = verify(&bench, &[]).expect_code(0).json();
    assert!(nothing_differs(&clean), "{clean:#}");
    for stream in ["order_lines", "refund_attributions", "resources"] {
        let lost = format!(
            "delete from coverage where stream = '{stream}' and scope = (
                 select min(scope) from coverage where stream = '{stream}' and parent_id is not null)"
        );
        delete(&bench, &[lost]);
        bench.writable_db().execute("delete from queue", []).expect("an empty queue");
        let found = verify(&bench, &[]).expect_code(3).json();
        assert_eq!(orders(&found, stream)["never_read"], 1, "{found:#}");
        let unlike = differing(&found, "dependents", stream);
        assert_eq!((unlike.len(), &unlike[0]["orders"][0]["proof"]), (1, &Value::from("never read")));
        verify(&bench, &["--repair"]).expect_code(0);
    }
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn a_disputed_order_is_a_difference() {
    let bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    let dispute = "update coverage set verdict = 'disputed', proof = 'rows moved'
                   where stream = 'order_lines' and parent_id = 'CS2601050210DEMO1'";
    delete(&bench, &[dispute.to_owned()]);
    let ran = bench.call(&["verify"]).expect_code(3);
    assert!(ran.stdout.contains("acme order_lines: 1 order(s) are disputed"), "{ran:?}");
    verify(&bench, &["--repair"]).expect_code(0);
}

#[test]
fn status_names_the_lists_that_were_never_read() {
    let bench = fixtures::bench();
    bench.sim.set_denied(&[Endpoint::Resources]);
    bench.run(&["resources"]).expect_code(5);
    let status = bench.call(&["status"]).expect_code(0);
    assert!(status.stdout.contains("acme resources: whole list never read"), "{status:?}");

    let script = Script::seeded(74).orders(20).customers(3);
    let mut partner = Bench::with(script, As::Partner, Login::Keys);
    partner.run(&["sub_customers"]).expect_code(0);
    partner.set_env("TEST_SK", "wrong");
    partner.run(&["resources"]).expect_code(5);
    let status = partner.call(&["status"]).expect_code(0);
    assert!(status.stdout.contains("acme resources: no customer's list read, "), "{status:?}");
}
