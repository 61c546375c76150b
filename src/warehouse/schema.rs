//! What is in the file: migrations, what is derived from them (history tables, triggers, views), and the checks.

mod as_of;
mod changes;
pub(super) mod checks;
mod comments;
pub(super) mod commits;
mod derive;
pub(super) mod dictionary;
pub(super) mod files;
pub(super) mod history;
pub(super) mod shape;
mod stored;
pub(super) mod text;
pub(super) mod upgrade;
mod versions;

pub use checks::{Check, Severity};
