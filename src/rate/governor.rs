//! All quotas of one endpoint: a call must be within each of them.

use tokio::time::Instant;

use super::controller::Controller;
use super::controller::remembered::Remembered;
use super::words::{Lesson, QuotaOrigin, QuotaShare, QuotaStart, Signal, Turn};
use crate::quota::Quota;
use crate::quota::hint::Policy;
use crate::time::UtcSecond;

/// The controllers of one endpoint for one account, or for several accounts that share a key: one for the quota that is
/// known at first, and one more for each policy that a refusal or a header names.
#[derive(Clone, Debug)]
pub struct Governor {
    endpoint: &'static str,
    share: QuotaShare,
    seed: u64,
    /// Never empty.
    first: OtherQuota,
    others: Vec<OtherQuota>,
}

#[derive(Clone, Debug)]
struct OtherQuota {
    /// `None` until somebody names it.
    policy: Option<Policy>,
    controller: Controller,
}

impl Governor {
    /// A governor that knows what the configuration or the vendor's documents say.
    #[must_use]
    pub fn new(
        endpoint: &'static str,
        start: QuotaStart,
        share: QuotaShare,
        now: Instant,
        seed: u64,
    ) -> Self {
        let first =
            OtherQuota { policy: None, controller: Controller::new(endpoint, start, share, now, seed) };
        Self { endpoint, share, seed, first, others: Vec::new() }
    }

    /// A governor that goes on where another run ended. `now` and `today` are the same moment.
    ///
    /// What is older than 30 days, or makes no sense, is not believed; see [`Controller::resume`].
    #[must_use]
    pub fn resume(
        endpoint: &'static str,
        start: QuotaStart,
        share: QuotaShare,
        (now, today): (Instant, UtcSecond),
        seed: u64,
        remembered: &[(Option<Policy>, Remembered)],
    ) -> Self {
        let mut governor = Self::new(endpoint, start, share, now, seed);
        for (at, (policy, known)) in remembered.iter().enumerate() {
            // Only the first can be what the documents or the configuration mean.
            let start = if at == 0 { start } else { QuotaStart::Published(known.quota) };
            if at > 0 && !known.is_good(today) {
                continue;
            }
            let controller =
                Controller::resume(endpoint, start, share, (now, today), governor.chance(), known);
            let known = OtherQuota { policy: *policy, controller };
            if at == 0 {
                governor.first = known;
            } else {
                governor.others.push(known);
            }
        }
        governor
    }

    /// Whether a call may be sent at `now`; if so, it is booked under all quotas.
    pub fn ask(&mut self, now: Instant) -> Turn {
        let mut turn = Turn::Go;
        for known in self.all_mut() {
            let next = known.controller.look(now);
            turn = match (turn, next) {
                (Turn::Wait { until, .. }, Turn::Wait { until: later, .. }) if later > until => next,
                (Turn::Wait { .. }, _) => turn,
                (Turn::Go, _) => next,
            };
        }
        if turn == Turn::Go {
            self.all_mut().for_each(|known| known.controller.book(now));
        }
        turn
    }

    /// Learns from the answer, received at `now`, to a call booked at `sent`.
    pub fn observe(&mut self, sent: Instant, now: Instant, signal: Signal) -> Lesson {
        let named = match signal {
            Signal::Accepted { told: hint } | Signal::Throttled { hint, .. } => hint,
            Signal::Silent | Signal::Unsent => None,
        };
        let concerned = match named {
            Some(hint) => self.policy(hint.policy, hint.quota, now),
            None => self.tightest(),
        };
        let mut lesson = Lesson::None;
        for (at, known) in self.all_mut().enumerate() {
            let heard = if at == concerned { signal } else { overheard(signal) };
            let learned = known.controller.observe(sent, now, heard);
            if at == concerned {
                lesson = learned;
            }
        }
        lesson
    }

    /// Whether nothing may be sent at `now` because of a refusal.
    #[must_use]
    pub fn is_paused(&self, now: Instant) -> bool {
        self.all().any(|known| known.controller.is_paused(now))
    }

    /// Calls that may be unanswered at a time.
    #[must_use]
    pub fn width(&self) -> usize {
        self.all().map(|known| known.controller.width()).fold(usize::MAX, usize::min)
    }

    /// Calls per second under all quotas; `None` for no limit of our own.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.all().filter_map(|known| known.controller.rate()).reduce(f64::min)
    }

    /// The quota that allows the fewest calls over time; `None` for no limit of our own.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        self.controller().quota()
    }

    /// Where that quota comes from.
    #[must_use]
    pub fn origin(&self) -> QuotaOrigin {
        self.controller().origin()
    }

    /// What the next run should know. `now` and `today` are the same moment.
    #[must_use]
    pub fn remember(&self, now: Instant, today: UtcSecond) -> Vec<(Option<Policy>, Remembered)> {
        let known =
            self.all().filter_map(|known| Some((known.policy, known.controller.remember(now, today)?)));
        known.collect()
    }

    fn all(&self) -> impl Iterator<Item = &OtherQuota> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut OtherQuota> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    fn controller(&self) -> &Controller {
        let tightest = self.tightest();
        self.all().nth(tightest).map_or(&self.first.controller, |known| &known.controller)
    }

    /// The place of the quota that allows the fewest calls over time.
    fn tightest(&self) -> usize {
        let quotas = self.all().enumerate().filter_map(|(at, known)| Some((at, known.controller.quota()?)));
        quotas
            .reduce(|least, other| if other.1.is_lower_than(least.1) { other } else { least })
            .map_or(0, |(at, _)| at)
    }

    /// The place of the controller of a policy, which may be a new one.
    fn policy(&mut self, policy: Policy, quota: Quota, now: Instant) -> usize {
        if let Some(at) = self.all().position(|known| known.policy == Some(policy)) {
            return at;
        }
        // Whose calls the quota counts that was known at first was not said until now.
        if self.first.policy.is_none() {
            self.first.policy = Some(policy);
            return 0;
        }
        let seed = self.chance();
        let mut controller =
            Controller::new(self.endpoint, QuotaStart::Published(quota), self.share, now, seed);
        controller.take_over(&self.first.controller);
        self.others.push(OtherQuota { policy: Some(policy), controller });
        self.others.len()
    }

    fn chance(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.seed
    }
}

/// What an answer that another quota was meant by says about this one.
const fn overheard(signal: Signal) -> Signal {
    match signal {
        Signal::Accepted { .. } => Signal::Accepted { told: None },
        // It may have been counted before it was refused.
        Signal::Throttled { .. } | Signal::Silent => Signal::Silent,
        Signal::Unsent => Signal::Unsent,
    }
}
