//! Lists that come in another order at each call: slices of one page each prove them, or what cannot be divided is named.

use super::{Possession, disputed, findings, later};
use sim::clock::{self, DAY};
use sim::{Endpoint, OWNER, Parts, RowOrder, Script, Sim, Truth};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench, Login, now};

fn bench(possessions: &[Possession]) -> Bench {
    let bench = Bench::new(Script::seeded(76).orders(0).row_order(RowOrder::Shuffled));
    bench.sim.change(|truth| possessions.iter().for_each(|one| one.put(truth, OWNER)));
    bench
}

/// Resources of which so many expire in the same second.
fn expiring(count: i64, together: i64) -> Vec<Possession> {
    let first = now() - 40 * DAY;
    (0..count)
        .map(|number| Possession {
            id: format!("res-{number:05}"),
            ..Possession::until(first + number / together * 7_201)
        })
        .collect()
}

/// What proves the whole list of a stream.
fn proof(bench: &Bench, stream: &str) -> String {
    let sql = "select proof from coverage where stream = ?1 and scope = 'whole' and verdict = 'complete'";
    bench.db().query_row(sql, [stream], |row| row.get(0)).expect("one row")
}

#[test]
fn shuffled_resources_are_read_in_slices_of_one_page() {
    for (count, together) in [(101, 1), (350, 6), (350, 99), (1_500, 3)] {
        let bench = bench(&expiring(count, together));
        for round in 0..2 {
            bench.sim.reset_stats();
            bench.run(&["resources", "--full"]).expect_code(0);
            let asked = bench.sim.count(Endpoint::Resources);
            println!(
                "{count} resources, {together} a second, round {round}: {} requests, {} rows",
                asked.calls, asked.rows
            );
            assert!(
                proof(&bench, "resources").starts_with("slices of one page"),
                "{}",
                proof(&bench, "resources")
            );
            // Two for the walk that met the other order, one for the whole, one at the end, and slices.
            let pages = u64::try_from(count).unwrap().div_ceil(100);
            assert!(asked.calls <= 2 * (2 + 1 + 1 + 4 * pages), "{asked:?}");
            later(&bench, 2);
        }
        bench.run(&[]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
        assert_sound(&bench);
    }
}

#[test]
fn shuffled_resources_of_one_second_are_divided_by_status_and_service() {
    let second = now() + 7_000;
    let services = ["hws.service.type.ec2", "hws.service.type.ebs", "hws.service.type.vpc"];
    let all: Vec<Possession> = (0..700_usize)
        .map(|number| Possession {
            id: format!("res-{number:05}"),
            // Two thirds of them run; of these no service has more than a page.
            status: [2, 2, 3, 4, 5, 2][number % 6],
            service: services[(number / 6) % 3],
            ..Possession::until(if number < 650 { second } else { second + 86_400 })
        })
        .filter(|one| one.status != 2 || one.id.ends_with(['0', '1', '2', '3', '4', '5', '6']))
        .collect();
    let bench = bench(&all);
    bench.run(&["resources"]).expect_code(0);
    let asked = bench.sim.count(Endpoint::Resources);
    println!("{} resources, most of one second: {} requests, {} rows", all.len(), asked.calls, asked.rows);
    let bodies: Vec<String> = bench.sim.requests().into_iter().map(|seen| seen.body).collect();
    for word in ["expire_time_begin", "status_list", "service_type_code"] {
        assert!(bodies.iter().any(|body| body.contains(word)), "{word}");
    }
    assert!(proof(&bench, "resources").starts_with("slices of one page"));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
}

#[test]
fn more_shuffled_resources_of_one_second_than_a_page_are_named() {
    let second = now() + 7_000;
    let mut all = expiring(80, 2);
    all.extend(
        (0..150).map(|number| Possession { id: format!("same-{number:03}"), ..Possession::until(second) }),
    );
    let bench = bench(&all);
    let told = findings(&bench.run(&["resources"]).expect_code(3), "resources");
    println!("{told:?}");
    assert_eq!(disputed(&bench, "resources"), ["whole"]);
    let time = clock::text(second);
    for word in [time.as_str(), "status 2", "hws.service.type.ec2", "150 rows announced"] {
        assert!(told[0].contains(word), "{word} in {told:?}");
    }
    // The vendor gives them an order again.
    let truth = bench.sim.truth().clone();
    bench.sim.restart(Script::serving(truth));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    assert_sound(&bench);
}

/// The partner's list; of the generated customers one has no time of association.
fn partner(has_timeless: bool) -> Bench {
    let generated = Sim::start(Script::seeded(77).orders(0).customers(150));
    let rows: Vec<String> = generated.truth().sub_customers().into_iter().map(str::to_owned).collect();
    let timed = |row: &String| has_timeless || row.contains("associated_on");
    let truth = Truth::from_parts(Parts {
        owner: OWNER.to_owned(),
        sub_customers: rows.into_iter().filter(timed).collect(),
        service_types: generated.truth().service_types().into_iter().map(str::to_owned).collect(),
        resource_types: generated.truth().resource_types().into_iter().map(str::to_owned).collect(),
        ..Parts::default()
    });
    Bench::with(Script::serving(truth).row_order(RowOrder::Shuffled), As::Partner, Login::Keys)
}

#[test]
fn shuffled_customers_and_service_types_are_all_there() {
    let bench = partner(false);
    bench.run(&["sub_customers", "service_types", "resource_types"]).expect_code(0);
    for (stream, endpoint, begins) in [
        ("sub_customers", Endpoint::SubCustomers, "slices of one page"),
        ("service_types", Endpoint::ServiceTypes, "one page"),
        ("resource_types", Endpoint::ResourceTypes, "one page"),
    ] {
        let asked = bench.sim.count(endpoint);
        println!("{stream}: {} requests, {} rows, {}", asked.calls, asked.rows, proof(&bench, stream));
        assert!(proof(&bench, stream).starts_with(begins), "{}", proof(&bench, stream));
    }
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
    assert_sound(&bench);
}

/// No slice of time holds it: the list is not called complete, and says so.
#[test]
fn a_shuffled_customer_without_association_time_costs_the_list_its_proof() {
    let bench = partner(true);
    let told = findings(&bench.run(&["sub_customers"]).expect_code(3), "sub_customers");
    println!("{told:?}");
    assert!(told[0].contains("150 rows announced at the start, 149 in all slices"), "{told:?}");
    assert_eq!(disputed(&bench, "sub_customers"), ["whole"]);
    // The vendor gives them an order again.
    let truth = bench.sim.truth().clone();
    bench.sim.restart(Script::serving(truth));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
}
