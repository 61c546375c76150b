//! Plays cases: one simulator that becomes another vendor for each, and the program's library in this process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use bss_sync::config::{Config, Environment, KnownNames};
use bss_sync::job::Job;
use bss_sync::run::{Extent, JobReport, Order, Outcome, RunProgress, ShortAnswers, run};
use bss_sync::stream::CATALOGUE;
use bss_sync::warehouse::{Warehouse, Writer};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, watch};

use crate::judge::Judge;
use crate::plan::{Ending, Plan, Run, Step};
use crate::tally::Tally;
use sim::dice::{Dice, mix};
use sim::generate::{Size, generate};
use sim::{self, ChangeKind, Endpoint, Fault, Script, Sim, clock};
use support::{As, now};

/// Older than everything an account has.
const HISTORY_DAYS: i64 = 4 * 364;

/// So much time goes by before the quiet runs: whatever is there by then may be read.
const SETTLED: i64 = 130;

/// Full runs after which everything must be found: what left has to be missing twice.
const FULL_RUNS: u32 = 4;

/// Jobs, and tables, whose rows never change.
pub const CATALOGUES: [&str; 2] = ["service_types", "resource_types"];

/// What came of a case.
pub struct Played {
    pub wrong: Vec<String>,
    pub log: Vec<String>,
    pub tally: Tally,
}

/// Plays one case after the other.
pub struct Worker {
    sim: Sim,
    dir: TempDir,
    customer: Config,
    partner: Config,
}

impl Worker {
    pub fn new() -> Self {
        let sim = Sim::start(Script::seeded(0).orders(1));
        // In memory where there is such a place: these files need not outlive anything.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder");
        drop(Warehouse::open(&dir.path().join("template.sqlite")).expect("a new warehouse"));
        let customer = config(&sim, As::Customer);
        let partner = config(&sim, As::Partner);
        Self { sim, dir, customer, partner }
    }

    pub fn play(&mut self, plan: &Plan) -> Played {
        let path = self.dir.path().join("case.sqlite");
        for leftover in ["case.sqlite", "case.sqlite-wal", "case.sqlite-shm"] {
            // There is none before the first case.
            let _ = fs::remove_file(self.dir.path().join(leftover));
        }
        fs::copy(self.dir.path().join("template.sqlite"), &path).expect("a copy");
        let begun = now();
        let (seed, orders, customers, burst) = (plan.seed, plan.orders, plan.customers, plan.burst);
        let truth = generate(Size { seed, orders, customers, burst, until: begun - 900 });
        let vendor_now = begun + plan.clock;
        let script = Script::serving(truth)
            .bounds(plan.bounds)
            .row_order(plan.row_order)
            .ties(plan.ties)
            .standing_at(vendor_now);
        self.sim.restart(script);
        let config = if plan.who == As::Partner { &self.partner } else { &self.customer };
        let mut case = Case {
            plan,
            sim: &self.sim,
            config,
            db: Connection::open(&path).expect("a warehouse"),
            path,
            begun,
            vendor_now,
            open: None,
            played: Played { wrong: Vec::new(), log: Vec::new(), tally: Tally::default() },
        };
        case.play();
        case.close();
        case.played
    }
}

/// The warehouse while somebody works with it.
struct Open {
    runtime: Runtime,
    writer: Writer,
    thread: JoinHandle<()>,
}

/// How a run ended.
struct Ran {
    /// `None` when it was killed.
    exit: Option<u8>,
    reasons: Vec<String>,
}

struct Case<'a> {
    plan: &'a Plan,
    sim: &'a Sim,
    config: &'a Config,
    path: PathBuf,
    db: Connection,
    begun: i64,
    vendor_now: i64,
    open: Option<Open>,
    played: Played,
}

