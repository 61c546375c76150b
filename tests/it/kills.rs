//! The worker is killed at 200 random moments, with the quotas of the vendor on: the warehouse ends with what the vendor
//! served, and what a killed worker had stored is not asked for again.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sim::dice::Dice;
use sim::{self, Endpoint, Fault, Hold, QuotaPlan, Scope, Script, Seen};
use support::truth::{assert_equals_truth, assert_sound};
use support::{As, Bench, Login};

/// Longer than anything here takes; so that a broken test ends.
const LONGEST: Duration = Duration::from_mins(3);

/// How often it is seen that a worker ended while its answers are waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A worker that keeps to a third of the quota that the vendor publishes for most endpoints, which leaves time to store each
/// page before the next is asked for, also on a busy machine.
fn with_quotas(script: Script, who: As) -> Bench {
    let bench = Bench::with(script.quotas(QuotaPlan::Fixed { calls: 3, seconds: 1 }), who, Login::Keys);
    let path = bench.path("bss-sync.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("quotas = \"none\"\n"));
    fs::write(path, text.replace("quotas = \"none\"\n", "quotas = \"3/1s\"\n")).unwrap();
    // A request for each year of the history.
    shorten_history(&bench);
    bench
}

fn shorten_history(bench: &Bench) {
    let jobs = bench.path("jobs");
    fs::create_dir(&jobs).unwrap();
    for job in
        ["orders", "order_lines", "refund_attributions", "resources", "service_types", "resource_types"]
    {
        let windows =
            if job == "orders" { "history_start = \"2023-10-01\"\nwindow = \"364d\"\n" } else { "" };
        fs::write(jobs.join(format!("{job}.toml")), format!("stream = \"{job}\"\n{windows}")).unwrap();
    }
    fs::write(jobs.join("sub_customers.toml"), "stream = \"sub_customers\"\nroles = [\"partner\"]\n")
        .unwrap();
    let path = bench.path("bss-sync.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("jobs_dir = \"jobs\"\n{text}")).unwrap();
}

/// Waits until the worker got that many more answers; false when it ended before.
fn got_answers(bench: &Bench, worker: &mut Child, from: usize, count: u64) -> bool {
    let begun = Instant::now();
    let count = from + usize::try_from(count).unwrap();
    while !bench.sim.wait_for_requests(count, LOOK) {
        if worker.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begun.elapsed() < LONGEST, "{count} answers never came");
    }
    true
}

/// A time in the query of a request.
fn time_of(seen: &Seen, name: &str) -> Option<i64> {
    let (_, query) = seen.target.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    sim::clock::parse(&value.replace("%3A", ":"))
}

/// Whether a request continues what killed workers left. Orders that are open, paid or new just now are looked at anew by
/// every run: only the windows of the first load count, which end where the history was cut.
fn is_of_the_load(seen: &Seen) -> bool {
    let starts = sim::clock::parse("2023-10-01T00:00:00Z").unwrap();
    let is_cut = |end: i64| (end - starts) % (364 * 86_400) == 0;
    seen.status == 200
        && (seen.endpoint != Endpoint::Orders || time_of(seen, "create_time_end").is_some_and(is_cut))
}

/// Pages of one life that the next one fetched again, by endpoint.
fn fetched_twice(before: &[Seen], after: &[Seen]) -> BTreeMap<Endpoint, u64> {
    let mut twice = BTreeMap::new();
    for seen in before.iter().filter(|seen| is_of_the_load(seen)) {
        let is_again = |other: &Seen| (&other.target, &other.body) == (&seen.target, &seen.body);
        if after.iter().any(|other| other.status == 200 && is_again(other)) {
            *twice.entry(seen.endpoint).or_insert(0) += 1;
        }
    }
    twice
}

