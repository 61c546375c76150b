//! The simulator against its own specification: signing vectors, validation, money that adds up.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail at once")]

mod resellers;
mod weather;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sim::generate::{Size, generate};
use sim::truth::at;
use sim::vendor::{Call, Page, Refused, Role};
use sim::{Bounds, Endpoint, Evolved, Fault, QuotaPlan, RowOrder, Scope, Script, Sim, Truth};
use sim::{clock, json, sign};

fn vectors() -> Vec<Value> {
    let text = include_str!("../fixtures/bss/signing-vectors.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document["vectors"].as_array().unwrap().clone()
}

#[test]
fn every_signing_vector_of_the_sdk_is_accepted() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let (input, expected) = (&vector["input"], &vector["expected"]);
        let mut headers: Vec<(String, String)> = Vec::new();
        for source in [&input["headers"], &expected["headers_added_by_signing"]] {
            for (name, value) in source.as_object().unwrap() {
                headers.push((name.clone(), value.as_str().unwrap().to_owned()));
            }
        }
        headers.push(("Authorization".into(), expected["authorization"].as_str().unwrap().into()));
        let target = expected["request_target"].as_str().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = sign::Received {
            method: input["method"].as_str().unwrap(),
            path,
            query,
            headers: &headers,
            body: input["body"].as_str().unwrap_or_default().as_bytes(),
        };
        let name = vector["name"].as_str().unwrap();
        let signed: Vec<&str> =
            expected["signed_headers"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let payload = sign::payload_hash(&request).unwrap();
        let canonical = sign::canonical_request(&request, &signed, &payload).unwrap();
        assert_eq!(canonical, expected["canonical_request"].as_str().unwrap(), "{name}");
        let date = request.header("x-sdk-date").unwrap();
        let now = clock::parse_compact(date).unwrap();
        let secret = input["secret_key"].as_str().unwrap();
        assert_eq!(sign::verify(&request, secret, now, 900), Ok(()), "{name}");
        assert_eq!(sign::verify(&request, secret, now + 901, 900), Err(sign::Refusal::Expired));
        assert_eq!(sign::verify(&request, "another", now, 900), Err(sign::Refusal::Signature));
    }
}

