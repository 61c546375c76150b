//! What is wrong with a configuration: collected, so that a person can correct everything at once.

use std::cell::RefCell;
use std::fmt;

use super::source::SettingSource;

/// Longest value a message repeats, in characters: enough to recognise it, short enough for one line.
const SHOWN: usize = 80;

/// One thing that is wrong: where, at which key, with which value, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: String,
    key: Option<String>,
    value: Option<String>,
    what: String,
    remedy: Option<String>,
}

impl Problem {
    /// A problem at a place; `what` is a lower-case fragment.
    #[must_use]
    pub fn at(source: &SettingSource, what: &str) -> Self {
        Self {
            place: source.as_str().to_owned(),
            key: None,
            value: None,
            what: what.to_owned(),
            remedy: None,
        }
    }

    /// Names the dotted key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// Repeats the value, shortened, control characters escaped. Never call it with a secret.
    ///
    /// A URL with a user or password in it is not repeated either.
    #[must_use]
    pub fn value(self, value: &str) -> Self {
        if value.contains('@') {
            return self;
        }
        let mut shown: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
        if value.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        Self { value: Some(shown), ..self }
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(self, remedy: &str) -> Self {
        Self { remedy: Some(remedy.to_owned()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        match (&self.key, &self.value) {
            (Some(key), Some(value)) => write!(f, ": {key} = \"{value}\": {}", self.what)?,
            (Some(key), None) => write!(f, ": {key}: {}", self.what)?,
            (None, _) => write!(f, ": {}", self.what)?,
        }
        self.remedy.iter().try_for_each(|remedy| write!(f, "\n  {remedy}"))
    }
}

/// The problems found so far, shared by all who read one configuration.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Adds one.
    pub fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All of them, in the order they were found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}
