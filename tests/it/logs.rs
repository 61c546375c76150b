//! Log lines: which run they are of, in text and JSON, and as the journal wants them.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::fixtures::bench;
use sim::Endpoint;

#[test]
fn each_line_of_a_run_tells_which_run_it_is_of() {
    let bench = bench();
    let ran = bench.call(&["-v", "--set", "log.format=json", "run"]).expect_code(0);
    let lines: Vec<Value> =
        ran.stderr.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let answers: Vec<&Value> = lines.iter().filter(|line| line["fields"]["message"] == "answer").collect();
    assert!(answers.len() > 10, "{}", ran.stderr);
    for line in &answers {
        let span = &line["span"];
        let run: i64 = span["run.id"].as_str().and_then(|id| id.parse().ok()).expect("a run");
        let job = span["job.name"].as_str().expect("a job");
        assert_eq!(span["account.name"], "acme");
        assert_eq!(
            bench.count(&format!("select count(*) from runs where run_id = {run} and job = '{job}'")),
            1,
            "{line}"
        );
    }
    for message in ["begins", "ended"] {
        let told = lines.iter().filter(|line| line["fields"]["message"] == message).count();
        assert_eq!(i64::try_from(told).expect("few"), bench.count("select count(*) from runs"), "{message}");
    }
}

#[test]
fn text_has_the_same_fields_and_no_colours_in_a_pipe() {
    let bench = bench();
    let ran = bench.call(&["-v", "run", "orders"]).expect_code(0);
    let of_run = "run{account.name=\"acme\" job.name=\"orders\" run.id=1}: answer";
    assert!(ran.stderr.contains(of_run), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn the_journal_gets_priorities_instead_of_times() {
    let mut bench = bench();
    let log = File::create(bench.path("journal")).expect("a file");
    let about = log.metadata().expect("a file");
    bench.set_env("JOURNAL_STREAM", &format!("{}:{}", about.dev(), about.ino()));
    bench.append_config("[metrics]\ntextfile = \"missing/bss_sync.prom\"\n");
    let status = bench.command(&["-v", "run", "orders"]).stderr(log).status().expect("the program starts");
    assert_eq!(status.code(), Some(0));
    let lines = fs::read_to_string(bench.path("journal")).expect("a log");
    assert!(lines.lines().any(|line| line.starts_with("<7>DEBUG run{")), "{lines}");
    assert!(lines.lines().any(|line| line.starts_with("<3>ERROR the metrics were not written")), "{lines}");
    assert!(lines.lines().all(|line| line.starts_with('<')), "{lines}");

    // What failed is found by its priority; the report has it as well.
    bench.sim.set_denied(&[Endpoint::Refunds]);
    let log = File::options().append(true).open(bench.path("journal")).expect("a file");
    let status = bench.command(&["run"]).stderr(log).status().expect("the program starts");
    assert_eq!(status.code(), Some(5));
    bench.sim.set_denied(&[]);
    let lines = fs::read_to_string(bench.path("journal")).expect("a log");
    let failed =
        |line: &str| line.starts_with("<3>ERROR the job failed") && line.contains("refund_attributions");
    assert!(lines.lines().any(failed), "{lines}");
    let log = File::options().append(true).open(bench.path("journal")).expect("a file");
    let status = bench.command(&["run", "no-such-job"]).stderr(log).status().expect("the program starts");
    assert_eq!(status.code(), Some(2));
    let lines = fs::read_to_string(bench.path("journal")).expect("a log");
    assert!(lines.lines().any(|line| line.starts_with("<3>bss-sync: ")), "{lines}");
    assert!(lines.lines().all(|line| line.starts_with('<')), "{lines}");

    // The same variable, and another place: whoever reads that wants times.
    let ran = bench.call(&["-v", "run", "orders"]).expect_code(0);
    assert!(ran.stderr.lines().all(|line| !line.starts_with('<')), "{}", ran.stderr);
}
