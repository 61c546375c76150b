//! Makes what is derived from the migrated tables and this program's files: history tables, triggers and views.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction};
use sha2::{Digest, Sha256};

use super::as_of::{KnownObjects, View};
use super::changes::changes_view;
use super::commits;
use super::dictionary::{Dictionary, GLOSSARY};
use super::files::{MIGRATIONS, VIEWS};
use super::shape::{TableShape, columns, record_tables};
use super::stored::expand_stored_at;
use super::text::{expand_decimals, literal, view_name};
use super::{checks, history, versions};

/// Our views in this file, and the fingerprint of what they and the history triggers were made from.
const DERIVED: [&str; 2] = ["derived_views", "derived_objects"];

/// What the views beside those of `VIEWS` are made by: they are other ones when it changes.
const GENERATORS: &[&str] = &[
    GLOSSARY,
    include_str!("as_of.rs"),
    include_str!("comments.rs"),
    include_str!("dictionary.rs"),
    include_str!("dictionary/rows.rs"),
    include_str!("history.rs"),
    include_str!("shape.rs"),
    include_str!("text.rs"),
    include_str!("versions.rs"),
];

/// The texts of all views with comments of their own, in the order of their creation.
fn view_files(shapes: &[TableShape]) -> Vec<String> {
    let checks = checks::views().map(str::to_owned).chain([checks::catalogue()]);
    VIEWS.iter().map(|view| expand_stored_at(view)).chain(checks).chain([changes_view(shapes)]).collect()
}

fn views_of(texts: &[String]) -> Vec<View> {
    texts.iter().filter_map(|sql| view_name(sql).map(|name| View::of(name, sql))).collect()
}

/// What everything that is derived is made of, and what tells it from another version's.
struct Derived {
    shapes: Vec<TableShape>,
    triggers: Vec<String>,
    files: Vec<String>,
    fingerprint: String,
}

impl Derived {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let shapes = record_tables()
            .into_iter()
            .map(|table| TableShape::of(connection, table.name))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let triggers: Vec<String> = shapes.iter().map(history::triggers).collect();
        let files = view_files(&shapes);
        let mut hash = Sha256::new();
        let sources = MIGRATIONS.iter().chain(GENERATORS).copied();
        for text in triggers.iter().chain(&files).map(String::as_str).chain(sources) {
            hash.update(text);
            hash.update([0]);
        }
        Ok(Self { shapes, triggers, files, fingerprint: hex::encode(hash.finalize()) })
    }

    fn is_in(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let [_, derived_objects] = DERIVED;
        Ok(read_meta(connection, derived_objects)?.as_deref() == Some(self.fingerprint.as_str()))
    }
}

/// Whether a file has this program's history tables, triggers and views.
pub(super) fn is_derived(connection: &Connection) -> rusqlite::Result<bool> {
    Derived::of(connection)?.is_in(connection)
}

/// History tables, triggers and views are made from the migrated tables and this program's files, so they
/// are no migrations: a fingerprint tells when they are another program version's. Views that somebody else put
/// into the file are left alone.
pub(super) fn derive_objects(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let derived = Derived::of(tx)?;
    if derived.is_in(tx)? {
        return Ok(());
    }
    let Derived { shapes, triggers, files, fingerprint } = derived;
    let written: Vec<String> = files.iter().map(|view| expand_decimals(view)).collect();
    let [derived_views, derived_objects] = DERIVED;
    for name in read_meta(tx, derived_views)?.unwrap_or_default().split_whitespace() {
        tx.execute_batch(&format!("drop view if exists \"{name}\""))?;
    }
    for shape in &shapes {
        history::widen(tx, &shape.table)?;
    }
    commits::number(tx, &shapes)?;
    for (shape, triggers) in shapes.iter().zip(&triggers) {
        tx.execute_batch(triggers)?;
        for index in indices_of(tx, &[&shape.table])? {
            tx.execute_batch(&history::index(&index, &shape.table))?;
        }
    }
    let mut maker = ViewMaker { tx, names: Vec::new() };
    for shape in &shapes {
        maker.make(&versions::versions_view(shape))?;
        maker.make(&versions::as_of_view(shape))?;
    }
    for view in &written {
        maker.make(view)?;
    }
    let tables: BTreeSet<String> = texts(tx, "select name from sqlite_schema where type = 'table'")?;
    make_views_of_then(
        &mut maker,
        &KnownObjects { shapes: &shapes, views: &views_of(&written), tables: &tables },
    )?;
    let views: Vec<(&str, &str)> =
        files.iter().filter_map(|sql| view_name(sql).map(|name| (name, sql.as_str()))).collect();
    let names = |object: &str| Ok(columns(tx, object)?.into_iter().map(|(name, _)| name).collect());
    let made = texts(tx, "select name from sqlite_schema")?;
    for dictionary in Dictionary::of(&MIGRATIONS).filled(&views, &record_tables(), names, &made)? {
        tx.execute_batch(&dictionary)?;
    }
    write_meta(tx, derived_views, &maker.names.join(" "))?;
    write_meta(tx, derived_objects, &fingerprint)
}

/// The questions, checks and records as they were at an instant, and the script that turns a session back.
fn make_views_of_then(maker: &mut ViewMaker<'_>, known: &KnownObjects<'_>) -> rusqlite::Result<()> {
    for view in known.views.iter().filter(|view| view.is_for_finance()) {
        let names: Vec<String> = columns(maker.tx, &view.name)?.into_iter().map(|(name, _)| name).collect();
        if let Some(of_then) = known.as_of_view(view, &names) {
            maker.make(&of_then)?;
        }
    }
    let recorded: Vec<&str> = known.shapes.iter().map(|shape| shape.table.as_str()).collect();
    let indices = indices_of(maker.tx, &recorded)?;
    maker.make(&known.script_view(&indices))
}

/// The statements that make the indices of tables.
fn indices_of(tx: &Transaction<'_>, tables: &[&str]) -> rusqlite::Result<Vec<String>> {
    let tables: Vec<String> = tables.iter().map(|table| literal(table)).collect();
    texts(
        tx,
        &format!(
            "select sql from sqlite_schema where type = 'index' and sql is not null and tbl_name in ({}) order by name",
            tables.join(", ")
        ),
    )
}

fn texts<C: FromIterator<String>>(tx: &Transaction<'_>, sql: &str) -> rusqlite::Result<C> {
    tx.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Makes views, in the place of others of their names.
struct ViewMaker<'a> {
    tx: &'a Transaction<'a>,
    names: Vec<String>,
}

impl ViewMaker<'_> {
    fn make(&mut self, view: &str) -> rusqlite::Result<()> {
        if let Some(name) = view_name(view) {
            self.tx.execute_batch(&format!("drop view if exists \"{name}\""))?;
            self.names.push(name.to_owned());
        }
        self.tx.execute_batch(view)
    }
}

fn read_meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("select value from meta where key = ?1", [key], |row| row.get(0)).optional()
}

fn write_meta(tx: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<()> {
    tx.execute(
        "insert into meta (key, value) values (?1, ?2) on conflict (key) do update set value = excluded.value",
        (key, value),
    )
    .map(|_| ())
}
