//! What the person wants: files, environment and flags become one `Config`, or a list of everything wrong with them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::client::Profile;
use crate::job::Job;
use crate::settings::{Node, Problem, Problems, Section, Source};

mod account;
mod environment;
mod jobs;
mod metrics;
mod origin;
mod overlay;
mod publish;
mod secret;

pub use crate::scope::Role;
pub use environment::Environment;
pub use metrics::Metrics;
use origin::Origin;
pub use publish::{Publish, PublishWhen};
pub use secret::{SecretPlace, SecretSource};

/// Where a configuration is looked for when no flag names one, in this order.
const PLACES: [&str; 2] = ["./bss-sync.toml", "/etc/bss-sync/config.toml"];

/// What to write when there is no configuration yet.
const EXAMPLE: &str = r#"    [warehouse]
    path = "billing.sqlite"

    [accounts.acme]
    site = "china"
    access_key = { env = "BSS_ACCESS_KEY" }
    secret_key = { env = "BSS_SECRET_KEY" }"#;

/// The words of the command line that bear on the configuration.
#[derive(Clone, Copy, Default)]
pub struct Flags<'a> {
    /// `--config FILE`.
    pub file: Option<&'a Path>,
    /// Every `--set KEY.PATH=VALUE`, in order; they win over everything else.
    pub set: &'a [String],
    /// Whether the command needs the accounts' secrets.
    pub secrets: Secrets,
}

/// Whether the secrets that a configuration names are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// They are: a missing one is a problem.
    #[default]
    Read,
    /// They are not: whoever only looks at the warehouse need not be allowed to see them.
    Leave,
}

/// The names this build knows, for checking and for suggestions.
#[derive(Clone, Copy, Debug)]
pub struct KnownNames<'a> {
    /// Streams of the catalogue.
    pub streams: &'a [&'a str],
    /// Short names of the endpoints, the keys of `quotas`.
    pub endpoints: &'a [&'a str],
}

/// A configuration that was checked as a whole; the network was not asked yet.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from.
    pub file: PathBuf,
    /// The warehouse; a relative path in the file is relative to the file's folder.
    pub warehouse: PathBuf,
    /// At least one account, sorted by name.
    pub accounts: Vec<Account>,
    /// At least one job: built in, or from `jobs_dir` sorted by name.
    pub jobs: Vec<Job>,
    /// What is logged and how.
    pub log: Log,
    /// Where the copy for finance goes, when the configuration says so.
    pub publish: Option<Publish>,
    /// Where the accounts came from.
    origin: Origin,
    /// Where a monitor finds the figures of the program.
    pub metrics: Metrics,
}

/// One credential profile.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name in configuration, warehouse and messages: 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// What it is to the vendor.
    pub role: Role,
    /// How to ask for it.
    pub profile: Profile,
    /// Where its secrets were found; empty when they were not read.
    pub secrets: Vec<SecretPlace>,
}

/// What is logged and how; the command line may ask for more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Shape of a line.
    pub format: LogFormat,
    /// Least important lines that are still written.
    pub level: tracing::Level,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Everything that is wrong with a configuration; exit code 2.
///
/// It repeats wrong values, but never that of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    /// The problems, at least one, in the order of reading.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a problem; nothing was asked of the vendor")?,
            count => write!(f, "the configuration has {count} problems; nothing was asked of the vendor")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Finds, reads and checks the configuration: flags win over the environment, that over the file.
    ///
    /// # Errors
    /// Every problem at once, each with its place, key, value (never a secret's) and what would be right.
    pub fn load(
        flags: Flags<'_>,
        environment: &Environment,
        known: KnownNames<'_>,
    ) -> Result<Self, ConfigError> {
        let file = find(flags.file, environment, PLACES.map(Path::new))
            .map_err(|problem| ConfigError(vec![problem]))?;
        let text = read_text(&file).map_err(|problem| ConfigError(vec![problem]))?;
        Self::parse_with(&file, &text, flags, environment, known)
    }

    /// As [`Config::load`], from the text of a file; `file` names it in messages and gives the folder of relative paths.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(
        file: &Path,
        text: &str,
        set: &[String],
        environment: &Environment,
        known: KnownNames<'_>,
    ) -> Result<Self, ConfigError> {
        Self::parse_with(file, text, Flags { set, ..Flags::default() }, environment, known)
    }

    fn parse_with(
        file: &Path,
        text: &str,
        flags: Flags<'_>,
        environment: &Environment,
        known: KnownNames<'_>,
    ) -> Result<Self, ConfigError> {
        let problems = Problems::default();
        let mut tree = Node::of_toml(file, text).unwrap_or_else(|problem| {
            problems.add(problem);
            Node::empty(Source::new(&file.display().to_string()))
        });
        // What follows from an unreadable file (keys missing everywhere) would only hide the cause.
        if problems.is_empty() {
            overlay::environment(&mut tree, environment, &problems);
            overlay::flags(&mut tree, flags.set, &problems);
        }
        let about = About { environment, known, secrets: flags.secrets };
        let config = if problems.is_empty() { read(file, tree, about, &problems) } else { None };
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError(problems.into_vec())),
        }
    }

    /// The account of that name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// The account of that name as this configuration has it, with its secrets read again: a key may have been replaced
    /// since.
    ///
    /// # Errors
    /// What is wrong with it now. An account that is not there has no table, which is wrong as well.
    pub fn read_again(&self, account: &str) -> Result<Account, ConfigError> {
        self.origin.read(account)
    }

    /// The job of that name.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name.as_str() == name)
    }
}

