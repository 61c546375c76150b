//! What a monitor is told: the file after a run, the answers over HTTP, and that documents, alerts and dashboard speak of
//! metrics that exist.

mod over_http;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::fixtures::bench;
use support::{Bench, now};

/// Writes the textfile at the end of each run.
const TEXTFILE: &str = "[metrics]\ntextfile = \"bss_sync.prom\"\n";

fn watched() -> Bench {
    let bench = bench();
    bench.append_config(TEXTFILE);
    bench
}

fn left(bench: &Bench) -> String {
    fs::read_to_string(bench.path("bss_sync.prom")).expect("a file of metrics")
}

/// The value of a sample, named as in the text.
#[track_caller]
fn value(text: &str, sample: &str) -> i64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {sample}:\n{text}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a whole number")
}

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}

/// Every name of a metric in a text.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = text.split(|character| !is_of_name(character));
    words.filter(|word| word.starts_with("bss_sync_")).map(str::to_owned).collect()
}

/// The documented metrics: type and labels of each.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let document = repository("docs/operate/metrics.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `bss_sync_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [name, kind, labels, ..] = cells[..] else { panic!("{row}") };
        let labels = labels.split(", ").filter(|label| *label != "–").map(str::to_owned).collect();
        (format!("bss_sync_{}", name.trim_end_matches('`')), (kind.to_owned(), labels))
    })
    .collect()
}

#[test]
fn a_run_leaves_its_figures_for_the_collector() {
    let bench = watched();
    let before = now();
    bench.run(&[]).expect_code(0);
    let text = left(&bench);
    let of_orders = "{account=\"acme\",job=\"orders\"}";
    let done_at = value(&text, &format!("bss_sync_last_success_timestamp_seconds{of_orders}"));
    assert!((before..=now()).contains(&done_at), "{done_at}");
    assert_eq!(
        value(&text, "bss_sync_last_run_outcome{account=\"acme\",job=\"orders\",outcome=\"done\"}"),
        1
    );
    assert_eq!(
        value(&text, "bss_sync_last_run_outcome{account=\"acme\",job=\"orders\",outcome=\"refused\"}"),
        0
    );
    assert_eq!(value(&text, "bss_sync_runs_total{account=\"acme\",job=\"orders\",outcome=\"done\"}"), 1);
    for (metric, column) in [
        ("requests", "requests"),
        ("rows_received", "rows_received"),
        ("rows_new", "rows_inserted"),
        ("rows_changed", "rows_changed"),
    ] {
        let stored = bench.count(&format!("select sum({column}) from runs where job = 'orders'"));
        assert_eq!(value(&text, &format!("bss_sync_{metric}_total{of_orders}")), stored, "{metric}");
    }
    let watermark =
        "bss_sync_watermark_timestamp_seconds{account=\"acme\",stream=\"orders\",lane=\"created\"}";
    assert!(before - value(&text, watermark) < 7200, "{text}");
    assert!(value(&text, "bss_sync_months{account=\"acme\",stream=\"orders\",state=\"complete\"}") > 0);
    assert_eq!(value(&text, "bss_sync_disputed{account=\"acme\",stream=\"orders\"}"), 0);
    let schema = bench.count("pragma user_version");
    assert_eq!(value(&text, "bss_sync_schema_version"), schema);
    assert_eq!(value(&text, "bss_sync_schema_version_known"), schema);
    assert!(value(&text, "bss_sync_warehouse_bytes") > 4096);

    bench.run(&["orders"]).expect_code(0);
    assert_eq!(
        value(&left(&bench), "bss_sync_runs_total{account=\"acme\",job=\"orders\",outcome=\"done\"}"),
        2
    );
    assert!(!bench.path("billing.sqlite-wal").exists(), "nobody had to open the warehouse again");
    let mode = fs::metadata(bench.path("bss_sync.prom")).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
    let drafts: Vec<_> = fs::read_dir(bench.path(""))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| name.starts_with("bss_sync.prom."))
        .collect();
    assert!(drafts.is_empty(), "{drafts:?}");
}

