//! How many rows a page may have: as many as the endpoint gives, fewer where the server or the way to it cannot.

/// The smallest page that is tried, which is also the vendor's default (vendor-contract.md §3.1).
const SMALLEST: u32 = 10;

/// Full pages without a failure before a larger one is tried.
const CLEAN: u32 = 20;

/// Maxima that a server may have, other than the documented one.
const USUAL: [u32; 6] = [500, 200, 100, 50, 20, SMALLEST];

/// How a page came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOutcome {
    /// It came, with so many rows.
    Clean {
        /// Rows of the page.
        rows: u32,
    },
    /// No answer in time.
    TimedOut,
    /// Too large by the server's word (413) or by our own bounds, or cut short on the way.
    TooLarge,
    /// The server failed (5xx).
    Failed {
        /// How often it failed on this page, this time included.
        times: u32,
    },
    /// The server calls the request invalid (400).
    Invalid,
}

/// What to do about the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitStep {
    /// Go on with the same limit. A failure was not the limit's fault.
    Keep,
    /// Ask for the same rows again with this limit, which is smaller than the one that failed.
    Again(u32),
    /// Ask for more rows from the next page on.
    Larger(u32),
}

/// What a run leaves to the next about the pages of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedLimit {
    /// The maximum of the documents when it was learned.
    pub documented: u32,
    /// The largest limit that the server accepts, as far as is known.
    pub most: u32,
    /// The limit that was asked for last.
    pub limit: u32,
}

/// What a run learned about the pages of an endpoint, for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageState {
    /// The endpoint's short name.
    pub endpoint: String,
    /// What was learned.
    pub remembered: RememberedLimit,
}

/// The limit of the pages of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    documented: u32,
    most: u32,
    limit: u32,
    /// The largest limit the server accepted in this run.
    works: u32,
    clean: u32,
    /// The limit that pages had before they began to fail.
    sound: Option<u32>,
    /// The smallest pages failed as well: then it was not their size.
    is_innocent: bool,
    /// The limits to return to if none is accepted: then the request is wrong in another way.
    before: Option<(u32, u32)>,
    /// The limit that was accepted after larger ones were refused; these are tried once more before that is believed.
    accepted: Option<u32>,
}

impl PageLimit {
    /// Begins with the documented maximum: large pages are the cheapest throughput there is.
    #[must_use]
    pub const fn new(documented: u32) -> Self {
        let limit = if documented == 0 { 1 } else { documented };
        Self {
            documented: limit,
            most: limit,
            limit,
            works: 0,
            clean: 0,
            sound: None,
            is_innocent: false,
            before: None,
            accepted: None,
        }
    }

    /// Begins with what was learned, unless the documents say something else meanwhile. The caller forgets what is old.
    #[must_use]
    pub fn resume(documented: u32, remembered: RememberedLimit) -> Self {
        let fresh = Self::new(documented);
        if remembered.documented != fresh.documented {
            return fresh;
        }
        let most = remembered.most.clamp(fresh.smallest(), fresh.documented);
        Self { most, limit: remembered.limit.clamp(fresh.smallest(), most), ..fresh }
    }

    /// Rows to ask for.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Learns from a page that was asked for with the limit `asked`.
    pub fn observe(&mut self, asked: u32, outcome: PageOutcome) -> LimitStep {
        match outcome {
            PageOutcome::Clean { rows } => self.came(asked, rows),
            PageOutcome::TimedOut | PageOutcome::TooLarge => self.halve(asked),
            PageOutcome::Failed { times } if times >= 2 => self.halve(asked),
            PageOutcome::Failed { .. } => LimitStep::Keep,
            PageOutcome::Invalid => self.invalid(asked),
        }
    }

    /// What the next run should know; `None` while nothing differs from the documents.
    #[must_use]
    pub fn remember(&self) -> Option<RememberedLimit> {
        let Self { documented, most, limit, .. } = *self;
        // While it is not known whose fault a refusal is, nothing is known.
        let (most, limit) = self.before.unwrap_or((most, limit));
        (most != documented || limit != documented).then_some(RememberedLimit { documented, most, limit })
    }

