//! Workers that are asked to stop at random moments.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{LONGEST, end_of, signal};
use sim::dice::Dice;
use sim::{QuotaPlan, Script};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench, Login};

const SIGTERM: i32 = 15;

/// How often it is seen that a worker ended while its answers are waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Stops of one account.
const STOPS: u64 = 10;

/// Waits until the vendor gave that many more answers, or the worker ended.
fn after_answers(bench: &Bench, worker: &mut Child, count: usize) {
    let (begun, count) = (Instant::now(), bench.sim.requests().len() + count);
    while !bench.sim.wait_for_requests(count, LOOK) && worker.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LONGEST, "{count} answers never came");
    }
}

/// A worker that keeps to a few calls a second, so that stops meet it in the middle of its work.
fn slow_bench(seed: u64, who: As) -> Bench {
    let script =
        Script::seeded(seed).orders(60).customers(4).quotas(QuotaPlan::Fixed { calls: 5, seconds: 1 });
    let bench = Bench::with(script, who, Login::Keys);
    let path = bench.path("bss-sync.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("quotas = \"none\"\n", "quotas = \"5/1s\"\n")).unwrap();
    bench
}

fn stop_again_and_again(seed: u64) {
    let who = if seed.is_multiple_of(2) { As::Customer } else { As::Partner };
    let (bench, mut dice) = (slow_bench(1_200 + seed, who), Dice::new(seed));
    let mut longest = Duration::ZERO;
    for stop in 0..STOPS {
        let kind = if stop % 2 == 0 { "serve" } else { "run" };
        let mut worker = bench.spawn(&[kind, "-q"]);
        let answers = usize::try_from(dice.below(8)).unwrap();
        after_answers(&bench, &mut worker, answers);
        // Somewhere between two answers, in a commit or in none.
        for _ in 0..dice.below(4_000) {
            std::hint::black_box(bench.sim.url());
        }
        signal(&worker, "TERM");
        let asked = Instant::now();
        let ended = end_of(worker);
        longest = longest.max(asked.elapsed());
        // Before it listens to signals it has done nothing.
        let was_early = answers == 0 && ended.status.signal() == Some(SIGTERM);
        let expected = if kind == "serve" { [0, 0] } else { [0, 4] };
        let is_as_told = ended.status.code().is_some_and(|code| expected.contains(&code));
        assert!(is_as_told || was_early, "{kind}: {ended:?}");
        if bench.warehouse().exists() && answers > 0 {
            assert_sound(&bench);
            let unended = "select count(*) from runs
                           where outcome in ('running', 'crashed') or finished_at is null
                               or outcome <> 'done' and reason is null";
            assert_eq!(bench.count(unended), 0, "{kind}, stop {stop} of {seed}");
        }
    }
    let cut = bench.count("select count(*) from runs where outcome = 'partial'");
    assert!(cut > 0, "stops met nothing to do");
    eprintln!("{seed}: the longest stop took {longest:?}");
    println!("{seed}: {cut} of {} runs were cut", bench.count("select count(*) from runs"));
    bench.sim.set_quotas(QuotaPlan::None);
    bench.run(&["--set", "accounts.acme.quotas=none"]).expect_code(0);
    assert_equals_truth(&bench, who);
    assert_sound(&bench);
}

#[test]
fn stopped_at_50_random_moments_serve_and_run_leave_all_in_order() {
    let seed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| stop_again_and_again(seed.fetch_add(1, Ordering::Relaxed)));
        }
    });
}
