//! Family C: resources and the orders that paid for them.

use super::{CHANGE, Line, Order, PURCHASE, REFUND, RENEWAL, attribution, line, order, resource, sane};

const MARCH: &str = "2026-03-28T00:00:00Z";

#[test]
fn rc17_finds_a_paid_order_without_a_resource() {
    let db = sane();
    order("A", PURCHASE, "5", MARCH).put_with_line(&db);
    order("change", CHANGE, "5", MARCH).put_with_line(&db);
    assert_eq!(db.found("RC17"), ["A|a resource|none|5.00|CNY|2026-03"]);
    resource(&db, "new", None, 2, super::FAR, &["A"]);
    assert_eq!(db.found("RC17"), [""; 0]);
}

#[test]
fn rc17_does_not_ask_for_what_has_no_resource_any_more_or_never_had() {
    let db = sane();
    let yesterday = db.texts("select strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-23 hours')");
    order("young", PURCHASE, "5", &yesterday[0]).put_with_line(&db);
    order("over", PURCHASE, "5", MARCH).put(&db);
    Line { expires: "2026-04-28T00:00:00Z", ..line("over", "over", "5") }.put(&db);
    order("one-off", PURCHASE, "5", MARCH).put(&db);
    Line { period_type: 5, ..line("one-off", "one-off", "5") }.put(&db);
    order("package", PURCHASE, "5", MARCH).put_with_line(&db);
    db.run("update order_lines set service_type_code = 'package' where order_id = 'package'", []);
    order("returned", PURCHASE, "5", MARCH).put_with_line(&db);
    attribution("R", "9", "0", "returned").put(&db);
    order("waits", PURCHASE, "5", MARCH).put_with_line(&db);
    db.run(
        "insert into queue (account, stream, parent_id, enqueued_run, enqueued_at)
         values ('main', 'resources', 'waits', 1, ?1)",
        [MARCH],
    );
    assert_eq!(db.found("RC17"), [""; 0]);
}

#[test]
fn rc18_finds_a_resource_without_an_order() {
    let db = sane();
    for (id, status) in [("lost", 2), ("frozen", 4), ("expired", 5), ("shut", 3)] {
        resource(&db, id, None, status, super::FAR, &[]);
    }
    db.run("update resources set effective_time = '2025-10-01T00:00:00Z' where resource_id = 'lost'", []);
    assert_eq!(
        db.found("RC18"),
        ["expired|an order|none|||", "frozen|an order|none|||", "lost|an order|none|||"]
    );
    assert_eq!(
        db.column("RC18", "note")[2],
        "service ecs; in use since 2025-10-01T00:00:00Z, the loaded history begins 2025-10-31T16:00:00Z"
    );
}

#[test]
fn rc19_finds_a_resource_in_use_whose_orders_were_all_refunded() {
    let db = sane();
    Order { coupon: "3", ..order("A", PURCHASE, "10", MARCH) }.put_with_line(&db);
    order("B", RENEWAL, "10", MARCH).put_with_line(&db);
    resource(&db, "vm", None, 2, super::FAR, &["A", "B"]);
    attribution("R", "7", "-7", "A").put(&db);
    assert_eq!(db.found("RC19"), [""; 0], "only the purchase");
    attribution("R", "8", "-9.98", "B").put(&db);
    assert_eq!(db.found("RC19"), [""; 0], "not in full");
    attribution("R", "9", "-0.01", "B").put(&db);
    assert_eq!(db.found("RC19"), ["vm|released|in use|||"]);
}

#[test]
fn rc20_finds_a_resource_that_expires_otherwise_than_was_paid() {
    let db = sane();
    order("A", PURCHASE, "10", MARCH).put(&db);
    Line { expires: "2027-03-27T15:59:59Z", ..line("A-1", "A", "10") }.put(&db);
    resource(&db, "vm", None, 2, "2027-03-28T15:59:59Z", &["A"]);
    assert_eq!(db.found("RC20"), [""; 0], "a day");
    db.run("update resources set expire_time = '2027-04-27T15:59:59Z' where resource_id = 'vm'", []);
    assert_eq!(db.found("RC20"), ["vm|2027-03-27T15:59:59Z|2027-04-27T15:59:59Z|||"]);
    order("B", RENEWAL, "10", MARCH).put(&db);
    Line { expires: "2027-04-27T15:59:59Z", ..line("B-1", "B", "10") }.put(&db);
    db.run(
        "insert into order_resources select account, 'B', resource_id, extra, asked_customer_id, role, 1, 1, last_seen_at,
             null, 1, from_commit
         from order_resources where resource_id = 'vm'",
        [],
    );
    assert_eq!(db.found("RC20"), [""; 0], "the renewal is there");
    // The renewal is given back: the first term counts.
    order("R2", REFUND, "-10", MARCH).put_with_line(&db);
    attribution("R2", "1", "-10", "B").put(&db);
    db.run("update resources set expire_time = '2027-03-27T15:59:59Z' where resource_id = 'vm'", []);
    assert_eq!(db.found("RC20"), [""; 0]);
}

#[test]
fn rc21_lists_main_resources_that_expire_within_a_month_without_renewal() {
    let db = sane();
    let days = |days: i64| {
        let sql = format!("select strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '{days} days')");
        db.texts(&sql).remove(0)
    };
    for (id, parent, expires, policy) in [
        ("soon", None, days(29), "0"),
        ("later", None, days(31), "0"),
        ("over", None, days(-1), "0"),
        ("renewed", None, days(29), "3"),
        ("part", Some("soon"), days(29), "0"),
        ("nobody knows", None, days(29), "null"),
    ] {
        resource(&db, id, parent, 2, &expires, &["D0"]);
        db.run(&format!("update resources set expire_policy = {policy} where resource_id = ?1"), [id]);
    }
    let (day, expires) = (days(29)[..10].to_owned(), days(29));
    let month = db.texts(&format!("select strftime('%Y-%m', '{expires}', '+8 hours')")).remove(0);
    assert_eq!(
        db.found("RC21"),
        [
            format!("nobody knows/{day}|renewed automatically|policy (none)|||{month}"),
            format!("soon/{day}|renewed automatically|enter the grace period|||{month}"),
        ]
    );
    assert_eq!(db.column("RC21", "severity"), ["info"; 2]);
}
