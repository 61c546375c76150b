//! Brings a file up to date: migrations, and what is derived from them (history tables, triggers, views).

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction};
use rusqlite_migration::{M, Migrations};
use sha2::{Digest, Sha256};

use super::{APPLICATION_ID, WarehouseError, checks};
use crate::record::Table;
use crate::stream::CATALOGUE;

/// Applied in order, each in one transaction, never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/ledger.sql"),
    include_str!("../../schema/orders.sql"),
    include_str!("../../schema/order_lines.sql"),
    include_str!("../../schema/refund_attributions.sql"),
    include_str!("../../schema/resources.sql"),
    include_str!("../../schema/service_types.sql"),
    include_str!("../../schema/resource_types.sql"),
    include_str!("../../schema/sub_customers.sql"),
    include_str!("../../schema/ledger.2.sql"),
    include_str!("../../schema/ledger.3.sql"),
    include_str!("../../schema/ledger.7.sql"),
    include_str!("../../schema/ledger.8.sql"),
    include_str!("../../schema/orders.2.sql"),
    include_str!("../../schema/order_lines.2.sql"),
    include_str!("../../schema/resources.2.sql"),
    include_str!("../../schema/order_lines.3.sql"),
    include_str!("../../schema/orders.3.sql"),
    include_str!("../../schema/reconcile.sql"),
    include_str!("../../schema/planner.sql"),
];

/// Schema version of this program: the number of migrations.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are a handful")]
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Views in the order of their creation: a view stands behind those it reads. The checks and their list follow.
const VIEWS: &[&str] = &[
    include_str!("../../schema/views/code_names.sql"),
    include_str!("../../schema/views/known_orders.sql"),
    include_str!("../../schema/views/classified_orders.sql"),
    include_str!("../../schema/views/counted_orders.sql"),
    include_str!("../../schema/views/order_months.sql"),
    include_str!("../../schema/views/counted_lines.sql"),
    include_str!("../../schema/views/allocated_spend.sql"),
    include_str!("../../schema/views/f01_net_spend_by_service.sql"),
    include_str!("../../schema/views/f02_net_spend_by_customer.sql"),
    include_str!("../../schema/views/f03_net_spend_by_enterprise_project.sql"),
    include_str!("../../schema/views/f04_net_spend_by_region.sql"),
    include_str!("../../schema/views/f05_refunds_by_original_month.sql"),
    include_str!("../../schema/views/amortised_lines.sql"),
    include_str!("../../schema/views/f06_amortisation_schedule.sql"),
    include_str!("../../schema/views/f07_prepaid_balance.sql"),
    include_str!("../../schema/views/renewals.sql"),
    include_str!("../../schema/views/f08_renewals_next_month.sql"),
    include_str!("../../schema/views/f09_orders_waiting_for_payment.sql"),
    include_str!("../../schema/views/f10_discount_effectiveness.sql"),
    include_str!("../../schema/views/f11_fees_and_consumption_kept_back.sql"),
    include_str!("../../schema/views/f12_payment_composition.sql"),
    include_str!("../../schema/views/f15_spend_by_payer.sql"),
    include_str!("../../schema/views/f16_kinds_of_business.sql"),
    include_str!("../../schema/views/f18_cut_off.sql"),
    include_str!("../../schema/views/v_orders.sql"),
    include_str!("../../schema/views/v_order_lines.sql"),
    include_str!("../../schema/views/v_order_discounts.sql"),
    include_str!("../../schema/views/v_order_enterprise_projects.sql"),
    include_str!("../../schema/views/v_refund_attributions.sql"),
    include_str!("../../schema/views/v_resources.sql"),
    include_str!("../../schema/views/v_sub_customers.sql"),
    include_str!("../../schema/views/undecoded_rows.sql"),
    include_str!("../../schema/views/freshness.sql"),
    include_str!("../../schema/views/coverage_by_month.sql"),
    include_str!("../../schema/views/disputes.sql"),
    include_str!("../../schema/views/late_arrivals.sql"),
    include_str!("../../schema/views/checked_orders.sql"),
    include_str!("../../schema/views/refund_ties.sql"),
    include_str!("../../schema/views/price_identities.sql"),
    include_str!("../../schema/views/account_models.sql"),
    include_str!("../../schema/views/coverage_gaps.sql"),
    include_str!("../../schema/views/open_breaks.sql"),
    include_str!("../../schema/views/f17_can_i_close.sql"),
];

/// Columns of a record table that are bookkeeping, not content.
pub(super) const BOOKKEEPING: &[&str] =
    &["asked_customer_id", "role", "first_seen_run", "last_changed_run", "last_seen_at", "version"];

