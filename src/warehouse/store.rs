//! The store: how pages become rows, what was read to its end, what is still to be read, and what runs ask of all that.

mod checkpoint;
mod commit;
mod committer;
mod coverage;
mod customers;
mod dependents;
mod doubt;
mod gone;
mod page;
pub(super) mod queue;
mod records;
mod upsert;
mod writer;

pub use checkpoint::OpenWalk;
pub use coverage::Covered;
pub use customers::Customer;
pub use dependents::{Member, OrdersRead, Proof, Unlike};
pub use gone::Absence;
pub use page::{Committed, PageCommit, Progress, Tally, Trust};
pub use queue::{Again, QueueEntry};
pub use writer::Writer;
