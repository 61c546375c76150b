//! The settings that accounts were made from, kept so that the secrets they name can be read again.

use std::fmt;
use std::path::{Path, PathBuf};

use super::account::{self, Account};
use super::environment::Environment;
use super::error::ConfigError;
use super::given::{ConfigInputs, KnownNames, Secrets};
use crate::settings::{Node, Problems, Section};

/// Key of the accounts' tables.
const ACCOUNTS: &str = "accounts";

/// The table `accounts` as files, environment and flags made it, and what reading it needs.
#[derive(Clone)]
pub(super) struct AccountTables {
    root: Node,
    folder: PathBuf,
    environment: Environment,
    endpoints: Vec<String>,
    secrets: Secrets,
}

impl AccountTables {
    pub(super) fn of(root: &Node, folder: &Path, about: ConfigInputs<'_>) -> Self {
        Self {
            root: root.clone(),
            folder: folder.to_owned(),
            environment: about.environment.clone(),
            endpoints: about.known.endpoints.iter().map(|endpoint| (*endpoint).to_owned()).collect(),
            secrets: about.secrets,
        }
    }

    /// Reads one account, whatever is wrong with others.
    pub(super) fn read(&self, name: &str) -> Result<Account, ConfigError> {
        let mut tree = Node::empty(self.root.source().clone());
        let table = self.root.clone().take(ACCOUNTS).and_then(|mut accounts| accounts.take(name));
        if let Some(table) = table {
            tree.put(&[ACCOUNTS.to_owned(), name.to_owned()], table);
        }
        let endpoints: Vec<&str> = self.endpoints.iter().map(String::as_str).collect();
        let about = ConfigInputs {
            environment: &self.environment,
            known: KnownNames { streams: &[], endpoints: &endpoints },
            secrets: self.secrets,
        };
        let problems = Problems::default();
        let accounts = account::read_all(&Section::root(&tree, &problems), &self.folder, about);
        match accounts.and_then(|mut accounts| accounts.pop()) {
            Some(account) if problems.is_empty() => Ok(account),
            _ => Err(ConfigError(problems.into_vec())),
        }
    }
}

impl fmt::Debug for AccountTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").finish_non_exhaustive()
    }
}
