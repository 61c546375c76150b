//! The history tables, and the triggers that fill them.

use rusqlite::Transaction;

use super::commits::next_commit;
use super::shape::{TableShape, columns, comma};
use super::text::words;

/// Columns of a record table that are bookkeeping, not content.
const BOOKKEEPING: &[&str] = &[
    "asked_customer_id",
    "role",
    "first_seen_run",
    "last_changed_run",
    "last_seen_at",
    "version",
    "from_commit",
];

/// Whether a column of a record table is content, and not bookkeeping.
pub(in crate::warehouse) fn is_content(column: &str) -> bool {
    !BOOKKEEPING.contains(&column)
}

/// Gives a table's history the columns it lacks: those of the table, and when and by which run and commit a row ended.
pub(super) fn widen(tx: &Transaction<'_>, table: &str) -> rusqlite::Result<()> {
    let columns = columns(tx, table)?;
    let typed: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    tx.execute_batch(&format!(
        "create table if not exists {table}_history ({}, ended_run integer, ended_at text not null, to_commit integer) strict",
        typed.join(", ")
    ))?;
    let existing = self::columns(tx, &format!("{table}_history"))?;
    let ended_by = ("to_commit".to_owned(), "integer".to_owned());
    for (name, kind) in columns.into_iter().chain([ended_by]) {
        if !existing.iter().any(|(known, _)| *known == name) {
            tx.execute_batch(&format!("alter table {table}_history add column {name} {kind}"))?;
        }
    }
    Ok(())
}

/// The triggers that copy each replaced or deleted row of a table to its history.
///
/// A version is what a commit left: a row that changes twice within one transaction was in between what nobody else ever saw,
/// and has no version for it. Whoever changes rows by hand takes no number: then each row is a commit of its own.
pub(super) fn triggers(shape: &TableShape) -> String {
    let TableShape { table, columns, key } = shape;
    let content: Vec<&String> = columns.iter().filter(|name| is_content(name)).collect();
    let copy = |to_commit: &str| {
        format!(
            "insert into {table}_history ({}, ended_run, ended_at, to_commit) select {}, {{ended}}, {to_commit};",
            comma("", columns),
            comma("old.", columns)
        )
    };
    let replaced = |to_commit: &str| {
        copy(to_commit).replace("{ended}", "new.last_changed_run, coalesce(new.gone_since, new.last_seen_at)")
    };
    let now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
    let by_hand = next_commit("by hand", now);
    let newest = "(select max(commit_no) from commits)";
    format!(
        "drop index if exists {table}_history_by_key;
         create index if not exists {table}_history_by_row on {table}_history ({key}, ended_at);
         create index if not exists {table}_history_by_time on {table}_history (ended_at);
         drop trigger if exists {table}_keeps_replaced_rows;
         create trigger {table}_keeps_replaced_rows after update of {content} on {table}
         when new.from_commit <> old.from_commit and ({old}) is not ({new})
         begin
             {replaced}
         end;
         drop trigger if exists {table}_keeps_rows_replaced_by_hand;
         create trigger {table}_keeps_rows_replaced_by_hand after update of {content} on {table}
         when new.from_commit = old.from_commit and ({old}) is not ({new})
             and not exists (select 1 from commits where commit_no = {newest} and origin = 'open')
         begin
             {by_hand};
             {replaced_by_hand}
             update {table} set from_commit = {newest} where rowid = new.rowid;
         end;
         drop trigger if exists {table}_keeps_deleted_rows;
         create trigger {table}_keeps_deleted_rows after delete on {table}
         begin
             {by_hand};
             {deleted}
         end;",
        key = comma("", key),
        content = comma("", &content),
        old = comma("old.", &content),
        new = comma("new.", &content),
        replaced = replaced("new.from_commit"),
        replaced_by_hand = replaced(newest),
        deleted = copy(newest).replace("{ended}", &format!("null, {now}")),
    )
}

/// The statement that gives a history an index of its table: what is looked up in the present is looked up in the past.
pub(super) fn index(statement: &str, table: &str) -> String {
    let words = words(statement);
    let name = words.iter().position(|word| word.is("index")).and_then(|at| words.get(at + 1));
    let name = name.map_or("", |name| name.text);
    let made = statement.replacen(
        &format!(" {name} on {table} "),
        &format!(" {table}_history_as_{name} on {table}_history "),
        1,
    );
    format!("drop index if exists {table}_history_as_{name}; {made}")
}
