//! Settings as a tree that remembers where every value came from, so that a wrong one can be named.

mod node;
mod problem;
mod section;
mod source;
mod text;

pub use node::Node;
pub use problem::{Problem, Problems};
pub use section::Section;
pub use source::SettingSource;
pub use text::{duration, is_name, nearest};