    const fn smallest(&self) -> u32 {
        if self.documented < SMALLEST { self.documented } else { SMALLEST }
    }

    fn came(&mut self, asked: u32, rows: u32) -> LimitStep {
        self.works = self.works.max(asked);
        if asked != self.limit {
            return LimitStep::Keep;
        }
        if let Some((most, limit)) = self.before.take() {
            // The larger ones were refused, this one is not. Once may have been the server's whim.
            self.accepted = Some(asked);
            (self.most, self.limit) = (most, limit);
            return LimitStep::Larger(self.limit);
        }
        self.accepted = None;
        let sound = self.sound.take();
        if std::mem::take(&mut self.is_innocent)
            && let Some(sound) = sound
        {
            self.limit = sound.min(self.most);
            return LimitStep::Larger(self.limit);
        }
        // A page that is not full shows nothing about larger ones.
        if rows < asked || self.limit >= self.most {
            return LimitStep::Keep;
        }
        self.clean += 1;
        if self.clean < CLEAN {
            return LimitStep::Keep;
        }
        self.clean = 0;
        self.limit = self.limit.saturating_mul(2).min(self.most);
        LimitStep::Larger(self.limit)
    }

    fn halve(&mut self, asked: u32) -> LimitStep {
        self.clean = 0;
        // What was asked for before the limit became smaller is asked for again with the smaller one.
        if asked > self.limit {
            return LimitStep::Again(self.limit);
        }
        let half = (self.limit / 2).max(self.smallest());
        if asked < self.limit {
            return LimitStep::Keep;
        }
        if half == self.limit {
            self.is_innocent = self.sound.is_some();
            return LimitStep::Keep;
        }
        self.sound.get_or_insert(self.limit);
        self.limit = half;
        LimitStep::Again(half)
    }

