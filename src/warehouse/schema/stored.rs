//! When the row of a key was last stored, in whichever table of the catalogue's lists it would be.

use super::text::literal;
use crate::record::Table;
use crate::stream::CATALOGUE;

/// Writes out `stored_at(x)` in a view: when the row that `x` names by `account`, `record_table` and `row_key` was last seen;
/// null when it is not stored.
pub(super) fn expand_stored_at(view: &str) -> String {
    const MARK: &str = "stored_at(";
    let Some((before, (x, behind))) =
        view.split_once(MARK).and_then(|(before, rest)| Some((before, rest.split_once(')')?)))
    else {
        return view.to_owned();
    };
    let tables = CATALOGUE.iter().filter_map(|stream| stream.listed());
    let arms: Vec<String> = tables.map(|table| arm(table, x)).collect();
    format!("{before}case {x}.record_table\n{}        end{behind}", arms.concat())
}

fn arm(table: &Table, x: &str) -> String {
    let key = table.columns.iter().take(table.key_len).enumerate();
    let same: Vec<String> =
        key.map(|(at, column)| format!(" and t.{} = {x}.row_key ->> {at}", column.name)).collect();
    format!(
        "            when {} then (select t.last_seen_at from {} as t where t.account = {x}.account{})\n",
        literal(table.name),
        table.name,
        same.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_looked_up_by_all_of_its_key() {
        let view = expand_stored_at("select stored_at(q) as stored_at from quarantine as q");
        let by_two = "when 'resource_types' then (select t.last_seen_at from resource_types as t where \
            t.account = q.account and t.resource_type_code = q.row_key ->> 0 and t.service_type_code = q.row_key ->> 1)";
        assert!(view.contains(by_two), "{view}");
        assert!(view.ends_with("end as stored_at from quarantine as q"), "{view}");
        assert!(!view.contains("refund_attributions"), "those come with their orders: {view}");
    }
}
