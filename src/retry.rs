//! Whether to try again and how long to wait first; the only user of `backoff`.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use tokio::time::Instant;

use crate::time::UtcSecond;

/// Until when a job may run. Monotonic, so a clock that is set does not move it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline.
    pub const NONE: Self = Self(None);

    /// A deadline at an instant.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// A deadline `duration` from `now`; none when that is beyond what the clock can count.
    #[must_use]
    pub fn after(now: Instant, duration: Duration) -> Self {
        Self(now.checked_add(duration))
    }

    /// Whether something may still happen at `instant`.
    #[must_use]
    pub fn allows(self, instant: Instant) -> bool {
        self.0.is_none_or(|end| instant < end)
    }

    /// The instant, if there is a deadline.
    #[must_use]
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }
}

/// What ran out when a request was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GaveUp {
    /// The tries of this request.
    #[error("no tries left")]
    Tries,
    /// What a job may spend on failed calls.
    #[error("too many of the job's calls failed")]
    Budget,
}

/// First pause is up to half a second: long enough for a hiccup, short enough for a page. Twice the mean,
/// because the pause is drawn evenly between nothing and this.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// No pause is longer than this unless the server asks for one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Calls made for one request before it is given up, refusals for a quota not counted.
pub const TRIES: u32 = 8;

/// One in this many of a job's calls may fail (20 %): beyond that the vendor is down and more calls do not help.
const BUDGET_SHARE: u64 = 5;

/// Failed calls a job may always afford, so that a short one is not given up after a hiccup.
const BUDGET_FLOOR: u64 = 50;

/// Longest `Retry-After` that is taken at its word; anything longer is treated as this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// What a failed try asks of our patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedTry {
    /// The server or the way to it failed; the server may ask for a pause.
    Unavailable {
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The connection was closed before the answer began: most likely it had waited in the pool for too long.
    HungUp,
}

/// Failed calls of a job so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// All calls.
    pub calls: u64,
    /// Calls repeated after a failure.
    pub failed: u64,
}

impl Spent {
    fn is_too_much(self) -> bool {
        self.failed >= BUDGET_FLOOR.max(self.calls / BUDGET_SHARE)
    }
}

/// The patience for one request: full jitter, a number of tries, the job's budget. Quota refusals do not touch it; they
/// cost time only, and the pace knows how much.
#[derive(Debug)]
pub struct Patience {
    pauses: ExponentialBackoff,
    tries: u32,
    replaced_connection: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

impl Patience {
    /// Fresh patience.
    #[must_use]
    pub fn new() -> Self {
        let mut pauses = ExponentialBackoff {
            // Drawn from mean ± 100 %, which is full jitter: evenly between nothing and twice the mean.
            initial_interval: FIRST_PAUSE / 2,
            max_interval: LONGEST_PAUSE / 2,
            randomization_factor: 1.0,
            multiplier: 2.0,
            // The job's deadline ends it, which unlike this clock is monotonic and known to the whole job.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        pauses.reset();
        Self { pauses, tries: 0, replaced_connection: false }
    }

    /// Failed tries so far.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// How long to wait before the next try.
    ///
    /// # Errors
    /// When no try is left, or the job has spent too much on failures.
    pub fn wait(&mut self, failure: FailedTry, spent: Spent) -> Result<Duration, GaveUp> {
        self.tries += 1;
        if self.tries >= TRIES {
            return Err(GaveUp::Tries);
        }
        if spent.is_too_much() {
            return Err(GaveUp::Budget);
        }
        if failure == FailedTry::HungUp && !self.replaced_connection {
            self.replaced_connection = true;
            return Ok(Duration::ZERO);
        }
        let pause = self.pauses.next_backoff().unwrap_or(LONGEST_PAUSE);
        Ok(match failure {
            FailedTry::Unavailable { retry_after: Some(asked) } => asked.max(pause),
            FailedTry::Unavailable { retry_after: None } | FailedTry::HungUp => pause,
        })
    }
}

/// Reads a `Retry-After` header: seconds, or an HTTP date compared with `now` (the server's clock where it sent one).
/// Longer than an hour counts as an hour; garbage, negative and fractional figures are ignored.
#[must_use]
pub fn retry_after(text: &str, now: UtcSecond) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are more than an hour.
        text.parse().unwrap_or(u64::MAX)
    } else {
        let at = UtcSecond::parse_http_date(text)?;
        u64::try_from(at.unix().saturating_sub(now.unix())).unwrap_or(0)
    };
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTHING_SPENT: Spent = Spent { calls: 0, failed: 0 };
    const FAILED: FailedTry = FailedTry::Unavailable { retry_after: None };

