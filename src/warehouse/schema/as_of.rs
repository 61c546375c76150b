//! Our views as they were at an instant: a view of its own for each question, check and record view, and a script that
//! turns a client's whole session back.
//!
//! `<view>_as_of` is the text of its view, and of those it reads, in which the names of the record tables are named
//! subqueries: the versions of the instant. They stand in a subquery that refers to the instant, whose rows travel as JSON,
//! because nothing else in SQLite lets a filter of the client reach into a view. SQLite builds no temporary indices inside
//! such a subquery, so the time grows with the square of the rows: this is for some hundred orders. The script copies the
//! rows of the instant into temporary tables, once, and has no such limit.

use std::collections::BTreeSet;

use super::shape::{TableShape, comma};
use super::text::{TokenKind, ViewPurpose, literal, sources, tokens, view_query};
use super::versions::{IS_OF_THEN, instant};

/// Tables of the ledger that may be read as they are now: who made a version, and what reconciliations found.
const READ_AS_OF_NOW: &[&str] = &["runs", "breaks", "pinned_models"];

/// The instant of a view `…_as_of`.
const THEN: &str = "as_of_instant.value";

/// What the names of the views of all versions end with, and what is added to them at an instant.
const VERSIONS: &str = "_versions";
const OF_THEN: &str = "_of_then";

/// Stands for the instant in the script.
const MARK: &str = "{instant}";

/// A view of this program.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: String,
    /// As it is asked at an instant.
    then: String,
    sources: BTreeSet<String>,
}

impl View {
    pub(super) fn of(name: &str, sql: &str) -> Self {
        let query = view_query(sql);
        let sources = sources(&query).into_iter().map(str::to_owned).collect();
        Self { name: name.to_owned(), then: asked_then(&query), sources }
    }

    /// Questions, checks and readable records.
    pub(super) fn is_for_finance(&self) -> bool {
        ViewPurpose::of(&self.name) != ViewPurpose::Other || self.name.starts_with("v_")
    }
}

/// A query, asked at an instant: `now` is the instant, no index is named, because tables are not read themselves, and
/// versions are those of then, under a name of their own, because they are made of those of now.
fn asked_then(query: &str) -> String {
    let tokens: Vec<_> = tokens(query).collect();
    let mut sql = String::with_capacity(query.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        // `indexed by name`, with the space between.
        if token.is("indexed") && tokens.get(at + 2).is_some_and(|by| by.is("by")) {
            at += 5;
            continue;
        }
        let is_now = token.kind == TokenKind::Literal && token.text == "'now'";
        sql.push_str(if is_now { THEN } else { token.text });
        if token.kind == TokenKind::Word && token.text.ends_with(VERSIONS) {
            sql.push_str(OF_THEN);
        }
        at += 1;
    }
    sql
}

/// What the views can read.
#[derive(Debug)]
pub(super) struct KnownObjects<'a> {
    pub(super) shapes: &'a [TableShape],
    /// In the order in which they were made.
    pub(super) views: &'a [View],
    /// Names of all tables in the file.
    pub(super) tables: &'a BTreeSet<String>,
}