#[test]
fn a_run_that_is_refused_tells_so_and_what_it_did_not_settle() {
    let bench = watched();
    bench.sim.set_denied(&[sim::Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    let text = left(&bench);
    let refunds = "account=\"acme\",job=\"refund_attributions\"";
    assert_eq!(value(&text, &format!("bss_sync_last_run_outcome{{{refunds},outcome=\"refused\"}}")), 1);
    assert!(!text.contains(&format!("bss_sync_last_success_timestamp_seconds{{{refunds}}}")), "{text}");
    let stream = "{account=\"acme\",stream=\"refund_attributions\"}";
    assert!(value(&text, &format!("bss_sync_queue_orders{stream}")) > 0);
    assert!(value(&text, &format!("bss_sync_queue_oldest_timestamp_seconds{stream}")) > 0);
}

#[test]
fn an_order_waits_from_when_it_could_be_read_and_not_for_left_customers() {
    let bench = watched();
    bench.sim.set_denied(&[sim::Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    let oldest = "bss_sync_queue_oldest_timestamp_seconds{account=\"acme\",stream=\"refund_attributions\"}";
    // It came in January, and was to be read once more a day later.
    let db = bench.writable_db();
    db.execute_batch(
        "update queue set enqueued_at = '2026-01-05T00:00:00Z', not_before = '2026-01-06T00:00:00Z',
             customer_id = 'C-LEFT'",
    )
    .expect("set");
    // This one touches no queue.
    bench.run(&["service_types"]).expect_code(0);
    assert_eq!(value(&left(&bench), oldest), 1_767_657_600);
    db.execute_batch(
        "insert into sub_customers (account, customer_id, role, first_seen_run, last_changed_run, last_seen_at, gone_since)
         values ('acme', 'C-LEFT', 'partner', 1, 1, '2026-01-06T00:00:00Z', '2026-01-07T00:00:00Z')",
    )
    .expect("added");
    bench.run(&["service_types"]).expect_code(0);
    let text = left(&bench);
    assert!(!text.contains(oldest), "{text}");
}

#[test]
fn metrics_that_cannot_be_written_change_nothing_of_the_run() {
    let bench = bench();
    bench.append_config("[metrics]\ntextfile = \"missing/bss_sync.prom\"\n");
    let ran = bench.run(&["orders"]).expect_code(0);
    assert!(ran.stderr.contains("the metrics were not written"), "{}", ran.stderr);
}

#[test]
fn who_is_no_longer_configured_is_no_longer_told_of() {
    let bench = watched();
    bench.run(&[]).expect_code(0);
    fs::create_dir(bench.path("jobs")).expect("a folder");
    fs::write(bench.path("jobs/lines.toml"), "stream = \"order_lines\"\n").expect("written");
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    let (accounts, _) = config.split_once("[jobs.").expect("settings of jobs");
    bench.write_config(&format!("jobs_dir = \"jobs\"\n{accounts}\n{TEXTFILE}"));
    bench.run(&[]).expect_code(0);
    let text = left(&bench);
    assert!(!text.contains("job=\"orders\""), "{text}");
    assert_eq!(value(&text, "bss_sync_runs_total{account=\"acme\",job=\"lines\",outcome=\"done\"}"), 1);
}

#[test]
fn each_metric_is_documented_with_its_type_and_labels() {
    let bench = watched();
    bench.sim.set_denied(&[sim::Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    let text = left(&bench);
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let told: BTreeMap<&str, &str> = kinds.collect();
    let documented = documented();
    let names: BTreeMap<&str, &str> =
        documented.iter().map(|(name, (kind, _))| (name.as_str(), kind.as_str())).collect();
    assert_eq!(told, names);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (sample, _) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
        let labels: Vec<&str> =
            labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        assert_eq!(labels, documented[name].1, "{line}");
    }
}

#[test]
fn alerts_and_dashboard_ask_for_documented_metrics_only() {
    let documented: BTreeSet<String> = documented().into_keys().collect();
    for file in
        ["deploy/prometheus/alerts.yml", "deploy/prometheus/alerts.test.yml", "deploy/grafana/bss-sync.json"]
    {
        let asked = names_in(&repository(file));
        assert!(!asked.is_empty(), "{file}");
        assert!(asked.is_subset(&documented), "{file}: {:?}", asked.difference(&documented));
    }
    let board: serde_json::Value =
        serde_json::from_str(&repository("deploy/grafana/bss-sync.json")).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let targets: Vec<_> =
        panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets")).collect();
    assert!(panels.len() > 10 && targets.iter().all(|target| target["expr"].is_string()));
}

#[test]
fn prometheus_own_tool_finds_nothing_wrong() {
    if Command::new("promtool").arg("--version").output().is_err() {
        println!("promtool is not installed here: not tried");
        return;
    }
    let bench = watched();
    bench.run(&[]).expect_code(0);
    let said = |command: &mut Command| {
        let output = command.output().expect("promtool");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let file = fs::File::open(bench.path("bss_sync.prom")).expect("a file");
    let (sound, text) = said(Command::new("promtool").args(["check", "metrics"]).stdin(file));
    assert!(sound && text.is_empty(), "{text}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let (sound, text) = said(Command::new("promtool").args(arguments).current_dir(&folder));
        assert!(sound, "{text}");
    }
}

#[test]
fn addresses_that_others_reach_and_files_nobody_reads_are_refused() {
    let bench = bench();
    bench.append_config("[metrics]\ntextfile = \"metrics.txt\"\nlisten = \"0.0.0.0:9744\"\n");
    let ran = bench.run(&[]).expect_code(2);
    assert!(ran.stderr.contains("ends in .prom"), "{}", ran.stderr);
    assert!(ran.stderr.contains("127.0.0.1:9744"), "{}", ran.stderr);
}
