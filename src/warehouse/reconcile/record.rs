//! The writing half: breaks keep their identity, every check its outcome.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;

use super::reconciliation::{
    BillingMonth, Break, COVERAGE, CheckOutcome, CheckStatus, PinnedModel, Reconciled, ReconciledAccount,
    Reconciliation, ReconciliationVerdict,
};
use crate::time::UtcSecond;
use crate::warehouse::file::transaction::Writing;
use crate::warehouse::schema::checks::{Check, Severity};

/// A break that was there before stays the same one; its values are those of now.
const RENEW: &str = "
    update breaks set last_seen = ?1, severity = f.severity, customer_id = f.customer_id, expected = f.expected,
        actual = f.actual, diff = f.diff, currency = f.currency, period = f.period, note = f.note,
        expected_e8 = f.expected_e8, actual_e8 = f.actual_e8, diff_e8 = f.diff_e8
    from temp.found as f
    where breaks.account = f.account and breaks.check_id = f.check_id and breaks.key = f.key
        and breaks.resolved_at is null";

const ADD: &str = "
    insert into breaks (account, check_id, key, severity, customer_id, expected, actual, diff, currency, period, note,
        expected_e8, actual_e8, diff_e8, first_seen, last_seen)
    select account, check_id, key, severity, customer_id, expected, actual, diff, currency, period, note, expected_e8,
        actual_e8, diff_e8, ?1, ?1
    from temp.found as f
    where not exists (
        select 1 from breaks as b
        where b.account = f.account and b.check_id = f.check_id and b.key = f.key and b.resolved_at is null)";

/// What a check no longer finds. Of a check that was limited to a month only that month's.
const RESOLVE: &str = "
    update breaks set resolved_at = ?1
    where account = ?2 and check_id = ?3 and resolved_at is null and (?4 is null or period = ?4)
        and not exists (
            select 1 from temp.found as f
            where f.account = breaks.account and f.check_id = breaks.check_id and f.key = breaks.key)";

const PIN: &str = "
    insert into pinned_models (account, question, model, orders, pinned_at)
    select account, question, model, orders, ?1 from temp.clear where true
    on conflict (account, question) do nothing
    returning account, question, model, orders";

/// Gaps of one stream and period or of all, explained ones too: an explanation does not bring what is missing.
const GAPS: &str = "
    select g.stream || ': ' || g.gap || iif(g.period = '', '', ' in ' || g.period)
    from temp.gaps as g
    where g.account = ?1 and g.stream = ?2 and (?3 is null or g.period in ('', ?3))
    order by g.period desc, g.key";

