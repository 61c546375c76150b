//! Quotas over real HTTP: learned from a refusal, shown, and known to the next run.

use std::fs;

use crate::sim::{Endpoint, Fault, Script};
use crate::support::truth::assert_equals_truth;
use crate::support::{As, Bench, Login};

/// What the vendor really allows: less than what is published.
const REFUSAL: &str =
    "The throttling threshold has been reached: policy user over ratelimit,limit:8,time:1 second";

/// A worker that only knows what is published, and whose first question about an order's details is one too many: when
/// calls come too fast for a quota depends on the machine.
fn slower() -> Bench {
    let bench = Bench::with(Script::seeded(81).orders(20), As::Customer, Login::Keys);
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("quotas = \"none\"\n", ""));
    // Few windows: the pace is kept to.
    bench.append_config("[jobs.orders]\nwindow = \"364d\"\n");
    for endpoint in [Endpoint::Orders, Endpoint::Details] {
        bench.sim.push_fault(endpoint, Fault::status(429, "APIGW.0308", REFUSAL));
    }
    bench
}

fn refused(bench: &Bench) -> u64 {
    bench.sim.stats().values().map(|count| count.refused).sum()
}

#[test]
fn a_quota_is_learned_from_a_refusal_shown_and_known_to_the_next_run() {
    let bench = slower();
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_eq!(refused(&bench), 2);
    let status = bench.call(&["status"]).expect_code(0).stdout;
    assert!(
        status.contains("acme order_details: quota 8/1s by user, learned from refusal, last refused "),
        "{status}"
    );
    let plan = bench.call(&["plan", "--full"]).expect_code(0).stdout;
    assert!(plan.contains("8/1s (learned in an earlier run)"), "{plan}");

    bench.run(&["--full"]).expect_code(0);
    assert_eq!(refused(&bench), 2);
    let status = bench.call(&["status"]).expect_code(0).stdout;
    assert!(status.contains("acme order_details: quota 8/1s by user, learned in an earlier run"), "{status}");
}

#[test]
fn what_was_learned_from_another_host_is_not_believed() {
    let bench = slower();
    bench.run(&["orders"]).expect_code(0);
    bench
        .writable_db()
        .execute_batch("update rate_state set host = 'elsewhere', quota_calls = 1, quota_period_s = 3600")
        .expect("a change");
    let plan = bench.call(&["plan", "--full", "orders"]).expect_code(0).stdout;
    assert!(plan.contains("20/1s (published)"), "{plan}");
}
