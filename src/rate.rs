//! How fast an endpoint may be asked: a steady pace below its quota, learning from refusals.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::request::{Endpoint, Quota};

mod calls;
mod controller;
mod governor;
mod halt;
mod margin;
pub mod page_limit;
mod phase;
mod trial;
pub mod words;

pub use controller::{Controller, Remembered};
pub use governor::Governor;

/// Share of the quota that is used, as a fraction. The rest is for others behind the same account or address
/// (`CONTRACT` §5: quotas are shared) and for calls that the network delays into each other.
const SHARE: (u32, u32) = (9, 10);

/// Shortest pause after a refusal, so that a server that says "at once" is not asked in a tight circle.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Where the quota that is kept to comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The vendor's published table (`CONTRACT` §5).
    Published,
    /// The configuration.
    Configured,
    /// The text of a refusal.
    Refusal,
    /// The configuration says there is none.
    Unlimited,
}

/// What the configuration says about one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaSetting {
    /// Keep to this quota.
    Limit(Quota),
    /// No limit of our own.
    Unlimited,
}

/// A quota of the configuration that cannot be read. Fits "quotas: {}".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a quota as calls per time, like 10/1s, 600/1m or 1000/1h, or none")]
pub struct QuotaSettingError;

/// Most calls a quota may name; larger figures are taken for mistakes (`RATE`: bounds of a hint).
pub(crate) const MOST_CALLS: u32 = 1_000_000;

/// Longest period a quota may have (`RATE`: bounds of a hint).
pub(crate) const LONGEST_PERIOD: Duration = Duration::from_hours(24);

impl QuotaSetting {
    /// Reads `10/1s`, `600/1m`, `1000/1h`, `5000/1d` or `none`.
    ///
    /// # Errors
    /// For anything else, no calls, more than a million calls or more than a day.
    pub fn parse(text: &str) -> Result<Self, QuotaSettingError> {
        let text = text.trim();
        if text == "none" {
            return Ok(Self::Unlimited);
        }
        let (calls, period) = text.split_once('/').ok_or(QuotaSettingError)?;
        let unit = period.trim().chars().next_back().ok_or(QuotaSettingError)?;
        let seconds = match unit {
            's' => 1u64,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(QuotaSettingError),
        };
        let count: u32 =
            period.trim().trim_end_matches(unit).trim().parse().map_err(|_| QuotaSettingError)?;
        let calls: u32 = calls.trim().parse().map_err(|_| QuotaSettingError)?;
        let period = Duration::from_secs(seconds.saturating_mul(u64::from(count)));
        bounded(calls, period).map(Self::Limit).ok_or(QuotaSettingError)
    }
}

/// A quota, unless a figure is out of what a quota can be.
pub(crate) fn bounded(calls: u32, period: Duration) -> Option<Quota> {
    let sane =
        (1..=MOST_CALLS).contains(&calls) && (Duration::from_secs(1)..=LONGEST_PERIOD).contains(&period);
    sane.then_some(Quota { calls, period })
}

/// Quotas of the configuration, by endpoint name, with a default for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaOverrides {
    /// For endpoints not named; the published quota where there is none.
    pub default: Option<QuotaSetting>,
    /// By the endpoint's short name.
    pub by_endpoint: BTreeMap<String, QuotaSetting>,
}

impl QuotaOverrides {
    /// What the configuration says about an endpoint, if anything.
    #[must_use]
    pub fn of(&self, endpoint: &Endpoint) -> Option<QuotaSetting> {
        self.by_endpoint.get(endpoint.name).copied().or(self.default)
    }
}

/// What an answer says about the quota. A 500 says nothing, so there is no word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The call was let through.
    Accepted,
    /// The call was refused because a quota was used up.
    Throttled {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
        /// The quota it named.
        hint: Option<Quota>,
    },
}

/// What an answer changed about the pace, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Nothing, or nothing new.
    None,
    /// The endpoint is not asked for this long.
    Paused(Duration),
    /// As [`Self::Paused`], and from now on at this lower quota.
    Lowered(Duration, Quota),
}

/// The pace of one endpoint for one account. Time comes in as an argument and nothing sleeps inside.
#[derive(Debug)]
pub struct Pacer {
    quota: Option<Quota>,
    source: Source,
    /// The published or configured period, for pauses where no quota is kept to.
    period: Duration,
    next_slot: Option<Instant>,
    /// Nothing is sent before; what was sent before it belongs to the refusal that set it.
    resume: Option<Instant>,
    settled: Option<Instant>,
}

