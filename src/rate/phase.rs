//! Where the gateway's windows begin, learned from the ends of pauses.

use std::time::Duration;

use tokio::time::Instant;

/// Calls may take longer or shorter than others to arrive by about this much.
const JITTER: Duration = Duration::from_millis(30);

/// Episodes that must agree before an edge is believed.
const BELIEVED: u32 = 3;

/// The edge of fixed windows: between `lo` and `hi`, and again every period.
#[derive(Clone, Debug, Default)]
pub(super) struct Phase {
    edge: Option<(Instant, Instant)>,
    agreed: u32,
}

impl Phase {
    /// A call sent at `refused` was the last to be refused, one sent at `accepted` the first to be accepted.
    pub(super) fn learn(&mut self, refused: Instant, accepted: Instant, period: Duration) {
        let Some(lo) = refused.checked_sub(JITTER) else { return };
        let seen = (lo, accepted + JITTER);
        if seen.1 - seen.0 >= period {
            return;
        }
        let Some(old) = self.edge else {
            self.edge = Some(seen);
            self.agreed = 1;
            return;
        };
        let old = shift(old, seen.0, period);
        // The shifted edge may lie a period too early for the new one.
        let both = [old, (old.0 + period, old.1 + period)]
            .into_iter()
            .map(|old| (old.0.max(seen.0), old.1.min(seen.1)))
            .find(|both| both.0 < both.1);
        if let Some(both) = both {
            self.edge = Some(both);
            self.agreed = self.agreed.saturating_add(1);
        } else {
            // Windows that open with the first call after the last one drift a little: near is not wrong.
            let near = period / 20;
            let gap = gap(old, seen).min(gap((old.0 + period, old.1 + period), seen));
            self.edge = Some(seen);
            self.agreed = if gap < near { self.agreed } else { 0 };
        }
    }

    /// The next edge after `now`, if windows are believed in: its earliest and its latest time.
    pub(super) fn next(&self, now: Instant, period: Duration) -> Option<(Instant, Instant)> {
        let edge = self.edge.filter(|_| self.agreed >= BELIEVED)?;
        let next = shift(edge, now, period);
        Some(if next.1 <= now { (next.0 + period, next.1 + period) } else { next })
    }
}

/// An interval moved by whole periods so that it begins at most a period before `to`.
fn shift(edge: (Instant, Instant), to: Instant, period: Duration) -> (Instant, Instant) {
    let periods = to.saturating_duration_since(edge.0).as_nanos() / period.as_nanos().max(1);
    let by = period * u32::try_from(periods).unwrap_or(u32::MAX);
    (edge.0 + by, edge.1 + by)
}

/// Time between two intervals that do not overlap.
fn gap(a: (Instant, Instant), b: (Instant, Instant)) -> Duration {
    b.0.saturating_duration_since(a.1).max(a.0.saturating_duration_since(b.1))
}
