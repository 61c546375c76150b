//! The data dictionary: every column of every table and view of the file, in English and Chinese.

use rusqlite::Connection;

use crate::fixtures::{bench, rows};
use support::Bench;

fn opened() -> (Bench, Connection) {
    let bench = bench();
    bench.run(&["service_types"]).expect_code(0);
    let db = bench.db();
    (bench, db)
}

/// A warehouse, and the copy of it that was published.
fn warehouse_and_copy() -> (Bench, [Connection; 2]) {
    let (bench, db) = opened();
    bench.call(&["publish", "--to", "finance.sqlite"]).expect_code(0);
    let copy = Connection::open(bench.path("finance.sqlite")).expect("a copy");
    (bench, [db, copy])
}

#[test]
fn each_column_of_each_table_and_view_is_explained_in_both_languages() {
    let (_bench, files) = warehouse_and_copy();
    files.iter().for_each(assert_columns_are_explained);
}

fn assert_columns_are_explained(db: &Connection) {
    let missing = "
        select o.name || '.' || c.name
        from sqlite_schema as o, pragma_table_info(o.name) as c
        left join data_dictionary as d
            on d.object = o.name and d.column_name = c.name and d.position = c.cid + 1
        where o.type in ('table', 'view') and o.name not like 'sqlite\\_%' escape '\\'
            and (coalesce(d.meaning_en, '') = '' or coalesce(d.meaning_zh, '') = '' or coalesce(d.source, '') = '')";
    assert_eq!(
        rows(db, missing),
        [""; 0],
        "say it behind the column, `-- English | 中文`, or in schema/glossary.sql"
    );
    let twice = "select object, column_name from data_dictionary group by 1, 2 having count(*) > 1";
    assert_eq!(rows(db, twice), [""; 0]);
    let unknown = "select object from data_dictionary where not exists (
        select 1 from pragma_table_info(object) as c where c.name = column_name)";
    assert_eq!(rows(db, unknown), [""; 0]);
}

#[test]
fn each_table_and_view_says_what_it_is_in_both_languages() {
    let (_bench, files) = warehouse_and_copy();
    files.iter().for_each(assert_objects_are_explained);
}

fn assert_objects_are_explained(db: &Connection) {
    let missing = "
        select o.name
        from sqlite_schema as o
        left join data_objects as d on d.object = o.name
        where o.type in ('table', 'view') and o.name not like 'sqlite\\_%' escape '\\'
            and (coalesce(d.meaning_en, '') = '' or coalesce(d.meaning_zh, '') = '')";
    assert_eq!(rows(db, missing), [""; 0], "say it above the table or view: `-- English. | 中文。`");
    assert_eq!(
        rows(db, "select distinct kind from data_objects order by 1"),
        ["'check'", "'question'", "'table'", "'view'"]
    );
}

#[test]
fn what_stands_for_chinese_is_chinese() {
    let (_bench, db) = opened();
    for sql in
        ["select object, meaning_zh from data_objects", "select column_name, meaning_zh from data_dictionary"]
    {
        for row in rows(&db, sql) {
            let (name, chinese) = row.split_once(" | ").expect("two columns");
            assert!(
                chinese.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)),
                "{name}: {chinese}"
            );
        }
    }
}

#[test]
fn meanings_units_and_sources_are_those_of_the_files() {
    let (_bench, db) = opened();
    let entry = |object: &str, column: &str| {
        let sql = format!(
            "select kind, meaning_zh, unit, source from data_dictionary
             where object = '{object}' and column_name = '{column}'"
        );
        rows(&db, &sql).join("; ")
    };
    for (object, column, wanted) in [
        (
            "orders",
            "coupon_amount_e8",
            "'table' | '代金券金额' | '10^-8 currency units' | 'ListCustomerOrders, order_infos[].amount_info.coupon_amount'",
        ),
        (
            "orders",
            "gone_since",
            "'table' | '在完整应答中发现缺失的时间（UTC），空表示仍存在' | '' | 'bookkeeping'",
        ),
        (
            "orders_versions",
            "valid_to",
            "'view' | '该版本至何时为止（UTC），空表示至今有效' | '' | 'bookkeeping'",
        ),
        ("orders_history", "ended_run", "'table' | '替换该行的运行编号' | '' | 'bookkeeping'"),
        ("queue", "absent_at", "'table' | '最近一次应有而未返回该订单的时间（UTC）' | '' | 'bookkeeping'"),
        ("v_orders", "official_amount", "'view' | '订单金额（官网价）' | 'currency units' | 'derived'"),
        ("v_order_discounts", "amount_e8", "'view' | '折扣金额' | '10^-8 currency units' | 'derived'"),
        (
            "v_resources",
            "status_zh",
            "'view' | '资源状态：2 使用中，3 已关闭，4 已冻结，5 已过期（中文名称）' | '' | 'derived'",
        ),
        (
            "f01_net_spend_by_service",
            "net",
            "'question' | '净支出：采购加退款' | 'currency units' | 'derived'",
        ),
        (
            "f08_renewals_next_month",
            "estimate_e8",
            "'question' | '下一周期的预计金额' | '10^-8 currency units' | 'derived'",
        ),
        (
            "f18_cut_off",
            "amount",
            "'question' | '带符号的优惠后金额合计，退款为负' | 'currency units' | 'derived'",
        ),
        (
            "f18_cut_off",
            "amount_e8",
            "'question' | '带符号的优惠后金额合计，退款为负' | '10^-8 currency units' | 'derived'",
        ),
        ("v_sub_customers", "account_name", "'view' | '客户账号名' | '' | 'derived'"),
        ("price_identities", "vouchers", "'view' | '促销代金券与现金券条数' | '' | 'derived'"),
        ("price_identities", "vouchers_e8", "'view' | '促销券合计' | '10^-8 currency units' | 'derived'"),
        ("open_breaks", "break_id", "'view' | '差异编号' | '' | 'derived'"),
        ("open_breaks", "diff", "'view' | '差异：实际值减应有值' | 'currency units' | 'derived'"),
        (
            "f01_net_spend_by_service_as_of",
            "as_of",
            "'question' | '筛选条件：要查询的日期（20260404）或秒（20260404100000），UTC+8' | '' | 'bookkeeping'",
        ),
    ] {
        assert_eq!(entry(object, column), wanted, "{object}.{column}");
    }
}

#[test]
fn values_of_checks_that_are_no_amounts_have_no_unit() {
    let (_bench, db) = opened();
    let without = "select group_concat(substr(object, 7, 4), ' ')
        from data_dictionary
        where kind = 'check' and column_name = 'expected' and unit = '' and object not like '%\\_as\\_of' escape '\\'";
    assert_eq!(
        rows(&db, without),
        ["'rc04 rc07 rc12 rc13 rc14 rc15 rc16 rc17 rc18 rc19 rc20 rc21 rc27 rc29 rc30'"]
    );
    // An order without a resource cost something.
    let diff = "select unit from data_dictionary where column_name = 'diff' and object like 'check\\_rc__\\_%' escape '\\'
        and substr(object, 7, 4) in ('rc01', 'rc14', 'rc17') and object not like '%\\_as\\_of' escape '\\' order by object";
    assert_eq!(rows(&db, diff), ["'currency units'", "''", "'currency units'"]);
}
