//! One unit, read to its end: page after page, in slices, or cut into several.

mod cut;
mod fetch;
mod read;
mod slices;
mod store;
mod unit;
mod walker;

pub(super) use fetch::fetch;
pub(super) use read::{concerns_one_unit, is_refusal, read};
pub(super) use unit::{Unit, WalkEnd};
pub(super) use walker::walk;
