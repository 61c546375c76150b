//! The pace of an account: one governor for each endpoint, and calls that are given back whatever becomes of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info};

use crate::quota::Quota;
use crate::rate::words::{Lesson, QuotaOrigin, Signal, Turn, WaitCause};
use crate::rate::{Governor, QuotaOverrides, RateState};
use crate::request::Endpoint;
use crate::time::UtcSecond;

/// The pace of an account at all endpoints.
#[derive(Debug)]
pub struct Pace {
    account: String,
    quotas: QuotaOverrides,
    known: Vec<RateState>,
    governors: Mutex<HashMap<&'static str, Governor>>,
}

impl Pace {
    /// A pace that goes on where an earlier run ended: `known` is what that run left.
    #[must_use]
    pub fn new(account: String, quotas: QuotaOverrides, known: Vec<RateState>) -> Self {
        Self { account, quotas, known, governors: Mutex::default() }
    }

    /// The quota kept to at an endpoint (`None`: no limit of our own), and where it comes from.
    #[must_use]
    pub fn quota(&self, endpoint: &'static Endpoint) -> (Option<Quota>, QuotaOrigin) {
        self.with(endpoint, |governor| (governor.quota(), governor.origin()))
    }

    /// Time from one call of an endpoint to the next; none where there is no limit of our own.
    #[must_use]
    pub fn spacing(&self, endpoint: &'static Endpoint) -> Duration {
        let rate = self.with(endpoint, |governor| governor.rate());
        rate.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok()).unwrap_or_default()
    }

    /// What is known now of the endpoints that were asked.
    #[must_use]
    pub fn remember(&self) -> Vec<RateState> {
        let (now, today) = (Instant::now(), UtcSecond::now());
        let governors = self.governors.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(endpoint, governor): (&&str, &Governor)| {
            let endpoint = (*endpoint).to_owned();
            let pace =
                move |(policy, remembered)| RateState { endpoint: endpoint.clone(), policy, remembered };
            governor.remember(now, today).into_iter().map(pace).collect::<Vec<_>>()
        };
        governors.iter().flat_map(of).collect()
    }

    /// Books a call.
    ///
    /// # Errors
    /// When it must wait: until when, then to be asked again, and why.
    pub(super) fn ask(&self, endpoint: &'static Endpoint) -> Result<BookedCall<'_>, (Instant, WaitCause)> {
        let now = Instant::now();
        match self.with(endpoint, |governor| governor.ask(now)) {
            Turn::Go => Ok(BookedCall { pace: self, endpoint, at: now, signal: Signal::Unsent }),
            Turn::Wait { until, why } => Err((until, why)),
        }
    }

    /// Whether nothing may be sent now because of a refusal.
    pub(super) fn is_paused(&self, endpoint: &'static Endpoint) -> bool {
        let now = Instant::now();
        self.with(endpoint, |governor| governor.is_paused(now))
    }

    fn observe(&self, endpoint: &'static Endpoint, sent: Instant, signal: Signal) {
        let lesson = self.with(endpoint, |governor| governor.observe(sent, Instant::now(), signal));
        let millis = |pause: Duration| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        match lesson {
            Lesson::None => {}
            Lesson::Paused(pause) => {
                debug!(account.name = self.account, endpoint.name, pause.ms = millis(pause), "quota used up");
            }
            Lesson::Learned(quota, pause) => {
                info!(
                    account.name = self.account,
                    endpoint.name,
                    quota = %quota,
                    pause.ms = millis(pause),
                    "the quota is another one than assumed; keeping to it"
                );
            }
            Lesson::Exhausted(quota) => {
                info!(account.name = self.account, endpoint.name, quota = %quota, "the day's quota is used up");
            }
        }
    }

    fn with<T>(&self, endpoint: &'static Endpoint, act: impl FnOnce(&mut Governor) -> T) -> T {
        // A governor is usable whatever happened to a thread that held it.
        let mut governors = self.governors.lock().unwrap_or_else(PoisonError::into_inner);
        act(governors.entry(endpoint.name).or_insert_with(|| {
            let known = self.known.iter().filter(|known| known.endpoint == endpoint.name);
            let remembered: Vec<_> = known.map(|known| (known.policy, known.remembered.clone())).collect();
            let (start, now) = (self.quotas.start(endpoint), (Instant::now(), UtcSecond::now()));
            // Only that two workers do not do the same at the same time: anything that differs will do.
            let seed = now.1.unix().unsigned_abs() ^ u64::from(std::process::id());
            Governor::resume(endpoint.name, start, self.quotas.share, now, seed, &remembered)
        }))
    }
}

/// A call that the pace allowed. Given back when dropped, as what became of it.
#[derive(Debug)]
pub(super) struct BookedCall<'a> {
    pace: &'a Pace,
    endpoint: &'static Endpoint,
    at: Instant,
    signal: Signal,
}

impl BookedCall<'_> {
    /// When the pace allowed it.
    pub(super) const fn at(&self) -> Instant {
        self.at
    }

    /// It goes out; unless [`Self::answered`], nobody knows whether it was counted.
    pub(super) const fn sent(&mut self) {
        self.signal = Signal::Silent;
    }

    /// The answer says this about the quota.
    pub(super) fn answered(mut self, signal: Signal) {
        self.signal = signal;
    }
}

impl Drop for BookedCall<'_> {
    fn drop(&mut self) {
        self.pace.observe(self.endpoint, self.at, self.signal);
    }
}
