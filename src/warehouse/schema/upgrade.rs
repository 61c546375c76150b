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
    use proptest::prelude::*;

    use super::super::history;
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

    /// What every version has.
    const ROW: &str =
        "account, service_type_code, role, first_seen_run, last_changed_run, last_seen_at, version";

    /// Ends of versions: seconds, and whether the row was deleted then and came back with a later run.
    fn ends() -> impl Strategy<Value = Vec<Vec<(u8, bool)>>> {
        prop::collection::vec(prop::collection::vec((0_u8..6, prop::bool::weighted(0.2)), 0..6), 1..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_history_gets_commits_that_grow_with_each_row_and_with_time(rows_of_ends in ends()) {
            let mut db = before(include_str!("../../../schema/commits.sql"));
            let tx = db.transaction().expect("a transaction");
            history::widen(&tx, "service_types").expect("a history");
            tx.commit().expect("a history");
            db.execute_batch("alter table service_types_history drop column to_commit").expect("the former history");
            for run in 2..9 {
                db.execute(
                    "insert into runs (run_id, job, account, stream, program_version, started_at)
                     values (?1, 'x', 'acme', 'x', '0', ?2)",
                    (run, format!("2026-04-06T00:00:0{}Z", run % 4)),
                ).expect("a run");
            }
            for (code, ends) in rows_of_ends.iter().enumerate() {
                let (mut life, mut version) = (1, 1);
                for (second, is_deleted) in ends {
                    db.execute(
                        &format!("insert into service_types_history ({ROW}, ended_at)
                                  values ('acme', ?1, 'customer', ?2, 1, '', ?3, ?4)"),
                        (code.to_string(), life, version, format!("2026-04-06T00:00:0{second}Z")),
                    ).expect("a version");
                    (life, version) = if *is_deleted { (life + 1, 1) } else { (life, version + 1) };
                }
                if version > 1 || ends.is_empty() {
                    db.execute(
                        &format!("insert into service_types ({ROW}) values ('acme', ?1, 'customer', ?2, 1, '', ?3)"),
                        (code.to_string(), life, version),
                    ).expect("a row");
                }
            }
            bring_up_to_date(&mut db).expect("the tables of now");
            let texts = |sql: &str| -> Vec<String> {
                let mut statement = db.prepare(sql).expect("a query");
                statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
            };
            let broken = "select printf('%s.%s: %s to %s', service_type_code, version, from_commit, to_commit) from (
                select *, lag(to_commit) over life as former, lag(first_seen_run) over life as former_life
                from service_types_versions
                window life as (partition by service_type_code order by first_seen_run, version))
                where from_commit = 0 or to_commit <= from_commit or former > from_commit
                    or former < from_commit and former_life = first_seen_run";
            prop_assert_eq!(texts(broken), [""; 0], "{:?}", rows_of_ends);
            let numbers = "select printf('%s', count(*)) from commits where commit_no > (select count(*) from commits)";
            prop_assert_eq!(texts(numbers), ["0"]);
            // Two rows whose times never ran back: who ended in an earlier second has the lower number.
            let order = "with sound as (
                    select h.* from service_types_history as h where not exists (
                        select 1 from service_types_history as e where e.service_type_code = h.service_type_code
                            and e.rowid < h.rowid and e.ended_at > h.ended_at))
                select printf('%s %s', a.ended_at, b.ended_at) from sound as a join sound as b
                on a.ended_at < b.ended_at and a.to_commit >= b.to_commit";
            prop_assert_eq!(texts(order), [""; 0], "{:?}", rows_of_ends);
        }
    }
}