impl Case<'_> {
    fn play(&mut self) {
        for step in &self.plan.steps {
            match step {
                Step::Upset { seed, count } => {
                    self.sim.upset_only(*seed, *count, self.plan.changes());
                    self.note(&step.to_string());
                }
                Step::Wait(seconds) => self.wait(*seconds),
                Step::Run(run) => {
                    let ran = self.run(run, ShortAnswers::None);
                    self.check_exit(&ran, &[0, 1, 3, 4]);
                    self.check_ledger();
                }
            }
            if !self.played.wrong.is_empty() {
                return;
            }
        }
        self.wait(SETTLED);
        self.settle();
        self.close();
        self.played.tally.count("changes", self.sim.changes().len() as u64);
        let answers = self.sim.stats().values().map(|count| count.calls).sum();
        self.played.tally.count("answers", answers);
        self.played.tally.count("cases", 1);
        if self.plan.seed.is_multiple_of(50) {
            self.check_file();
        }
    }

    /// Quiet runs until everything is proven, or the reason is known why it cannot be.
    fn settle(&mut self) {
        let failing = self.judge().failing();
        self.played.tally.count("failed orders before the quiet runs", failing);
        let mut ran = self.run(&Run::QUIET, ShortAnswers::None);
        if ran.exit == Some(3) {
            ran = self.run(&Run::QUIET, ShortAnswers::None);
        }
        self.check_exit(&ran, &[0, 3]);
        self.check_ledger();
        if ran.exit == Some(0) {
            self.played.tally.count("quiet plain runs that ended with 0", 1);
            let failing = self.judge().failing();
            self.played.tally.count("failed orders behind runs that ended with 0", failing);
            let judge = self.judge();
            let wrong = judge.after_plain(&judge.expected(self.plan.has_catalogues), self.begun);
            self.blame("after a plain run", wrong);
        }
        if !self.played.wrong.is_empty() {
            return;
        }
        let full = Run { full: true, ..Run::QUIET };
        let changes = self.sim.changes();
        let left = |kind| matches!(kind, ChangeKind::ResourceLeft | ChangeKind::OrderLeft);
        let mut least: u32 = if changes.iter().any(|change| left(change.kind)) { 2 } else { 1 };
        let (mut word, mut is_doubted, mut is_settled) = (ShortAnswers::None, false, false);
        for round in 1..=2 * FULL_RUNS {
            ran = self.run(&full, word);
            self.check_exit(&ran, &[0, 3]);
            self.check_ledger();
            is_doubted |= ran.reasons.iter().any(|reason| reason.contains("--accept-empty"));
            // What left is gone after two complete lists that do not show it: a list that was not proven is none of them.
            if least > 1 && ran.reasons.iter().any(|reason| reason.contains("could not be proven")) {
                least = least.max(round + 2);
            }
            is_settled = ran.exit == Some(0) && round >= least;
            if is_settled || round >= FULL_RUNS && !is_doubted && self.plan.may_stay_disputed() {
                break;
            }
            if round == FULL_RUNS && is_doubted {
                self.played.tally.count("cases that needed --accept-empty", 1);
                word = ShortAnswers::AcceptEmpty;
                least = round + 2;
            }
        }
        if !self.played.wrong.is_empty() {
            return;
        }
        let judge = self.judge();
        let differences = judge.after_full(&judge.expected(self.plan.has_catalogues));
        if is_settled {
            self.played.tally.count("cases that ended equal", 1);
            self.blame("after a full run that ended with 0", differences);
        } else if !self.plan.may_stay_disputed() {
            self.blame("a full run still ends with 3 although nothing is in its way", ran.reasons);
        } else {
            self.played.tally.count("cases that stayed disputed", 1);
        }
    }

    fn run(&mut self, wanted: &Run, word: ShortAnswers) -> Ran {
        self.wait(2 + i64::from(self.plan.seed.is_multiple_of(7)));
        let Open { runtime, writer, thread } = self.open.take().unwrap_or_else(|| open(&self.path));
        self.sim.set_weather(wanted.weather);
        self.limit_pages(wanted);
        let (stopper, stop) = watch::channel(false);
        let killed = Arc::new(Notify::new());
        let (answers, turns) = match wanted.ending {
            Ending::Own => (None, 0),
            Ending::Killed { answers, turns } => (Some(answers), turns),
            Ending::Stopped { answers } => (Some(answers), 0),
        };
        if let Some(answers) = answers {
            let is_kill = matches!(wanted.ending, Ending::Killed { .. });
            let (killed, stopper) = (Arc::clone(&killed), stopper.clone());
            self.sim.every_nth(None, answers, move || {
                let (killed, stopper) = (Arc::clone(&killed), stopper.clone());
                Fault::mutate(move |_| {
                    if is_kill {
                        killed.notify_one();
                    } else {
                        stopper.send_replace(true);
                    }
                })
            });
        }
        let is_read = |name: &str| self.plan.has_catalogues || !CATALOGUES.contains(&name);
        let chosen = |job: &&Job| {
            let name = job.name.as_str();
            if wanted.jobs.is_empty() { is_read(name) } else { wanted.jobs.contains(&name) }
        };
        let order = Order {
            jobs: self.config.jobs.iter().filter(chosen).collect(),
            accounts: self.config.accounts.iter().collect(),
            extent: if wanted.full { Extent::Full } else { Extent::Incremental },
            word,
            deadline: None,
        };
        let progress = Arc::new(RunProgress::default());
        let kill = async {
            killed.notified().await;
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        let ended = runtime.block_on(async {
            tokio::select! {
                reports = run(order, &writer, &progress, stop) => Some(reports.expect("a run begins")),
                () = kill => None,
            }
        });
        let met = self.sim.weather_met();
        self.sim.set_weather(None);
        self.sim.clear_faults();
        let tally = &mut self.played.tally;
        tally.count("runs", 1);
        tally.count("faults", met.values().sum());
        let ran = if let Some(reports) = ended {
            self.open = Some(Open { runtime, writer, thread });
            ended_by_itself(&reports)
        } else {
            // All tasks go with the runtime; what reached the writer is a transaction or nothing.
            drop(runtime);
            drop(writer);
            thread.join().expect("the writer ends");
            tally.count("kills", 1);
            Ran { exit: None, reasons: Vec::new() }
        };
        if wanted.weather.is_some() {
            for reason in ran.reasons.iter().map(|reason| kind_of(reason)) {
                tally.count(&format!("findings: {reason}"), 1);
            }
        }
        tally.count(
            &ran.exit.map_or_else(|| "ended killed".to_owned(), |exit| format!("ended with {exit}")),
            1,
        );
        self.note(&format!("{wanted}: {:?} {:?}, faults {met:?}", ran.exit, ran.reasons));
        ran
    }

    /// Small pages, among them now and then a page that the weather would have bent: it spares what meets these faults.
    fn limit_pages(&self, wanted: &Run) {
        let Some(rows) = self.plan.page else { return };
        let (seed, faults) = wanted.weather.map_or((0, 0), |weather| (weather.seed, weather.faults));
        for endpoint in [Endpoint::Orders, Endpoint::Details, Endpoint::Resources, Endpoint::SubCustomers] {
            let calls = AtomicU64::new(seed);
            self.sim.every_nth(endpoint, 1, move || {
                let mut dice = Dice::new(mix(calls.fetch_add(1, Ordering::Relaxed)));
                if !dice.percent(faults) {
                    return Fault::IgnoreLimit(rows);
                }
                match dice.below(8) {
                    0 => Fault::ShortPage,
                    1 => Fault::EmptyPage,
                    2 => Fault::RepeatEarlier,
                    3 => Fault::TotalOff(1),
                    4 => Fault::TotalOff(-1),
                    5 => Fault::HonestTotalOfPage,
                    6 => Fault::MissingTotal,
                    _ => Fault::StringTotal,
                }
            });
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.vendor_now += seconds;
        self.sim.set_now(self.vendor_now);
    }

    fn close(&mut self) {
        if let Some(Open { runtime, writer, thread }) = self.open.take() {
            drop(runtime);
            drop(writer);
            thread.join().expect("the writer ends");
        }
    }

    fn judge(&self) -> Judge<'_> {
        Judge { db: &self.db, sim: self.sim, who: self.plan.who, changes: self.sim.changes() }
    }

    fn check_ledger(&mut self) {
        let judge = self.judge();
        let (wrong, again) = (judge.ledger(), judge.walked_again());
        if again && self.played.tally.of("cases walked again") == 0 {
            self.played.tally.count("cases walked again", 1);
        }
        self.blame("the ledger is wrong", wrong);
    }

    fn check_exit(&mut self, ran: &Ran, allowed: &[u8]) {
        if let Some(exit) = ran.exit
            && (!allowed.contains(&exit) || exit != 0 && ran.reasons.is_empty())
        {
            self.blame(&format!("exit {exit}"), vec![format!("{:?}", ran.reasons)]);
        }
    }

    fn check_file(&mut self) {
        drop(Warehouse::open(&self.path).expect("it can be opened"));
        let text = |sql: &str| -> String { self.db.query_row(sql, [], |row| row.get(0)).expect("an answer") };
        let mut wrong = Vec::new();
        if text("pragma integrity_check") != "ok" {
            wrong.push("integrity_check".to_owned());
        }
        if self.db.prepare("pragma foreign_key_check").unwrap().exists([]).unwrap() {
            wrong.push("foreign_key_check".to_owned());
        }
        if text("select count(*) || '' from runs where outcome = 'running'") != "0" {
            wrong.push("a run is left running".to_owned());
        }
        if text("select count(*) || '' from quarantine") != "0" {
            wrong.push("rows in quarantine".to_owned());
        }
        self.blame("the file", wrong);
    }

    fn blame(&mut self, what: &str, wrong: Vec<String>) {
        self.played.wrong.extend(wrong.into_iter().map(|wrong| format!("{what}: {wrong}")));
    }

    fn note(&mut self, what: &str) {
        let changes = self.sim.changes();
        let mut shown = BTreeMap::<String, usize>::new();
        for change in changes.iter().filter(|change| change.at >= self.vendor_now) {
            *shown.entry(format!("{:?} {}", change.kind, change.id)).or_default() += 1;
        }
        let at = clock::text(self.vendor_now);
        self.played.log.push(format!("{at} {what}; changed: {:?}", shown.keys().collect::<Vec<_>>()));
    }
}

