//! How fast one endpoint may be asked under one quota: as fast as the gateway lets us, with hardly a refusal.
//!
//! Pure arithmetic. Times come in as arguments, chance from a seed; nothing sleeps, no clock is read. The figures it must
//! reach are those of `tests/rates`.

use std::time::Duration;

use tokio::time::Instant;

use super::calls::Calls;
use super::halt::{Episode, Halt, RoundTrip};
use super::margin::Margin;
use super::phase::Phase;
use super::trial::{Firmness, Load, Trial};
use super::words::{QuotaOrigin, QuotaShare, QuotaStart, Turn, WaitCause, WaitReason};
use crate::quota::Quota;

mod learn;
pub(super) mod remembered;

/// Most calls in flight.
const WIDEST: usize = 64;

/// A quota nobody told begins here and doubles until a call is refused.
const SLOW_START: Quota = Quota::per_second(2);

/// How often a slow start doubles.
const DOUBLING: Duration = Duration::from_secs(2);

/// With a wider margin than this, refusals tell where the quota ends; no trial is needed.
const CONTENDED: f64 = 0.05;

/// Periods a quota is guessed to have when a refusal names none.
const USUAL_PERIODS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_mins(1), Duration::from_hours(1)];

/// The controller of one (account, endpoint, policy).
#[derive(Clone, Debug)]
pub struct Controller {
    endpoint: &'static str,
    quota: Option<Quota>,
    origin: QuotaOrigin,
    ceiling: Option<Quota>,
    share: QuotaShare,
    margin: Margin,
    calls: Calls,
    /// Calls of the last hour, while the quota can only be counted.
    history: Calls,
    doubles_at: Instant,
    /// Until then more care is taken than the margin asks for.
    quiet_until: Option<Instant>,
    /// At an instant, how long ago somebody had told the quota last.
    confirmed: Option<(Instant, Duration)>,
    last_call: Option<Instant>,
    last_refused: Option<Instant>,
    next_slot: Instant,
    /// Calls that may be made up for after a delay.
    depth: f64,
    flight: usize,
    answer: RoundTrip,
    episode: Episode,
    phase: Phase,
    trial: Trial,
    dice: u64,
}

impl Controller {
    /// A controller that knows what the configuration or the vendor's documents say.
    #[must_use]
    pub fn new(
        endpoint: &'static str,
        start: QuotaStart,
        share: QuotaShare,
        now: Instant,
        seed: u64,
    ) -> Self {
        let (quota, origin) = match start {
            QuotaStart::Configured(quota) => (Some(quota), QuotaOrigin::Configured),
            QuotaStart::Published(quota) => (Some(quota), QuotaOrigin::Published),
            QuotaStart::Unknown => (Some(SLOW_START), QuotaOrigin::SlowStart),
            QuotaStart::Unlimited => (None, QuotaOrigin::Configured),
        };
        let basis = quota.unwrap_or(SLOW_START);
        let margin =
            if origin == QuotaOrigin::SlowStart { Margin::new(basis) } else { Margin::of_documented(basis) };
        let mut controller = Self {
            endpoint,
            quota,
            origin,
            ceiling: quota.filter(|_| origin == QuotaOrigin::Configured),
            share,
            margin,
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
            trial: Trial::new(now, basis, Firmness::Told),
            dice: seed,
        };
        controller.fill();
        controller
    }

    /// A short run is not slowed: a few calls may go out at once.
    fn fill(&mut self) {
        let Some(quota) = self.quota else { return };
        // One less than the depth, or the next one would come at the very moment at which a bucket has room for it.
        let ahead = self.spacing(quota).mul_f64((self.depth - 2.0).max(0.0));
        self.next_slot = self.next_slot.checked_sub(ahead).unwrap_or(self.next_slot);
    }

