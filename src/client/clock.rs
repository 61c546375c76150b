//! The vendor's clock beside this machine's.

use std::sync::atomic::{AtomicI64, Ordering};

use tracing::warn;

use super::error::{CallTarget, FetchError};
use crate::refusal::Refusal;
use crate::time::UtcSecond;

/// The vendor accepts 15 minutes (vendor-contract.md §2.1); ten seconds less, for the time an answer is on its way.
const TOLERATED_SKEW: i64 = 15 * 60 - 10;

/// A clock further off than an hour is not corrected: stamps of everything else on this machine are wrong as well.
const CORRECTED_SKEW: i64 = 60 * 60;

/// How far two answers may differ that agree about the vendor's clock, in seconds.
const AGREEING: u64 = 60;

/// This machine's clock, corrected by what the vendor's clock showed. Only for signing and stamps, never for waiting.
#[derive(Debug, Default)]
pub(super) struct VendorClock {
    offset: AtomicI64,
}

impl VendorClock {
    /// The vendor's time, as far as known.
    pub(super) fn now(&self) -> UtcSecond {
        UtcSecond::now().plus(self.offset.load(Ordering::Relaxed))
    }

    /// Learns that the vendor's clock is `seconds` ahead of this machine's; returns what was believed before.
    fn believe(&self, seconds: i64) -> i64 {
        self.offset.swap(seconds, Ordering::Relaxed)
    }

    /// After a refused signature: learns the vendor's clock when ours is the reason and not absurd.
    pub(super) fn correct(
        &self,
        at: &CallTarget,
        refusal: Refusal,
        signed_at: UtcSecond,
        date: Option<UtcSecond>,
    ) -> Result<(), FetchError> {
        let refusal = Box::new(refusal);
        let skewed = date.filter(|theirs| apart(*theirs, signed_at).saturating_abs() > TOLERATED_SKEW);
        let Some(theirs) = skewed else {
            return Err(FetchError::Credentials { at: at.clone(), refusal });
        };
        self.learn(at, theirs, Some(refusal))
    }

    /// Whether an answer to a token is to be asked for once more, because its date says that our clock is off: no
    /// signature shows that it is right, and one date alone may be that of a cache or a broken node. What two answers
    /// in a row agree about is learned.
    pub(super) fn wants_confirmation(
        &self,
        at: &CallTarget,
        theirs: UtcSecond,
        odd_offset: &mut Option<i64>,
    ) -> Result<bool, FetchError> {
        if apart(theirs, self.now()).saturating_abs() <= TOLERATED_SKEW {
            return Ok(false);
        }
        let offset = apart(theirs, UtcSecond::now());
        let Some(before) = odd_offset.replace(offset) else { return Ok(true) };
        if before.abs_diff(offset) <= AGREEING {
            self.learn(at, theirs, None)?;
        }
        Ok(false)
    }

    /// Learns the vendor's clock when ours is not absurd.
    fn learn(
        &self,
        at: &CallTarget,
        theirs: UtcSecond,
        refusal: Option<Box<Refusal>>,
    ) -> Result<(), FetchError> {
        let ours = UtcSecond::now();
        let offset = apart(theirs, ours);
        if offset.saturating_abs() > CORRECTED_SKEW {
            return Err(FetchError::Clock { at: at.clone(), ours, theirs, refusal });
        }
        // Requests that were in flight together learn the same; one of them says so.
        if self.believe(offset).abs_diff(offset) > TOLERATED_SKEW.unsigned_abs() {
            warn!(
                account.name = at.account,
                clock.ours = %ours,
                clock.vendor = %theirs,
                "this machine's clock is off; going by the vendor's time, set the clock with NTP"
            );
        }
        Ok(())
    }
}

/// How many seconds the vendor's clock is ahead of ours.
fn apart(theirs: UtcSecond, ours: UtcSecond) -> i64 {
    theirs.unix().saturating_sub(ours.unix())
}
