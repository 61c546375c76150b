//! Each version of a row has the commits it stood in, whatever shares a transaction.

use proptest::prelude::*;

use super::versions::{CONTENT, answers, second};
use super::{Store, attributions, order};

/// The rows of a query on all versions of a row where they are no chain: numbers that do not grow, a gap, an overlap.
fn broken(store: &Store, table: &str, key: &str) -> Vec<String> {
    store.rows(&format!(
        "select {key}, version, from_commit, to_commit from (
             select *, lag(to_commit) over life as former, row_number() over life as nr, count(*) over same as all_of_it,
                 max(to_commit is null) over same as is_there
             from {table}_versions
             window life as (partition by account, {key} order by version), same as (partition by account, {key})
         )
         where nr <> version or nr > 1 and from_commit is not former or to_commit <= from_commit
             or (to_commit is null) <> (nr = all_of_it) or not is_there or from_commit = 0"
    ))
}

fn content(store: &Store, sources: impl Fn(&str) -> String) -> [Vec<String>; 3] {
    CONTENT.map(|(table, _, columns)| {
        store.rows(&format!("select {columns} from {} order by 1, 2, 3", sources(table)))
    })
}

fn last_commit(store: &Store) -> String {
    store.rows("select coalesce(max(commit_no), 0) from commits").concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_versions_of_a_commit_are_what_it_left_and_each_row_is_a_chain(
        answers in answers(),
        ends in prop::collection::vec(any::<bool>(), 16),
    ) {
        let mut store = Store::in_memory();
        store.warehouse.commit_together();
        let mut left = Vec::new();
        let mut now = 0;
        for ((pause, answer), is_end) in answers.into_iter().zip(ends) {
            now += u32::from(pause);
            answer.store(&mut store, &second(now).0);
            if is_end {
                store.warehouse.settle().expect("a commit");
                left.push((last_commit(&store), content(&store, str::to_owned)));
            }
        }
        store.warehouse.settle().expect("a commit");
        left.push((last_commit(&store), content(&store, str::to_owned)));
        for (commit, left) in &left {
            let then = content(&store, |table| format!(
                "{table}_versions where from_commit <= {commit} and (to_commit is null or to_commit > {commit})"
            ));
            prop_assert_eq!(&then, left, "at commit {}", commit);
        }
        for (table, key, _) in CONTENT {
            prop_assert_eq!(broken(&store, table, key), [""; 0], "{}", table);
            // The number of the history is the one of the table.
            let unknown = format!("select from_commit from {table}_versions where from_commit not in (select commit_no from commits)");
            prop_assert_eq!(store.rows(&unknown), [""; 0], "{}", table);
        }
        let times = "select at from (select at, lag(at, 1, '') over (order by commit_no) as former from commits) where at < former";
        prop_assert_eq!(store.rows(times), [""; 0]);
        prop_assert_eq!(store.rows("select tag from commits where origin <> 'written' or length(tag) <> 16"), [""; 0]);
    }
}

#[test]
fn what_a_row_was_between_two_changes_in_one_commit_is_no_version() {
    let mut store = Store::new();
    let versions = "select amount_after_discount_e8, version, from_commit - (select min(from_commit) from orders_versions), \
                    to_commit - (select min(from_commit) from orders_versions) from orders_versions order by version";
    store.store("orders", "CS1", &order("1", &[]), "2026-03-01T12:00:00Z");
    store.warehouse.commit_together();
    for amount in ["2", "3"] {
        let changed = store.store("orders", "CS1", &order(amount, &["0.1", "0.2"]), "2026-03-01T12:00:01Z");
        assert_eq!(changed.tally.changed, u64::from(amount == "2") + u64::from(amount == "3"));
    }
    store.warehouse.settle().expect("a commit");
    assert_eq!(store.rows(versions), ["100000000 | 1 | 0 | 1", "300000000 | 2 | 1 | null"]);

    // Born and changed in one commit: still a version 1, and a list that became shorter loses its tail.
    let born = "{\"total_count\":1,\"order_infos\":[{\"order_id\":\"CS2\",\"status\":5,\"order_type\":1,\"measure_id\":1,\
                \"amount_info\":{\"discounts\":[{\"discount_type\":\"605\",\"discount_amount\":1},\
                {\"discount_type\":\"605\",\"discount_amount\":2}]}}]}";
    let shorter = born
        .replace(",{\"discount_type\":\"605\",\"discount_amount\":2}", "")
        .replace("\"status\":5", "\"status\":4");
    let first = store.store("orders", "CS2", born, "2026-03-01T12:00:02Z");
    let second = store.store("orders", "CS2", &shorter, "2026-03-01T12:00:03Z");
    assert_eq!((first.tally.inserted, first.tally.changed), (3, 0));
    assert_eq!((second.tally.inserted, second.tally.changed), (0, 2));
    store.warehouse.settle().expect("a commit");
    assert_eq!(store.rows("select status, version from orders_versions where order_id = 'CS2'"), ["4 | 1"]);
    assert_eq!(
        store.rows("select position, version, gone_since from order_discounts_versions where order_id = 'CS2' order by 1"),
        ["0 | 1 | null", "1 | 1 | 2026-03-01T12:00:03Z"]
    );
    assert_eq!(store.rows("select count(*) from changes where key = 'CS2' and change = 'new'"), ["1"]);
}

#[test]
fn whoever_changes_rows_by_hand_makes_a_commit_of_each() {
    let mut store = Store::new();
    store.store("refund_attributions", "CS1", &attributions(&["1", "2"]), "2026-03-01T12:00:00Z");
    let by_hand = rusqlite::Connection::open(store.warehouse.path()).expect("another program");
    by_hand
        .execute_batch(
            "update refund_attributions set amount_e8 = 7 where id = '1';
             update refund_attributions set last_seen_at = '2026-03-02T12:00:00Z';
             delete from refund_attributions where id = '2';",
        )
        .expect("changed");
    assert_eq!(store.rows("select origin from commits where origin <> 'written'"), ["by hand", "by hand"]);
    store.store("refund_attributions", "CS1", &attributions(&["1", "2"]), "2026-03-03T12:00:00Z");
    let versions = "select id, amount_e8, origin, to_commit is null from refund_attributions_versions as v
                    join commits as c on c.commit_no = v.from_commit order by id, from_commit";
    assert_eq!(
        store.rows(versions),
        [
            "1 | -100000000 | written | 0",
            "1 | 7 | by hand | 0",
            "1 | -100000000 | written | 1",
            "2 | -100000000 | written | 0",
            "2 | -100000000 | written | 1",
        ]
    );
}
