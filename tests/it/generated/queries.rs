//! The SQL of the book runs: each statement of a block that begins with ```` ```sql ````, on a published copy, as finance asks it.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Connection, OpenFlags};

use crate::fixtures::bench;

/// The pages of the book, and the README.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The blocks of SQL of a page; those of a list are set in.
fn blocks(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_sql = false;
    for line in text.lines() {
        match line.trim_start() {
            "```sql" => {
                is_sql = true;
                found.push(String::new());
            }
            "```" => is_sql = false,
            _ if is_sql => found.last_mut().expect("a block").extend([line, "\n"]),
            _ => {}
        }
    }
    found
}

/// Runs every statement of a text to its last row.
fn run(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut batch = rusqlite::Batch::new(db, sql);
    while let Some(mut statement) = batch.next()? {
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

#[test]
fn each_query_of_the_book_runs_on_a_published_copy() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    bench.call(&["publish", "--to", "finance.sqlite"]).expect_code(0);
    let copy = bench.path("finance.sqlite");
    let copy = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a copy");
    let mut count = 0;
    for page in pages() {
        for sql in blocks(&fs::read_to_string(&page).expect("a page")) {
            run(&copy, &sql).unwrap_or_else(|error| panic!("{}: {error}\n{sql}", page.display()));
            count += 1;
        }
    }
    assert!(count > 20, "{count} blocks");
}
