//! What the requests of one job cost, counted while they happen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::rate::words::WaitCause;

/// Counters of one job's requests. Shared by all its requests in flight; reading and counting never block.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    throttled: AtomicU64,
    retried: AtomicU64,
    bytes: AtomicU64,
    /// Until when calls wait for the quota, and why, as last heard.
    waiting: Mutex<Option<(Instant, WaitCause)>>,
}

/// What a [`Meter`] stood at. The four figures are read one after another, so a busy meter may be a call apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Calls sent to billing interfaces, repeated ones included; calls for tokens are not.
    pub requests: u64,
    /// Calls refused because a quota was used up.
    pub throttled: u64,
    /// Calls that failed for another reason and were sent again.
    pub retried: u64,
    /// Bytes of bodies received, after decompression.
    pub bytes: u64,
}

impl Meter {
    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> CallCounts {
        CallCounts {
            requests: self.requests.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            retried: self.retried.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// How long calls still wait for the quota, and why; `None` when they do not.
    #[must_use]
    pub fn waiting(&self) -> Option<(std::time::Duration, WaitCause)> {
        let waiting = *self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = waiting?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some((left, why))
    }

    pub(super) fn wait(&self, until: Instant, why: WaitCause) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, why));
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