impl KnownObjects<'_> {
    fn view(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| view.name == name)
    }

    fn is_record(&self, name: &str) -> bool {
        self.shapes.iter().any(|shape| shape.table == name || history_of(shape) == name)
    }

    /// What a view reads, and what the views it reads read.
    fn reads<'b>(&'b self, view: &'b View) -> BTreeSet<&'b str> {
        let mut found = BTreeSet::new();
        let mut open = vec![view];
        while let Some(view) = open.pop() {
            for name in &view.sources {
                if found.insert(name.as_str()) {
                    open.extend(self.view(name));
                }
            }
        }
        found
    }

    fn is_ledger(&self, name: &str) -> bool {
        self.tables.contains(name) && !self.is_record(name) && !READ_AS_OF_NOW.contains(&name)
    }

    /// The first table of the ledger that a view reads. What it showed at an instant cannot be told: the ledger holds the
    /// present.
    fn ledger_of<'b>(&'b self, view: &'b View) -> Option<&'b str> {
        self.reads(view).into_iter().find(|name| self.is_ledger(name))
    }

    /// The view of what `view`, which has these columns, showed at an instant; `None` when that cannot be told.
    pub(super) fn as_of_view(&self, view: &View, columns: &[String]) -> Option<String> {
        let reads = self.reads(view);
        if self.ledger_of(view).is_some() {
            return None;
        }
        let mut named = Vec::new();
        for shape in self.shapes {
            let (table, columns) = (&shape.table, comma("", &shape.columns));
            if reads.contains(table.as_str()) {
                named.push((
                    table.clone(),
                    format!("select {columns} from {table}_versions where {IS_OF_THEN}"),
                ));
            }
            let history = history_of(shape);
            if reads.contains(history.as_str()) {
                let query = history_query(shape, "", THEN);
                named.push((history, query));
            }
            let versions = format!("{table}{VERSIONS}");
            if reads.contains(versions.as_str()) {
                named.push((versions + OF_THEN, versions_query(shape, "", THEN)));
            }
        }
        if named.is_empty() {
            return None;
        }
        let instant = instant();
        for read in self.views.iter().filter(|read| reads.contains(read.name.as_str())) {
            // What reads nothing is the same at any time.
            if !read.sources.is_empty() {
                named.push((read.name.clone(), read.then.clone()));
            }
        }
        let with: Vec<String> =
            named.iter().map(|(name, query)| format!("{name} as not materialized ({query})")).collect();
        let cells: Vec<String> =
            columns.iter().enumerate().map(|(at, name)| format!("row.value ->> {at} as {name}")).collect();
        Some(format!(
            "create view {name}_as_of as select {cells}, given.json as as_of from {instant} cross join \
             json_each((with {with} select json_group_array(json_array({columns})) from ({query}))) as row",
            name = view.name,
            cells = cells.join(", "),
            with = with.join(", "),
            columns = comma("", columns),
            query = view.then,
        ))
    }

    /// The view of the script after which a session sees the record tables, and our views of them, as they were at an
    /// instant. `indices` are the texts that make the indices of record tables.
    pub(super) fn script_view(&self, indices: &[String]) -> String {
        let now = literal(MARK);
        let mut script = format!(
            "-- From here on, the records of this connection are those that were known at {MARK}. Only temporary tables and \
             views are made; a new connection has the present again. Views that read the ledger, which holds the present, refuse.\n"
        );
        for shape in self.shapes {
            let (table, columns) = (&shape.table, comma("", &shape.columns));
            script.push_str(&format!(
                "drop table if exists temp.{table};\n\
                 create temp table {table} as select {columns} from main.{table}_versions \
                 where valid_from <= {now} and (valid_to is null or valid_to > {now});\n\
                 create unique index temp.{table}_by_key on {table} ({key});\n\
                 drop view if exists temp.{table}_history;\n\
                 create temp view {table}_history as {history};\n\
                 drop view if exists temp.{table}_versions;\n\
                 create temp view {table}_versions as {versions};\n",
                key = comma("", &shape.key),
                history = history_query(shape, "main.", &now),
                versions = versions_query(shape, "main.", &now),
            ));
        }
        for index in indices {
            script.push_str(&index.replacen(" index ", " index temp.", 1));
            script.push_str(";\n");
        }
        // SQLite knows nothing else about tables that were just made.
        script.push_str("analyze temp;\n");
        // The views are copied from the file, behind the words `create view`. Those that read the ledger would tell of today:
        // whoever asks them is told so by the name of a table that is not there.
        let mut names = Vec::new();
        for view in self.views.iter().filter(|view| !view.sources.is_empty()) {
            let name = &view.name;
            match self.ledger_of(view) {
                None => names.push(literal(name)),
                Some(ledger) => script.push_str(&format!(
                    "drop view if exists temp.{name};\n\
                     create temp view {name} as select * from \"{name} is not known as of {MARK}: \
                     it reads {ledger}, which holds the present only\";\n"
                )),
            }
        }
        let views = format!(
            "select group_concat('drop view if exists temp.' || name || ';' || char(10) || 'create temp view ' || \
             replace(substr(sql, 13), '''now''', {}) || ';' || char(10), '') from sqlite_schema where type = 'view' and name in ({})",
            literal(&now),
            names.join(", ")
        );
        format!(
            "create view as_of_script as select replace({} || ({views}), '{MARK}', {THEN}) as script, \
             given.json as as_of from {}",
            literal(&script),
            instant(),
        )
    }
}

fn history_of(shape: &TableShape) -> String {
    format!("{}_history", shape.table)
}

/// What the history of a table held at an instant.
fn history_query(shape: &TableShape, schema: &str, instant: &str) -> String {
    format!(
        "select {}, ended_by_run as ended_run, valid_to as ended_at, to_commit from {schema}{}_versions where valid_to <= {instant}",
        comma("", &shape.columns),
        shape.table,
    )
}

/// The versions of a table's rows that were known at an instant.
fn versions_query(shape: &TableShape, schema: &str, instant: &str) -> String {
    format!(
        "select {}, valid_from, iif(valid_to <= {instant}, valid_to, null) as valid_to, made_by_run, \
         iif(valid_to <= {instant}, ended_by_run, null) as ended_by_run, \
         iif(valid_to <= {instant}, to_commit, null) as to_commit \
         from {schema}{}_versions where valid_from <= {instant}",
        comma("", &shape.columns),
        shape.table,
    )
}