fn open(path: &Path) -> Open {
    let warehouse = Warehouse::open(path).expect("the warehouse opens");
    let (writer, thread) = Writer::start(warehouse).expect("a thread");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    Open { runtime, writer, thread }
}

fn ended_by_itself(reports: &[JobReport]) -> Ran {
    let worst = reports.iter().map(|report| report.outcome).max().unwrap_or(Outcome::Done);
    let texts = |report: &JobReport| {
        let stopped = report.stopped.as_ref().map(|(reason, _)| reason.clone());
        let job = report.job.clone();
        let texts: Vec<String> = stopped.into_iter().chain(report.findings.texts()).collect();
        texts.into_iter().map(move |text| format!("{job}: {text}"))
    };
    Ran { exit: Some(worst.exit_code()), reasons: reports.iter().flat_map(texts).collect() }
}

/// A finding without what it is about.
fn kind_of(reason: &str) -> &'static str {
    const KINDS: [(&str, &str); 9] = [
        ("--accept-empty", "doubted"),
        ("could not be proven", "disputed"),
        ("marked as gone", "gone"),
        ("is not shown any more", "absent once"),
        ("stays in the queue", "stays in the queue"),
        ("could not be decoded", "quarantined"),
        ("stopped on request", "stopped"),
        ("more findings", "more findings"),
        ("was not read", "refused"),
    ];
    KINDS.iter().find(|(words, _)| reason.contains(words)).map_or("others", |(_, kind)| kind)
}

