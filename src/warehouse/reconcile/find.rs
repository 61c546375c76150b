//! The reading half: what the checks find, what was not read, and what became clear, into temporary tables.

use rusqlite::{Connection, TransactionBehavior};

use super::reconciliation::{COVERAGE, Reconciliation};
use crate::warehouse::schema::checks::Check;

/// What a reconciliation finds, until it is recorded.
const TABLES: &str = "
    drop table if exists temp.found;
    drop table if exists temp.gaps;
    drop table if exists temp.streams;
    drop table if exists temp.clear;
    create temp table found (
        account text not null, check_id text not null, key text not null, severity text not null, customer_id text,
        expected text, actual text, diff text, currency text, period text not null, note text, expected_e8 integer,
        actual_e8 integer, diff_e8 integer, primary key (account, check_id, key)) strict;
    create temp table gaps (
        account text not null, stream text not null, key text not null, gap text not null, period text not null,
        note text) strict;
    create temp table streams (account text not null, stream text not null, as_of text) strict;
    create temp table clear (account text not null, question text not null, model text not null, orders integer not null)
        strict;";

const GAPS: &str = "
    insert into temp.gaps (account, stream, key, gap, period)
    select account, stream, key, gap, period from coverage_gaps where account = ?1";

/// What `UNREAD_MONTH` calls its gap.
const NEVER_READ: &str = "never read";

/// The month that is asked for, when no reading of the orders reaches it: it lies before the account's history or has not
/// begun. `coverage_gaps` does not list it, because it only knows the months of the history.
const UNREAD_MONTH: &str = "
    insert into temp.gaps (account, stream, key, gap, period, note)
    select ?1, 'orders', 'orders/' || ?3 || '/' || ?2, ?3, ?2,
        case
            when ?2 > strftime('%Y-%m', 'now', '+8 hours') then 'the month has not begun'
            else coalesce('the history of the account begins in ' || min(c.month) || ': see history_start of the job orders',
                'no history was begun yet')
        end
    from coverage_by_month as c
    where c.account = ?1 and c.stream = 'orders'
    having coalesce(sum(c.month = ?2), 0) = 0
        and exists (select 1 from temp.streams as s where s.account = ?1 and s.stream = 'orders')";

/// That gap as a break of the check of coverage.
const UNREAD_MONTH_FOUND: &str = "
    insert into temp.found (account, check_id, key, severity, expected, actual, period, note)
    select account, ?3, key, 'error', 'every second read', gap, period, note
    from temp.gaps where account = ?1 and gap = ?2";

/// Streams of which something was read, or that a run found nothing to read of, and up to when: orders by their watermark,
/// all else by its last run.
const STREAMS: &str = "
    insert into temp.streams (account, stream, as_of)
    select f.account, f.stream, coalesce(f.created_complete_up_to, r.ended)
    from freshness as f
    left join (
        select stream, max(finished_at) as ended from runs
        where account = ?1 and outcome in ('done', 'findings') group by stream) as r on r.stream = f.stream
    where f.account = ?1 and (r.ended is not null or exists (
        select 1 from coverage as c where c.account = f.account and c.stream = f.stream))";

/// Runs the checks on one state of the warehouse. A worker may go on writing meanwhile.
pub(super) fn find(connection: &mut Connection, order: &Reconciliation<'_>) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    for account in &order.accounts {
        tx.execute(STREAMS, [account.name])?;
        match order.month {
            None => tx.execute(GAPS, [account.name])?,
            // What belongs to no month concerns all of them. Two questions, because each is one for the index.
            Some(month) => {
                let gaps = format!("{GAPS} and period = ?2");
                tx.execute(&gaps, [account.name, ""])?;
                tx.execute(&gaps, [account.name, month.as_str()])?;
                tx.execute(UNREAD_MONTH, [account.name, month.as_str(), NEVER_READ])?
            }
        };
        for check in &order.checks {
            let mut sql = format!(
                "insert into temp.found (account, check_id, key, severity, customer_id, expected, actual, diff, currency,
                     period, note, expected_e8, actual_e8, diff_e8)
                 select account, check_id, key, severity, customer_id, expected, actual, diff, currency, period, note,
                     expected_e8, actual_e8, diff_e8
                 from {} where account = ?1",
                check.view
            );
            match order.month {
                None => tx.execute(&sql, [account.name])?,
                Some(month) => {
                    sql.push_str(" and period = ?2");
                    tx.execute(&sql, [account.name, month.as_str()])?
                }
            };
        }
        if order.checks.iter().any(|check| check.id == COVERAGE) {
            tx.execute(UNREAD_MONTH_FOUND, [account.name, NEVER_READ, COVERAGE])?;
        }
        // Evidence is what all months say; whoever asks for one check waits for no other.
        if order.month.is_none() && order.checks.len() == Check::all().len() {
            tx.execute(
                "insert into temp.clear (account, question, model, orders)
                 select m.account, m.question, m.model, m.only_this from account_models as m
                 where m.account = ?1 and m.is_clear and not exists (
                     select 1 from pinned_models as p where p.account = m.account and p.question = m.question)",
                [account.name],
            )?;
        }
    }
    tx.commit()
}
