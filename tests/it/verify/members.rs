//! Members of combined orders carry the money: `verify` compares those of the order list with those of the details.

use super::{delete, differing, months_of, nothing_differs, verify};
use crate::fixtures::rows;
use sim::{Bounds, Script};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench};

/// The smallest id of a member, and the month in which its combined order was created.
fn a_member(bench: &Bench) -> (String, String) {
    let sql = "select m.order_id, strftime('%Y-%m', p.create_time, '+8 hours') from orders as m
         join orders as p on p.order_id = m.parent_order_id order by m.order_id limit 1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    bench.db().query_row(sql, [], read).expect("a combined order")
}

#[test]
fn a_missing_member_is_named_by_its_id_and_month_and_comes_back() {
    for bounds in [Bounds::Inclusive, Bounds::ExclusiveEnd, Bounds::ExclusiveBegin] {
        let bench = Bench::new(Script::seeded(61).orders(300).bounds(bounds));
        bench.run(&[]).expect_code(0);
        let clean = verify(&bench, &[]).expect_code(0).json();
        assert!(nothing_differs(&clean), "{clean:#}");
        let (member, month) = a_member(&bench);
        for table in ["orders", "order_details"] {
            delete(&bench, &[format!("delete from {table} where order_id = '{member}'")]);
            let found = verify(&bench, &[]).expect_code(3).json();
            let stream = if table == "orders" { "orders" } else { "order_lines" };
            let members = differing(&found, "members", stream);
            assert_eq!(months_of(&members), [month.clone()].into(), "{found:#}");
            assert_eq!(members[0]["orders"][0]["order_id"], member.as_str(), "{found:#}");
            assert_eq!(members[0]["difference"], -1, "{found:#}");
            let text = bench.call(&["verify"]).expect_code(3).stdout;
            assert!(text.contains(&member), "{text}");
            let repaired = verify(&bench, &["--repair"]).expect_code(0).json();
            assert!(nothing_differs(&repaired), "{repaired:#}");
        }
        assert_equals_truth(&bench, As::Customer);
        assert_sound(&bench);
    }
}

#[test]
fn a_member_that_is_known_to_be_gone_is_not_missing() {
    let bench = Bench::new(Script::seeded(61).orders(300));
    bench.run(&[]).expect_code(0);
    let (member, _) = a_member(&bench);
    delete(&bench, &[format!("update orders set gone_since = last_seen_at where order_id = '{member}'")]);
    verify(&bench, &[]).expect_code(0);
    assert_eq!(rows(&bench.db(), "select count(*) from orders where gone_since is not null"), ["1"]);
}
