//! The SQL of the book runs on a published copy, as finance asks it, and the answers shown below it have its columns.
//!
//! That is: each block that begins with ```` ```sql ````, and the next one that begins with ```` ```text ````.

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

/// A block of SQL, and the first line of the answer that stands below it.
struct Query<'a> {
    sql: String,
    answered: Option<&'a str>,
}

/// The queries of a page; those of a list are set in.
fn queries(text: &str) -> Vec<Query<'_>> {
    let mut found: Vec<Query<'_>> = Vec::new();
    let mut lines = text.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        match line {
            "```sql" => {
                let sql: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                found.push(Query { sql: sql.join("\n"), answered: None });
            }
            "```text" => {
                if let Some(query) = found.last_mut() {
                    query.answered = query.answered.or(lines.next());
                }
            }
            _ => {}
        }
    }
    found
}

/// Runs every statement of a text to its last row. Returns the names of the last one's columns.
fn run(db: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut batch = rusqlite::Batch::new(db, sql);
    let mut columns = Vec::new();
    while let Some(mut statement) = batch.next()? {
        columns = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(columns)
}

#[test]
fn queries_of_the_book_run_and_their_answers_have_these_columns() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    bench.call(&["publish", "--to", "finance.sqlite"]).expect_code(0);
    let copy = bench.path("finance.sqlite");
    let copy = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a copy");
    let mut count = 0;
    for page in pages() {
        for Query { sql, answered } in queries(&fs::read_to_string(&page).expect("a page")) {
            let page = page.display();
            let columns = run(&copy, &sql).unwrap_or_else(|error| panic!("{page}: {error}\n{sql}"));
            if let Some(answer) = answered {
                let shown: Vec<&str> = answer.split_whitespace().collect();
                assert_eq!(shown, columns, "{page}: the answer has other columns\n{sql}");
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count} queries");
}
