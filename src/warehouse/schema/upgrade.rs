//! Brings a file up to date: migrations, and what is derived from them (history tables, triggers, views).

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::derive;
use super::files::{MIGRATIONS, version};

/// Marks a SQLite file as ours: "BSSY".
pub(in crate::warehouse) const APPLICATION_ID: i32 = 0x4253_5359;

/// Applies the missing migrations, and makes the derived objects anew when this program's differ.
pub(in crate::warehouse) fn bring_up_to_date(connection: &mut Connection) -> rusqlite_migration::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Migrations::new(MIGRATIONS.iter().copied().map(M::up).collect()).to_latest(connection)?;
    let tx = connection.transaction()?;
    derive::derive_objects(&tx)?;
    Ok(tx.commit()?)
}

/// Whether a file has this program's tables, views and triggers.
pub(in crate::warehouse) fn is_up_to_date(connection: &Connection) -> rusqlite::Result<bool> {
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(found == version() && derive::is_derived(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables as they were before a migration, and run 1.
    fn before(migration: &str) -> Connection {
        let former = MIGRATIONS.iter().position(|known| *known == migration).expect("a migration");
        let mut db = Connection::open_in_memory().expect("a file");
        Migrations::new(MIGRATIONS[..former].iter().copied().map(M::up).collect())
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
        let mut db = before(include_str!("../../../schema/ledger.2.sql"));
        db.execute_batch(
            "insert into queue (account, stream, parent_id, parent_time, not_before, generation, absences, enqueued_run,
                 enqueued_at)
             values ('acme', 'orders', 'A', '2026-04-01T00:00:00Z', '', 3, 1, 1, '2026-04-06T00:00:00Z')",
        )
        .expect("an order");
        bring_up_to_date(&mut db).expect("the tables of now");
        let kept: (String, i64, Option<String>) = db
            .query_row("select parent_id, generation, absent_at from queue", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .expect("an order");
        assert_eq!(kept, ("A".to_owned(), 3, None));
    }

    #[test]
    fn a_ledger_that_knows_no_refusals_keeps_its_rows_and_takes_some() {
        let mut db = before(include_str!("../../../schema/ledger.3.sql"));
        let add = |scope: &str, verdict: &str| {
            format!(
                "insert into coverage (account, stream, scope, seen, requests, attempts, verdict, proof, run_id, read_at)
                 values ('acme', 'resources', '{scope}', 7, 1, 1, '{verdict}', 'because', 1, '2026-04-06T00:00:00Z');"
            )
        };
        db.execute_batch("create view mine as select sum(seen) as seen from coverage").expect("a view");
        db.execute_batch(&add("whole", "complete")).expect("a row");
        assert!(db.execute_batch(&add("order A", "refused")).is_err());

        bring_up_to_date(&mut db).expect("the tables of now");
        db.execute_batch(&add("order A", "refused")).expect("a refusal");
        assert!(db.execute_batch(&add("order B", "else")).is_err());
        let seen: i64 = db.query_row("select seen from mine", [], |row| row.get(0)).expect("a view");
        assert_eq!(seen, 14);
    }

    #[test]
    fn rows_that_were_quarantined_before_they_had_keys_get_them() {
        let mut db = before(include_str!("../../../schema/quarantine.sql"));
        for (stream, raw) in [
            ("orders", r#"{"order_id":"A","create_time":"2026-02-11T00:00:00Z"}"#),
            ("orders", r#"{"status":5}"#),
            ("order_lines", r#"{"order_line_item_id":"L"}"#),
            ("resource_types", r#"{"resource_type_code":"R"}"#),
            ("service_types", "no JSON"),
        ] {
            db.execute(
                "insert into quarantine (account, stream, raw_sha256, scope, reason, raw, first_run, last_run, last_seen_at)
                 values ('acme', ?1, ?2, 'whole', 'because', ?2, 1, 1, '2026-04-06T00:00:00Z')",
                [stream, raw],
            )
            .expect("a row");
        }
        bring_up_to_date(&mut db).expect("the tables of now");
        let found = |sql: &str| -> Vec<String> {
            let mut statement = db.prepare(sql).expect("a question");
            statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
        };
        let kept =
            "select stream || ' ' || coalesce(record_table, '-') || ' ' || coalesce(row_key, '-') || ' '
                        || coalesce(created_at, '-') from quarantine order by rowid";
        insta::assert_snapshot!(found(kept).join("\n"), @r#"
        orders orders ["A"] 2026-02-11T00:00:00Z
        orders orders - -
        order_lines - - -
        resource_types resource_types ["R",""] -
        service_types service_types - -
        "#);
        let shown = "select stream || ' ' || iif(key = raw_sha256, '-', key) from undecoded_rows order by 1";
        assert_eq!(
            found(shown),
            ["order_lines -", "orders -", "orders A", "resource_types R", "service_types -"]
        );
    }
}
