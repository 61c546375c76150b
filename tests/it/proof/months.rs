//! Which months the ledger calls complete.

use crate::fixtures::{bench, rows};

#[test]
fn a_month_with_a_disputed_window_is_not_complete_until_it_is_settled() {
    let bench = bench();
    bench.run(&["orders"]).expect_code(0);
    let february = "select count(*) from complete_months where month = '2026-02'";
    assert_eq!(bench.count(february), 1);
    // A reading of some minutes, begun so late that no other settles it.
    let dispute =
        "insert into coverage (account, stream, scope, lane, window_begin, window_end, seen, requests,
             attempts, verdict, proof, run_id, started_at, read_at)
         values ('acme', 'orders', 'created 2026-02-10T00:00:00Z/2026-02-10T01:00:00Z', 'created',
             '2026-02-10T00:00:00Z', '2026-02-10T01:00:00Z', 0, 3, 3, 'disputed', 'rows moved', 1,
             '2100-01-01T00:00:00Z', '2100-01-01T00:00:00Z')";
    bench.writable_db().execute(dispute, []).expect("a dispute");
    bench.run(&["orders"]).expect_code(0);
    let others = "select month from complete_months where month <= '2026-03' order by 1";
    assert_eq!(rows(&bench.db(), others), ["'2026-01'", "'2026-03'"]);
    bench.writable_db().execute("delete from coverage where verdict = 'disputed'", []).expect("settled");
    bench.run(&["orders"]).expect_code(0);
    assert_eq!(bench.count(february), 1);
}
