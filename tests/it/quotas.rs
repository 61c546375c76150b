//! Quotas over real HTTP: learned from a refusal, shown, and known to the next run.

use std::collections::BTreeSet;
use std::fs;

use sim::{Endpoint, Fault, QuotaPlan, Script};
use support::truth::assert_equals_truth;
use support::{As, Bench, Login};

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
        status.contains("acme order_details: 8/1s by user, learned from refusal, last refused"),
        "{status}"
    );
    let plan = bench.call(&["plan", "--full"]).expect_code(0).stdout;
    assert!(plan.contains("8/1s (learned in an earlier run)"), "{plan}");

    bench.run(&["--full"]).expect_code(0);
    assert_eq!(refused(&bench), 2);
    let status = bench.call(&["status"]).expect_code(0).stdout;
    assert!(status.contains("acme order_details: 8/1s by user, learned in an earlier run"), "{status}");
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

/// A worker that keeps to the published quotas, and a vendor that allows less on every endpoint from the start.
fn stricter(script: Script) -> Bench {
    let bench = Bench::new(script.orders(20).quotas(QuotaPlan::Fixed { calls: 60, seconds: 60 }));
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("quotas = \"none\"\n", ""));
    bench
}

#[test]
fn a_gateway_that_is_asked_and_tells_its_quota_refuses_nobody() {
    let bench = stricter(Script::seeded(82).tells_quota());
    bench.run(&["orders", "--deadline", "5s"]);
    assert_eq!(refused(&bench), 0);
    let status = bench.call(&["status"]).expect_code(0).stdout;
    assert!(status.contains("acme orders: 60/60s by user, told by a header"), "{status}");
}

/// The sizes of the pages of orders that were refused, each once.
fn sizes_refused(bench: &Bench, status: u16) -> BTreeSet<u32> {
    let refused = bench.sim.requests().into_iter().filter(|seen| seen.status == status);
    let of_orders = refused.filter(|seen| seen.endpoint == Endpoint::Orders);
    let size = |target: &str| target.split_once("limit=")?.1.split('&').next()?.parse().ok();
    of_orders.filter_map(|seen| size(&seen.target)).collect()
}

#[test]
fn pages_are_as_large_as_the_server_accepts_from_the_next_run_on_at_once() {
    // Whether a size is forbidden or too much at the moment is told by the status; only the latter is tried again.
    for (status, smaller, tried_again) in [(400, 20, vec![]), (413, 25, vec![50])] {
        let bench = Bench::new(Script::seeded(83).orders(250).largest_page(30, status));
        bench.run(&[]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
        assert_eq!(sizes_refused(&bench, status), BTreeSet::from([50, 100]), "{status}");
        let text = bench.call(&["status"]).expect_code(0).stdout;
        let line = format!("acme orders: {smaller} rows, documented 100, learned 20");
        assert!(text.contains(&line), "{text}");
        let plan = bench.call(&["plan", "--full", "orders"]).expect_code(0).stdout;
        let words = format!("pages of {smaller} rows (learned; documented 100)");
        assert!(plan.contains(&words), "{plan}");

        bench.sim.reset_stats();
        bench.run(&["orders", "--full"]).expect_code(0);
        assert!(
            sizes_refused(&bench, status).into_iter().all(|size| tried_again.contains(&size)),
            "{status}"
        );
        assert_equals_truth(&bench, As::Customer);
    }
}
