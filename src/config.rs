//! What the person wants: files, environment and flags become one `Config`, or a list of everything wrong with them.

use std::path::{Path, PathBuf};

use crate::job::Job;
use crate::settings::{Node, Problem, Problems, Section, SettingSource};
use file::{PLACES, find, read_text};
use given::ConfigInputs;

mod account;
mod account_tables;
mod environment;
mod error;
mod file;
mod given;
mod jobs;
mod log;
mod metrics;
mod overlay;
mod publish;
mod secret;

pub use crate::scope::Role;
pub use account::Account;
use account_tables::AccountTables;
pub use environment::Environment;
pub use error::ConfigError;
pub use given::{Flags, KnownNames, Secrets};
pub use log::{Log, LogFormat};
pub use metrics::Metrics;
pub use publish::{Publish, PublishWhen};
pub use secret::{SecretPlace, SecretSource};

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
    origin: AccountTables,
    /// Where a monitor finds the figures of the program.
    pub metrics: Metrics,
}

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
            Node::empty(SettingSource::new(&file.display().to_string()))
        });
        // What follows from an unreadable file (keys missing everywhere) would only hide the cause.
        if problems.is_empty() {
            overlay::environment(&mut tree, environment, &problems);
            overlay::flags(&mut tree, flags.set, &problems);
        }
        let about = ConfigInputs { environment, known, secrets: flags.secrets };
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

fn read(file: &Path, mut tree: Node, about: ConfigInputs<'_>, problems: &Problems) -> Option<Config> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let job_settings = tree.take("jobs");
    if let Some(node) = job_settings.as_ref().filter(|node| !node.is_table()) {
        let problem = Problem::at(node.source(), "this is no table").key("jobs");
        problems.add(problem.remedy("write a table for each job whose settings you change: [jobs.orders]"));
    }
    let origin = AccountTables::of(&tree, folder, about);
    let account_names: Vec<String> =
        tree.get_mut("accounts").iter().flat_map(|accounts| accounts.keys()).map(str::to_owned).collect();
    let root = Section::root(&tree, problems);
    let warehouse = warehouse(&root, folder);
    let log = log::read(&root);
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

#[cfg(test)]
mod tests;
