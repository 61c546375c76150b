//! One invocation: jobs times accounts, each a run of its own in the ledger. The only place where plan, vendor
//! and warehouse meet.

mod board;
mod context;
mod drain;
mod error;
mod estimate;
mod invocation;
mod job;
mod learned;
mod order;
mod outcome;
mod planner;
mod publish;
mod reach;
mod refusals;
mod repair;
mod verify;
mod walk;
mod width;

pub use board::{Counts, Progress};
pub use error::RunError;
pub use estimate::{AccountPlan, Certainty, EndpointPlan, JobPlan, PlanRow, Requests, estimate};
pub use invocation::run;
pub use learned::learned;
pub use order::{Extent, NewCustomers, Order, Word};
pub use outcome::{Finding, Findings, JobReport, Outcome};
pub use planner::Reason;
pub use publish::publish_after_run;
pub use reach::{reads, streams_of, why_not};
pub use repair::repair;
pub use verify::{Comparison, NAME as VERIFY, Orders, Part, Verified, Verify, verify};
