//! How one scope is paged to its end: cursors, and what makes the end an end. Pure; no clock, no network.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::page::{Page, RowMark};
use crate::time::{UtcSecond, Window};

/// How an answer is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// The list is sorted by creation time: the next page begins at the last row's time. Immune to rows that
    /// come and go before it.
    Keyset(Window),
    /// Nothing promises the same order in two calls (vendor-contract.md §11.4): the next page begins with the last row
    /// received, the anchor. Another row in its place means that rows were moved past the reader.
    Offset,
    /// One answer has everything.
    Unpaged,
}

/// Where the next page starts, in the vendor's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// Rows created at or after `from`, `offset` of them skipped.
    Keyset {
        /// Begin of the creation window to ask for, UTC seconds since 1970.
        from: i64,
        /// Rows to skip: only inside a second that holds a page or more, and in lists that turn out to be unsorted.
        offset: u64,
        /// Key and time of rows that pages with an earlier `from` have shown and pages with this one may show again.
        edge: Vec<(String, Option<i64>)>,
        /// What the pages with this `from` have shown, when `offset` skips it.
        #[serde(default)]
        skipped: SkippedRows,
    },
    /// Rows to skip.
    Offset(u64),
}

/// What a sorted walk passes by with an offset: the list must not move under it meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRows {
    /// Key and time of the rows.
    rows: Vec<(String, Option<i64>)>,
    /// Rows the vendor announced behind `from`.
    total: Option<u64>,
}

impl Cursor {
    /// Rows to skip.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        match self {
            Self::Keyset { offset, .. } | Self::Offset(offset) => *offset,
        }
    }

    /// Begin of the creation window to ask for.
    #[must_use]
    pub const fn keyset_from(&self) -> Option<UtcSecond> {
        match self {
            Self::Keyset { from, .. } => Some(UtcSecond::from_unix(*from)),
            Self::Offset(_) => None,
        }
    }
}

/// A walk through one scope, as it stands between two pages. Stored as checkpoint with the rows of each page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Where the next page starts.
    pub cursor: Cursor,
    /// Key of the row that the next page must begin with; `None` where nothing is skipped.
    #[serde(default)]
    pub anchor: Option<String>,
    /// Rows the vendor announced at the first page.
    pub expected: Option<u64>,
    /// Rows received so far, repeated ones counted once.
    pub seen: u64,
    /// Rows among them that could not be decoded.
    #[serde(default)]
    pub rejected: u64,
    /// Answers so far.
    pub requests: u64,
    /// Which try at this scope this is, from 1.
    pub attempt: u32,
    /// When the first page was answered, by the vendor's clock, UTC seconds since 1970.
    pub started_at: Option<i64>,
    /// For orders of the queue: the generation of the entry that is being read.
    #[serde(default)]
    pub generation: Option<i64>,
}

/// Keys of the rows that a walk by offset has seen, 8 bytes of each one's SHA-256: two keys that agree in these only
/// cost the walk its proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenKeys(HashSet<u64>);

impl SeenKeys {
    /// The keys of a page, as a checkpoint stores them.
    #[must_use]
    pub fn to_bytes(rows: &[RowMark]) -> Vec<u8> {
        rows.iter().flat_map(|row| Self::digest(&row.key).to_be_bytes()).collect()
    }

    /// Adds the keys of a stored page.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        let (keys, _) = bytes.as_chunks();
        self.0.extend(keys.iter().copied().map(u64::from_be_bytes));
    }

    /// Adds a key; false when it was there.
    pub fn insert(&mut self, key: &str) -> bool {
        self.0.insert(Self::digest(key))
    }

    /// Whether a row with this key was seen.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.0.contains(&Self::digest(key))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn digest(key: &str) -> u64 {
        let digest: [u8; 32] = Sha256::digest(key).into();
        digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkStep {
    /// Another page.
    Next(Walk),
    /// The end, and all announced rows were seen.
    Complete(Walk),
    /// The end, and it does not prove anything: why.
    Unproven(Walk, String),
}

