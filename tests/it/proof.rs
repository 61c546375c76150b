//! What proves something and what does not: hollow, empty and disputed answers, lists that rows leave, orders that
//! fail, runs that are cut. Nothing is called complete that is not, and the next good run heals all of it.

mod answers;
mod lists;
mod members;
mod months;
mod queue;
mod stop;

use sim::{Script, Sim};
use support::{As, Bench, Login};

/// Where the examples' history begins (`fixtures::shorten_history`).
const HISTORY_START: &str = "2026-01-01T00:00:00Z";

/// The vendor's clock goes on: a simulator with the same data and a clock that is so many seconds ahead of ours. Must
/// stay below the 15 minutes that the vendor lets clocks differ. The configuration is written anew.
fn move_clock(bench: &mut Bench, seconds: i64) {
    let truth = bench.sim.truth().clone();
    bench.sim = Sim::start(Script::serving(truth).clock_ahead(seconds));
    bench.log_in(As::Customer, Login::Keys);
}

/// A day passes for what waits in the queue: the worker looks at this machine's clock, which no test can move, so the
/// entries are made a day older instead.
fn a_day_passes(bench: &Bench) {
    let earlier = |column: &str| format!("strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-1 day')");
    bench
        .writable_db()
        .execute(
            &format!(
                "update queue set enqueued_at = {}, not_before = iif(not_before = '', '', {})",
                earlier("enqueued_at"),
                earlier("not_before")
            ),
            [],
        )
        .expect("an update");
}

/// A minute passes since the attributions were last seen: times are whole seconds, and runs are quicker.
fn a_minute_passes(bench: &Bench) {
    let earlier = "update refund_attributions set last_seen_at = strftime('%Y-%m-%dT%H:%M:%SZ', last_seen_at, '-1 minute')";
    bench.writable_db().execute(earlier, []).expect("an update");
}

/// Up to where the history was read without a gap, computed from the coverage alone.
fn covered_until(bench: &Bench, start: &str) -> String {
    let db = bench.db();
    let mut windows = db
        .prepare(
            "select window_begin, window_end from coverage
             where stream = 'orders' and lane = 'created' and verdict = 'complete' order by 1, 2",
        )
        .expect("a query");
    let windows = windows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    windows.map(Result::unwrap).fold(
        start.to_owned(),
        |mark, (begin, end): (String, String)| {
            if begin <= mark { mark.max(end) } else { mark }
        },
    )
}

/// The watermark of creation times; empty when there is none.
fn watermark(bench: &Bench) -> String {
    bench
        .db()
        .query_row(
            "select coalesce(max(watermark), '') from watermarks where stream = 'orders' and lane = 'created'",
            [],
            |row| row.get(0),
        )
        .expect("one row")
}

/// The queue of a stream: order and attempts.
fn queued(bench: &Bench, stream: &str) -> Vec<String> {
    crate::fixtures::rows(
        &bench.db(),
        &format!("select parent_id, attempts from queue where stream = '{stream}' order by 1"),
    )
}
