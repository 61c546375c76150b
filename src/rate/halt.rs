//! What happens after a refusal: a pause, one probe, and on with it or a longer pause.

use std::time::Duration;

use tokio::time::Instant;

/// Longest pause between two probes of a short period: after minutes of nothing but refusals nobody is helped by more.
const LONGEST: Duration = Duration::from_secs(4);

/// Where a controller stands between a refusal and the next accepted call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Halt {
    /// Calls go out as the pace allows.
    None,
    /// Nothing goes out before.
    Until(Instant),
    /// One call is out; the others wait until it is answered, or until a refusal would have come back.
    Probing { consent: Instant },
}

/// One refusal, and those that follow it before a call is accepted.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    pub(super) halt: Halt,
    /// What was sent until then belongs to the last refusal.
    pub(super) settled: Option<Instant>,
    /// Refusals one after another, those of calls in flight together counted once.
    pub(super) level: u32,
    /// When the first call of the episode that was refused was sent.
    pub(super) first_refused: Option<Instant>,
    /// The latest call that was refused.
    pub(super) last_refused: Option<Instant>,
    /// The first call after the last pause.
    pub(super) probe: Option<Instant>,
    /// How long a refusal takes to come back.
    pub(super) refusal: RoundTrip,
}

impl Episode {
    pub(super) fn new() -> Self {
        Self {
            halt: Halt::None,
            settled: None,
            level: 0,
            first_refused: None,
            last_refused: None,
            probe: None,
            refusal: RoundTrip::default(),
        }
    }

    /// Whether a call sent at `sent` was refused together with others that were already learned from.
    pub(super) fn is_known(&self, sent: Instant) -> bool {
        self.settled.is_some_and(|settled| sent <= settled)
    }

    /// The pause at the present level, if nothing better is known.
    pub(super) fn pause(&self, period: Duration, spacing: Duration) -> Duration {
        let first = (period / 1000).max(spacing);
        let longest = (period / 6).max(LONGEST);
        let doubled = 2u32.saturating_pow(self.level.saturating_sub(1));
        first.saturating_mul(doubled).min(longest.max(first))
    }

    /// A call sent at `sent` that is not known to be refused was refused at `now`. That may end the episode before.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant) -> Option<Ended> {
        // Whoever came after a probe that was not refused is refused for another reason.
        let follows = self.level > 0 && self.probe.is_none_or(|probe| sent <= probe);
        let ended = if follows { None } else { self.end() };
        self.level += 1;
        self.settled = Some(now);
        self.last_refused = Some(sent);
        if self.level == 1 {
            self.first_refused = Some(sent);
        }
        ended
    }

    fn end(&mut self) -> Option<Ended> {
        self.level = 0;
        let probe = self.probe.take()?;
        Some(Ended { first: self.first_refused?, last: self.last_refused?, accepted: probe })
    }

    /// A call goes out at `now`.
    pub(super) fn sent(&mut self, now: Instant) {
        if let Halt::Until(_) = self.halt {
            self.probe = Some(now);
            self.halt = Halt::Probing { consent: now + self.refusal.bound() };
        }
    }

    /// Who did not refuse in the time a refusal takes has consented.
    pub(super) fn settle(&mut self, now: Instant) {
        if let Halt::Probing { consent } = self.halt
            && consent <= now
        {
            self.halt = Halt::None;
        }
    }

    /// A call sent at `sent` was accepted: whether that ends the episode.
    pub(super) fn accepted(&mut self, sent: Instant) -> Option<Ended> {
        self.probe.filter(|probe| *probe <= sent && self.level > 0)?;
        self.halt = Halt::None;
        self.end()
    }
}

/// An episode that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// When the first call that was refused was sent.
    pub(super) first: Instant,
    /// When the last was.
    pub(super) last: Instant,
    /// When the first that was not refused was.
    pub(super) accepted: Instant,
}

/// A moving mean of a time and of how far it strays.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundTrip {
    mean: Option<Duration>,
    stray: Duration,
}

impl RoundTrip {
    /// It took this long this time.
    pub(super) fn took(&mut self, time: Duration) {
        match self.mean {
            None => (self.mean, self.stray) = (Some(time), time / 2),
            Some(mean) => {
                self.stray = (self.stray * 7 + mean.abs_diff(time)) / 8;
                self.mean = Some((mean * 7 + time) / 8);
            }
        }
    }

    /// The mean; `None` before the first.
    pub(super) const fn mean(&self) -> Option<Duration> {
        self.mean
    }

    /// How far it strays.
    pub(super) const fn stray(&self) -> Duration {
        self.stray
    }

    /// What it hardly ever takes longer than.
    fn bound(&self) -> Duration {
        self.mean.unwrap_or(Duration::from_secs(1)) + 4 * self.stray + Duration::from_millis(5)
    }
}
