//! The command line: parses, calls and prints.

mod check;
mod choose;
mod common;
mod explain;
mod export;
mod generate;
mod history;
mod jobs;
mod lines;
mod load;
mod logging;
mod pace;
mod plan;
mod publish;
mod reconcile;
mod run;
mod say;
mod screen;
mod serve;
mod status;
mod verify;
mod watched;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Environment, Secrets};
use crate::error::Failure;
use common::Common;
use load::load;

/// Copies an account's billing records from the Huawei Cloud BSS API into a SQLite warehouse.
#[derive(Debug, Parser)]
#[command(name = "bss-sync", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: CliCommand,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done: everything asked for is complete
  1   failed for another reason; explain: nothing has this id
  2   wrong usage or configuration
  3   done, with findings: a disputed window, quarantined rows, a count that differs, a broken check
  4   not finished: deadline or quota reached, or a required check says nothing yet; run again
  5   refused by the vendor: credentials, permission, role, clock, TLS
  6   the warehouse failed: disk full, damaged, newer
  75  another worker holds the warehouse";

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Run jobs once, now (for cron and systemd timers)
    Run(run::RunArgs),
    /// Stay, and run jobs on their schedules; SIGHUP reads the configuration again
    Serve,
    /// Show what a run would ask now and how long the quotas make it take; asks nobody
    Plan(plan::PlanArgs),
    /// Look whether everything a run needs is there and right: files, warehouse, credentials, role, permissions, clock, quotas
    Check(check::CheckArgs),
    /// Compare what is stored with the vendor's counts; --repair reads again what differs
    Verify(verify::VerifyArgs),
    /// Run the reconciliation checks on what is stored; `ack` explains a break
    Reconcile(reconcile::ReconcileArgs),
    /// Make the read-only copy for finance, checked, and replace the former one by it
    Publish(publish::PublishArgs),
    /// Write views or tables to a file: CSV, Excel, Parquet
    Export(export::ExportArgs),
    /// Show an order, resource or customer with everything it came from: rows, versions, links, readings, runs, checks
    Explain(explain::ExplainArgs),
    /// Show past runs
    History(history::HistoryArgs),
    /// List the jobs and when their schedules would run them next
    Jobs,
    /// Show how fresh and complete the warehouse is, and what needs a person
    Status(status::StatusArgs),
    /// Print the completions of this program for a shell
    Completions(generate::CompletionsArgs),
    /// Write a man page for each command into a folder (for packages)
    #[command(hide = true)]
    Man(generate::ManArgs),
}

/// The definition of the command line, for whoever describes it: `docs/reference/command-line.md` is made of it.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Parses a command line, the program's name first, runs its command and returns the exit code.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and the version come this way as well. Nobody may be listening.
            let _ = usage.print();
            return u8::try_from(usage.exit_code()).unwrap_or(2);
        }
    };
    execute(&cli, environment).unwrap_or_else(|failure| {
        complain(&failure);
        failure.exit_code()
    })
}

fn execute(cli: &Cli, environment: &Environment) -> Result<u8, Failure> {
    let common = &cli.common;
    let config = |secrets| load(common, environment, secrets);
    match &cli.command {
        CliCommand::Run(args) => run::execute(args, common, &config(Secrets::Read)?),
        CliCommand::Serve => serve::execute(common, environment, config(Secrets::Read)?),
        CliCommand::Plan(args) => plan::execute(args, common, &config(Secrets::Leave)?),
        // What is wrong with the configuration is a part of what it says.
        CliCommand::Check(args) => check::execute(args, common, environment),
        CliCommand::Verify(args) => verify::execute(args, common, &config(Secrets::Read)?),
        CliCommand::Reconcile(args) => reconcile::execute(args, common, &config(Secrets::Leave)?),
        CliCommand::Publish(args) => publish::execute(args, common, &config(Secrets::Leave)?),
        CliCommand::Export(args) => export::execute(args, common, &config(Secrets::Leave)?),
        CliCommand::Explain(args) => explain::execute(args, common, &config(Secrets::Leave)?),
        CliCommand::History(args) => history::execute(args, common, &config(Secrets::Leave)?),
        CliCommand::Jobs => {
            jobs::execute(common, &config(Secrets::Leave)?);
            Ok(0)
        }
        CliCommand::Status(args) => status::execute(args, common, &config(Secrets::Leave)?),
        CliCommand::Completions(args) => {
            generate::completions(args, Cli::command());
            Ok(0)
        }
        CliCommand::Man(args) => generate::man_pages(args, Cli::command()),
    }
}

/// The exit code when another worker holds the warehouse.
const HELD: u8 = 75;

/// Writes to standard error; a closed one must not change what the program does.
fn complain(failure: &Failure) {
    use std::io::Write;
    let mut text = format!("bss-sync: {failure}");
    if !failure.advice().is_empty() {
        text.push_str("\n  ");
        text.push_str(failure.advice());
    }
    if logging::is_journal() {
        // As log lines have it; that another worker is at work needs nobody.
        let priority = if failure.exit_code() == HELD { "<6>" } else { "<3>" };
        text = text.lines().map(|line| format!("{priority}{line}")).collect::<Vec<_>>().join("\n");
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}