impl Pacer {
    /// The pace at the start: as configured, else as published.
    #[must_use]
    pub fn new(endpoint: &Endpoint, overrides: &QuotaOverrides) -> Self {
        let (quota, source) = match overrides.of(endpoint) {
            Some(QuotaSetting::Limit(quota)) => (Some(quota), Source::Configured),
            Some(QuotaSetting::Unlimited) => (None, Source::Unlimited),
            None => (Some(endpoint.quota), Source::Published),
        };
        let period = quota.unwrap_or(endpoint.quota).period;
        Self { quota, source, period, next_slot: None, resume: None, settled: None }
    }

    /// The quota that is kept to; `None` for no limit of our own.
    #[must_use]
    pub const fn quota(&self) -> Option<Quota> {
        self.quota
    }

    /// Where that quota comes from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Books the next free slot. The caller sleeps until then; when the endpoint [is paused](Self::is_paused) by
    /// then, the slot is void and the caller books another.
    pub fn reserve(&mut self, now: Instant) -> Instant {
        let slot = [self.next_slot, self.resume].into_iter().flatten().fold(now, Instant::max);
        self.next_slot = Some(slot + self.spacing());
        slot
    }

    /// Whether nothing may be sent at `now` because of a refusal.
    #[must_use]
    pub fn is_paused(&self, now: Instant) -> bool {
        self.resume.is_some_and(|resume| now < resume)
    }

    /// Learns from the answer, received at `now`, to a call sent at `sent`.
    pub fn observe(&mut self, sent: Instant, now: Instant, signal: Signal) -> Lesson {
        let Signal::Throttled { retry_after, hint } = signal else { return Lesson::None };
        // Calls that were in flight together are refused together: one overload is one lesson.
        if self.settled.is_some_and(|settled| sent <= settled) {
            return Lesson::None;
        }
        self.settled = Some(now);
        let lower = hint.filter(|hint| self.quota.is_none_or(|quota| is_lower(*hint, quota)));
        if let Some(quota) = lower {
            self.quota = Some(quota);
            self.source = Source::Refusal;
            self.period = quota.period;
        }
        let pause = retry_after.unwrap_or(self.period).max(SHORTEST_PAUSE);
        self.resume = self.resume.max(Some(now + pause));
        lower.map_or(Lesson::Paused(pause), |quota| Lesson::Lowered(pause, quota))
    }

    /// Time between two calls: none where there is no limit of our own.
    #[must_use]
    pub fn spacing(&self) -> Duration {
        let Some(quota) = self.quota else { return Duration::ZERO };
        let (part, whole) = SHARE;
        quota.period * whole / quota.calls.max(1).saturating_mul(part)
    }
}

