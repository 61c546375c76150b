//! What a controller learns from answers.

use std::time::Duration;

use tokio::time::Instant;

use super::{CONTENDED, Controller, SLOW_START, USUAL_PERIODS, depth_of, to_u32};
use crate::quota::Quota;
use crate::quota::hint::QuotaHint;
use crate::rate::halt::{Ended, Halt};
use crate::rate::margin::{LONG, Margin};
use crate::rate::phase::Phase;
use crate::rate::trial::{Firmness, Load, Trial};
use crate::rate::words::{Lesson, QuotaOrigin, Signal};

/// With a wider margin than this, somebody else uses the quota as well.
const RIVALLED: f64 = 0.35;

/// With a wider margin than this, our own count of a quota was wrong.
const MISCOUNTED: f64 = 0.25;

impl Controller {
    /// Learns from the answer, received at `now`, to a call booked at `sent`.
    pub fn observe(&mut self, sent: Instant, now: Instant, signal: Signal) -> Lesson {
        self.flight = self.flight.saturating_sub(1);
        match signal {
            Signal::Accepted { told } => self.accepted(sent, now, told),
            Signal::Throttled { retry_after, hint } => self.throttled(sent, now, retry_after, hint),
            Signal::Silent => Lesson::None,
            Signal::Unsent => {
                self.calls.remove(sent);
                Lesson::None
            }
        }
    }

    fn accepted(&mut self, sent: Instant, now: Instant, told: Option<QuotaHint>) -> Lesson {
        self.answer.took(now.saturating_duration_since(sent));
        let Some(quota) = self.quota else { return Lesson::None };
        if self.origin != QuotaOrigin::SlowStart && self.load(quota) == Load::Full {
            self.margin.accepted(quota);
        }
        if let Some(ended) = self.episode.accepted(sent) {
            let lesson = self.learn_window(ended, now);
            if lesson != Lesson::None {
                return lesson;
            }
        }
        match told {
            Some(told) => self.adopt(told.quota, QuotaOrigin::Header, now, Duration::ZERO),
            None => Lesson::None,
        }
    }

    fn throttled(
        &mut self,
        sent: Instant,
        now: Instant,
        retry_after: Option<Duration>,
        hint: Option<QuotaHint>,
    ) -> Lesson {
        self.calls.remove(sent);
        self.history.remove(sent);
        self.last_refused = Some(now);
        let hint = hint.map(|hint| hint.quota);
        if let Some(quota) = hint.filter(|quota| quota.period >= Quota::LONGEST_PERIOD) {
            return Lesson::Exhausted(quota);
        }
        self.episode.refusal.took(now.saturating_duration_since(sent));
        // Calls that were in flight together are refused together: one overload is one lesson.
        if self.episode.is_known(sent) {
            return Lesson::None;
        }
        if let Some(ended) = self.episode.refused(sent, now) {
            self.learn_window(ended, now);
        }
        if self.episode.level == 1 {
            self.learn_margin(hint, now);
        }
        let before = self.quota;
        let lesson = match hint {
            Some(quota) => self.adopt(quota, QuotaOrigin::Refusal, now, Duration::ZERO),
            None => Lesson::None,
        };
        if self.origin == QuotaOrigin::SlowStart {
            let calls = self.history.since(now.checked_sub(SLOW_START.period).unwrap_or(now)).max(1);
            self.origin = QuotaOrigin::Counted;
            self.set(Quota { calls, ..SLOW_START });
        }
        if let (Some(quota), None) = (before, hint) {
            self.trial.refused(now, quota, self.standing());
        }
        let pause = self.pause(now, retry_after);
        self.episode.halt = Halt::Until(now + pause);
        if let Lesson::Learned(quota, _) = lesson {
            Lesson::Learned(quota, pause)
        } else {
            Lesson::Paused(pause)
        }
    }

    /// The margin is too small, unless more than the quota was tried or the quota is another one.
    fn learn_margin(&mut self, hint: Option<Quota>, now: Instant) {
        let Some(quota) = self.quota.filter(|_| self.origin != QuotaOrigin::SlowStart) else { return };
        if self.trial.extra() == 0.0 && hint.is_none_or(|hint| hint == quota) {
            self.margin.refused(now, quota);
            if self.origin == QuotaOrigin::Counted && self.margin.get() > MISCOUNTED {
                // A wide margin below a wrong count is a smaller count.
                let calls = to_u32((f64::from(quota.calls) / (1.0 + self.margin.get())).round()).max(1);
                self.quota = Some(Quota { calls, ..quota });
                self.margin = Margin::new(quota);
            }
            // With a wide margin it is the distance of calls that counts: nothing is made up for.
            let least = if self.margin.get() < CONTENDED { 3.0 } else { 1.05 };
            self.depth = (self.depth / 2.0).max(least);
        }
    }

