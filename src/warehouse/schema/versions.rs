//! Views of what was known when: all versions of the rows of a record table, and the table as it was at an instant.

use super::shape::{TableShape, comma};

/// The view of all versions of a table's rows, those of now included. A version was what the commits from `from_commit` on
/// left, up to the one before `to_commit`.
///
/// A version begins where the one before it ended; the first one with the run that first saw the row, because the instant
/// of its commit is not stored. Each version looks up its beginning, instead of having all of them counted through, so that
/// a filter on the key reaches the indices of both tables. A row that was deleted by hand and came back begins anew:
/// `first_seen_run` tells the two lives apart.
pub(super) fn versions_view(shape: &TableShape) -> String {
    let table = &shape.table;
    let same: Vec<String> = shape
        .key
        .iter()
        .chain([&"first_seen_run".to_owned()])
        .map(|name| format!("b.{name} = v.{name}"))
        .collect();
    let begin = format!(
        "coalesce(iif(v.version = 1, null, (select max(b.ended_at) from {table}_history as b where {same} \
         and b.version < v.version)), (select r.started_at from runs as r where r.run_id = v.first_seen_run))",
        same = same.join(" and "),
    );
    let columns = comma("v.", &shape.columns);
    format!(
        "create view {table}_versions as \
         select {columns}, {begin} as valid_from, null as valid_to, v.last_changed_run as made_by_run, \
         null as ended_by_run, null as to_commit from {table} as v \
         union all \
         select {columns}, min({begin}, v.ended_at), v.ended_at, v.last_changed_run, v.ended_run, v.to_commit \
         from {table}_history as v"
    )
}

/// What makes an instant of `where as_of = …`: rows `given`, whose column `json` is what the client wrote, and
/// `as_of_instant`, whose `value` is the instant in UTC. `json` is a hidden column of SQLite's own `json_each`: without the
/// filter there is no row. A day stands for its last second in UTC+8. What is neither a day nor a second ends in an error
/// ("malformed JSON"), because no row would be an answer.
pub(super) fn instant() -> String {
    let part = |from: u8, len: u8| format!("substr(given.json, {from}, {len})");
    let day = format!("{} || '-' || {} || '-' || {}", part(1, 4), part(5, 2), part(7, 2));
    let time = format!("{} || ':' || {} || ':' || {}", part(9, 2), part(11, 2), part(13, 2));
    let utc = |local: &str| format!("strftime('%Y-%m-%dT%H:%M:%SZ', {local}, '-8 hours')");
    format!(
        "json_each as given cross join json_each(coalesce('[\"' || case length(given.json) when 8 then {} \
         when 14 then {} end || '\"]', 'neither a day nor a second')) as as_of_instant",
        utc(&format!("{day} || 'T23:59:59'")),
        utc(&format!("{day} || 'T' || {time}")),
    )
}

/// Which version was the one of the instant.
pub(super) const IS_OF_THEN: &str =
    "valid_from <= as_of_instant.value and (valid_to is null or valid_to > as_of_instant.value)";

/// The view of a table as it was known at an instant.
pub(super) fn as_of_view(shape: &TableShape) -> String {
    let table = &shape.table;
    format!(
        "create view {table}_as_of as select {}, given.json as as_of from {} cross join {table}_versions as v \
         where {IS_OF_THEN}",
        comma("v.", &shape.columns),
        instant(),
    )
}
