//! Reconciliation: runs the checks, remembers what they found, and says whether the data can be trusted.

mod acknowledge;
mod find;
mod reconciliation;
mod record;
mod steps;

pub use acknowledge::{Acknowledgement, BreakName, ExplainedBreak};
pub use reconciliation::{
    BillingMonth, Break, CheckOutcome, CheckStatus, PinnedModel, Reconciled, ReconciledAccount,
    Reconciliation, ReconciliationVerdict, Strictness,
};
