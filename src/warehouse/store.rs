//! The store: how pages become rows, what was read to its end, what is still to be read, and what runs ask of all that.

mod checkpoint;
mod commit;
mod committer;
mod coverage;
mod customers;
mod dependents;
mod doubt;
mod gone;
mod hints;
mod page;
pub(super) mod queue;
mod records;
mod upsert;
mod writer;

pub use checkpoint::OpenWalk;
pub use coverage::CoveredWindow;
pub use customers::Customer;
pub use dependents::{OrderMember, OrderProof, OrdersRead, UnprovenOrder};
pub use gone::Absence;
pub use hints::QuestionHints;
pub use page::{Committed, PageCommit, Tally, Trust, WalkProgress};
pub use queue::{QueueEntry, Requeue};
pub use writer::{ComingPage, Writer};