/// Applies the missing migrations, and makes the derived objects anew when this program's differ.
pub(super) fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<(), WarehouseError> {
    let sql = |error| WarehouseError::sql(path, &error);
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
    Migrations::new(MIGRATIONS.iter().map(|migration| M::up(migration)).collect())
        .to_latest(connection)
        .map_err(|error| migration_error(path, error))?;
    let tx = connection.transaction().map_err(sql)?;
    derive_objects(&tx).map_err(sql)?;
    tx.commit().map_err(sql)
}

fn migration_error(path: &Path, error: rusqlite_migration::Error) -> WarehouseError {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => WarehouseError::sql(path, &err),
        other => WarehouseError::Statement { path: path.to_owned(), detail: other.to_string() },
    }
}

/// All record tables, child tables included.
pub(super) fn record_tables() -> Vec<&'static Table> {
    let mut tables: Vec<&'static Table> = Vec::new();
    for stream in CATALOGUE {
        for table in stream.tables() {
            tables.push(table);
            tables.extend(table.children.iter().map(|children| children.table));
        }
    }
    tables
}

/// Our views in this file, and the fingerprint of what they and the history triggers were made from.
const DERIVED: [&str; 2] = ["derived_views", "derived_objects"];

/// What is derived: the texts of views and history triggers, and what tells them from another version's.
struct Derived {
    views: Vec<String>,
    history: Vec<String>,
    fingerprint: String,
}

impl Derived {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let checks = checks::views().map(str::to_owned).chain([checks::catalogue()]);
        let views = VIEWS.iter().map(|&view| view.to_owned()).chain(checks);
        let views: Vec<String> = views.map(|view| expand_decimals(&view)).collect();
        let history = record_tables()
            .into_iter()
            .map(|table| history_sql(connection, table.name))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut hash = Sha256::new();
        for text in views.iter().chain(&history) {
            hash.update(text);
            hash.update([0]);
        }
        Ok(Self { views, history, fingerprint: hex::encode(hash.finalize()) })
    }

    fn is_in(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let [_, derived_objects] = DERIVED;
        Ok(read_meta(connection, derived_objects)?.as_deref() == Some(self.fingerprint.as_str()))
    }
}

/// Whether a file has this program's tables, views and triggers.
pub(super) fn is_up_to_date(connection: &Connection) -> rusqlite::Result<bool> {
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version == VERSION && Derived::of(connection)?.is_in(connection)?)
}

/// History tables, triggers and views are made from the migrated tables and this program's files, so they
/// are no migrations: a fingerprint tells when they are another program version's. Views that somebody else put
/// into the file are left alone.
fn derive_objects(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let derived = Derived::of(tx)?;
    if derived.is_in(tx)? {
        return Ok(());
    }
    let Derived { views, history, fingerprint } = derived;
    let [derived_views, derived_objects] = DERIVED;
    let former = read_meta(tx, derived_views)?.unwrap_or_default();
    let ours: Vec<&str> = views.iter().filter_map(|view| view_name(view)).collect();
    for name in former.split_whitespace().chain(ours.iter().copied()) {
        tx.execute_batch(&format!("drop view if exists \"{name}\""))?;
    }
    for (table, sql) in record_tables().into_iter().zip(&history) {
        widen_history(tx, table.name)?;
        tx.execute_batch(sql)?;
    }
    for view in &views {
        tx.execute_batch(view)?;
    }
    write_meta(tx, derived_views, &ours.join(" "))?;
    write_meta(tx, derived_objects, &fingerprint)
}

fn read_meta(tx: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    tx.query_row("select value from meta where key = ?1", [key], |row| row.get(0)).optional()
}

