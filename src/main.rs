//! The bss-sync program; everything it does is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    // The keys are in this memory: no core dump of it, and no other process of this user may look into it. Where the system
    // does not let us say so, it goes without.
    let _ = nix::sys::prctl::set_dumpable(false);
    let environment = bss_sync::config::Environment::of_process();
    ExitCode::from(bss_sync::cli::main(std::env::args_os(), &environment))
}
