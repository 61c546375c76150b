//! A bench for the real program: a simulator, a folder with a configuration, and the warehouse it fills.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test may fail at once")]
#![allow(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a test looks at what it wants"
)]

pub mod truth;

use std::fs;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sim::{Script, Sim};
use tempfile::TempDir;

/// How the worker logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// With a key pair that stays.
    Keys,
    /// With a key pair and its security token.
    TemporaryKeys,
    /// With a user, whose password gets an IAM token.
    Token,
}

/// As whom the worker logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// As a customer, who sees its own records.
    Customer,
    /// As a partner, who sees its customers' records.
    Partner,
}

/// A simulator and a worker set up for it.
pub struct Bench {
    /// The vendor.
    pub sim: Sim,
    dir: TempDir,
    environment: Vec<(String, String)>,
}

/// What one invocation of the program said.
#[derive(Debug)]
pub struct Ran {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON, for runs with `--output json`.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The report of a job, for `run --output json`.
    pub fn job(&self, name: &str) -> Value {
        let reports = self.json();
        let reports = reports.as_array().expect("a list of reports");
        reports
            .iter()
            .find(|report| report["job"] == name)
            .cloned()
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// Itself again, after it is certain that the program ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

impl Bench {
    /// A customer with a key pair: the usual case.
    pub fn new(script: Script) -> Self {
        Self::with(script, As::Customer, Login::Keys)
    }

    /// A simulator that follows the script, and a worker that logs in so.
    pub fn with(script: Script, who: As, login: Login) -> Self {
        let sim = Sim::start(script);
        let mut bench = Self { sim, dir: TempDir::new().expect("a folder"), environment: Vec::new() };
        bench.log_in(who, login);
        bench
    }

    /// Writes the configuration for these credentials; `quotas = "none"`, so that tests do not wait.
    pub fn log_in(&mut self, who: As, login: Login) {
        let role = match who {
            As::Customer => "customer",
            As::Partner => "partner",
        };
        let credentials = match login {
            Login::Keys | Login::TemporaryKeys => {
                let key = match (who, login) {
                    (As::Partner, _) => &sim::PARTNER_KEY,
                    (As::Customer, Login::TemporaryKeys) => &sim::TEMPORARY_KEY,
                    (As::Customer, Login::Keys | Login::Token) => &sim::CUSTOMER_KEY,
                };
                self.set_env("TEST_AK", key.access);
                self.set_env("TEST_SK", key.secret);
                self.set_env("TEST_TOKEN", key.token.unwrap_or_default());
                let token =
                    if key.token.is_some() { "security_token = { env = \"TEST_TOKEN\" }\n" } else { "" };
                format!(
                    "access_key = {{ env = \"TEST_AK\" }}\nsecret_key = {{ env = \"TEST_SK\" }}\n{token}domain_id = \"{}\"\n",
                    key.domain_id
                )
            }
            Login::Token => {
                let user = match who {
                    As::Customer => &sim::CUSTOMER_USER,
                    As::Partner => &sim::PARTNER_USER,
                };
                self.set_env("TEST_PASSWORD", user.password);
                format!(
                    "auth = \"token\"\nuser = \"{}\"\ndomain = \"{}\"\npassword = {{ env = \"TEST_PASSWORD\" }}\n",
                    user.name, user.domain
                )
            }
        };
        let url = self.sim.url();
        self.write_config(&format!(
            "[warehouse]\npath = \"billing.sqlite\"\n\n[accounts.acme]\nendpoint = \"{url}\"\niam_endpoint = \"{url}\"\n\
             role = \"{role}\"\nquotas = \"none\"\n{credentials}"
        ));
    }

    /// Replaces the configuration.
    pub fn write_config(&self, text: &str) {
        fs::write(self.path("bss-sync.toml"), text).expect("written");
    }

    /// Adds lines at the end of the configuration.
    pub fn append_config(&self, text: &str) {
        let path = self.path("bss-sync.toml");
        let old = fs::read_to_string(&path).expect("a configuration");
        fs::write(path, format!("{old}\n{text}")).expect("written");
    }

    /// Sets a variable of the program's environment.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A file of the worker's folder, which is also where the program runs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The file of the warehouse.
    pub fn warehouse(&self) -> PathBuf {
        self.path("billing.sqlite")
    }

    /// The program with these arguments, in its folder and with nothing else in its environment than what was set.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn call(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().expect("the program starts"))
    }

    /// `bss-sync run --output json` with further arguments.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.call(&[&["run", "--output", "json", "-q"], arguments].concat())
    }

    /// Starts the program and leaves it running.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    /// The warehouse, as finance opens it.
    pub fn db(&self) -> Connection {
        Connection::open_with_flags(self.warehouse(), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a warehouse")
    }

    /// The warehouse, as somebody with a shell may open it.
    pub fn writable_db(&self) -> Connection {
        Connection::open(self.warehouse()).expect("a warehouse")
    }

    /// A single integer.
    pub fn count(&self, sql: &str) -> i64 {
        self.db().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// The program that is tested: where cargo says, or, for a test that is started by hand, where cargo puts it.
///
/// # Panics
///
/// When the system does not tell where this process's own program is.
pub fn program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_bss-sync").map_or_else(
        || {
            let test = std::env::current_exe().expect("a process has a program");
            test.ancestors().nth(2).expect("target/debug/deps/TEST").join("bss-sync")
        },
        PathBuf::from,
    )
}

/// Reads the worker's log until a line has these words; the rest is read to the end later.
pub fn wait_for_log(log: &mut impl BufRead, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("a log"), 0, "the log ended without `{words}`");
    }
}

/// Now, unix seconds, for data that must be younger than a run.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the year 292277026596")
}
