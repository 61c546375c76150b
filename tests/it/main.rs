//! Behaviour through the public surface: the command line, the HTTP wire, the SQLite file.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail at once")]

mod as_of;
mod by_hand;
mod check;
mod checks;
mod cli;
mod deploy;
mod dictionary;
mod explain;
mod export;
mod fixtures;
mod generated;
mod history;
mod kills;
mod logs;
mod metrics;
mod plan;
mod progress;
mod proof;
mod publish;
mod quotas;
mod reconcile;
mod resellers;
mod resume;
mod scenarios;
mod schema;
mod secrets;
mod serve;
mod status;
mod truth;
mod upkeep;
mod verify;
mod views;
