//! What the service hears and says: signals, systemd, changed configurations, replaced keys.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Child;
use std::sync::mpsc;
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};

use super::{LONGEST, end_of, signal};
use crate::fixtures::{bench, examples, rows};
use crate::secrets::assert_silent;
use sim::{self, Endpoint, Fault, Hold, Script, Truth};
use support::{Bench, Ran};

/// Once a year: nothing of a test waits for that.
const YEARLY: &str = "0 0 0 1 1 *";

/// What systemd would hear.
struct Supervisor(UnixDatagram);

impl Supervisor {
    fn of(bench: &mut Bench) -> Self {
        let path = bench.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LONGEST)).unwrap();
        bench.set_env("NOTIFY_SOCKET", path.to_str().unwrap());
        Self(socket)
    }

    /// Listens until a message has a line that begins like this, and returns the line.
    fn hears(&self, beginning: &str) -> String {
        let mut message = [0; 4_096];
        loop {
            let length = self.0.recv(&mut message).unwrap_or_else(|error| panic!("{beginning}: {error}"));
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            if let Some(line) = text.lines().find(|line| line.starts_with(beginning)) {
                return line.to_owned();
            }
        }
    }
}

/// A bench with a folder of jobs of its own; each is a name, a stream and a schedule.
fn with_jobs(jobs: &[(&str, &str)]) -> Bench {
    let bench = Bench::new(Script::serving(Truth::from_parts(examples())));
    fs::create_dir(bench.path("jobs")).unwrap();
    for (stream, schedule) in jobs {
        write_job(&bench, stream, schedule);
    }
    let config = fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    bench.write_config(&format!("jobs_dir = \"jobs\"\n{config}"));
    bench
}

fn write_job(bench: &Bench, stream: &str, schedule: &str) {
    let text = format!("stream = \"{stream}\"\nschedule = \"{schedule}\"\nrefresh = \"1m\"\n");
    fs::write(bench.path("jobs").join(format!("{stream}.toml")), text).unwrap();
}

/// A service that runs; killed when its test fails.
struct Service {
    worker: Option<Child>,
    log: mpsc::Receiver<String>,
}

impl Service {
    fn of(bench: &Bench) -> Self {
        Self::called(bench, &["serve"])
    }

    fn called(bench: &Bench, arguments: &[&str]) -> Self {
        let mut worker = bench.spawn(arguments);
        let lines = BufReader::new(worker.stderr.take().unwrap()).lines();
        let (tell, log) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { worker: Some(worker), log }
    }

    fn signal(&self, name: &str) {
        signal(self.worker.as_ref().unwrap(), name);
    }

