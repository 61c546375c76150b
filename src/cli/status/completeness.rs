//! What `status` says about completeness: month by month, and of what is read by customer, by order or as a whole.

use crate::cli::lines::wrap;
use crate::cli::say::table;
use crate::warehouse::{Completeness, MonthState, PartsState, ReadPart};

/// Months shown one by one: the current one and a year before it, so that last year's same month is seen beside it.
const SHOWN_MONTHS: usize = 13;

/// Each stream's newest months as a character each, oldest first, and in words what is not complete; empty without months.
pub(super) fn in_lines(months: &[MonthState]) -> String {
    if months.is_empty() {
        return String::new();
    }
    let streams: Vec<&[MonthState]> =
        months.chunk_by(|a, b| (&a.account, &a.stream) == (&b.account, &b.stream)).collect();
    let shown = |stream: &[MonthState]| stream.split_at(stream.len().saturating_sub(SHOWN_MONTHS)).1.to_vec();
    let newest: Vec<Vec<MonthState>> = streams.iter().map(|stream| shown(stream)).collect();
    let used: Vec<String> = ALL_STATES
        .iter()
        .filter(|state| newest.iter().flatten().any(|month| month.state == **state))
        .map(|state| format!("{} {}", mark(*state), state.as_str()))
        .collect();
    let mut lines = vec![format!("Months (UTC+8)   {}", used.join("   "))];
    for (stream, newest) in streams.iter().zip(&newest) {
        let (Some(first), Some(last)) = (newest.first(), newest.last()) else { continue };
        let marks: String = newest.iter().map(|month| mark(month.state)).collect();
        let complete = newest.iter().filter(|month| month.state == Completeness::Complete).count();
        let late: i64 = newest.iter().map(|month| month.late_orders).sum();
        let late = if late > 0 { format!(", {late} late") } else { String::new() };
        lines.push(wrap(
            &format!(
                "  {} {}  {} {marks} {}  {complete} of {} complete{late}",
                first.account,
                first.stream,
                first.month,
                last.month,
                newest.len()
            ),
            4,
        ));
        let (old, _) = stream.split_at(stream.len() - newest.len());
        let gaps = newest.iter().filter(|month| month.state == Completeness::Incomplete);
        let gap = gaps.filter_map(|month| month.first_gap.as_ref()).min();
        lines.extend(gap.map(|gap| format!("    not read from {gap} on")));
        lines.extend((!old.is_empty()).then(|| wrap(&format!("    earlier: {}", sum_up(old)), 4)));
    }
    lines.join("\n")
}

/// All states of a month, the best first.
const ALL_STATES: [Completeness; 5] = [
    Completeness::Complete,
    Completeness::Open,
    Completeness::Incomplete,
    Completeness::Disputed,
    Completeness::Undecoded,
];

/// A state as one character that every terminal has.
const fn mark(state: Completeness) -> char {
    match state {
        Completeness::Complete => '=',
        Completeness::Open => '>',
        Completeness::Incomplete => '.',
        Completeness::Disputed => '!',
        Completeness::Undecoded => '?',
    }
}

/// The newest months of each stream as a table, newest first, and a line for all earlier ones; empty without months.
pub(super) fn by_month(months: &[MonthState]) -> String {
    if months.is_empty() {
        return String::new();
    }
    let mut shown = table(&[
        "ACCOUNT",
        "STREAM",
        "MONTH (UTC+8)",
        "STATE",
        "COMPLETE SINCE (UTC)",
        "OLDEST READING (UTC)",
        "ORDERS",
        "LATE",
        "NOT READ FROM (UTC)",
    ]);
    let mut earlier = String::new();
    let or_dash = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
    for stream in months.chunk_by(|a, b| (&a.account, &a.stream) == (&b.account, &b.stream)) {
        let (old, new) = stream.split_at(stream.len().saturating_sub(SHOWN_MONTHS));
        for month in new.iter().rev() {
            shown.add_row([
                month.account.clone(),
                month.stream.clone(),
                month.month.clone(),
                month.state.as_str().to_owned(),
                or_dash(&month.complete_since),
                or_dash(&month.last_proof_at),
                month.orders.to_string(),
                month.late_orders.to_string(),
                or_dash(&month.first_gap),
            ]);
        }
        if let Some(first) = old.first() {
            earlier.push_str(&format!("\n{} {}: {}", first.account, first.stream, sum_up(old)));
        }
    }
    format!("{shown}{earlier}")
}

