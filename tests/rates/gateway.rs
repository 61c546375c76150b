//! Gateways that count calls, each in another way. Times are seconds since the beginning.

use std::collections::VecDeque;

/// How a gateway counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Windows that begin at times nobody knows.
    Fixed,
    /// A window opens with the first call after the last one ended.
    Anchored,
    /// Calls of the last period.
    Sliding,
    /// A bucket as deep as a tenth of the quota.
    Bucket,
    /// A bucket of one call.
    Strict,
}

impl Kind {
    /// Those over which the means are taken.
    pub const FOUR: [Self; 4] = [Self::Fixed, Self::Anchored, Self::Sliding, Self::Bucket];
}

/// A gateway at work.
#[derive(Clone, Debug)]
pub struct Gateway {
    kind: Kind,
    limit: f64,
    period: f64,
    /// Where windows begin.
    opened: f64,
    used: f64,
    log: VecDeque<f64>,
    tokens: f64,
    filled: f64,
}

impl Gateway {
    /// `phase`: where windows begin, from 0 to 1.
    pub fn new(kind: Kind, limit: f64, period: f64, phase: f64) -> Self {
        let opened = match kind {
            Kind::Fixed => (phase - 1.0) * period,
            Kind::Anchored | Kind::Sliding | Kind::Bucket | Kind::Strict => f64::NEG_INFINITY,
        };
        let mut gateway =
            Self { kind, limit, period, opened, used: 0.0, log: VecDeque::new(), tokens: 0.0, filled: 0.0 };
        gateway.tokens = gateway.depth();
        gateway
    }

    pub const fn limit(&self) -> f64 {
        self.limit
    }

    /// The quota is another from now on.
    pub fn change(&mut self, limit: f64) {
        self.limit = limit;
        self.tokens = self.tokens.min(self.depth());
    }

    fn depth(&self) -> f64 {
        if self.kind == Kind::Strict { 1.0 } else { (self.limit / 10.0).max(1.0) }
    }

    /// A call arrives: whether it is let through.
    pub fn arrive(&mut self, now: f64) -> bool {
        match self.kind {
            Kind::Fixed | Kind::Anchored => {
                if now >= self.opened + self.period {
                    self.used = 0.0;
                    self.opened = if self.kind == Kind::Anchored {
                        now
                    } else {
                        self.opened + self.period * ((now - self.opened) / self.period).floor()
                    };
                }
                let is_free = self.used + 1.0 <= self.limit;
                if is_free {
                    self.used += 1.0;
                }
                is_free
            }
            Kind::Sliding => {
                while self.log.front().is_some_and(|first| *first + self.period <= now) {
                    self.log.pop_front();
                }
                let used = f64::from(u32::try_from(self.log.len()).expect("few"));
                let is_free = used + 1.0 <= self.limit;
                if is_free {
                    self.log.push_back(now);
                }
                is_free
            }
            Kind::Bucket | Kind::Strict => {
                let rate = self.limit / self.period;
                self.tokens = (self.tokens + (now - self.filled) * rate).min(self.depth());
                self.filled = now;
                let is_free = self.tokens >= 1.0;
                if is_free {
                    self.tokens -= 1.0;
                }
                is_free
            }
        }
    }
}
