//! The view `changes`: whatever was new, changed, gone or back, column by column, over all record tables.

use super::history::is_content;
use super::shape::{TableShape, comma};
use crate::stream::CATALOGUE;

/// The view, with its comments: the dictionary reads them as it reads those of the files.
pub(super) fn changes_view(shapes: &[TableShape]) -> String {
    let arms: Vec<String> = shapes.iter().flat_map(|shape| [births(shape), steps(shape)]).collect();
    format!(
        "-- What was new, changed, gone or back in the record tables, and when. | 各表的新增、变化、消失与恢复。\n\
         create view changes as\nwith found as (\n{}\n)\nselect\n    \
         account,\n    \
         stream, -- what was read | 数据流\n    \
         object, -- table of the row | 表\n    \
         key, -- key of the row within its account, parts joined by ' / ' | 行主键（账号内），多段以 / 连接\n    \
         change, -- 'new', 'changed', 'gone' or 'back' | 变化：new 新增，changed 变化，gone 消失，back 恢复\n    \
         at, -- when the vendor showed it, UTC; of new rows when their run began | 变化时间（UTC）；新增行为该次运行的开始时间\n    \
         run_id, -- run that stored it; null: deleted by hand | 写入的运行编号，空表示人工删除\n    \
         column_name, -- column that changed; null for new rows | 变化的字段，新增行为空\n    \
         old, -- its former value, as text | 变化前的值（文本）\n    \
         new, -- its value since, as text | 变化后的值（文本）\n    \
         old_amount_e8, -- former amount of the row, if it has one | 变化前的金额 | unit: 10^-8 currency units\n    \
         new_amount_e8 -- amount since | 变化后的金额 | unit: 10^-8 currency units\n\
         from found;\n",
        arms.join("\nunion all\n")
    )
}

fn stream_of(table: &str) -> &'static str {
    CATALOGUE
        .iter()
        .find(|stream| {
            let children =
                |owner: &&crate::record::Table| owner.children.iter().any(|list| list.table.name == table);
            stream.tables().iter().any(|owner| owner.name == table || children(owner))
        })
        .map_or("", |stream| stream.name())
}

/// Expressions for the key, behind the account, and for the amount of a row.
fn key_and_amount(shape: &TableShape, row: &str) -> (String, String) {
    let key: Vec<String> = shape.key.iter().skip(1).map(|name| format!("{row}.{name}")).collect();
    let amount = ["amount_after_discount_e8", "amount_e8", "discount_amount_e8"]
        .iter()
        .find(|name| shape.columns.iter().any(|column| column == *name))
        .map_or_else(|| "null".to_owned(), |name| format!("{row}.{name}"));
    (key.join(" || ' / ' || "), amount)
}

/// Rows that were first stored.
fn births(shape: &TableShape) -> String {
    let (table, stream) = (&shape.table, stream_of(&shape.table));
    let (key, amount) = key_and_amount(shape, "v");
    format!(
        "select v.account, '{stream}' as stream, '{table}' as object, {key} as key, 'new' as change, v.valid_from as at, \
         v.first_seen_run as run_id, null as column_name, null as old, null as new, null as old_amount_e8, \
         {amount} as new_amount_e8 from {table}_versions as v where v.version = 1"
    )
}

/// What each replaced row became, in the table or in the history: a row for each column with another value. What was deleted
/// by hand became nothing. The two are looked up apart, because an index leads to each.
fn steps(shape: &TableShape) -> String {
    let (table, stream) = (&shape.table, stream_of(&shape.table));
    let ((key, old_amount), (_, amount_now), (_, amount_then)) =
        (key_and_amount(shape, "h"), key_and_amount(shape, "n"), key_and_amount(shape, "s"));
    let new = |now: &str, then: &str| format!("iif(n.version is null, {then}, {now})");
    let cells: Vec<String> = shape
        .columns
        .iter()
        .filter(|name| is_content(name) && !shape.key.contains(name))
        .map(|name| {
            format!("json_array('{name}', h.{name}, {})", new(&format!("n.{name}"), &format!("s.{name}")))
        })
        .collect();
    let next = |row: &str| {
        let same: Vec<String> = shape.key.iter().map(|name| format!("{row}.{name} = h.{name}")).collect();
        format!(
            "{} and {row}.first_seen_run = h.first_seen_run and {row}.version = h.version + 1",
            same.join(" and ")
        )
    };
    format!(
        "select h.account, '{stream}', '{table}', {key}, \
         case when {version} is null then 'gone' when c.value ->> 0 <> 'gone_since' then 'changed' \
         when {gone} is null then 'back' else 'gone' end, \
         h.ended_at, h.ended_run, iif({version} is null, null, c.value ->> 0), \
         iif({version} is null, null, cast(c.value ->> 1 as text)), cast(c.value ->> 2 as text), \
         iif(h.gone_since is null, {old_amount}, null), iif({gone} is null, {amount}, null) \
         from {table}_history as h \
         left join {table} as n on {in_table} \
         left join {table}_history as s on {in_history} \
         cross join json_each(json_array({cells})) as c \
         where iif({version} is null, c.key = 0, c.value ->> 1 is not c.value ->> 2)",
        version = new("n.version", "s.version"),
        gone = new("n.gone_since", "s.gone_since"),
        amount = new(&amount_now, &amount_then),
        in_table = next("n"),
        in_history = next("s"),
        cells = comma("", &cells),
    )
}
