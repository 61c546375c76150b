//! Behaviour through the public surface: the command line, the HTTP wire, the SQLite file.

#[path = "../sim/mod.rs"]
mod sim;
mod support;

mod cli;
mod fixtures;
mod schema;
mod secrets;
mod views;
