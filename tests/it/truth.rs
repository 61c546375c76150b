//! What stands in the warehouse is what the vendor served: every record, every field, every amount to its last digit.

use std::collections::BTreeMap;
use std::process::Command;

use sim::{Bounds, Endpoint, Fault, RowOrder, Scope, Script, clock};
use support::truth::{
    Cell, assert_equals_truth, assert_no_differences, assert_sound, differences, expected, net_spend, stored,
};
use support::{As, Bench, Login, now};

/// Loads an account, lets it live on, follows it.
fn follows_the_vendor(who: As, login: Login) {
    let bench = Bench::with(Script::seeded(11).orders(300).customers(4), who, login);
    bench.run(&[]).expect_code(0);
    let loaded = assert_equals_truth(&bench, who);
    for (table, rows) in &loaded {
        let is_partners = table.starts_with("sub_customer");
        assert!(!rows.is_empty() || is_partners && who == As::Customer || is_rare(table), "no {table}");
    }
    assert_sound(&bench);

    let evolved = bench.sim.evolve(now() - 3_600);
    for changed in [&evolved.new, &evolved.refunds, &evolved.renewals, &evolved.resources] {
        assert!(!changed.is_empty(), "{evolved:?}");
    }
    bench.run(&[]).expect_code(0);
    pay_an_open_order(&bench, &evolved.new);
    bench.sim.evolve(now() - 1_800);
    bench.run(&[]).expect_code(0);
    // Resources that no new order touched are read with the daily list; all others are there at once.
    let mut wanted = expected(&bench.sim.truth(), who);
    let mut got = stored(&bench.db());
    let ids = |tables: &BTreeMap<&str, BTreeMap<String, _>>| {
        tables["resources"].keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(ids(&got), ids(&wanted));
    wanted.insert("resources", BTreeMap::new());
    got.insert("resources", BTreeMap::new());
    assert_no_differences(&wanted, &got);

    bench.run(&["resources", "--full"]).expect_code(0);
    assert_equals_truth(&bench, who);
    assert_sound(&bench);
}

/// One of these orders, which the warehouse knows as waiting for payment, is paid and completed.
fn pay_an_open_order(bench: &Bench, among: &[String]) {
    let waits = |id: &str| format!("select count(*) from orders where order_id = '{id}' and status = 6");
    let open = among.iter().find(|id| bench.count(&waits(id)) == 1).expect("an open order");
    assert!(bench.sim.change(|truth| truth.set_status(open, 5, Some(now() - 1_900))));
}

#[test]
fn the_comparison_sees_a_changed_digit_a_lost_row_and_a_row_too_many() {
    let bench = Bench::new(Script::seeded(24).orders(20));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    let wanted = expected(&bench.sim.truth(), As::Customer);
    for damage in [
        "update orders set amount_after_discount_e8 = amount_after_discount_e8 + 1
             where order_id = (select min(order_id) from orders where amount_after_discount_e8 <> 0)",
        "update order_lines set category_code = case when category_code is null then '' end
             where order_line_item_id = (select min(order_line_item_id) from order_lines)",
        "delete from order_discounts where rowid = (select min(rowid) from order_discounts)",
        "update resources set resource_id = 'x' where resource_id = (select min(resource_id) from resources)",
        "update service_types set gone_since = '2026-01-01T00:00:00Z'
             where service_type_code = (select min(service_type_code) from service_types)",
    ] {
        let db = bench.writable_db();
        let tx = db.unchecked_transaction().unwrap();
        assert_eq!(tx.execute(damage, []), Ok(1), "{damage}");
        assert!(!differences(&wanted, &stored(&db)).is_empty(), "{damage}");
        tx.rollback().unwrap();
    }
}

/// Tables for which the generated account has no rows.
fn is_rare(table: &str) -> bool {
    table == "order_line_discounts"
}

#[test]
fn a_customer_with_keys_gets_what_the_vendor_served() {
    follows_the_vendor(As::Customer, Login::Keys);
}

#[test]
fn a_customer_with_temporary_keys_gets_what_the_vendor_served() {
    follows_the_vendor(As::Customer, Login::TemporaryKeys);
}

#[test]
fn a_customer_with_a_token_gets_what_the_vendor_served() {
    follows_the_vendor(As::Customer, Login::Token);
}

#[test]
fn a_partner_with_keys_gets_what_the_vendor_served() {
    follows_the_vendor(As::Partner, Login::Keys);
}

#[test]
fn a_partner_with_a_token_gets_what_the_vendor_served() {
    follows_the_vendor(As::Partner, Login::Token);
}

#[test]
fn a_partner_asks_for_the_resources_of_every_customer() {
    let bench = Bench::with(Script::seeded(12).orders(200).customers(5), As::Partner, Login::Keys);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
    let customers = bench.sim.truth().customer_ids().len();
    assert_eq!(
        bench.count(
            "select count(*) from coverage where stream = 'resources' and scope = 'whole' and customer_id <> ''"
        ),
        i64::try_from(customers).unwrap()
    );
}

#[test]
fn a_second_run_without_news_changes_nothing_and_asks_little() {
    let bench = Bench::with(Script::seeded(13).orders(600).customers(3), As::Partner, Login::Keys);
    bench.run(&[]).expect_code(0);
    bench.sim.reset_stats();
    let again = bench.run(&[]).expect_code(0);
    for report in again.json().as_array().unwrap() {
        let job = report["job"].as_str().unwrap();
        let requests = report["requests"].as_u64().unwrap();
        println!("{job}: {requests} requests");
        assert_eq!((&report["rows_inserted"], &report["rows_changed"]), (&0.into(), &0.into()), "{report}");
        assert!(requests <= if job == "orders" { 12 } else { 0 }, "{report}");
    }
    let served: u64 = bench.sim.stats().values().map(|count| count.calls).sum();
    assert!(served <= 12, "{:?}", bench.sim.stats());
    for report in bench.run(&["--full"]).expect_code(0).json().as_array().unwrap() {
        assert_eq!((&report["rows_inserted"], &report["rows_changed"]), (&0.into(), &0.into()), "{report}");
    }
    assert_no_history(&bench);
    assert_equals_truth(&bench, As::Partner);
}

fn assert_no_history(bench: &Bench) {
    let db = bench.db();
    let mut names =
        db.prepare("select name from sqlite_schema where type = 'table' and name like '%_history'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(names.len(), 14);
    for name in names {
        assert_eq!(bench.count(&format!("select count(*) from {name}")), 0, "{name}");
    }
}

#[test]
fn bounds_of_windows_may_be_inclusive_or_exclusive() {
    for bounds in [Bounds::Inclusive, Bounds::ExclusiveEnd, Bounds::ExclusiveBegin] {
        let bench = Bench::new(Script::seeded(14).orders(300).bounds(bounds));
        bench.run(&[]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
        bench.sim.evolve(now() - 1_800);
        bench.run(&[]).expect_code(0);
        bench.run(&["resources", "--full"]).expect_code(0);
        assert_equals_truth(&bench, As::Customer);
    }
}

#[test]
fn an_order_in_the_first_or_last_second_of_a_window_is_not_lost() {
    for bounds in [Bounds::Inclusive, Bounds::ExclusiveEnd, Bounds::ExclusiveBegin] {
        let bench = Bench::new(Script::seeded(15).orders(20).bounds(bounds));
        bench.run(&["orders"]).expect_code(0);
        let edges: Vec<String> = {
            let db = bench.db();
            let mut windows = db
                .prepare(
                    "select window_begin from coverage where lane = 'created' order by window_begin desc",
                )
                .unwrap();
            windows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).take(4).collect()
        };
        // The same windows are asked for by a warehouse that begins anew.
        for (number, edge) in edges.iter().enumerate() {
            let edge = clock::parse(edge).unwrap();
            for (side, at) in [("a", edge - 1), ("b", edge), ("c", edge + 1)] {
                add_order(&bench, &format!("CSEDGE{number}{side}"), at);
            }
        }
        bench.run(&["orders", "order_lines", "--full"]).expect_code(0);
        assert_eq!(bench.count("select count(*) from orders where order_id like 'CSEDGE%'"), 12);
        assert_eq!(
            bench.count("select count(*) from order_lines where requested_order_id like 'CSEDGE%'"),
            12
        );
    }
}

/// A paid and completed purchase of the customer.
fn add_order(bench: &Bench, id: &str, created: i64) {
    let (customer, created) = (sim::OWNER, clock::text(created));
    let head = format!(
        "\"order_id\":\"{id}\",\"customer_id\":\"{customer}\",\"service_type_code\":\"hws.service.type.ec2\",\
         \"service_type_name\":\"弹性云服务器\",\"source_type\":1,\"status\":5,\"order_type\":1,\
         \"amount_after_discount\":1.00,\"official_amount\":1.00,\"measure_id\":1,\"create_time\":\"{created}\",\
         \"payment_time\":\"{created}\",\"currency\":\"CNY\""
    );
    let line =
        format!("{{\"order_line_item_id\":\"{id}-1\",\"order_id\":\"{id}\",\"amount_after_discount\":1.00}}");
    let row = format!("{{{head}}}");
    bench.sim.change(|truth| truth.add_order(&row, Some((row.clone(), vec![line])), None));
}

#[test]
fn more_orders_in_one_second_than_a_page_holds_are_all_there() {
    let bench = Bench::new(Script::seeded(16).orders(320).burst(250));
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    let fullest = "select max(n) from (select count(*) as n from orders where parent_order_id is null
                       group by create_time)";
    assert!(bench.count(fullest) >= 250);
}

#[test]
fn lists_of_one_page_may_come_in_any_order() {
    let script = Script::seeded(17).orders(100).customers(4).row_order(RowOrder::Shuffled);
    let bench = Bench::with(script, As::Partner, Login::Keys);
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Partner);
}

