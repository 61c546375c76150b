//! Records as finance reads them, what waits for payment, and how fresh it all is.

use super::{
    ADJUSTMENT, Order, PENDING, PURCHASE, e8, line, order, resource, rows, run, warehouse, worked_example,
};

#[test]
fn orders_waiting_for_payment_have_a_deadline_and_a_creator() {
    let db = warehouse();
    let pending = |id, parent| Order {
        parent,
        paid: None,
        status: PENDING,
        ..order(id, PURCHASE, "12.5", "2026-03-01T00:00:00Z")
    };
    pending("T", None).insert(&db);
    pending("T1", Some("T")).insert(&db);
    order("paid", PURCHASE, "1", "2026-03-01T00:00:00Z").insert(&db);
    run(
        &db,
        "insert into order_details (account, order_id, user_name, pending_payment_end_time, role, first_seen_run,
             last_changed_run, last_seen_at)
         values ('main', 'T', 'ops_demo', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+7 days'), 'customer', 1, 1,
             '2026-12-01T00:00:00Z')",
        [],
    );
    assert_eq!(
        rows(
            &db,
            "select order_id, user_name, amount, order_type_zh, hours_left between 167 and 168
             from f09_orders_waiting_for_payment"
        ),
        ["T1|ops_demo|12.50|开通|1"]
    );
}

#[test]
fn decimals_show_every_digit() {
    let db = warehouse();
    let at = "2026-03-01T00:00:00Z";
    for (id, amount) in [("1", -1), ("2", i64::MAX), ("3", 0), ("4", e8("360.5")), ("5", e8("-120.24999999"))]
    {
        Order { amount, ..order(id, ADJUSTMENT, "0", at) }.insert(&db);
    }
    assert_eq!(
        rows(&db, "select amount_after_discount from v_orders order by order_id"),
        ["-0.00000001", "92233720368.54775807", "0.00", "360.50", "-120.24999999"]
    );
}

#[test]
fn records_are_readable_in_both_languages() {
    let db = warehouse();
    worked_example(&db);
    line(&db, "A-1", "A", Some("A"), "ecs", "1200", "100");
    resource(&db, "vm-1", None, "2027-01-10T15:59:59Z", 3, &["A"]);
    assert_eq!(
        rows(
            &db,
            "select order_type_en, order_type_zh, status_zh, month, counted_as from v_orders order by order_id"
        ),
        ["new purchase|开通|已完成|2026-01|purchase", "unsubscription|退订|已完成|2026-04|refund"]
    );
    assert_eq!(
        rows(&db, "select order_id, month, period_type_zh, currency, coupon_amount from v_order_lines"),
        ["A|2026-01|月|CNY|100.00"]
    );
    assert_eq!(
        rows(&db, "select status_zh, expire_month, linked_orders, last_seen_at from v_resources"),
        ["使用中|2027-01|1|2026-12-01T00:00:00Z"]
    );
    assert_eq!(rows(&db, "select domain, code from code_names group by 1, 2 having count(*) > 1"), [""; 0]);
}

#[test]
fn freshness_tells_of_each_stream_how_far_it_was_read_and_what_is_amiss() {
    let db = warehouse();
    db.execute_batch(
        "delete from runs;
         insert into runs (run_id, job, account, stream, program_version, started_at, finished_at, outcome) values
             (1, 'orders', 'main', 'orders', '0', '2026-03-01T00:00:00Z', '2026-03-01T01:00:00Z', 'done'),
             (2, 'nightly', 'main', 'orders', '0', '2026-03-02T00:00:00Z', '2026-03-02T01:00:00Z', 'done'),
             (3, 'orders', 'main', 'orders', '0', '2026-03-03T00:00:00Z', '2026-03-03T01:00:00Z', 'partial'),
             (4, 'orders', 'other', 'orders', '0', '2026-03-04T00:00:00Z', null, 'running');
         insert into watermarks (account, stream, lane, watermark, run_id) values
             ('main', 'orders', 'created', '2026-03-02T00:00:00Z', 3),
             ('main', 'orders', 'paid', '2026-03-01T12:00:00Z', 3);
         insert into queue (account, stream, parent_id, attempts, enqueued_run, enqueued_at) values
             ('main', 'order_lines', 'A', 0, 3, '2026-03-03T00:00:00Z'),
             ('main', 'order_lines', 'B', 2, 3, '2026-03-03T00:00:00Z'),
             ('main', 'order_lines', 'C', 0, 3, '2026-03-03T00:00:00Z');
         insert into quarantine (account, stream, raw_sha256, scope, reason, raw, first_run, last_run, last_seen_at)
             values ('main', 'resources', 'ab', 'whole', 'no id', '{}', 3, 3, '2026-03-03T00:00:00Z');
         insert into coverage (account, stream, scope, seen, requests, attempts, verdict, proof, run_id, read_at) values
             ('main', 'resources', 'whole', 1, 1, 1, 'disputed', 'one row is missing', 3, '2026-03-03T00:00:00Z'),
             ('main', 'orders', 'status 6', 0, 1, 1, 'complete', 'as announced', 3, '2026-03-03T00:00:00Z');",
    )
    .unwrap();
    assert_eq!(
        rows(&db, "select * from freshness order by account, stream"),
        [
            "main|order_lines|||||3|1|0|0",
            "main|orders|2026-03-02T00:00:00Z|2026-03-01T12:00:00Z|2026-03-02T01:00:00Z|partial|0|0|0|0",
            "main|resources|||||0|0|1|1",
            "other|orders||||running|0|0|0|0",
        ]
    );
}

