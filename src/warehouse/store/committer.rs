//! A page in hand: what coverage, doubt, the queue and the marking of what is gone share while it is stored.

use super::page::PageCommit;
use super::upsert::{Provenance, Upsert};
use crate::time::UtcSecond;
use crate::walk::Walk;
use crate::warehouse::file::transaction::Writing;

/// A page that is being stored inside a transaction.
pub(super) struct Committer<'a> {
    pub(super) connection: &'a Writing<'a>,
    pub(super) commit: &'a PageCommit,
    /// When the vendor answered, UTC text.
    pub(super) seen_at: &'a str,
}

impl<'a> Committer<'a> {
    pub(super) const fn new(connection: &'a Writing<'a>, commit: &'a PageCommit, seen_at: &'a str) -> Self {
        Self { connection, commit, seen_at }
    }

    /// Stores its records.
    pub(super) fn upsert(&self) -> Upsert<'a> {
        let PageCommit { account, role, ask, run, .. } = self.commit;
        let asked_customer = ask.customer_id.as_deref();
        let commit = self.connection.commit();
        let from =
            Provenance { account, role: *role, asked_customer, run: *run, commit, seen_at: self.seen_at };
        Upsert { connection: self.connection, from }
    }

    pub(super) fn account(&self) -> &'a str {
        &self.commit.account
    }

    pub(super) fn stream(&self) -> &'static str {
        self.commit.stream.name()
    }

    /// The customer who was asked for; empty when none was.
    pub(super) fn customer(&self) -> &'a str {
        self.commit.ask.customer_id.as_deref().unwrap_or_default()
    }
}

/// When a walk's first page was answered, as records and ledger have it.
pub(super) fn began(walk: &Walk) -> Option<String> {
    walk.started_at.map(|at| UtcSecond::from_unix(at).to_string())
}
