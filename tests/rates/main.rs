//! The rate controller in virtual time, held to its figures. All of them, for `docs/inside/rate-figures.md`:
//!
//! `cargo test --release --test rates -- --ignored --nocapture table`
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail at once")]

mod behaviour;
mod dice;
mod figures;
mod gateway;
mod situation;
mod table;
mod world;
