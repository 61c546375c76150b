//! The bss-sync program; everything it does is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = bss_sync::config::Environment::of_process();
    ExitCode::from(bss_sync::cli::main(std::env::args_os(), &environment))
}
