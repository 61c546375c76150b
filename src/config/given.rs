//! What a configuration is read with, besides its text.

use std::path::Path;

use super::environment::Environment;

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

/// What reading a configuration needs besides its text.
#[derive(Clone, Copy)]
pub(super) struct ConfigInputs<'a> {
    pub(super) environment: &'a Environment,
    pub(super) known: KnownNames<'a>,
    pub(super) secrets: Secrets,
}
