//! What is said about one thing that was looked at.

use serde::{Serialize, Serializer};

use crate::client::{ExitClass, FetchError};

/// What is said about one thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// The account; `None` for what concerns all.
    pub account: Option<String>,
    /// What was looked at.
    pub what: String,
    /// How it stands.
    pub verdict: LineVerdict,
    /// What was found, or what is wrong, as a fragment.
    pub detail: String,
    /// What to do about it; empty where nothing is to be done.
    pub advice: String,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineVerdict {
    /// As it should be.
    Fine,
    /// Runs work, and a person should look.
    Warning,
    /// Runs will fail.
    Failed(CheckFault),
    /// Nobody asked, or it cannot be known.
    NotChecked,
}

/// What kind of failure, in the order of urgency: what stands first hides what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckFault {
    /// The configuration is wrong.
    Configuration,
    /// The warehouse, its folder or its disk.
    Warehouse,
    /// The vendor refuses.
    Refused,
    /// Anything else.
    Other,
    /// The vendor could not be reached, or did not answer in time.
    Unreachable,
}

impl CheckFault {
    /// The exit code that a run would end with (docs/operate/exit-codes.md).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Configuration => 2,
            Self::Warehouse => 6,
            Self::Refused => 5,
            Self::Other => 1,
            Self::Unreachable => 4,
        }
    }
}

impl LineVerdict {
    /// The verdict in a word or two.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Failed(_) => "failed",
            Self::NotChecked => "not checked",
        }
    }
}

impl Serialize for LineVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl CheckLine {
    fn new(what: &str, verdict: LineVerdict, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        let (detail, advice) = (detail.into(), advice.into());
        Self { account: None, what: what.to_owned(), verdict, detail, advice }
    }

    /// All is well.
    #[must_use]
    pub fn fine(what: &str, detail: impl Into<String>) -> Self {
        Self::new(what, LineVerdict::Fine, detail, "")
    }

    /// A person should look.
    #[must_use]
    pub fn warning(what: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(what, LineVerdict::Warning, detail, advice)
    }

    /// Runs will fail.
    #[must_use]
    pub fn failed(
        what: &str,
        fault: CheckFault,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(what, LineVerdict::Failed(fault), detail, advice)
    }

    /// Nobody knows, and why.
    #[must_use]
    pub fn not_checked(what: &str, why: impl Into<String>) -> Self {
        Self::new(what, LineVerdict::NotChecked, why, "")
    }

    /// What the vendor's refusal, or its silence, means.
    #[must_use]
    pub fn of_answer(what: &str, error: &FetchError) -> Self {
        let fault = match error.exit_class() {
            ExitClass::Refused => CheckFault::Refused,
            ExitClass::NotFinished => CheckFault::Unreachable,
            ExitClass::Failed => CheckFault::Other,
        };
        Self::failed(what, fault, error.to_string(), error.advice())
    }

    /// The same, about an account.
    #[must_use]
    pub fn about(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }
}
