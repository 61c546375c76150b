//! How one scope is paged to its end: cursors, and what makes the end an end. Pure; no clock, no network.

use serde::{Deserialize, Serialize};

use crate::stream::{Page, RowMark};
use crate::time::{UtcSecond, Window};

/// How an answer is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// The list is sorted by creation time: the next page begins at the last row's time. Immune to rows that
    /// come and go before it.
    Keyset(Window),
    /// The next page begins behind the rows received.
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
        /// Rows to skip: only inside a second that holds a page or more.
        offset: u64,
        /// Keys already seen of rows that the next page may show again.
        edge: Vec<String>,
    },
    /// Rows to skip.
    Offset(u64),
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
    /// Rows the vendor announced at the first page.
    pub expected: Option<u64>,
    /// Rows received so far, repeated ones counted once.
    pub seen: u64,
    /// Answers so far.
    pub requests: u64,
    /// Which try at this scope this is, from 1.
    pub attempt: u32,
    /// When the first page was answered, by the vendor's clock, UTC seconds since 1970.
    pub started_at: Option<i64>,
}

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
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
            // One second early: whether the bound is inclusive is not documented (`CONTRACT` §11.5).
            Paging::Keyset(window) => {
                Cursor::Keyset { from: window.begin().plus(-1).unix(), offset: 0, edge: Vec::new() }
            }
            Paging::Offset | Paging::Unpaged => Cursor::Offset(0),
        };
        Self { cursor, expected: None, seen: 0, requests: 0, attempt, started_at: None }
    }

    /// Judges a page that was asked for with this walk's cursor.
    #[must_use]
    pub fn step(self, paging: Paging, page: &Page, answered_at: UtcSecond) -> Step {
        let received = page.rows.len() as u64;
        let offset = self.cursor.offset();
        let repeated = match &self.cursor {
            Cursor::Keyset { edge, .. } => {
                page.rows.iter().filter(|row| edge.contains(&row.key)).count() as u64
            }
            Cursor::Offset(_) => 0,
        };
        let walk = Self {
            expected: self.expected.or(page.total),
            seen: self.seen + received - repeated,
            requests: self.requests + 1,
            started_at: self.started_at.or(Some(answered_at.unix())),
            ..self
        };
        let at_end = match (paging, page.total) {
            (Paging::Unpaged, _) => true,
            (Paging::Keyset(_) | Paging::Offset, Some(total)) => offset + received >= total,
            // Without a total only an empty page ends a list: a short one may be the vendor's whim.
            (Paging::Keyset(_) | Paging::Offset, None) => received == 0,
        };
        if at_end {
            return walk.judge(page);
        }
        if received == 0 {
            let total = page.total.unwrap_or_default();
            return Step::Unproven(walk, format!("an empty page at row {offset} of {total}"));
        }
        let cursor = walk.cursor.after(&page.rows);
        Step::Next(Self { cursor, ..walk })
    }

    fn judge(self, page: &Page) -> Step {
        // A list that moved while it was read announces another number at its end.
        let announced = match &self.cursor {
            Cursor::Offset(_) => page.total.or(self.expected),
            Cursor::Keyset { .. } => self.expected,
        };
        match announced {
            Some(expected) if expected != self.seen => {
                let reason = format!("{} rows announced, {} seen", expected, self.seen);
                Step::Unproven(self, reason)
            }
            Some(_) | None => Step::Complete(self),
        }
    }
}

impl Cursor {
    /// The cursor behind these rows, of which there is at least one.
    fn after(&self, rows: &[RowMark]) -> Self {
        let received = rows.len() as u64;
        match self {
            Self::Offset(offset) => Self::Offset(offset + received),
            Self::Keyset { from, offset, edge } => {
                let last = rows.last().and_then(|row| row.time);
                let sorted = rows.is_sorted_by_key(|row| row.time);
                match last.map(|time| time.plus(-1).unix()) {
                    // One second before the last row, because the bound may be exclusive.
                    Some(next) if sorted && next > *from => Self::Keyset {
                        from: next,
                        offset: 0,
                        edge: rows
                            .iter()
                            .filter(|row| row.time.is_some_and(|time| time.unix() >= next))
                            .map(|row| row.key.clone())
                            .collect(),
                    },
                    // A page of one second, or of rows without order or time: skip inside it.
                    Some(_) | None => {
                        let mut edge = edge.clone();
                        edge.extend(rows.iter().map(|row| row.key.clone()));
                        Self::Keyset { from: *from, offset: offset + received, edge }
                    }
                }
            }
        }
    }
}
