//! Where the months are cut when the vendor is asked how many orders each has. Pure.
//!
//! Whether the bounds of the API's windows belong to them is not documented (vendor-contract.md §11.5), and two months
//! that meet in one second would each count its orders, or neither. So the edge between two months is a second `t`, at
//! or shortly after the month's begin, such that no order is stored from `t - 1` to `t + 1`. The month before is asked
//! for up to `t`, the one behind from `t - 1` on. Then
//!
//! - every order that is stored is at least two seconds before `t`, and in the month before under every reading of the
//!   bounds, or two seconds behind it, and in the month behind: the number that is expected is the same;
//! - an order that is not stored is counted at least once under every reading, because the two windows overlap: up to
//!   `t` without `t` itself is everything before `t`, and from `t - 1` without that second is everything from `t` on.
//!
//! The first window begins with the history itself: no month before it could count an order in its stead.
//!
//! Where a month begins with an hour in which no three seconds are free of orders, its begin is the edge, and numbers that
//! only the reading of the bounds can tell apart are not called different.

use crate::time::{UtcSecond, Window};

/// How far from where it should be an edge is looked for, in seconds.
pub const REACH: i64 = 60 * 60;

/// A month, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The billing month, yyyy-MM.
    pub month: String,
    /// The bounds of the request: the orders between them are counted, and those on them or not.
    pub window: Window,
}

/// The first second from `wanted` on that is no nearer than two seconds to any of the sorted times; `wanted` itself when
/// there is none within [`REACH`].
#[must_use]
pub fn at_or_after(wanted: UtcSecond, times: &[UtcSecond]) -> UtcSecond {
    let mut edge = wanted;
    for time in times {
        if *time > edge.plus(1) {
            break;
        }
        edge = edge.max(time.plus(2));
    }
    if edge > wanted.plus(REACH) { wanted } else { edge }
}

/// As [`at_or_after`], backwards: for the last edge, behind which nothing has settled yet.
#[must_use]
pub fn at_or_before(wanted: UtcSecond, times: &[UtcSecond]) -> UtcSecond {
    let mut edge = wanted;
    for time in times.iter().rev() {
        if *time < edge.plus(-1) {
            break;
        }
        edge = edge.min(time.plus(-2));
    }
    if edge < wanted.plus(-REACH) { wanted } else { edge }
}

/// The requests for these months, oldest first, whose edges are at `edges`: one more than there are months.
#[must_use]
pub fn asked(months: Vec<(String, Window)>, edges: &[UtcSecond]) -> Vec<Asked> {
    months
        .into_iter()
        .zip(edges.windows(2))
        .filter_map(|((month, _), pair)| {
            Some(Asked { month, window: Window::new(pair[0].plus(-1), pair[1])? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How a vendor may read the bounds of a window: whether the first, whether the last second belongs to it.
    const READINGS: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];

    fn at(second: i64) -> UtcSecond {
        UtcSecond::from_unix(second)
    }

    fn count(window: Window, times: &[i64], (first, last): (bool, bool)) -> usize {
        let (begin, end) = (window.begin().unix(), window.end().unix());
        let inside =
            |time: &&i64| begin < **time && **time < end || first && **time == begin || last && **time == end;
        times.iter().filter(inside).count()
    }

    /// Months of 100 seconds, asked for around what is stored.
    fn months(stored: &[i64]) -> Vec<Asked> {
        let mut times: Vec<UtcSecond> = stored.iter().copied().map(at).collect();
        times.sort_unstable();
        let wanted = [0, 100, 200, 300];
        let mut edges: Vec<UtcSecond> = wanted.iter().map(|edge| at_or_after(at(*edge), &times)).collect();
        edges[3] = at_or_before(at(300), &times);
        let month = |n: i64| (n.to_string(), Window::new(at(n * 100), at(n * 100 + 100)).expect("not empty"));
        asked((0..3).map(month).collect(), &edges)
    }

    #[test]
    fn an_edge_keeps_two_seconds_from_every_order() {
        assert_eq!(at_or_after(at(100), &[]), at(100));
        assert_eq!(at_or_after(at(100), &[at(98), at(102)]), at(100));
        assert_eq!(at_or_after(at(100), &[at(99)]), at(101));
        assert_eq!(at_or_after(at(100), &[at(100), at(103), at(107)]), at(105));
        assert_eq!(at_or_before(at(100), &[at(94), at(97), at(100)]), at(92));
        assert_eq!(at_or_before(at(100), &[at(98), at(102)]), at(100));
    }

    #[test]
    fn a_busy_hour_keeps_its_edge() {
        let busy: Vec<UtcSecond> = (0..3000).map(|n| at(n * 3)).collect();
        assert_eq!(at_or_after(at(100), &busy), at(100));
        assert_eq!(at_or_before(at(8000), &busy), at(8000));
    }

    proptest! {
        #[test]
        fn every_reading_of_the_bounds_counts_what_is_stored_once(
            stored in proptest::collection::vec(-5i64..305, 0..40),
        ) {
            for asked in months(&stored) {
                let counts: Vec<usize> =
                    READINGS.iter().map(|reading| count(asked.window, &stored, *reading)).collect();
                prop_assert!(counts.iter().all(|count| *count == counts[0]), "{asked:?}: {counts:?}");
            }
        }

        #[test]
        fn an_order_that_is_not_stored_is_counted_under_every_reading(
            stored in proptest::collection::vec(-5i64..305, 0..40),
            missing in 5i64..290,
        ) {
            let months = months(&stored);
            // What is behind the last edge is not asked for.
            prop_assume!(missing < months[2].window.end().unix() && missing > months[0].window.begin().unix());
            let mut served = stored.clone();
            served.push(missing);
            for reading in READINGS {
                let differs = |asked: &&Asked| {
                    count(asked.window, &served, reading) != count(asked.window, &stored, reading)
                };
                prop_assert!(months.iter().any(|asked| differs(&asked)), "{reading:?}");
            }
        }
    }
}
