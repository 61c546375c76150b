//! What was acknowledged and then not committed: nobody may take it for stored.

use super::{Store, at, order, page_of};
use crate::page::Page;
use crate::record::Dependent;
use crate::scope::{Ask, Scope};
use crate::stream;
use crate::warehouse::PageCommit;
use crate::warehouse::{
    Absence, FAILED, Requeue, RunEnd, RunId, RunStart, Trust, Warehouse, WarehouseError, Writer,
};

const DONE: &str = "done";

fn page(run: RunId, id: &str) -> PageCommit {
    let stream = stream::find("orders").expect("a stream");
    let ask = Ask { scope: Scope::Parent(id.to_owned()), customer_id: None };
    let body = order("1", &[]).replace("CS1", id);
    let page: Page = stream.decode(body.as_bytes(), &ask).expect("an answer");
    PageCommit { page, ..page_of(run, stream, ask, at("2026-03-01T12:00:00Z")) }
}

fn end(outcome: &'static str) -> RunEnd {
    let at = at("2026-03-01T13:00:00Z");
    RunEnd { outcome, reason: None, requests: 1, throttled: 0, retried: 0, at }
}

fn start() -> RunStart {
    let at = at("2026-03-01T12:00:00Z");
    RunStart { job: "test".to_owned(), account: "acme".to_owned(), stream: "orders", at }
}

/// Makes the commit of its transaction fail: a reference to a run that is not there is only noticed then.
fn spoil(warehouse: &mut Warehouse) -> Result<(), WarehouseError> {
    warehouse.write(|writing| {
        writing.execute_batch("pragma defer_foreign_keys = on")?;
        writing.change_one(
            "insert into watermarks (account, stream, lane, watermark, run_id) values ('acme', 'orders', 'x', '', 99)",
            (),
        )
    })
}

/// The order list does not show an order that was to be asked for.
fn absent(warehouse: &mut Warehouse, run: RunId) -> Result<Absence, WarehouseError> {
    let order = Dependent::of("orders", "CS1", None, None);
    warehouse.enqueue_all("acme", &[order], Requeue::Leave, run)?;
    warehouse.record_absence("acme", "CS1", at("2026-03-01T12:30:00Z"), run, Trust::HasSeenRows)
}

fn orders(warehouse: &Warehouse) -> Vec<String> {
    warehouse.read("select order_id from orders order by 1", (), |row| row.get(0)).expect("orders")
}

#[tokio::test]
async fn a_run_whose_pages_were_lost_stores_nothing_more_and_cannot_end_well() {
    let Store { warehouse, run, _folder } = Store::new();
    let (writer, thread) = Writer::start(warehouse).expect("a thread");
    let _another = writer.expect_page();
    writer.store(page(run, "CS1")).await.expect("stored");
    writer.settle(run).await.expect("on disk");
    // Another one is under way, and has nothing of its own in what is lost.
    let other = writer.write(|warehouse| warehouse.start_run(&start())).await.expect("a run");

    writer.store(page(run, "CS2")).await.expect("acknowledged");
    assert_eq!(writer.read(|warehouse| Ok(orders(warehouse))).await.expect("read"), ["CS1", "CS2"]);
    writer.write(spoil).await.expect_err("no commit");
    assert_eq!(writer.read(|warehouse| Ok(orders(warehouse))).await.expect("read"), ["CS1"]);

    for run in [run, other] {
        writer.settle(run).await.expect_err("something is lost");
        writer.store(page(run, "CS3")).await.expect_err("it would go on from what is lost");
        writer.write(move |warehouse| absent(warehouse, run)).await.expect_err("what is lost may show it");
        writer.write(move |warehouse| warehouse.end_run(run, &end(DONE))).await.expect_err("it is not done");
        writer.write(move |warehouse| warehouse.end_run(run, &end(FAILED))).await.expect("it failed");
    }
    assert_eq!(writer.read(move |warehouse| warehouse.stored_by(run)).await.expect("read").inserted, 1);

    let next = writer.write(|warehouse| warehouse.start_run(&start())).await.expect("a run");
    writer.store(page(next, "CS2")).await.expect("stored");
    writer.settle(next).await.expect("on disk");
    let absence = writer.write(move |warehouse| absent(warehouse, next)).await.expect("recorded");
    assert_eq!(absence, Absence::Once);
    writer.write(move |warehouse| warehouse.end_run(next, &end(DONE))).await.expect("done");
    drop(writer);
    thread.join().expect("an end");
}

#[tokio::test]
async fn a_page_that_cannot_be_stored_takes_nothing_with_it() {
    let Store { warehouse, run, _folder } = Store::new();
    let path = warehouse.path().to_owned();
    let (writer, thread) = Writer::start(warehouse).expect("a thread");
    let _another = writer.expect_page();
    writer.store(page(run, "CS1")).await.expect("acknowledged");
    // The counters of a run that is not there.
    let unknown = RunId::of_test(77);
    writer.store(page(unknown, "CS2")).await.expect_err("no such run");
    writer.store(page(run, "CS3")).await.expect("acknowledged");
    writer.settle(run).await.expect("on disk");
    drop(writer);
    thread.join().expect("an end");
    let warehouse = Warehouse::open_read_only(&path).expect("a warehouse");
    assert_eq!(orders(&warehouse), ["CS1", "CS3"]);
}

#[test]
fn nothing_is_written_but_by_a_transaction_that_is_numbered() {
    let store = Store::new();
    for sql in ["delete from runs", "insert into meta (key, value) values ('a', 'b')", "create table t (a)"] {
        store.warehouse.connection.execute(sql, ()).expect_err(sql);
        assert!(store.warehouse.connection.is_autocommit(), "{sql}");
    }
    assert_eq!(store.rows("select count(*) from runs"), ["1"]);
    assert_eq!(store.rows("select 1 from meta where key = 'a'"), [] as [&str; 0]);
}

#[test]
fn a_transaction_that_changes_nothing_takes_no_number() {
    let mut store = Store::new();
    let commits = store.rows("select count(*) from commits");
    store.warehouse.crash_runs("nobody", &["no job".to_owned()]).expect("nothing to do");
    drop(Warehouse::open_beside(store.warehouse.path()).expect("a connection"));
    assert_eq!(store.rows("select count(*) from commits"), commits);
}

/// A worker that always has a transaction under way leaves the file free between two of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_beside_a_busy_worker_gets_a_turn() {
    let Store { warehouse, run, _folder } = Store::new();
    let path = warehouse.path().to_owned();
    let (writer, thread) = Writer::start(warehouse).expect("a thread");
    let busy = writer.clone();
    let pages = tokio::spawn(async move {
        for number in 0_u64.. {
            busy.store(page(run, &format!("CS{number}"))).await.expect("stored");
        }
    });
    let turns = tokio::task::spawn_blocking(move || {
        for turn in 0..10 {
            let mut beside = Warehouse::open_beside(&path).expect("a warehouse");
            beside.start_run(&start()).unwrap_or_else(|error| panic!("turn {turn}: {error}"));
        }
    });
    turns.await.expect("ten turns");
    pages.abort();
    let _ = pages.await;
    writer.settle(run).await.expect("on disk");
    drop(writer);
    thread.join().expect("an end");
}
