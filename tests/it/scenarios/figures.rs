//! Figures: how many requests a quiet run, a window and a partner's day take.

use super::{Deal, asked_for_orders, blank, one_window, put, recently};
use sim::clock::{DAY, HOUR};
use sim::{Bounds, Script};
use support::truth::assert_equals_truth;
use support::{As, Bench, Login, now};

/// Requests of an `orders` run in which nothing changed.
const QUIET: u64 = 6;

fn requests(bench: &Bench) -> u64 {
    bench.sim.reset_stats();
    bench.run(&["orders"]).expect_code(0);
    asked_for_orders(bench)
}

fn quiet_runs_are_cheap(who: As, customers: usize) {
    for seed in 81..86 {
        let script = Script::seeded(seed).orders(600).customers(customers);
        let bench = Bench::with(script, who, Login::Keys);
        if seed > 81 {
            // Another way to cut the history; quicker.
            bench.append_config("[jobs.orders]\nwindow = \"364d\"\n");
        }
        let first = requests(&bench);
        let quiet = requests(&bench);
        let rows = "select count(*) from coverage where stream = 'orders'";
        let covered = bench.count(rows);
        let third = requests(&bench);
        assert_eq!(bench.count(rows), covered, "the same overlap");
        bench.sim.evolve(now() - 1_800);
        let changed = requests(&bench);
        let after = requests(&bench);
        let again = requests(&bench);
        println!(
            "{who:?}, seed {seed}: load {first}, quiet {quiet} and {third}, evolved {changed}, quiet {after} and {again}; \
             coverage {covered}, then {}",
            bench.count(rows)
        );
        for count in [quiet, third, after, again] {
            assert!(count <= QUIET, "{count}");
        }
        assert!(bench.count(rows) <= covered + 2, "coverage grows");
    }
}

#[test]
fn a_customers_orders_run_without_news_takes_at_most_six_requests() {
    quiet_runs_are_cheap(As::Customer, 1);
}

#[test]
fn a_partners_orders_run_without_news_takes_at_most_six_requests() {
    quiet_runs_are_cheap(As::Partner, 3);
}

#[test]
fn a_window_takes_hardly_more_requests_than_it_has_pages() {
    let spread = [90, 100, 101, 250, 1_000].map(|count| (count, HOUR));
    // One second apart, each page repeats more rows of the one before.
    let dense = [90, 100, 101, 250, 1_000, 3_000].map(|count| (count, 1));
    for (count, step) in spread.into_iter().chain(dense) {
        let all = [Bounds::Inclusive, Bounds::ExclusiveEnd, Bounds::ExclusiveBegin];
        let begin = now() - 150 * DAY;
        let deals: Vec<Deal> = (0..count)
            .map(|number| Deal::unpaid(format!("CS{number:04}"), begin + number * step))
            .map(|deal| Deal { status: 4, ..deal })
            .collect();
        let mut asked = Vec::new();
        let bench = Bench::new(blank());
        one_window(&bench, "");
        put(&bench, &deals);
        for bounds in all {
            let truth = bench.sim.truth().clone();
            bench.sim.restart(Script::serving(truth).bounds(bounds));
            let _ = std::fs::remove_file(bench.warehouse());
            bench.run(&["orders"]).expect_code(0);
            assert_eq!(bench.count("select count(*) from orders"), count);
            assert_eq!(bench.count("select count(*) from coverage where stream = 'orders'"), 1);
            asked.push(asked_for_orders(&bench));
        }
        let most = (103 * u64::try_from(count).unwrap()) / 10_000 + 2;
        println!("a window of {count} orders, {step} s apart: {asked:?} requests, at most {most}");
        assert!(asked.iter().all(|asked| *asked <= most), "{count}: {asked:?}");
    }
}

/// A partner's run of all jobs after so many customers bought something.
fn follows(customers: usize, changed: usize) {
    let script = Script::seeded(87).orders(customers + customers / 10).customers(customers);
    let bench = Bench::with(script, As::Partner, Login::Keys);
    bench.run(&[]).expect_code(0);
    let ids: Vec<String> = bench.sim.truth().customer_ids().into_iter().map(str::to_owned).collect();
    let deals: Vec<Deal> = ids
        .iter()
        .skip(1)
        .step_by(customers / changed - 1)
        .take(changed)
        .zip(0..)
        .map(|(customer, number)| Deal::completed(format!("CSNEW{number}"), recently() + number).of(customer))
        .collect();
    assert_eq!(deals.len(), changed);
    put(&bench, &deals);
    let ran = bench.run(&[]).expect_code(0);
    let mut sum = 0;
    for report in ran.json().as_array().unwrap() {
        let requests = report["requests"].as_u64().unwrap();
        println!("{changed} of {customers} customers changed, {}: {requests} requests", report["job"]);
        sum += requests;
    }
    let of_each = u64::try_from(changed).unwrap();
    assert!(sum <= QUIET + 2 * of_each, "{sum}");
    assert_equals_truth(&bench, As::Partner);
}

#[test]
fn a_partner_asks_for_what_changed_and_not_for_every_customer() {
    follows(200, 10);
}

/// `cargo test --test it -- --ignored a_partner_with_2000`
#[test]
#[ignore = "reads 2000 customers one by one first"]
fn a_partner_with_2000_customers_asks_only_for_what_changed() {
    follows(2_000, 10);
}