#[test]
fn a_longer_list_shuffled_each_time_is_never_called_complete() {
    for seed in 40..43 {
        let bench = Bench::new(Script::seeded(seed).orders(500).row_order(RowOrder::Shuffled));
        let ran = bench.run(&[]);
        let wanted = expected(&bench.sim.truth(), As::Customer);
        let got = stored(&bench.db());
        assert!(wanted["resources"].len() > 100);
        if got["resources"] != wanted["resources"] {
            let ran = ran.expect_code(3);
            assert_eq!(ran.job("resources")["outcome"], "findings");
            let told = "select count(*) from coverage where scope = 'whole' and verdict = 'disputed'";
            assert_eq!(bench.count(told), 1);
        }
        for table in ["orders", "order_details", "order_lines", "refund_attributions"] {
            assert_eq!(wanted[table], got[table], "{table}");
        }
    }
}

#[test]
fn a_row_that_leaves_a_list_while_it_is_read_takes_no_other_row_with_it() {
    let bench = Bench::new(Script::seeded(23).orders(300));
    let (first, count) = {
        let owned = bench.sim.truth().resources(&Scope::Own);
        (bench.sim.truth().resource_owners()[0].0.clone(), owned.len())
    };
    assert!(count > 150, "{count}");
    // The list is on its second page when a row of the first goes: every other row moves one place forward.
    let gone = first.clone();
    bench.sim.push_fault(Endpoint::Resources, Fault::mutate(|_| {}));
    bench.sim.push_fault(
        Endpoint::Resources,
        Fault::mutate(move |truth| {
            truth.remove_resource(&gone);
        }),
    );
    bench.run(&["resources"]).expect_code(0);
    assert_eq!(bench.sim.faults_waiting(), 0);
    let wanted = expected(&bench.sim.truth(), As::Customer);
    let got = stored(&bench.db());
    for (id, row) in &wanted["resources"] {
        assert_eq!(got["resources"].get(id), Some(row), "{id}");
    }
    assert!(got["resources"].contains_key(&first), "nothing is ever deleted");
}