impl Walk {
    /// The first page of a scope.
    #[must_use]
    pub fn start(paging: Paging, attempt: u32) -> Self {
        let cursor = match paging {
            // One second early: whether the bound is inclusive is not documented (vendor-contract.md §11.5).
            Paging::Keyset(window) => Cursor::keyset(window.begin().plus(-1).unix(), Vec::new()),
            Paging::Offset | Paging::Unpaged => Cursor::Offset(0),
        };
        Self {
            cursor,
            anchor: None,
            expected: None,
            seen: 0,
            rejected: 0,
            requests: 0,
            attempt,
            started_at: None,
            generation: None,
        }
    }

    /// Judges a page of at most `limit` rows that was asked for with this walk's cursor. `keys` are those of the rows
    /// before it.
    #[must_use]
    pub fn step(
        self,
        paging: Paging,
        limit: u32,
        page: &Page,
        answered_at: UtcSecond,
        keys: &mut SeenKeys,
    ) -> WalkStep {
        let received = page.rows.len() as u64;
        let offset = self.cursor.offset();
        let anchors = u64::from(self.anchor.is_some());
        if let Some(reason) = self.moved(page, keys) {
            let reason = format!("{reason}: the list moved");
            return WalkStep::Unproven(Self { requests: self.requests + 1, ..self }, reason);
        }
        let repeated = match &self.cursor {
            Cursor::Keyset { edge, .. } => {
                let is_known = |row: &&RowMark| edge.iter().any(|(key, _)| *key == row.key);
                anchors + page.rows.iter().skip(usize::from(anchors > 0)).filter(is_known).count() as u64
            }
            Cursor::Offset(_) => anchors,
        };
        let walk = Self {
            expected: self.expected.or(page.total),
            seen: self.seen + received - repeated,
            rejected: self.rejected + page.rejects.len() as u64,
            requests: self.requests + 1,
            started_at: self.started_at.or(Some(answered_at.unix())),
            ..self
        };
        let says_end = match (paging, page.total) {
            (Paging::Unpaged, _) => true,
            (Paging::Keyset(_) | Paging::Offset, Some(total)) => offset + received >= total,
            // Without a total only a page without a further row ends a list: a short one may be the vendor's whim.
            (Paging::Keyset(_) | Paging::Offset, None) => received <= anchors,
        };
        // A full page that claims to be the last could as well be the vendor's page size for its total: look behind it.
        let is_full = received >= u64::from(limit) && received > anchors;
        if says_end && !is_full {
            return walk.judge(page);
        }
        if received <= anchors {
            let total = page.total.unwrap_or_default();
            return WalkStep::Unproven(walk, format!("no further row at row {offset} of {total}"));
        }
        let cursor = walk.cursor.after(page);
        let anchor = page.rows.last().filter(|_| cursor.skips()).map(|row| row.key.clone());
        WalkStep::Next(Self { cursor, anchor, ..walk })
    }

    /// What shows that the page is not one state of the list, or that rows before it came or went since the page before, if
    /// anything does.
    fn moved(&self, page: &Page, keys: &mut SeenKeys) -> Option<String> {
        let anchor = self.anchor.as_deref();
        if anchor.is_some() && anchor != page.rows.first().map(|row| row.key.as_str()) {
            return Some(format!("row {} is not the one it was a page before", self.cursor.offset()));
        }
        let mut further = page.rows.iter().skip(usize::from(anchor.is_some()));
        let twice = match &self.cursor {
            Cursor::Offset(_) => further.find(|row| !keys.insert(&row.key)),
            Cursor::Keyset { from, skipped, .. } => {
                if let (Some(first), Some(now)) = (skipped.total, page.total)
                    && first != now
                {
                    return Some(format!("{first} rows announced a page before, {now} now"));
                }
                let is_too_old = |row: &&RowMark| row.time.is_some_and(|time| time.unix() < *from);
                if let Some(row) = page.rows.iter().find(is_too_old) {
                    let key = crate::json::shorten(&row.key);
                    return Some(format!("row {key} was created before what was asked for"));
                }
                let mut shown = HashSet::new();
                let in_page = page.rows.iter().find(|row| !shown.insert(row.key.as_str()));
                in_page.or_else(|| further.find(|row| skipped.rows.iter().any(|(key, _)| *key == row.key)))
            }
        };
        twice.map(|row| format!("row {} came twice", crate::json::shorten(&row.key)))
    }

