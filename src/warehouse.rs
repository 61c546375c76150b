//! The warehouse: one SQLite file with the records, their history and the ledger. All of SQLite's
//! particulars stay in this module.

mod explain;
mod file;
mod ledger;
mod publish;
mod reconcile;
mod report;
mod schema;
mod store;

pub use explain::{Answer, AnswerRow, Change, Explanation, Kind, Searched, Shape, Version, Versions};
pub use file::{Closeness, Hints, Warehouse, WarehouseError};
pub use ledger::{
    KnownRuns, LastStart, Mark, PageLimitState, PastRun, QuotaState, RunEnd, RunId, RunStart, RunsWanted,
    STOPPED_ON_REQUEST,
};
pub use publish::{Publication, PublishError, Published};
pub use reconcile::{
    Acknowledgement, BillingMonth, Break, BreakName, CheckOutcome, ExplainedBreak, Pinned, Reconciled,
    ReconciledAccount, Reconciliation, Status, Strictness, Verdict,
};
pub use report::{
    Cell, Completeness, Figures, Filter, JobFigures, LastRun, MonthFigures, MonthState, OutcomeFigures,
    Overview, Part, PartsState, QueueState, QuotaFigures, Relation, RelationColumn, StreamFigures,
    StreamState, WatermarkState,
};
pub use schema::{Check, Severity};
pub use store::{
    Absence, Again, Committed, Covered, Customer, Member, OpenWalk, OrdersRead, PageCommit, Progress, Proof,
    QueueEntry, Tally, Trust, Unlike, Writer,
};
