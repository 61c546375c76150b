//! Which month an order belongs to: its own times say so, or its combined trade's.

use rusqlite::params;

use super::{COMPLETED, Db, rows, run, warehouse};

/// Times an order may have; the months of UTC+8 differ.
const CREATED: [Option<&str>; 3] = [None, Some(""), Some("2026-01-31T16:00:00Z")];
const PAID: [Option<&str>; 3] = [None, Some(""), Some("2026-03-31T15:59:59Z")];
const TRADE_CREATED: [Option<&str>; 3] = [None, Some(""), Some("2026-04-30T17:00:00Z")];
const TRADE_PAID: [Option<&str>; 3] = [None, Some(""), Some("2026-06-15T00:00:00Z")];

fn insert(db: &Db, id: &str, parent: Option<&str>, created: Option<&str>, paid: Option<&str>) {
    run(
        db,
        "insert into orders (account, order_id, parent_order_id, create_time, payment_time, status, order_type, role,
             first_seen_run, last_changed_run, last_seen_at)
         values ('main', ?1, ?2, ?3, ?4, ?5, 1, 'customer', 1, 1, '2026-12-01T00:00:00Z')",
        params![id, parent, created, paid, COMPLETED],
    );
}

fn known(time: Option<&'static str>) -> Option<&'static str> {
    time.filter(|text| !text.is_empty())
}

/// The billing month of these times, said once more: those above lie in these months of UTC+8.
fn month(time: &str) -> &'static str {
    match time {
        "2026-01-31T16:00:00Z" => "2026-02",
        "2026-03-31T15:59:59Z" => "2026-03",
        "2026-04-30T17:00:00Z" => "2026-05",
        "2026-06-15T00:00:00Z" => "2026-06",
        _ => "",
    }
}

#[test]
fn each_order_is_in_one_month_whoever_says_when_it_was_paid() {
    let db = warehouse();
    let mut expected = Vec::new();
    let mut row = |id: &str, paid: Option<&str>, created: Option<&str>| {
        let event = paid.or(created).unwrap_or_default();
        expected.push(format!("{id}|{event}|{}", month(event)));
    };
    for (at, (created, paid)) in CREATED.iter().flat_map(|c| PAID.iter().map(move |p| (*c, *p))).enumerate() {
        for (parent, name) in [(None, "alone"), (Some(""), "no parent"), (Some("nobody"), "unknown parent")] {
            let id = format!("{name} {at}");
            insert(&db, &id, parent, created, paid);
            row(&id, known(paid), known(created));
        }
        for (nr, (trade_created, trade_paid)) in
            TRADE_CREATED.iter().flat_map(|c| TRADE_PAID.iter().map(move |p| (*c, *p))).enumerate()
        {
            let trade = format!("trade {at} {nr}");
            insert(&db, &trade, None, trade_created, trade_paid);
            row(&trade, known(trade_paid), known(trade_created));
            let member = format!("member {at} {nr}");
            insert(&db, &member, Some(&trade), created, paid);
            row(&member, known(paid).or(known(trade_paid)), known(created).or(known(trade_created)));
        }
    }
    expected.sort();
    let found = |filter: &str| {
        rows(&db, &format!("select order_id, event_time, month from known_orders {filter} order by order_id"))
    };
    assert_eq!(found(""), expected);
    // Found by the month itself, which goes another way.
    for month in ["2026-02", "2026-03", "2026-05", "2026-06"] {
        let of_month: Vec<String> =
            expected.iter().filter(|row| row.ends_with(&format!("|{month}"))).cloned().collect();
        assert!(of_month.len() > 1, "{month}");
        assert_eq!(found(&format!("where month = '{month}'")), of_month);
        assert_eq!(found(&format!("where month = '{month}' and account = 'main'")), of_month);
    }
    assert_by_id_is_the_same(&db);
}

#[test]
fn an_order_that_is_looked_up_is_the_one_that_its_month_shows() {
    let db = warehouse();
    for (nr, (order_type, amount)) in
        [(1, "5"), (2, "null"), (3, "7"), (3, "-7"), (4, "9"), (10, "-9"), (13, "1"), (99, "1")]
            .iter()
            .enumerate()
    {
        // Its own parent, a member of another one, and of one that is itself a member.
        for (id, parent) in [("self", "self"), ("member", "self"), ("chained", "member"), ("alone", "")] {
            for account in ["main", "other"] {
                for (time, currency) in
                    [("2026-03-01T00:00:00Z", "CNY"), ("", ""), ("2026-04-01T00:00:00Z", "USD")]
                {
                    run(
                        &db,
                        &format!(
                            "insert into orders (account, order_id, parent_order_id, payment_time, currency, status,
                                 order_type, amount_after_discount_e8, role, first_seen_run, last_changed_run, last_seen_at)
                             values (?1, ?2, ?3, ?4, ?5, 5, {order_type}, {amount}, 'customer', 1, 1,
                                 '2026-12-01T00:00:00Z')"
                        ),
                        params![
                            account,
                            format!("{id} {nr} {currency}"),
                            format!("{parent} {nr} {currency}"),
                            time,
                            currency
                        ],
                    );
                }
            }
        }
    }
    assert_by_id_is_the_same(&db);
}

/// The views by which an order is looked up have the rows of those by which a month is found.
fn assert_by_id_is_the_same(db: &Db) {
    for view in ["known_orders", "classified_orders", "counted_orders"] {
        let columns =
            rows(db, &format!("select group_concat(name, ', ') from pragma_table_info('{view}')")).remove(0);
        let read = |view: &str| rows(db, &format!("select {columns} from {view} order by account, order_id"));
        let found = read(view);
        assert!(found.len() > 10, "{view}: {}", found.len());
        assert_eq!(read(&format!("{view}_by_id")), found, "{view}");
    }
}

#[test]
fn a_time_that_is_none_can_be_stored_and_is_in_no_month() {
    let db = warehouse();
    for text in ["now", "NOW", "subsec", "yesterday", "2026-13-01T00:00:00Z"] {
        insert(&db, text, None, Some(text), None);
    }
    assert_eq!(rows(&db, "select order_id from known_orders where month is not null"), [""; 0]);
}
