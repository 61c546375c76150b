//! The program against a vendor whose data contradict themselves: exactly the breaks that were made on purpose are found.

use std::collections::BTreeSet;

use serde_json::Value;

use sim::{Script, Sim};
use support::{As, Bench, Login, Ran, now};

/// Breaks that change or may change the result, as (check, key).
fn found(ran: &Ran) -> BTreeSet<(String, String)> {
    let report = ran.json();
    let text = |found: &Value, name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let breaks = report["breaks"].as_array().expect("breaks").iter();
    breaks
        .filter(|found| found["severity"] != "info")
        .map(|found| (text(found, "check_id"), text(found, "key")))
        .collect()
}

fn seeded(sim: &Sim) -> BTreeSet<(String, String)> {
    let truth = sim.truth();
    truth.seeded().iter().map(|seeded| (seeded.check.to_owned(), seeded.key.clone())).collect()
}

fn reconcile(bench: &Bench) -> Ran {
    bench.call(&["reconcile", "--all", "--output", "json"])
}

#[test]
fn a_sane_vendor_has_no_break_before_and_after_its_account_went_on() {
    let bench = Bench::new(Script::seeded(41).orders(400).until(now() - 3_600));
    bench.run(&[]).expect_code(0);
    let ran = reconcile(&bench).expect_code(0);
    assert_eq!(found(&ran), BTreeSet::new());
    bench.sim.evolve(now() - 120);
    bench.run(&[]).expect_code(0);
    let ran = reconcile(&bench).expect_code(0);
    assert_eq!(found(&ran), BTreeSet::new());
    bench.call(&["reconcile", "--strict"]).expect_code(0);
}

#[test]
fn a_partner_whose_customers_are_sane_has_no_break() {
    let script = Script::seeded(42).orders(300).customers(5).until(now() - 3_600);
    let bench = Bench::with(script, As::Partner, Login::Keys);
    bench.run(&[]).expect_code(0);
    let ran = reconcile(&bench).expect_code(0);
    assert_eq!(found(&ran), BTreeSet::new());
}

#[test]
fn an_inconsistent_vendor_is_found_out_break_by_break() {
    let bench = Bench::new(Script::seeded(43).orders(200).until(now() - 3_600).inconsistent());
    bench.run(&[]).expect_code(0);
    let ran = reconcile(&bench).expect_code(3);
    assert_eq!(found(&ran), seeded(&bench.sim));
    let checks: BTreeSet<String> = found(&ran).into_iter().map(|(check, _)| check).collect();
    assert_eq!(checks.len(), 20, "{checks:?}");

    // Once the account is known, the vendor rewrites its history.
    bench.sim.change(|truth| truth.rewrite_history(now() - 3_600));
    bench.run(&["--full"]).expect_code(0);
    let ran = reconcile(&bench).expect_code(3);
    assert_eq!(found(&ran), seeded(&bench.sim));
}
