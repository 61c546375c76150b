//! How much of the quotas a run uses against the simulated vendor over real HTTP, and how often it is refused.
//!
//! `cargo bench --bench quota [SECONDS] [PART…]`: for answers that take 50, 150 and 400 ms a backfill of all streams that is cut
//! after so many seconds (60), and the run after it; the same at buckets of one call; 90 seconds of nothing but refusals;
//! then a whole backfill of orders against the time that its requests need at the quota.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bss_sync::config::Environment;
use sim::{Endpoint, QuotaPlan, Script, Sim};

/// The published quotas (vendor-contract.md §5), calls a second.
const QUOTAS: [(Endpoint, &str, u64); 4] = [
    (Endpoint::Orders, "orders", 20),
    (Endpoint::Details, "order_details", 10),
    (Endpoint::Refunds, "refund_orders", 10),
    (Endpoint::Resources, "resources", 10),
];

/// What is measured, in this order; all of it when none is named.
const PARTS: [&str; 4] = ["latencies", "buckets", "outage", "whole"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.iter().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(60);
    let is_named = |part: &&str| arguments.iter().any(|argument| argument == part);
    let named: Vec<&str> = PARTS.into_iter().filter(is_named).collect();
    // More pages than the quota allows in that time.
    let orders = usize::try_from(seconds * 20 * 100 * 5 / 4)?;
    let folder = Path::new("target/bench-quota");
    for part in if named.is_empty() { PARTS.to_vec() } else { named } {
        match part {
            "latencies" => latencies(folder, orders, seconds)?,
            "buckets" => buckets(folder, orders, seconds)?,
            "outage" => outage(folder, orders)?,
            _ => whole(folder, orders)?,
        }
    }
    Ok(())
}

fn latencies(folder: &Path, orders: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    for latency in [50, 150, 400] {
        let sim = start(orders, Duration::from_millis(latency), QuotaPlan::Published { factor: 1 });
        let config = fresh(folder, &sim)?;
        cut(&sim, &config, seconds, &format!("answers after {latency} ms"));
        cut(&sim, &config, seconds, &format!("the next run, answers after {latency} ms"));
    }
    Ok(())
}

fn buckets(folder: &Path, orders: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    let sim = start(3 * orders, Duration::from_millis(150), QuotaPlan::Bucket { calls: 10, seconds: 1 });
    let config = fresh(folder, &sim)?;
    // Where the margin settles takes some minutes to find.
    cut(&sim, &config, 5 * seconds, "buckets of one call at 10/s, answers after 150 ms");
    cut(&sim, &config, 5 * seconds, "buckets of one call at 10/s, the next run");
    Ok(())
}

/// All streams until the deadline: what was used of each quota.
fn cut(sim: &Sim, config: &Path, seconds: u64, what: &str) {
    sim.reset_stats();
    let deadline = format!("{seconds}s");
    let started = Instant::now();
    let code = run(config, &["run", "-q", "--deadline", &deadline]);
    let elapsed = started.elapsed();
    println!("\n{what}, cut after {:.1} s (exit {code})", elapsed.as_secs_f64());
    println!(
        "{:<14} {:>8} {:>8} {:>9} {:>8} {:>9}",
        "endpoint", "calls", "refused", "% refused", "calls/s", "% used"
    );
    let (mut calls, mut refused) = (0, 0);
    for (endpoint, name, quota) in QUOTAS {
        let quota = if what.starts_with("buckets") { 10 } else { quota };
        let count = sim.count(endpoint);
        let accepted = count.calls - count.refused;
        let rate = ratio(accepted, 1) / elapsed.as_secs_f64();
        println!(
            "{name:<14} {:>8} {:>8} {:>9.2} {rate:>8.2} {:>9.1}",
            count.calls,
            count.refused,
            100.0 * ratio(count.refused, count.calls.max(1)),
            100.0 * rate / ratio(quota, 1)
        );
        calls += count.calls;
        refused += count.refused;
    }
    println!("refused in all: {:.2} %", 100.0 * ratio(refused, calls.max(1)));
}

