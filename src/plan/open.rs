//! The cheapest way to look again at the orders that can still change. Pure.

use super::LONGEST_WINDOW;
use crate::record::Dependent;
use crate::stream;
use crate::time::{UtcSecond, Window};

/// Rows that one request may be expected to bring: a page of 100, less what may have come since.
pub const PAGE: u64 = 90;

/// Statuses the order list can be filtered by (vendor-contract.md §7.1) that an open order can have; all others are
/// found by their time or their id.
const FILTERABLE: [i64; 4] = [1, 3, 6, 9];

/// An order whose status can still change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Its id.
    pub id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// When it was created; `None` when the vendor did not say.
    pub created: Option<UtcSecond>,
    /// Its status when it was last seen.
    pub status: Option<i64>,
    /// Orders stored that were created from this one on and before the next newer open one, or before the newest window
    /// begins; counted up to a page.
    pub rows: u64,
}

impl OpenOrder {
    /// What reads the order by itself.
    #[must_use]
    pub fn dependent(&self) -> Dependent {
        Dependent::of(stream::orders().name(), &self.id, self.customer_id.as_deref(), self.created)
    }
}

/// How to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// Let the newest window begin here already: its page has room.
    pub widen_to: Option<UtcSecond>,
    /// List these statuses.
    pub statuses: Vec<i64>,
    /// Read these windows of creation time.
    pub windows: Vec<Window>,
    /// Ask for these orders, places in the list that was given, one by one.
    pub singles: Vec<usize>,
}

/// The ways that take the fewest requests; `open` is sorted, newest first, `end` is where the newest window ends, and
/// `room` is what its page still holds. No window gets longer than [`LONGEST_WINDOW`].
#[must_use]
pub fn cheapest(open: &[OpenOrder], end: UtcSecond, room: u64) -> Ways {
    let candidates: Vec<i64> = FILTERABLE
        .into_iter()
        .filter(|status| open.iter().any(|order| order.status == Some(*status)))
        .collect();
    let subsets = 0..1_u32 << candidates.len();
    let listed = |subset: u32| -> Vec<i64> {
        let chosen = |at: &usize| subset & (1 << at) != 0;
        (0..candidates.len()).filter(chosen).map(|at| candidates[at]).collect()
    };
    subsets
        .map(|subset| ways(open, end, room, listed(subset)))
        .min_by_key(|(requests, _)| *requests)
        .map(|best| best.1)
        .unwrap_or_default()
}

