//! How many walks of a job go on at the same time: as many as keep the endpoint's pace busy, and no more, because what
//! is in flight when the worker is killed is asked for again.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

/// Most walks at the same time: 30 requests a second with answers that take 1.4 seconds.
const WIDEST: usize = 64;

/// Walks at the same time where there is no limit of our own: as many as keep two cores busy.
const UNLIMITED: usize = 16;

/// A cut costs about a request for each part: the page in hand is read again, and each part ends with a page that is not
/// full. Pages for each of them.
const PAGES_PER_CUT: u64 = 40;

/// Pages that a part must have.
const SMALLEST: u64 = 4;

/// Measures how long a page takes from its request to the disk.
#[derive(Debug, Default)]
pub(super) struct PagePace {
    /// Moving average in microseconds; 0 before the first page.
    micros: AtomicU64,
    /// Pages stored so far.
    pages: AtomicU64,
    /// Walks under way, and those that wait to begin.
    busy: AtomicUsize,
    /// Windows that others were cut into.
    cuts: AtomicU64,
}

impl PagePace {
    /// A page took this long.
    pub(super) fn took(&self, page: Duration) {
        self.pages.fetch_add(1, Ordering::Relaxed);
        let page = u64::try_from(page.as_micros()).unwrap_or(u64::MAX).max(1);
        // Two pages at the same time may lose one of the two measures; the next corrects it.
        let mean = self.micros.load(Ordering::Relaxed);
        let mean = if mean == 0 { page } else { mean - mean / 8 + page / 8 };
        self.micros.store(mean.max(1), Ordering::Relaxed);
    }

    /// Walks that keep calls going out `spacing` after each other, half as many again for answers that take longer than others; one at first.
    fn width(&self, spacing: Duration) -> usize {
        let Some(spacing) = u64::try_from(spacing.as_micros()).ok().filter(|micros| *micros > 0) else {
            return UNLIMITED;
        };
        let width = (self.micros.load(Ordering::Relaxed).saturating_mul(3)).div_ceil(2 * spacing);
        usize::try_from(width).unwrap_or(WIDEST).clamp(1, WIDEST)
    }

    /// So many walks are under way or wait to begin.
    pub(super) fn employs(&self, walks: usize) {
        self.busy.store(walks, Ordering::Relaxed);
    }

    /// Into how many windows to cut one that takes so many pages more: enough that nobody idles, unless that took more
    /// requests than a fortieth of all pages, or left hardly anything for each.
    pub(super) fn parts(&self, pages: u64, spacing: Duration) -> i64 {
        let idle = self.width(spacing).saturating_sub(self.busy.load(Ordering::Relaxed)) as u64;
        let all = self.pages.load(Ordering::Relaxed) + pages;
        let worth = (all / PAGES_PER_CUT).saturating_sub(self.cuts.load(Ordering::Relaxed));
        let parts = if idle == 0 { 1 } else { (idle + 1).min(worth).min(pages / SMALLEST) };
        i64::try_from(parts).unwrap_or(i64::MAX)
    }

    /// A window was cut into so many.
    pub(super) fn cut(&self, parts: usize) {
        self.cuts.fetch_add(parts as u64, Ordering::Relaxed);
        self.busy.fetch_add(parts.saturating_sub(1), Ordering::Relaxed);
    }

    /// How long no page may be stored before another walk is let in: an answer that hangs must not stop the others.
    fn patience(&self, spacing: Duration) -> Duration {
        4 * (spacing + Duration::from_micros(self.micros.load(Ordering::Relaxed)).max(SHORTEST))
    }
}

/// Walks in flight, each with the result `T`.
#[derive(Debug)]
pub(super) struct Walks<T> {
    walking: JoinSet<T>,
    /// Walks beyond the width, because no page was stored for a while.
    beyond: usize,
}

