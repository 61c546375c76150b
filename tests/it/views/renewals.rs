//! What is to be renewed, when it is debited and what it is likely to cost.

use rusqlite::{Connection, params};

use super::{CHANGE, PURCHASE, RENEWAL, line, order, resource, rows, run, warehouse};

#[test]
fn renewals_show_the_debit_date_an_estimate_and_no_attached_resource() {
    let db = warehouse();
    order("P", PURCHASE, "2400", "2025-12-05T00:00:00Z").insert(&db);
    // A price that does not divide evenly: 13 × 10⁻⁸ over 24 machine-months round to one.
    line(&db, "P-1", "P", Some("P"), "ecs", "2400.00000013", "0");
    order("U", CHANGE, "300", "2026-05-05T00:00:00Z").insert(&db);
    // One line of two machines: each costs half of it; 23:59:59 UTC+8 still belongs to the day.
    resource(&db, "vm-1", None, "2026-12-05T15:59:59Z", 3, &["P", "U"]);
    resource(&db, "vm-2", None, "2026-12-31T16:00:00Z", 1, &["P"]);
    resource(&db, "disk", Some("vm-1"), "2026-12-05T15:59:59Z", 3, &["P"]);
    run(&db, "update resources set resource_type_code = 'volume' where resource_id = 'disk'", []);
    resource(&db, "gift", None, "2026-12-05T15:59:59Z", 0, &[]);
    assert_eq!(
        rows(
            &db,
            "select resource_id, expire_month, is_auto_renewed, debit_time, debit_time_utc8, debit_month,
                 attached_resources, attached_without_estimate, amount_basis, estimate_order_id, estimate_period_en,
                 changed_since, currency, attached_estimate, estimate
             from renewals order by 1"
        ),
        [
            "gift|2026-12|0||||0|0|unknown|||0|||",
            // What the disk costs is not known.
            "vm-1|2026-12|1|2026-11-27T19:00:00Z|2026-11-28 03:00:00|2026-11|1|1|estimate of a part|P|month|1|CNY||100.00000001",
            "vm-2|2027-01|0||||0|0|estimate|P|month|0|CNY|0.00|100.00000001",
        ]
    );
    assert_eq!(
        rows(&db, "select expire_policy_en, expire_policy_zh from renewals where resource_id = 'vm-1'"),
        ["renew automatically|到期后自动续订"]
    );
}

/// Makes a resource another thing than an ECS machine.
fn is_a(db: &Connection, id: &str, service: &str, kind: &str) {
    run(
        db,
        "update resources set service_type_code = ?2, resource_type_code = ?3 where resource_id = ?1",
        params![id, service, kind],
    );
}

#[test]
fn the_estimate_of_a_main_resource_contains_what_is_attached_to_it() {
    let db = warehouse();
    order("P", PURCHASE, "3000", "2025-12-05T00:00:00Z").insert(&db);
    // Two servers, each with a disk and an address, for 12 months.
    for (id, service, kind, amount) in
        [("1", "ecs", "vm", "2400"), ("2", "evs", "volume", "480"), ("3", "vpc", "eip", "120")]
    {
        line(&db, id, "P", Some("P"), service, amount, "0");
        run(
            &db,
            "update order_lines set commercial_resource = ?2 where order_line_item_id = ?1",
            params![id, kind],
        );
    }
    for (server, expires) in [("vm-1", "2026-12-05T15:59:59Z"), ("vm-2", "2026-12-06T15:59:59Z")] {
        resource(&db, server, None, expires, 3, &["P"]);
        for (service, kind) in [("evs", "volume"), ("vpc", "eip")] {
            let id = format!("{server}-{kind}");
            resource(&db, &id, Some(server), expires, 3, &["P"]);
            is_a(&db, &id, service, kind);
        }
    }
    // The disk of the second server was renewed on its own, dearer, and changed since.
    order("N", RENEWAL, "100", "2026-06-05T00:00:00Z").insert(&db);
    order("U", CHANGE, "1", "2026-07-05T00:00:00Z").insert(&db);
    line(&db, "4", "N", Some("N"), "evs", "600", "0");
    run(&db, "update order_lines set commercial_resource = 'volume' where order_line_item_id = '4'", []);
    for order in ["N", "U"] {
        run(
            &db,
            "insert into order_resources (account, order_id, resource_id, role, first_seen_run, last_changed_run,
                 last_seen_at)
             values ('main', ?1, 'vm-2-volume', 'customer', 1, 1, '2026-12-01T00:00:00Z')",
            [order],
        );
    }
    let found =
        "select resource_id, attached_resources, attached_without_estimate, amount_basis, changed_since,
                     attached_estimate, estimate, attached_estimate_e8, estimate_e8, last_seen_at
                 from renewals order by 1";
    assert_eq!(
        rows(&db, found),
        [
            "vm-1|2|0|estimate|0|25.00|125.00|2500000000|12500000000|2026-12-01T00:00:00Z",
            "vm-2|2|0|estimate|1|55.00|155.00|5500000000|15500000000|2026-12-01T00:00:00Z",
        ]
    );
    // A price per year can not be added to one per month; what is no longer in use is not renewed.
    run(&db, "update order_lines set period_type = 3, period_num = 1 where order_line_item_id = '4'", []);
    run(&db, "update resources set status = 3 where resource_id = 'vm-1-eip'", []);
    run(
        &db,
        "update resources set gone_since = '2026-12-01T00:00:00Z' where resource_id = 'vm-1-volume'",
        [],
    );
    assert_eq!(
        rows(&db, found),
        [
            "vm-1|0|0|estimate|0|0.00|100.00|0|10000000000|2026-12-01T00:00:00Z",
            "vm-2|2|1|estimate of a part|0|5.00|105.00|500000000|10500000000|2026-12-01T00:00:00Z",
        ]
    );
}

#[test]
fn next_months_renewals_are_those_of_the_month_after_this_one() {
    let db = warehouse();
    for (id, months) in [("now", "+0 months"), ("next", "+1 month"), ("later", "+2 months")] {
        let expires = rows(
            &db,
            &format!(
                "select strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+8 hours', 'start of month', '{months}', '-8 hours')"
            ),
        );
        resource(&db, id, None, &expires[0], 3, &[]);
    }
    assert_eq!(rows(&db, "select resource_id from f08_renewals_next_month"), ["next"]);
}
