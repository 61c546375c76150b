//! A dispute on one screen: what is known of an id and where it came from; and past runs.

use insta::Settings;

use crate::cli::steady;
use crate::fixtures::{bench, rows};
use support::Bench;

/// A warehouse with the examples' orders.
fn loaded() -> Bench {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    bench
}

/// Hides what differs between two runs of a test, widths of columns included.
fn hidden(bench: &Bench) -> Settings {
    let mut settings = steady(bench);
    settings.add_filter(env!("CARGO_PKG_VERSION").replace('.', "\\.").as_str(), "VERSION");
    settings
}

fn id(bench: &Bench, sql: &str) -> String {
    bench.db().query_row(sql, [], |row| row.get(0)).expect("an id")
}

#[test]
fn a_refund_is_explained_with_its_rows_links_readings_and_runs() {
    let bench = loaded();
    let refund = id(&bench, "select max(refund_order_id) from refund_attributions");
    let ran = bench.call(&["explain", &refund]).expect_code(0);
    hidden(&bench).bind(|| { insta::assert_snapshot!(ran.stdout, @"
    order CS2602101515DEMO4 of account acme

    Order
      order_id                     CS2602101515DEMO4
      customer_id                  0a1b2c3d4e5f60718293a4b5c6d7e8f9
      service_type_code            hws.service.type.ec2
      service_type_name            弹性云服务器
      order_type                   4 unsubscription 退订
      status                       5 completed 已完成
      source_type                  1 customer 客户
      counted_as                   refund
      month                        2026-02
      create_time                  TIME
      payment_time                 TIME
      event_time_utc8              2026-02-10 23:15:16
      currency                     CNY
      official_amount              -820.50
      amount_after_discount        -820.50
      signed_amount                -820.50
      coupon_amount                0.00
      flexipurchase_coupon_amount  0.00
      stored_card_amount           0.00
      commission                   29.75
      consumed                     150.00
      created_by                   运营系统
      read_as                      customer
      version                      1
      first_seen_run               1
      last_changed_run             1
      last_seen_at                 TIME

    Lines
     ORDER_LINE_ITEM_ID        ORDER_ID           SERVICE_TYPE_NAME  PRODUCT_SPEC_DESC                 PERIOD_TYPE       SUBSCRIPTION_NUM  CURRENCY  OFFICIAL_AMOUNT  AMOUNT_AFTER_DISCOUNT  COUPON_AMOUNT
     CS2602101515DEMO4-000001  CS2602101515DEMO4  弹性云服务器       通用计算型|c7.large.2|2vCPUs|4GB  5 one-off 一次性  1                 CNY       -700.25          -700.25                0.00
     CS2602101515DEMO4-000002  CS2602101515DEMO4  云硬盘             超高IO|40GB                       5 one-off 一次性  1                 CNY       -120.25          -120.25                0.00

    Enterprise projects
     ENTERPRISE_PROJECT_ID                 ENTERPRISE_PROJECT_NAME  PROJECTS_OF_ORDER
     7f1a2b3c-0000-4000-8000-00000000e001  数据平台（华东）         1

    What this order refunds, by the order the money was once paid with
     ID        BASE_ORDER_ID      ORIGINAL_MONTH  SERVICE_TYPE_NAME  RESOURCE_TYPE_NAME  REGION_CODE  MEANING_EN                 MEANING_ZH          CURRENCY  AMOUNT
     70000001  CS2601050210DEMO1  2026-01         弹性云服务器       云主机              cn-north-4   refunded                   退款金额            CNY       -780.00
     70000002  CS2601050210DEMO1  2026-01         弹性云服务器       云主机              cn-north-4   consumed or fee kept back  已消费金额或手续费  CNY       150.00
     70000003  CS2601050210DEMO1  2026-01         弹性云服务器       云主机              cn-north-4   consumed or fee kept back  已消费金额或手续费  CNY       29.75
     70000005  CS2601050210DEMO1  2026-01         云硬盘             云硬盘              cn-north-4   refunded                   退款金额            CNY       -120.24999999
     70000004  CS2601200730DEMO2  2026-01         弹性云服务器       云主机              cn-north-4   refunded                   退款金额            CNY       -100.00
     70000006  CS2601200730DEMO2  2026-01         云硬盘                                 cn-north-4   refunded                   退款金额            CNY       -0.00000001

    Readings that show it: what was asked, and what proves the answer
     STREAM               SCOPE                                              VERDICT   EXPECTED  SEEN  REQUESTS  ATTEMPTS  PROOF                                               STARTED_AT            READ_AT               RUN_ID
     order_lines          order CS2602101515DEMO4                            complete  2         2     1         1         one page with as many rows as the vendor announced  TIME  TIME  2
     orders               created TIME/TIME  complete  4         4     1         1         one page with as many rows as the vendor announced  TIME  TIME  1
     refund_attributions  order CS2602101515DEMO4                            complete  6         6     1         1         one page with as many rows as the vendor announced  TIME  TIME  3

    Versions of orders CS2602101515DEMO4
      1 since TIME (run 1)

    The runs named here
     RUN_ID  JOB                  PROGRAM_VERSION  STARTED_AT            FINISHED_AT           OUTCOME  REQUESTS  THROTTLED
     1       orders               VERSION            TIME  TIME  done     11        0
     2       order_lines          VERSION            TIME  TIME  done     6         0
     3       refund_attributions  VERSION            TIME  TIME  done     1         0

    Nothing found: members, discounts, refunded by, resources, late, queue, quarantine, checks
    "); });
}

#[test]
fn both_ends_of_an_attribution_show_it() {
    let bench = loaded();
    let pairs = rows(
        &bench.db(),
        "select refund_order_id, base_order_id, id from refund_attributions where base_order_id is not null",
    );
    assert!(!pairs.is_empty());
    for pair in pairs {
        let [refund, base, attribution] =
            pair.split(" | ").map(|text| text.trim_matches('\'')).collect::<Vec<_>>()[..]
        else {
            panic!("{pair}")
        };
        let explain = |id: &str| bench.call(&["explain", id, "--output", "json"]).expect_code(0).json();
        let names = |list: &serde_json::Value, key: &str, value: &str| {
            list.as_array().expect("a list").iter().any(|row| row["id"] == attribution && row[key] == value)
        };
        let of_refund = explain(refund);
        assert!(names(&of_refund["found"][0]["refunds"], "base_order_id", base), "{of_refund}");
        // The base order may be older than the history: what names it is shown all the same.
        let of_base = explain(base);
        assert!(names(&of_base["found"][0]["refunded_by"], "refund_order_id", refund), "{of_base}");
        let of_attribution = explain(attribution);
        assert_eq!(of_attribution["found"][0]["id"], refund);
        assert_eq!(of_attribution["found"][0]["found_by"], "one of its refund attributions");
    }
}

#[test]
fn a_change_is_shown_with_the_run_that_found_it() {
    let bench = loaded();
    let db = bench.writable_db();
    let order = id(&bench, "select min(order_id) from orders where order_type = 1 and status = 5");
    db.execute_batch(&format!(
        "insert into runs (run_id, job, account, stream, program_version, started_at, finished_at, outcome, reason)
             values (99, 'orders', 'acme', 'orders', '0.0.9', '2026-11-01T00:00:00Z', '2026-11-01T00:00:10Z', 'partial', 'stopped');
         update orders set status = 4, amount_after_discount_e8 = 123, last_changed_run = 99, version = 2,
             last_seen_at = '2026-11-01T00:00:05Z' where order_id = '{order}';"
    ))
    .expect("changed");
    let found = bench.call(&["explain", &order.to_lowercase(), "--output", "json"]).expect_code(0).json();
    let found = &found["found"][0];
    assert_eq!(
        (&found["id"], &found["order"]["status_en"]),
        (&order.clone().into(), &"cancelled".into()),
        "whatever its case"
    );
    let version = &found["versions"][0]["versions"][1];
    assert_eq!(
        (&version["version"], &version["run_id"], &version["since"]),
        (&2.into(), &99.into(), &"2026-11-01T00:00:05Z".into())
    );
    let changes = version["changes"].as_array().expect("changes");
    let of = |column: &str| changes.iter().find(|change| change["column"] == column).expect("a change");
    assert_eq!((&of("status")["from"], &of("status")["to"]), (&5.into(), &4.into()));
    assert_eq!(of("amount_after_discount")["to"], "0.00000123");
    assert_eq!(changes.len(), 2);
    let runs = found["runs"].as_array().expect("runs");
    assert!(runs.iter().any(|run| run["run_id"] == 99 && run["reason"] == "stopped"), "{runs:?}");
}

#[test]
fn a_check_that_names_it_a_queue_entry_and_an_undecoded_row_are_shown() {
    let bench = loaded();
    let order = id(&bench, "select min(order_id) from orders");
    bench
        .writable_db()
        .execute_batch(&format!(
            "create view check_rc99_test as
             select 'acme' as account, 'RC99' as check_id, 'error' as severity, '' as customer_id, '{order}' as key, '1.00' as expected,
                 '2.00' as actual, '1.00' as diff, 'CNY' as currency, '2026-10' as period, null as first_seen, 'a note' as note
             union all select 'acme', 'RC99', 'warn', '', 'else', null, null, null, null, '', null, 'names {order} in its note'
             union all select 'acme', 'RC99', 'warn', '', 'else', null, null, null, null, '', null, 'names nothing'
             union all select 'other', 'RC99', 'warn', '', '{order}', null, null, null, null, '', null, '';
             create view check_rc99_test_as_of as select 1 as as_of;
             insert into queue (account, stream, parent_id, attempts, last_error, enqueued_run, enqueued_at)
                 values ('acme', 'order_lines', '{order}', 3, 'no answer', 1, '2026-11-01T00:00:00Z');
             insert into quarantine (account, stream, raw_sha256, scope, reason, raw, first_run, last_run, last_seen_at)
                 values ('acme', 'orders', 'ab', 'whole', 'nine decimals', '{{\"order_id\":\"{order}\"}}', 1, 1, '2026-11-01T00:00:00Z');"
        ))
        .expect("made");
    let found = bench.call(&["explain", &order, "--output", "json"]).expect_code(0).json();
    let found = &found["found"][0];
    let keys: Vec<_> =
        found["checks"].as_array().expect("checks").iter().map(|row| row["key"].clone()).collect();
    assert_eq!(keys, [order.as_str(), "else"]);
    assert_eq!(
        (&found["queue"][0]["attempts"], &found["queue"][0]["last_error"]),
        (&3.into(), &"no answer".into())
    );
    assert_eq!(found["quarantine"][0]["reason"], "nine decimals");
}

#[test]
fn a_resource_a_line_and_a_customer_are_explained() {
    let bench = loaded();
    let (resource, order) = {
        let link = rows(&bench.db(), "select resource_id, order_id from order_resources limit 1").remove(0);
        let (resource, order) = link.split_once(" | ").expect("two");
        (resource.trim_matches('\'').to_owned(), order.trim_matches('\'').to_owned())
    };
    let explain =
        |id: &str| bench.call(&["explain", id, "--output", "json"]).expect_code(0).json()["found"].clone();
    let found = explain(&resource);
    assert_eq!((&found[0]["kind"], &found[0]["id"]), (&"resource".into(), &resource.clone().into()));
    assert!(
        found[0]["orders"].as_array().expect("orders").iter().any(|row| row["order_id"] == order.as_str())
    );
    assert!(!found[0]["readings"].as_array().expect("readings").is_empty());
    let line = id(&bench, "select min(order_line_item_id) from order_lines");
    assert_eq!(explain(&line)[0]["found_by"], "one of its order lines");
    let customer = id(&bench, "select min(customer_id) from orders");
    assert_eq!(explain(&customer)[0]["kind"], "customer");
}

#[test]
fn accounts_are_told_apart() {
    let bench = loaded();
    let order = id(&bench, "select min(order_id) from orders");
    bench
        .writable_db()
        .execute_batch(&format!(
            "insert into runs (run_id, job, account, stream, program_version, started_at)
                 values (99, 'orders', 'beta', 'orders', '0', '2026-11-01T00:00:00Z');
             insert into orders (account, order_id, role, first_seen_run, last_changed_run, last_seen_at)
                 values ('beta', '{order}', 'customer', 99, 99, '2026-11-01T00:00:00Z');"
        ))
        .expect("inserted");
    let accounts = |arguments: &[&str]| {
        let found =
            bench.call(&[&["explain", &order, "--output", "json"], arguments].concat()).expect_code(0).json();
        let accounts = found["found"].as_array().expect("found").iter().map(|found| found["account"].clone());
        accounts.collect::<Vec<_>>()
    };
    assert_eq!(accounts(&[]), ["acme", "beta"]);
    assert_eq!(accounts(&["--account", "beta"]), ["beta"]);
    let ran = bench.call(&["explain", &order, "--account", "bta"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `beta`?"), "{}", ran.stderr);
}

#[test]
fn what_is_not_found_comes_with_what_was_searched() {
    let bench = loaded();
    let ran = bench.call(&["explain", "CS-nowhere"]).expect_code(1);
    let mut settings = hidden(&bench);
    settings.add_filter(r"to \d{4}-\d\d were", "to MONTH were");
    settings.add_filter(r"of \d+ order", "of N order");
    settings.bind(|| { insta::assert_snapshot!(ran.stdout, @"
    CS-nowhere is no order, refund order, order line, refund attribution, resource or customer of the warehouse, and nothing in it names it
    acme: orders created from 2026-01 to MONTH were read completely, up to TIME
    "); });
    let searched = bench.call(&["explain", "CS-nowhere", "--output", "json"]).expect_code(1).json();
    assert_eq!(
        (&searched["found"], &searched["searched"][0]["first_month"]),
        (&serde_json::json!([]), &"2026-01".into())
    );
}

#[test]
fn a_hostile_name_does_not_reach_the_terminal_as_it_is() {
    let bench = loaded();
    let resource = id(&bench, "select min(resource_id) from resources");
    let sql = "update resources set resource_name = char(27) || '[2Jgone'";
    bench.writable_db().execute(sql, []).expect("updated");
    let ran = bench.call(&["explain", &resource]).expect_code(0);
    assert!(!ran.stdout.contains('\u{1b}') && ran.stdout.contains("\\u{1b}[2Jgone"), "{}", ran.stdout);
}