impl<T: Send + 'static> Walks<T> {
    pub(super) fn new() -> Self {
        Self { walking: JoinSet::new(), beyond: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.walking.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.walking.len()
    }

    /// Whether one more may be let in.
    pub(super) fn have_room(&self, pace: &PagePace, spacing: Duration) -> bool {
        self.walking.len() < (pace.width(spacing) + self.beyond).min(WIDEST)
    }

    /// Lets a walk in; what it logs is of the run that lets it in.
    pub(super) fn begin(&mut self, walk: impl Future<Output = T> + Send + 'static) {
        self.walking.spawn(walk.in_current_span());
    }

    /// The result of the next walk that ends. `None` when there is no walk, or when there may be room for one more
    /// instead: answers take longer than they did, or no page was stored for a while, so that one hangs.
    pub(super) async fn next(&mut self, pace: &PagePace, spacing: Duration) -> Option<T> {
        let had_room = self.have_room(pace, spacing);
        loop {
            let stored = pace.pages.load(Ordering::Relaxed);
            let silence = Instant::now() + pace.patience(spacing);
            while Instant::now() < silence {
                let look = silence.min(Instant::now() + LOOK);
                match tokio::time::timeout_at(look, self.walking.join_next()).await {
                    Ok(joined) => {
                        self.beyond = self.beyond.saturating_sub(1);
                        return joined.map(|joined| {
                            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
                        });
                    }
                    Err(_) if !had_room && self.have_room(pace, spacing) => return None,
                    Err(_) => {}
                }
            }
            if pace.pages.load(Ordering::Relaxed) == stored {
                // No more can hang than there are.
                self.beyond = (self.beyond + 1).min(self.walking.len());
                return None;
            }
        }
    }
}

/// How often to look whether the answers take longer by now.
const LOOK: Duration = Duration::from_millis(100);

/// What a page takes at least, before one is measured.
const SHORTEST: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn after(page: Duration) -> PagePace {
        let measured = PagePace::default();
        measured.took(page);
        measured
    }

    #[test]
    fn quick_answers_need_one_walk_and_slow_ones_several() {
        assert_eq!(PagePace::default().width(SPACING), 1);
        assert_eq!(after(Duration::from_millis(20)).width(SPACING), 1);
        assert_eq!(after(Duration::from_millis(300)).width(SPACING), 5);
        assert_eq!(after(Duration::from_secs(30)).width(SPACING), WIDEST);
        assert_eq!(PagePace::default().width(Duration::ZERO), UNLIMITED);
    }

    #[test]
    fn the_pace_follows_what_pages_take() {
        let pace = after(Duration::from_millis(800));
        for _ in 0..60 {
            pace.took(Duration::from_millis(40));
        }
        assert_eq!(pace.width(SPACING), 1);
    }

    const SPACING: Duration = Duration::from_millis(100);

    /// Lets in as many walks that never end as there is room for.
    fn fill(walks: &mut Walks<()>, pace: &PagePace) {
        while walks.have_room(pace, SPACING) {
            walks.begin(std::future::pending());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_is_let_in_whenever_no_page_comes_for_a_while_up_to_the_widest() {
        let (pace, mut walks) = (PagePace::default(), Walks::new());
        fill(&mut walks, &pace);
        assert_eq!(walks.len(), 1);
        for round in 2..3 * WIDEST {
            assert_eq!(walks.next(&pace, SPACING).await, None);
            fill(&mut walks, &pace);
            assert_eq!(walks.len(), round.min(WIDEST));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn none_is_let_in_while_pages_of_long_walks_are_stored() {
        let (pace, mut walks) = (Arc::new(PagePace::default()), Walks::new());
        let its = Arc::clone(&pace);
        walks.begin(async move {
            for _ in 0..1000 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                its.took(Duration::from_millis(1));
            }
        });
        assert!(!walks.have_room(&pace, SPACING));
        assert_eq!(walks.next(&pace, SPACING).await, Some(()), "it ends before one more is let in");
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_that_ends_takes_back_the_room_that_was_given_for_a_silence() {
        let (pace, mut walks) = (PagePace::default(), Walks::new());
        fill(&mut walks, &pace);
        assert_eq!(walks.next(&pace, SPACING).await, None);
        walks.begin(async {});
        assert!(!walks.have_room(&pace, SPACING));
        assert_eq!(walks.next(&pace, SPACING).await, Some(()));
        assert_eq!((walks.len(), walks.have_room(&pace, SPACING)), (1, false));
    }
}
