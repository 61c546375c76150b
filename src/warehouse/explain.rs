//! One order, resource or customer with everything that the warehouse knows of it: a dispute on one screen.

mod answer;
mod explanation;
mod subject;
mod versions;

pub use answer::{Answer, AnswerRow, AnswerShape};
pub use explanation::{Explanation, SearchedAccount};
pub use subject::SubjectKind;
pub use versions::{ColumnChange, RowVersion, RowVersions};
