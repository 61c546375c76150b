//! The amortisation of random lines against an own reckoning in 128 bits, and its ties to the spend.

use chrono::{DateTime, Datelike, FixedOffset, Months, NaiveDate, TimeZone};
use proptest::prelude::*;
use rusqlite::params;

use super::amortisation::bought;
use super::{REFUND, attribution, draw, insert_all, order, rows, run, warehouse};

fn utc8(seconds: i64) -> DateTime<FixedOffset> {
    FixedOffset::east_opt(8 * 3600).unwrap().timestamp_opt(seconds, 0).unwrap()
}

fn text(seconds: i64) -> String {
    utc8(seconds).to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// First second of a month of UTC+8.
fn begin_of(month: NaiveDate) -> i64 {
    FixedOffset::east_opt(8 * 3600)
        .unwrap()
        .from_local_datetime(&month.and_hms_opt(0, 0, 0).unwrap())
        .unwrap()
        .timestamp()
}

fn month_of(seconds: i64) -> NaiveDate {
    utc8(seconds).date_naive().with_day(1).unwrap()
}

/// A line as the property draws it: cost, payment, begin, seconds of service, and the time and amount of a refund.
type Bought = (i64, i64, i64, i64, Option<(i64, i64)>);

fn bought_line() -> impl Strategy<Value = Bought> {
    // From 2025 on; a day is 86 400 seconds.
    let second = || 1_735_000_000i64..1_790_000_000;
    (
        prop_oneof![0i64..1000, 0i64..10_000_000_000_000, -5_000_000_000i64..0],
        second(),
        second(),
        prop_oneof![1i64..100_000, 2_000_000i64..70_000_000],
        prop::option::of((0i64..60_000_000, -1_000i64..10_000_000_000_000)),
    )
}

/// What each month takes of a line, reckoned by the definition in 128 bits: opening, addition, amortisation, catch-up,
/// credit, loss, closing, of that within a year.
fn reckoned(&(cost, paid, starts, seconds, refund): &Bought) -> Vec<String> {
    let refund = refund.map(|(later, back)| (paid + later, back));
    let until = |instant: i64| -> i64 {
        let elapsed = (instant - starts).clamp(0, seconds);
        if elapsed == seconds {
            return cost;
        }
        let exact = i128::from(cost.abs()) * i128::from(elapsed);
        // Half up to the cent, which is 10⁶ units; never more than there is.
        let cents = (2 * exact + i128::from(seconds) * 1_000_000) / (i128::from(seconds) * 2_000_000);
        cost.signum() * i64::try_from(cents * 1_000_000).unwrap().min(cost.abs())
    };
    let mut found = Vec::new();
    let mut month = month_of(paid);
    let last =
        [starts + seconds, paid, refund.map_or(0, |(at, _)| at)].map(month_of).into_iter().max().unwrap();
    while month <= last {
        let [begin, end, year] = [0, 1, 13].map(|more| begin_of(month + Months::new(more)));
        let is_first = month == month_of(paid);
        let is_over = refund.is_some_and(|(at, _)| at < begin);
        let is_ended = refund.is_some_and(|(at, _)| (begin..end).contains(&at));
        let now = until(refund.filter(|_| is_ended).map_or(end, |(at, _)| at));
        let credited = if is_ended { cost - now } else { 0 };
        let figures = if is_over {
            [0; 8]
        } else {
            [
                if is_first { 0 } else { cost - until(begin) },
                if is_first { cost } else { 0 },
                now - until(begin),
                if is_first { until(begin) } else { 0 },
                credited,
                credited - refund.filter(|_| is_ended).map_or(0, |(_, back)| back),
                if is_ended { 0 } else { cost - now },
                if is_ended { 0 } else { until(year) - now },
            ]
        };
        if figures != [0; 8] {
            let figures = figures.map(|figure| figure.to_string()).join("|");
            found.push(format!("{}|{figures}", month.format("%Y-%m")));
        }
        month = month + Months::new(1);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_month_of_a_line_is_as_the_definition_says(line_drawn in bought_line()) {
        let db = warehouse();
        let (cost, paid, starts, seconds, refund) = line_drawn;
        bought(&db, "A", "0", &text(paid), &text(starts), &text(starts + seconds - 1));
        run(&db, "update orders set amount_after_discount_e8 = ?1", [cost]);
        run(&db, "update order_lines set amount_after_discount_e8 = ?1", [cost]);
        if let Some((later, back)) = refund {
            order("R", REFUND, "0", &text(paid + later)).insert(&db);
            run(&db, "update orders set amount_after_discount_e8 = ?1 where order_id = 'R'", [back]);
            attribution(&db, "1", "R", "0", Some("A"));
            run(&db, "update refund_attributions set amount_e8 = ?1", [-back.abs()]);
        }
        let line_drawn = (cost, paid, starts, seconds, refund.map(|(later, back)| (later, back.abs())));
        let found = rows(
            &db,
            "with months as (
                 select month, sum(opening_e8) as opening_e8, sum(added_e8) as added_e8,
                     sum(amortisation_e8) as amortisation_e8, sum(catch_up_e8) as catch_up_e8,
                     sum(credited_e8) as credited_e8, sum(loss_e8) as loss_e8, sum(closing_e8) as closing_e8,
                     sum(closing_within_year_e8) as closing_within_year_e8
                 from amortised_lines group by 1
             )
             select * from months
             where opening_e8 <> 0 or added_e8 <> 0 or amortisation_e8 <> 0 or catch_up_e8 <> 0 or credited_e8 <> 0
                 or loss_e8 <> 0 or closing_e8 <> 0 or closing_within_year_e8 <> 0
             order by 1",
        );
        prop_assert_eq!(found, reckoned(&line_drawn));
        // Over its life a line costs what was paid for it, less what came back.
        let life = rows(&db, "select sum(amortisation_e8 + catch_up_e8 + loss_e8) from amortised_lines");
        let back = line_drawn.4.map_or(0, |(_, back)| back);
        prop_assert_eq!(life, [(cost - back).to_string()]);
    }

    #[test]
    fn the_balance_rolls_forward_and_ties_to_the_spend(
        draws in prop::collection::vec(draw(), 1..16),
        terms in prop::collection::vec((1_760_000_000i64..1_780_000_000, 1i64..20_000_000), 32),
    ) {
        let db = warehouse();
        insert_all(&db, draws);
        for (nr, (starts, seconds)) in (1i64..).zip(terms) {
            run(
                &db,
                "update order_lines set effective_time = ?2, expire_time = ?3 where rowid = ?1 and rowid % 5 <> 0",
                params![nr, text(starts), text(starts + seconds - 1)],
            );
        }
        run(&db, "update refund_attributions set service_type_code = 'ecs', resource_type_code = 'vm' where rowid % 2", []);
        // What F01 says, as far as F06 and F07 say otherwise.
        let differences = rows(
            &db,
            "with figures as (
                 select month, currency, net_e8, net_of_coupons_e8 from f01_net_spend_by_service
                 union all
                 select month, currency, -expense_e8, -expense_net_of_coupons_e8 from f06_amortisation_schedule
                 union all
                 select month, currency, opening_e8 - closing_e8, 0 from f07_prepaid_balance
                 union all
                 select month, currency, 0, opening_net_of_coupons_e8 - closing_net_of_coupons_e8 from amortised_lines
             )
             select month, currency, sum(net_e8), sum(net_of_coupons_e8) from figures group by 1, 2
             having sum(net_e8) <> 0 or sum(net_of_coupons_e8) <> 0",
        );
        prop_assert_eq!(differences, [""; 0]);
        let breaks = rows(
            &db,
            "select month, currency, opening_e8, additions_e8, amortisation_e8, refunds_credited_e8, closing_e8, former_e8
             from (
                 select *, lag(closing_e8, 1, 0) over (partition by currency order by month) as former_e8
                 from f07_prepaid_balance
             )
             where opening_e8 + additions_e8 - amortisation_e8 - refunds_credited_e8 <> closing_e8
                 or opening_e8 <> former_e8
                 or closing_e8 <> closing_within_12_months_e8 + closing_after_12_months_e8",
        );
        prop_assert_eq!(breaks, [""; 0]);
        let left = "select sum(closing_e8) from f07_prepaid_balance where month = '2027-06'";
        prop_assert!(["", "0"].contains(&rows(&db, left)[0].as_str()));
    }
}
