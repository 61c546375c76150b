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

pub use explain::{
    Answer, AnswerRow, AnswerShape, ColumnChange, Explanation, RowVersion, RowVersions, SearchedAccount,
    SubjectKind,
};
pub use file::{Closeness, Warehouse, WarehouseError};
pub use ledger::{
    FAILED, KnownRuns, LastStart, Mark, PageLimitState, PastRun, QuotaState, RunEnd, RunId, RunStart,
    RunsWanted, STOPPED_ON_REQUEST,
};
pub use publish::{Publication, PublishError, Published};
pub use reconcile::{
    Acknowledgement, BillingMonth, Break, BreakName, CheckOutcome, CheckStatus, ExplainedBreak, PinnedModel,
    Reconciled, ReconciledAccount, Reconciliation, ReconciliationVerdict, Strictness,
};
pub use report::{
    Cell, Completeness, JobFigures, LastRun, MonthFigures, MonthState, OutcomeFigures, Overview, PartsState,
    QueueState, QuotaFigures, ReadPart, Relation, RelationColumn, RowFilter, StreamFigures, StreamState,
    WarehouseFigures, WatermarkState,
};
pub use schema::{Check, Severity};
pub use store::{
    Absence, ComingPage, Committed, CoveredWindow, Customer, OpenWalk, OrderMember, OrderProof, OrdersRead,
    PageCommit, QuestionHints, QueueEntry, Requeue, Tally, Trust, UnprovenOrder, WalkProgress, Writer,
};
