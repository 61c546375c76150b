//! The README's main command: a simulated vendor, the real main job against it twice, and what finance would see.
//!
//! `cargo run --example demo [FOLDER]`; a warehouse of an earlier demo in the folder (default `target/demo`) is
//! replaced.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bss_sync::config::Environment;
use bss_sync::money::Amount;
use rusqlite::{Connection, OpenFlags};
use sim::{QuotaPlan, Scope, Script, Sim};

/// Orders of the simulated account.
const ORDERS: usize = 3000;

/// The simulator's quotas are the published ones (20 and 10 calls a second) times this, so that the streams
/// with one request per order end in time for somebody who waits.
const QUOTA_FACTOR: u32 = 20;

/// How old a change must be before a run counts it as settled; in production a minute.
const SETTLE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/demo"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let config = folder.join("bss-sync.toml");
    let warehouse = folder.join("billing.sqlite");
    for old in ["billing.sqlite", "billing.sqlite-wal", "billing.sqlite-shm", "billing.sqlite.lock"] {
        match std::fs::remove_file(folder.join(old)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }

    title("1. A simulated vendor");
    let quotas = QuotaPlan::Published { factor: QUOTA_FACTOR };
    let sim = Sim::start(Script::seeded(2026).orders(ORDERS).until(now() - 3600).quotas(quotas));
    println!(
        "It serves {ORDERS} orders of three years at {}, checks signatures and parameters, and refuses whoever is\n\
         faster than the published quotas × {QUOTA_FACTOR} ({} order lists, {} other calls a second).",
        sim.url(),
        20 * QUOTA_FACTOR,
        10 * QUOTA_FACTOR
    );

    title("2. The configuration");
    let text = configuration(&sim.url());
    std::fs::write(&config, &text)?;
    println!("{}:\n\n{}", config.display(), indent(&text));
    let environment = Environment::of([
        ("HUAWEICLOUD_SDK_AK", sim::CUSTOMER_KEY.access),
        ("HUAWEICLOUD_SDK_SK", sim::CUSTOMER_KEY.secret),
    ]);

    title("3. The first load: bss-sync run");
    bss_sync(&config, &environment, &["run"])?;
    compare(&sim, &warehouse)?;

    title("4. The account goes on, and the next run reads only what changed: bss-sync run");
    let changes = sim.evolve(now());
    println!(
        "New orders: {} ({} of them refunds, {} renewals); paid: {}; completed: {}; cancelled: {}.\n",
        changes.new.len(),
        changes.refunds.len(),
        changes.renewals.len(),
        changes.paid.len(),
        changes.completed.len(),
        changes.cancelled.len()
    );
    std::thread::sleep(SETTLE * 2);
    bss_sync(&config, &environment, &["run"])?;
    compare(&sim, &warehouse)?;

    title("5. Is the data trustworthy? bss-sync reconcile");
    bss_sync(&config, &environment, &["reconcile"])?;
    title("6. What finance sees");
    show_figures(&warehouse)?;
    title("7. Go on from here");
    println!(
        "The warehouse is a SQLite file: {file}\n\n\
         sqlite3 -header -column {file} \"select month, service_name, purchases, refunds, net\n    \
         from f01_net_spend_by_service order by month desc, net_e8 desc limit 20\"\n\
         sqlite3 {file} \"select name from sqlite_schema where type = 'view'\"",
        file = warehouse.display()
    );
    Ok(())
}

fn configuration(url: &str) -> String {
    format!(
        "[warehouse]\n\
         path = \"billing.sqlite\"\n\
         \n\
         [accounts.acme]\n\
         endpoint = \"{url}\"     # a real account has: site = \"china\"\n\
         # keys: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment\n\
         # the simulator's quotas, {QUOTA_FACTOR} times the published ones; leave this out for a real account\n\
         quotas = {{ default = \"{}/1s\", orders = \"{}/1s\" }}\n\
         \n\
         [jobs.orders]\n\
         history_start = \"2023-01-01\"\n\
         settle = \"{}s\"              # a minute in production\n",
        10 * QUOTA_FACTOR,
        20 * QUOTA_FACTOR,
        SETTLE.as_secs()
    )
}

