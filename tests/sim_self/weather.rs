//! Weather and upsets: what they do, that they do it again for the same seed, and that the money stays right.

use std::collections::{BTreeMap, HashSet};

use super::{LIST, check_orders, examples, get, size, token};
use sim::clock::{self, DAY};
use sim::generate::generate;
use sim::truth::at;
use sim::{
    ANCHOR, Change, ChangeKind, Endpoint, Fault, FaultKind, QuotaPlan, Scope, Script, Sim, Truth, Weather,
};

/// Everything that is served, by id.
fn rows(truth: &Truth) -> BTreeMap<String, String> {
    let orders = truth.all.created.iter().map(|&number| {
        let id = truth.orders[at(number)].id.to_string();
        let (info, lines) = truth.details(&id).unwrap();
        let refunds = truth.refunds(&id);
        (id.clone(), format!("{} {info} {lines:?} {refunds:?}", truth.order_row(&id).unwrap()))
    });
    let resources = (0_u32..).zip(&truth.resources).filter(|(_, row)| !row.is_gone());
    let resources = resources.map(|(number, row)| (row.id.to_string(), truth.resource_json(number)));
    orders.chain(resources).collect()
}

fn named(changes: &[Change], kinds: &[ChangeKind]) -> HashSet<String> {
    changes.iter().filter(|change| kinds.contains(&change.kind)).map(|change| change.id.clone()).collect()
}

/// Resources after upsets: some were given by contract, some got days as a compensation.
fn check_resources(truth: &Truth, now: i64) {
    let living = truth.resources.iter().filter(|row| !row.is_gone() && row.status != 3);
    for row in living {
        let expire = |&(order, line): &(u32, u16)| truth.orders[at(order)].lines[usize::from(line)].expire;
        let last = row.covers.iter().map(expire).max();
        assert!(
            last.is_none_or(|last| last <= row.expire && (row.expire - last) % DAY == 0),
            "{} RC20",
            row.id
        );
        assert_eq!(row.expire > now, row.status == 2, "{} expires {}", row.id, clock::text(row.expire));
        for &(order, _) in &row.covers {
            let order = &truth.orders[at(order)];
            assert!(
                !order.gone && truth.links(&order.id).iter().any(|id| **id == *row.id),
                "{} RC18",
                row.id
            );
        }
        if let Some(parent) = row.parent {
            assert!(!truth.resources[at(parent)].is_gone(), "{} hangs on nothing", row.id);
        }
    }
}

#[test]
fn upsets_keep_the_money_right_and_name_everything_they_changed() {
    let mut kinds = BTreeMap::<ChangeKind, usize>::new();
    for seed in 0..20_u64 {
        let orders = usize::try_from(5 + 2 * seed).unwrap();
        let mut truth = generate(size(seed, orders, 1 + orders % 3));
        let mut before = rows(&truth);
        for step in 0..30 {
            let changes = truth.upset(seed << 8 | step, ANCHOR, ChangeKind::ALL);
            let after = rows(&truth);
            check_orders(&truth, ANCHOR);
            check_resources(&truth, ANCHOR);
            assert!(!changes.is_empty());
            let came: HashSet<String> =
                after.keys().filter(|id| !before.contains_key(*id)).cloned().collect();
            let left: HashSet<String> =
                before.keys().filter(|id| !after.contains_key(*id)).cloned().collect();
            let differ = after.iter().filter(|(id, row)| before.get(*id).is_some_and(|old| old != *row));
            let differ: HashSet<String> = differ.map(|(id, _)| id.clone()).collect();
            let new = [ChangeKind::NewOrder, ChangeKind::LateOrder, ChangeKind::ResourceCame];
            let gone = [ChangeKind::OrderLeft, ChangeKind::ResourceLeft];
            let moved = [
                ChangeKind::OpenOrderMoved,
                ChangeKind::FinalOrderChanged,
                ChangeKind::OldOrderPaid,
                ChangeKind::ResourceChanged,
            ];
            assert_eq!(named(&changes, &new), &came | &(&named(&changes, &new) & &left), "{changes:?}");
            assert_eq!(named(&changes, &gone), left, "{changes:?}");
            let moved = named(&changes, &moved);
            assert!(differ.is_subset(&moved), "{changes:?}");
            assert!(moved.iter().all(|id| differ.contains(id) || came.contains(id)), "{changes:?}");
            for change in changes {
                assert_eq!(change.at, ANCHOR);
                *kinds.entry(change.kind).or_default() += 1;
            }
            before = after;
        }
        let mut rebuilt = truth.clone();
        rebuilt.reindex();
        assert_eq!(rebuilt.all.created, truth.all.created);
        assert_eq!(rebuilt.all.paid, truth.all.paid);
    }
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), ChangeKind::ALL);
}

