//! What the warehouse says about itself, and how clients see its tables.

mod figures;
mod months;
pub(super) mod overview;
mod relation;
mod streams;

pub use figures::{Figures, JobFigures, MonthFigures, OutcomeFigures, QuotaFigures, StreamFigures};
pub use months::{Completeness, MonthState, Part, PartsState};
pub use overview::{LastRun, Overview, QueueState, WatermarkState};
pub use relation::{Cell, Filter, Relation, RelationColumn};
pub use streams::StreamState;
