//! How far below its quota a controller keeps: as close as refusals of a chosen frequency allow.

use std::time::Duration;

use tokio::time::Instant;

use crate::quota::Quota;

/// Periods from here on are waited for; shorter ones pass by themselves.
pub(super) const LONG: Duration = Duration::from_secs(10);

/// How far arrivals at the gateway stray, until refusals tell better.
const JITTER: f64 = 0.020;

/// The least that is kept to: a call in a thousand.
const LEAST: f64 = 0.001;

/// The most: a ninth of the quota; then somebody else uses it up, and giving way further gives them only more.
const MOST: f64 = 8.0;

/// The part of a quota's time that is not used: calls keep `period / calls * (1 + margin)` from each other.
///
/// Widened by each episode of refusals and narrowed by each accepted call, so that in balance one call in
/// `1 / set_point` begins an episode. Which edge is felt for need not be known: the edge of a window that calls stray
/// over, the depth of a bucket, or a rival who uses a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Margin {
    x: f64,
    /// Accepted calls since the last episode.
    clean: f64,
    /// Episodes that came quickly after one another.
    row: u32,
    /// When it was widened last.
    widened: Option<Instant>,
}

impl Margin {
    /// The margin of a quota nothing is known of.
    pub(super) fn new(quota: Quota) -> Self {
        Self::of_jitter(quota, JITTER)
    }

    /// The margin to begin with at a quota that the documents or the configuration name: nearer where that gains something,
    /// because hardly any gateway counts so strictly that calls stray over its edge, and one that does is found out by a few
    /// refusals.
    pub(super) fn of_documented(quota: Quota) -> Self {
        Self::of_jitter(quota, if quota.period >= LONG { JITTER } else { JITTER / 4.0 })
    }

    fn of_jitter(quota: Quota, jitter: f64) -> Self {
        Self { x: 0.003 + jitter / quota.period.as_secs_f64(), clean: 0.0, row: 0, widened: None }
    }

    /// A margin remembered from an earlier run.
    pub(super) fn remembered(x: f64) -> Self {
        Self { x: x.clamp(LEAST, MOST), clean: 0.0, row: 0, widened: None }
    }

    /// The margin with which hardly any call is refused.
    pub(super) fn careful(&self, quota: Quota) -> f64 {
        (2.0 * self.x).max(2.5 * Self::new(quota).x)
    }

    /// The margin, as a part of the time.
    pub(super) const fn get(&self) -> f64 {
        self.x
    }

    /// Episodes per call that are aimed at.
    fn set_point(&self, quota: Quota) -> f64 {
        if quota.period >= LONG {
            // A refused call costs the rest of a window: no oftener than every other window.
            let window = f64::from(quota.calls) / (1.0 + self.x);
            (1.0 / 110.0_f64).min(0.5 / window)
        } else {
            // A refused call costs a moment. Where the margin must be wide it is worth more to be close to the edge.
            // Where it helps nobody to give way, as with a rival at a bucket of one call, this ends it.
            (self.x / 10.0).min(0.009).max(self.x / 22.0).max(0.04 * self.x * self.x).clamp(0.002, 0.3)
        }
    }

    /// What a step is measured by: small margins change by parts of the quota, wide ones by parts of themselves.
    fn scale(quota: Quota) -> f64 {
        if quota.period >= LONG { 0.5 } else { 0.01 }
    }

    /// A call was accepted.
    pub(super) fn accepted(&mut self, quota: Quota) {
        let (point, scale) = (self.set_point(quota), Self::scale(quota));
        self.clean += 1.0;
        // The longer nothing is refused, the more likely it is that the reason is gone.
        let stretches = (self.clean * point / 1.5).floor().min(4.0);
        let step = STEP * point * 2.0_f64.powf(stretches);
        self.x = ((self.x + scale) * (-step).exp() - scale).max(LEAST);
    }

    /// A call was refused although it was in its turn; those refused with it do not count.
    pub(super) fn refused(&mut self, now: Instant, quota: Quota) {
        // What a rival did stays in a long window for a while: one lesson.
        let is_same = quota.period >= LONG && self.widened.is_some_and(|at| now < at + quota.period / SAME);
        if is_same {
            return;
        }
        self.widened = Some(now);
        let (point, scale) = (self.set_point(quota), Self::scale(quota));
        // Soon after the last: the margin is far too small.
        self.row = if self.clean * point < 0.2 { (self.row + 1).min(3) } else { 0 };
        self.clean = 0.0;
        let step = STEP * f64::from(1 + self.row);
        self.x = ((self.x + scale) * step.exp() - scale).min(MOST);
    }
}

/// Episodes in this part of a period are one.
const SAME: u32 = 10;

/// By how much an episode widens the margin.
const STEP: f64 = 0.1;
