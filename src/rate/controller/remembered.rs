//! What a controller knows of a quota, from one run to the next.

use std::time::Duration;

use tokio::time::Instant;

use super::Controller;
use crate::quota::Quota;
use crate::rate::margin::{LONG, Margin};
use crate::rate::trial::Trial;
use crate::rate::words::{QuotaOrigin, QuotaShare, QuotaStart};
use crate::time::UtcSecond;

/// What was learned longer ago than this may be out of date, in seconds.
const STALE: i64 = 30 * 24 * 60 * 60;

/// Parts of a period in which calls are remembered.
const SLICES: u32 = 30;

/// The first minute of a run is careful: a short run has no time to learn anything from a refusal.
const QUIET: Duration = Duration::from_mins(1);

/// What a run leaves to the next about one (account, endpoint, policy).
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    /// The quota that was kept to.
    pub quota: Quota,
    /// Where it came from.
    pub origin: QuotaOrigin,
    /// The part of its time that had to be left unused.
    pub margin: f64,
    /// Calls that could be made up for after a delay.
    pub depth: f64,
    /// When the quota was last told or counted, UTC by this machine's clock.
    pub learned_at: UtcSecond,
    /// When the last call was sent, UTC by this machine's clock.
    pub last_call_at: Option<UtcSecond>,
    /// Calls in each thirtieth of a period up to the last call, the latest first; none beyond the end.
    pub recent: Vec<u32>,
    /// When a call was refused last, UTC by this machine's clock.
    pub last_refused_at: Option<UtcSecond>,
}

impl Remembered {
    /// Whether the quota is more than what the configuration or the documents said.
    const fn is_learned(&self) -> bool {
        !matches!(self.origin, QuotaOrigin::Published | QuotaOrigin::Configured | QuotaOrigin::SlowStart)
    }

    /// Whether the figures are those of a quota, and recent. Whoever stored them may have been another version.
    pub(in crate::rate) fn is_good(&self, today: UtcSecond) -> bool {
        Quota::bounded(self.quota.calls, self.quota.period).is_some()
            && self.margin.is_finite()
            && self.depth.is_finite()
            && today.unix().saturating_sub(self.learned_at.unix()) <= STALE
    }
}

impl Controller {
    /// A controller that goes on where another run ended. `now` and `today` are the same moment.
    ///
    /// What is older than 30 days, or makes no sense, is not believed; then this is [`Self::new`].
    #[must_use]
    pub fn resume(
        endpoint: &'static str,
        start: QuotaStart,
        share: QuotaShare,
        (now, today): (Instant, UtcSecond),
        seed: u64,
        remembered: &Remembered,
    ) -> Self {
        let mut controller = Self::new(endpoint, start, share, now, seed);
        if start == QuotaStart::Unlimited || !remembered.is_good(today) {
            return controller;
        }
        if remembered.is_learned() {
            let quota = remembered.quota;
            if controller.ceiling.is_none_or(|ceiling| quota.is_lower_than(ceiling)) {
                (controller.quota, controller.origin) = (Some(quota), QuotaOrigin::Stored);
            }
        }
        let Some(quota) = controller.quota.filter(|quota| *quota == remembered.quota) else {
            return controller;
        };
        let learned = ago(remembered.learned_at, today);
        controller.confirmed = Some((now, learned));
        controller.trial = Trial::confirmed_ago(now, quota, learned);
        controller.margin = Margin::remembered(remembered.margin);
        controller.depth = remembered.depth.clamp(1.0, f64::from(Quota::MOST_CALLS));
        controller.quiet_until = now.checked_add(QUIET).filter(|_| quota.period < LONG);
        controller.next_slot = now;
        match remembered.last_call_at {
            // The clock has whole seconds.
            Some(at) => {
                let idle = ago(at, today).saturating_sub(Duration::from_secs(1));
                controller.recall(quota, now, idle, &remembered.recent);
            }
            None => controller.fill(),
        }
        controller
    }

    /// Counts the calls of the run before, whose last was sent `idle` before `now`. Rather too late than too early.
    fn recall(&mut self, quota: Quota, now: Instant, idle: Duration, recent: &[u32]) {
        let (window, limit) = (self.window(quota), self.cap(quota));
        let Some(last) = now.checked_sub(idle).filter(|_| idle < window) else {
            self.fill();
            return;
        };
        for (slice, calls) in (0..SLICES).zip(recent).rev() {
            if let Some(sent) = last.checked_sub(quota.period * slice / SLICES) {
                for _ in 0..(*calls).min(limit) {
                    self.calls.add(sent, limit, window);
                }
            }
        }
        self.calls.expire(now, window);
        self.next_slot = now.max(last + self.spacing(quota));
    }

    fn recent(&self, quota: Quota) -> Vec<u32> {
        let Some(last) = self.last_call else { return Vec::new() };
        let since =
            |slice: u32| last.checked_sub(quota.period * slice / SLICES).map(|from| self.calls.since(from));
        (0..SLICES).map_while(|slice| Some(since(slice + 1)? - since(slice).unwrap_or(0))).collect()
    }

    /// What the next run should know; `None` while there is nothing to know. `now` and `today` are the same moment.
    #[must_use]
    pub fn remember(&self, now: Instant, today: UtcSecond) -> Option<Remembered> {
        let quota = self.quota.filter(|_| self.origin != QuotaOrigin::SlowStart)?;
        let at = |instant: Instant| minus(today, now.saturating_duration_since(instant));
        let learned = self.confirmed.map(|(seen, before)| now.saturating_duration_since(seen) + before);
        Some(Remembered {
            quota,
            origin: self.origin,
            margin: self.margin.get(),
            depth: self.depth,
            learned_at: minus(today, learned.unwrap_or_default()),
            last_call_at: self.last_call.map(at),
            recent: self.recent(quota),
            last_refused_at: self.last_refused.map(at),
        })
    }
}

/// How long before `today` it was; nothing when the clock was set back meanwhile.
fn ago(then: UtcSecond, today: UtcSecond) -> Duration {
    Duration::from_secs(u64::try_from(today.unix().saturating_sub(then.unix())).unwrap_or(0))
}

fn minus(today: UtcSecond, by: Duration) -> UtcSecond {
    today.plus(-i64::try_from(by.as_secs()).unwrap_or(i64::MAX))
}