/// Runs the program as a user would: the same command line, the same code.
fn bss_sync(config: &Path, environment: &Environment, words: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut arguments = vec![OsString::from("bss-sync"), OsString::from("--config"), config.into()];
    arguments.extend(words.iter().map(OsString::from));
    match bss_sync::cli::main(arguments, environment) {
        0 => Ok(()),
        code => Err(format!("bss-sync ended with exit code {code}").into()),
    }
}

/// The warehouse must hold what the simulator served: every order, line, attribution and resource.
fn compare(sim: &Sim, warehouse: &Path) -> Result<(), Box<dyn Error>> {
    let db = open(warehouse)?;
    let truth = sim.truth();
    let own = Scope::Own;
    let ids = truth.order_ids(&own);
    let lines: usize = ids.iter().filter_map(|id| truth.details(id)).map(|(_, lines)| lines.len()).sum();
    let leaf_refunds: usize =
        truth.order_ids(&own).iter().filter_map(|id| truth.refunds(id)).map(|rows| rows.len()).sum();
    for (what, served, sql) in [
        ("orders", ids.len(), "select count(*) from orders where parent_order_id is null"),
        ("order lines", lines, "select count(*) from order_lines"),
        ("refund attributions", leaf_refunds, "select count(*) from refund_attributions"),
        ("resources", truth.resources(&own).len(), "select count(*) from resources"),
        ("service types", truth.service_types().len(), "select count(*) from service_types"),
        ("resource types", truth.resource_types().len(), "select count(*) from resource_types"),
    ] {
        let stored: i64 = db.query_row(sql, [], |row| row.get(0))?;
        if usize::try_from(stored) != Ok(served) {
            return Err(format!("{what}: the simulator served {served}, the warehouse has {stored}").into());
        }
        print!("{what}: {stored}   ");
    }
    println!("\nas many as the simulator has.");
    Ok(())
}

/// Six questions, their SQL and their answers.
fn show_figures(warehouse: &Path) -> Result<(), Box<dyn Error>> {
    let db = open(warehouse)?;
    let last = "strftime('%Y-%m', 'now', '+8 hours', 'start of month', '-1 month')";
    for (question, sql) in [
        (
            "Net spend last month",
            format!("select coalesce(sum(net_e8), 0) from f01_net_spend_by_service where month = {last} and currency = 'CNY'"),
        ),
        (
            "Refunds of the last 12 months that belong to earlier months",
            "select coalesce(sum(refunded_e8), 0) from f05_refunds_by_original_month where is_earlier_period = 1 and currency = 'CNY'\n    \
             and refund_month > strftime('%Y-%m', 'now', '+8 hours', '-1 year')"
                .to_owned(),
        ),
        (
            "Renewals next month, automatic ones (estimate)",
            "select coalesce(sum(estimate_e8), 0) from f08_renewals_next_month where is_auto_renewed = 1 and currency = 'CNY'".to_owned(),
        ),
        (
            "Renewals next month, to be decided (estimate)",
            "select coalesce(sum(estimate_e8), 0) from f08_renewals_next_month where is_auto_renewed = 0 and currency = 'CNY'".to_owned(),
        ),
        (
            "Orders waiting for payment",
            "select coalesce(sum(amount_e8), 0) from f09_orders_waiting_for_payment where currency = 'CNY'".to_owned(),
        ),
        (
            "Fees and consumption kept back from refunds, last 12 months",
            "select coalesce(sum(commission_e8 + consumed_e8), 0) from f11_fees_and_consumption_kept_back\n    \
             where currency = 'CNY' and month > strftime('%Y-%m', 'now', '+8 hours', '-1 year')"
                .to_owned(),
        ),
    ] {
        let e8: i64 = db.query_row(&sql, [], |row| row.get(0))?;
        println!("{question}: CNY {}\n    {sql}\n", Amount::from_e8(e8));
    }
    Ok(())
}

fn open(warehouse: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(warehouse, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}

fn title(text: &str) {
    println!("\n== {text}\n");
}

fn indent(text: &str) -> String {
    text.lines().map(|line| ["    ", line, "\n"].concat()).collect()
}
