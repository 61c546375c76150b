//! One order, resource or customer with everything that the warehouse knows of it: a dispute on one screen.

mod answer;
mod explanation;
mod subject;
mod versions;

pub use answer::{Answer, AnswerRow, Shape};
pub use explanation::{Explanation, Searched};
pub use subject::Kind;
pub use versions::{Change, Version, Versions};
