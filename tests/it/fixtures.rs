//! The contract's example answers, byte for byte through the wire into the warehouse: every value in its column, nothing
//! dropped, nothing rounded.

mod errors;
pub mod front;
mod quarantine;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use front::Front;
use sim::{Endpoint, Parts, Script, Truth};
use support::{As, Bench, Login};

/// Folder of the contract's examples.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bss")
}

pub fn example(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("an example of the contract")
}

/// The contract's examples as the data of one account.
pub fn examples() -> Parts {
    Parts::of_examples(&folder())
}

/// A customer with the examples' six orders, read from the year they are of.
pub fn bench() -> Bench {
    serving(examples())
}

/// A customer with these rows.
pub fn serving(parts: Parts) -> Bench {
    let bench = Bench::new(Script::serving(Truth::from_parts(parts)));
    shorten_history(&bench);
    bench
}

/// Leaves out the years in which the examples have no order: fewer requests, same data.
pub fn shorten_history(bench: &Bench) {
    bench.append_config("[jobs.orders]\nhistory_start = \"2026-01-01\"\n");
}

/// The rows of a query, each as its values in SQL's notation, joined by ` | `.
pub fn rows(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let width = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        ValueRef::Real(_) | ValueRef::Blob(_) => panic!("{sql}: a value that is no record's"),
    };
    statement
        .query_map([], |row| {
            let values = (0..width).map(|at| row.get_ref(at).map(text)).collect::<Result<Vec<_>, _>>()?;
            Ok(values.join(" | "))
        })
        .expect("a query")
        .collect::<Result<_, _>>()
        .expect("rows")
}

fn table(bench: &Bench, sql: &str) -> String {
    rows(&bench.db(), sql).join("\n")
}

#[test]
fn orders_of_the_examples_are_stored_with_every_amount_to_the_last_digit() {
    let bench = bench();
    bench.run(&["orders"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, parent_order_id, status, order_type, source_type, amount_after_discount_e8, official_amount_e8,
             measure_id, currency from orders order by order_id",
    ), @"
    'CS2601050210DEMO1' | null | 5 | 1 | 1 | 120000000000 | 150000000000 | 1 | 'CNY'
    'CS2601200730DEMO2' | null | 5 | 2 | 8 | 36050000000 | 36050000000 | 1 | 'CNY'
    'CS2602030900DEMO3' | null | 6 | 1 | 1 | 9990000000 | 11100000000 | 1 | 'CNY'
    'CS2602101515DEMO4' | null | 5 | 4 | 1 | -82050000000 | -82050000000 | 1 | 'CNY'
    'CS2602121600DEMO5' | null | 3 | 3 | 1 | 8800000001 | 8800000001 | 1 | 'CNY'
    'CS2602150800DEMO6' | null | 5 | 1 | 1 | 3003000000 | 3003000000 | 1 | 'CNY'
    'CS2602150800DEMO6A' | 'CS2602150800DEMO6' | 5 | 1 | 1 | 1001000000 | 1001000000 | 1 | 'CNY'
    'CS2602150800DEMO6B' | 'CS2602150800DEMO6' | 5 | 1 | 1 | 2002000000 | 2002000000 | 1 | 'CNY'
    ");
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, coupon_amount_e8, flexipurchase_coupon_amount_e8, stored_card_amount_e8, commission_amount_e8,
             consumed_amount_e8, paying_agent_id, is_agent_pay from orders order by order_id",
    ), @"
    'CS2601050210DEMO1' | 5000000000 | 0 | 0 | null | null | null | null
    'CS2601200730DEMO2' | 0 | 0 | 0 | null | null | null | null
    'CS2602030900DEMO3' | 0 | 0 | 0 | null | null | null | null
    'CS2602101515DEMO4' | 0 | 0 | 0 | 2975000000 | 15000000000 | null | null
    'CS2602121600DEMO5' | 0 | 0 | 0 | null | null | null | null
    'CS2602150800DEMO6' | 0 | 0 | 0 | null | null | '1b2c3d4e5f60718293a4b5c6d7e8f90a' | 1
    'CS2602150800DEMO6A' | null | null | null | null | null | null | null
    'CS2602150800DEMO6B' | null | null | null | null | null | null | null
    ");
    insta::assert_snapshot!(
        table(&bench, "select order_id, position, discount_type, discount_amount_e8 from order_discounts order by 1, 2"),
        @"
    'CS2601050210DEMO1' | 0 | '605' | 30000000000
    'CS2602030900DEMO3' | 0 | '700' | 1110000000
    "
    );
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, position, enterprise_project_id, enterprise_project_name from order_enterprise_projects
         order by order_id, position",
    ), @"
    'CS2601050210DEMO1' | 0 | '7f1a2b3c-0000-4000-8000-00000000e001' | '数据平台（华东）'
    'CS2601200730DEMO2' | 0 | '7f1a2b3c-0000-4000-8000-00000000e001' | '数据平台（华东）'
    'CS2602101515DEMO4' | 0 | '7f1a2b3c-0000-4000-8000-00000000e001' | '数据平台（华东）'
    'CS2602121600DEMO5' | 0 | '0' | 'default'
    ");
}

