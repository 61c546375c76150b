//! The pages of `docs/reference` that are made from the program's own definitions.
//!
//! `RENEW=1 cargo test --test it generated::pages` writes them anew; without it the tests say which page is out of date.

mod command_line;
mod configuration;
mod views;

use std::path::{Path, PathBuf};

/// What renews the pages.
const RENEW: &str = "RENEW=1 cargo test --test it generated::pages";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a page with what the program says now, or writes it.
fn assert_page(name: &str, wanted: &str) {
    let path: PathBuf = repository().join("docs/reference").join(name);
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&path, wanted).expect("written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (found_lines, wanted_lines) = (lines(&found), lines(wanted));
    let at = found_lines.iter().zip(&wanted_lines).take_while(|(found, wanted)| found == wanted).count();
    assert!(
        found == wanted,
        "docs/reference/{name} is not what the program says. First difference in line {}:\n  page:    {}\n  program: {}\n\
         Renew it: {RENEW}",
        at + 1,
        found_lines.get(at).map_or("(end)", String::as_str),
        wanted_lines.get(at).map_or("(end)", String::as_str),
    );
}

/// The comment at the head of a page that says where it comes from.
fn made_of(what: &str) -> String {
    format!("<!-- Made of {what}. Do not edit: {RENEW} -->\n\n")
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}
