//! Answers reach the warehouse in any order: what an older one says must not undo what a newer one said.

mod commits;
mod kept;
mod versions;

use std::sync::Arc;

use super::super::page::{Committed, PageCommit, Trust, WalkProgress};
use crate::page::Page;
use crate::scope::{Ask, Role, Scope};
use crate::stream::{self, Stream};
use crate::time::{UtcSecond, Window};
use crate::walk::{Paging, Walk};
use crate::warehouse::{RunId, RunStart, Warehouse};

/// A warehouse, and run 1.
struct Store {
    warehouse: Warehouse,
    run: RunId,
    /// Where it is, unless that is nowhere.
    _folder: Option<tempfile::TempDir>,
}

fn at(time: &str) -> UtcSecond {
    UtcSecond::parse(time).expect("a time")
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let warehouse = Warehouse::open(&folder.path().join("warehouse.sqlite")).expect("a new warehouse");
        Self::of(warehouse, Some(folder))
    }

    fn in_memory() -> Self {
        Self::of(Warehouse::in_memory().expect("a new warehouse"), None)
    }

    fn of(mut warehouse: Warehouse, folder: Option<tempfile::TempDir>) -> Self {
        let start = RunStart {
            job: "test".to_owned(),
            account: "acme".to_owned(),
            stream: "orders",
            at: at("2026-03-01T00:00:00Z"),
        };
        let run = warehouse.start_run(&start).expect("a run");
        Self { warehouse, run, _folder: folder }
    }

    /// Stores a complete answer of one page about an order.
    fn store(&mut self, stream: &str, order: &str, body: &str, answered_at: &str) -> Committed {
        self.settle(stream, order, body, answered_at, None)
    }

    /// The same for an entry of the queue.
    fn settle(
        &mut self,
        stream: &str,
        order: &str,
        body: &str,
        answered_at: &str,
        generation: Option<i64>,
    ) -> Committed {
        let stream = stream::find(stream).expect("a stream");
        let ask = Ask { scope: Scope::Parent(order.to_owned()), customer_id: None };
        let page = stream.decode(body.as_bytes(), &ask).expect("an answer");
        assert_eq!(page.rejects, []);
        let answered_at = at(answered_at);
        let seen = page.rows.len() as u64;
        let walk = Walk {
            seen,
            expected: page.total,
            requests: 1,
            started_at: Some(answered_at.unix()),
            ..Walk::start(Paging::Unpaged, 1)
        };
        let progress = WalkProgress::Complete { walk, covered: None, proof: "test" };
        self.commit_of(stream, ask, page, answered_at, progress, generation)
    }

    fn commit(
        &mut self,
        stream: &'static dyn Stream,
        ask: Ask,
        page: Page,
        answered_at: UtcSecond,
        progress: WalkProgress,
    ) -> Committed {
        self.commit_of(stream, ask, page, answered_at, progress, None)
    }

    fn commit_of(
        &mut self,
        stream: &'static dyn Stream,
        ask: Ask,
        page: Page,
        answered_at: UtcSecond,
        progress: WalkProgress,
        generation: Option<i64>,
    ) -> Committed {
        let commit = PageCommit { page, progress, generation, ..page_of(self.run, stream, ask, answered_at) };
        self.warehouse.store_page(&commit).expect("a commit")
    }

    /// Stores the end of a walk of the days of February 2026 from `begin` to `end`, which took from one time of
    /// 1 March to another and proves the window complete, or nothing.
    fn end_walk(&mut self, [begin, end]: [u8; 2], [started_at, ended_at]: [&str; 2], verdict: &str) {
        let day = |day| at(&format!("2026-02-{day:02}T00:00:00Z"));
        let time = |time| at(&format!("2026-03-01T{time}:00Z"));
        let window = Window::new(day(begin), day(end)).expect("not empty");
        let walk = Walk {
            expected: Some(0),
            requests: 2,
            started_at: Some(time(started_at).unix()),
            ..Walk::start(Paging::Keyset(window), 1)
        };
        let progress = match verdict {
            "complete" => WalkProgress::Complete { walk, covered: Some(window), proof: "test" },
            _ => WalkProgress::Disputed { walk, reason: "test".to_owned() },
        };
        let stream = stream::find("orders").expect("a stream");
        let ask = Ask { scope: Scope::Created(window), customer_id: None };
        self.commit(stream, ask, Page::default(), time(ended_at), progress);
    }

    /// First day, last day and begin of each reading of a verdict.
    fn readings(&self, verdict: &str) -> Vec<String> {
        self.rows(&format!(
            "select substr(window_begin, 9, 2), substr(window_end, 9, 2), substr(started_at, 12, 5)
             from coverage where verdict = '{verdict}' order by window_begin, window_end"
        ))
    }

    /// The rows of a query of texts and integers, each joined by ` | `.
    fn rows(&self, sql: &str) -> Vec<String> {
        let mut statement = self.warehouse.connection.prepare(sql).expect("a query");
        let width = statement.column_count();
        let text = |row: &rusqlite::Row<'_>, column| {
            row.get_ref(column).map(|value| match value.data_type() {
                rusqlite::types::Type::Null => "null".to_owned(),
                rusqlite::types::Type::Integer => value.as_i64().expect("an integer").to_string(),
                _ => value.as_str().expect("a text").to_owned(),
            })
        };
        statement
            .query_map([], |row| {
                Ok((0..width).map(|at| text(row, at)).collect::<Result<Vec<_>, _>>()?.join(" | "))
            })
            .expect("rows")
            .collect::<rusqlite::Result<_>>()
            .expect("rows")
    }
}

