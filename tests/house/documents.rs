//! The documents hold together: links, anchors and named files exist, and the first pages stay short.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Folders of the repository whose files documents name from its top.
const TOP_LEVEL: [&str; 11] = [
    "src/",
    "schema/",
    "jobs/",
    "tests/",
    "deploy/",
    "docs/",
    "benches/",
    "examples/",
    ".ci/",
    ".config/",
    ".github/",
];

/// Endings of files that documents name; other words with a slash, such as `created/paid`, are none.
const NAMED_ENDINGS: [&str; 9] = [".rs", ".sql", ".toml", ".md", ".yml", ".yaml", ".json", ".sh", ".service"];

/// A document without its code, the code spans it had, and the places that links may point to.
struct Document {
    /// Relative to the repository.
    path: PathBuf,
    prose: String,
    spans: Vec<String>,
    anchors: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder, relative to the repository; what tools made or brought along is left out.
fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name());
        let is_ours = !name.to_string_lossy().starts_with('.') && name != "target";
        if entry.file_type().expect("a type").is_dir() {
            if is_ours {
                files_under(&path, found);
            }
        } else {
            found.push(path.strip_prefix(root()).expect("a file of the repository").to_owned());
        }
    }
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn documents() -> BTreeMap<PathBuf, Document> {
    let mut paths = Vec::new();
    files_under(root(), &mut paths);
    paths.retain(|path| is_markdown(path));
    let read = |path: &PathBuf| fs::read_to_string(root().join(path)).expect("a document");
    paths.iter().map(|path| (path.clone(), Document::of(path.clone(), &read(path)))).collect()
}

impl Document {
    fn of(path: PathBuf, text: &str) -> Self {
        let (mut prose, mut headings) = (String::new(), Vec::new());
        let (mut is_fenced, mut was_blank, mut was_code) = (false, true, false);
        for line in text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            let is_code = is_fenced || is_fence || line.starts_with("    ") && (was_blank || was_code);
            is_fenced ^= is_fence;
            if !is_code {
                if line.starts_with('#') {
                    headings.push(line.trim_start_matches('#').trim().to_owned());
                }
                prose.push_str(line);
            }
            prose.push('\n');
            was_code = is_code;
            was_blank = line.trim().is_empty();
        }
        let mut anchors = BTreeSet::new();
        for heading in headings {
            let (title, id) = match heading.split_once(" {#") {
                Some((title, id)) => (title, id.trim_end_matches('}').to_owned()),
                None => (heading.as_str(), slug(&heading)),
            };
            let repeated = (1..).map(|count| format!("{id}-{count}"));
            let free = std::iter::once(id.clone()).chain(repeated).find(|id| !anchors.contains(id));
            assert!(!title.is_empty(), "{}: an empty heading", path.display());
            anchors.extend(free);
        }
        let pieces: Vec<&str> = prose.split('`').collect();
        let spans = pieces.iter().skip(1).step_by(2).map(|&span| span.to_owned()).collect();
        let prose = pieces.into_iter().step_by(2).collect();
        Self { path, prose, spans, anchors }
    }

    /// Targets of links and pictures.
    fn links(&self) -> impl Iterator<Item = &str> {
        let targets = self.prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
    }

    fn is_of_book(&self) -> bool {
        self.path.starts_with("docs")
    }
}

/// A heading's id, as mdBook and code hosts make it.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter_map(|letter| match letter {
        letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => {
            Some(letter.to_ascii_lowercase())
        }
        letter => letter.is_whitespace().then_some('-'),
    });
    kept.collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leaves the repository", path.display()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let documents = documents();
    let mut broken = Vec::new();
    for document in documents.values() {
        let folder = document.path.parent().expect("a folder");
        for link in document.links() {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, id)| (file, Some(id)));
            let target = if file.is_empty() { document.path.clone() } else { plain(&folder.join(file)) };
            let at = document.path.display();
            if !root().join(&target).exists() {
                broken.push(format!("{at}: there is no {link}"));
            } else if document.is_of_book() && !target.starts_with("docs") {
                broken.push(format!("{at}: {link} is outside the book; name the file in backticks instead"));
            } else if let Some(id) = anchor
                && documents.get(&target).is_none_or(|document| !document.anchors.contains(id))
            {
                broken.push(format!("{at}: {link} names no heading"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for document in documents().values() {
        let is_named = |span: &&String| {
            let is_path =
                span.contains('/') && span.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c));
            let is_placeholder = span.rsplit('/').next().is_some_and(|name| name.starts_with("x."));
            is_path && !is_placeholder && NAMED_ENDINGS.iter().any(|ending| span.ends_with(ending))
        };
        for span in document.spans.iter().filter(is_named) {
            let is_from_top = TOP_LEVEL.iter().any(|folder| span.starts_with(folder));
            let is_elsewhere = ["/", "./", "~", "target/"].iter().any(|start| span.starts_with(start));
            let place = if is_from_top { root().join(span) } else { root().join("src").join(span) };
            if !is_elsewhere && !place.exists() && !root().join("deploy").join(span).exists() {
                missing.push(format!("{}: {span}", document.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Messages, comments and alerts send people to chapters, too.
#[test]
fn every_chapter_that_any_file_names_is_there() {
    let mut missing = Vec::new();
    let mut files = Vec::new();
    files_under(root(), &mut files);
    for file in files {
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        let is_of_path = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
        let words = text.split(|letter| !is_of_path(letter)).map(|word| word.trim_end_matches('.'));
        let chapters = words.filter(|word| word.starts_with("docs/") && is_markdown(Path::new(word)));
        let gone = chapters.filter(|chapter| !root().join(chapter).exists());
        missing.extend(gone.map(|chapter| format!("{}: {chapter}", file.display())));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn ci_runs_the_readmes_main_command() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a file of the repository");
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let command = readme.lines().find_map(|line| line.strip_prefix("    cargo run ")).expect("a command");
    assert!(ci.contains(&format!("cargo run --locked {command}")), ".ci/run runs no {command}");
}

#[test]
fn the_books_table_of_contents_names_each_page_once() {
    let documents = documents();
    let contents = &documents[Path::new("docs/SUMMARY.md")];
    let mut listed: Vec<PathBuf> = contents.links().map(|link| Path::new("docs").join(link)).collect();
    let mut pages: Vec<PathBuf> =
        documents.values().filter(|page| page.is_of_book()).map(|page| page.path.clone()).collect();
    pages.retain(|page| *page != contents.path);
    for page in &pages {
        let count = listed.iter().filter(|listed| *listed == page).count();
        assert_eq!(count, 1, "{} stands so often in docs/SUMMARY.md", page.display());
    }
    listed.retain(|page| !pages.contains(page));
    assert!(listed.is_empty(), "pages that are not there: {listed:?}");
}

#[test]
fn the_first_pages_stay_short() {
    for (page, most) in [("README.md", 150), ("ARCHITECTURE.md", 200), ("CONTRIBUTING.md", 120)] {
        let lines = fs::read_to_string(root().join(page)).expect("a document").lines().count();
        assert!(lines <= most, "{page} has {lines} lines, and {most} are its most");
    }
}