#[test]
fn orders_of_one_second_may_come_in_another_order_each_time() {
    let bench = Bench::new(Script::seeded(18).orders(230).burst(150).ties(RowOrder::Shuffled));
    let ran = bench.run(&[]);
    let disputed = bench.count("select count(*) from coverage where verdict = 'disputed'");
    assert_eq!(ran.code, Some(if disputed == 0 { 0 } else { 3 }), "{ran:#?}");
    let wanted = expected(&bench.sim.truth(), As::Customer);
    let missing = stored(&bench.db())["orders"].len().abs_diff(wanted["orders"].len());
    println!("{missing} orders missing, {disputed} windows disputed");
    assert!(missing == 0 || disputed > 0, "{missing} orders are missing and nobody was told");
}

#[test]
fn odd_but_legal_rows_are_stored_as_they_came() {
    let bench = Bench::new(Script::seeded(19).orders(5));
    let customer = sim::OWNER;
    let time = clock::text(sim::ANCHOR - 86_400);
    let head = |id: &str, rest: &str| {
        format!(
            "{{\"order_id\":\"{id}\",\"customer_id\":\"{customer}\",\"service_type_code\":\"\",\
             \"service_type_name\":null,\"source_type\":8,\"status\":5,\"order_type\":1,\
             \"amount_after_discount\":-1E-8,\"official_amount\":\"92233720368.54775807\",\"measure_id\":1,\
             \"create_time\":\"{time}\",\"payment_time\":\"\",\"currency\":\"CNY\",\"contract_id\":\"引\\\"号\\u00e9\",\
             \"amount_info\":{{\"discounts\":[{{\"discount_type\":\"999\",\"discount_amount\":\"0.10000000\",\
             \"why\":{{\"b\":1.50,\"a\":[1,2]}}}},{{\"discount_type\":null,\"discount_amount\":1.2e2}}],\
             \"coupon_amount\":-0,\"stored_card_amount\":360.50000000,\"zeta\":1.10,\"alpha\":null}}{rest}}}"
        )
    };
    let member = head("CSODD2", ",\"enterprise_projects\":[{\"id\":\"0\",\"name\":\"\",\"kind\":7}]");
    let listed = head(
        "CSODD1",
        &format!(
            ",\"sub_order_infos\":[{member}],\"agent_pay_info\":{{\"paying_agent_id\":\"\",\"is_agent_pay\":true,\
             \"note\":\"x\"}},\"z_new\":{{\"n\":1.000}},\"a_new\":null,\"m_new\":\"7\""
        ),
    );
    let info = head(
        "CSODD1",
        &format!(
            ",\"sub_order_infos\":[{member_info}],\"user_name\":\"\",\"pending_payment_end_time\":null,\"new\":[1.0]",
            member_info = head("CSODD2", ",\"user_name\":\"运营系统\"")
        ),
    );
    let line = "{\"order_line_item_id\":\"CSODD2-1\",\"order_id\":\"CSODD2\",\"period_num\":null,\"period_type\":\"2\",\
                \"amount_after_discount\":0.00000001,\"official_amount\":1E+2,\"category_code\":\"\",\
                \"amount_info\":{\"discounts\":[{\"discount_type\":\"302\",\"discount_amount\":0.5}],\"new\":1},\
                \"base_product_info\":{\"product_id\":\"P\",\"product_spec_desc\":\"\",\"more\":[1.00]},\"new\":true}";
    let resource = format!(
        "{{\"resource_id\":\"r-odd\",\"id\":\"01\",\"resource_name\":\"\",\"is_main_resource\":1,\"status\":2,\
         \"spec_size\":40.0,\"expire_time\":\"{time}\",\"service_type_code\":\"hws.service.type.ebs\",\
         \"enterprise_project\":{{\"id\":\"0\",\"name\":null,\"tag\":1}},\"tags\":[]}}"
    );
    bench.sim.change(|truth| {
        truth.add_order(&listed, Some((info, vec![line.to_owned()])), None);
        truth.add_resource(customer, &resource);
        truth.link("CSODD1", &["r-odd".to_owned()]);
    });
    let wanted = expected(&bench.sim.truth(), As::Customer);
    let order = &wanted["orders"]["CSODD1"];
    assert_eq!(order["amount_after_discount_e8"], Cell::Number(-1));
    assert_eq!(order["official_amount_e8"], Cell::Number(i64::MAX.into()));
    assert!(
        matches!(&order["extra"], Cell::Text(text) if text.contains("\"z_new\":{\"n\":1.000}")),
        "{order:?}"
    );
    bench.run(&[]).expect_code(0);
    assert_equals_truth(&bench, As::Customer);
    for field in
        ["orders.z_new", "orders.a_new", "orders.amount_info.zeta", "order_lines.base_product_info.more"]
    {
        let listed = format!("select count(*) from drift where kind = 'field' and field = '{field}'");
        assert_eq!(bench.count(&listed), 1, "{field}");
    }
}

