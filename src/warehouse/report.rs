//! What the warehouse says about itself, and how clients see its tables.

mod figures;
mod months;
mod overview;
mod relation;
mod streams;

pub use figures::{JobFigures, MonthFigures, OutcomeFigures, QuotaFigures, StreamFigures, WarehouseFigures};
pub use months::{Completeness, MonthState, PartsState, ReadPart};
pub use overview::{LastRun, Overview, QueueState, WatermarkState};
pub use relation::{Cell, Relation, RelationColumn, RowFilter};
pub use streams::StreamState;