    /// Reads its log until a line has these words; returns what was read.
    fn says(&self, words: &str) -> String {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.contains(words)) {
            let line = self.log.recv_timeout(LONGEST);
            lines.push(line.unwrap_or_else(|_| panic!("it never said `{words}`: {lines:#?}")));
        }
        lines.join("\n")
    }

    /// Asks it to stop; it ends well. Returns the rest of its log.
    fn stop(mut self) -> String {
        self.signal("TERM");
        let ended = end_of(self.worker.take().unwrap());
        let rest = self.log.iter().collect::<Vec<_>>().join("\n");
        assert_eq!(ended.status.code(), Some(0), "{ended:?}\n{rest}");
        rest
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

/// Waits until the ledger says so; there may be none yet.
fn until(bench: &Bench, sql: &str) {
    let begun = Instant::now();
    let is_so = || {
        let db = Connection::open_with_flags(bench.warehouse(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.query_row(sql, [], |row| row.get::<_, bool>(0))
    };
    while !is_so().unwrap_or(false) {
        assert!(begun.elapsed() < LONGEST, "never: {sql}");
        std::thread::yield_now();
    }
}

fn write_secret(bench: &Bench, name: &str, secret: &str) {
    let next = bench.path("next");
    fs::write(&next, secret).unwrap();
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(next, bench.path(name)).unwrap();
}

/// The account's keys come from files now.
fn with_key_files(bench: &Bench, access: &str, secret: &str) {
    write_secret(bench, "access", access);
    write_secret(bench, "secret", secret);
    let config = fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    let config = config.replace("{ env = \"TEST_AK\" }", "{ file = \"./access\" }");
    bench.write_config(&config.replace("{ env = \"TEST_SK\" }", "{ file = \"./secret\" }"));
}

#[test]
fn systemd_hears_of_readiness_of_work_of_life_and_of_the_stop() {
    let mut bench = bench();
    let supervisor = Supervisor::of(&mut bench);
    bench.set_env("WATCHDOG_USEC", "200000");
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::ServiceTypes, Fault::Hold(hold.clone()));
    let service = Service::of(&bench);
    supervisor.hears("READY=1");
    assert_eq!(bench.count("pragma application_id"), 0x4253_5359, "ready means that the warehouse is open");
    let status = supervisor.hears("STATUS=running: acme orders");
    assert!(status.contains("acme resource_types"), "{status}");
    supervisor.hears("WATCHDOG=1");
    assert!(hold.wait_for_request(LONGEST));
    service.signal("HUP");
    supervisor.hears("RELOADING=1");
    supervisor.hears("READY=1");
    hold.release();
    let status = supervisor.hears("STATUS=nothing runs; next: acme ");
    assert!(status.ends_with('Z'), "{status}");
    supervisor.hears("WATCHDOG=1");
    let rest = service.stop();
    supervisor.hears("STOPPING=1");
    assert!(rest.contains("asked to stop"), "{rest}");
}

#[test]
fn a_changed_configuration_is_taken_over_or_all_its_errors_are_told() {
    let bench = with_jobs(&[("resource_types", YEARLY)]);
    let service = Service::of(&bench);
    until_ran(&bench, "resource_types");

    write_job(&bench, "service_types", YEARLY);
    service.signal("HUP");
    service.says("the configuration was read again");
    until_ran(&bench, "service_types");

    let good = fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    bench.write_config(&good.replace("role = \"customer\"", "role = \"king\"\ntimeout = \"soon\""));
    write_job(&bench, "orders", YEARLY);
    service.signal("HUP");
    service.says("role = \"king\"");
    service.says("timeout = \"soon\"");

    bench.write_config(&good.replace("billing.sqlite", "other.sqlite"));
    service.signal("HUP");
    service.says("other.sqlite");

    fs::remove_file(bench.path("jobs/orders.toml")).unwrap();
    for stream in ["resource_types", "service_types"] {
        fs::write(bench.path("jobs").join(format!("{stream}.toml")), format!("stream = \"{stream}\"\n"))
            .unwrap();
    }
    bench.write_config(&good);
    service.signal("HUP");
    service.says("no job has a schedule");

    service.stop();
    assert!(!bench.path("other.sqlite").exists());
    assert_eq!(
        rows(&bench.db(), "select job, outcome from runs order by run_id"),
        ["'resource_types' | 'done'", "'service_types' | 'done'"]
    );
}

fn until_ran(bench: &Bench, job: &str) {
    until(bench, &format!("select count(*) > 0 from runs where job = '{job}' and outcome = 'done'"));
}

#[test]
fn keys_that_are_replaced_while_a_job_is_refused_are_tried_at_once() {
    let bench = with_jobs(&[("resource_types", YEARLY)]);
    with_key_files(&bench, sim::POWERLESS_KEY.access, sim::POWERLESS_KEY.secret);
    let hold = Hold::new();
    bench.sim.push_fault(None, Fault::Hold(hold.clone()));
    let service = Service::of(&bench);
    assert!(hold.wait_for_request(LONGEST));
    write_secret(&bench, "access", sim::CUSTOMER_KEY.access);
    write_secret(&bench, "secret", sim::CUSTOMER_KEY.secret);
    hold.release();
    service.says("keys were refused and are others now");
    until_ran(&bench, "resource_types");
    service.stop();
    assert_eq!(rows(&bench.db(), "select outcome from runs order by run_id"), ["'refused'", "'done'"]);
    assert_eq!(bench.sim.requests().iter().filter(|seen| seen.status == 403).count(), 1);
}

#[test]
fn keys_are_read_again_whenever_a_job_begins() {
    let bench = with_jobs(&[("resource_types", "* * * * * *")]);
    with_key_files(&bench, sim::CUSTOMER_KEY.access, "NotTheSecretOfThisKey000000000000000001");
    let service = Service::of(&bench);
    service.says("the job failed; it is tried again as scheduled");
    write_secret(&bench, "secret", sim::CUSTOMER_KEY.secret);
    until_ran(&bench, "resource_types");
    service.stop();
}

#[test]
fn an_account_that_is_refused_is_tried_on_its_schedule_and_stops_no_other() {
    let mut bench = with_jobs(&[("resource_types", "* * * * * *")]);
    bench.set_env("WRONG_SK", "NotTheSecretOfThisKey000000000000000001");
    let config = fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    let (_, account) = config.split_once("[accounts.acme]").unwrap();
    bench.append_config(&format!("[accounts.beta]{}", account.replace("TEST_SK", "WRONG_SK")));
    let service = Service::of(&bench);
    let several = |account: &str, outcome: &str| {
        format!("select count(*) >= 3 from runs where account = '{account}' and outcome = '{outcome}'")
    };
    until(&bench, &several("acme", "done"));
    until(&bench, &several("beta", "refused"));
    service.stop();
    // Whichever is in hand at the stop may end as 'partial'.
    let mixed = "select count(*) from runs where outcome = iif(account = 'acme', 'refused', 'done')";
    assert_eq!(bench.count(mixed), 0);
}

#[test]
fn a_vendor_who_is_not_there_is_warned_of() {
    let bench = with_jobs(&[("resource_types", "* * * * * *")]);
    let job = "stream = \"resource_types\"\nschedule = \"* * * * * *\"\ndeadline = \"1s\"\n";
    fs::write(bench.path("jobs/resource_types.toml"), job).unwrap();
    bench.sim.every_nth(None, 1, || Fault::status(503, "CBC.0999", "Unavailable."));
    let service = Service::of(&bench);
    let log = service.says("the vendor gave no usable answer; the job goes on as scheduled");
    assert!(log.lines().last().unwrap().contains(" WARN "), "{log}");
    bench.sim.clear_faults();
    until_ran(&bench, "resource_types");
    service.stop();
    assert_eq!(rows(&bench.db(), "select outcome from runs order by run_id limit 1"), ["'partial'"]);
}

#[test]
fn another_programs_lock_passes_and_leaves_no_run_without_an_end() {
    let bench = with_jobs(&[("resource_types", "* * * * * *")]);
    let service = Service::of(&bench);
    until_ran(&bench, "resource_types");
    let stranger = bench.writable_db();
    // Between two pages somebody is in the way for longer than is waited for.
    while stranger.execute_batch("begin immediate").is_err() {
        std::thread::yield_now();
    }
    service.says("another program holds a write lock");
    let done = "select count(*) from runs where outcome = 'done'";
    let before: i64 = stranger.query_row(done, [], |row| row.get(0)).unwrap();
    stranger.execute_batch("rollback").unwrap();
    until(&bench, &format!("select count(*) > {before} from runs where outcome = 'done'"));
    service.stop();
    assert_eq!(bench.count("select count(*) from runs where outcome = 'running'"), 0);
}

#[test]
fn at_its_loudest_it_tells_no_secret() {
    let mut bench = with_jobs(&[("orders", "* * * * * *")]);
    bench.set_env("WRONG_SK", "NotTheSecretOfThisKey000000000000000001");
    let good = fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    let service = Service::called(&bench, &["-vv", "--set", "log.format=json", "serve"]);
    until_ran(&bench, "orders");
    bench.write_config(&good.replace("TEST_SK", "WRONG_SK"));
    service.signal("HUP");
    until(&bench, "select count(*) > 0 from runs where outcome = 'refused'");
    bench.write_config(&good.replace("TEST_SK", "NO_SUCH_SK"));
    service.signal("HUP");
    let stderr = service.says("NO_SUCH_SK") + &service.stop();
    let ran = Ran { code: Some(0), stdout: String::new(), stderr };
    assert_silent(&bench, &ran, &[sim::CUSTOMER_KEY.secret, "NotTheSecretOfThisKey000000000000000001"]);
}

#[test]
fn without_a_schedule_there_is_nothing_to_serve() {
    let bench = with_jobs(&[("resource_types", YEARLY)]);
    fs::write(bench.path("jobs/resource_types.toml"), "stream = \"resource_types\"\n").unwrap();
    let ran = bench.call(&["serve"]).expect_code(2);
    assert!(ran.stderr.contains("no job has a schedule"), "{ran:?}");
}

#[test]
fn a_copy_for_finance_follows_what_was_read() {
    let bench = with_jobs(&[("orders", YEARLY)]);
    bench.append_config("[publish]\npath = \"finance.sqlite\"\nafter_run = true\n");
    let service = Service::of(&bench);
    service.says("published the copy for finance");
    let copy =
        Connection::open_with_flags(bench.path("finance.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert_eq!(rows(&copy, "select count(*) from orders"), rows(&bench.db(), "select count(*) from orders"));
    service.stop();
}

#[test]
fn a_monitor_is_answered_while_the_service_runs() {
    let bench = with_jobs(&[("orders", YEARLY)]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    bench.append_config(&format!("[metrics]\nlisten = \"{address}\"\n"));
    let service = Service::of(&bench);
    service.says("the job ended");
    let mut monitor = std::net::TcpStream::connect(address).unwrap();
    monitor.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut answer = String::new();
    monitor.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        answer.contains("bss_sync_last_success_timestamp_seconds{account=\"acme\",job=\"orders\"} "),
        "{answer}"
    );
    let config = fs::read_to_string(bench.path("bss-sync.toml")).unwrap();
    bench.write_config(&config.replace(&format!("listen = \"{address}\""), "listen = \"127.0.0.1:1\""));
    service.signal("HUP");
    service.says("[metrics] listen is another now; it needs a restart");
    service.stop();
}