#[test]
fn times_are_read_and_written_alike() {
    assert_eq!(clock::parse("2026-10-31T16:00:00Z"), Some(sim::ANCHOR));
    assert_eq!(clock::text(sim::ANCHOR), "2026-10-31T16:00:00Z");
    assert_eq!(clock::http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    for wrong in ["2026-02-29T00:00:00Z", "2026-10-31T24:00:00Z", "2026-10-31 16:00:00", "2026-1-1T0:0:0Z"] {
        assert_eq!(clock::parse(wrong), None, "{wrong}");
    }
    let end = clock::months_later(clock::parse("2026-01-31T02:00:00Z").unwrap(), 1);
    assert_eq!(clock::text(end), "2026-02-28T15:59:59Z");
    let end = clock::months_later(clock::parse("2025-12-05T20:00:00Z").unwrap(), 12);
    assert_eq!(clock::text(end), "2026-12-06T15:59:59Z");
}

#[test]
fn amounts_are_written_in_every_spelling_without_a_float() {
    let text = |units: i64, style: u64| {
        let mut out = String::new();
        json::push_amount(&mut out, units, style);
        out
    };
    let spellings = |units: i64| (0..5).map(|style| text(units, style)).collect::<Vec<_>>();
    assert_eq!(spellings(10_000_000_000), ["100", "100.00", "100.00000000", "100.0", "100"]);
    assert_eq!(spellings(-82_050_000_000), ["-820.5", "-820.50", "-820.50000000", "-820.5", "-820.5"]);
    assert_eq!(spellings(-1), ["-0.00000001", "-0.00000001", "-0.00000001", "-0.00000001", "-1E-8"]);
    assert_eq!(text(0, 4), "0E-8");
}

#[test]
fn a_field_is_replaced_and_the_rest_keeps_its_bytes() {
    let row = r#"{"a":{"status":1},"s":"\"status\":2", "status" : 5,"x":1.00}"#;
    let changed = r#"{"a":{"status":1},"s":"\"status\":2", "status" :6,"x":1.00}"#;
    assert_eq!(json::with_field(row, "status", "6"), changed);
    assert_eq!(json::with_field("{}", "b", "1"), r#"{"b":1}"#);
    assert_eq!(json::with_field(r#"{"a":1}"#, "b", "1"), r#"{"a":1,"b":1}"#);
}

fn size(seed: u64, orders: usize, customers: usize) -> Size {
    Size { seed, orders, customers, burst: 0, until: sim::ANCHOR }
}

/// Units of 1e-8 from JSON text, independent of the writer.
fn units(row: &str, field: &str) -> i64 {
    let fields: HashMap<String, Box<serde_json::value::RawValue>> = serde_json::from_str(row).unwrap();
    let text = fields[field].get();
    let (digits, exponent) = match text.split_once(['E', 'e']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().unwrap()),
        None => (text, 0),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let number: i64 = format!("{whole}{part}").parse().unwrap();
    let shift = 8 + exponent - i32::try_from(part.len()).unwrap();
    number * 10_i64.pow(u32::try_from(shift).unwrap())
}

/// The rules of money that generated data must not break.
fn check(truth: &Truth, now: i64) {
    let taken = check_orders(truth, now);
    check_resources(truth, now, &taken);
}

/// What was given back, by the order it was paid with.
fn check_orders(truth: &Truth, now: i64) -> BTreeMap<u32, i64> {
    let mut taken: BTreeMap<u32, i64> = BTreeMap::new();
    for (number, order) in truth.orders.iter().enumerate().filter(|(_, order)| !order.gone) {
        let number = u32::try_from(number).unwrap();
        let id = &order.id;
        let leaves = truth.leaves(number);
        let lines = || leaves.iter().flat_map(|&leaf| truth.orders[at(leaf)].lines.iter());
        assert_eq!(lines().map(|line| line.amount).sum::<i64>(), order.amount, "{id} RC08");
        assert_eq!(lines().map(|line| line.official).sum::<i64>(), order.official, "{id} RC08");
        let refund = matches!(order.kind, 4 | 10) || order.amount < 0;
        if !refund {
            let lowered = order.discounts.iter().filter(|(kind, _)| !matches!(kind, 301 | 302));
            let lowered: i64 = lowered.map(|(_, amount)| amount).sum();
            assert_eq!(order.official - lowered, order.amount, "{id} RC09");
        }
        assert!(order.coupon + order.flexi + order.card <= order.amount.abs(), "{id} RC10");
        assert!(order.coupon >= 0 && order.flexi >= 0 && order.card >= 0, "{id} RC10");
        if order.status == 5 {
            assert!(order.paid.is_some(), "{id} RC12");
        }
        assert!(order.status != 6 || order.pay_until.is_none_or(|until| until >= now), "{id} RC14");
        assert!(order.created <= now && order.paid.is_none_or(|paid| paid <= now), "{id}");
        assert!(order.paid.is_none_or(|paid| paid >= order.created), "{id} RC13");
        assert!(lines().all(|line| line.expire == 0 || line.expire > line.effective), "{id} RC13");
        if order.status == 5 && matches!(order.kind, 1 | 2 | 11 | 14) {
            let leaves = truth.leaves(number);
            let bought = |&leaf: &u32| !truth.orders[at(leaf)].resources.is_empty();
            assert!(leaves.iter().any(bought), "{id} RC17");
        }
        if !truth.is_refund(number) {
            assert!(order.attributions.is_empty(), "{id}");
            continue;
        }
        let back: i64 = order.attributions.iter().map(|row| row.amount).sum();
        assert_eq!(-back, order.amount.abs(), "{id} RC01");
        assert_ne!(order.amount, 0, "{id} RC02");
        let kept: i64 = order.attributions.iter().map(|row| row.amount.max(0)).sum();
        assert_eq!(kept, order.fee.unwrap_or(0) + order.consumed.unwrap_or(0), "{id} RC05");
        let mut seen = HashSet::new();
        for row in &order.attributions {
            *taken.entry(row.base).or_default() -= row.amount;
            assert!(seen.insert((row.base, row.service, row.resource, row.amount)), "{id} RC06");
            let base = &truth.orders[at(row.base)];
            assert!(base.paid.unwrap() <= order.created, "{id} RC07");
            assert_eq!(base.customer, order.customer, "{id} RC07");
        }
    }
    for (&base, &back) in &taken {
        let base = &truth.orders[at(base)];
        assert!(back <= base.amount, "{} RC03: {back} of {}", base.id, base.amount);
    }
    taken
}

fn check_resources(truth: &Truth, now: i64, taken: &BTreeMap<u32, i64>) {
    for row in truth.resources.iter().filter(|row| row.status != 3) {
        let last =
            row.covers.iter().map(|&(order, line)| truth.orders[at(order)].lines[usize::from(line)].expire);
        assert_eq!(last.max(), Some(row.expire), "{} RC20", row.id);
        let linked = |&(order, _): &(u32, u16)| {
            truth.links(&truth.orders[at(order)].id).iter().any(|id| **id == *row.id)
        };
        assert!(!row.covers.is_empty() && row.covers.iter().all(linked), "{} RC18", row.id);
        let returned = |&(order, _): &(u32, u16)| {
            taken.get(&order).is_some_and(|back| *back >= truth.orders[at(order)].amount)
        };
        assert!(row.status != 2 || !row.covers.iter().all(returned), "{} RC19", row.id);
        let running = row.expire > now;
        assert_eq!(running, row.status == 2, "{} expires {}", row.id, clock::text(row.expire));
    }
}

#[test]
fn generated_money_adds_up_for_many_seeds_and_sizes() {
    for seed in 0..12 {
        for orders in [10, 45, 300, 2_500] {
            let truth = generate(size(seed, orders, 3));
            assert_eq!(truth.order_ids(&Scope::Partner).len(), orders);
            check(&truth, sim::ANCHOR);
        }
    }
}

#[test]
fn the_text_of_amounts_says_what_the_model_says() {
    let truth = generate(size(3, 400, 2));
    for order in truth.orders.iter().filter(|order| order.parent.is_none()) {
        let row = truth.order_row(&order.id).unwrap();
        assert_eq!(units(&row, "amount_after_discount"), order.amount, "{row}");
        assert_eq!(units(&row, "official_amount"), order.official, "{row}");
        let (info, lines) = truth.details(&order.id).unwrap();
        assert_eq!(units(&info, "amount_after_discount"), order.amount);
        let sum: i64 = lines.iter().map(|line| units(line, "amount_after_discount")).sum();
        assert_eq!(sum, order.amount);
        let back = truth.refunds(&order.id).unwrap_or_default();
        let back: i64 = back.iter().map(|row| units(row, "amount")).sum();
        assert!(back == 0 || -back == order.amount.abs());
        let parsed: Value = serde_json::from_str(&row).unwrap();
        let members = parsed["sub_order_infos"].as_array().map_or(0, Vec::len);
        assert_eq!(members, order.members.len());
    }
}

#[test]
fn a_seed_makes_the_same_account_every_time() {
    let rows = |seed| generate(size(seed, 200, 2)).orders(&Scope::Partner);
    assert_eq!(rows(5), rows(5));
    assert_ne!(rows(5), rows(6));
}

#[test]
fn an_account_of_some_size_shows_every_type_and_status() {
    let truth = generate(size(7, 1_500, 4));
    let kinds: HashSet<u8> = truth.orders.iter().map(|order| order.kind).collect();
    let statuses: HashSet<u8> = truth.orders.iter().map(|order| order.status).collect();
    assert_eq!(kinds, HashSet::from([1, 2, 3, 4, 10, 11, 13, 14, 15]));
    assert_eq!(statuses, HashSet::from([1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13]));
    let lines = |order: &sim::truth::Order| order.lines.len();
    assert!(truth.orders.iter().any(|order| lines(order) > 100));
    assert!(truth.orders.iter().any(|order| order.kind == 3 && order.amount > 0));
    assert!(truth.orders.iter().any(|order| order.kind == 3 && order.amount < 0));
    assert!(truth.orders.iter().any(|order| order.kind == 4 && order.amount > 0));
    let bases = |order: &sim::truth::Order| {
        order.attributions.iter().map(|row| row.base).collect::<HashSet<u32>>().len()
    };
    assert!(truth.orders.iter().any(|order| bases(order) >= 3));
    assert_eq!(
        truth.resources.iter().map(|row| row.status).collect::<HashSet<u8>>(),
        HashSet::from([2, 3, 4, 5])
    );
    let seconds: Vec<i64> = truth.orders.iter().filter(|o| o.parent.is_none()).map(|o| o.created).collect();
    assert!(seconds.iter().collect::<HashSet<_>>().len() < seconds.len(), "some seconds hold several orders");
    let owned = truth.customer_ids().into_iter().map(|id| truth.order_ids(&Scope::Customer(id.into())).len());
    assert!(owned.min() >= Some(1));
    let soon = |row: &&sim::truth::Resource| {
        row.status == 2 && row.main && row.expire < sim::ANCHOR + 30 * clock::DAY
    };
    let soon: HashSet<bool> = truth.resources.iter().filter(soon).map(|row| row.policy == 3).collect();
    assert_eq!(soon.len(), 2, "some resources that expire next month renew by themselves, some do not");
}

#[test]
fn evolution_moves_open_orders_and_keeps_the_money_right() {
    let mut truth = generate(size(11, 600, 3));
    let mut again = generate(size(11, 600, 3));
    let before = truth.order_ids(&Scope::Partner).len();
    let mut all = Evolved::default();
    for hour in 1..=6 {
        let now = sim::ANCHOR + hour * clock::HOUR;
        let evolved = truth.evolve(now);
        check(&truth, now);
        assert_eq!(evolved, again.evolve(now));
        assert!(!evolved.new.is_empty() && !evolved.renewals.is_empty());
        for id in &evolved.new {
            let order = &truth.orders[at(truth.ids[id.as_str()])];
            assert!(order.created < now && order.created >= now - clock::HOUR, "{id}");
            assert!(order.paid.is_none_or(|paid| order.created <= paid && paid <= now), "{id}");
        }
        all.paid.extend(evolved.paid);
        all.new.extend(evolved.new);
        all.completed.extend(evolved.completed);
        all.cancelled.extend(evolved.cancelled);
        all.refunds.extend(evolved.refunds);
    }
    assert_eq!(truth.order_ids(&Scope::Partner).len(), before + all.new.len());
    assert!(!all.paid.is_empty() && !all.completed.is_empty() && !all.refunds.is_empty());
    for id in &all.completed {
        let row: Value = serde_json::from_str(&truth.order_row(id).unwrap()).unwrap();
        assert_eq!((row["status"].as_i64(), row["payment_time"].is_string()), (Some(5), true), "{row}");
    }
    for id in &all.refunds {
        let back = truth.refunds(id).unwrap();
        let back: i64 = back.iter().map(|row| units(row, "amount")).sum();
        assert_eq!(-back, units(&truth.order_row(id).unwrap(), "amount_after_discount").abs());
    }
    let mut rebuilt = truth.clone();
    rebuilt.reindex();
    assert_eq!(rebuilt.order_ids(&Scope::Own), truth.order_ids(&Scope::Own));
    assert_eq!(rebuilt.all.paid, truth.all.paid);
}

const CALL: Call<'static> = Call {
    role: Role::Customer,
    bounds: Bounds::Inclusive,
    row_order: RowOrder::Stable,
    ties: RowOrder::Stable,
    language: "zh_CN",
    number: 1,
    at_most: None,
};
const PARTNER_CALL: Call<'static> = Call { role: Role::Partner, ..CALL };

fn is_invalid(answer: &Result<Page, Refused>) -> bool {
    matches!(answer, Err(Refused::Invalid(_)))
}

#[test]
fn order_lists_refuse_what_the_contract_refuses() {
    let truth = generate(size(1, 60, 2));
    let refused = |query: &str| is_invalid(&truth.list_orders(&CALL, query));
    for wrong in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=%22%22",
        "offset=-1",
        "offset=2147483648",
        "status=2",
        "status=10",
        "order_type=5",
        "order_by=paymentTime",
        "method=others",
        "unknown=1",
        "limit=1&limit=2",
        "order_id=%22%22",
        "create_time_begin=2026-01-01T00:00:00Z",
        "create_time_end=2026-01-01T00:00:00Z",
        "create_time_begin=null&create_time_end=null",
        "create_time_begin=2026-01-01&create_time_end=2026-01-02",
        "create_time_begin=2026-01-02T00:00:00Z&create_time_end=2026-01-01T00:00:00Z",
        "create_time_begin=2024-01-01T00:00:00Z&create_time_end=2025-01-01T00:00:01Z",
        "payment_time_begin=2024-01-01T00:00:00Z&payment_time_end=2025-01-02T00:00:00Z",
    ] {
        assert!(refused(wrong), "{wrong}");
    }
    for right in [
        "",
        "limit=100&offset=0",
        "limit=&offset=",
        "limit=null",
        "order_id=",
        "status=5&order_type=1",
        "order_by=-CREATETIME",
        "create_time_begin=2024-01-01T00:00:00Z&create_time_end=2025-01-01T00:00:00Z",
        "create_time_begin=&create_time_end=",
        "customer_id=whatever&method=oneself&indirect_partner_id=x",
    ] {
        assert!(!refused(right), "{right}");
    }
    assert!(is_invalid(&truth.list_orders(&PARTNER_CALL, "customer_id=")));
    let reseller = truth.list_orders(&PARTNER_CALL, "indirect_partner_id=x");
    assert!(matches!(reseller, Err(Refused::UnknownReseller)));
    assert_eq!(truth.list_orders(&CALL, "order_id=null").unwrap().total, 0);
    assert_eq!(truth.list_orders(&CALL, "order_id=CS1").unwrap().total, 0);
}

#[test]
fn pages_in_order_of_creation_give_every_order_once() {
    let truth = generate(Size { burst: 150, ..size(2, 900, 3) });
    for (call, scope) in [(CALL, Scope::Own), (PARTNER_CALL, Scope::Partner)] {
        let mut seen = Vec::new();
        loop {
            let query = format!("limit=100&offset={}&order_by=createTime", seen.len());
            let page = truth.list_orders(&call, &query).unwrap();
            if page.rows.is_empty() {
                assert_eq!(usize::try_from(page.total).unwrap(), seen.len());
                break;
            }
            seen.extend(page.rows);
        }
        assert_eq!(seen, truth.orders(&scope));
    }
}

#[test]
fn without_an_order_two_calls_see_two_orders_of_rows() {
    let truth = generate(size(2, 90, 1));
    let rows = |number| truth.list_orders(&Call { number, ..CALL }, "limit=100").unwrap().rows;
    let (first, second) = (rows(1), rows(2));
    assert_ne!(first, second);
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(first), sorted(second));
}

#[test]
fn ties_may_change_places_between_two_calls() {
    let truth = generate(Size { burst: 150, ..size(2, 400, 1) });
    let page = |number, offset| {
        let call = Call { number, ties: RowOrder::Shuffled, ..CALL };
        let query = format!("limit=100&order_by=createTime&offset={offset}");
        truth.list_orders(&call, &query).unwrap().rows
    };
    let walk = |numbers: [u64; 4]| -> Vec<String> {
        (0..4).flat_map(|part| page(numbers[part], part * 100)).collect()
    };
    let mut one_call = walk([9, 9, 9, 9]);
    assert_ne!(one_call, truth.orders(&Scope::Own));
    one_call.sort();
    let mut all = truth.orders(&Scope::Own);
    all.sort();
    assert_eq!(one_call, all);
    let distinct: HashSet<String> = walk([1, 2, 3, 4]).into_iter().collect();
    assert!(distinct.len() < 400, "an offset inside a second loses rows");
}

#[test]
fn the_bounds_of_windows_are_what_the_script_says() {
    let truth = generate(size(2, 90, 1));
    let row: Value = serde_json::from_str(&truth.orders(&Scope::Own)[40]).unwrap();
    let (time, id) = (row["create_time"].as_str().unwrap(), row["order_id"].as_str().unwrap());
    let query = format!("create_time_begin={time}&create_time_end={time}&limit=100&order_id={id}");
    let total = |bounds| truth.list_orders(&Call { bounds, ..CALL }, &query).unwrap().total;
    assert_eq!(total(Bounds::Inclusive), 1);
    assert_eq!(total(Bounds::ExclusiveEnd), 0);
    assert_eq!(total(Bounds::ExclusiveBegin), 0);
}

#[test]
fn details_refunds_and_resources_know_who_may_ask() {
    let truth = generate(size(4, 300, 3));
    let order = |wanted: &dyn Fn(&sim::truth::Order) -> bool| {
        truth.orders.iter().find(|order| order.parent.is_none() && wanted(order)).unwrap()
    };
    let own = order(&|order| order.customer == 0 && order.kind == 1 && order.status == 5);
    let foreign = order(&|order| order.customer == 1);
    let refund = order(&|order| order.customer == 0 && order.kind == 4 && order.status == 5);
    assert!(truth.order_details(&CALL, &own.id.to_lowercase(), "").is_ok());
    assert!(is_invalid(&truth.order_details(&CALL, &foreign.id, "")));
    assert!(truth.order_details(&PARTNER_CALL, &foreign.id, "limit=1").is_ok());
    assert!(is_invalid(&truth.order_details(&CALL, "CS1", "")));
    let query = format!("order_id={}", own.id);
    assert!(matches!(truth.refund_orders(&CALL, &query), Err(Refused::NotARefund)));
    let query = format!("order_id={}", refund.id);
    assert!(truth.refund_orders(&CALL, &query).unwrap().total > 0);
    assert!(is_invalid(&truth.refund_orders(&PARTNER_CALL, &query)));
    let query = format!("{query}&customer_id={}", truth.owner());
    assert!(truth.refund_orders(&PARTNER_CALL, &query).unwrap().total > 0);
    assert!(is_invalid(&truth.refund_orders(&CALL, "order_id=CS1")));
    assert!(is_invalid(&truth.refund_orders(&CALL, "")));
    let resources = |call, body: &str| truth.list_resources(call, body.as_bytes());
    assert_eq!(resources(&PARTNER_CALL, "{\"limit\":500}").unwrap().total, 0);
    let body = format!("{{\"order_id\":\"{}\",\"limit\":500}}", own.id);
    assert_eq!(resources(&CALL, &body).unwrap().rows.len(), truth.links(&own.id).len());
    for wrong in ["{\"limit\":501}", "{\"x\":1}", "{\"status_list\":[1]}", "{\"service_type_code\":\"\"}", ""]
    {
        assert!(is_invalid(&resources(&CALL, wrong)), "{wrong}");
    }
    assert!(matches!(truth.list_sub_customers(&CALL, b"{}"), Err(Refused::Denied)));
    assert_eq!(truth.list_sub_customers(&PARTNER_CALL, b"{}").unwrap().total, 3);
    assert!(is_invalid(&truth.list_sub_customers(&PARTNER_CALL, b"{\"limit\":101}")));
    assert!(is_invalid(&truth.list_sub_customers(&PARTNER_CALL, b"{\"associated_on_begin\":\"\"}")));
    assert_eq!(truth.list_service_types(&CALL, "limit=1000").unwrap().rows.len(), 40);
    assert!(is_invalid(&truth.list_service_types(&CALL, "limit=1001")));
    let english = Call { language: "en_US", ..CALL };
    assert_eq!(truth.list_service_types(&english, "service_type_name=elastic&limit=100").unwrap().total, 4);
}

#[test]
fn lines_are_paged_and_the_order_is_repeated() {
    let truth = generate(size(7, 1_500, 1));
    let large = truth.orders.iter().find(|order| order.lines.len() > 100).unwrap();
    let first = truth.order_details(&CALL, &large.id, "limit=100").unwrap();
    let second = truth.order_details(&CALL, &large.id, "limit=100&offset=100").unwrap();
    assert_eq!(first.extra, second.extra);
    let lines: Vec<String> = first.rows.into_iter().chain(second.rows).collect();
    assert_eq!(lines, truth.details(&large.id).unwrap().1);
}

/// Folder of the contract's examples.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bss")
}

