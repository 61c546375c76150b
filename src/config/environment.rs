//! The environment variables of a process, as a value that can be passed and made up.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// Environment variables by name. Any of them may hold a secret, so values are never shown and wiped when dropped.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Option<SecretString>>);

impl Environment {
    /// The variables of this process; the only place that reads them. A value that is no UTF-8 counts as wrong, not as
    /// missing, when somebody asks for it.
    #[must_use]
    pub fn of_process() -> Self {
        let name_and_value = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok().map(SecretString::from)))
        };
        Self(std::env::vars_os().filter_map(name_and_value).collect())
    }

    /// Made-up variables.
    #[must_use]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Some(SecretString::from(value))))
                .collect(),
        )
    }

    /// The value of a variable that is no secret; `None` when missing, empty or no UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_ref().map(ExposeSecret::expose_secret).filter(|value| !value.is_empty())
    }

    /// Whether there is such a variable, whatever its value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether there is such a variable with a value, be it no UTF-8.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        let filled = |value: &Option<SecretString>| {
            value.as_ref().is_none_or(|value| !value.expose_secret().is_empty())
        };
        self.0.get(name).is_some_and(filled)
    }

    /// The value of a variable that holds a secret, without the line end that reading a file into it may leave.
    ///
    /// # Errors
    /// Why there is none, as a lower-case fragment without the value.
    pub(super) fn secret(&self, name: &str) -> Result<SecretString, &'static str> {
        match self.0.get(name) {
            None => Err("is not set"),
            Some(None) => Err("is no UTF-8"),
            Some(Some(value)) => one_line(value),
        }
    }

    /// The variables whose name begins with `prefix`, sorted: what follows the prefix, and the value if it is UTF-8.
    pub(super) fn beginning_with<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let rest = move |(name, value): (&'a String, &'a Option<SecretString>)| {
            Some((name.strip_prefix(prefix)?, value.as_ref().map(ExposeSecret::expose_secret)))
        };
        self.0.iter().filter_map(rest)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Strips the line break editors add, and refuses what is more or less than one line.
pub(super) fn one_line(text: &SecretString) -> Result<SecretString, &'static str> {
    let whole = text.expose_secret();
    let line = whole.strip_suffix('\n').unwrap_or(whole);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("is empty");
    }
    if line.chars().any(char::is_control) {
        return Err("has more than one line or control characters");
    }
    Ok(SecretString::from(line))
}
