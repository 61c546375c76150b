//! What packages install besides the program: completions and man pages, made from the definitions of the commands. And
//! what the book has from the program: its reference pages.

mod pages;
mod queries;

use std::fs;
use std::process::Command;

use crate::fixtures::bench;
use support::Bench;

/// The commands that the help names.
fn commands(bench: &Bench) -> Vec<String> {
    let help = bench.call(&["--help"]).expect_code(0).stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Lines that begin deeper are the rest of a description.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn each_shell_completes_each_command() {
    let bench = bench();
    let commands = commands(&bench);
    assert!(commands.len() > 9 && commands.iter().any(|command| command == "run"), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.call(&["completions", shell]).expect_code(0).stdout;
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        assert!(script.contains("accept-empty"), "{shell}");
    }
}

#[test]
fn shells_can_read_their_completions() {
    let bench = bench();
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.call(&["completions", shell]).expect_code(0).stdout;
        fs::write(bench.path("script"), script).expect("written");
        // A shell that is not installed cannot be asked.
        if let Ok(read) = Command::new(shell).arg("-n").arg(bench.path("script")).output() {
            assert!(read.status.success(), "{shell}: {read:?}");
        }
    }
}

#[test]
fn each_command_has_a_man_page_without_warnings() {
    let bench = bench();
    fs::remove_file(bench.path("bss-sync.toml")).expect("no configuration is needed");
    bench.call(&["man", "pages"]).expect_code(0);
    let pages: Vec<String> = fs::read_dir(bench.path("pages"))
        .expect("pages")
        .map(|entry| entry.expect("a page").file_name().into_string().expect("a name"))
        .collect();
    for command in commands(&bench).iter().filter(|command| *command != "help") {
        assert!(pages.contains(&format!("bss-sync-{command}.1")), "{command}: {pages:?}");
    }
    let main = fs::read_to_string(bench.path("pages/bss-sync.1")).expect("a page");
    assert!(main.contains("another worker holds the warehouse"), "{main}");
    for page in pages {
        let formatted = Command::new("groff")
            .args(["-man", "-ww", "-Tutf8"])
            .arg(bench.path("pages").join(&page))
            .output();
        // Without groff here it cannot be asked.
        if let Ok(formatted) = formatted {
            let said = String::from_utf8_lossy(&formatted.stderr);
            assert!(formatted.status.success() && said.is_empty(), "{page}: {said}");
        }
    }
}