pub(super) fn record(
    tx: &Writing<'_>,
    order: &Reconciliation<'_>,
    started: UtcSecond,
) -> rusqlite::Result<Reconciled> {
    let now = UtcSecond::now().to_string();
    let month = order.month.map(BillingMonth::as_str);
    let id: i64 = tx.query_row(
        "insert into reconciliations (program_version, month, started_at, finished_at, exit_code)
         values (?1, ?2, ?3, ?4, 0) returning reconciliation_id",
        (env!("CARGO_PKG_VERSION"), month.unwrap_or_default(), started.to_string(), &now),
        |row| row.get(0),
    )?;
    tx.change(RENEW, [&now])?;
    tx.change(ADD, [&now])?;
    let mut outcomes = Vec::new();
    for account in &order.accounts {
        for check in &order.checks {
            let outcome = judge(tx, order, account, check)?;
            // A break that is not found in incomplete data may still be there.
            if outcome.reason.is_none() {
                tx.change(RESOLVE, (&now, account.name, check.id, month))?;
            }
            store(tx, id, &outcome)?;
            outcomes.push(outcome);
        }
    }
    let pinned = tx
        .prepare(PIN)?
        .query_map([&now], |row| {
            Ok(PinnedModel {
                account: row.get(0)?,
                question: row.get(1)?,
                model: row.get(2)?,
                orders: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let verdict = verdict(&outcomes);
    tx.change_one(
        "update reconciliations set exit_code = ?1 where reconciliation_id = ?2",
        (verdict.exit_code(), id),
    )?;
    let breaks = shown(tx, order)?;
    Ok(Reconciled { id, outcomes, breaks, pinned, verdict })
}

fn verdict(outcomes: &[CheckOutcome]) -> ReconciliationVerdict {
    let of = |outcome: &CheckOutcome| {
        if outcome.grave > 0 {
            return ReconciliationVerdict::Broken;
        }
        let is_open = matches!(outcome.status, CheckStatus::Skipped | CheckStatus::Inconclusive);
        if outcome.is_required && is_open {
            ReconciliationVerdict::Unknown
        } else {
            ReconciliationVerdict::Trusted
        }
    };
    outcomes.iter().map(of).max().unwrap_or(ReconciliationVerdict::Trusted)
}

/// How a check ended for an account, from what was found and what was read.
fn judge(
    tx: &Writing<'_>,
    order: &Reconciliation<'_>,
    account: &ReconciledAccount<'_>,
    check: &Check,
) -> rusqlite::Result<CheckOutcome> {
    let unreadable = check.needs.iter().find(|stream| !account.readable.contains(stream));
    let mut outcome = CheckOutcome {
        account: account.name.to_owned(),
        check_id: check.id,
        name_en: check.name_en,
        name_zh: check.name_zh,
        severity: check.severity,
        is_required: order.strictness.counts(check.severity) && unreadable.is_none(),
        status: CheckStatus::Skipped,
        reason: unreadable.map(|stream| format!("no job reads {stream} for this account")),
        breaks: 0,
        acknowledged: 0,
        differences_e8: BTreeMap::new(),
        data_as_of: None,
        grave: 0,
    };
    if unreadable.is_some() {
        return Ok(outcome);
    }
    let mut as_of = Vec::new();
    for stream in &check.needs {
        let read: Option<Option<String>> = tx
            .prepare_cached("select as_of from temp.streams where account = ?1 and stream = ?2")?
            .query_row((account.name, stream), |row| row.get(0))
            .optional()?;
        let Some(read) = read else {
            outcome.reason = Some(format!("{stream} was never read"));
            return Ok(outcome);
        };
        as_of.push(read);
    }
    // What is known up to different times is known up to the first of them; of what never ended, nothing.
    outcome.data_as_of = as_of.into_iter().min().flatten();
    count(tx, order, &mut outcome)?;
    outcome.reason = gap(tx, order, account, check)?;
    outcome.status = if outcome.breaks > outcome.acknowledged {
        CheckStatus::Fail
    } else if outcome.reason.is_some() {
        CheckStatus::Inconclusive
    } else {
        CheckStatus::Pass
    };
    Ok(outcome)
}

fn count(tx: &Writing<'_>, order: &Reconciliation<'_>, outcome: &mut CheckOutcome) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached(
        "select f.severity, b.is_acknowledged, f.currency, f.diff_e8
         from temp.found as f
         join open_breaks as b on b.account = f.account and b.check_id = f.check_id and b.key = f.key
         where f.account = ?1 and f.check_id = ?2",
    )?;
    let mut rows = statement.query((&outcome.account, outcome.check_id))?;
    while let Some(row) = rows.next()? {
        let severity: String = row.get(0)?;
        let is_acknowledged: bool = row.get(1)?;
        let currency: Option<String> = row.get(2)?;
        let difference: Option<i64> = row.get(3)?;
        outcome.breaks += 1;
        outcome.acknowledged += u64::from(is_acknowledged);
        let counts = Severity::of_word(&severity).is_some_and(|severity| order.strictness.counts(severity));
        outcome.grave += u64::from(counts && !is_acknowledged);
        if let (Some(currency), Some(difference)) = (currency, difference) {
            // Wider than the amounts themselves: a sum of sums that would not fit must not end the check.
            *outcome.differences_e8.entry(currency).or_default() += i128::from(difference).abs();
        }
    }
    Ok(())
}

/// Why what a check needs is not complete; `None` when it is.
fn gap(
    tx: &Writing<'_>,
    order: &Reconciliation<'_>,
    account: &ReconciledAccount<'_>,
    check: &Check,
) -> rusqlite::Result<Option<String>> {
    // The gaps are this check's own breaks.
    if check.id == COVERAGE {
        return Ok(None);
    }
    let month = order.month.map(BillingMonth::as_str);
    let mut gaps: Vec<String> = Vec::new();
    for stream in &check.needs {
        let mut statement = tx.prepare_cached(GAPS)?;
        let found = statement.query_map((account.name, stream, month), |row| row.get(0))?;
        gaps.extend(found.collect::<rusqlite::Result<Vec<String>>>()?);
    }
    let first = gaps.iter().take(2).cloned().collect::<Vec<_>>().join("; ");
    Ok(match gaps.len() {
        0 => None,
        1 | 2 => Some(first),
        all => Some(format!("{first}; and {} more (view coverage_gaps)", all - 2)),
    })
}

fn store(tx: &Writing<'_>, id: i64, outcome: &CheckOutcome) -> rusqlite::Result<()> {
    let differences = serde_json::to_string(&outcome.differences_e8)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    tx.change_one(
        "insert into reconciliation_outcomes (reconciliation_id, account, check_id, severity, is_required, status, reason,
             breaks, acknowledged, differences_e8, data_as_of)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        (
            id,
            &outcome.account,
            outcome.check_id,
            outcome.severity.as_str(),
            outcome.is_required,
            outcome.status.as_str(),
            &outcome.reason,
            outcome.breaks,
            outcome.acknowledged,
            differences,
            &outcome.data_as_of,
        ),
    )
}

/// The first breaks of each account and check, the unexplained and largest ones before the others.
fn shown(tx: &Writing<'_>, order: &Reconciliation<'_>) -> rusqlite::Result<Vec<Break>> {
    let mut breaks = Vec::new();
    for account in &order.accounts {
        for check in &order.checks {
            let mut statement = tx.prepare_cached(
                "select b.account, b.check_id, b.severity, b.customer_id, b.key, b.expected, b.actual, b.diff, b.currency,
                     b.period, b.first_seen, b.note, b.acknowledged_by
                 from temp.found as f
                 join open_breaks as b on b.account = f.account and b.check_id = f.check_id and b.key = f.key
                 where f.account = ?1 and f.check_id = ?2
                 order by b.is_acknowledged, abs(coalesce(b.diff_e8, 0)) desc, b.key limit coalesce(?3, -1)",
            )?;
            // None, or more than SQLite can count, is no limit.
            let limit = order.shown.and_then(|shown| i64::try_from(shown).ok());
            let found = statement.query_map((account.name, check.id, limit), |row| {
                Ok(Break {
                    account: row.get(0)?,
                    check_id: row.get(1)?,
                    severity: row.get(2)?,
                    customer_id: row.get(3)?,
                    key: row.get(4)?,
                    expected: row.get(5)?,
                    actual: row.get(6)?,
                    diff: row.get(7)?,
                    currency: row.get(8)?,
                    period: row.get(9)?,
                    first_seen: row.get(10)?,
                    note: row.get(11)?,
                    acknowledged_by: row.get(12)?,
                })
            })?;
            breaks.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
        }
    }
    Ok(breaks)
}
