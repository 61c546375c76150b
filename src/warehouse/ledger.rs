//! The ledger: what runs did, and what they learned for the next ones.

pub(super) mod limits;
mod marks;
mod past_runs;
pub(super) mod rates;
pub(super) mod runs;

pub use limits::PageLimitState;
pub use marks::Mark;
pub use past_runs::{KnownRuns, PastRun, RunsWanted};
pub use rates::QuotaState;
pub use runs::{FAILED, LastStart, RunEnd, RunId, RunStart, STOPPED_ON_REQUEST};
