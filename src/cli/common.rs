//! The flags that every command knows.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The flags that every command knows.
#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// Configuration file [default: ./bss-sync.toml, then /etc/bss-sync/config.toml]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// Set a key of the configuration, e.g. --set warehouse.path=/srv/billing.sqlite; may be repeated
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub(super) set: Vec<String>,
    /// Form of what is written to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    pub(super) output: Output,
    /// Log more: -v each request, -vv everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    /// No progress, and only errors in the log
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

/// The form of what is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For machines
    Json,
}
