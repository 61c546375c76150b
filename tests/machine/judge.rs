//! Holds a warehouse against the vendor's truth.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::Connection;

use crate::worker::CATALOGUES;
use sim::truth::at;
use sim::{Change, ChangeKind, Scope, Sim, clock};
use support::As;
use support::truth::{Cell, Row, Tables, differences, expected, stored};

/// Ends the key of a row that is marked as gone (`support::truth::stored`).
const GONE: &str = " (gone)";

/// Tables whose rows belong to one order.
const OF_ORDERS: &[&str] = &[
    "orders",
    "order_discounts",
    "order_enterprise_projects",
    "order_details",
    "order_detail_discounts",
    "order_lines",
    "order_line_discounts",
    "refund_attributions",
];

/// Rows younger than this, in seconds, may still be on their way (`settle` of the built-in job).
const SETTLE: i64 = 60;

pub struct Judge<'a> {
    pub db: &'a Connection,
    pub sim: &'a Sim,
    pub who: As,
    pub changes: Vec<Change>,
}

impl Judge<'_> {
    fn scope(&self) -> Scope {
        if self.who == As::Partner { Scope::Partner } else { Scope::Own }
    }

    /// The last time each order or resource changed.
    fn changed(&self, kinds: impl Fn(ChangeKind) -> bool) -> HashMap<&str, i64> {
        let chosen = self.changes.iter().filter(|change| kinds(change.kind));
        chosen.map(|change| (change.id.as_str(), change.at)).collect()
    }

    fn texts<const N: usize>(&self, sql: &str) -> Vec<[String; N]> {
        let mut query = self.db.prepare_cached(sql).expect(sql);
        let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<[String; N]> {
            let mut texts = [const { String::new() }; N];
            for (place, text) in texts.iter_mut().enumerate() {
                *text = row.get::<_, Option<String>>(place)?.unwrap_or_default();
            }
            Ok(texts)
        };
        query.query_map([], read).expect(sql).map(|row| row.expect(sql)).collect()
    }

    /// Whether a walk was walked again, or came to nothing.
    pub fn walked_again(&self) -> bool {
        let sql = "select 1 from coverage where attempts > 1 or verdict = 'disputed'";
        self.db.prepare_cached(sql).and_then(|mut query| query.exists([])).expect(sql)
    }

    /// Entries of the queue that failed before and wait for another try.
    pub fn failing(&self) -> u64 {
        self.texts::<1>("select parent_id from queue where attempts > 0").len() as u64
    }

    /// What the ledger calls complete has every row that was there when the reading began and still is.
    pub fn ledger(&self) -> Vec<String> {
        use ChangeKind::{LateOrder, NewOrder, ResourceCame};
        let truth = self.sim.truth();
        let scope = self.scope();
        let came = self.changed(|kind| matches!(kind, NewOrder | LateOrder | ResourceCame));
        let changed = self.changed(|_| true);
        let was_there = |id: &str, started: i64| came.get(id).is_none_or(|at| *at < started);
        let as_it_was = |id: &str, started: i64| changed.get(id).is_none_or(|at| *at < started);
        let parse = |text: &str| clock::parse(text).unwrap_or_else(|| panic!("a time: {text}"));
        let mut wrong = Vec::new();

        let held: HashMap<String, [String; 2]> = self
            .texts("select order_id, gone_since, payment_time from orders where parent_order_id is null")
            .into_iter()
            .map(|[id, gone, paid]| (id, [gone, paid]))
            .collect();
        let listed = &truth.index(&scope).expect("a scope").created;
        for [lane, begin, end, started] in self.texts::<4>(
            "select lane, window_begin, window_end, started_at from coverage
             where stream = 'orders' and verdict = 'complete' and lane is not null",
        ) {
            let (from, to, started) = (parse(&begin), parse(&end), parse(&started));
            if to > started - SETTLE {
                wrong.push(format!(
                    "{lane} {begin}/{end} is complete although its last rows were still on their way"
                ));
            }
            for order in listed.iter().map(|&number| &truth.orders[at(number)]) {
                let time = if lane == "created" { Some(order.created) } else { order.paid };
                let Some(time) = time.filter(|time| from <= *time && *time < to) else { continue };
                let concerned = match lane.as_str() {
                    "created" => was_there(&order.id, started),
                    _ => as_it_was(&order.id, started),
                };
                let is_right = held.get(&*order.id).is_some_and(|[gone, paid]| {
                    gone.is_empty() && (lane == "created" || *paid == clock::text(time))
                });
                if concerned && !is_right {
                    let row = held.get(&*order.id);
                    wrong.push(format!(
                        "{lane} {begin}/{end} read at {} is complete without {} of {}: {row:?}",
                        clock::text(started),
                        order.id,
                        clock::text(time)
                    ));
                }
            }
        }

        for (stream, table, column) in [
            ("order_lines", "order_lines", "requested_order_id"),
            ("refund_attributions", "refund_attributions", "refund_order_id"),
        ] {
            let counts: HashMap<String, usize> = self
                .texts(&format!(
                    "select {column}, cast(count(*) as text) from {table} where gone_since is null group by 1"
                ))
                .into_iter()
                .map(|[id, count]| (id, count.parse().expect("a number")))
                .collect();
            for [id, started] in self.texts::<2>(&format!(
                "select parent_id, started_at from coverage where stream = '{stream}' and verdict = 'complete'"
            )) {
                let Some(number) = truth.order(&id) else { continue };
                let top = truth.orders[at(number)].parent.unwrap_or(number);
                if !as_it_was(&truth.orders[at(top)].id, parse(&started)) {
                    continue;
                }
                let served = match stream {
                    "order_lines" => truth.line_count(number),
                    _ => truth.refunds(&id).map_or(0, |rows| rows.len()),
                };
                let count = counts.get(&id).copied().unwrap_or_default();
                if count != served {
                    wrong.push(format!("{stream} of {id}, read at {started}: {count} rows, {served} served"));
                }
            }
        }

        let held: HashSet<String> = self
            .texts("select resource_id from resources where gone_since is null")
            .into_iter()
            .map(|[id]| id)
            .collect();
        for [customer, started] in self.texts::<2>(
            "select customer_id, started_at from coverage
             where stream = 'resources' and scope = 'whole' and verdict = 'complete'",
        ) {
            let started = parse(&started);
            let owner = if customer.is_empty() { Some(0) } else { truth.customer(&customer) };
            let Some(owner) = owner else { continue };
            let its = truth.resources.iter().filter(|row| row.customer == owner);
            for row in its.filter(|row| was_there(&row.id, started) && !held.contains(&*row.id)) {
                wrong.push(format!("resources of {customer}: complete without {}", row.id));
            }
        }
        wrong
    }

    /// After a plain run: all orders are as the vendor has them, with their details, lines and attributions, but those
    /// whose change only a sweep can find.
    pub fn after_plain(&self, wanted: &Tables, our_time: i64) -> Vec<String> {
        use ChangeKind::{FinalOrderChanged, LateOrder, OrderLeft};
        let late = self.changed(|kind| matches!(kind, LateOrder | FinalOrderChanged | OrderLeft));
        let got = stored(self.db);
        let tops = top_orders(wanted, &got);
        let owners = lines_to_orders(wanted, &got);
        let ours = clock::text(our_time - 60);
        let is_young = |row: &Row| matches!(&row["create_time"], Cell::Text(time) if *time >= ours);
        let young: HashSet<&String> =
            wanted["orders"].iter().filter(|(_, row)| is_young(row)).map(|(id, _)| id).collect();
        let concerned = |table: &str, key: &str, row: &Row| {
            let order = match table {
                "order_lines" => text(&row["requested_order_id"]),
                "order_line_discounts" => {
                    let line = key.split('/').next().unwrap_or_default();
                    owners.get(line).cloned().unwrap_or_default()
                }
                _ => key.split('/').next().unwrap_or_default().to_owned(),
            };
            let top = tops.get(&order).cloned().unwrap_or(order);
            !late.contains_key(top.as_str()) && !young.contains(&top)
        };
        let keep = |tables: &Tables| -> Tables {
            let kept = |(table, rows): (&&'static str, &BTreeMap<String, Row>)| {
                let rows = rows.iter().filter(|(key, row)| {
                    OF_ORDERS.contains(table) && !key.ends_with(GONE) && concerned(table, key, row)
                });
                (*table, rows.map(|(key, row)| (key.clone(), row.clone())).collect())
            };
            tables.iter().map(kept).collect()
        };
        differences(&keep(wanted), &keep(&got))
    }

    /// After full runs: everything is as the vendor has it, and what left is marked as gone.
    pub fn after_full(&self, wanted: &Tables) -> Vec<String> {
        let mut got = stored(self.db);
        let tops = top_orders(wanted, &got);
        let owners = lines_to_orders(wanted, &got);
        let listed = |order: &str| {
            let top = tops.get(order).map_or(order, String::as_str);
            wanted["orders"].contains_key(top)
        };
        let shown = |resource: &str| wanted["resources"].contains_key(resource);
        let is_completed =
            |order: &str| wanted["orders"].get(order).is_some_and(|row| row["status"] == Cell::Number(5));
        for (table, rows) in &mut got {
            rows.retain(|key, row| {
                if key.ends_with(GONE) {
                    return false;
                }
                let first = key.split('/').next().unwrap_or_default();
                match *table {
                    // What belongs to an order that left stays as it was.
                    "order_lines" => listed(&text(&row["requested_order_id"])),
                    "order_line_discounts" => owners.get(first).is_none_or(|order| listed(order)),
                    // Nobody asks again for the resources of an order that was cancelled after it was completed.
                    "order_resources" => is_completed(first) && shown(&text(&row["resource_id"])),
                    "order_discounts"
                    | "order_enterprise_projects"
                    | "order_details"
                    | "order_detail_discounts"
                    | "refund_attributions" => listed(first),
                    _ => true,
                }
            });
        }
        differences(wanted, &got)
    }

    /// What the vendor has.
    pub fn expected(&self, has_catalogues: bool) -> Tables {
        let mut wanted = expected(&self.sim.truth(), self.who);
        if !has_catalogues {
            for table in CATALOGUES {
                wanted.entry(table).or_default().clear();
            }
        }
        wanted
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Null => String::new(),
        Cell::Number(number) => number.to_string(),
    }
}

/// From members of combined trades to the trade.
fn top_orders(wanted: &Tables, got: &Tables) -> HashMap<String, String> {
    let rows = wanted["orders"].values().chain(got["orders"].values());
    rows.filter(|row| row["parent_order_id"] != Cell::Null)
        .map(|row| (text(&row["order_id"]), text(&row["parent_order_id"])))
        .collect()
}

/// From lines to the order they were asked for with.
fn lines_to_orders(wanted: &Tables, got: &Tables) -> HashMap<String, String> {
    let rows = wanted["order_lines"].values().chain(got["order_lines"].values());
    rows.map(|row| (text(&row["order_line_item_id"]), text(&row["requested_order_id"]))).collect()
}