/// Kills workers of one account at random moments until one has nothing left to do; returns how many were killed.
fn kill_until_done(bench: &Bench, who: As, jobs: &[&str], dice: &mut Dice) -> u64 {
    let arguments = [&["run", "-q"], jobs].concat();
    let mut lives: Vec<Vec<Seen>> = Vec::new();
    let mut from = 0;
    loop {
        let mut worker = bench.spawn(&arguments);
        let is_alive = got_answers(bench, &mut worker, from, 1 + dice.below(8));
        // Somewhere between two answers, in a commit or in none.
        for _ in 0..dice.below(4_000) {
            std::hint::black_box(bench.sim.url());
        }
        worker.kill().unwrap();
        let status = worker.wait().unwrap();
        let all = bench.sim.requests();
        lives.push(all[from..].to_vec());
        from = all.len();
        if !is_alive || status.code().is_some() {
            assert_eq!(status.code(), Some(0), "a worker that nobody killed");
            break;
        }
    }
    for (number, pair) in lives.windows(2).enumerate() {
        let twice = fetched_twice(&pair[0], &pair[1]);
        assert!(twice.values().all(|count| *count <= 1), "life {number}: {twice:?}\n{pair:#?}");
    }
    if jobs.is_empty() {
        assert_equals_truth(bench, who);
    } else {
        let orders = bench.sim.truth().order_ids(&Scope::Partner).len();
        let stored = bench.count("select count(*) from orders where parent_order_id is null");
        assert_eq!(stored, i64::try_from(orders).unwrap());
    }
    assert_sound(bench);
    lives.len() as u64 - 1
}

/// Kills that many workers, account after account.
fn kill(count: u64, bench: impl Fn(u64) -> (Bench, As, &'static [&'static str]) + Sync) {
    let (killed, seed) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while killed.load(Ordering::Relaxed) < count {
                    let seed = seed.fetch_add(1, Ordering::Relaxed);
                    let (bench, who, jobs) = bench(seed);
                    let kills = kill_until_done(&bench, who, jobs, &mut Dice::new(1_000 + seed));
                    killed.fetch_add(kills, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{} kills of workers of {} accounts", killed.into_inner(), seed.into_inner());
}

#[test]
fn each_of_120_kills_while_everything_is_read_costs_a_page_at_most() {
    kill(120, |seed| {
        let who = if seed.is_multiple_of(2) { As::Customer } else { As::Partner };
        (with_quotas(Script::seeded(800 + seed).orders(28).customers(3), who), who, &[])
    });
}

#[test]
fn eighty_kills_while_long_lists_are_paged_cost_a_page_each_at_most() {
    kill(80, |seed| {
        let script = Script::seeded(900 + seed).orders(1_500).customers(230);
        (with_quotas(script, As::Partner), As::Partner, &["orders", "sub_customers", "resource_types"])
    });
}

#[test]
fn an_order_of_three_pages_of_lines_goes_on_where_it_was() {
    let bench = Bench::new(Script::seeded(950).orders(3));
    let id = "CS26103000009LINES";
    let order = format!(
        r#"{{"order_id":"{id}","customer_id":"{}","service_type_code":"hws.service.type.ec2","status":5,"order_type":1,
            "amount_after_discount":1,"official_amount":1,"measure_id":1,"create_time":"2026-10-30T00:00:00Z",
            "payment_time":"2026-10-30T00:00:01Z","currency":"CNY"}}"#,
        bench.sim.truth().owner()
    );
    let lines =
        (0..250).map(|line| format!(r#"{{"order_line_item_id":"{id}-{line}","order_id":"{id}"}}"#)).collect();
    bench.sim.change(|truth| truth.add_order(&order, Some((order.clone(), lines)), None));
    let of_lines = |bench: &Bench| -> Vec<String> {
        let all = bench.sim.requests().into_iter();
        all.filter(|seen| seen.target.contains(id)).map(|seen| seen.target).collect()
    };
    bench.run(&["orders"]).expect_code(0);
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Details, Fault::mutate(|_| ()));
    bench.sim.push_fault(Endpoint::Details, Fault::Hold(hold.clone()));
    let mut worker = bench.spawn(&["run", "order_lines", "-q", "--set", "accounts.acme.quotas=1000/1s"]);
    assert!(hold.wait_for_request(LONGEST));
    worker.kill().unwrap();
    worker.wait().unwrap();
    bench.sim.clear_faults();
    bench.run(&["order_lines"]).expect_code(0);
    let asked = of_lines(&bench);
    let first = asked.iter().filter(|target| target.contains("offset=0")).count();
    // The answer that is held back since the worker died goes nowhere.
    assert_eq!((first, asked.len()), (1, 3), "{asked:#?}");
    assert_eq!(
        bench.count(&format!("select count(*) from order_lines where requested_order_id = '{id}'")),
        250
    );
}
