//! What is made from the definitions of the commands: completions for shells and man pages.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::say::say;
use crate::error::Failure;
use crate::files::{self, FileForm, Rivals};

/// The program's name, as its users type it.
const NAME: &str = "bss-sync";

/// Everybody may read a man page.
const PAGE: FileForm = FileForm {
    ending: ".writing",
    rivals: Rivals::Allowed,
    begins_as: 0o644,
    ends_as: None,
    companions: &[],
};

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
    let mut command = command.disable_help_subcommand(true);
    command.build();
    std::fs::create_dir_all(&args.folder)
        .map_err(|error| error.to_string())
        .and_then(|()| write_pages(&command, &args.folder))
        .map_err(|detail| Failure::System { what: "could not write the man pages", detail })?;
    Ok(0)
}

/// Writes the page of a command and those of its parts.
fn write_pages(command: &Command, folder: &Path) -> Result<(), String> {
    for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
        write_pages(part, folder)?;
    }
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| error.to_string())?;
    files::write(&folder.join(page.get_filename()), PAGE, &text).map_err(|error| error.to_string())
}
