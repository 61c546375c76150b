//! Which windows a run reads: what no run has read completely, again the overlap behind the watermark, and now and then
//! everything of the last year. Pure.

pub mod edges;
pub mod open;

use std::time::Duration;

use crate::time::{UtcSecond, Window, seconds};

/// The longest window that is asked for: the vendor takes a year, and windows are asked for a second early.
pub const LONGEST_WINDOW: Duration = Duration::from_hours(364 * 24);

/// What is known before a lane is planned.
#[derive(Clone, Copy, Debug)]
pub struct LaneKnowledge<'a> {
    /// First instant that is wanted.
    pub start: UtcSecond,
    /// End of what can be read: now, less the settling time.
    pub end: UtcSecond,
    /// Windows that were read completely.
    pub covered: &'a [Window],
    /// Windows whose walks the last run left in the middle: they go on where they are.
    pub begun: &'a [Window],
    /// Windows that could not be proven complete.
    pub disputed: &'a [Window],
}

/// The windows to begin, newest first, so that recent months are complete before old ones.
///
/// None is longer than `longest`; together with what is covered and begun they hold every instant from start to end,
/// and at least the last `overlap` before what is new. The overlap begins at a multiple of itself, so that each reading
/// contains the one before and replaces its row in the ledger.
#[must_use]
pub fn windows(known: LaneKnowledge<'_>, overlap: Duration, longest: Duration) -> Vec<Window> {
    let Some(wanted) = Window::new(known.start, known.end) else { return Vec::new() };
    let done: Vec<Window> = known.covered.iter().chain(known.begun).copied().collect();
    let mut gaps = wanted.minus(&done);
    if !known.covered.is_empty() {
        let begin_of_new = match gaps.last() {
            Some(gap) if gap.end() == known.end => gaps.pop().map_or(known.end, |gap| gap.begin()),
            Some(_) | None => known.end,
        };
        let step = seconds(overlap).max(1);
        let begin = begin_of_new.minus(overlap).unix().div_euclid(step) * step;
        let overlap = Window::new(UtcSecond::from_unix(begin).max(known.start), known.end);
        // An older gap in it is read with it; by itself it would stand before it, as if it were the newest.
        gaps = gaps.iter().flat_map(|gap| gap.minus(overlap.as_slice())).collect();
        gaps.extend(overlap);
    }
    for disputed in known.disputed {
        let planned: Vec<Window> = gaps.iter().chain(known.begun).copied().collect();
        gaps.extend(disputed.minus(&planned));
    }
    gaps.sort_unstable();
    newest_first(gaps, longest)
}

/// What a sweep still has to read again: what of `reach` is neither `fresh` nor planned anyway; newest first.
#[must_use]
pub fn sweep(reach: Option<Window>, fresh: &[Window], planned: &[Window], longest: Duration) -> Vec<Window> {
    let done: Vec<Window> = fresh.iter().chain(planned).copied().collect();
    newest_first(reach.map(|reach| reach.minus(&done)).unwrap_or_default(), longest)
}

/// Cuts windows, which are sorted, into parts of at most `longest`.
fn newest_first(windows: Vec<Window>, longest: Duration) -> Vec<Window> {
    let longest = seconds(longest);
    windows.into_iter().rev().flat_map(|window| window.split(longest).into_iter().rev()).collect()
}

/// The billing months (`yyyy-MM`, months of UTC+8) between `start` and `end` of which every second was read
/// completely, and none is in a window that is disputed.
#[must_use]
pub fn complete_months(
    start: UtcSecond,
    end: UtcSecond,
    covered: &[Window],
    disputed: &[Window],
) -> Vec<String> {
    let is_disputed = |month: &Window| month.minus(disputed) != [*month];
    months(start, end)
        .into_iter()
        .filter(|(_, month)| month.end() <= end && month.minus(covered).is_empty() && !is_disputed(month))
        .map(|(name, _)| name)
        .collect()
}