/// The ways when these statuses are listed, and how many requests they take.
fn ways(open: &[OpenOrder], end: UtcSecond, room: u64, statuses: Vec<i64>) -> (u64, Ways) {
    let is_listed = |order: &OpenOrder| order.status.is_some_and(|status| statuses.contains(&status));
    let count = |status: i64| open.iter().filter(|order| order.status == Some(status)).count() as u64;
    let fits = |begin: Option<UtcSecond>, end: Option<UtcSecond>| {
        begin.zip(end).is_some_and(|(begin, end)| begin >= end.minus(LONGEST_WINDOW))
    };
    let mut requests: u64 = statuses.iter().map(|status| count(*status).div_ceil(PAGE)).sum();
    let mut ways = Ways::default();
    // Rows from the newest window back to the order that is looked at, while they fit into its page.
    let mut behind = Some(0);
    // The window that grows back in time: its newest and oldest open order, and the rows in it.
    let mut growing: Option<(usize, usize, u64)> = None;
    let mut close = |growing: Option<(usize, usize, u64)>, ways: &mut Ways| {
        let Some((newest, oldest, _)) = growing else { return };
        requests += 1;
        let window = match (open[oldest].created, open[newest].created) {
            (Some(begin), Some(end)) if newest != oldest => Window::new(begin, end.plus(1)),
            _ => None,
        };
        match window {
            Some(window) => ways.windows.push(window),
            None => ways.singles.push(newest),
        }
    };
    for (at, order) in open.iter().enumerate() {
        behind = behind.map(|rows: u64| rows + order.rows).filter(|rows| *rows <= room);
        growing = growing.map(|(newest, oldest, rows)| (newest, oldest, rows + order.rows));
        if is_listed(order) {
            continue;
        }
        if behind.is_some() && fits(order.created, Some(end)) {
            ways.widen_to = order.created;
            continue;
        }
        growing = match growing {
            Some((newest, _, rows))
                if rows <= PAGE && fits(order.created, open[newest].created.map(|newest| newest.plus(1))) =>
            {
                Some((newest, at, rows))
            }
            full => {
                close(full, &mut ways);
                Some((at, at, 1))
            }
        };
    }
    close(growing, &mut ways);
    ways.statuses = statuses;
    (requests, ways)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(created: i64, status: i64, rows: u64) -> OpenOrder {
        OpenOrder {
            id: created.to_string(),
            customer_id: None,
            created: Some(UtcSecond::from_unix(created)),
            status: Some(status),
            rows,
        }
    }

    const END: UtcSecond = UtcSecond::from_unix(1000);

    fn window(begin: i64, end: i64) -> Window {
        Window::new(UtcSecond::from_unix(begin), UtcSecond::from_unix(end)).expect("not empty")
    }

    #[test]
    fn recent_orders_come_with_the_newest_window() {
        let open = [order(900, 2, 5), order(800, 10, 30)];
        let ways = cheapest(&open, END, 50);
        assert_eq!(ways, Ways { widen_to: Some(UtcSecond::from_unix(800)), ..Ways::default() });
    }

    #[test]
    fn many_of_one_status_are_listed_and_the_rest_is_read_by_time_or_id() {
        let mut open: Vec<OpenOrder> = (0..20).map(|n| order(1000 - n * 10, 6, 91)).collect();
        open.push(order(500, 2, 91));
        open.push(order(490, 11, 40));
        open.push(order(100, 12, 91));
        assert_eq!(
            cheapest(&open, END, 90),
            Ways { widen_to: None, statuses: vec![6], windows: vec![window(490, 501)], singles: vec![22] }
        );
    }

    #[test]
    fn a_single_order_of_a_status_takes_one_request_either_way() {
        let open = [order(500, 9, 91)];
        assert_eq!(cheapest(&open, END, 0), Ways { singles: vec![0], ..Ways::default() });
        assert_eq!(cheapest(&[], END, 0), Ways::default());
    }

    proptest! {
        #[test]
        fn every_open_order_is_looked_at_in_windows_that_may_be_asked_for(
            orders in proptest::collection::vec((1i64..400, prop_oneof![Just(6i64), Just(9), Just(2), Just(11)], 1u64..92), 0..40),
            // Seconds between two instants of the list: the windows of a day's orders, and those of years.
            step in prop_oneof![Just(1i64), Just(200_000), Just(2_000_000)],
            room in 0u64..91,
        ) {
            let mut open: Vec<OpenOrder> =
                orders.iter().map(|(at, status, rows)| order(*at * step, *status, *rows)).collect();
            open.sort_by_key(|order| std::cmp::Reverse(order.created));
            let end = UtcSecond::from_unix(400 * step);
            let ways = cheapest(&open, end, room);
            for window in ways.windows.iter().copied().chain(ways.widen_to.and_then(|begin| Window::new(begin, end))) {
                prop_assert!(window.begin() >= window.end().minus(LONGEST_WINDOW), "{window}");
            }
            for (at, order) in open.iter().enumerate() {
                let created = order.created.expect("all have one");
                let is_seen = ways.widen_to.is_some_and(|begin| begin <= created)
                    || ways.statuses.iter().any(|status| order.status == Some(*status))
                    || ways.windows.iter().any(|window| window.begin() <= created && created < window.end())
                    || ways.singles.contains(&at);
                prop_assert!(is_seen, "{order:?} in {ways:?}");
            }
        }
    }
}
