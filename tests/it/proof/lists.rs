//! Rows that leave a whole list, and come back.

use super::move_clock;
use crate::fixtures::{self, front::Front, rows};
use sim::{OWNER, Scope};
use support::truth::assert_equals_truth;
use support::{As, Bench};

/// A resource that no order names, so that only the whole list shows it.
const RESOURCE: &str = "c5500000-0000-4000-8000-000000000777";

fn gone(bench: &Bench) -> Vec<String> {
    rows(&bench.db(), "select resource_id from resources where gone_since is not null")
}

#[test]
fn a_resource_is_gone_after_two_whole_lists_and_back_when_a_list_shows_it() {
    let mut bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    let served = bench.sim.truth().resources(&Scope::Own);
    let json = served.into_iter().find(|json| json.contains(RESOURCE)).unwrap();
    assert!(bench.sim.change(|truth| truth.remove_resource(RESOURCE)));

    move_clock(&mut bench, 60);
    bench.run(&["resources", "--full"]).expect_code(0);
    assert_eq!(gone(&bench), [] as [&str; 0], "one list proves nothing");

    move_clock(&mut bench, 120);
    let report = bench.run(&["resources", "--full"]).expect_code(0).job("resources");
    assert_eq!(gone(&bench), [format!("'{RESOURCE}'")]);
    assert_eq!(report["rows_changed"], 1, "{report}");

    move_clock(&mut bench, 180);
    let report = bench.run(&["resources", "--full"]).expect_code(0).job("resources");
    assert_eq!(report["rows_changed"], 0, "gone once: {report}");

    bench.sim.change(|truth| truth.add_resource(OWNER, &json));
    move_clock(&mut bench, 240);
    bench.run(&["resources", "--full"]).expect_code(0);
    assert_eq!(gone(&bench), [] as [&str; 0]);
    let row = format!("from resources where resource_id = '{RESOURCE}'");
    assert_eq!(bench.count(&format!("select version {row}")), 3);
    let history =
        format!("select gone_since is null from resources_history where resource_id = '{RESOURCE}'");
    assert_eq!(rows(&bench.db(), &history), ["1", "0"], "there, then gone");
    assert_equals_truth(&bench, As::Customer);
}

/// A partner who names no customer, and a credential of the wrong kind, get success and nothing.
#[test]
fn empty_lists_however_many_take_no_resource_away() {
    let mut bench = fixtures::bench();
    bench.run(&[]).expect_code(0);
    for clock in [60, 120, 180] {
        move_clock(&mut bench, clock);
        let front = Front::before(&bench);
        front.answer("/resources/query", 200, &fixtures::example("resources-partner-empty.json"));
        bench.run(&["resources", "--full"]);
        front.is_used_up();
        assert_eq!(gone(&bench), [] as [&str; 0]);
    }
    move_clock(&mut bench, 240);
    bench.run(&["resources", "--full"]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn a_resource_type_of_two_services_is_two_rows() {
    let mut parts = fixtures::examples();
    parts.resource_types.push(
        r#"{"resource_type_code":"hws.resource.type.vm","service_type_code":"hws.service.type.bms"}"#
            .to_owned(),
    );
    let bench = fixtures::serving(parts);
    bench.run(&["resource_types"]).expect_code(0);
    let types = "select count(*) from resource_types where resource_type_code = 'hws.resource.type.vm'";
    assert_eq!(bench.count(types), 2);
}
