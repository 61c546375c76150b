//! Whether the vendor knows an account's credentials: until it said yes one call at a time, after a no none at all.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use super::error::FetchError;

/// What all requests of an account know of its credentials. Failed signatures can lock a key (vendor-contract.md §2.4),
/// so a wrong one is tried once, and not by every request that happens to be under way.
#[derive(Default)]
pub(super) struct Gate {
    refused: OnceLock<FetchError>,
    accepted: AtomicBool,
    /// Held by the only call in flight as long as no call was accepted.
    first: Mutex<()>,
}

/// How a call may go out.
pub(super) enum GateEntry<'a> {
    /// The credentials are known to be good.
    Open,
    /// They may be wrong: nobody else sends until this is dropped.
    Alone { _until_dropped: MutexGuard<'a, ()> },
    /// They turned out to be good while the call waited; the turn it had is over.
    Late,
}

impl Gate {
    /// Nothing, or the refusal that ended all calls.
    pub(super) fn check(&self) -> Result<(), FetchError> {
        self.refused.get().map_or(Ok(()), |refused| Err(refused.clone()))
    }

    /// Waits until a call may go out.
    pub(super) async fn enter(&self) -> Result<GateEntry<'_>, FetchError> {
        self.check()?;
        if self.is_open() {
            return Ok(GateEntry::Open);
        }
        let alone = self.first.lock().await;
        // Whoever was before us may have learned what there is to know.
        self.check()?;
        Ok(if self.is_open() { GateEntry::Late } else { GateEntry::Alone { _until_dropped: alone } })
    }

    /// Learns from how a call ended without an answer whether the credentials were good nevertheless.
    pub(super) fn learn(&self, error: &FetchError) {
        let known = match error {
            FetchError::NotARefundOrder { .. } => true,
            // The gateway lets nobody through to the billing system, whose codes these are, before it knows who it is.
            FetchError::Invalid { refusal, .. } => refusal.code.starts_with("CBC."),
            _ => false,
        };
        if known {
            self.open();
        }
    }

    /// The credentials are good: no call waits any more.
    pub(super) fn open(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// The credentials are refused for good: no call goes out any more. Returns the first refusal there was.
    pub(super) fn close(&self, error: FetchError) -> FetchError {
        self.refused.get_or_init(|| error).clone()
    }

    fn is_open(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }
}