/// An empty page of a run.
fn page_of(run: RunId, stream: &'static dyn Stream, ask: Ask, answered_at: UtcSecond) -> PageCommit {
    PageCommit {
        run,
        account: "acme".to_owned(),
        role: Role::Customer,
        stream,
        ask,
        answered_at,
        page: Page::default(),
        progress: WalkProgress::Slice,
        generation: None,
        trust: Trust::Unproven,
        out_of_reach: Arc::default(),
    }
}

/// The answer of the order list to a question for one order.
fn order(amount: &str, discounts: &[&str]) -> String {
    let discounts: Vec<String> = discounts
        .iter()
        .map(|amount| format!("{{\"discount_type\":\"605\",\"discount_amount\":{amount}}}"))
        .collect();
    format!(
        "{{\"total_count\":1,\"order_infos\":[{{\"order_id\":\"CS1\",\"customer_id\":\"c\",\"status\":5,\
         \"order_type\":1,\"amount_after_discount\":{amount},\"measure_id\":1,\
         \"create_time\":\"2026-02-01T00:00:00Z\",\"amount_info\":{{\"discounts\":[{}]}}}}]}}",
        discounts.join(",")
    )
}

/// Attributions of a refund order, by their ids.
fn attributions(ids: &[&str]) -> String {
    let rows: Vec<String> =
        ids.iter().map(|id| format!("{{\"id\":\"{id}\",\"amount\":-1,\"measure_id\":\"1\"}}")).collect();
    format!("{{\"total_count\":{},\"refund_infos\":[{}]}}", ids.len(), rows.join(","))
}

const ORDERS: &str = "select amount_after_discount_e8, last_seen_at, version from orders";
const DISCOUNTS: &str =
    "select position, discount_amount_e8, gone_since from order_discounts order by position";

const OLDER: &str = "2026-03-01T12:00:00Z";
const NEWER: &str = "2026-03-01T12:00:01Z";

#[test]
fn an_older_answer_changes_neither_an_order_nor_its_discounts() {
    let mut store = Store::new();
    store.store("orders", "CS1", &order("2", &["0.3"]), NEWER);
    let newer = [store.rows(ORDERS), store.rows(DISCOUNTS)];
    assert_eq!(newer, [vec![format!("200000000 | {NEWER} | 1")], vec!["0 | 30000000 | null".to_owned()]]);

    // Another amount, another discount, and one more.
    let late = store.store("orders", "CS1", &order("1", &["0.1", "0.2"]), OLDER);
    assert_eq!((late.tally.inserted, late.tally.changed, late.tally.enqueued), (0, 0, 0));
    assert_eq!([store.rows(ORDERS), store.rows(DISCOUNTS)], newer);
    // No discount at all: those of the newer answer are not gone.
    store.store("orders", "CS1", &order("1", &[]), OLDER);
    assert_eq!([store.rows(ORDERS), store.rows(DISCOUNTS)], newer);
    assert_eq!(store.rows("select * from orders_history"), [] as [&str; 0]);

    let next = store.store("orders", "CS1", &order("1", &["0.1", "0.2"]), "2026-03-01T12:00:02Z");
    assert_eq!((next.tally.inserted, next.tally.changed), (1, 2), "the next newer one does");
}

#[test]
fn an_older_answer_does_not_bring_back_a_discount_that_is_gone() {
    let mut store = Store::new();
    store.store("orders", "CS1", &order("2", &["0.3", "0.4"]), "2026-03-01T11:00:00Z");
    store.store("orders", "CS1", &order("2", &["0.3"]), NEWER);
    let newer = store.rows(DISCOUNTS);
    assert_eq!(newer, ["0 | 30000000 | null".to_owned(), format!("1 | 40000000 | {NEWER}")]);
    store.store("orders", "CS1", &order("2", &["0.3", "0.4"]), OLDER);
    assert_eq!(store.rows(DISCOUNTS), newer);
}

