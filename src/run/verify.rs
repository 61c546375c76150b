//! Proof on demand: asks the vendor how many orders each month and how many rows each list has, one request each, and
//! compares with what is stored. For what belongs to orders nobody is asked: what is stored is compared with what was
//! proven.

mod accounts;
mod comparison;
mod questions;

pub use accounts::{NAME, Verified, Verify, verify};
pub use comparison::{ComparedPart, Comparison, OrdersCompared};
