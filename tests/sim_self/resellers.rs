//! What a distributor is shown of its resellers' customers.

use std::collections::HashSet;

use serde_json::Value;

use super::{CALL, PARTNER_CALL, is_invalid, size};
use sim::generate::generate;
use sim::truth::{Order, at};
use sim::vendor::Refused;
use sim::{Scope, Script, Sim, Truth};

/// Seven customers, of whom the last three belong to two resellers in turn.
fn distributor() -> Truth {
    let mut truth = generate(size(6, 200, 7));
    truth.give_to_resellers(2);
    truth
}

fn resellers(truth: &Truth) -> [String; 2] {
    truth.reseller_ids().into_iter().map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

fn ids(rows: &[String], field: &str) -> Vec<String> {
    let id = |row: &String| serde_json::from_str::<Value>(row).unwrap()[field].as_str().unwrap().to_owned();
    rows.iter().map(id).collect()
}

fn listed(truth: &Truth, query: &str) -> Vec<String> {
    let page = truth.list_orders(&PARTNER_CALL, &format!("limit=100&order_by=createTime&{query}")).unwrap();
    ids(&page.rows, "order_id")
}

#[test]
fn the_last_customers_belong_to_the_resellers_in_turn_and_the_owner_never() {
    let truth = distributor();
    let of = |truth: &Truth| truth.customers.iter().map(|customer| customer.reseller).collect::<Vec<_>>();
    assert_eq!(of(&truth), [None, None, None, None, Some(0), Some(1), Some(0)]);
    let mut few = generate(size(6, 60, 3));
    few.give_to_resellers(5);
    assert_eq!(of(&few), [None, Some(0), Some(1)]);
    let mut alone = generate(size(6, 60, 1));
    alone.give_to_resellers(2);
    assert_eq!(of(&alone), [None]);
    assert_eq!(alone.order_ids(&Scope::Partner), alone.order_ids(&Scope::Own));
}

#[test]
fn every_order_is_shown_directly_or_for_exactly_one_reseller() {
    let truth = distributor();
    let mut scopes = vec![Scope::Partner];
    scopes.extend(resellers(&truth).map(Scope::Reseller));
    let mut seen = HashSet::new();
    for scope in &scopes {
        let ids = truth.order_ids(scope);
        assert!(!ids.is_empty());
        assert_eq!(truth.orders(scope).len(), ids.len());
        assert!(ids.into_iter().all(|id| seen.insert(id)));
    }
    assert_eq!(seen.len(), truth.all.created.len());
    assert!(truth.order_ids(&Scope::Reseller("nobody".into())).is_empty());
    let resources: usize = scopes.iter().map(|scope| truth.resources(scope).len()).sum();
    assert_eq!(resources, truth.resource_owners().len());
}

#[test]
fn the_order_list_shows_a_resellers_customers_only_when_it_is_named() {
    let truth = distributor();
    let [first, second] = resellers(&truth);
    let total =
        |query: &str| usize::try_from(truth.list_orders(&PARTNER_CALL, query).unwrap().total).unwrap();
    let count = |scope: Scope| truth.order_ids(&scope).len();
    assert_eq!(total(""), count(Scope::Partner));
    assert_eq!(total("indirect_partner_id="), count(Scope::Partner));
    for id in [&first, &second] {
        assert_eq!(total(&format!("indirect_partner_id={id}")), count(Scope::Reseller(id.clone())));
    }
    let theirs = truth.customer_ids()[4].to_owned();
    let direct = truth.customer_ids()[1].to_owned();
    let named = format!("customer_id={theirs}&indirect_partner_id={first}");
    assert_eq!(listed(&truth, &named), truth.order_ids(&Scope::Customer(theirs.clone())));
    assert_eq!(total(&format!("customer_id={theirs}")), 0);
    assert_eq!(total(&format!("customer_id={theirs}&indirect_partner_id={second}")), 0);
    assert_eq!(total(&format!("customer_id={direct}&indirect_partner_id={first}")), 0);
    assert_eq!(total(&format!("customer_id={direct}")), count(Scope::Customer(direct.clone())));
    let unknown = truth.list_orders(&PARTNER_CALL, "indirect_partner_id=nobody");
    assert!(matches!(unknown, Err(Refused::UnknownReseller)));
    // For a customer the parameter means nothing.
    let own = truth.list_orders(&CALL, &format!("indirect_partner_id={first}")).unwrap();
    assert_eq!(usize::try_from(own.total).unwrap(), count(Scope::Own));
}

#[test]
fn details_and_refunds_of_a_resellers_customer_need_its_name() {
    let truth = distributor();
    let [first, second] = resellers(&truth);
    let find = |wanted: &dyn Fn(&Order) -> bool| {
        let found = truth.orders.iter().find(|order| order.parent.is_none() && wanted(order));
        found.unwrap().id.to_string()
    };
    let theirs = find(&|order| order.customer == 4);
    let direct = find(&|order| order.customer == 1);
    let named = |id: &str| format!("indirect_partner_id={id}");
    assert!(truth.order_details(&PARTNER_CALL, &theirs, &named(&first)).is_ok());
    assert!(truth.order_details(&PARTNER_CALL, &direct, "").is_ok());
    for (order, query) in [(&theirs, String::new()), (&theirs, named(&second)), (&direct, named(&first))] {
        assert!(is_invalid(&truth.order_details(&PARTNER_CALL, order, &query)), "{order} {query}");
    }
    let resold = |order: &Order| truth.customers[at(order.customer)].reseller;
    let refund =
        truth.orders.iter().find(|order| order.kind == 4 && order.status == 5 && resold(order).is_some());
    let refund = refund.expect("a reseller's customer got money back");
    let (customer, of) = (&truth.customers[at(refund.customer)].id, resold(refund).unwrap());
    let plain = format!("order_id={}&customer_id={customer}", refund.id);
    let resale = [&first, &second];
    let right = format!("{plain}&indirect_partner_id={}", resale[at(of)]);
    let wrong = format!("{plain}&indirect_partner_id={}", resale[1 - at(of)]);
    assert!(truth.refund_orders(&PARTNER_CALL, &right).unwrap().total > 0);
    assert!(is_invalid(&truth.refund_orders(&PARTNER_CALL, &wrong)));
    assert!(is_invalid(&truth.refund_orders(&PARTNER_CALL, &plain)));
    let unknown = truth.refund_orders(&PARTNER_CALL, &format!("{plain}&indirect_partner_id=nobody"));
    assert!(matches!(unknown, Err(Refused::UnknownReseller)));
}

#[test]
fn sub_customers_are_the_direct_ones_or_those_of_the_reseller_named() {
    let truth = distributor();
    let [first, second] = resellers(&truth);
    let shown = |body: String| {
        let page = truth.list_sub_customers(&PARTNER_CALL, body.as_bytes()).unwrap();
        assert_eq!(usize::try_from(page.total).unwrap(), page.rows.len());
        ids(&page.rows, "customer_id")
    };
    let customers = truth.customer_ids();
    let body = |id: &str| format!("{{\"limit\":100,\"indirect_partner_id\":\"{id}\"}}");
    assert_eq!(shown("{\"limit\":100}".into()), customers[..4]);
    assert_eq!(shown(body(&first)), [customers[4], customers[6]]);
    assert_eq!(shown(body(&second)), [customers[5]]);
    let unknown = truth.list_sub_customers(&PARTNER_CALL, body("nobody").as_bytes());
    assert!(matches!(unknown, Err(Refused::UnknownReseller)));
}

#[test]
fn the_resource_query_finds_nothing_of_a_resellers_customer() {
    let truth = distributor();
    let total = |customer: &str| {
        let body = format!("{{\"limit\":500,\"customer_id\":\"{customer}\"}}");
        truth.list_resources(&PARTNER_CALL, body.as_bytes()).unwrap().total
    };
    let customers = truth.customer_ids();
    assert!(total(customers[1]) > 0);
    assert!(!truth.resources(&Scope::Customer(customers[4].into())).is_empty());
    assert_eq!(total(customers[4]), 0);
    let body = format!("{{\"indirect_partner_id\":\"{}\"}}", resellers(&truth)[0]);
    assert!(is_invalid(&truth.list_resources(&PARTNER_CALL, body.as_bytes())));
}

#[test]
fn the_indexes_of_resellers_follow_every_change() {
    let mut truth = distributor();
    for seed in 0..200 {
        truth.upset(seed, sim::ANCHOR, sim::ChangeKind::ALL);
    }
    let mut rebuilt = truth.clone();
    rebuilt.reindex();
    let groups = |truth: &Truth| -> Vec<_> {
        truth.groups.iter().map(|group| (group.created.clone(), group.paid.clone())).collect()
    };
    assert_eq!(groups(&truth), groups(&rebuilt));
}

#[test]
fn a_script_with_resellers_has_the_same_orders_as_one_without() {
    let plain = Sim::start(Script::seeded(3).orders(80).customers(4));
    let resold = Sim::start(Script::seeded(3).orders(80).customers(4).resellers(1));
    assert!(plain.truth().reseller_ids().is_empty());
    assert_eq!(plain.truth().order_ids(&Scope::Partner).len(), 80);
    assert_eq!(resold.truth().all.created, plain.truth().all.created);
    let reseller = resold.truth().reseller_ids()[0].to_owned();
    let direct = resold.truth().order_ids(&Scope::Partner).len();
    assert_eq!(direct + resold.truth().order_ids(&Scope::Reseller(reseller)).len(), 80);
}