#[test]
fn an_offset_at_the_end_is_answered_with_no_rows_as_in_the_example() {
    let truth = Truth::from_parts(sim::Parts::of_examples(&examples()));
    let page = truth.list_orders(&CALL, "order_by=createTime&limit=4&offset=6").unwrap();
    let example: Value =
        serde_json::from_str(include_str!("../fixtures/bss/list-orders-empty.json")).unwrap();
    assert_eq!(page.rows.len(), example[page.rows_field].as_array().unwrap().len());
    assert_eq!(Value::from(page.total), example[page.total_field]);
}

#[test]
fn the_examples_of_the_contract_are_served_byte_for_byte() {
    let truth = Truth::from_parts(sim::Parts::of_examples(&examples()));
    assert_eq!(truth.order_ids(&Scope::Own).len(), 6);
    assert_eq!(truth.refunds("cs2602101515demo4").unwrap().len(), 6);
    assert_eq!(truth.links("CS2601050210DEMO1").len(), 2);
    assert!(truth.order_row("CS2602121600DEMO5").unwrap().contains("88.00000001"));
    let mut truth = truth;
    assert!(truth.set_status("CS2602030900DEMO3", 5, Some(1_770_110_000)));
    let row = truth.order_row("CS2602030900DEMO3").unwrap();
    assert!(row.contains("\"status\":5") && row.contains("\"payment_time\":\"2026-02-03"), "{row}");
    assert_eq!(truth.all.paid.len(), 6);
}