/// Whether a quota allows fewer calls over time than another.
fn is_lower(this: Quota, other: Quota) -> bool {
    u128::from(this.calls) * other.period.as_nanos() < u128::from(other.calls) * this.period.as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Method;

    static ORDERS: Endpoint = Endpoint {
        name: "orders",
        method: Method::Get,
        path: "/o",
        max_limit: 100,
        quota: Quota::per_second(20),
        reseller: crate::request::ResellerIn::Query,
    };

    const REFUSED: Signal = Signal::Throttled { retry_after: None, hint: None };

    fn pacer(overrides: &[(&str, &str)]) -> Pacer {
        let mut all = QuotaOverrides::default();
        for (name, quota) in overrides {
            all.by_endpoint.insert((*name).to_owned(), QuotaSetting::parse(quota).expect("a quota"));
        }
        Pacer::new(&ORDERS, &all)
    }

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn quotas_are_read_as_written() {
        let per =
            |calls, seconds| Ok(QuotaSetting::Limit(Quota { calls, period: Duration::from_secs(seconds) }));
        assert_eq!(QuotaSetting::parse("10/1s"), per(10, 1));
        assert_eq!(QuotaSetting::parse(" 600 / 5m "), per(600, 300));
        assert_eq!(QuotaSetting::parse("7/24h"), per(7, 86400));
        assert_eq!(QuotaSetting::parse("1000000/1d"), per(1_000_000, 86400));
        assert_eq!(QuotaSetting::parse("none"), Ok(QuotaSetting::Unlimited));
        for wrong in
            ["", "10", "10/s", "0/1s", "10/0s", "-1/1s", "1000001/1s", "1/2d", "10/1x", "10/1é", "/", "1/ss"]
        {
            assert_eq!(QuotaSetting::parse(wrong), Err(QuotaSettingError), "{wrong}");
        }
    }

    #[test]
    fn slots_keep_nine_tenths_of_the_quota_without_bursts() {
        let mut pacer = pacer(&[("orders", "10/1s"), ("other", "1/1s")]);
        assert_eq!((pacer.quota(), pacer.source()), (Some(Quota::per_second(10)), Source::Configured));
        let start = Instant::now();
        let slots: Vec<Instant> = (0..40).map(|_| pacer.reserve(start)).collect();
        assert_eq!(slots[0], start);
        assert!(slots.windows(2).all(|pair| pair[1] - pair[0] > ms(111)));
        for from in &slots {
            assert!(slots.iter().filter(|slot| *slot >= from && **slot < *from + ms(1000)).count() <= 10);
        }
        // Time that went by unused is not made up for in a burst.
        let later = start + ms(60_000);
        assert_eq!(pacer.reserve(later), later);
        assert!(pacer.reserve(later) > later + ms(111));
    }

    #[test]
    fn a_burst_of_refusals_is_one_lesson() {
        let mut pacer = pacer(&[]);
        assert_eq!(pacer.source(), Source::Published);
        let start = Instant::now();
        let sent = pacer.reserve(start);
        assert_eq!(pacer.observe(sent, start + ms(10), REFUSED), Lesson::Paused(ms(1000)));
        for late in 11..20 {
            assert_eq!(pacer.observe(sent + ms(5), start + ms(late), REFUSED), Lesson::None);
        }
        assert!(pacer.is_paused(start + ms(1009)));
        assert!(!pacer.is_paused(start + ms(1010)));
        assert_eq!(pacer.reserve(start + ms(20)), start + ms(1010));
        assert_eq!(pacer.observe(start + ms(1010), start + ms(1020), REFUSED), Lesson::Paused(ms(1000)));
        assert_eq!(pacer.observe(start + ms(3000), start + ms(3001), Signal::Accepted), Lesson::None);
    }

    #[test]
    fn the_pause_a_server_asks_for_is_kept_in_bounds() {
        let mut pacer = pacer(&[]);
        let start = Instant::now();
        let asked = |retry_after| Signal::Throttled { retry_after: Some(retry_after), hint: None };
        assert_eq!(pacer.observe(start, start, asked(ms(7000))), Lesson::Paused(ms(7000)));
        assert_eq!(pacer.observe(start + ms(1), start + ms(2), asked(ms(0))), Lesson::Paused(SHORTEST_PAUSE));
        // The shorter pause does not undo the longer one.
        assert!(pacer.is_paused(start + ms(6999)));
    }

    #[test]
    fn only_a_lower_quota_is_adopted() {
        let start = Instant::now();
        let told = |calls, seconds| Signal::Throttled {
            retry_after: None,
            hint: Some(Quota { calls, period: Duration::from_secs(seconds) }),
        };
        let mut published = pacer(&[]);
        assert_eq!(published.observe(start, start, told(30, 1)), Lesson::Paused(ms(1000)));
        assert_eq!(published.source(), Source::Published);
        let lower = Quota { calls: 200, period: Duration::from_mins(5) };
        assert_eq!(
            published.observe(start + ms(1), start + ms(1), told(200, 300)),
            Lesson::Lowered(ms(300_000), lower)
        );
        assert_eq!((published.quota(), published.source()), (Some(lower), Source::Refusal));

        let mut free = pacer(&[("orders", "none")]);
        assert_eq!((free.quota(), free.source()), (None, Source::Unlimited));
        assert!((0..1000).all(|_| free.reserve(start) == start));
        assert_eq!(free.observe(start, start, REFUSED), Lesson::Paused(ms(1000)));
        assert!(free.reserve(start) > start);
        assert_eq!(
            free.observe(start + ms(1), start + ms(1), told(5, 1)),
            Lesson::Lowered(ms(1000), Quota::per_second(5))
        );
    }
}
