//! Where a value came from.

use std::sync::Arc;

/// Where a value came from, as a message says it: `bss-sync.toml line 7`, `environment variable X`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingSource(Arc<str>);

impl SettingSource {
    /// A place described in a person's words.
    #[must_use]
    pub fn new(place: &str) -> Self {
        Self(place.into())
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
