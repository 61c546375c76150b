//! The view `changes`: whatever was new, changed, gone or back.

use super::{PURCHASE, attribution, order, rows, run, warehouse};

#[test]
fn what_changed_is_listed_column_by_column_with_run_and_time() {
    let db = warehouse();
    order("A", PURCHASE, "100", "2026-01-10T02:00:00Z").insert(&db);
    attribution(&db, "1", "R", "-5", Some("A"));
    run(
        &db,
        "insert into runs (run_id, job, account, stream, program_version, started_at)
         values (2, 'test', 'main', 'orders', '0', '2026-02-01T00:00:00Z'),
             (3, 'test', 'main', 'orders', '0', '2026-03-01T00:00:00Z')",
        [],
    );
    let step = |run_id: i64, at: &str, table: &str, set: &str| {
        let sql = format!(
            "update {table} set {set}, version = version + 1, last_changed_run = {run_id}, last_seen_at = '{at}'"
        );
        run(&db, &sql, []);
    };
    step(
        2,
        "2026-02-01T00:01:00Z",
        "orders",
        "status = 4, amount_after_discount_e8 = 9000000001, service_type_name = '它''s'",
    );
    step(2, "2026-02-01T00:02:00Z", "refund_attributions", "gone_since = '2026-02-01T00:02:00Z'");
    step(3, "2026-03-01T00:01:00Z", "refund_attributions", "gone_since = null, amount_e8 = -700000000");
    step(3, "2026-03-01T00:02:00Z", "orders", "status = 5");
    let listed = |filter: &str| {
        rows(
            &db,
            &format!(
                "select at, run_id, stream, object, key, change, column_name, old, new, old_amount_e8, new_amount_e8
                 from changes where {filter} order by at, object, column_name"
            ),
        )
    };
    assert_eq!(
        listed("true"),
        [
            "2026-01-01T00:00:00Z|1|orders|orders|A|new|||||10000000000",
            "2026-01-01T00:00:00Z|1|refund_attributions|refund_attributions|R / 1|new|||||-500000000",
            "2026-02-01T00:01:00Z|2|orders|orders|A|changed|amount_after_discount_e8|10000000000|9000000001|10000000000|9000000001",
            "2026-02-01T00:01:00Z|2|orders|orders|A|changed|service_type_name||它's|10000000000|9000000001",
            "2026-02-01T00:01:00Z|2|orders|orders|A|changed|status|5|4|10000000000|9000000001",
            "2026-02-01T00:02:00Z|2|refund_attributions|refund_attributions|R / 1|gone|gone_since||2026-02-01T00:02:00Z|-500000000|",
            "2026-03-01T00:01:00Z|3|refund_attributions|refund_attributions|R / 1|changed|amount_e8|-500000000|-700000000||-700000000",
            "2026-03-01T00:01:00Z|3|refund_attributions|refund_attributions|R / 1|back|gone_since|2026-02-01T00:02:00Z|||-700000000",
            "2026-03-01T00:02:00Z|3|orders|orders|A|changed|status|4|5|9000000001|9000000001",
        ]
    );
    assert_eq!(listed("run_id > 2").len(), 3);
    assert_eq!(listed("at >= '2026-02-01T00:02:00Z'").len(), 4);
    assert_eq!(
        rows(
            &db,
            "select distinct typeof(old), typeof(new) from changes where change = 'changed' order by 1"
        ),
        ["null|text", "text|text"]
    );
    run(&db, "delete from refund_attributions", []);
    assert_eq!(
        rows(
            &db,
            "select object, key, change, run_id, column_name, old, new from changes where run_id is null"
        ),
        ["refund_attributions|R / 1|gone||||"]
    );
}