/// The billing months that have a second between `start` and `end`, oldest first; the first begins no earlier than
/// `start`.
#[must_use]
pub fn months(start: UtcSecond, end: UtcSecond) -> Vec<(String, Window)> {
    let mut months = Vec::new();
    let mut begin = start;
    while begin < end {
        let (name, next) = begin.billing_month();
        months.extend(Window::new(begin, next).map(|window| (name, window)));
        begin = next;
    }
    months
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
        let known = LaneKnowledge { start: at(0), end: at(100), covered: &[], begun: &[], disputed: &[] };
        assert_eq!(windows(known, secs(10), secs(40)), [window(80, 100), window(40, 80), window(0, 40)]);
    }

    #[test]
    fn a_later_run_reads_what_is_new_and_the_overlap() {
        let known = LaneKnowledge {
            start: at(0),
            end: at(130),
            covered: &[window(0, 100)],
            begun: &[],
            disputed: &[],
        };
        assert_eq!(windows(known, secs(20), secs(400)), [window(80, 130)]);
    }

    #[test]
    fn a_run_after_a_crash_fills_the_gaps_and_leaves_begun_windows_alone() {
        let known = LaneKnowledge {
            start: at(0),
            end: at(120),
            covered: &[window(80, 100)],
            begun: &[window(40, 80)],
            disputed: &[],
        };
        assert_eq!(windows(known, secs(1), secs(400)), [window(99, 120), window(0, 40)]);
    }

    #[test]
    fn readings_of_one_stretch_of_overlap_contain_each_other() {
        for end in 120..140 {
            let covered = [window(0, end - 1)];
            let known =
                LaneKnowledge { start: at(0), end: at(end), covered: &covered, begun: &[], disputed: &[] };
            assert_eq!(windows(known, secs(20), secs(400)), [window((end - 21) / 20 * 20, end)]);
        }
    }

    #[test]
    fn a_gap_inside_the_overlap_does_not_come_before_the_newest_window() {
        let covered = [window(0, 90), window(95, 120)];
        let known =
            LaneKnowledge { start: at(0), end: at(130), covered: &covered, begun: &[], disputed: &[] };
        assert_eq!(windows(known, secs(40), secs(400)), [window(80, 130)]);
        let covered = [window(0, 70), window(85, 120)];
        let known = LaneKnowledge { covered: &covered, ..known };
        assert_eq!(windows(known, secs(40), secs(400)), [window(80, 130), window(70, 80)]);
    }

    #[test]
    fn disputed_windows_are_read_again_although_they_were_complete_once() {
        let disputed = [window(10, 30), window(90, 110)];
        let known = LaneKnowledge {
            start: at(0),
            end: at(130),
            covered: &[window(0, 100)],
            begun: &[],
            disputed: &disputed,
        };
        assert_eq!(windows(known, secs(20), secs(400)), [window(80, 130), window(10, 30)]);
    }

    #[test]
    fn a_sweep_goes_on_with_what_it_has_not_read_yet() {
        let reach = Window::new(at(0), at(100));
        assert_eq!(
            sweep(reach, &[window(60, 100)], &[window(90, 120)], secs(40)),
            [window(40, 60), window(0, 40)]
        );
        assert_eq!(sweep(reach, &[window(0, 100)], &[], secs(40)), []);
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
            let known = LaneKnowledge { start: at(10), end: at(end), covered: &covered, begun: &begun, disputed: &[] };
            let planned = windows(known, secs(overlap), secs(longest));
            let holds = |set: &[Window], second: i64| {
                set.iter().any(|w| w.begin() <= at(second) && at(second) < w.end())
            };
            for second in 10..end {
                prop_assert!(holds(&planned, second) || holds(&covered, second) || holds(&begun, second));
            }
            if !covered.is_empty() && overlap > 0 && end > 10 {
                prop_assert_eq!(planned[0].end(), at(end));
            }
            for w in &planned {
                prop_assert!(w.begin() >= at(10) && w.end() <= at(end));
                prop_assert!(w.end().unix() - w.begin().unix() <= i64::try_from(longest).expect("small"));
            }
        }
    }
}