    #[test]
    fn eight_tries_are_made_and_no_more() {
        let mut patience = Patience::new();
        let waits: Vec<_> = (0..8).map(|_| patience.wait(FAILED, NOTHING_SPENT)).collect();
        assert!(waits[..7].iter().all(Result::is_ok));
        assert_eq!(waits[7], Err(GaveUp::Tries));
        assert_eq!(patience.tries(), 8);
    }

    #[test]
    fn pauses_are_drawn_evenly_below_a_doubling_ceiling() {
        let mut sums = [Duration::ZERO; 7];
        for _ in 0..400 {
            let mut patience = Patience::new();
            for (tries, sum) in sums.iter_mut().enumerate() {
                let wait = patience.wait(FAILED, NOTHING_SPENT).expect("a try is left");
                let ceiling = (FIRST_PAUSE * 2u32.pow(u32::try_from(tries).expect("few"))).min(LONGEST_PAUSE);
                assert!(wait <= ceiling + Duration::from_millis(1), "{wait:?} of {ceiling:?}");
                *sum += wait;
            }
        }
        // Mean of 400 even draws: half the ceiling, give or take far less than the fifth allowed here.
        for (tries, sum) in sums.iter().enumerate() {
            let half = (FIRST_PAUSE * 2u32.pow(u32::try_from(tries).expect("few"))).min(LONGEST_PAUSE) / 2;
            assert!(*sum > half * 320 && *sum < half * 480, "try {tries}: {sum:?}");
        }
    }

    #[test]
    fn a_job_stops_when_a_fifth_of_its_calls_fail_but_not_before_fifty() {
        let judge = |calls, failed| Patience::new().wait(FAILED, Spent { calls, failed }).err();
        assert_eq!(judge(49, 49), None);
        assert_eq!(judge(60, 50), Some(GaveUp::Budget));
        assert_eq!(judge(1000, 199), None);
        assert_eq!(judge(1000, 200), Some(GaveUp::Budget));
    }

    #[test]
    fn a_stale_connection_is_replaced_at_once_but_only_once() {
        let mut patience = Patience::new();
        assert_eq!(patience.wait(FailedTry::HungUp, NOTHING_SPENT), Ok(Duration::ZERO));
        for _ in 0..6 {
            assert!(patience.wait(FailedTry::HungUp, NOTHING_SPENT).is_ok());
        }
        assert_eq!(patience.wait(FailedTry::HungUp, NOTHING_SPENT), Err(GaveUp::Tries));
    }

    #[test]
    fn a_longer_pause_is_taken_when_the_server_asks_for_it() {
        let asked = Duration::from_secs(40);
        let failure = FailedTry::Unavailable { retry_after: Some(asked) };
        assert_eq!(Patience::new().wait(failure, NOTHING_SPENT), Ok(asked));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_of_at_most_an_hour() {
        let now = UtcSecond::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        let hour = 60 * 60;
        for (text, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("1000000000", Some(hour)),
            ("99999999999999999999999999", Some(hour)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(hour)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_retry_after_is_longer_than_an_hour(text in "\\PC*", now in any::<i64>()) {
            let wait = retry_after(&text, UtcSecond::from_unix(now));
            prop_assert!(wait.is_none_or(|wait| wait <= LONGEST_RETRY_AFTER));
        }
    }

    #[test]
    fn a_deadline_allows_what_lies_before_it() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let deadline = Deadline::after(now, second);
        assert!(deadline.allows(now));
        assert!(!deadline.allows(now + second));
        assert!(Deadline::NONE.allows(now + second * 1_000_000));
        assert_eq!(Deadline::after(now, Duration::MAX), Deadline::NONE);
    }
}
