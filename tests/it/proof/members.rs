//! Members of combined orders: they carry the money, and an answer about their order that no longer shows one says that
//! it is gone.

use serde_json::Value;

use crate::fixtures::{self, rows};
use support::{Bench, now};

const COMBINED: &str = "CS2602150800DEMO6";
const MEMBERS: &str = "sub_order_infos";

/// The members that the vendor shows, each as its JSON.
fn members(bench: &Bench) -> Vec<Value> {
    let row = bench.sim.truth().order_row(COMBINED).expect("an order of the examples");
    let mut row: Value = serde_json::from_str(&row).expect("JSON");
    serde_json::from_value(row[MEMBERS].take()).expect("a list")
}

/// The vendor shows these members from now on, and time has passed since the last answer.
fn show(bench: &Bench, members: &[Value], minutes: i64) {
    let list = Value::from(members).to_string();
    assert!(bench.sim.change(|truth| truth.restate(COMBINED, MEMBERS, &list)));
    bench.sim.set_now(now() + 60 * minutes);
}

/// What counts of the combined order and its members.
fn counted(bench: &Bench) -> Vec<String> {
    let like = format!("order_id like '{COMBINED}%' order by order_id");
    rows(&bench.db(), &format!("select order_id, signed_amount_e8 from counted_orders where {like}"))
}

fn gone(bench: &Bench, table: &str) -> Vec<String> {
    let of = format!("parent_order_id = '{COMBINED}' and gone_since is not null order by order_id");
    rows(&bench.db(), &format!("select order_id from {table} where {of}"))
}

#[test]
fn a_member_that_leaves_its_combined_order_is_gone_until_it_comes_back() {
    let bench = fixtures::bench();
    let [one, other] = members(&bench).try_into().expect("two members");
    bench.sim.set_now(now());
    bench.run(&[]).expect_code(0);
    let both = [format!("'{COMBINED}A' | 1001000000"), format!("'{COMBINED}B' | 2002000000")];
    assert_eq!(counted(&bench), both);

    show(&bench, std::slice::from_ref(&one), 2);
    bench.run(&["orders", "--full"]).expect_code(0);
    assert_eq!(gone(&bench, "orders"), [format!("'{COMBINED}B'")]);
    assert_eq!(counted(&bench), both[..1]);
    let queued =
        format!("select count(*) from queue where stream = 'order_lines' and parent_id = '{COMBINED}'");
    assert_eq!(bench.count(&queued), 1, "its lines are to be read again");
    bench.run(&[]).expect_code(0);
    assert_eq!(gone(&bench, "order_details"), [format!("'{COMBINED}B'")]);

    show(&bench, &[], 4);
    bench.run(&["orders", "--full"]).expect_code(0);
    assert_eq!(counted(&bench), [format!("'{COMBINED}' | 3003000000")], "nobody else has its money");

    show(&bench, &[one, other], 6);
    bench.run(&["--full"]).expect_code(0);
    assert_eq!(counted(&bench), both);
    assert_eq!([gone(&bench, "orders"), gone(&bench, "order_details")], [[] as [&str; 0]; 2]);
    let changes = "select count(*) from orders where version > 3";
    assert_eq!(bench.count(changes), 0, "nothing changes without need");
}
