//! A quota: so many calls in so much time.

use std::time::Duration;

pub mod hint;

/// At most `calls` calls in any `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls allowed in a period; at least 1.
    pub calls: u32,
    /// Length of a period; at least a second.
    pub period: Duration,
}

impl Quota {
    /// Most calls a quota may name; larger figures are taken for mistakes.
    pub(crate) const MOST_CALLS: u32 = 1_000_000;

    /// Longest period a quota may have.
    pub(crate) const LONGEST_PERIOD: Duration = Duration::from_hours(24);

    /// A quota, unless a figure is out of what a quota can be.
    pub(crate) fn bounded(calls: u32, period: Duration) -> Option<Self> {
        let sane = (1..=Self::MOST_CALLS).contains(&calls)
            && (Duration::from_secs(1)..=Self::LONGEST_PERIOD).contains(&period);
        sane.then_some(Self { calls, period })
    }

    /// Whether it allows fewer calls over time than another.
    pub(crate) fn is_lower_than(self, other: Self) -> bool {
        u128::from(self.calls) * other.period.as_nanos() < u128::from(other.calls) * self.period.as_nanos()
    }

    /// `calls` calls each second, the usual form of the vendor's published quotas (vendor-contract.md §5).
    #[must_use]
    pub const fn per_second(calls: u32) -> Self {
        Self { calls, period: Duration::from_secs(1) }
    }
}

impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}s", self.calls, self.period.as_secs())
    }
}
