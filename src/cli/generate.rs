//! What is made from the definitions of the commands: completions for shells and man pages.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::say::say;
use crate::error::Failure;

/// The program's name, as its users type it.
const NAME: &str = "bss-sync";

/// Arguments of `bss-sync completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell, e.g. bss-sync completions bash > /etc/bash_completion.d/bss-sync
    shell: Shell,
}

/// Arguments of `bss-sync man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The folder; it is made when it is missing
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs, mut command: Command) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, NAME, &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
}

pub(super) fn man_pages(args: &ManArgs, command: Command) -> Result<u8, Failure> {
    // `help` repeats the pages of the others.
    let command = command.disable_help_subcommand(true);
    std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(command, &args.folder))
        .map_err(|error| Failure::System {
            what: "could not write the man pages",
            detail: error.to_string(),
        })?;
    Ok(0)
}