    /// Keeps to a quota that was told from now on.
    fn adopt(&mut self, told: Quota, origin: QuotaOrigin, now: Instant, pause: Duration) -> Lesson {
        let quota = self.ceiling.filter(|ceiling| !told.is_lower_than(*ceiling)).unwrap_or(told);
        self.trial.refused(now, quota, Firmness::Told);
        self.confirmed = Some((now, Duration::ZERO));
        let is_new = self.quota != Some(quota);
        if self.ceiling != Some(quota) {
            self.origin = origin;
        }
        if is_new {
            self.set(quota);
            return Lesson::Learned(quota, pause);
        }
        Lesson::None
    }

    pub(super) fn set(&mut self, quota: Quota) {
        if self.quota.is_none_or(|old| old.period != quota.period) {
            self.phase = Phase::default();
        }
        self.quota = Some(quota);
        self.margin = Margin::new(quota);
        self.depth = self.depth.min(depth_of(quota));
    }

    /// An episode that is over tells where a window began; and how long it is, where nobody told.
    fn learn_window(&mut self, ended: Ended, now: Instant) -> Lesson {
        if let Some(quota) = self.quota.filter(|quota| quota.period >= LONG) {
            self.phase.learn(ended.last, ended.accepted, quota.period);
        }
        if self.is_counting() { self.count(ended.first, ended.accepted, now) } else { Lesson::None }
    }

    /// Counts the calls of the period that a pause shows.
    fn count(&mut self, refused: Instant, accepted: Instant, now: Instant) -> Lesson {
        let pause = accepted.saturating_duration_since(refused);
        let Some(period) = USUAL_PERIODS.into_iter().find(|period| pause <= *period + *period / 20) else {
            return Lesson::None;
        };
        let is_known =
            self.origin == QuotaOrigin::Counted && self.quota.is_some_and(|quota| quota.period >= period);
        // Of a period of which little was seen the calls are not known; until then a short one will do.
        let is_seen = self.history.first().is_some_and(|first| first + period / 2 <= accepted);
        if is_known || !is_seen {
            return Lesson::None;
        }
        // Rather too many: refusals correct that soon, and trials the opposite only slowly.
        let calls = self.history.most_in(period).clamp(1, Quota::MOST_CALLS);
        let quota = Quota { calls, period };
        self.origin = QuotaOrigin::Counted;
        self.set(quota);
        self.trial = Trial::new(now, quota, Firmness::Guessed);
        self.confirmed = Some((now, Duration::ZERO));
        Lesson::Learned(quota, Duration::ZERO)
    }

    /// How long to wait after a refusal.
    fn pause(&mut self, now: Instant, retry_after: Option<Duration>) -> Duration {
        let basis = self.quota.unwrap_or(SLOW_START);
        if let Some(asked) = retry_after {
            return asked.min(2 * basis.period + Duration::from_secs(5)).max(Duration::from_millis(1));
        }
        let spacing = self.spacing(basis);
        if self.episode.level == 1 {
            // A lone refusal costs no more than its own turn, and where the next is accepted there is no window to wait for.
            if basis.period < LONG && self.margin.get() < RIVALLED {
                // It strayed too close to another; by now there is room for it.
                self.next_slot = now + Duration::from_millis(1);
            }
            let turn = self.next_slot.saturating_duration_since(now);
            return if turn.is_zero() { spacing } else { turn };
        }
        if basis.period >= LONG
            && let Some((lo, hi)) = self.phase.next(now, basis.period)
        {
            let middle = lo + (hi - lo) / 2;
            let is_near = hi - lo < basis.period / 60;
            let at = if is_near || middle <= now { hi } else { middle };
            // A probe behind the edge that was refused: the edge is a little later than thought.
            if self.episode.level == 2 || at < now + basis.period / 10 {
                return at.saturating_duration_since(now)
                    + spacing.min(basis.period / 100).mul_f64(self.throw());
            }
        }
        self.episode.pause(basis.period, spacing).mul_f64(1.0 + 0.1 * self.throw())
    }
}
