//! The store: how pages become rows, what was read to its end, what is still to be read, and what runs ask of all that.

pub(super) mod commit;
mod counts;
mod coverage;
mod dependents;
mod doubt;
mod known;
pub(super) mod queue;
pub(super) mod upsert;
mod writer;

pub use commit::{Committed, PageCommit, Progress, Tally, Trust};
pub use dependents::{Member, OrdersRead, Proof, Unlike};
pub use known::{Covered, Customer, Mark, OpenWalk};
pub use queue::{Absence, Again, QueueEntry};
pub use writer::Writer;