    /// Up to where everything is seen, and the walk that proves it, when this answer to a sorted walk says so: the rows
    /// seen before its place and those that the vendor counts from there on are as many as it announced at the start.
    #[must_use]
    pub fn proven_before(&self, page: &Page) -> Option<(UtcSecond, Self)> {
        let Cursor::Keyset { from, edge, .. } = &self.cursor else { return None };
        // A number that never changes proves nothing: some must have been counted off.
        let before = self.seen.checked_sub(edge.len() as u64).filter(|before| *before > 0)?;
        if self.cursor.skips() || self.expected != Some(before + page.total?) {
            return None;
        }
        let requests = self.requests + 1;
        let proven = Self { expected: Some(before), seen: before, requests, ..self.clone() };
        Some((UtcSecond::from_unix(*from), proven))
    }

    fn judge(self, page: &Page) -> WalkStep {
        // A row that left before the reader's place moved another one past it: what was seen then adds up to the
        // new number although one is missing.
        if let (Cursor::Offset(_), Some(first), Some(last)) = (&self.cursor, self.expected, page.total)
            && first != last
        {
            let reason = format!("{first} rows announced at the start, {last} at the end");
            return WalkStep::Unproven(self, reason);
        }
        let announced = self.expected;
        match announced {
            Some(expected) if expected != self.seen => {
                let reason = format!("{} rows announced, {} seen", expected, self.seen);
                WalkStep::Unproven(self, reason)
            }
            Some(_) | None => WalkStep::Complete(self),
        }
    }
}

impl Cursor {
    /// Rows created at or after `from`, UTC seconds since 1970; those of `edge` were seen before.
    #[must_use]
    pub const fn keyset(from: i64, edge: Vec<(String, Option<i64>)>) -> Self {
        Self::Keyset { from, offset: 0, edge, skipped: SkippedRows { rows: Vec::new(), total: None } }
    }

    /// Whether the next page is found by rows that it leaves out.
    const fn skips(&self) -> bool {
        match self {
            Self::Keyset { skipped, .. } => !skipped.rows.is_empty(),
            Self::Offset(_) => true,
        }
    }

    /// The cursor behind a page, which has at least one row.
    fn after(&self, page: &Page) -> Self {
        // The last row again: the anchor.
        let behind = self.offset() + page.rows.len() as u64 - 1;
        let Self::Keyset { from, edge, skipped, .. } = self else { return Self::Offset(behind) };
        let last = page.rows.last().and_then(|row| row.time);
        let sorted = page.rows.is_sorted_by_key(|row| row.time);
        let shown = page.rows.iter().map(|row| (row.key.clone(), row.time.map(UtcSecond::unix)));
        // The anchor is there already.
        let skipped_rows = skipped.rows.iter().cloned().chain(shown.skip(usize::from(self.skips())));
        match last.map(|time| time.plus(-1).unix()) {
            // One second before the last row, because the bound may be exclusive.
            Some(next) if sorted && next > *from => {
                let known: BTreeMap<String, Option<i64>> = edge.iter().cloned().chain(skipped_rows).collect();
                let may_come_again =
                    |(_, time): &(String, Option<i64>)| time.is_some_and(|time| time >= next);
                Self::keyset(next, known.into_iter().filter(may_come_again).collect())
            }
            // A page of one second, or of rows without order or time: skip inside it.
            Some(_) | None => Self::Keyset {
                from: *from,
                offset: behind,
                edge: edge.clone(),
                skipped: SkippedRows { rows: skipped_rows.collect(), total: skipped.total.or(page.total) },
            },
        }
    }
}

#[cfg(test)]
mod tests;
