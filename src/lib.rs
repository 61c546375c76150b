//! bss-sync copies an account's billing records from the Huawei Cloud BSS API into a SQLite warehouse.
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

pub mod check;
pub mod cli;
pub mod client;
pub mod config;
pub mod decode;
pub mod error;
pub mod export;
mod files;
pub mod job;
pub mod json;
pub mod metrics;
pub mod money;
pub mod page;
pub mod plan;
pub mod quota;
pub mod rate;
pub mod record;
pub mod refusal;
pub mod request;
pub mod retry;
pub mod run;
pub mod scope;
pub mod service;
pub mod setback;
pub mod settings;
pub mod sign;
pub mod stream;
pub mod time;
pub mod token;
pub mod walk;
pub mod warehouse;
