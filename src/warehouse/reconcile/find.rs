//! The reading half: what the checks find, what was not read, and what became clear, into temporary tables.

use rusqlite::{Connection, TransactionBehavior};

use super::Reconciliation;
use crate::warehouse::checks::Check;

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
        expected text, actual text) strict;
    create temp table streams (account text not null, stream text not null, as_of text) strict;
    create temp table clear (account text not null, question text not null, model text not null, orders integer not null)
        strict;";

const GAPS: &str = "
    insert into temp.gaps (account, stream, key, gap, period, expected, actual)
    select account, stream, key, gap, period, expected, actual from coverage_gaps where account = ?1";

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
                tx.execute(&gaps, [account.name, ""])? + tx.execute(&gaps, [account.name, month.as_str()])?
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