/// Orders and what belongs to them; the vendor refuses everything for 90 seconds, and nothing any more behind that.
fn outage(folder: &Path, orders: usize) -> Result<(), Box<dyn Error>> {
    let published = QuotaPlan::Published { factor: 1 };
    let sim = start(orders * 3, Duration::from_millis(150), published);
    let config = fresh(folder, &sim)?;
    let counts = || QUOTAS.map(|(endpoint, ..)| sim.count(endpoint));
    let (before, during, code) = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&config, &["run", "-q", "--deadline", "150s"]));
        std::thread::sleep(Duration::from_secs(20));
        let before = counts();
        sim.set_quotas(QuotaPlan::Fixed { calls: 0, seconds: 1 });
        std::thread::sleep(Duration::from_secs(90));
        sim.set_quotas(published);
        let during = counts();
        (before, during, running.join())
    });
    let code = code.map_err(|_| "the run panicked")?;
    println!("\n90 s of nothing but refusals, from second 20 to 110 of 150 (exit {code})");
    println!("{:<14} {:>17} {:>20}", "endpoint", "refused meanwhile", "accepted afterwards");
    for (at, ((_, name, _), end)) in QUOTAS.into_iter().zip(counts()).enumerate() {
        let refused = during[at].refused - before[at].refused;
        let accepted = (end.calls - end.refused) - (during[at].calls - during[at].refused);
        println!("{name:<14} {refused:>17} {accepted:>20}");
    }
    Ok(())
}

/// Orders alone, to the end: time of the run through the time of its requests at the quota.
fn whole(folder: &Path, orders: usize) -> Result<(), Box<dyn Error>> {
    let sim = start(orders, Duration::from_millis(150), QuotaPlan::Published { factor: 1 });
    let config = fresh(folder, &sim)?;
    let started = Instant::now();
    let code = run(&config, &["run", "-q", "orders"]);
    let elapsed = started.elapsed().as_secs_f64();
    let count = sim.count(Endpoint::Orders);
    let pages = u64::try_from(orders.div_ceil(100))?;
    println!(
        "\na whole backfill of {orders} orders (exit {code}): {} calls ({pages} pages), {} refused, {elapsed:.1} s; \
         time / (calls / quota) = {:.3}, time / (pages / quota) = {:.3}",
        count.calls,
        count.refused,
        elapsed * 20.0 / ratio(count.calls - count.refused, 1),
        elapsed * 20.0 / ratio(pages, 1)
    );
    Ok(())
}

fn start(orders: usize, latency: Duration, quotas: QuotaPlan) -> Sim {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let until = i64::try_from(now).unwrap_or(i64::MAX) - 3600;
    Sim::start(Script::seeded(2026).orders(orders).until(until).quotas(quotas).latency(latency))
}

/// A configuration and no warehouse.
fn fresh(folder: &Path, sim: &Sim) -> Result<PathBuf, Box<dyn Error>> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let config = folder.join("bss-sync.toml");
    let text = format!(
        "[warehouse]\npath = \"billing.sqlite\"\n[accounts.acme]\nendpoint = \"{}\"\n\
         [jobs.orders]\nhistory_start = \"2023-01-01\"\n",
        sim.url()
    );
    std::fs::write(&config, text)?;
    Ok(config)
}

fn run(config: &Path, words: &[&str]) -> u8 {
    let environment = Environment::of([
        ("HUAWEICLOUD_SDK_AK", sim::CUSTOMER_KEY.access),
        ("HUAWEICLOUD_SDK_SK", sim::CUSTOMER_KEY.secret),
    ]);
    let mut arguments = vec![OsString::from("bss-sync"), OsString::from("--config"), config.into()];
    arguments.extend(words.iter().map(OsString::from));
    bss_sync::cli::main(arguments, &environment)
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
