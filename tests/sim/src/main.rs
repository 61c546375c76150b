//! The simulator as a program of its own: prints where it listens and serves until it is killed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use sim::{QuotaPlan, Scope, Script, Sim, Truth, auth, clock, json};

const USAGE: &str = "usage: vendor-sim [--seed N] [--orders N] [--customers N] [--burst N]
  [--until 2026-10-31T16:00:00Z] [--quota-factor N|none] [--latency-ms N] [--port N] [--truth FILE]
  [--inconsistent]";

/// What was asked for on the command line.
struct Options {
    script: Script,
    truth: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let (mut seed, mut orders, mut customers, mut burst) = (7_u64, 300_usize, 1_usize, 0_usize);
    let (mut until, mut plan, mut latency, mut port) = (sim::ANCHOR, QuotaPlan::None, 0_u64, 0_u16);
    let (mut truth, mut is_inconsistent) = (None, false);
    while let Some(flag) = arguments.next() {
        if flag == "--help" {
            return Err(USAGE.into());
        }
        if flag == "--inconsistent" {
            is_inconsistent = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let bad = || format!("{flag}: {value} is no valid value\n{USAGE}");
        match flag.as_str() {
            "--seed" => seed = value.parse().map_err(|_| bad())?,
            "--orders" => orders = value.parse().map_err(|_| bad())?,
            "--customers" => customers = value.parse().map_err(|_| bad())?,
            "--burst" => burst = value.parse().map_err(|_| bad())?,
            "--until" => until = clock::parse(&value).ok_or_else(bad)?,
            "--quota-factor" if value == "none" => plan = QuotaPlan::None,
            "--quota-factor" => {
                plan = QuotaPlan::Published { factor: value.parse().map_err(|_| bad())? };
            }
            "--latency-ms" => latency = value.parse().map_err(|_| bad())?,
            "--port" => port = value.parse().map_err(|_| bad())?,
            "--truth" => truth = Some(value),
            _ => return Err(format!("unknown flag {flag}\n{USAGE}")),
        }
    }
    let script = Script::seeded(seed)
        .orders(orders)
        .customers(customers)
        .burst(burst)
        .until(until)
        .quotas(plan)
        .latency(Duration::from_millis(latency))
        .port(port);
    let script = if is_inconsistent { script.inconsistent() } else { script };
    Ok(Options { script, truth })
}

/// Everything that is served, as one JSON document.
fn document(truth: &Truth) -> String {
    let texts = |rows: &[String]| json::array(rows.iter().map(String::as_str));
    let quoted = |rows: Vec<String>| {
        let rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let mut out = String::new();
                json::push_str(&mut out, row);
                out
            })
            .collect();
        json::array(rows.iter().map(String::as_str))
    };
    let mut out = String::from("{");
    let _ = write!(out, "\"owner\":\"{}\"", truth.owner());
    let customers = truth.customer_ids().into_iter().map(str::to_owned).collect();
    let _ = write!(out, ",\"customers\":{}", quoted(customers));
    let _ = write!(out, ",\"orders_own\":{}", texts(&truth.orders(&Scope::Own)));
    let _ = write!(out, ",\"orders_partner\":{}", texts(&truth.orders(&Scope::Partner)));
    let ids = truth.order_ids(&Scope::Partner);
    for (name, value) in [
        ("details", &details as &dyn Fn(&Truth, &str) -> String),
        ("refunds", &|truth, id| {
            truth.refunds(id).map_or("null".into(), |rows| json::array(rows.iter().map(String::as_str)))
        }),
        ("links", &|truth, id| {
            let links = truth.links(id);
            format!("[{}]", links.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(","))
        }),
    ] {
        let _ = write!(out, ",\"{name}\":{{");
        for (position, id) in ids.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            let _ = write!(out, "{comma}\"{id}\":{}", value(truth, id));
        }
        out.push('}');
    }
    let _ = write!(out, ",\"resources_by_customer\":{{");
    for (position, id) in truth.customer_ids().into_iter().enumerate() {
        let comma = if position > 0 { "," } else { "" };
        let rows = truth.resources(&Scope::Customer(id.to_owned()));
        let _ = write!(out, "{comma}\"{id}\":{}", texts(&rows));
    }
    let _ = write!(out, "}},\"service_types\":{}", json::array(truth.service_types()));
    let _ = write!(out, ",\"resource_types\":{}", json::array(truth.resource_types()));
    let _ = write!(out, ",\"sub_customers\":{}}}", json::array(truth.sub_customers()));
    out
}

fn details(truth: &Truth, id: &str) -> String {
    truth.details(id).map_or_else(
        || "null".into(),
        |(info, lines)| {
            let lines = json::array(lines.iter().map(String::as_str));
            format!("{{\"order_info\":{info},\"order_line_items\":{lines}}}")
        },
    )
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let sim = Sim::start(options.script);
    if let Some(path) = options.truth {
        let text = document(&sim.truth());
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("cannot write {path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let mut out = std::io::stdout().lock();
    // A closed pipe is no reason to stop serving.
    let _ = writeln!(out, "listening on {}", sim.url());
    for key in auth::KEYS {
        let token = key.token.unwrap_or("-");
        let _ = writeln!(
            out,
            "key {} {} domain {} security-token {token} ({:?})",
            key.access, key.secret, key.domain_id, key.grant
        );
    }
    for user in auth::USERS {
        let _ =
            writeln!(out, "user {} {} domain {} ({:?})", user.name, user.password, user.domain, user.role);
    }
    for seeded in sim.truth().seeded() {
        let _ = writeln!(out, "break {} {}", seeded.check, seeded.key);
    }
    let _ = out.flush();
    drop(out);
    loop {
        std::thread::park();
    }
}