#[test]
fn missing_null_and_empty_texts_of_orders_stay_what_they_are() {
    let bench = bench();
    bench.run(&["orders"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, payment_time, contract_id, service_type_code, service_type_name from orders order by order_id",
    ), @"
    'CS2601050210DEMO1' | '2026-01-05T02:12:40Z' | '' | 'hws.service.type.ec2' | '弹性云服务器'
    'CS2601200730DEMO2' | '2026-01-20T07:30:02Z' | null | 'hws.service.type.ec2' | '弹性云服务器'
    'CS2602030900DEMO3' | null | null | 'hws.service.type.obs' | '对象存储服务'
    'CS2602101515DEMO4' | '2026-02-10T15:15:16Z' | null | 'hws.service.type.ec2' | '弹性云服务器'
    'CS2602121600DEMO5' | '2026-02-12T16:00:00Z' | null | 'hws.service.type.ec2' | '弹性云服务器'
    'CS2602150800DEMO6' | '2026-02-15T08:01:00Z' | null | '' | null
    'CS2602150800DEMO6A' | '2026-02-15T08:01:00Z' | null | 'hws.service.type.ec2' | '弹性云服务器'
    'CS2602150800DEMO6B' | '2026-02-15T08:01:00Z' | null | 'hws.service.type.ebs' | '云硬盘'
    ");
}

#[test]
fn lines_of_the_examples_are_stored_with_the_head_of_their_order() {
    let bench = bench();
    bench.run(&["orders", "order_lines"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select order_line_item_id, requested_order_id, order_id, service_type_code, product_id, period_type, period_num,
             subscription_num, amount_after_discount_e8, official_amount_e8 from order_lines order by order_line_item_id",
    ), @"
    'CS2601050210DEMO1-000001' | 'CS2601050210DEMO1' | 'CS2601050210DEMO1' | 'hws.service.type.ec2' | 'OFFI000001' | 2 | 12 | 1 | 100000000000 | 125000000000
    'CS2601050210DEMO1-000002' | 'CS2601050210DEMO1' | 'CS2601050210DEMO1' | 'hws.service.type.ebs' | 'OFFI000002' | 2 | 12 | 1 | 20000000000 | 25000000000
    'CS2602101515DEMO4-000001' | 'CS2602101515DEMO4' | 'CS2602101515DEMO4' | 'hws.service.type.ec2' | 'OFFI000001' | 5 | null | 1 | -70025000000 | -70025000000
    'CS2602101515DEMO4-000002' | 'CS2602101515DEMO4' | 'CS2602101515DEMO4' | 'hws.service.type.ebs' | 'OFFI000002' | 5 | null | 1 | -12025000000 | -12025000000
    ");
    insta::assert_snapshot!(table(
        &bench,
        "select order_line_item_id, product_spec_desc, effective_time, expire_time, category_code, base_product_id,
             base_product_spec_desc, base_category_code, base_commercial_resource, commission_amount_e8, consumed_amount_e8
         from order_lines order by order_line_item_id",
    ), @"
    'CS2601050210DEMO1-000001' | '通用计算型|c7.large.2|2vCPUs|4GB' | '2026-01-05T02:13:00Z' | '2027-01-05T15:59:59Z' | '' | 'OFFI000001' | '' | null | 'hws.resource.type.vm' | null | null
    'CS2601050210DEMO1-000002' | '超高IO|40GB' | '2026-01-05T02:13:00Z' | '2027-01-05T15:59:59Z' | '' | 'OFFI000002' | '' | null | 'hws.resource.type.volume' | null | null
    'CS2602101515DEMO4-000001' | '通用计算型|c7.large.2|2vCPUs|4GB' | null | null | '' | 'OFFI000001' | '' | null | 'hws.resource.type.vm' | 2975000000 | 15000000000
    'CS2602101515DEMO4-000002' | '超高IO|40GB' | null | null | '' | 'OFFI000002' | '' | null | 'hws.resource.type.volume' | null | null
    ");
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, parent_order_id, user_name, pending_payment_end_time, amount_after_discount_e8, coupon_amount_e8
         from order_details order by order_id",
    ), @"
    'CS2601050210DEMO1' | null | 'ops_demo' | '2026-01-12T02:10:11Z' | 120000000000 | 5000000000
    'CS2601200730DEMO2' | null | null | null | 36050000000 | 0
    'CS2602030900DEMO3' | null | null | null | 9990000000 | 0
    'CS2602101515DEMO4' | null | '运营系统' | null | -82050000000 | 0
    'CS2602121600DEMO5' | null | null | null | 8800000001 | 0
    'CS2602150800DEMO6' | null | null | null | 3003000000 | 0
    'CS2602150800DEMO6A' | 'CS2602150800DEMO6' | null | null | 1001000000 | null
    'CS2602150800DEMO6B' | 'CS2602150800DEMO6' | null | null | 2002000000 | null
    ");
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, position, discount_type, discount_amount_e8 from order_detail_discounts order by 1, 2",
    ), @"
    'CS2601050210DEMO1' | 0 | '605' | 30000000000
    'CS2602030900DEMO3' | 0 | '700' | 1110000000
    ");
}

#[test]
fn attributions_of_the_examples_add_up_to_the_refund_exactly() {
    let bench = bench();
    bench.run(&["orders", "refund_attributions"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select refund_order_id, id, amount_e8, measure_id, base_order_id, resource_type_code, resource_type_name, region_code
         from refund_attributions order by id",
    ), @"
    'CS2602101515DEMO4' | '70000001' | -78000000000 | 1 | 'CS2601050210DEMO1' | 'hws.resource.type.vm' | '云主机' | 'cn-north-4'
    'CS2602101515DEMO4' | '70000002' | 15000000000 | 1 | 'CS2601050210DEMO1' | 'hws.resource.type.vm' | '云主机' | 'cn-north-4'
    'CS2602101515DEMO4' | '70000003' | 2975000000 | 1 | 'CS2601050210DEMO1' | 'hws.resource.type.vm' | '云主机' | 'cn-north-4'
    'CS2602101515DEMO4' | '70000004' | -10000000000 | 1 | 'CS2601200730DEMO2' | 'hws.resource.type.vm' | '云主机' | 'cn-north-4'
    'CS2602101515DEMO4' | '70000005' | -12024999999 | 1 | 'CS2601050210DEMO1' | 'hws.resource.type.volume' | '云硬盘' | 'cn-north-4'
    'CS2602101515DEMO4' | '70000006' | -1 | 1 | 'CS2601200730DEMO2' | 'hws.resource.type.volume' | null | 'cn-north-4'
    ");
    let sum = bench.count("select sum(amount_e8) from refund_attributions");
    let order =
        bench.count("select amount_after_discount_e8 from orders where order_id = 'CS2602101515DEMO4'");
    assert_eq!((sum, order), (-82_050_000_000, -82_050_000_000));
}

#[test]
fn resources_of_the_examples_are_stored_with_the_orders_that_bought_them() {
    let bench = bench();
    bench.run(&["orders", "resources"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select resource_id, id, resource_name, parent_resource_id, is_main_resource, status, effective_time, expire_time,
             expire_policy, spec_size, spec_size_measure_id, update_time, enterprise_project_id, product_spec_desc
         from resources order by resource_id",
    ), @"
    '24900000-0000-4000-8000-000000000c07' | '01301-60000002' | 'web-华北-01-vol' | 'b3800000-0000-4000-8000-00000000062e' | 0 | 2 | '2026-01-05T02:13:00Z' | '2027-02-05T15:59:59Z' | 3 | '40' | 17 | '2026-01-20T07:30:05Z' | null | '通用计算型|2vCPUs|4GB'
    'b3800000-0000-4000-8000-00000000062e' | '01301-60000001' | 'web-华北-01' | null | 1 | 2 | '2026-01-05T02:13:00Z' | '2027-02-05T15:59:59Z' | 3 | null | null | '2026-01-20T07:30:05Z' | '7f1a2b3c-0000-4000-8000-00000000e001' | '通用计算型|2vCPUs|4GB'
    'c5500000-0000-4000-8000-000000000777' | '01301-60000003' | 'legacy-01' | null | 1 | 5 | '2026-01-05T02:13:00Z' | '2026-01-31T15:59:59Z' | 0 | null | null | null | null | ''
    ");
    insta::assert_snapshot!(
        table(&bench, "select order_id, resource_id from order_resources order by 1, 2"),
        @"
    'CS2601050210DEMO1' | '24900000-0000-4000-8000-000000000c07'
    'CS2601050210DEMO1' | 'b3800000-0000-4000-8000-00000000062e'
    "
    );
}

#[test]
fn catalogues_are_stored_with_null_empty_and_missing_descriptions() {
    let bench = bench();
    bench.run(&["service_types", "resource_types"]).expect_code(0);
    insta::assert_snapshot!(
        table(&bench, "select service_type_code, service_type_name, abbreviation from service_types order by 1"),
        @"
    'hws.service.type.ebs' | '云硬盘' | 'EVS'
    'hws.service.type.ec2' | '弹性云服务器' | 'ECS'
    'hws.service.type.obs' | '对象存储服务' | 'OBS'
    'hws.service.type.vpc' | '虚拟私有云' | null
    "
    );
    insta::assert_snapshot!(table(
        &bench,
        "select resource_type_code, resource_type_name, resource_type_desc, service_type_code from resource_types order by 1",
    ), @"
    'hws.resource.type.general' | '通用规格' | null | 'hws.service.type.offline'
    'hws.resource.type.obs' | '对象存储' | null | 'hws.service.type.obs'
    'hws.resource.type.vm' | '云主机' | '云主机' | 'hws.service.type.ec2'
    'hws.resource.type.volume' | '云硬盘' | '' | 'hws.service.type.ebs'
    ");
}

#[test]
fn customers_of_a_partner_are_stored_with_their_account_managers() {
    let script = Script::serving(Truth::from_parts(examples()));
    let bench = Bench::with(script, As::Partner, Login::Keys);
    shorten_history(&bench);
    bench.run(&["sub_customers"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select customer_id, customer, account_name, associated_on, association_type, label, telephone, verified_status,
             country_code, customer_type, is_frozen, customer_level, email from sub_customers order by customer_id",
    ), @"
    '0a1b2c3d4e5f60718293a4b5c6d7e8f9' | '示例（北京）科技有限公司' | 'demo_account' | '2025-06-01T00:00:00Z' | '2' | '重点' | '130****0000' | '2' | '0086' | 1 | 0 | 'V2' | null
    '1b2c3d4e5f60718293a4b5c6d7e8f90a' | null | 'demo_sub' | null | '1' | null | null | null | null | -1 | null | null | null
    ");
    insta::assert_snapshot!(
        table(&bench, "select customer_id, position, account_name from sub_customer_account_managers"),
        @"'0a1b2c3d4e5f60718293a4b5c6d7e8f9' | 0 | 'mgr01'"
    );
}

/// A list that a partner asks for without naming a customer is empty, and no error (vendor-contract.md §4): never ask
/// so.
#[test]
fn a_partners_request_for_resources_names_the_customer() {
    let script = Script::serving(Truth::from_parts(examples()));
    let bench = Bench::with(script, As::Partner, Login::Keys);
    shorten_history(&bench);
    bench.run(&[]).expect_code(0);
    let asked = bench.sim.requests();
    let bodies: Vec<&str> = asked
        .iter()
        .filter(|seen| seen.endpoint == Endpoint::Resources)
        .map(|seen| seen.body.as_str())
        .collect();
    assert!(!bodies.is_empty());
    assert!(bodies.iter().all(|body| body.contains("\"customer_id\"")), "{bodies:#?}");
    assert_eq!(bench.count("select count(*) from resources where asked_customer_id is not null"), 3);
}

/// The vendor answers a partner who names no customer with success and nothing: that proves nothing.
#[test]
fn an_empty_answer_does_not_take_a_stored_resource_away() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let state = "select resource_id, status, gone_since, version from resources order by 1";
    let before = table(&bench, state);
    let front = Front::before(&bench);
    front.answer("/resources/query", 200, &example("resources-partner-empty.json"));
    bench.run(&["resources", "--full"]);
    front.is_used_up();
    assert_eq!(table(&bench, state), before);
}

#[test]
fn unknown_fields_and_codes_of_the_edge_example_are_kept_and_listed() {
    let bench = bench();
    let front = Front::before(&bench);
    front.answer("/v2/orders/customer-orders?", 200, &example("list-orders-edge.json"));
    // One window of one request, so that the canned answer is the whole list.
    bench.append_config("window = \"364d\"\n");
    bench.run(&["orders"]).expect_code(0);
    insta::assert_snapshot!(table(
        &bench,
        "select order_id, status, order_type, amount_after_discount_e8, official_amount_e8, measure_id, payment_time, extra
         from orders order by order_id",
    ), @r#"
    'CS2602200100DEMO7' | 99 | 77 | 10000000 | 10000000 | null | '' | '{"future_field":{
            "x": 1
          }}'
    "#);
    insta::assert_snapshot!(table(&bench, "select kind, field, value from drift order by 1, 2, 3"), @"
    'field' | 'answer.another_new_field' | ''
    'field' | 'orders.future_field' | ''
    'value' | 'orders.order_type' | '77'
    'value' | 'orders.status' | '99'
    ");
    front.is_used_up();
}

#[test]
fn the_examples_hold_nothing_that_the_catalogue_does_not_know() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    // There are details of two orders; for the others the simulator shows the order list's row, which has more fields.
    let drift = "select stream, kind, field, value from drift where stream <> 'order_lines'";
    assert_eq!(table(&bench, drift), "");
}

#[test]
fn the_index_names_each_example_and_no_other() {
    let index: serde_json::Value = serde_json::from_str(&example("index.json")).expect("an index");
    let named = index["files"].as_array().expect("a list").iter();
    let named: BTreeSet<String> =
        named.map(|entry| entry["file"].as_str().expect("a name").to_owned()).collect();
    let files = fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut files: BTreeSet<String> = files.map(|name| name.into_string().expect("UTF-8")).collect();
    // The signing vectors are the SDK's, not answers.
    assert!(files.remove("index.json") && files.remove("signing-vectors.json"));
    assert_eq!(named, files);
}
