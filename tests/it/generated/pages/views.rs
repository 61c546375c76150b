//! `views.md` and `checks.md`: what the warehouse's own dictionary says of its views, and the comments of their files.

use std::fs;

use rusqlite::{Connection, Row};

use super::{assert_page, cell, made_of, repository};
use crate::fixtures::bench;
use support::Bench;

fn opened() -> (Bench, Connection) {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.db();
    (bench, db)
}

fn read<T>(db: &Connection, sql: &str, of: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = db.prepare(sql).expect("a query");
    let rows = statement.query_map([], |row| of(row)).expect("rows");
    rows.collect::<Result<_, _>>().expect("a row")
}

/// A view or table and what it is.
struct Object {
    name: String,
    english: String,
    chinese: String,
}

impl Object {
    /// What the dictionary has that is not generated, by a condition on it.
    fn all(db: &Connection, condition: &str) -> Vec<Self> {
        let sql = format!(
            "select object, meaning_en, meaning_zh from data_objects where made_of is null and {condition} order by object"
        );
        let object =
            |row: &Row<'_>| Ok(Self { name: row.get(0)?, english: row.get(1)?, chinese: row.get(2)? });
        read(db, &sql, object)
    }

    /// Heading, meaning and columns; `more` stands between them.
    fn section(&self, db: &Connection, more: &str) -> String {
        let Self { name, english, chinese } = self;
        let sql = format!(
            "select '| `' || column_name || '` | ' || meaning_en || ' | ' || meaning_zh || ' | ' || unit || ' |'
             from data_dictionary where object = '{name}' order by position"
        );
        let cells = |row: String| row.replace('<', "&lt;");
        let rows = read(db, &sql, |row| row.get(0)).into_iter().map(cells).collect::<Vec<_>>().join("\n");
        format!(
            "### {name} {{#{name}}}\n\n{}\n\n{}\n\n{more}| column | meaning | 含义 | unit |\n| --- | --- | --- | --- |\n{rows}\n\n",
            plain(english),
            plain(chinese)
        )
    }
}

/// Text of a comment, which is no Markdown.
fn plain(text: &str) -> String {
    text.replace('<', "&lt;").replace('*', "\\*").replace('_', "\\_")
}

/// What the comment above a view says after the sentences in both languages, as a block; empty where it says no more.
fn remarks(path: &str) -> String {
    let text = fs::read_to_string(repository().join(path)).unwrap_or_default();
    let comment: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("--")).collect();
    // The sentences end with the Chinese one.
    let after = comment.iter().rposition(|line| line.contains(" | ")).map_or(0, |at| at + 1);
    let lines: Vec<String> = comment[after..]
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| line.is_empty())
        .map(plain)
        .collect();
    if lines.is_empty() { String::new() } else { format!("{}\n\n", paragraphs(&lines)) }
}

/// Lines of a comment as Markdown: what is set in from the left becomes a list.
fn paragraphs(lines: &[String]) -> String {
    let mut text = String::new();
    let mut is_in_list = false;
    for line in lines {
        let is_item = line.starts_with("  '");
        let is_below = line.starts_with("   ");
        if is_item {
            text += if is_in_list { "\n- " } else { "\n\n- " };
        } else if is_in_list && is_below {
            text += "\n  ";
        } else if is_in_list {
            text += "\n\n";
        } else if !text.is_empty() {
            text += "\n";
        }
        is_in_list = is_item || (is_in_list && is_below);
        text += line.trim();
    }
    text
}

#[test]
fn the_page_of_the_views_has_what_the_dictionary_says() {
    let (_bench, db) = opened();
    let mut page = format!(
        "# Views\n\n{}The same is in the warehouse: `data_objects` has the views and tables, `data_dictionary` their columns with unit\n\
         and the vendor's field. Generated beside each view and table, and not listed here: `…_as_of` (as it was known then),\n\
         and of record tables `…_history` and `…_versions` ([As it was known then](../finance/as-it-was-known.md)).\n\n",
        made_of("the warehouse's data dictionary and the comments in schema/views")
    );
    let groups = [
        ("Questions of finance", "kind = 'question'"),
        ("Records, readable", "object like 'v\\_%' escape '\\'"),
        (
            "What counts, what is complete, and the rest",
            "kind = 'view' and object not like 'v\\_%' escape '\\'",
        ),
    ];
    for (title, condition) in groups {
        let objects = Object::all(&db, condition);
        assert!(!objects.is_empty(), "{title}");
        page += &format!("## {title}\n\n| view | what it is |\n| --- | --- |\n");
        for object in &objects {
            page += &format!("| [`{0}`](#{0}) | {1} |\n", object.name, cell(&plain(&object.english)));
        }
        page += "\n";
        for object in objects {
            page += &object.section(&db, &remarks(&format!("schema/views/{}.sql", object.name)));
        }
    }
    page += "## Tables\n\n| table | what it is | 含义 |\n| --- | --- | --- |\n";
    for object in Object::all(&db, "kind = 'table'") {
        let Object { name, english, chinese } = object;
        page += &format!("| `{name}` | {} | {} |\n", cell(&plain(&english)), cell(&plain(&chinese)));
    }
    assert_page("views.md", &page);
}

#[test]
fn the_page_of_the_checks_has_what_their_headers_say() {
    let (_bench, db) = opened();
    let mut page = format!(
        "# Checks\n\n{}`bss-sync reconcile` runs them; [Reconcile](../trust/reconcile.md) says how to read the result. Each check is a view with\n\
         a row for each break. Their columns are the same: see [the columns of a check](#columns).\n\n\
         An amount may differ by a tolerance: T0, the last digit of each amount in the sum; T1, a cent for each line that is compared.\n\n",
        made_of("the headers of schema/checks")
    );
    let checks = read(
        &db,
        "select id, name_en, name_zh, severity, tolerance, needs, meaning_en, meaning_zh, view from checks order by id",
        |row| (0..9).map(|at| row.get::<_, String>(at)).collect::<rusqlite::Result<Vec<String>>>(),
    );
    page += "| check | | severity |\n| --- | --- | --- |\n";
    for check in &checks {
        page += &format!("| [{0}](#{0}) | {1} · {2} | {3} |\n", check[0], check[1], check[2], check[3]);
    }
    for check in &checks {
        let [id, english, chinese, severity, tolerance, needs, meaning, meaning_zh, view] = &check[..] else {
            panic!("nine columns")
        };
        let file = view.trim_start_matches("check_");
        page += &format!(
            "\n## {id} {english} · {chinese} {{#{id}}}\n\n{}{} {}\n\n\
             Severity `{severity}` · tolerance {tolerance} · needs {needs} · view `{view}`\n",
            remarks(&format!("schema/checks/{file}.sql")),
            plain(meaning),
            plain(meaning_zh)
        );
    }
    let one = &checks[0][8];
    let columns = Object::all(&db, &format!("object = '{one}'")).remove(0).section(&db, "");
    let table = columns.split_once("| column").map(|(_, table)| table).expect("columns");
    page += &format!("\n## The columns of a check {{#columns}}\n\n| column{}\n", table.trim_end());
    assert_page("checks.md", &page);
}
