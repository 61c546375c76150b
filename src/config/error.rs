//! Everything that is wrong with a configuration.

use std::fmt;

use crate::settings::Problem;

/// Everything that is wrong with a configuration; exit code 2.
///
/// It repeats wrong values, but never that of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError(pub(super) Vec<Problem>);

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