    /// Calls that another controller has booked are under this quota as well, which an answer named.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.margin = self.quota.map_or(self.margin, Margin::new);
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
    pub const fn origin(&self) -> QuotaOrigin {
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

    /// Whether nothing may be sent at `now` because of a refusal.
    #[must_use]
    pub fn is_paused(&self, now: Instant) -> bool {
        matches!(self.episode.halt, Halt::Until(until) if now < until)
    }

    /// Calls that may be unanswered at a time: enough to keep the pace, few enough that a refusal meets few of them.
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
            Halt::Until(until) if now < until => return self.wait(until, WaitReason::Paused),
            Halt::Probing { consent } => return self.wait(consent, WaitReason::Probe),
            Halt::None | Halt::Until(_) => {}
        }
        let Some(quota) = self.quota else { return Turn::Go };
        if self.flight >= self.width() {
            return self.wait(now + self.spacing(quota).max(Duration::from_millis(1)), WaitReason::InFlight);
        }
        let window = self.window(quota);
        if let Some(free) = self.calls.free_at(self.cap(quota), window) {
            return self.wait(free, WaitReason::Used);
        }
        if now < self.next_slot {
            return self.wait(self.next_slot, WaitReason::Pace);
        }
        Turn::Go
    }

    /// Books the call that [`Self::look`] allowed.
    pub(super) fn book(&mut self, now: Instant) {
        self.flight += 1;
        self.last_call = Some(now);
        self.trial.sent();
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

    /// What passes with time alone.
    fn advance(&mut self, now: Instant) {
        self.episode.settle(now);
        self.quiet_until = self.quiet_until.filter(|until| now < *until);
        let Some(quota) = self.quota else { return };
        self.calls.expire(now, self.window(quota));
        if self.origin == QuotaOrigin::SlowStart {
            if self.episode.level > 0 || (now >= self.doubles_at && self.calls.count() < quota.calls / 2) {
                self.doubles_at = now + DOUBLING;
            } else if now >= self.doubles_at {
                self.doubles_at = now + DOUBLING;
                self.set(Quota { calls: (quota.calls * 2).min(Quota::MOST_CALLS), ..quota });
            }
            return;
        }
        let is_capped = self.ceiling.is_some_and(|ceiling| !quota.is_lower_than(ceiling));
        let is_contended = self.episode.level > 0 || self.margin.get() > CONTENDED;
        // Who leaves a part to others cannot see where the whole ends.
        if is_capped || is_contended || self.share != QuotaShare::ALL {
            return;
        }
        if let Some(more) = self.trial.advance(now, quota, self.load(quota)) {
            let calls = to_u32((f64::from(quota.calls) * (1.0 + more)).ceil()).min(Quota::MOST_CALLS);
            self.quota = Some(Quota { calls, ..quota });
            self.origin = QuotaOrigin::Tried;
            self.confirmed = Some((now, Duration::ZERO));
        }
    }

    /// Whether most of the quota was used in the last window.
    fn load(&self, quota: Quota) -> Load {
        let most = u64::from(self.cap(quota)) * 7;
        if u64::from(self.calls.count()) * 10 >= most { Load::Full } else { Load::Light }
    }

    /// Time between two calls.
    fn spacing(&self, quota: Quota) -> Duration {
        self.window(quota).div_f64(self.budget(quota).max(0.01))
    }

    /// Time in which no more than the quota is sent.
    fn window(&self, quota: Quota) -> Duration {
        let margin = if self.quiet_until.is_some() { self.margin.careful(quota) } else { self.margin.get() };
        quota.period.mul_f64(1.0 + margin)
    }

    fn budget(&self, quota: Quota) -> f64 {
        f64::from(quota.calls) * self.share.of() * (1.0 + self.trial.extra())
    }

    /// Most calls in a window.
    fn cap(&self, quota: Quota) -> u32 {
        // Rounded up: the pace keeps the mean, and a quota of one call must not become none.
        to_u32(self.budget(quota).ceil()).max(1)
    }

    fn is_counting(&self) -> bool {
        matches!(self.origin, QuotaOrigin::SlowStart | QuotaOrigin::Counted)
    }

    fn standing(&self) -> Firmness {
        if self.is_counting() { Firmness::Guessed } else { Firmness::Told }
    }

    fn wait(&self, until: Instant, reason: WaitReason) -> Turn {
        let why = WaitCause { reason, endpoint: self.endpoint, quota: self.quota, origin: self.origin };
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

/// Calls that a controller may make up for at first: a tenth of the quota, but no more than may be in
/// vain when all of them are refused.
fn depth_of(quota: Quota) -> f64 {
    (f64::from(quota.calls) / 10.0).clamp(2.0, 12.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in bounds after the clamp")]
fn to_u32(figure: f64) -> u32 {
    figure.clamp(0.0, f64::from(u32::MAX)) as u32
}
