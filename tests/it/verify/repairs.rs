//! A repair reads what differs and no more, and everything that hangs on it.

use serde_json::json;

use super::{delete, verify};
use sim::{Endpoint, Script};
use support::truth::assert_equals_truth;
use support::{As, Bench, Login};

fn partner(seed: u64) -> Bench {
    Bench::with(Script::seeded(seed).orders(80).customers(5), As::Partner, Login::Keys)
}

/// Requests for whole lists of resources, without the counts of `verify`, which ask for one row.
fn lists_read(bench: &Bench) -> usize {
    let is_list = |body: &str| !body.contains("order_id") && !body.contains("\"limit\":1,");
    let seen = bench.sim.requests();
    seen.iter().filter(|seen| seen.endpoint == Endpoint::Resources && is_list(&seen.body)).count()
}

#[test]
fn one_customers_list_is_repaired_without_reading_the_others() {
    let bench = partner(71);
    bench.run(&[]).expect_code(0);
    delete(
        &bench,
        &["delete from resources where resource_id = (select min(resource_id) from resources)".to_owned()],
    );
    bench.sim.reset_stats();
    verify(&bench, &["--repair"]).expect_code(0);
    assert_eq!(lists_read(&bench), 1, "{:#?}", bench.sim.requests());
    assert_equals_truth(&bench, As::Partner);
}

#[test]
fn a_repair_of_the_customers_reads_the_lists_of_new_ones() {
    let bench = partner(72);
    verify(&bench, &["--repair"]).expect_code(0);
    let read = "select count(*) from coverage where stream = 'resources' and scope = 'whole'";
    let customers = "select count(*) from sub_customers";
    assert_eq!((bench.count(read) >= bench.count(customers), bench.count(customers) > 0), (true, true));
    verify(&bench, &[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
}

#[test]
fn an_account_whose_comparison_does_not_finish_holds_up_no_repair() {
    let mut bench = Bench::new(Script::seeded(73).orders(60));
    bench.run(&[]).expect_code(0);
    bench.set_env("OTHER_SK", "wrong");
    let url = bench.sim.url();
    bench.append_config(&format!(
        "[accounts.other]\nendpoint = \"{url}\"\niam_endpoint = \"{url}\"\nquotas = \"none\"\n\
         access_key = {{ env = \"TEST_AK\" }}\nsecret_key = {{ env = \"OTHER_SK\" }}\n"
    ));
    delete(&bench, &["delete from orders where order_id = (select min(order_id) from orders)".to_owned()]);
    let repaired = verify(&bench, &["--repair"]).expect_code(5).json();
    assert_eq!(repaired["not_repaired"], json!(["other"]), "{repaired:#}");
    assert_equals_truth(&bench, As::Customer);
    let ran = bench.call(&["verify", "--repair"]).expect_code(5);
    assert!(ran.stdout.contains("account other was not repaired: its comparison did not finish"), "{ran:?}");
}
