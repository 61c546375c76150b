//! Quotas over real HTTP: learned from a refusal, shown, and known to the next run.

use std::fs;

use crate::sim::{QuotaPlan, Script};
use crate::support::truth::assert_equals_truth;
use crate::support::{As, Bench, Login};

/// An account whose vendor allows less than what is published, and a worker that only knows what is published.
fn slower() -> Bench {
    let script = Script::seeded(81).orders(20).quotas(QuotaPlan::Fixed { calls: 8, seconds: 1 });
    let bench = Bench::with(script, As::Customer, Login::Keys);
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("quotas = \"none\"\n", ""));
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
    let calls: u64 = bench.sim.stats().values().map(|count| count.calls).sum();
    let first = refused(&bench);
    println!("{first} of {calls} calls refused");
    assert!(0 < first && first * 10 < calls, "{first} of {calls}");
    let status = bench.call(&["status"]).expect_code(0).stdout;
    assert!(
        status.contains("acme order_details: quota 8/1s by user, learned from refusal, last refused "),
        "{status}"
    );
    let plan = bench.call(&["plan", "--full"]).expect_code(0).stdout;
    assert!(plan.contains("8/1s (learned in an earlier run)"), "{plan}");

    bench.sim.reset_stats();
    bench.run(&["--full"]).expect_code(0);
    assert_eq!(refused(&bench), 0, "the second run knows");
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
