//! How many walks of a job go on at the same time: as many as keep the endpoint's pace busy, and no more, because what
//! is in flight when the worker is killed is asked for again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::request::Quota;

/// Most walks at the same time: 20 requests a second with answers that take 0.8 seconds.
const WIDEST: usize = 16;

/// Measures how long a page takes from its request to the disk.
#[derive(Debug, Default)]
pub(super) struct PagePace {
    /// Moving average in microseconds; 0 before the first page.
    micros: AtomicU64,
}

impl PagePace {
    /// A page took this long.
    pub(super) fn took(&self, page: Duration) {
        let page = u64::try_from(page.as_micros()).unwrap_or(u64::MAX).max(1);
        // Two pages at the same time may lose one of the two measures; the next corrects it.
        let mean = self.micros.load(Ordering::Relaxed);
        let mean = if mean == 0 { page } else { mean - mean / 8 + page / 8 };
        self.micros.store(mean.max(1), Ordering::Relaxed);
    }

    /// Walks that keep a quota busy, half as many again for answers that take longer than others; one at first.
    pub(super) fn width(&self, quota: Option<Quota>) -> usize {
        let Some(quota) = quota else { return WIDEST };
        let busy = u128::from(self.micros.load(Ordering::Relaxed)) * u128::from(quota.calls) * 3;
        let width = busy.div_ceil(quota.period.as_micros().max(1) * 2);
        usize::try_from(width).unwrap_or(WIDEST).clamp(1, WIDEST)
    }

    /// How long nothing may come back before another walk is let in: an answer that hangs must not stop the others.
    pub(super) fn patience(&self, quota: Option<Quota>) -> Duration {
        let spacing = quota.map(|quota| quota.period / quota.calls.max(1)).unwrap_or_default();
        4 * (spacing + Duration::from_micros(self.micros.load(Ordering::Relaxed)).max(SHORTEST))
    }
}

/// What a page takes at least, before one is measured.
const SHORTEST: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn after(page: Duration) -> PagePace {
        let measured = PagePace::default();
        measured.took(page);
        measured
    }

    #[test]
    fn quick_answers_need_one_walk_and_slow_ones_several() {
        let quota = Some(Quota::per_second(10));
        assert_eq!(PagePace::default().width(quota), 1);
        assert_eq!(after(Duration::from_millis(20)).width(quota), 1);
        assert_eq!(after(Duration::from_millis(300)).width(quota), 5);
        assert_eq!(after(Duration::from_secs(30)).width(quota), WIDEST);
        assert_eq!(PagePace::default().width(None), WIDEST);
    }

    #[test]
    fn the_pace_follows_what_pages_take() {
        let pace = after(Duration::from_millis(800));
        for _ in 0..60 {
            pace.took(Duration::from_millis(40));
        }
        assert_eq!(pace.width(Some(Quota::per_second(10))), 1);
    }
}
