//! What an operator sees: when something is wrong, which exit code, what the message says to do, and that nothing stored
//! is lost; when all is well, the commands' own words.

mod damage;
mod refused;
mod words;
mod wrong_input;

use std::collections::BTreeMap;
use std::fs;

use bss_sync::stream::CATALOGUE;

use crate::fixtures::{bench, rows};
use support::{Bench, Ran};

/// Hides what differs between two runs of a test: the folder, ports, times, seconds, process ids.
pub fn steady(bench: &Bench) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    let folder = bench.path("");
    settings.add_filter(folder.to_string_lossy().trim_end_matches('/'), "DIR");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", "TIME");
    settings.add_filter(r"process \d+", "process PID");
    settings.add_filter(r"\(\d+ m?s\)", "(WAIT)");
    settings.add_filter(r"request [0-9a-f]{32}", "request ID");
    settings.add_filter(r"(?m) +$", "");
    settings
}

/// Everything stored of the vendor's records, table by table, without the time it was last seen.
fn stored(bench: &Bench) -> BTreeMap<&'static str, Vec<String>> {
    let db = bench.db();
    let mut tables = BTreeMap::new();
    for stream in CATALOGUE {
        for table in stream.tables() {
            let children = table.children.iter().map(|children| children.table);
            for table in children.chain([*table]) {
                let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
                let sql = format!(
                    "select account, {}, extra, version, gone_since from {} order by 1, 2, 3",
                    columns.join(", "),
                    table.name
                );
                tables.insert(table.name, rows(&db, &sql));
            }
        }
    }
    tables
}

/// What the program said besides the table of jobs: the paragraph under it, or standard error.
fn paragraph(ran: &Ran) -> String {
    let under_table = ran.stdout.split_once("\n\n").map(|(_, paragraph)| paragraph.to_owned());
    under_table.unwrap_or_else(|| ran.stderr.clone())
}

/// A finished first load; the rest of the test must not lose any of it.
fn loaded() -> (Bench, BTreeMap<&'static str, Vec<String>>) {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let before = stored(&bench);
    (bench, before)
}

/// After the fault is repaired: the file is sound, holds what it held, and the next run finishes.
#[track_caller]
fn assert_recovers(bench: &Bench, before: &BTreeMap<&'static str, Vec<String>>) {
    assert_eq!(rows(&bench.db(), "pragma integrity_check"), ["'ok'"]);
    assert_eq!(&stored(bench), before, "nothing stored was touched");
    bench.run(&["--full"]).expect_code(0);
    assert_eq!(&stored(bench), before, "the vendor still shows the same");
}

/// Runs jobs as cron would; whatever goes wrong, no secret is told.
fn call(bench: &Bench, jobs: &[&str]) -> Ran {
    let ran = bench.call(&[&["run", "-q"], jobs].concat());
    for secret in [sim::CUSTOMER_KEY.secret, sim::POWERLESS_KEY.secret, sim::CUSTOMER_USER.password] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
    ran
}

pub fn with_port_closed(bench: &Bench) {
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    // Port 1 is reserved, and nothing listens there.
    bench.write_config(&config.replace(&bench.sim.url(), "http://127.0.0.1:1"));
}