/// A request by hand, so that nothing between the test and the wire can be wrong.
fn ask(sim: &Sim, request: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", sim.port())).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    (read.is_ok() && !answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}

fn post_token(sim: &Sim) -> Option<String> {
    let user = sim::CUSTOMER_USER;
    let body = format!(
        "{{\"auth\":{{\"identity\":{{\"methods\":[\"password\"],\"password\":{{\"user\":{{\"name\":\"{}\",\
         \"password\":\"{}\",\"domain\":{{\"name\":\"{}\"}}}}}}}},\"scope\":{{\"domain\":{{\"name\":\"{}\"}}}}}}}}",
        user.name, user.password, user.domain, user.domain
    );
    let length = body.len();
    ask(
        sim,
        &format!(
            "POST /v3/auth/tokens HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

fn token(sim: &Sim) -> String {
    let answer = post_token(sim).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let line = answer.lines().find_map(|line| line.strip_prefix("x-subject-token: "));
    line.unwrap().to_owned()
}

fn get(sim: &Sim, token: &str, target: &str) -> Option<String> {
    ask(
        sim,
        &format!("GET {target} HTTP/1.1\r\nhost: x\r\nx-auth-token: {token}\r\nconnection: close\r\n\r\n"),
    )
}

const LIST: &str = "/v2/orders/customer-orders";

#[test]
fn tokens_open_the_door_until_they_are_revoked() {
    let sim = Sim::start(Script::seeded(1).orders(20));
    let mine = token(&sim);
    assert!(get(&sim, &mine, LIST).unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(&sim, "made-up", LIST).unwrap().contains("CBC.0154"));
    sim.push_fault(Endpoint::Orders, Fault::TokenExpired);
    assert!(get(&sim, &mine, LIST).unwrap().contains("CBC.0154"));
    assert!(get(&sim, &mine, LIST).unwrap().starts_with("HTTP/1.1 401"));
    let other = token(&sim);
    assert!(get(&sim, &other, LIST).unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(&sim, &other, "/v2/bases/service-types").unwrap().contains("APIGW.0101"));
    assert_eq!(sim.tokens_issued(), 2);
}

#[test]
fn an_unsigned_call_is_refused_by_the_gateway() {
    let sim = Sim::start(Script::seeded(1).orders(20));
    let answer = ask(&sim, &format!("GET {LIST} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("APIGW.0301") && answer.contains("verify aksk signature fail"), "{answer}");
    assert!(answer.contains("x-request-id: ") && answer.contains("date: "), "{answer}");
}

#[test]
fn faults_hit_one_call_each_in_the_order_pushed() {
    let sim = Sim::start(Script::seeded(1).orders(20));
    let token = token(&sim);
    sim.push_fault(Endpoint::Orders, Fault::HangUp);
    sim.push_fault(Endpoint::Orders, Fault::Throttle { retry_after: Some("3".into()) });
    sim.push_fault(None, Fault::HalfBody);
    sim.push_fault(Endpoint::Orders, Fault::Html502);
    sim.push_fault(Endpoint::Orders, Fault::MissingTotal);
    sim.push_fault(Endpoint::Orders, Fault::StringTotal);
    sim.push_fault(Endpoint::Orders, Fault::WrongTotal(7));
    sim.push_fault(Endpoint::Orders, Fault::EmptyPage);
    sim.push_fault(Endpoint::Orders, Fault::DailyQuota);
    sim.push_fault(Endpoint::Orders, Fault::status(500, "CBC.0999", "Other errors."));
    sim.push_fault(Endpoint::Orders, Fault::Redirect("http://127.0.0.1:1/".into()));
    let get = || get(&sim, &token, LIST);
    assert_eq!(get(), None);
    let throttled = get().unwrap();
    assert!(throttled.starts_with("HTTP/1.1 429") && throttled.contains("retry-after: 3"), "{throttled}");
    assert!(throttled.contains("limit:10,time:1 second"), "{throttled}");
    let half = get().unwrap();
    let (head, body) = half.split_once("\r\n\r\n").unwrap();
    let told = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(told.parse::<usize>().unwrap() / 2, body.len());
    assert!(get().unwrap().starts_with("HTTP/1.1 502"));
    assert!(!get().unwrap().contains("total_count"));
    assert!(get().unwrap().contains("\"total_count\":\"20\""));
    assert!(get().unwrap().contains("\"total_count\":7,"));
    assert!(get().unwrap().contains("\"order_infos\":[]"));
    assert!(get().unwrap().contains("limit:10000,time:1 day"));
    assert!(get().unwrap().contains("CBC.0999"));
    assert!(get().unwrap().contains("location: http://127.0.0.1:1/"));
    assert_eq!(sim.faults_waiting(), 0);
    assert!(get().unwrap().starts_with("HTTP/1.1 200"));
    let count = sim.count(Endpoint::Orders);
    assert_eq!((count.calls, count.refused), (12, 2));
}

#[test]
fn a_quota_refuses_what_is_too_much_and_names_its_numbers() {
    let sim = Sim::start(Script::seeded(1).orders(20).quotas(QuotaPlan::Fixed { calls: 2, seconds: 3_600 }));
    let token = token(&sim);
    let statuses: Vec<bool> =
        (0..4).map(|_| get(&sim, &token, LIST).unwrap().starts_with("HTTP/1.1 200")).collect();
    assert_eq!(statuses, [true, true, false, false]);
    assert!(get(&sim, &token, LIST).unwrap().contains("limit:2,time:60 minute"));
    let other = get(&sim, &token, "/v2/products/service-types").unwrap();
    assert!(other.starts_with("HTTP/1.1 200"), "quotas belong to endpoints");
}

#[test]
fn a_held_answer_waits_for_its_release() {
    let sim = Sim::start(Script::seeded(1).orders(20));
    let token = token(&sim);
    let hold = sim::Hold::new();
    sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| get(&sim, &token, LIST));
        assert!(hold.wait_for_request(std::time::Duration::from_mins(1)));
        assert_eq!(sim.count(Endpoint::Orders).calls, 0);
        hold.release();
        assert!(answer.join().unwrap().unwrap().starts_with("HTTP/1.1 200"));
    });
}

#[test]
fn data_can_change_between_two_pages() {
    let sim = Sim::start(Script::seeded(1).orders(20));
    let token = token(&sim);
    let first = sim.truth().order_ids(&Scope::Own)[0].clone();
    sim.push_fault(
        Endpoint::Orders,
        Fault::mutate(move |truth| {
            assert!(truth.remove_order(&first));
        }),
    );
    assert!(get(&sim, &token, LIST).unwrap().contains("\"total_count\":19,"));
}