    fn invalid(&mut self, asked: u32) -> LimitStep {
        if asked <= self.works {
            return LimitStep::Keep;
        }
        if let Some(accepted) = self.accepted.take_if(|accepted| asked > *accepted) {
            (self.most, self.limit) = (accepted, accepted);
        }
        if asked > self.limit {
            return LimitStep::Again(self.limit);
        }
        self.clean = 0;
        let floor = self.works.max(self.smallest());
        let next = USUAL.into_iter().find(|usual| *usual < asked).unwrap_or(0).max(floor);
        if next >= asked {
            // The smallest is refused as well: it is not the limit that is wrong.
            if let Some((most, limit)) = self.before.take() {
                (self.most, self.limit) = (most, limit);
            }
            return LimitStep::Keep;
        }
        self.before.get_or_insert((self.most, self.limit));
        self.limit = next;
        LimitStep::Again(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: PageOutcome = PageOutcome::Clean { rows: u32::MAX };

    fn full_pages(pages: &mut PageLimit, count: u32) -> Vec<LimitStep> {
        (0..count)
            .map(|_| pages.observe(pages.limit(), FULL))
            .filter(|step| *step != LimitStep::Keep)
            .collect()
    }

    #[test]
    fn pages_halve_when_they_cannot_be_answered_and_grow_when_they_can() {
        let mut pages = PageLimit::new(100);
        assert_eq!((pages.limit(), pages.remember()), (100, None));
        assert_eq!(pages.observe(100, PageOutcome::TimedOut), LimitStep::Again(50));
        assert_eq!(pages.observe(50, PageOutcome::TooLarge), LimitStep::Again(25));
        assert_eq!(pages.observe(25, PageOutcome::Failed { times: 1 }), LimitStep::Keep);
        assert_eq!(pages.observe(25, PageOutcome::Failed { times: 2 }), LimitStep::Again(12));
        assert_eq!(pages.observe(12, PageOutcome::TimedOut), LimitStep::Again(10));
        assert_eq!(full_pages(&mut pages, 19), []);
        assert_eq!(full_pages(&mut pages, 1), [LimitStep::Larger(20)]);
        assert_eq!(
            full_pages(&mut pages, 80),
            [LimitStep::Larger(40), LimitStep::Larger(80), LimitStep::Larger(100)]
        );
        assert_eq!((pages.limit(), pages.remember()), (100, None));
    }

    #[test]
    fn when_the_smallest_pages_fail_as_well_their_size_was_not_the_reason() {
        let mut pages = PageLimit::new(40);
        for step in [LimitStep::Again(20), LimitStep::Again(10), LimitStep::Keep, LimitStep::Keep] {
            assert_eq!(pages.observe(pages.limit(), PageOutcome::TimedOut), step);
        }
        assert_eq!(pages.observe(10, PageOutcome::Clean { rows: 0 }), LimitStep::Larger(40));
        assert_eq!((pages.limit(), pages.remember()), (40, None));
    }

    #[test]
    fn pages_that_are_not_full_show_nothing_about_larger_ones() {
        let mut pages = PageLimit::new(100);
        pages.observe(100, PageOutcome::TimedOut);
        for _ in 0..50 {
            assert_eq!(pages.observe(50, PageOutcome::Clean { rows: 49 }), LimitStep::Keep);
        }
        assert_eq!(pages.limit(), 50);
    }

    #[test]
    fn pages_in_flight_together_that_time_out_halve_once() {
        let mut pages = PageLimit::new(1000);
        assert_eq!(pages.observe(1000, PageOutcome::TimedOut), LimitStep::Again(500));
        assert_eq!(pages.observe(1000, PageOutcome::TimedOut), LimitStep::Again(500));
        assert_eq!(pages.observe(1000, FULL), LimitStep::Keep);
        assert_eq!(pages.limit(), 500);
    }

    #[test]
    fn a_limit_that_the_server_refuses_is_learned() {
        let mut pages = PageLimit::new(1000);
        assert_eq!(pages.observe(1000, PageOutcome::Invalid), LimitStep::Again(500));
        assert_eq!(pages.remember(), None);
        assert_eq!(pages.observe(500, PageOutcome::Invalid), LimitStep::Again(200));
        assert_eq!(pages.observe(200, FULL), LimitStep::Larger(1000));
        assert_eq!(pages.remember(), None);
        assert_eq!(pages.observe(1000, PageOutcome::Invalid), LimitStep::Again(200));
        assert_eq!(full_pages(&mut pages, 100), []);
        let remembered = RememberedLimit { documented: 1000, most: 200, limit: 200 };
        assert_eq!(pages.remember(), Some(remembered));

        let mut next = PageLimit::resume(1000, remembered);
        assert_eq!(next.limit(), 200);
        next.observe(200, FULL);
        // This limit works, so something else is wrong with the request.
        assert_eq!(next.observe(200, PageOutcome::Invalid), LimitStep::Keep);
        assert_eq!(next.limit(), 200);
        assert_eq!(PageLimit::resume(500, remembered).limit(), 500);
    }

    #[test]
    fn a_limit_that_is_refused_once_is_believed_to_work() {
        let mut pages = PageLimit::new(100);
        assert_eq!(pages.observe(100, PageOutcome::Invalid), LimitStep::Again(50));
        assert_eq!(pages.observe(50, PageOutcome::Clean { rows: 0 }), LimitStep::Larger(100));
        assert_eq!(pages.observe(100, PageOutcome::Clean { rows: 0 }), LimitStep::Keep);
        assert_eq!((pages.limit(), pages.remember()), (100, None));
    }

    #[test]
    fn a_request_that_is_wrong_at_every_limit_teaches_nothing() {
        let mut pages = PageLimit::new(100);
        for smaller in [50, 20, 10] {
            assert_eq!(pages.observe(pages.limit(), PageOutcome::Invalid), LimitStep::Again(smaller));
        }
        assert_eq!(pages.observe(10, PageOutcome::Invalid), LimitStep::Keep);
        assert_eq!((pages.limit(), pages.remember()), (100, None));
        assert_eq!(PageLimit::new(5).observe(5, PageOutcome::Invalid), LimitStep::Keep);
    }

    #[test]
    fn what_was_stored_is_brought_into_bounds() {
        let wild = RememberedLimit { documented: 100, most: 4_000_000, limit: 0 };
        assert_eq!(PageLimit::resume(100, wild).limit(), 10);
        assert_eq!(PageLimit::resume(0, wild).limit(), 1);
    }
}
