//! Orders in the seconds where the history begins and where two months meet.

use super::{delete, differing, months_of, verify};
use crate::fixtures;
use sim::{Bounds, OWNER, Script, Truth};
use support::Bench;

/// The contract's examples and orders created at these times, read from 2026-01-01 on.
fn serving(orders: &[(&str, &str)], bounds: Bounds) -> Bench {
    let mut parts = fixtures::examples();
    for (id, time) in orders {
        parts.orders.push(format!(
            r#"{{"order_id":"{id}","customer_id":"{OWNER}","order_type":1,"status":4,"create_time":"{time}"}}"#
        ));
    }
    let bench = Bench::new(Script::serving(Truth::from_parts(parts)).bounds(bounds));
    fixtures::shorten_history(&bench);
    bench
}

#[test]
fn an_order_in_the_first_second_of_the_history_is_compared() {
    for bounds in [Bounds::Inclusive, Bounds::ExclusiveEnd] {
        let orders = [("E1", "2026-01-01T00:00:00Z"), ("E2", "2026-01-01T00:00:01Z")];
        let bench = serving(&orders, bounds);
        bench.run(&[]).expect_code(0);
        verify(&bench, &[]).expect_code(0);
        delete(&bench, &["delete from orders where order_id = 'E1'".to_owned()]);
        let found = verify(&bench, &[]).expect_code(3).json();
        let months = differing(&found, "months", "orders");
        assert_eq!(months_of(&months), ["2026-01".to_owned()].into(), "{found:#}");
        verify(&bench, &["--repair"]).expect_code(0);
    }
}

#[test]
fn an_order_where_two_months_meet_may_count_in_both_and_that_is_said() {
    let bench = serving(&[("E1", "2026-02-28T16:00:00Z")], Bounds::Inclusive);
    bench.run(&[]).expect_code(0);
    delete(&bench, &["delete from orders where order_id = 'E1'".to_owned()]);
    let found = verify(&bench, &[]).expect_code(3).json();
    let months = differing(&found, "months", "orders");
    assert_eq!(months.len(), 2, "{found:#}");
    for month in &months {
        let reasons = month["reasons"].as_array().expect("reasons");
        let said = "it may be one order, in the seconds where 2026-02 and 2026-03 meet";
        assert!(reasons.iter().any(|reason| reason == said), "{found:#}");
    }
}
