//! Counts calls, in fixed windows or a bucket of one call, per (credential, endpoint), and refuses what is too much.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Endpoint;

/// How much may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaPlan {
    /// No limit.
    None,
    /// The published figures times `factor`: 20/s for the order list, 10/s for the others.
    Published { factor: u32 },
    /// The same for every endpoint.
    Fixed { calls: u32, seconds: u32 },
    /// The same for every endpoint, spread evenly: one call at a time, none saved up for later.
    Bucket { calls: u32, seconds: u32 },
}

impl QuotaPlan {
    /// Calls per seconds of an endpoint; tokens have no quota here.
    pub const fn of(self, endpoint: Endpoint) -> Option<(u32, u32)> {
        match (self, endpoint) {
            (Self::None, _) | (_, Endpoint::Tokens) => None,
            (Self::Published { factor }, Endpoint::Orders) => Some((20 * factor, 1)),
            (Self::Published { factor }, _) => Some((10 * factor, 1)),
            (Self::Fixed { calls, seconds } | Self::Bucket { calls, seconds }, _) => Some((calls, seconds)),
        }
    }
}

/// The shape of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalStyle {
    /// `APIGW.0308` with the numbers of the quota.
    Gateway,
    /// `CBC.0250` without numbers.
    Business,
}

/// The running windows, and when the buckets were emptied last.
#[derive(Debug)]
pub struct Meter {
    started: Instant,
    windows: HashMap<(String, Endpoint), (u64, u32)>,
    emptied: HashMap<(String, Endpoint), Instant>,
}

impl Meter {
    pub fn new() -> Self {
        Self { started: Instant::now(), windows: HashMap::new(), emptied: HashMap::new() }
    }

    /// Takes one call, or says which quota is used up.
    pub fn take(&mut self, plan: QuotaPlan, credential: &str, endpoint: Endpoint) -> Result<(), (u32, u32)> {
        let Some((calls, seconds)) = plan.of(endpoint) else { return Ok(()) };
        if matches!(plan, QuotaPlan::Bucket { .. }) {
            let filled = Duration::from_secs(u64::from(seconds)) / calls.max(1);
            let key = (credential.to_owned(), endpoint);
            if self.emptied.get(&key).is_some_and(|at| at.elapsed() < filled) {
                return Err((calls, seconds));
            }
            self.emptied.insert(key, Instant::now());
            return Ok(());
        }
        let window = self.started.elapsed().as_secs() / u64::from(seconds.max(1));
        let used = self.windows.entry((credential.to_owned(), endpoint)).or_insert((window, 0));
        if used.0 != window {
            *used = (window, 0);
        }
        if used.1 >= calls {
            return Err((calls, seconds));
        }
        used.1 += 1;
        Ok(())
    }

    /// Calls that are left in the running window.
    pub fn left(&self, plan: QuotaPlan, credential: &str, endpoint: Endpoint) -> Option<u32> {
        let (calls, _) = plan.of(endpoint)?;
        let used = self.windows.get(&(credential.to_owned(), endpoint)).map_or(0, |(_, used)| *used);
        Some(calls.saturating_sub(used))
    }
}
