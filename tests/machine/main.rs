//! A state machine of simulator and worker: random sequences of changes, faults, kills and runs. After each run the ledger
//! is held against what the vendor had, and at the end, after quiet runs, the warehouse against the truth: it is equal,
//! or the run says what is not proven and exits 3. Never a false "complete".
//!
//! `BSS_MACHINE_CASES` says how many cases (300 when missing; `.ci/run` plays 2 000), `BSS_MACHINE_FROM` where their seeds begin,
//! `BSS_MACHINE_SEED` runs the case of one seed and tells what happens in it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail at once")]

mod judge;
mod plan;
mod tally;
mod worker;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use plan::Plan;
use tally::Tally;
use worker::{Played, Worker};

/// Threads, each with a simulator of its own: twice the cores of a small machine, because half of them wait for answers.
const WORKERS: u64 = 4;

/// Cases when nobody says how many.
const CASES: u64 = 300;

/// Cases of a full run, in which everything interesting must have happened.
const FULL: u64 = 10_000;

/// Differences shown of a failing case.
const SHOWN: usize = 20;

/// Times a failing case is played again: what answers meet depends on when threads are woken.
const REPEATS: u32 = 3;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: write a number")))
}

#[test]
fn no_sequence_of_faults_and_kills_makes_a_run_call_complete_what_is_not() {
    if let Some(seed) = setting("BSS_MACHINE_SEED") {
        let plan = Plan::of(seed);
        println!("{plan}");
        let played = Worker::new().play(&plan);
        println!("{}", played.log.join("\n"));
        assert!(played.wrong.is_empty(), "seed {seed}: {:#?}", played.wrong);
        return;
    }
    let cases = setting("BSS_MACHINE_CASES").unwrap_or(CASES);
    let from = setting("BSS_MACHINE_FROM").unwrap_or(0);
    let (next, failed) = (AtomicU64::new(from), AtomicBool::new(false));
    let total = Mutex::new(Tally::default());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut worker = Worker::new();
                let mut tally = Tally::default();
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + cases {
                        break;
                    }
                    let played = worker.play(&Plan::of(seed));
                    if !played.wrong.is_empty() && !failed.swap(true, Ordering::Relaxed) {
                        *failure.lock().unwrap() = Some(explain(&mut worker, seed, played));
                    } else {
                        tally.add(&played.tally);
                    }
                }
                total.lock().unwrap().add(&tally);
            });
        }
    });
    let total = total.into_inner().unwrap();
    println!("{total}");
    if let Some(text) = failure.into_inner().unwrap() {
        panic!("{text}");
    }
    if cases >= FULL {
        total.assert_interesting();
    }
}

/// What there is to say about a failing case: also a shorter one, when leaving steps out still fails.
fn explain(worker: &mut Worker, seed: u64, mut played: Played) -> String {
    let mut plan = Plan::of(seed);
    let mut fails =
        |plan: &Plan| (0..REPEATS).map(|_| worker.play(plan)).find(|played| !played.wrong.is_empty());
    let again = fails(&plan).is_some();
    let mut step = 0;
    while again && step < plan.steps.len() {
        let mut shorter = plan.clone();
        shorter.steps.remove(step);
        match fails(&shorter) {
            Some(failed) => (plan, played) = (shorter, failed),
            None => step += 1,
        }
    }
    let shown = played.wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
    let repeats =
        if again { "it fails again" } else { "it did not fail again: it depends on the order of answers" };
    format!(
        "seed {seed} ({repeats}), {} difference(s), the first:\n  {shown}\n\n{plan}\n\n{}\n\n\
         BSS_MACHINE_SEED={seed} cargo test --test machine -- --nocapture",
        played.wrong.len(),
        played.log.join("\n"),
    )
}
