//! How a simulator behaves: its data, quotas, clock and the faults to come.

use std::time::Duration;

use super::faults::{Fault, Faults};
use super::generate::{Size, generate};
use super::quota::{QuotaPlan, RefusalStyle};
use super::truth::Truth;
use super::vendor::{Bounds, RowOrder};
use super::{ANCHOR, Clock, Endpoint, http};

/// How a simulator behaves.
#[must_use]
pub struct Script {
    seed: u64,
    orders: usize,
    customers: usize,
    resellers: usize,
    burst: usize,
    until: i64,
    is_inconsistent: bool,
    truth: Option<Truth>,
    pub plan: QuotaPlan,
    pub style: RefusalStyle,
    pub latency: Duration,
    pub largest_page: Option<(usize, u16)>,
    pub tells_quota: bool,
    pub bounds: Bounds,
    pub row_order: RowOrder,
    pub ties: RowOrder,
    pub clock: Clock,
    pub skew: i64,
    pub token_lifetime: i64,
    pub denied: Vec<Endpoint>,
    pub faults: Faults,
    pub port: u16,
}

impl Script {
    /// 300 orders of one customer, no quota, no faults.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            orders: 300,
            customers: 1,
            resellers: 0,
            burst: 0,
            until: ANCHOR,
            is_inconsistent: false,
            truth: None,
            plan: QuotaPlan::None,
            style: RefusalStyle::Gateway,
            latency: Duration::ZERO,
            largest_page: None,
            tells_quota: false,
            bounds: Bounds::Inclusive,
            row_order: RowOrder::Stable,
            ties: RowOrder::Stable,
            clock: Clock::Ahead(0),
            skew: 900,
            token_lifetime: 86_400,
            denied: Vec::new(),
            faults: Faults::default(),
            port: 0,
        }
    }

    /// Serves these rows instead of generated ones.
    pub fn serving(truth: Truth) -> Self {
        Self { truth: Some(truth), ..Self::seeded(0) }
    }

    /// How many orders stand in the list (members of combined trades come on top).
    pub fn orders(self, orders: usize) -> Self {
        Self { orders, ..self }
    }

    /// How many customers the partner has, the owner included.
    pub fn customers(self, customers: usize) -> Self {
        Self { customers, ..self }
    }

    /// How many resellers the partner has; the last half of its customers, at least one for each, are theirs.
    pub fn resellers(self, resellers: usize) -> Self {
        Self { resellers, ..self }
    }

    /// That many purchases in one single second, 45 days before the end.
    pub fn burst(self, burst: usize) -> Self {
        Self { burst, ..self }
    }

    /// The present of the generated account, unix seconds.
    pub fn until(self, until: i64) -> Self {
        Self { until, ..self }
    }

    /// Adds data that contradict themselves; `Truth::seeded` tells which.
    pub fn inconsistent(self) -> Self {
        Self { is_inconsistent: true, ..self }
    }

    pub fn quotas(self, plan: QuotaPlan) -> Self {
        Self { plan, ..self }
    }

    pub fn refusals(self, style: RefusalStyle) -> Self {
        Self { style, ..self }
    }

    /// Every answer takes this long.
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Whoever asks for more rows than these is answered with this status: 400, 413 or a failure.
    pub fn largest_page(self, rows: usize, status: u16) -> Self {
        Self { largest_page: Some((rows, status)), ..self }
    }

    /// Answers name the quota in a header when the request asks for it (`X-Apig-Mode: debug`).
    pub fn tells_quota(self) -> Self {
        Self { tells_quota: true, ..self }
    }

    pub fn bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The order of resources, catalogues and sub-customers.
    pub fn row_order(self, row_order: RowOrder) -> Self {
        Self { row_order, ..self }
    }

    /// Whether orders of one second come in the same order in every call that sorts.
    pub fn ties(self, ties: RowOrder) -> Self {
        Self { ties, ..self }
    }

    /// The vendor's clock differs from the real one by this many seconds (`Date`, signatures, tokens).
    pub fn clock_ahead(self, seconds: i64) -> Self {
        Self { clock: Clock::Ahead(seconds), ..self }
    }

    /// The vendor's clock shows `now` at the start. Signatures are checked without looking at their date,
    /// because the caller's clock shows the real time.
    pub fn starting_at(self, now: i64) -> Self {
        Self { clock: Clock::Ahead(now - http::real_now()), skew: i64::MAX, ..self }
    }

    /// The vendor's clock stands still at `now`, so that nothing depends on when a test runs; `Sim::set_now`
    /// moves it. Signatures are checked without looking at their date.
    pub fn standing_at(self, now: i64) -> Self {
        Self { clock: Clock::Standing(now), skew: i64::MAX, ..self }
    }

    /// The vendor accepts any date in a signature.
    pub fn any_date(self) -> Self {
        Self { skew: i64::MAX, ..self }
    }

    /// Seconds a token lives.
    pub fn token_lifetime(self, seconds: i64) -> Self {
        Self { token_lifetime: seconds, ..self }
    }

    /// No credential may call this endpoint.
    pub fn deny(mut self, endpoint: Endpoint) -> Self {
        self.denied.push(endpoint);
        self
    }

    /// A fault for the next call of any endpoint.
    pub fn then(self, fault: Fault) -> Self {
        self.fault(None, fault)
    }

    /// A fault for the next call of one endpoint, or of any.
    pub fn fault(mut self, endpoint: impl Into<Option<Endpoint>>, fault: Fault) -> Self {
        self.faults.push(endpoint.into(), fault);
        self
    }

    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The truth to serve, generated unless it was given.
    pub(super) fn take_truth(&mut self) -> Truth {
        let size = Size {
            seed: self.seed,
            orders: self.orders,
            customers: self.customers,
            burst: self.burst,
            until: self.until,
        };
        let mut truth = self.truth.take().unwrap_or_else(|| generate(size));
        if self.resellers > 0 {
            truth.give_to_resellers(self.resellers);
        }
        if self.is_inconsistent {
            truth.make_inconsistent(self.until);
        }
        truth
    }
}
