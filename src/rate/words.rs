//! What is said to a rate controller, and what it says.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::quota::Quota;
use crate::quota::hint::QuotaHint;

/// Where the quota that is kept to comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaOrigin {
    /// The configuration; never exceeded.
    Configured,
    /// A header of an answer.
    Header,
    /// The text of a refusal.
    Refusal,
    /// An earlier run.
    Stored,
    /// The vendor's published table (vendor-contract.md §5).
    Published,
    /// Nobody told it, and more is tried every two seconds.
    SlowStart,
    /// Counted when calls were refused without figures.
    Counted,
    /// More than was told was tried, and it was accepted.
    Tried,
}

impl QuotaOrigin {
    const ALL: [(&'static str, Self); 8] = [
        ("configured", Self::Configured),
        ("header", Self::Header),
        ("refusal", Self::Refusal),
        ("stored", Self::Stored),
        ("published", Self::Published),
        ("slow_start", Self::SlowStart),
        ("counted", Self::Counted),
        ("tried", Self::Tried),
    ];

    /// The word in `rate_state.origin`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, origin)| *origin == self).map_or("", |(word, _)| word)
    }

    /// Reads [`Self::as_str`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, origin)| *origin)
    }
}

impl fmt::Display for QuotaOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configured => "configured",
            Self::Header => "told by a header",
            Self::Refusal => "learned from refusal",
            Self::Stored => "learned in an earlier run",
            Self::Published => "published",
            Self::SlowStart => "slow start",
            Self::Counted => "counted",
            Self::Tried => "tried",
        })
    }
}

/// What an answer says about the quota; every booked call must be given back with one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The call was let through.
    Accepted {
        /// The quota that its headers name. What they say is left of it is half a second old when it arrives, and did
        /// not help in the simulation (`docs/inside/rate-figures.md`).
        told: Option<QuotaHint>,
    },
    /// The call was refused because a quota was used up.
    Throttled {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
        /// The quota it named.
        hint: Option<QuotaHint>,
    },
    /// An answer that says nothing about the quota, or none at all; the call may have been counted.
    Silent,
    /// The call never left.
    Unsent,
}

/// What an answer changed, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Nothing, or nothing new.
    None,
    /// The endpoint is not asked for this long.
    Paused(Duration),
    /// From now on at this quota; not asked for this long first.
    Learned(Quota, Duration),
    /// The quota of a day is used up: it is not waited for, the endpoint is done for this run.
    Exhausted(Quota),
}

/// Whether a call may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Now. The call is booked: its outcome must be told to [`Controller::observe`](super::Controller::observe).
    Go,
    /// Not before `until`; then ask again, because it may have become later. Earlier only for [`WaitReason::InFlight`],
    /// when a call comes back.
    Wait {
        /// When to ask again.
        until: Instant,
        /// What is waited for.
        why: WaitCause,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// Calls keep a distance.
    Pace,
    /// As many calls as are allowed were sent in the last period.
    Used,
    /// A call was refused.
    Paused,
    /// A call that shows whether the pause was long enough is out.
    Probe,
    /// As many calls are unanswered as there may be.
    InFlight,
}

/// Why a call waits. Fits "waiting 0.8 s: {}".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitCause {
    /// What is waited for.
    pub reason: WaitReason,
    /// The endpoint's short name.
    pub endpoint: &'static str,
    /// The quota that is kept to; `None` for no limit of our own.
    pub quota: Option<Quota>,
    /// Where it comes from.
    pub origin: QuotaOrigin,
}

impl fmt::Display for WaitCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quota {
            Some(quota) => write!(f, "quota of {}, {quota}, {}", self.endpoint, self.origin)?,
            None => write!(f, "quota of {}, not known", self.endpoint)?,
        }
        f.write_str(match self.reason {
            WaitReason::Pace => "",
            WaitReason::Used => "; all of it is used",
            WaitReason::Paused => "; paused after a refusal",
            WaitReason::Probe => "; one call tries whether the pause was long enough",
            WaitReason::InFlight => "; enough calls are unanswered",
        })
    }
}

/// What is known of a quota before the first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaStart {
    /// Keep to this quota, and never try more.
    Configured(Quota),
    /// The vendor's published quota.
    Published(Quota),
    /// Nothing: begin slowly.
    Unknown,
    /// No limit of our own; refusals only.
    Unlimited,
}

/// The part of a quota that is used, in hundredths; the rest is for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaShare(u8);

impl Default for QuotaShare {
    fn default() -> Self {
        Self::ALL
    }
}

impl QuotaShare {
    /// All of it.
    pub const ALL: Self = Self(100);

    /// From 1 to 100 hundredths; anything else is brought into these bounds.
    #[must_use]
    pub fn percent(percent: u8) -> Self {
        Self(percent.clamp(1, 100))
    }

    /// Reads `80%`.
    ///
    /// # Errors
    /// For anything but a whole number from 1 to 100 and a percent sign.
    pub fn parse(text: &str) -> Result<Self, String> {
        let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        let share = percent.filter(|percent| (1..=100).contains(percent)).map(Self);
        share.ok_or_else(|| "write the part of the quotas to use as 1% to 100%".to_owned())
    }

    pub(super) fn of(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}
