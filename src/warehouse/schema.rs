//! Brings a file up to date: migrations, and what is derived from them (history tables, triggers, views).

mod as_of;
mod changes;
mod comments;
mod derive;
mod dictionary;
mod history;
mod text;
mod versions;

use std::path::Path;

use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};

use super::{APPLICATION_ID, WarehouseError};
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
];

/// Schema version of this program: the number of migrations.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are a handful")]
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Views in the order of their creation: a view stands behind those it reads.
const VIEWS: &[&str] = &[
    include_str!("../../schema/views/code_names.sql"),
    include_str!("../../schema/views/codes_by_column.sql"),
    include_str!("../../schema/views/known_orders.sql"),
    include_str!("../../schema/views/classified_orders.sql"),
    include_str!("../../schema/views/counted_orders.sql"),
    include_str!("../../schema/views/counted_lines.sql"),
    include_str!("../../schema/views/allocated_spend.sql"),
    include_str!("../../schema/views/f01_net_spend_by_service.sql"),
    include_str!("../../schema/views/f02_net_spend_by_customer.sql"),
    include_str!("../../schema/views/f05_refunds_by_original_month.sql"),
    include_str!("../../schema/views/renewals.sql"),
    include_str!("../../schema/views/f08_renewals_next_month.sql"),
    include_str!("../../schema/views/f09_orders_waiting_for_payment.sql"),
    include_str!("../../schema/views/f11_fees_and_consumption_kept_back.sql"),
    include_str!("../../schema/views/moved_orders.sql"),
    include_str!("../../schema/views/counted_at_close.sql"),
    include_str!("../../schema/views/f13_changes_since_close.sql"),
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
];

/// Applies the missing migrations, and makes the derived objects anew when this program's differ.
pub(super) fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<(), WarehouseError> {
    let sql = |error| WarehouseError::sql(path, &error);
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
    Migrations::new(MIGRATIONS.iter().map(|migration| M::up(migration)).collect())
        .to_latest(connection)
        .map_err(|error| migration_error(path, error))?;
    let tx = connection.transaction().map_err(sql)?;
    derive::derive_objects(&tx).map_err(sql)?;
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

fn columns(tx: &Transaction<'_>, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    tx.prepare("select name, type from pragma_table_info(?1) order by cid")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Names in a list, each behind `prefix`.
fn comma(prefix: &str, names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("{prefix}{}", name.as_ref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_knows_no_refusals_keeps_its_rows_and_takes_some() {
        let coverage = include_str!("../../schema/ledger.3.sql");
        let former = MIGRATIONS.iter().position(|migration| *migration == coverage).expect("a migration");
        let mut db = Connection::open_in_memory().expect("a file");
        Migrations::new(MIGRATIONS[..former].iter().map(|migration| M::up(migration)).collect())
            .to_latest(&mut db)
            .expect("the former tables");
        let add = |scope: &str, verdict: &str| {
            format!(
                "insert into coverage (account, stream, scope, seen, requests, attempts, verdict, proof, run_id, read_at)
                 values ('acme', 'resources', '{scope}', 7, 1, 1, '{verdict}', 'because', 1, '2026-04-06T00:00:00Z');"
            )
        };
        db.execute_batch(
            "insert into runs (run_id, job, account, stream, program_version, started_at)
                 values (1, 'resources', 'acme', 'resources', '0', '2026-04-06T00:00:00Z');
             create view mine as select sum(seen) as seen from coverage;",
        )
        .expect("a run");
        db.execute_batch(&add("whole", "complete")).expect("a row");
        assert!(db.execute_batch(&add("order A", "refused")).is_err());

        bring_up_to_date(&mut db, Path::new("memory")).expect("the tables of now");
        db.execute_batch(&add("order A", "refused")).expect("a refusal");
        assert!(db.execute_batch(&add("order B", "else")).is_err());
        let seen: i64 = db.query_row("select seen from mine", [], |row| row.get(0)).expect("a view");
        assert_eq!(seen, 14);
    }
}