#[test]
fn an_older_answer_changes_nothing_of_what_belongs_to_an_order() {
    let state = "select id, gone_since from refund_attributions order by id";
    let mut store = Store::new();
    store.store("refund_attributions", "CS1", &attributions(&["1", "2"]), "2026-03-01T11:00:00Z");
    store.store("refund_attributions", "CS1", &attributions(&["1"]), NEWER);
    let newer = store.rows(state);
    assert_eq!(newer, ["1 | null".to_owned(), format!("2 | {NEWER}")]);
    for late in [attributions(&["1", "2"]), attributions(&["2"])] {
        store.store("refund_attributions", "CS1", &late, OLDER);
        assert_eq!(store.rows(state), newer, "{late}");
    }
    store.store("refund_attributions", "CS1", &attributions(&["1", "2"]), "2026-03-01T12:00:02Z");
    assert_eq!(store.rows(state), ["1 | null", "2 | null"]);
}

/// The clocks of the vendor's servers differ: an answer that was given later may say that it is older.
#[test]
fn an_answer_older_than_what_is_stored_settles_no_queue_entry() {
    const REFUND: &str = "{\"total_count\":1,\"order_infos\":[{\"order_id\":\"CS1\",\"status\":5,\"order_type\":4,\
                          \"measure_id\":1,\"contract_id\":\"C\",\"create_time\":\"2026-02-01T00:00:00Z\"}]}";
    let queued = "select generation, not_before from queue where stream = 'refund_attributions'";
    let verdict = "select verdict from coverage where stream = 'refund_attributions'";
    let mut store = Store::new();
    store.store("orders", "CS1", REFUND, "2026-03-01T11:00:00Z");
    assert_eq!(store.rows(queued), ["1 | "]);
    store.settle("refund_attributions", "CS1", &attributions(&["1"]), NEWER, Some(1));
    assert_eq!(store.rows(queued), [] as [&str; 0]);

    store.store("orders", "CS1", &REFUND.replace("\"C\"", "\"D\""), NEWER);
    let late = store.settle("refund_attributions", "CS1", &attributions(&["1", "2"]), OLDER, Some(1));
    assert!(late.doubt.is_some_and(|doubt| doubt.contains("older than what is stored")));
    assert_eq!(
        (store.rows(queued), store.rows(verdict)),
        (vec!["1 | ".to_owned()], vec!["disputed".to_owned()])
    );

    store.settle("refund_attributions", "CS1", &attributions(&["1", "2"]), NEWER, Some(1));
    // Attributions of a refund that changed are read once more a day later.
    assert_eq!(store.rows(queued), ["1 | 2026-03-02T12:00:01Z"]);
    assert_eq!(store.rows(verdict), ["complete"]);
}

#[test]
fn a_dispute_is_settled_by_readings_that_began_since_then() {
    let mut store = Store::new();
    store.end_walk([10, 12], ["12:00", "12:05"], "disputed");
    // Resumed: it began before the dispute.
    store.end_walk([1, 20], ["11:00", "13:00"], "complete");
    assert_eq!(store.readings("disputed"), ["10 | 12 | 12:00"]);
    store.end_walk([10, 11], ["12:00", "12:10"], "complete");
    assert_eq!(store.readings("disputed"), ["10 | 12 | 12:00"]);
    store.end_walk([11, 12], ["14:00", "14:01"], "complete");
    assert_eq!(store.readings("disputed"), [] as [&str; 0]);
}

#[test]
fn a_reading_replaces_those_it_contains_that_began_no_later() {
    for verdict in ["complete", "disputed"] {
        let mut store = Store::new();
        store.end_walk([10, 11], ["12:00", "12:05"], verdict);
        store.end_walk([14, 15], ["11:00", "11:05"], verdict);
        store.end_walk([1, 20], ["11:00", "13:00"], verdict);
        assert_eq!(store.readings(verdict), ["01 | 20 | 11:00", "10 | 11 | 12:00"]);
        store.end_walk([1, 20], ["14:00", "14:05"], verdict);
        assert_eq!(store.readings(verdict), ["01 | 20 | 14:00"]);
    }
}

#[test]
fn a_reading_of_the_same_window_that_began_earlier_changes_nothing() {
    for [kept, other] in [["disputed", "complete"], ["complete", "disputed"], ["complete", "complete"]] {
        let mut store = Store::new();
        store.end_walk([10, 12], ["12:00", "12:05"], kept);
        store.end_walk([10, 12], ["11:00", "13:00"], other);
        assert_eq!(store.readings(kept), ["10 | 12 | 12:00"], "{other}");
        store.end_walk([10, 12], ["12:00", "13:00"], other);
        assert_eq!(store.readings(other), ["10 | 12 | 12:00"]);
    }
}

#[test]
fn a_number_that_sqlite_cannot_count_is_a_dispute_and_no_failure() {
    let mut store = Store::new();
    let stream = stream::find("service_types").expect("a stream");
    let walk = Walk { expected: Some(u64::MAX), requests: 1, ..Walk::start(Paging::Offset, 3) };
    let ask = Ask { scope: Scope::Whole, customer_id: None };
    let progress = WalkProgress::Disputed { walk, reason: "test".to_owned() };
    store.commit(stream, ask, Page::default(), at("2026-03-01T09:00:00Z"), progress);
    let covered = store.rows("select verdict, expected from coverage");
    assert_eq!(covered, [format!("disputed | {}", i64::MAX)]);
}
