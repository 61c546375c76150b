//! A page to store: what a walk hands over, and what came of it.

use std::sync::Arc;

use crate::page::Page;
use crate::scope::{Ask, Role, Scope};
use crate::stream::Stream;
use crate::time::{UtcSecond, Window};
use crate::walk::Walk;
use crate::warehouse::ledger::runs::RunId;

/// A page to store, and what it means for the walk it belongs to.
#[derive(Debug)]
pub struct PageCommit {
    /// The run that read it.
    pub run: RunId,
    /// Account of the configuration.
    pub account: String,
    /// The account's role.
    pub role: Role,
    /// The stream.
    pub stream: &'static dyn Stream,
    /// What was asked.
    pub ask: Ask,
    /// When the vendor answered.
    pub answered_at: UtcSecond,
    /// The rows.
    pub page: Page,
    /// Where the walk stands now.
    pub progress: WalkProgress,
    /// For entries of the queue: which generation of the entry this reading settles.
    pub generation: Option<i64>,
    /// How far an answer with few rows is believed.
    pub trust: Trust,
    /// Streams that cannot be asked for in this account: nothing is queued for them.
    pub out_of_reach: Arc<[&'static str]>,
}

/// How far a complete answer is believed that shows fewer rows than the warehouse has: with the wrong kind of
/// credential an endpoint may answer success without rows (vendor-contract.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing yet shows that this credential sees any rows of the stream.
    Unproven,
    /// Other answers of the run had rows.
    HasSeenRows,
    /// The operator says that it is true.
    Told,
}

/// Where a walk stands after a page.
#[derive(Debug)]
pub enum WalkProgress {
    /// It goes on here.
    Next(Walk),
    /// It begins anew: its end proved nothing.
    Again(Walk),
    /// It begins anew in smaller windows.
    Divided(Vec<(Scope, Walk)>),
    /// A page of a list that is read in slices: nothing to go on from.
    Slice,
    /// Everything was read.
    Complete {
        /// The walk.
        walk: Walk,
        /// The window that is proven, for scopes that are one.
        covered: Option<Window>,
        /// What proves it.
        proof: &'static str,
    },
    /// The vendor says in so many words that the order has no such records.
    NoRecords {
        /// The walk.
        walk: Walk,
        /// The vendor's words.
        proof: &'static str,
    },
    /// It ended several times without proof.
    Disputed {
        /// The last walk.
        walk: Walk,
        /// Why.
        reason: String,
    },
}

/// What a commit changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers stored.
    pub pages: u64,
    /// Rows in them.
    pub received: u64,
    /// Record rows that were new.
    pub inserted: u64,
    /// Record rows whose content changed.
    pub changed: u64,
    /// Rows that could not be decoded.
    pub quarantined: u64,
    /// Entries put into the queue.
    pub enqueued: u64,
    /// Orders that appeared in time that had been read completely before.
    pub late: u64,
}

impl Tally {
    /// Adds another commit's.
    pub const fn add(&mut self, other: Self) {
        self.pages += other.pages;
        self.received += other.received;
        self.inserted += other.inserted;
        self.changed += other.changed;
        self.quarantined += other.quarantined;
        self.enqueued += other.enqueued;
        self.late += other.late;
    }
}

/// What came of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// What it changed.
    pub tally: Tally,
    /// Why a complete answer is not believed: what was asked for is then to be read again.
    pub doubt: Option<String>,
}
