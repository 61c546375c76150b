//! What comments cite is in the repository. There are two forms: `vendor-contract.md §2.1`, a section of the vendor's contract, and
//! `docs/inside/walking-and-proof.md, "Gone"`, a heading of another document.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is searched.
const FOLDERS: [&str; 7] = ["src", "tests", "schema", "jobs", "examples", "benches", "deploy"];

/// Where the sections are.
const CONTRACT: &str = "docs/reference/vendor-contract.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts of a folder, with their paths from the root.
fn texts(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((path.strip_prefix(root()).expect("below").to_owned(), text));
            }
        }
    }
    found
}

/// The headings of a page, without the marks around them.
fn headings(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').split(" {#").next().unwrap_or_default().trim())
        .collect()
}

/// The numbers of the contract's sections: `2.1` of `### 2.1 Signing and clocks`.
fn sections() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(CONTRACT)).expect("the contract");
    let numbers = headings(&text).into_iter().filter_map(|heading| heading.split(' ').next());
    numbers.filter(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned).collect()
}

/// The numbers behind each `§` of a line.
fn cited_sections(line: &str) -> impl Iterator<Item = &str> {
    let numbers = line.split('§').skip(1).map(|after| {
        let end = after.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(after.len());
        after[..end].trim_end_matches('.')
    });
    numbers.filter(|number| !number.is_empty())
}

/// The files that a line names, and the heading in quotes that may follow.
fn cited_files(line: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    line.match_indices(".md").filter_map(|(at, _)| {
        let is_of_path = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
        let begin = line[..at]
            .rfind(|letter| !is_of_path(letter))
            .map_or(0, |before| before + line[before..].chars().next().map_or(1, char::len_utf8));
        let after = &line[at + 3..];
        let is_name = begin < at && !after.starts_with(|next: char| next.is_ascii_alphanumeric());
        let heading = after.strip_prefix(", \"").and_then(|rest| rest.split('"').next());
        is_name.then_some((&line[begin..at + 3], heading))
    })
}

/// The file that a name stands for: from the root, from the folder of the one who names it, or the contract by its short name.
fn resolve(name: &str, named_by: &Path) -> Option<PathBuf> {
    let beside = root().join(named_by.parent().unwrap_or(Path::new(""))).join(name);
    let short = root().join("docs/reference").join(name);
    [root().join(name), beside, short].into_iter().find(|path| path.is_file())
}

#[test]
fn each_cited_section_and_document_is_in_the_repository() {
    let sections = sections();
    assert!(sections.len() > 30, "{sections:?}");
    let mut wrong = Vec::new();
    for (path, text) in FOLDERS.into_iter().flat_map(texts) {
        let mut before = "";
        for (number, line) in (1..).zip(text.lines()) {
            let mut complain = |what: String| wrong.push(format!("{}:{number}: {what}", path.display()));
            for section in cited_sections(line) {
                if ![before, line].iter().any(|line| line.contains("vendor-contract.md")) {
                    complain(format!("§{section} of which document?"));
                } else if !sections.contains(section) {
                    complain(format!("{CONTRACT} has no section {section}"));
                }
            }
            for (file, heading) in cited_files(line) {
                match resolve(file, &path) {
                    None => complain(format!("there is no {file}")),
                    Some(found) => {
                        let text = fs::read_to_string(found).expect("a page");
                        if let Some(heading) = heading.filter(|heading| !headings(&text).contains(heading)) {
                            complain(format!("{file} has no heading \"{heading}\""));
                        }
                    }
                }
            }
            before = line;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
