//! How fast one endpoint may be asked under one quota: as fast as the gateway lets us, with hardly a refusal.
//!
//! Pure arithmetic. Times come in as arguments, chance from a seed; nothing sleeps, no clock is read. The figures it must
//! reach are those of `tests/rates`.

use std::time::Duration;

use tokio::time::Instant;

use super::calls::Calls;
use super::halt::{Ended, Episode, Halt, RoundTrip};
use super::margin::{LONG, Margin};
use super::phase::Phase;
use super::trial::{Standing, Trial};
use super::words::{Lesson, Origin, Reason, Share, Signal, Start, Told, Turn, Why};
use super::{LONGEST_PERIOD, MOST_CALLS, is_lower};
use crate::refusal::QuotaHint;
use crate::request::Quota;

/// Most calls in flight.
const WIDEST: usize = 64;

/// A quota nobody told begins here and doubles until a call is refused.
const SLOW_START: Quota = Quota::per_second(2);

/// How often a slow start doubles.
const DOUBLING: Duration = Duration::from_secs(2);

/// With a wider margin than this, refusals tell where the quota ends; no trial is needed.
const CONTENDED: f64 = 0.05;

/// With a wider margin than this, our own count of a quota was wrong.
const MISCOUNTED: f64 = 0.25;

/// Periods a quota is guessed to have when a refusal names none.
const USUAL_PERIODS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_mins(1), Duration::from_hours(1)];

/// The controller of one (account, endpoint, policy).
#[derive(Clone, Debug)]
pub struct Controller {
    endpoint: &'static str,
    pub(super) quota: Option<Quota>,
    pub(super) origin: Origin,
    pub(super) ceiling: Option<Quota>,
    share: Share,
    pub(super) margin: Margin,
    pub(super) calls: Calls,
    /// Calls of the last hour, while the quota can only be counted.
    history: Calls,
    doubles_at: Instant,
    /// Until then more care is taken than the margin asks for.
    pub(super) quiet_until: Option<Instant>,
    /// At an instant, how long ago somebody had told the quota last.
    pub(super) confirmed: Option<(Instant, Duration)>,
    pub(super) last_call: Option<Instant>,
    pub(super) last_refused: Option<Instant>,
    pub(super) next_slot: Instant,
    /// Calls that may be made up for after a delay.
    pub(super) depth: f64,
    flight: usize,
    answer: RoundTrip,
    episode: Episode,
    phase: Phase,
    pub(super) trial: Trial,
    dice: u64,
}

impl Controller {
    /// A controller that knows what the configuration or the vendor's documents say.
    #[must_use]
    pub fn new(endpoint: &'static str, start: Start, share: Share, now: Instant, seed: u64) -> Self {
        let (quota, origin) = match start {
            Start::Configured(quota) => (Some(quota), Origin::Configured),
            Start::Published(quota) => (Some(quota), Origin::Published),
            Start::Unknown => (Some(SLOW_START), Origin::SlowStart),
            Start::Unlimited => (None, Origin::Configured),
        };
        let basis = quota.unwrap_or(SLOW_START);
        let mut controller = Self {
            endpoint,
            quota,
            origin,
            ceiling: quota.filter(|_| origin == Origin::Configured),
            share,
            margin: Margin::new(basis),
            calls: Calls::default(),
            history: Calls::default(),
            doubles_at: now + DOUBLING,
            quiet_until: None,
            confirmed: None,
            last_call: None,
            last_refused: None,
            next_slot: now,
            depth: depth_of(basis),
            flight: 0,
            answer: RoundTrip::default(),
            episode: Episode::new(),
            phase: Phase::default(),
            trial: Trial::new(now, basis, Standing::Told),
            dice: seed,
        };
        controller.fill();
        controller
    }

    /// A short run is not slowed: a few calls may go out at once.
    pub(super) fn fill(&mut self) {
        let Some(quota) = self.quota else { return };
        // One less than the depth, or the next one would come at the very moment at which a bucket has room for it.
        let ahead = self.spacing(quota).mul_f64((self.depth - 2.0).max(0.0));
        self.next_slot = self.next_slot.checked_sub(ahead).unwrap_or(self.next_slot);
    }

