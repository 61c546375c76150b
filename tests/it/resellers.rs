//! A distributor asks for the customers of its resellers: one account of the configuration for each.

use std::collections::BTreeSet;

use crate::fixtures::rows;
use sim::{self, Endpoint, Scope, Script};
use support::{As, Bench, Login};

/// A distributor with its own customers as `acme` and those of its two resellers as `acme-1` and `acme-2`.
fn distributor() -> (Bench, Vec<String>) {
    let script = Script::seeded(71).orders(120).customers(6).resellers(2);
    let bench = Bench::with(script, As::Partner, Login::Keys);
    let resellers: Vec<String> = bench.sim.truth().reseller_ids().into_iter().map(str::to_owned).collect();
    assert_eq!(resellers.len(), 2);
    for (number, reseller) in (1..).zip(&resellers) {
        bench.append_config(&format!(
            "[accounts.acme-{number}]\nendpoint = \"{url}\"\nrole = \"partner\"\nquotas = \"none\"\n\
             access_key = {{ env = \"TEST_AK\" }}\nsecret_key = {{ env = \"TEST_SK\" }}\ndomain_id = \"{domain}\"\n\
             indirect_partner_id = \"{reseller}\"",
            url = bench.sim.url(),
            domain = sim::PARTNER_KEY.domain_id,
        ));
    }
    (bench, resellers)
}

#[test]
fn each_account_has_its_resellers_orders_lines_refunds_and_customers() {
    let (bench, resellers) = distributor();
    bench.run(&[]).expect_code(0);
    let truth = bench.sim.truth();
    let scopes = std::iter::once(Scope::Partner).chain(resellers.iter().cloned().map(Scope::Reseller));
    let mut all = BTreeSet::new();
    for (account, scope) in ["acme", "acme-1", "acme-2"].into_iter().zip(scopes) {
        let wanted: BTreeSet<String> = truth.order_ids(&scope).iter().map(|id| format!("'{id}'")).collect();
        let stored = |sql: &str| -> BTreeSet<String> {
            rows(&bench.db(), &sql.replace('$', &format!("account = '{account}'"))).into_iter().collect()
        };
        assert!(!wanted.is_empty());
        assert_eq!(
            stored("select order_id from orders where $ and parent_order_id is null"),
            wanted,
            "{account}"
        );
        assert_eq!(
            stored("select distinct requested_order_id from order_lines where $"),
            wanted,
            "{account}"
        );
        let customers = stored("select customer_id from sub_customers where $");
        let owners = stored("select distinct customer_id from orders where $");
        assert!(customers.is_superset(&owners), "{account}: {owners:?} of {customers:?}");
        assert_eq!(stored("select parent_id from queue where $ and not_before = ''"), BTreeSet::new());
        all.extend(wanted);
    }
    let every: usize = truth.order_ids(&Scope::Partner).len()
        + resellers.iter().map(|id| truth.order_ids(&Scope::Reseller(id.clone())).len()).sum::<usize>();
    assert_eq!(all.len(), every, "nobody's order is in two accounts");
    assert!(!rows(&bench.db(), "select * from resources where account = 'acme'").is_empty());
}

#[test]
fn resources_of_resellers_customers_are_not_asked_for() {
    let (bench, resellers) = distributor();
    let ran = bench.call(&["run", "resources", "--account", "acme-1"]).expect_code(2);
    let said = format!(
        "no way to ask for the resources of customers of a reseller, and account acme-1 is for those of {}",
        resellers[0]
    );
    assert!(ran.stderr.contains(&said), "{ran:?}");
    assert_eq!(bench.sim.count(Endpoint::Resources).calls, 0);
}

#[test]
fn a_customer_is_told_before_any_call_that_only_partners_have_customers() {
    let bench = Bench::new(Script::seeded(72).orders(5));
    let ran = bench.call(&["run", "sub_customers"]).expect_code(2);
    let said = "only a partner may ask for sub_customers, and the role of account acme is customer";
    assert!(ran.stderr.contains(said), "{ran:?}");
    assert!(bench.sim.requests().is_empty());
}
