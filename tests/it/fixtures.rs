//! The contract's example answers, byte for byte through the wire into the warehouse: every value in its column, nothing
//! dropped, nothing rounded, and every documented error as its exit code.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::sim::{Endpoint, Parts, Script, Truth};
use crate::support::{As, Bench, Login};

/// Folder of the contract's examples.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bss")
}

fn example(name: &str) -> String {
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
fn attributions_of_the_examples_add_up_to_the_refund_to_the_last_hundred_millionth() {
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
fn catalogues_of_the_examples_are_stored_with_null_empty_and_missing_descriptions() {
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

/// A list that a partner asks for without naming a customer is empty, and no error (`CONTRACT`): never ask so.
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
    bench.append_config("window = \"365d\"\n");
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

/// Orders that cannot be stored as they are, and what is said of each.
const BROKEN_ORDERS: [(&str, &str); 7] = [
    (
        r#"{"order_id":"B1","amount_after_discount":1.000000001"#,
        "field `amount_after_discount_e8`: 1.000000001",
    ),
    (r#"{"amount_after_discount":1"#, "key field `order_id` is missing"),
    (r#"{"order_id":"B3","measure_id":3"#, "field `measure_id`: 3 is another unit of money"),
    (r#"{"order_id":"B4","order_id":"B5""#, "field `order_id` twice"),
    (
        r#"{"order_id":"B6","amount_after_discount":99999999999.0"#,
        "field `amount_after_discount_e8`: 99999999999.0",
    ),
    (r#"{"order_id":"B7","amount_after_discount":true"#, "field `amount_after_discount_e8`: true"),
    (
        r#"{"order_id":"B8","sub_order_infos":[{"order_id":"B8A","official_amount":[1]}]"#,
        "member of the combined order: field `official_amount_e8` is a list",
    ),
];

#[test]
fn rows_that_cannot_be_stored_exactly_are_quarantined_as_they_came_and_block_no_other() {
    let owner = crate::sim::OWNER;
    let mut parts = examples();
    let broken: Vec<String> = BROKEN_ORDERS
        .iter()
        .map(|(start, _)| {
            format!(
                "{start},\"customer_id\":\"{owner}\",\"order_type\":1,\"status\":5,\"create_time\":\"2026-02-11T00:00:00Z\"}}"
            )
        })
        .collect();
    parts.orders.extend(broken.iter().cloned());
    let bench = serving(parts);
    let ran = bench.run(&["orders"]).expect_code(3);
    assert_eq!(ran.job("orders")["rows_quarantined"], 7);
    assert_eq!(ran.job("orders")["outcome"], "findings");
    assert_eq!(bench.count("select count(*) from orders"), 8, "six orders and two members");
    let db = bench.db();
    for (raw, (_, reason)) in broken.iter().zip(BROKEN_ORDERS) {
        let found: String = db
            .query_row("select reason from quarantine where stream = 'orders' and raw = ?1", [raw], |row| {
                row.get(0)
            })
            .unwrap_or_else(|error| panic!("{raw}: {error}"));
        assert!(found.contains(reason), "{raw}: {found}");
    }
    assert_eq!(bench.count("select count(*) from quarantine"), 7);
}

#[test]
fn a_quarantined_row_is_stored_once_the_vendor_sends_it_right() {
    let owner = crate::sim::OWNER;
    let mut parts = examples();
    parts.orders.push(format!(
        r#"{{"order_id":"B1","customer_id":"{owner}","order_type":1,"status":5,"create_time":"2026-02-11T00:00:00Z","amount_after_discount":0.123456789}}"#
    ));
    let bench = serving(parts);
    bench.run(&["orders"]).expect_code(3);
    bench.sim.change(|truth| truth.restate("B1", "amount_after_discount", "0.12345679"));
    bench.run(&["orders", "--full"]).expect_code(0);
    assert_eq!(
        table(&bench, "select amount_after_discount_e8 from orders where order_id = 'B1'"),
        "12345679"
    );
}

#[test]
fn broken_lines_and_attributions_are_quarantined_and_the_others_stored() {
    let mut parts = examples();
    let (_, lines) = parts.details.get_mut("CS2601050210DEMO1").expect("an order of the examples");
    lines.push(r#"{"order_line_item_id":"","order_id":"CS2601050210DEMO1"}"#.to_owned());
    let refunds = parts.refunds.get_mut("CS2602101515DEMO4").expect("a refund of the examples");
    refunds.push(r#"{"id":"70000007","amount":-1E-9,"measure_id":"1"}"#.to_owned());
    refunds.push(r#"{"id":"70000008","amount":-1,"measure_id":"3"}"#.to_owned());
    let bench = serving(parts);
    let ran = bench.run(&["orders", "order_lines", "refund_attributions"]).expect_code(3);
    assert_eq!(ran.job("orders")["exit_code"], 0);
    assert_eq!(ran.job("order_lines")["exit_code"], 3);
    assert_eq!(ran.job("refund_attributions")["exit_code"], 3);
    insta::assert_snapshot!(table(&bench, "select stream, scope, reason, raw from quarantine order by 1, 4"), @r#"
    'order_lines' | 'order CS2601050210DEMO1' | 'key field `order_line_item_id` is empty' | '{"order_line_item_id":"","order_id":"CS2601050210DEMO1"}'
    'refund_attributions' | 'order CS2602101515DEMO4' | 'field `amount_e8`: -1E-9 has more than 8 decimals, not an exact amount' | '{"id":"70000007","amount":-1E-9,"measure_id":"1"}'
    'refund_attributions' | 'order CS2602101515DEMO4' | 'field `measure_id`: "3" is another unit of money, not 1 (the currency's main unit)' | '{"id":"70000008","amount":-1,"measure_id":"3"}'
    "#);
    assert_eq!(bench.count("select count(*) from order_lines where order_id = 'CS2601050210DEMO1'"), 2);
    assert_eq!(bench.count("select count(*) from refund_attributions"), 6);
}

#[test]
fn each_documented_error_of_the_order_list_ends_as_its_exit_code_with_the_vendors_code() {
    for (file, code, outcome, says) in [
        ("error-400-invalid-parameter.json", 1, "failed", "CBC.0100"),
        ("error-401-signature.json", 5, "refused", "APIGW.0301"),
        ("error-403-denied.json", 5, "refused", "CBC.0151"),
        ("error-200-with-code.json", 5, "refused", "CBC.0151"),
    ] {
        let bench = bench();
        let front = Front::before(&bench);
        front.answer("/v2/orders/customer-orders?", status_of(file), &example(file));
        let ran = bench.run(&["orders"]).expect_code(code);
        let report = ran.job("orders");
        assert_eq!(report["outcome"], outcome, "{file}: {ran:?}");
        let reason = report["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(says) && reason.contains("orders of account acme"), "{file}: {reason}");
        assert!(report["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{file}");
        let ledger = table(&bench, "select outcome, reason from runs");
        assert_eq!(ledger, format!("'{outcome}' | '{reason}'"), "the ledger says the same");
        front.is_used_up();
        // The error was the vendor's for once; the next run finishes what this one could not.
        bench.run(&["orders"]).expect_code(0);
        assert_eq!(bench.count("select count(*) from orders"), 8, "{file}");
    }
}

#[test]
fn errors_that_pass_are_waited_out() {
    for (file, count) in [
        ("error-429-gateway.json", "throttled"),
        ("error-429-business.json", "throttled"),
        ("error-500.json", "retried"),
    ] {
        let bench = bench();
        let front = Front::before(&bench);
        front.answer("/v2/orders/customer-orders?", status_of(file), &example(file));
        let ran = bench.run(&["orders"]).expect_code(0);
        assert_eq!(ran.job("orders")[count], 1, "{file}: {ran:?}");
        assert_eq!(bench.count("select count(*) from orders"), 8, "{file}");
        front.is_used_up();
    }
}

#[test]
fn a_password_that_iam_does_not_know_is_told_with_iams_words() {
    let script = Script::serving(Truth::from_parts(examples()));
    let bench = Bench::with(script, As::Customer, Login::Token);
    shorten_history(&bench);
    let front = Front::before(&bench);
    let file = "error-401-iam.json";
    front.answer("/v3/auth/tokens", status_of(file), &example(file));
    let ran = bench.run(&["orders"]).expect_code(5);
    let report = ran.job("orders");
    let reason = report["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("iam of account acme"), "{reason}");
    assert!(reason.contains("The username or password is wrong."), "{reason}");
    front.is_used_up();
}

#[test]
fn that_an_order_is_no_refund_order_is_an_answer_and_not_a_failure() {
    let bench = bench();
    let front = Front::before(&bench);
    let file = "refund-orders-not-a-refund.json";
    front.answer("/refund-orders?order_id=CS2602101515DEMO4", status_of(file), &example(file));
    bench.run(&["orders", "refund_attributions"]).expect_code(0);
    assert_eq!(
        table(&bench, "select scope, seen, verdict from coverage where stream = 'refund_attributions'"),
        "'order CS2602101515DEMO4' | 0 | 'complete'"
    );
    front.is_used_up();
}

#[test]
fn an_order_whose_lines_are_refused_stays_queued_and_blocks_no_other() {
    let bench = bench();
    let front = Front::before(&bench);
    let file = "error-400-invalid-parameter.json";
    front.answer("/details/CS2601050210DEMO1?", status_of(file), &example(file));
    let ran = bench.run(&["orders", "order_lines"]).expect_code(3);
    let finding = ran.job("order_lines")["findings"][0].to_string();
    assert!(finding.contains("CS2601050210DEMO1") && finding.contains("CBC.0100"), "{finding}");
    assert_eq!(
        table(&bench, "select parent_id, attempts from queue where stream = 'order_lines'"),
        "'CS2601050210DEMO1' | 1"
    );
    assert_eq!(bench.count("select count(*) from order_lines"), 2, "those of the other order");
    bench.run(&["order_lines"]).expect_code(0);
    assert_eq!(bench.count("select count(*) from order_lines"), 4);
    assert_eq!(bench.count("select count(*) from queue where stream = 'order_lines'"), 0);
}

/// The status `index.json` gives an example.
fn status_of(file: &str) -> u16 {
    let index: Value = serde_json::from_str(&example("index.json")).expect("an index");
    let files = index["files"].as_array().expect("a list of files");
    let entry = files.iter().find(|entry| entry["file"] == file).expect("the file in the index");
    entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status")
}

/// What the front answers in the vendor's place: the next request whose target holds the text.
struct Canned {
    target: String,
    status: u16,
    body: String,
}

/// Stands before the simulator: gives the answers it was told, byte for byte, and passes every other request on.
struct Front {
    canned: Arc<Mutex<VecDeque<Canned>>>,
    stopped: Arc<AtomicBool>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Puts a front between a bench's program and its simulator.
    fn before(bench: &Bench) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let canned: Arc<Mutex<VecDeque<Canned>>> = Arc::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let behind = bench.sim.port();
        let (answers, stop) = (Arc::clone(&canned), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let answers = Arc::clone(&answers);
                std::thread::spawn(move || serve(client, behind, &answers));
            }
        });
        let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
        bench.write_config(&config.replace(&bench.sim.url(), &format!("http://127.0.0.1:{port}")));
        Self { canned, stopped, port, thread: Some(thread) }
    }

    fn answer(&self, target: &str, status: u16, body: &str) {
        let canned = Canned { target: target.to_owned(), status, body: body.to_owned() };
        self.canned.lock().expect("no panic").push_back(canned);
    }

    #[track_caller]
    fn is_used_up(&self) {
        assert!(self.canned.lock().expect("no panic").is_empty(), "every canned answer was asked for");
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads one request; answers it, or lets the simulator do so. One request per connection.
fn serve(mut client: TcpStream, behind: u16, canned: &Mutex<VecDeque<Canned>>) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    let head = loop {
        match client.read(&mut chunk) {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            Ok(0) | Err(_) => return,
        }
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).into_owned();
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse::<usize>().ok())
        .unwrap_or(0);
    while request.len() < head + length {
        match client.read(&mut chunk) {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            Ok(0) | Err(_) => return,
        }
    }
    let target = text.split(' ').nth(1).unwrap_or_default();
    let found = {
        let mut canned = canned.lock().expect("no panic");
        let at = canned.iter().position(|answer| target.contains(&answer.target));
        at.and_then(|at| canned.remove(at))
    };
    if let Some(Canned { status, body, .. }) = found {
        let length = body.len();
        let _ = client.write_all(
            format!("HTTP/1.1 {status} Canned\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").as_bytes(),
        );
        return;
    }
    let Ok(mut vendor) = TcpStream::connect(("127.0.0.1", behind)) else { return };
    let mut forwarded = request[..head - 2].to_vec();
    forwarded.extend_from_slice(b"connection: close\r\n\r\n");
    forwarded.extend_from_slice(&request[head..]);
    if vendor.write_all(&forwarded).is_ok() {
        let _ = std::io::copy(&mut vendor, &mut client);
    }
}

#[test]
fn the_examples_hold_nothing_that_the_catalogue_does_not_know() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    // There are details of two orders; for the others the simulator shows the order list's row, which has more fields.
    let drift = "select stream, kind, field, value from drift where stream <> 'order_lines'";
    assert_eq!(table(&bench, drift), "");
}