/// The file a flag, a variable or the usual places name.
fn find(flag: Option<&Path>, environment: &Environment, places: [&Path; 2]) -> Result<PathBuf, Problem> {
    if let Some(file) = flag {
        return Ok(file.to_owned());
    }
    if environment.has(overlay::FILE_VARIABLE) {
        // Falling back to another file than the one that was meant could read another account.
        return environment.get(overlay::FILE_VARIABLE).map(PathBuf::from).ok_or_else(|| {
            let source = Source::new(&format!("environment variable {}", overlay::FILE_VARIABLE));
            Problem::at(&source, "it is empty or no UTF-8")
                .remedy("set it to the path of a configuration, or unset it")
        });
    }
    places.iter().find(|place| place.exists()).map(|place| place.to_path_buf()).ok_or_else(|| {
        let [here, system] = places.map(Path::display);
        Problem::at(&Source::new("configuration"), &format!("there is neither {here} nor {system}"))
            .remedy(&format!("name a file with --config FILE, or write one of the two:\n\n{EXAMPLE}"))
    })
}

fn read_text(file: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(file).map_err(|error| {
        Problem::at(&Source::new(&file.display().to_string()), &format!("this file cannot be read: {error}"))
            .remedy("check the path and its permissions")
    })
}

/// What reading a configuration needs besides its text.
#[derive(Clone, Copy)]
struct About<'a> {
    environment: &'a Environment,
    known: KnownNames<'a>,
    secrets: Secrets,
}

fn read(file: &Path, mut tree: Node, about: About<'_>, problems: &Problems) -> Option<Config> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let job_settings = tree.take("jobs");
    if let Some(node) = job_settings.as_ref().filter(|node| !node.is_table()) {
        let problem = Problem::at(node.source(), "this is no table").key("jobs");
        problems.add(problem.remedy("write a table for each job whose settings you change: [jobs.orders]"));
    }
    let origin = Origin::of(&tree, folder, about);
    let account_names: Vec<String> =
        tree.get_mut("accounts").iter().flat_map(|accounts| accounts.keys()).map(str::to_owned).collect();
    let root = Section::root(&tree, problems);
    let warehouse = warehouse(&root, folder);
    let log = log(&root);
    let publish = publish::read(&root, folder);
    let metrics = metrics::read(&root, folder);
    let accounts = account::read_all(&root, folder, about);
    let jobs_dir = root.read("jobs_dir", |path| {
        if path.is_empty() { Err("write a path".to_owned()) } else { Ok(folder.join(path)) }
    });
    root.know(&["jobs"]);
    let files = match &jobs_dir {
        Some(dir) => jobs::of_folder(dir, root.source_of("jobs_dir"), problems),
        None if root.has("jobs_dir") => Vec::new(),
        None => jobs::built_in(),
    };
    root.finish();
    let jobs = jobs::read(files, job_settings, about.known.streams, problems);
    jobs::check_accounts(&jobs, &account_names, problems);
    Some(Config {
        file: file.to_owned(),
        warehouse: warehouse?,
        accounts: accounts?,
        jobs,
        log,
        publish,
        metrics,
        origin,
    })
}

fn warehouse(root: &Section<'_>, folder: &Path) -> Option<PathBuf> {
    const REMEDY: &str = "write the path of the SQLite file: [warehouse] path = \"billing.sqlite\"";
    let Some(section) = root.table("warehouse") else {
        if !root.has("warehouse") {
            root.missing("warehouse", REMEDY);
        }
        return None;
    };
    let path = section.required("path", REMEDY, |path| {
        if path.is_empty() { Err(REMEDY.to_owned()) } else { Ok(folder.join(path)) }
    });
    section.finish();
    path
}

fn log(root: &Section<'_>) -> Log {
    let mut log = Log { format: LogFormat::Text, level: tracing::Level::INFO };
    if let Some(section) = root.table("log") {
        let format = section.read("format", |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("write \"text\" or \"json\"".to_owned()),
        });
        let level = section.read("level", |text| match text {
            "error" => Ok(tracing::Level::ERROR),
            "warn" => Ok(tracing::Level::WARN),
            "info" => Ok(tracing::Level::INFO),
            "debug" => Ok(tracing::Level::DEBUG),
            "trace" => Ok(tracing::Level::TRACE),
            _ => Err("write \"error\", \"warn\", \"info\", \"debug\" or \"trace\"".to_owned()),
        });
        log = Log { format: format.unwrap_or(log.format), level: level.unwrap_or(log.level) };
        section.finish();
    }
    log
}

#[cfg(test)]
mod tests;