fn write_meta(tx: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<()> {
    tx.execute(
        "insert into meta (key, value) values (?1, ?2) on conflict (key) do update set value = excluded.value",
        (key, value),
    )
    .map(|_| ())
}

/// The name that a view's text gives it: the word behind `create view`.
pub(super) fn view_name(sql: &str) -> Option<&str> {
    let (_, rest) = sql.split_once("create view ")?;
    rest.split(|character: char| character.is_whitespace() || character == '(').next()
}

fn columns(tx: &Connection, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    tx.prepare("select name, type from pragma_table_info(?1) order by cid")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Gives a table's history the columns it lacks: those of the table, and when and by which run a row ended.
fn widen_history(tx: &Transaction<'_>, table: &str) -> rusqlite::Result<()> {
    let columns = columns(tx, table)?;
    let typed: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    tx.execute_batch(&format!(
        "create table if not exists {table}_history ({}, ended_run integer, ended_at text not null) strict",
        typed.join(", ")
    ))?;
    let existing = self::columns(tx, &format!("{table}_history"))?;
    for (name, kind) in columns {
        if !existing.iter().any(|(known, _)| *known == name) {
            tx.execute_batch(&format!("alter table {table}_history add column {name} {kind}"))?;
        }
    }
    Ok(())
}

/// The triggers that copy each replaced or deleted row of a table to its history.
fn history_sql(tx: &Connection, table: &str) -> rusqlite::Result<String> {
    let columns = columns(tx, table)?;
    let all: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let content: Vec<&str> = all.iter().copied().filter(|name| !BOOKKEEPING.contains(name)).collect();
    let list = |prefix: &str, names: &[&str]| {
        names.iter().map(|name| format!("{prefix}{name}")).collect::<Vec<_>>().join(", ")
    };
    let copy = format!(
        "insert into {table}_history ({}, ended_run, ended_at) select {}",
        list("", &all),
        list("old.", &all)
    );
    let key: Vec<&str> = all.iter().copied().take(3).collect();
    Ok(format!(
        "create index if not exists {table}_history_by_key on {table}_history ({key});
         drop trigger if exists {table}_keeps_replaced_rows;
         create trigger {table}_keeps_replaced_rows after update of {content} on {table}
         when ({old}) is not ({new})
         begin
             {copy}, new.last_changed_run, coalesce(new.gone_since, new.last_seen_at);
         end;
         drop trigger if exists {table}_keeps_deleted_rows;
         create trigger {table}_keeps_deleted_rows after delete on {table}
         begin
             {copy}, null, strftime('%Y-%m-%dT%H:%M:%SZ', 'now');
         end;",
        key = key.join(", "),
        content = list("", &content),
        old = list("old.", &content),
        new = list("new.", &content),
    ))
}

/// Replaces `decimal(x_e8)` in a view's text by the exact decimal text of `x_e8`: SQLite has no decimal type,
/// and a view must work in any client, without a function of ours.
pub(super) fn expand_decimals(view: &str) -> String {
    const MARK: &str = "decimal(";
    let mut sql = String::with_capacity(view.len());
    let mut rest = view;
    while let Some(at) = rest.find(MARK) {
        sql.push_str(&rest[..at]);
        rest = &rest[at + MARK.len()..];
        let end = rest.find(')').unwrap_or(rest.len());
        let x = &rest[..end];
        sql.push_str(&format!(
            "iif({x} is null, null, printf('%s%d.%02d', iif({x} < 0, '-', ''), abs({x}) / 100000000, \
             abs({x}) / 1000000 % 100) || rtrim(printf('%06d', abs({x}) % 1000000), '0'))"
        ));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    sql.push_str(rest);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables as they were before a migration, and run 1.
    fn before(migration: &str) -> Connection {
        let former = MIGRATIONS.iter().position(|known| *known == migration).expect("a migration");
        let mut db = Connection::open_in_memory().expect("a file");
        Migrations::new(MIGRATIONS[..former].iter().map(|migration| M::up(migration)).collect())
            .to_latest(&mut db)
            .expect("the former tables");
        db.execute_batch(
            "insert into runs (run_id, job, account, stream, program_version, started_at)
                 values (1, 'orders', 'acme', 'orders', '0', '2026-04-06T00:00:00Z')",
        )
        .expect("a run");
        db
    }

    #[test]
    fn the_queue_of_a_ledger_that_counted_absences_is_kept() {
        let mut db = before(include_str!("../../schema/ledger.2.sql"));
        db.execute_batch(
            "insert into queue (account, stream, parent_id, parent_time, not_before, generation, absences, enqueued_run,
                 enqueued_at)
             values ('acme', 'orders', 'A', '2026-04-01T00:00:00Z', '', 3, 1, 1, '2026-04-06T00:00:00Z')",
        )
        .expect("an order");
        bring_up_to_date(&mut db, Path::new("memory")).expect("the tables of now");
        let kept: (String, i64, Option<String>) = db
            .query_row("select parent_id, generation, absent_at from queue", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .expect("an order");
        assert_eq!(kept, ("A".to_owned(), 3, None));
    }

    #[test]
    fn a_ledger_that_knows_no_refusals_keeps_its_rows_and_takes_some() {
        let mut db = before(include_str!("../../schema/ledger.3.sql"));
        let add = |scope: &str, verdict: &str| {
            format!(
                "insert into coverage (account, stream, scope, seen, requests, attempts, verdict, proof, run_id, read_at)
                 values ('acme', 'resources', '{scope}', 7, 1, 1, '{verdict}', 'because', 1, '2026-04-06T00:00:00Z');"
            )
        };
        db.execute_batch("create view mine as select sum(seen) as seen from coverage").expect("a view");
        db.execute_batch(&add("whole", "complete")).expect("a row");
        assert!(db.execute_batch(&add("order A", "refused")).is_err());

        bring_up_to_date(&mut db, Path::new("memory")).expect("the tables of now");
        db.execute_batch(&add("order A", "refused")).expect("a refusal");
        assert!(db.execute_batch(&add("order B", "else")).is_err());
        let seen: i64 = db.query_row("select seen from mine", [], |row| row.get(0)).expect("a view");
        assert_eq!(seen, 14);
    }
}
