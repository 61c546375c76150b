//! Trying a little more than the quota from time to time: a quota that was raised shows itself in no other way.

use std::time::Duration;

use tokio::time::Instant;

use super::margin::LONG;
use crate::quota::Quota;

/// Least time between trials of a quota that is known.
const REST: Duration = Duration::from_mins(10);

/// As [`REST`], for short periods, where a trial costs a call and a moment.
const SHORT_REST: Duration = Duration::from_mins(3);

/// First step above the quota.
const FIRST_STEP: f64 = 0.1;

/// A trial of a short period takes a few of them, so that no bucket is deep enough to hide it.
const SHORTEST: Duration = Duration::from_secs(3);

/// When to try more.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// Not before.
    due: Instant,
    step: f64,
    running: Option<Instant>,
    /// Calls of the trial that runs.
    sent: u32,
    standing: Firmness,
}

/// How firmly a quota is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Firmness {
    /// Told by the vendor or its documents.
    Told,
    /// Guessed from refusals without figures.
    Guessed,
}

/// Whether there is as much to do as the pace allows; only then calls show where a quota ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Calls wait for their turn.
    Full,
    /// The pace waits for calls.
    Light,
}

fn rest(quota: Quota, standing: Firmness) -> Duration {
    match standing {
        Firmness::Told if quota.period < LONG => SHORT_REST,
        Firmness::Told => REST.max(10 * quota.period),
        Firmness::Guessed => (2 * quota.period).max(30 * quota.period / quota.calls.max(1)),
    }
}

impl Trial {
    pub(super) fn new(now: Instant, quota: Quota, standing: Firmness) -> Self {
        Self { due: now + rest(quota, standing), step: FIRST_STEP, running: None, sent: 0, standing }
    }

    /// As if the quota had last been confirmed `ago`; the beginning of a run is quiet.
    pub(super) fn confirmed_ago(now: Instant, quota: Quota, ago: Duration) -> Self {
        let wait =
            rest(quota, Firmness::Told).saturating_sub(ago).max(quota.period.max(Duration::from_secs(90)));
        Self { due: now + wait, step: FIRST_STEP, running: None, sent: 0, standing: Firmness::Told }
    }

    /// What is tried above the quota at `now`, as a part of it.
    pub(super) const fn extra(&self) -> f64 {
        if self.running.is_some() { self.step } else { 0.0 }
    }

    /// A call goes out.
    pub(super) fn sent(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }

    /// Begins a trial that is due, where there is `load` for it, and says when one ended well: then the quota is larger by
    /// this part.
    pub(super) fn advance(&mut self, now: Instant, quota: Quota, load: Load) -> Option<f64> {
        if let Some(end) = self.running {
            if now < end {
                return None;
            }
            let allowed = f64::from(quota.calls) * length(quota).div_duration_f64(quota.period);
            if f64::from(self.sent) <= allowed {
                // Too few calls went out to show anything.
                *self = Self::new(now, quota, self.standing);
                return None;
            }
            let kept = self.step;
            self.step = (self.step * 2.0).min(1.0);
            self.begin(now, quota);
            return Some(kept);
        }
        if now >= self.due && load == Load::Full {
            self.begin(now, quota);
        }
        None
    }

    fn begin(&mut self, now: Instant, quota: Quota) {
        self.running = Some(now + length(quota));
        self.sent = 0;
    }

    /// A refusal came, or the quota was told: what is above it is known for a while.
    pub(super) fn refused(&mut self, now: Instant, quota: Quota, standing: Firmness) {
        *self = Self::new(now, quota, standing);
    }
}

fn length(quota: Quota) -> Duration {
    if quota.period < LONG { quota.period.max(SHORTEST) } else { quota.period }
}
