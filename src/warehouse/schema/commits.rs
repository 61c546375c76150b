//! Numbers for the versions of a file that is older than its commits: in the order that is known.
//!
//! What is known of a version is when it ended, by the vendor's clock in whole seconds, and the run that first saw its row.
//! One commit is put together for each such instant, and as many more as one row changed at that instant. So the numbers of a
//! row grow from version to version, and of two rows the one that changed in an earlier second has the lower number.

use rusqlite::Transaction;

use super::shape::{TableShape, comma};

/// The next commit, of this origin, at this time or at that of the last commit, whichever is later: the number follows the last
/// one in the file, so it is asked for inside the transaction and never remembered.
pub(in crate::warehouse) fn next_commit(origin: &str, at: &str) -> String {
    format!(
        "insert into commits (commit_no, at, tag, origin) \
         select coalesce((select max(commit_no) from commits), 0) + 1, \
         max({at}, coalesce((select at from commits order by commit_no desc limit 1), '')), \
         lower(hex(randomblob(8))), '{origin}'"
    )
}

/// Where the instants of all tables are put in order.
const MOMENTS: &str = "
    create temp table moments (at text not null, step integer not null, primary key (at, step)) without rowid;";

const NUMBERED: &str = "
    create temp table numbered as
        select at, step, row_number() over (order by at, step) as commit_no from temp.moments;
    create unique index temp.numbered_by_moment on numbered (at, step);
    insert into commits (commit_no, at, tag, origin)
        select commit_no, at, lower(hex(randomblob(8))), 'derived' from temp.numbered order by commit_no;";

/// Takes the number of the transaction that makes what is derived; before it come those of versions that have none yet.
pub(super) fn number(tx: &Transaction<'_>, shapes: &[TableShape]) -> rusqlite::Result<()> {
    let has_commits: bool = tx.query_row("select exists (select 1 from commits)", [], |row| row.get(0))?;
    if !has_commits {
        number_versions(tx, shapes)?;
    }
    tx.execute_batch(&next_commit("written", "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"))
}

fn number_versions(tx: &Transaction<'_>, shapes: &[TableShape]) -> rusqlite::Result<()> {
    tx.execute_batch(MOMENTS)?;
    for shape in shapes {
        tx.execute_batch(&steps(shape))?;
    }
    tx.execute_batch(NUMBERED)?;
    for shape in shapes {
        tx.execute_batch(&fill(shape))?;
    }
    tx.execute_batch("drop table temp.moments; drop table temp.numbered;")
}

/// The steps of the rows of a table that have a history: each begin of a life and each end of a version, in their order. A life
/// begins with the run that first saw the row, and no later than its first version ended. No step is earlier than the one
/// before it, and `step` counts those of one instant.
fn steps(shape: &TableShape) -> String {
    let TableShape { table, key, .. } = shape;
    let keys = comma("", key);
    let same: Vec<String> = key.iter().map(|name| format!("h.{name} = t.{name}")).collect();
    let same = same.join(" and ");
    format!(
        "create temp table {table}_steps as
         with versions as (
             select {keys}, first_seen_run, ended_at, rowid as place, 0 as is_now from {table}_history
             union all
             select {keys}, first_seen_run, null, rowid, 1 from {table} as t
             where exists (select 1 from {table}_history as h where {same})
         ),
         lives as (
             select *, lag(first_seen_run) over (partition by {keys} order by is_now, place) is not first_seen_run as begins
             from versions
         ),
         events as (
             select {lives_keys}, l.is_now, l.place, 0 as ends,
                 coalesce(min(r.started_at, l.ended_at), r.started_at, l.ended_at, '') as at
             from lives as l
             left join runs as r on r.run_id = l.first_seen_run
             where l.begins
             union all
             select {keys}, is_now, place, 1, ended_at from lives where not is_now
         ),
         in_order as (
             select {keys}, is_now, place, ends, max(at) over (partition by {keys} order by is_now, place, ends) as at from events
         )
         select *, row_number() over (partition by {keys}, at order by is_now, place, ends) as step from in_order;
         create index temp.{table}_steps_by_row on {table}_steps ({keys}, is_now, place, ends);
         insert or ignore into temp.moments select at, step from temp.{table}_steps;
         insert or ignore into temp.moments
             select started_at, 1 from runs where run_id in (select first_seen_run from {table});",
        lives_keys = comma("l.", key),
    )
}

/// Writes the numbers into a table and its history. A version begins where the step before its end is.
fn fill(shape: &TableShape) -> String {
    let TableShape { table, key, .. } = shape;
    let keys = comma("", key);
    let same: Vec<String> = key.iter().map(|name| format!("s.{name} = {table}.{name}")).collect();
    let same = same.join(" and ");
    format!(
        "update {table} set from_commit = coalesce((
             select n.commit_no from runs as r
             join temp.numbered as n on n.at = r.started_at and n.step = 1
             where r.run_id = {table}.first_seen_run
         ), 0);
         update {table} set from_commit = (
             select n.commit_no from temp.{table}_steps as s
             join temp.numbered as n on n.at = s.at and n.step = s.step
             where {same} order by s.is_now desc, s.place desc, s.ends desc limit 1
         )
         where exists (select 1 from temp.{table}_steps as s where {same});
         update {table}_history set from_commit = made.from_commit, to_commit = made.to_commit
         from (
             select s.place, s.is_now, s.ends, n.commit_no as to_commit,
                 lag(n.commit_no) over (partition by {keys} order by s.is_now, s.place, s.ends) as from_commit
             from temp.{table}_steps as s
             join temp.numbered as n on n.at = s.at and n.step = s.step
         ) as made
         where made.ends and not made.is_now and made.place = {table}_history.rowid;
         drop table temp.{table}_steps;"
    )
}
