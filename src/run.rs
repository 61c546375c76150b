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
mod pace;
mod planner;
mod publish;
mod reach;
mod refusals;
mod repair;
mod verify;
mod walk;

pub use board::{RunCounts, RunProgress};
pub use error::RunError;
pub use estimate::{AccountPlan, Certainty, EndpointPlan, JobPlan, PlanRow, Requests, estimate};
pub use invocation::run;
pub use learned::learned;
pub use order::{Extent, NewCustomers, Order, ShortAnswers};
pub use outcome::{Finding, Findings, JobReport, Outcome};
pub use planner::ReadReason;
pub use publish::publish_after_run;
pub use reach::{reads, streams_of, why_not};
pub use repair::repair;
pub use verify::{ComparedPart, Comparison, NAME as VERIFY, OrdersCompared, Verified, Verify, verify};