#[test]
fn discounts_tell_where_they_were_read() {
    let db = warehouse();
    order("A", PURCHASE, "90", "2026-03-01T00:00:00Z").insert(&db);
    line(&db, "A-1", "A", None, "ecs", "90", "0");
    db.execute_batch(
        "insert into order_details (account, order_id, currency, role, first_seen_run, last_changed_run, last_seen_at)
             values ('main', 'A', '', 'customer', 1, 1, '');
         insert into order_discounts (account, order_id, position, discount_type, discount_amount_e8, first_seen_run,
                 last_changed_run, last_seen_at, gone_since)
             values ('main', 'A', 0, '605', 1000000000, 1, 1, '', null), ('main', 'A', 1, '301', 1, 1, 1, '', '2026');
         insert into order_detail_discounts (account, order_id, position, discount_type, discount_amount_e8,
                 first_seen_run, last_changed_run, last_seen_at)
             values ('main', 'A', 0, '605', 1000000000, 1, 1, '');
         insert into order_line_discounts (account, order_line_item_id, position, discount_type, discount_amount_e8,
                 first_seen_run, last_changed_run, last_seen_at)
             values ('main', 'A-1', 0, '605', 999999999, 1, 1, ''), ('main', 'A-1', 1, '999', 1, 1, 1, '');",
    )
    .unwrap();
    assert_eq!(
        rows(
            &db,
            "select order_id, source, order_line_item_id, month, discount_type_en, discount_type_zh, currency, amount
             from v_order_discounts order by source, position"
        ),
        [
            "A|details||2026-03|commercial contract discount|商务合同折扣|CNY|10.00",
            "A|line|A-1|2026-03|commercial contract discount|商务合同折扣|CNY|9.99999999",
            "A|line|A-1|2026-03|||CNY|0.00000001",
            "A|list||2026-03|commercial contract discount|商务合同折扣|CNY|10.00",
        ]
    );
}

#[test]
fn projects_of_an_order_are_counted() {
    let db = warehouse();
    order("A", PURCHASE, "90", "2026-03-01T00:00:00Z").insert(&db);
    order("B", PURCHASE, "90", "2026-03-01T00:00:00Z").insert(&db);
    db.execute_batch(
        "insert into order_enterprise_projects (account, order_id, position, enterprise_project_id,
                 enterprise_project_name, first_seen_run, last_changed_run, last_seen_at)
             values ('main', 'A', 0, '0', 'default', 1, 1, ''), ('main', 'B', 0, '0', 'default', 1, 1, ''),
                 ('main', 'B', 1, 'p-1', 'shop', 1, 1, '')",
    )
    .unwrap();
    assert_eq!(
        rows(
            &db,
            "select order_id, month, counted_as, enterprise_project_name, is_default_project, projects_of_order
             from v_order_enterprise_projects order by order_id, position"
        ),
        ["A|2026-03|purchase|default|1|1", "B|2026-03|purchase|default|1|2", "B|2026-03|purchase|shop|0|2"]
    );
}

#[test]
fn customers_of_a_partner_are_readable_without_their_telephone_and_mail() {
    let db = warehouse();
    db.execute_batch(
        "insert into sub_customers (account, customer_id, customer, association_type, verified_status, customer_type,
                 is_frozen, telephone, email, role, first_seen_run, last_changed_run, last_seen_at)
             values ('main', 'c', 'Beta', '2', '-1', 1, 0, '13800000000', 'a@b.cn', 'partner', 1, 1, '2026');
         insert into sub_customer_account_managers (account, customer_id, position, account_name, first_seen_run,
                 last_changed_run, last_seen_at)
             values ('main', 'c', 1, 'li', 1, 1, ''), ('main', 'c', 0, 'wang', 1, 1, '');",
    )
    .unwrap();
    assert_eq!(
        rows(
            &db,
            "select customer, association_type_zh, verified_status_en, customer_type_zh, is_frozen_en, account_managers,
                 last_seen_at
             from v_sub_customers"
        ),
        ["Beta|代售|not verified|企业|no|wang; li|2026"]
    );
    let everything = rows(&db, "select * from v_sub_customers").join("");
    assert!(!everything.contains("13800000000") && !everything.contains("a@b.cn"), "{everything}");
}

#[test]
fn every_view_can_be_read_and_starts_with_the_account() {
    let db = warehouse();
    // What says something about the file, and not about an account.
    let about_the_file = ["as_of_script", "checks", "code_names", "codes_by_column"];
    for view in rows(&db, "select name from sqlite_schema where type = 'view'") {
        if about_the_file.contains(&view.as_str()) {
            continue;
        }
        let statement = db.prepare(&format!("select * from {view}")).unwrap();
        assert_eq!(statement.column_names()[0], "account", "{view}");
    }
}