    /// Calls that another controller has booked are under this quota as well.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.calls = other.calls.clone();
        self.flight = other.flight;
        self.answer = other.answer;
    }

    /// The quota that is kept to; `None` for no limit of our own.
    #[must_use]
    pub const fn quota(&self) -> Option<Quota> {
        self.quota
    }

    /// Where that quota comes from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The part of the quota's time that is left unused, to stay clear of refusals.
    #[must_use]
    pub const fn margin(&self) -> f64 {
        self.margin.get()
    }

    /// Calls per second; `None` for no limit of our own.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.quota.map(|quota| 1.0 / self.spacing(quota).as_secs_f64().max(1e-6))
    }

    /// Calls that may be unanswered at a time: enough to keep the pace, few enough that a refusal meets few of them
    /// (`RATE` item 4).
    #[must_use]
    pub fn width(&self) -> usize {
        let Some(rate) = self.rate() else { return WIDEST };
        let time = self.answer.mean().unwrap_or(Duration::from_secs(1)) + 2 * self.answer.stray();
        let calls = to_u32((2.0 * rate * time.as_secs_f64()).ceil()).saturating_add(1);
        usize::try_from(calls).unwrap_or(WIDEST).min(WIDEST)
    }

    /// Whether a call may be sent at `now`; if so, it is booked.
    pub fn ask(&mut self, now: Instant) -> Turn {
        let turn = self.look(now);
        if turn == Turn::Go {
            self.book(now);
        }
        turn
    }

    /// As [`Self::ask`], but books nothing.
    pub(super) fn look(&mut self, now: Instant) -> Turn {
        self.advance(now);
        match self.episode.halt {
            Halt::Until(until) if now < until => return self.wait(until, Reason::Paused),
            Halt::Probing { consent } => return self.wait(consent, Reason::Probe),
            Halt::None | Halt::Until(_) => {}
        }
        let Some(quota) = self.quota else { return Turn::Go };
        if self.flight >= self.width() {
            return self.wait(now + self.spacing(quota).max(Duration::from_millis(1)), Reason::InFlight);
        }
        let window = self.window(quota);
        self.calls.expire(now, window);
        if let Some(free) = self.calls.free_at(self.cap(quota), window) {
            return self.wait(free, Reason::Used);
        }
        if now < self.next_slot {
            return self.wait(self.next_slot, Reason::Pace);
        }
        Turn::Go
    }

    /// Books the call that [`Self::look`] allowed.
    pub(super) fn book(&mut self, now: Instant) {
        self.flight += 1;
        self.last_call = Some(now);
        self.episode.sent(now);
        let Some(quota) = self.quota else { return };
        let spacing = self.spacing(quota);
        let lag = spacing.mul_f64(self.depth - 1.0);
        self.next_slot = self.next_slot.max(now.checked_sub(lag).unwrap_or(now)) + spacing;
        self.calls.add(now, self.cap(quota), self.window(quota));
        if self.is_counting() {
            self.history.expire(now, USUAL_PERIODS[2]);
            self.history.add(now, u32::MAX, USUAL_PERIODS[2]);
        }
    }

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

    fn accepted(&mut self, sent: Instant, now: Instant, told: Option<Told>) -> Lesson {
        self.answer.took(now.saturating_duration_since(sent));
        let Some(quota) = self.quota else { return Lesson::None };
        if self.origin != Origin::SlowStart {
            self.margin.accepted(quota);
        }
        if let Some(ended) = self.episode.accepted(sent) {
            let lesson = self.learn_window(ended, now);
            if lesson != Lesson::None {
                return lesson;
            }
        }
        match told {
            Some(told) => self.adopt(told.hint.quota, Origin::Header, now, Duration::ZERO),
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
        if let Some(quota) = hint.filter(|quota| quota.period >= LONGEST_PERIOD) {
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
            Some(quota) => self.adopt(quota, Origin::Refusal, now, Duration::ZERO),
            None => Lesson::None,
        };
        if self.origin == Origin::SlowStart {
            let calls = self.history.since(now.checked_sub(SLOW_START.period).unwrap_or(now)).max(1);
            self.origin = Origin::Counted;
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
        let Some(quota) = self.quota.filter(|_| self.origin != Origin::SlowStart) else { return };
        if self.trial.extra() == 0.0 && hint.is_none_or(|hint| hint == quota) {
            self.margin.refused(now, quota);
            if self.origin == Origin::Counted && self.margin.get() > MISCOUNTED {
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
    fn adopt(&mut self, told: Quota, origin: Origin, now: Instant, pause: Duration) -> Lesson {
        let quota = self.ceiling.filter(|ceiling| !is_lower(told, *ceiling)).unwrap_or(told);
        self.trial.refused(now, quota, Standing::Told);
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

    fn set(&mut self, quota: Quota) {
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
            self.origin == Origin::Counted && self.quota.is_some_and(|quota| quota.period >= period);
        let Some(from) = refused.checked_sub(period).filter(|_| !is_known) else { return Lesson::None };
        let calls = self.history.since(from).saturating_sub(self.history.since(refused)).clamp(1, MOST_CALLS);
        let quota = Quota { calls, period };
        self.origin = Origin::Counted;
        self.set(quota);
        self.trial = Trial::new(now, quota, Standing::Guessed);
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
            let turn = self.next_slot.saturating_duration_since(now);
            return if turn.is_zero() { spacing } else { turn };
        }
        if basis.period >= LONG {
            if let Some((lo, hi)) = self.phase.next(now, basis.period) {
                let middle = lo + (hi - lo) / 2;
                let is_near = hi - lo < basis.period / 60;
                let at = if is_near || middle <= now { hi } else { middle };
                // A probe behind the edge that was refused: the edge is a little later than thought.
                if self.episode.level == 2 || at < now + basis.period / 10 {
                    return at.saturating_duration_since(now)
                        + spacing.min(basis.period / 100).mul_f64(self.throw());
                }
            }
        }
        self.episode.pause(basis.period, spacing).mul_f64(1.0 + 0.1 * self.throw())
    }

    /// What passes with time alone.
    fn advance(&mut self, now: Instant) {
        self.episode.settle(now);
        self.quiet_until = self.quiet_until.filter(|until| now < *until);
        let Some(quota) = self.quota else { return };
        if self.origin == Origin::SlowStart {
            if self.episode.level > 0 {
                self.doubles_at = now + DOUBLING;
            } else if now >= self.doubles_at {
                self.doubles_at = now + DOUBLING;
                self.set(Quota { calls: (quota.calls * 2).min(MOST_CALLS), ..quota });
            }
            return;
        }
        let is_capped = self.ceiling.is_some_and(|ceiling| !is_lower(quota, ceiling));
        if is_capped || self.episode.level > 0 || self.margin.get() > CONTENDED {
            return;
        }
        if let Some(more) = self.trial.advance(now, quota) {
            let calls = to_u32((f64::from(quota.calls) * (1.0 + more)).ceil()).min(MOST_CALLS);
            self.quota = Some(Quota { calls, ..quota });
            self.origin = Origin::Tried;
            self.confirmed = Some((now, Duration::ZERO));
        }
    }

    /// Time between two calls.
    pub(super) fn spacing(&self, quota: Quota) -> Duration {
        self.window(quota).div_f64(self.budget(quota).max(0.01))
    }

    /// Time in which no more than the quota is sent.
    pub(super) fn window(&self, quota: Quota) -> Duration {
        let margin = if self.quiet_until.is_some() { self.margin.careful(quota) } else { self.margin.get() };
        quota.period.mul_f64(1.0 + margin)
    }

    fn budget(&self, quota: Quota) -> f64 {
        f64::from(quota.calls) * self.share.of() * (1.0 + self.trial.extra())
    }

    /// Most calls in a window.
    pub(super) fn cap(&self, quota: Quota) -> u32 {
        // Rounded up: the pace keeps the mean, and a quota of one call must not become none.
        to_u32(self.budget(quota).ceil()).max(1)
    }

    fn is_counting(&self) -> bool {
        matches!(self.origin, Origin::SlowStart | Origin::Counted)
    }

    fn standing(&self) -> Standing {
        if self.is_counting() { Standing::Guessed } else { Standing::Told }
    }

    fn wait(&self, until: Instant, reason: Reason) -> Turn {
        let why = Why { reason, endpoint: self.endpoint, quota: self.quota, origin: self.origin };
        Turn::Wait { until, why }
    }

    /// Evenly from 0 to 1.
    fn throw(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

/// Calls that a controller may make up for at first: a tenth of the quota (`RATE` item 3), but no more than may be in
/// vain when all of them are refused.
fn depth_of(quota: Quota) -> f64 {
    (f64::from(quota.calls) / 10.0).clamp(2.0, 12.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in bounds after the clamp")]
fn to_u32(figure: f64) -> u32 {
    figure.clamp(0.0, f64::from(u32::MAX)) as u32
}
