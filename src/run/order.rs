//! What is to be run.

use std::time::Duration;

use crate::config::Account;
use crate::job::Job;
use crate::time::Window;

/// What to run.
#[derive(Debug)]
pub struct Order<'a> {
    /// The jobs, in the order of the data's way.
    pub jobs: Vec<&'a Job>,
    /// The accounts.
    pub accounts: Vec<&'a Account>,
    /// How much of the past to read.
    pub extent: Extent,
    /// What the operator says about answers that are too short to be believed.
    pub word: ShortAnswers,
    /// How long each job may take, instead of its own deadline.
    pub deadline: Option<Duration>,
}

/// What the operator says about answers with far fewer rows than are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortAnswers {
    /// Nothing: they prove nothing.
    None,
    /// Nothing; but the credential was shown rows of orders a moment ago.
    RowsWereSeen,
    /// They are true.
    AcceptEmpty,
}

/// How much of the past a run reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What no run has read completely, and what can still change.
    Incremental,
    /// Everything from the start of the history, again.
    Full,
    /// These windows of creation time again, newest first, and what is queued.
    Windows(Vec<Window>),
    /// Whole lists again, and what is queued.
    Lists {
        /// Whose, where a partner asks customer by customer.
        customers: Vec<String>,
        /// Whether those of customers are read as well that were never read.
        new: NewCustomers,
    },
}

/// Whether lists of customers are read that were never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewCustomers {
    /// They are left alone.
    Leave,
    /// They are read.
    Read,
}
