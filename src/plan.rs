//! Which windows a run reads: what no run has read completely, and again the overlap behind the watermark. Pure.

use std::time::Duration;

use crate::time::{UtcSecond, Window};

/// What is known before a lane is planned.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// First instant that is wanted.
    pub start: UtcSecond,
    /// End of what can be read: now, less the settling time.
    pub end: UtcSecond,
    /// Windows that were read completely.
    pub covered: &'a [Window],
    /// Windows whose walks the last run left in the middle: they go on where they are.
    pub begun: &'a [Window],
}

/// The windows to begin, newest first, so that recent months are complete before old ones.
///
/// None is longer than `longest`; together with what is covered and begun they hold every instant from
/// start to end, and the last `overlap` before what is new.
#[must_use]
pub fn windows(known: Known<'_>, overlap: Duration, longest: Duration) -> Vec<Window> {
    let Some(wanted) = Window::new(known.start, known.end) else { return Vec::new() };
    let done: Vec<Window> = known.covered.iter().chain(known.begun).copied().collect();
    let mut gaps = wanted.minus(&done);
    if !known.covered.is_empty() {
        let begin_of_new = match gaps.last() {
            Some(gap) if gap.end() == known.end => gaps.pop().map_or(known.end, |gap| gap.begin()),
            Some(_) | None => known.end,
        };
        let begin = begin_of_new.minus(overlap).max(known.start);
        gaps.extend(Window::new(begin, known.end));
    }
    let seconds = i64::try_from(longest.as_secs()).unwrap_or(i64::MAX);
    gaps.into_iter().rev().flat_map(|gap| gap.split(seconds).into_iter().rev()).collect()
}

/// Up to where everything from `start` on was read completely.
#[must_use]
pub fn watermark(start: UtcSecond, covered: &[Window]) -> UtcSecond {
    let mut sorted = covered.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().fold(
        start,
        |mark, window| {
            if window.begin() <= mark { mark.max(window.end()) } else { mark }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> UtcSecond {
        UtcSecond::from_unix(second)
    }

    fn window(begin: i64, end: i64) -> Window {
        Window::new(at(begin), at(end)).expect("not empty")
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_first_load_reads_everything_newest_first_without_overlap() {
        let known = Known { start: at(0), end: at(100), covered: &[], begun: &[] };
        assert_eq!(windows(known, secs(10), secs(40)), [window(80, 100), window(40, 80), window(0, 40)]);
    }

    #[test]
    fn a_later_run_reads_what_is_new_and_the_overlap() {
        let known = Known { start: at(0), end: at(130), covered: &[window(0, 100)], begun: &[] };
        assert_eq!(windows(known, secs(20), secs(400)), [window(80, 130)]);
    }

    #[test]
    fn a_run_after_a_crash_fills_the_gaps_and_leaves_begun_windows_alone() {
        let known =
            Known { start: at(0), end: at(120), covered: &[window(80, 100)], begun: &[window(40, 80)] };
        assert_eq!(windows(known, secs(0), secs(400)), [window(100, 120), window(0, 40)]);
    }

    #[test]
    fn the_watermark_stops_at_the_first_gap() {
        assert_eq!(watermark(at(0), &[window(60, 90), window(0, 30), window(20, 50)]), at(50));
        assert_eq!(watermark(at(0), &[]), at(0));
    }

    proptest! {
        #[test]
        fn nothing_between_start_and_end_is_left_out(
            end in 0i64..200,
            overlap in 0u64..40,
            longest in 1u64..90,
            covered in proptest::collection::vec((0i64..180, 1i64..50), 0..5),
            begun in proptest::collection::vec((0i64..180, 1i64..50), 0..3),
        ) {
            let to_windows = |cuts: &[(i64, i64)]| -> Vec<Window> {
                cuts.iter().map(|(begin, len)| window(*begin, begin + len)).collect()
            };
            let (covered, begun) = (to_windows(&covered), to_windows(&begun));
            let known = Known { start: at(10), end: at(end), covered: &covered, begun: &begun };
            let planned = windows(known, secs(overlap), secs(longest));
            let holds = |set: &[Window], second: i64| {
                set.iter().any(|w| w.begin() <= at(second) && at(second) < w.end())
            };
            for second in 10..end {
                prop_assert!(holds(&planned, second) || holds(&covered, second) || holds(&begun, second));
            }
            for w in &planned {
                prop_assert!(w.begin() >= at(10) && w.end() <= at(end));
                prop_assert!(w.end().unix() - w.begin().unix() <= i64::try_from(longest).expect("small"));
            }
        }
    }
}
