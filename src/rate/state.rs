//! What is remembered of quotas from run to run.

use super::controller::remembered::Remembered;
use crate::quota::hint::Policy;

/// What a run learned about one quota of an endpoint, for the next.
#[derive(Clone, Debug, PartialEq)]
pub struct RateState {
    /// The endpoint's short name.
    pub endpoint: String,
    /// Whose calls the quota counts together; `None` when the vendor did not say.
    pub policy: Option<Policy>,
    /// What was learned.
    pub remembered: Remembered,
}
