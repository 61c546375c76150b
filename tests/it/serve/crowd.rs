//! Many workers on one warehouse.

use std::process::Child;
use std::time::{Duration, Instant};

use super::LONGEST;
use crate::fixtures::bench;
use sim::{Fault, Hold};

const WORKERS: usize = 20;

const ROUNDS: usize = 50;

/// The worker that is left when all others have ended, each with 75, and how long that took.
fn last_of(mut workers: Vec<Child>) -> (Child, Duration) {
    let begun = Instant::now();
    while workers.len() > 1 {
        assert!(begun.elapsed() < LONGEST, "{} workers are left", workers.len());
        workers.retain_mut(|worker| match worker.try_wait().unwrap() {
            Some(status) => {
                assert_eq!(status.code(), Some(75));
                false
            }
            None => true,
        });
        std::thread::yield_now();
    }
    (workers.pop().expect("one holds the warehouse"), begun.elapsed())
}

#[test]
fn of_twenty_workers_at_once_one_works_and_the_others_end_with_75() {
    let bench = bench();
    let hold = Hold::new();
    let shared = hold.clone();
    // Whoever works waits for its first answer.
    bench.sim.every_nth(None, 1, move || Fault::Hold(shared.clone()));
    let (mut worked, mut longest) = (Vec::new(), Duration::ZERO);
    for _ in 0..ROUNDS {
        let kinds = (0..WORKERS).map(|number| if number % 2 == 0 { "run" } else { "serve" });
        let mut workers: Vec<(&str, Child)> = kinds.map(|kind| (kind, bench.spawn(&[kind, "-q"]))).collect();
        let ids: Vec<(u32, &str)> = workers.iter().map(|(kind, worker)| (worker.id(), *kind)).collect();
        let (mut last, took) = last_of(workers.drain(..).map(|(_, worker)| worker).collect());
        longest = longest.max(took);
        worked.extend(ids.iter().find(|(id, _)| *id == last.id()).map(|(_, kind)| *kind));
        assert_eq!(last.try_wait().unwrap(), None, "it works");
        last.kill().unwrap();
        last.wait().unwrap();
    }
    eprintln!("the others ended within {longest:?}, in the longest of {ROUNDS} rounds");
    assert_eq!(worked.len(), ROUNDS);
    bench.sim.clear_faults();
    hold.release();
    bench.run(&[]).expect_code(0);
    assert_eq!(bench.count("select count(*) from runs where outcome = 'running'"), 0);
}