#[test]
fn the_same_seed_upsets_in_the_same_way() {
    let upset = |seed: u64| {
        let mut truth = generate(size(9, 30, 2));
        let changes: Vec<Change> =
            (0_u64..30).flat_map(|step| truth.upset(seed << 8 | step, ANCHOR, ChangeKind::ALL)).collect();
        (changes, rows(&truth))
    };
    assert_eq!(upset(1), upset(1));
    assert_ne!(upset(1).0, upset(2).0);
}

#[test]
fn an_upset_of_one_kind_is_of_that_kind() {
    for (seed, &kind) in (0_u64..).zip(ChangeKind::ALL) {
        for round in 0..10 {
            let mut truth = generate(size(round, 60, 1));
            let before = rows(&truth);
            let changes = truth.upset(seed, ANCHOR, &[kind]);
            assert!(changes.iter().any(|change| change.kind == kind), "{kind:?} in {changes:?}");
            for change in changes.iter().filter(|change| change.kind == kind) {
                let order = truth.order(&change.id).map(|number| &truth.orders[at(number)]);
                match (kind, order) {
                    (ChangeKind::NewOrder, Some(order)) => {
                        assert!((1..=120).contains(&(ANCHOR - order.created)), "{}", order.id);
                    }
                    (ChangeKind::LateOrder, Some(order)) => {
                        assert!((DAY..=30 * DAY).contains(&(ANCHOR - order.created)), "{}", order.id);
                    }
                    (ChangeKind::OldOrderPaid, Some(order)) => {
                        assert!(order.created <= ANCHOR - DAY && order.status == 5, "{}", order.id);
                        assert!(order.paid.is_some_and(|paid| paid >= ANCHOR - 60), "{}", order.id);
                    }
                    (ChangeKind::OpenOrderMoved, Some(_)) => {
                        let old: serde_json::Value = serde_json::Deserializer::from_str(&before[&change.id])
                            .into_iter()
                            .next()
                            .unwrap()
                            .unwrap();
                        assert!(!matches!(old["status"].as_i64(), Some(4 | 5)), "{old}");
                    }
                    (ChangeKind::OrderLeft | ChangeKind::ResourceLeft, found) => assert!(found.is_none()),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn hand_written_rows_can_be_upset_and_stay_readable() {
    for seed in 0..60 {
        let mut truth = Truth::from_parts(sim::Parts::of_examples(&examples()));
        for step in 0..20 {
            truth.upset(seed << 8 | step, ANCHOR, ChangeKind::ALL);
        }
        let served = truth.orders(&Scope::Own).into_iter().chain(truth.resources(&Scope::Own));
        for row in served {
            assert!(serde_json::from_str::<serde_json::Value>(&row).is_ok(), "{row}");
        }
    }
}

/// The fixed second keeps dates and ids the same in every run.
fn still(seed: u64, orders: usize) -> Script {
    Script::seeded(seed).orders(orders).standing_at(ANCHOR)
}

/// A page of the orders in the order of creation.
fn page(limit: usize, offset: usize) -> String {
    format!("{LIST}?order_by=createTime&limit={limit}&offset={offset}")
}

fn body(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn count(answer: &str) -> usize {
    body(answer)["order_infos"].as_array().unwrap().len()
}

/// A simulator where every call meets one kind of fault.
fn weather_of(kinds: &'static [FaultKind]) -> (Sim, String) {
    let sim = Sim::start(still(2, 30));
    let token = token(&sim);
    sim.set_weather(Some(Weather { kinds, ..Weather::of(5, 100, 0) }));
    (sim, token)
}

#[test]
fn an_ignored_limit_gives_so_many_rows_from_the_offset() {
    let sim = Sim::start(still(2, 30));
    let token = token(&sim);
    let whole = body(&get(&sim, &token, &page(100, 0)).unwrap());
    for (limit, offset, served, expected) in
        [(5, 0, 12, 12), (100, 8, 10, 10), (3, 25, 10, 5), (5, 40, 10, 0)]
    {
        sim.push_fault(Endpoint::Orders, Fault::IgnoreLimit(served));
        let answer = body(&get(&sim, &token, &page(limit, offset)).unwrap());
        let rows = whole["order_infos"].as_array().unwrap();
        let from = offset.min(rows.len());
        assert_eq!(answer["order_infos"].as_array().unwrap()[..], rows[from..from + expected]);
        assert_eq!(answer["total_count"], 30);
    }
    sim.push_fault(Endpoint::Orders, Fault::IgnoreLimit(10));
    let refused = get(&sim, &token, &page(101, 0)).unwrap();
    assert!(refused.contains("CBC.0100"), "{refused}");
}

#[test]
fn totals_can_be_those_of_the_page_or_off_by_one() {
    let sim = Sim::start(still(2, 30));
    let token = token(&sim);
    let total = |fault, limit, offset| {
        sim.push_fault(Endpoint::Orders, fault);
        body(&get(&sim, &token, &page(limit, offset)).unwrap())["total_count"].as_i64().unwrap()
    };
    assert_eq!(total(Fault::HonestTotalOfPage, 20, 0), 20);
    assert_eq!(total(Fault::HonestTotalOfPage, 20, 20), 10);
    assert_eq!(total(Fault::TotalOff(1), 20, 0), 31);
    assert_eq!(total(Fault::TotalOff(-1), 20, 0), 29);
    assert_eq!(total(Fault::TotalOff(-40), 20, 0), 0);
}

#[test]
fn a_repeated_earlier_page_is_one_of_the_same_list() {
    let sim = Sim::start(still(2, 30));
    let token = token(&sim);
    let first = body(&get(&sim, &token, &page(10, 0)).unwrap());
    sim.push_fault(Endpoint::Orders, Fault::RepeatEarlier);
    let second = body(&get(&sim, &token, &page(10, 10)).unwrap());
    assert_eq!(first["order_infos"], second["order_infos"]);
    sim.push_fault(Endpoint::Orders, Fault::RepeatEarlier);
    let other = body(&get(&sim, &token, &format!("{}&status=5", page(10, 0))).unwrap());
    assert!(other["order_infos"].as_array().unwrap().iter().all(|row| row["status"] == 5));
}

#[test]
fn weather_of_one_kind_bends_every_answer_that_way() {
    let (sim, token) = weather_of(&[FaultKind::ShortPage]);
    assert_eq!(count(&get(&sim, &token, &page(10, 0)).unwrap()), 5);
    let (sim, token) = weather_of(&[FaultKind::EmptyPage]);
    assert_eq!(count(&get(&sim, &token, &page(10, 0)).unwrap()), 0);
    let (sim, token) = weather_of(&[FaultKind::HonestTotalOfPage]);
    assert_eq!(body(&get(&sim, &token, &page(10, 0)).unwrap())["total_count"], 10);
    let (sim, token) = weather_of(&[FaultKind::MissingTotal]);
    assert!(body(&get(&sim, &token, &page(10, 0)).unwrap()).get("total_count").is_none());
    let (sim, token) = weather_of(&[FaultKind::StringTotal]);
    assert_eq!(body(&get(&sim, &token, &page(10, 0)).unwrap())["total_count"], "30");
    let many = |kind: &'static [FaultKind], read: &dyn Fn(&str) -> usize| -> HashSet<usize> {
        let (sim, token) = weather_of(kind);
        (0..20).map(|_| read(&get(&sim, &token, &page(7, 0)).unwrap())).collect()
    };
    assert_eq!(many(&[FaultKind::IgnoreLimit], &count), HashSet::from([10, 14]));
    let total = |answer: &str| usize::try_from(body(answer)["total_count"].as_u64().unwrap()).unwrap();
    assert_eq!(many(&[FaultKind::WrongTotal], &total), HashSet::from([29, 31]));
    let (sim, token) = weather_of(&[FaultKind::ErrorIn200]);
    assert!(get(&sim, &token, LIST).unwrap().contains("CBC.0999"));
    let (sim, token) = weather_of(&[FaultKind::Html200]);
    assert!(get(&sim, &token, LIST).unwrap().contains("<html>"));
    let (sim, token) = weather_of(&[FaultKind::Html502]);
    assert!(get(&sim, &token, LIST).unwrap().starts_with("HTTP/1.1 502"));
    let (sim, token) = weather_of(&[FaultKind::Status500]);
    assert!(get(&sim, &token, LIST).unwrap().starts_with("HTTP/1.1 500"));
    let (sim, token) = weather_of(&[FaultKind::HangUp]);
    assert_eq!(get(&sim, &token, LIST), None);
    let (sim, token) = weather_of(&[FaultKind::HalfBody]);
    let half = get(&sim, &token, LIST).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(half.split_once("\r\n\r\n").unwrap().1).is_err());
}

#[test]
fn the_same_weather_gives_the_same_answers_and_changes() {
    let live = |seed| {
        let sim = Sim::start(still(4, 25));
        let token = token(&sim);
        sim.set_weather(Some(Weather::of(seed, 40, 40)));
        let answers: Vec<Option<String>> =
            (0..50).map(|call| get(&sim, &token, &page(10, call % 3 * 10))).collect();
        (answers, sim.changes(), sim.weather_met(), rows(&sim.truth()))
    };
    let (answers, changes, met, rows) = live(1);
    assert!(changes.len() > 5 && met.values().sum::<u64>() > 5, "{changes:?} {met:?}");
    assert_eq!((answers, changes, met, rows), live(1));
    assert_ne!(live(1).1, live(2).1);
}

#[test]
fn weather_meets_no_token_and_leaves_scripted_faults_alone() {
    let sim = Sim::start(still(4, 25));
    sim.set_weather(Some(Weather { kinds: &[FaultKind::Html502], ..Weather::of(3, 100, 0) }));
    let token = token(&sim);
    assert!(sim.weather_met().is_empty());
    sim.push_fault(Endpoint::Orders, Fault::EmptyPage);
    assert_eq!(count(&get(&sim, &token, LIST).unwrap()), 0);
    assert!(sim.weather_met().is_empty());
    assert!(get(&sim, &token, "/v2/products/service-types").unwrap().starts_with("HTTP/1.1 502"));
    assert_eq!(sim.weather_met(), BTreeMap::from([(FaultKind::Html502, 1)]));
    sim.set_weather(None);
    assert!(get(&sim, &token, LIST).unwrap().starts_with("HTTP/1.1 200"));
    assert!(sim.weather_met().is_empty() && sim.changes().is_empty());
}

#[test]
fn weather_keeps_to_the_kinds_it_is_given() {
    let quick: HashSet<&FaultKind> = FaultKind::QUICK.iter().collect();
    let slow: HashSet<&FaultKind> = FaultKind::SLOW.iter().collect();
    assert!(quick.is_disjoint(&slow));
    assert_eq!(quick.len() + slow.len(), FaultKind::ALL.len());
    let sim = Sim::start(still(4, 25));
    let token = token(&sim);
    sim.set_weather(Some(Weather {
        change_kinds: &[ChangeKind::ResourceChanged],
        ..Weather::of(3, 100, 100).quick()
    }));
    for _ in 0..60 {
        assert!(get(&sim, &token, &page(10, 10)).unwrap().starts_with("HTTP/1.1 200"));
    }
    assert_eq!(sim.weather_met().keys().collect::<HashSet<_>>(), quick);
    assert!(sim.changes().iter().all(|change| change.kind == ChangeKind::ResourceChanged));
    assert!(sim.changes().len() >= 60);
}

#[test]
fn upsets_between_runs_are_logged_and_can_be_forgotten() {
    let sim = Sim::start(still(4, 25));
    sim.upset(8, 12);
    assert!(sim.changes().len() >= 12);
    sim.forget_changes();
    assert!(sim.changes().is_empty());
    sim.set_now(ANCHOR + DAY);
    sim.upset_only(9, 1, &[ChangeKind::ResourceCame]);
    let changes = sim.changes();
    assert!(
        changes.iter().all(|change| (change.kind, change.at) == (ChangeKind::ResourceCame, ANCHOR + DAY))
    );
    let listed = sim.truth().resources(&Scope::Own);
    assert!(listed.iter().any(|row| row.contains(&changes[0].id)));
}

#[test]
fn a_restarted_simulator_is_a_new_vendor_on_the_same_port() {
    let sim = Sim::start(still(1, 30));
    let (url, old) = (sim.url(), token(&sim));
    sim.set_weather(Some(Weather::of(1, 100, 100)));
    let _ = get(&sim, &old, LIST);
    sim.push_fault(Endpoint::Orders, Fault::HangUp);
    sim.set_denied(&[Endpoint::Orders]);
    sim.restart(still(2, 12).quotas(QuotaPlan::Fixed { calls: 1, seconds: 3_600 }));
    assert_eq!(sim.url(), url);
    assert_eq!(rows(&sim.truth()), rows(&generate(size(2, 12, 1))));
    assert_eq!((sim.faults_waiting(), sim.tokens_issued()), (0, 0));
    assert!(sim.stats().is_empty() && sim.requests().is_empty() && sim.changes().is_empty());
    assert!(get(&sim, &old, LIST).unwrap().contains("CBC.0154"));
    let new = token(&sim);
    assert_eq!(body(&get(&sim, &new, LIST).unwrap())["total_count"], 12);
    assert!(get(&sim, &new, LIST).unwrap().starts_with("HTTP/1.1 429"));
}

#[test]
fn a_replaced_truth_is_served_to_the_same_callers() {
    let sim = Sim::start(still(1, 30));
    let token = token(&sim);
    sim.set_weather(Some(Weather { kinds: &[FaultKind::HangUp], ..Weather::of(1, 100, 0) }));
    assert_eq!(get(&sim, &token, LIST), None);
    sim.replace(generate(size(2, 12, 1)));
    assert!(sim.requests().is_empty());
    assert_eq!(body(&get(&sim, &token, LIST).unwrap())["total_count"], 12);
}