const SPEND: &str = "select month, currency, sum(net_e8) from f01_net_spend_by_service
                     group by month, currency order by month, currency";

#[test]
fn the_spend_of_every_month_is_the_spend_of_what_was_served() {
    let bench = Bench::with(Script::seeded(20).orders(500).customers(3), As::Partner, Login::Keys);
    bench.run(&[]).expect_code(0);
    let wanted = net_spend(&expected(&bench.sim.truth(), As::Partner));
    let db = bench.db();
    let mut query = db.prepare(SPEND).unwrap();
    let got: BTreeMap<(String, String), i128> = query
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.into())))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(wanted.len() > 12, "{wanted:?}");
    assert!(wanted.values().any(|sum| sum % 1_000_000 != 0), "amounts with more than two decimals");
    assert_eq!(got, wanted);
}

#[test]
fn other_programs_open_the_warehouse() {
    let bench = Bench::new(Script::seeded(21).orders(150));
    bench.run(&[]).expect_code(0);
    let file = bench.warehouse();
    let file = file.to_str().unwrap();
    let sums = net_spend(&expected(&bench.sim.truth(), As::Customer));
    let lines: Vec<String> =
        sums.into_iter().map(|((month, currency), sum)| format!("{month}|{currency}|{sum}")).collect();
    let wanted = lines.join("\n");
    let script = "import sqlite3, sys\n\
                  db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n\
                  for row in db.execute(sys.argv[2]): print(*row, sep='|')\n";
    let clients: [(&str, &[&str]); 2] =
        [("sqlite3", &["-readonly", file, SPEND]), ("python3", &["-c", script, file, SPEND])];
    for (program, arguments) in clients {
        match Command::new(program).args(arguments).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout);
                assert_eq!(said.trim_end(), wanted, "{program}: {}", String::from_utf8_lossy(&output.stderr));
            }
            Err(error) => println!("skipped {program}: {error}"),
        }
    }
}

#[test]
fn a_customer_asks_for_nothing_that_belongs_to_partners() {
    let bench = Bench::new(Script::seeded(22).orders(40).customers(3));
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.sim.count(Endpoint::SubCustomers).calls, 0);
    assert_equals_truth(&bench, As::Customer);
}