fn config(sim: &Sim, who: As) -> Config {
    let (key, role) = match who {
        As::Customer => (&sim::CUSTOMER_KEY, "customer"),
        As::Partner => (&sim::PARTNER_KEY, "partner"),
    };
    let url = sim.url();
    let history_start = clock::text(now() - HISTORY_DAYS * clock::DAY);
    let text = format!(
        "[warehouse]\npath = \"case.sqlite\"\n\n[accounts.acme]\nendpoint = \"{url}\"\niam_endpoint = \"{url}\"\n\
         role = \"{role}\"\nquotas = \"none\"\naccess_key = {{ env = \"TEST_AK\" }}\n\
         secret_key = {{ env = \"TEST_SK\" }}\ndomain_id = \"{}\"\n\n[jobs.orders]\nwindow = \"364d\"\n\
         history_start = \"{}\"\n",
        key.domain_id,
        &history_start[..10]
    );
    let environment = Environment::of([("TEST_AK", key.access), ("TEST_SK", key.secret)]);
    let streams: Vec<&str> = CATALOGUE.iter().map(|stream| stream.name()).collect();
    let endpoints: Vec<&str> = CATALOGUE.iter().map(|stream| stream.endpoint().name).collect();
    let known = KnownNames { streams: &streams, endpoints: &endpoints };
    Config::parse(Path::new("bss-sync.toml"), &text, &[], &environment, known).expect("a configuration")
}