/// Months of one stream in words, with those that are not complete by name; empty without months.
fn sum_up(months: &[MonthState]) -> String {
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return String::new() };
    let rest: Vec<String> = months
        .chunk_by(|a, b| a.state == b.state)
        .filter(|alike| alike.iter().any(|month| month.state != Completeness::Complete))
        .filter_map(|alike| {
            Some(format!("{} {}", span(alike.first()?, alike.last()?), alike.first()?.state.as_str()))
        })
        .collect();
    let all = months.len();
    let complete = months.iter().filter(|month| month.state == Completeness::Complete).count();
    let how_many = if rest.is_empty() {
        format!("{all} month(s) complete")
    } else {
        format!("{complete} of {all} month(s) complete; not complete: {}", rest.join(", "))
    };
    format!("{}: {how_many}", span(first, last))
}

fn span(first: &MonthState, last: &MonthState) -> String {
    if first.month == last.month { first.month.clone() } else { format!("{} to {}", first.month, last.month) }
}

/// A line for each stream and kind of part.
pub(super) fn by_part(parts: &[PartsState]) -> Vec<String> {
    parts.iter().map(part_line).collect()
}

fn part_line(parts: &PartsState) -> String {
    let oldest = parts.oldest_read_at.as_ref();
    let what = match (parts.part, oldest) {
        (ReadPart::Order, _) => format!("{} order(s) read", parts.read),
        (ReadPart::Customer, Some(at)) => {
            format!("lists of {} customer(s) read, the oldest {at}", parts.read)
        }
        (ReadPart::Customer, None) => "no customer's list read".to_owned(),
        (ReadPart::List, Some(at)) => format!("whole list read {at}"),
        (ReadPart::List, None) if parts.never_read > 0 => "whole list never read".to_owned(),
        (ReadPart::List, None) => "whole list disputed".to_owned(),
    };
    let mut line = format!("{} {}: {what}", parts.account, parts.stream);
    if parts.part == ReadPart::Customer {
        line.push_str(&format!(", {} never read", parts.never_read));
    }
    match parts.part {
        // There is one: it was read, it is disputed, or nobody read it.
        ReadPart::List => {}
        ReadPart::Order | ReadPart::Customer => line.push_str(&format!(", {} disputed", parts.disputed)),
    }
    if parts.refused > 0 {
        line.push_str(&format!(", {} refused by the vendor", parts.refused));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(stream: &str, month: &str, state: Completeness) -> MonthState {
        let complete = state == Completeness::Complete;
        let only = |wanted: bool, time: &str| wanted.then(|| time.to_owned());
        MonthState {
            account: "acme".to_owned(),
            stream: stream.to_owned(),
            month: month.to_owned(),
            begins_at: String::new(),
            ends_at: String::new(),
            state,
            complete_since: only(complete, "2026-11-04T02:00:00Z"),
            covered_seconds: 0,
            month_seconds: 0,
            windows: 1,
            requests: 2,
            orders: 12,
            late_orders: 1,
            last_proof_at: only(complete, "2026-11-21T02:00:00Z"),
            first_gap: only(!complete, "2026-11-22T23:59:00Z"),
        }
    }

    /// The months from `from` on, all in one state but for the ones named.
    fn months(from: i32, count: i32, odd: &[(&str, Completeness)]) -> Vec<MonthState> {
        let name = |at: i32| format!("{}-{:02}", (from + at) / 12, (from + at) % 12 + 1);
        let state =
            |name: &str| odd.iter().find(|(odd, _)| *odd == name).map_or(Completeness::Complete, |odd| odd.1);
        (0..count).map(|at| month("orders", &name(at), state(&name(at)))).collect()
    }

    /// May 2018 as a number of months.
    const MAY_2018: i32 = 2018 * 12 + 4;

    #[test]
    fn thirteen_months_are_shown_and_a_line_sums_up_the_earlier_ones() {
        let mut all =
            months(MAY_2018, 103, &[("2026-11", Completeness::Open), ("2026-02", Completeness::Incomplete)]);
        all.push(month("other", "2026-11", Completeness::Disputed));
        insta::assert_snapshot!(trimmed(&by_month(&all)), @"
         ACCOUNT  STREAM  MONTH (UTC+8)  STATE       COMPLETE SINCE (UTC)  OLDEST READING (UTC)  ORDERS  LATE  NOT READ FROM (UTC)
         acme     orders  2026-11        open        -                     -                     12      1     2026-11-22T23:59:00Z
         acme     orders  2026-10        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-09        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-08        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-07        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-06        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-05        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-04        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-03        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2026-02        incomplete  -                     -                     12      1     2026-11-22T23:59:00Z
         acme     orders  2026-01        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2025-12        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     orders  2025-11        complete    2026-11-04T02:00:00Z  2026-11-21T02:00:00Z  12      1     -
         acme     other   2026-11        disputed    -                     -                     12      1     2026-11-22T23:59:00Z
        acme orders: 2018-05 to 2025-10: 90 month(s) complete
        ");
    }

    #[test]
    fn months_fit_a_line() {
        let odd = [
            ("2026-11", Completeness::Open),
            ("2026-08", Completeness::Disputed),
            ("2026-02", Completeness::Incomplete),
            ("2020-01", Completeness::Undecoded),
        ];
        let mut all = months(MAY_2018, 103, &odd);
        all.push(month("other", "2026-11", Completeness::Complete));
        insta::assert_snapshot!(in_lines(&all), @"
            Months (UTC+8)   = complete   > open   . incomplete   ! disputed
              acme orders  2025-11 ===.=====!==> 2026-11  10 of 13 complete, 13 late
                not read from 2026-11-22T23:59:00Z on
                earlier: 2018-05 to 2025-10: 89 of 90 month(s) complete; not complete:
                2020-01 undecoded
              acme other  2026-11 = 2026-11  1 of 1 complete, 1 late
            ");
        assert_eq!(in_lines(&[]), "");
    }

    #[test]
    fn earlier_months_that_are_not_complete_are_named_as_spans() {
        let odd = [
            ("2018-05", Completeness::Incomplete),
            ("2020-01", Completeness::Incomplete),
            ("2020-02", Completeness::Incomplete),
            ("2020-03", Completeness::Disputed),
        ];
        assert_eq!(
            sum_up(&months(MAY_2018, 89, &odd)),
            "2018-05 to 2025-09: 85 of 89 month(s) complete; not complete: 2018-05 incomplete, \
             2020-01 to 2020-02 incomplete, 2020-03 disputed"
        );
        assert_eq!(sum_up(&months(MAY_2018, 1, &[])), "2018-05: 1 month(s) complete");
        assert_eq!(sum_up(&[]), "");
        assert_eq!(by_month(&[]), "");
    }

    #[test]
    fn each_kind_of_part_has_its_line() {
        let parts = |stream: &str, part, read, oldest: Option<&str>, disputed, never_read| PartsState {
            account: "acme".to_owned(),
            stream: stream.to_owned(),
            part,
            read,
            oldest_read_at: oldest.map(str::to_owned),
            disputed,
            refused: never_read / 4,
            never_read,
        };
        let at = Some("2026-11-21T02:00:00Z");
        let all = [
            parts("resources", ReadPart::Customer, 2000, at, 1, 3),
            parts("resources", ReadPart::Customer, 0, None, 1, 4),
            parts("order_lines", ReadPart::Order, 100_000, at, 0, 0),
            parts("service_types", ReadPart::List, 1, at, 0, 0),
            parts("service_types", ReadPart::List, 0, None, 1, 0),
            parts("service_types", ReadPart::List, 0, None, 0, 1),
        ];
        insta::assert_snapshot!(trimmed(&by_part(&all).join("\n")), @"
        acme resources: lists of 2000 customer(s) read, the oldest 2026-11-21T02:00:00Z, 3 never read, 1 disputed
        acme resources: no customer's list read, 4 never read, 1 disputed, 1 refused by the vendor
        acme order_lines: 100000 order(s) read, 0 disputed
        acme service_types: whole list read 2026-11-21T02:00:00Z
        acme service_types: whole list disputed
        acme service_types: whole list never read
        ");
    }

    /// Without the line breaks in front and the spaces that fill the last column.
    fn trimmed(text: &str) -> String {
        text.trim_start_matches('\n').lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}
