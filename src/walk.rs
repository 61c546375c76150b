//! How one scope is paged to its end: cursors, and what makes the end an end. Pure; no clock, no network.

use std::collections::HashSet;

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
    /// Nothing promises the same order in two calls (`CONTRACT` §11.4): the next page begins with the last row
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
        /// Rows to skip: only inside a second that holds a page or more.
        offset: u64,
        /// Key and time of rows already seen that the next page may show again.
        edge: Vec<(String, Option<i64>)>,
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
    /// Key of the row that the next page must begin with; `None` at the start, and where rows are sorted.
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
pub struct Keys(HashSet<u64>);

impl Keys {
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
        keys: &mut Keys,
    ) -> Step {
        let received = page.rows.len() as u64;
        let offset = self.cursor.offset();
        let repeated = match &self.cursor {
            Cursor::Keyset { edge, .. } => {
                page.rows.iter().filter(|row| edge.iter().any(|(key, _)| *key == row.key)).count() as u64
            }
            Cursor::Offset(_) => u64::from(self.anchor.is_some()),
        };
        if self.anchor.is_some() && self.anchor.as_deref() != page.rows.first().map(|row| row.key.as_str()) {
            let reason = format!("row {offset} is not the one it was a page before: the list moved");
            return Step::Unproven(Self { requests: self.requests + 1, ..self }, reason);
        }
        let anchors = usize::from(self.anchor.is_some());
        let came_twice = || page.rows.iter().skip(anchors).find(|row| !keys.insert(&row.key));
        if let Some(row) = (paging == Paging::Offset).then(came_twice).flatten() {
            let key = crate::json::shorten(&row.key);
            let reason = format!("row {key} came twice: the list moved");
            return Step::Unproven(Self { requests: self.requests + 1, ..self }, reason);
        }
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
            // Without a total only a page without a new row ends a list: a short one may be the vendor's whim.
            (Paging::Keyset(_), None) => received == 0,
            (Paging::Offset, None) => received == repeated,
        };
        // A full page that claims to be the last could as well be the vendor's page size for its total: look behind it.
        let is_full = received >= u64::from(limit) && received > repeated;
        if says_end && !is_full {
            return walk.judge(page);
        }
        let is_stuck = matches!(walk.cursor, Cursor::Offset(_)) && received == repeated;
        if received == 0 || is_stuck {
            let total = page.total.unwrap_or_default();
            return Step::Unproven(walk, format!("no further row at row {offset} of {total}"));
        }
        let cursor = walk.cursor.after(&page.rows);
        let anchor = match cursor {
            Cursor::Offset(_) => page.rows.last().map(|row| row.key.clone()),
            Cursor::Keyset { .. } => None,
        };
        Step::Next(Self { cursor, anchor, ..walk })
    }

    fn judge(self, page: &Page) -> Step {
        // A row that left before the reader's place moved another one past it: what was seen then adds up to the
        // new number although one is missing.
        if let (Cursor::Offset(_), Some(first), Some(last)) = (&self.cursor, self.expected, page.total)
            && first != last
        {
            let reason = format!("{first} rows announced at the start, {last} at the end");
            return Step::Unproven(self, reason);
        }
        let announced = self.expected;
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
            // The last row again: the anchor.
            Self::Offset(offset) => Self::Offset(offset + received - 1),
            Self::Keyset { from, offset, edge } => {
                let last = rows.last().and_then(|row| row.time);
                let sorted = rows.is_sorted_by_key(|row| row.time);
                let new = rows
                    .iter()
                    .filter(|row| edge.iter().all(|(key, _)| *key != row.key))
                    .map(|row| (row.key.clone(), row.time.map(UtcSecond::unix)));
                let seen = edge.iter().cloned().chain(new);
                match last.map(|time| time.plus(-1).unix()) {
                    // One second before the last row, because the bound may be exclusive.
                    Some(next) if sorted && next > *from => {
                        let edge = seen.filter(|(_, time)| time.is_some_and(|time| time >= next)).collect();
                        Self::Keyset { from: next, offset: 0, edge }
                    }
                    // A page of one second, or of rows without order or time: skip inside it.
                    Some(_) | None => {
                        Self::Keyset { from: *from, offset: offset + received, edge: seen.collect() }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How the server reads the bounds of a window.
    #[derive(Clone, Copy, Debug)]
    enum Bounds {
        Inclusive,
        ExclusiveBegin,
        ExclusiveEnd,
    }

    fn at(second: i64) -> UtcSecond {
        UtcSecond::from_unix(second)
    }

    fn rows(times: &[i64]) -> Vec<RowMark> {
        let mut times = times.to_vec();
        times.sort_unstable();
        let mark = |(number, time): (usize, i64)| RowMark { key: number.to_string(), time: Some(at(time)) };
        times.into_iter().enumerate().map(mark).collect()
    }

    /// The page a server gives for a cursor.
    fn serve(all: &[RowMark], window: Window, cursor: &Cursor, limit: usize, bounds: Bounds) -> Page {
        let begin = cursor.keyset_from().unwrap_or(window.begin());
        let matches: Vec<RowMark> = all
            .iter()
            .filter(|row| {
                let time = row.time.expect("all rows have one");
                match bounds {
                    Bounds::Inclusive => begin <= time && time <= window.end(),
                    Bounds::ExclusiveBegin => begin < time && time <= window.end(),
                    Bounds::ExclusiveEnd => begin <= time && time < window.end(),
                }
            })
            .cloned()
            .collect();
        let offset = usize::try_from(cursor.offset()).expect("small");
        let rows = matches.iter().skip(offset).take(limit).cloned().collect();
        Page { rows, total: Some(matches.len() as u64), ..Page::default() }
    }

    fn bounds() -> impl Strategy<Value = Bounds> {
        prop_oneof![Just(Bounds::Inclusive), Just(Bounds::ExclusiveBegin), Just(Bounds::ExclusiveEnd)]
    }

    proptest! {
        #[test]
        fn a_keyset_walk_sees_every_row_of_its_window_and_proves_it(
            times in proptest::collection::vec(0i64..60, 0..120),
            limit in 1usize..12,
            bounds in bounds(),
        ) {
            let all = rows(&times);
            let window = Window::new(at(10), at(50)).expect("not empty");
            let paging = Paging::Keyset(window);
            let mut walk = Walk::start(paging, 1);
            let mut seen = std::collections::HashSet::new();
            let asked = u32::try_from(limit).expect("small");
            let walk = loop {
                let page = serve(&all, window, &walk.cursor, limit, bounds);
                seen.extend(page.rows.iter().map(|row| row.key.clone()));
                match walk.step(paging, asked, &page, at(100), &mut Keys::default()) {
                    Step::Next(next) => walk = next,
                    Step::Complete(walk) => break walk,
                    Step::Unproven(walk, reason) => panic!("{reason}: {walk:?}"),
                }
                prop_assert!(walk.requests < 2000, "a walk must come to an end");
            };
            for row in &all {
                let time = row.time.expect("all rows have one");
                if window.begin() <= time && time < window.end() {
                    prop_assert!(seen.contains(&row.key), "{row:?} is missing");
                }
            }
            prop_assert_eq!(walk.seen, seen.len() as u64);
        }

        #[test]
        fn a_checkpoint_reads_back_as_it_was(
            from: i64, offset: u64, edge in proptest::collection::vec((".*", proptest::option::of(0i64..9)), 0..3), seen: u64,
        ) {
            let walk = Walk {
                cursor: Cursor::Keyset { from, offset, edge },
                anchor: None,
                expected: None,
                seen,
                rejected: 0,
                requests: 1,
                attempt: 2,
                started_at: Some(from),
                generation: None,
            };
            let json = serde_json::to_string(&walk).expect("a walk is JSON");
            prop_assert_eq!(serde_json::from_str::<Walk>(&json).expect("it reads back"), walk);
        }
    }

    #[test]
    fn a_sparse_window_takes_hardly_more_requests_than_pages() {
        let times: Vec<i64> = (0..1000).map(|number| 100 + number * 60).collect();
        let all = rows(&times);
        let window = Window::new(at(100), at(100 + 60_000)).expect("not empty");
        let paging = Paging::Keyset(window);
        let mut walk = Walk::start(paging, 1);
        loop {
            let page = serve(&all, window, &walk.cursor, 100, Bounds::Inclusive);
            match walk.step(paging, 100, &page, at(0), &mut Keys::default()) {
                Step::Next(next) => walk = next,
                Step::Complete(done) => break assert_eq!(done.requests, 11),
                Step::Unproven(walk, reason) => panic!("{reason}: {walk:?}"),
            }
        }
    }

    /// An unsorted list of which some pages were read, ten rows at most each.
    struct List(Walk, Keys);

    impl List {
        fn new() -> Self {
            Self(Walk::start(Paging::Offset, 1), Keys::default())
        }

        /// What a page would mean, without going on.
        fn clone_read(&self, rows: Vec<RowMark>, total: u64) -> Step {
            Self(self.0.clone(), self.1.clone()).read(rows, total)
        }

        fn read(&mut self, rows: Vec<RowMark>, total: impl Into<Option<u64>>) -> Step {
            let page = Page { rows, total: total.into(), ..Page::default() };
            let step = self.0.clone().step(Paging::Offset, 10, &page, at(0), &mut self.1);
            if let Step::Next(walk) = &step {
                self.0 = walk.clone();
            }
            step
        }
    }

    #[track_caller]
    fn assert_unproven(step: &Step) {
        assert!(matches!(step, Step::Unproven(..)), "{step:?}");
    }

    #[test]
    fn rows_that_are_announced_but_never_come_prove_nothing() {
        assert_unproven(&List::new().read(Vec::new(), 3));
        let begun = || {
            let mut list = List::new();
            assert!(matches!(list.read(rows(&[1, 2]), 3), Step::Next(_)), "one more row was announced");
            list
        };
        let last = rows(&[1, 2]).split_off(1);
        // A row left, and another took its place.
        assert_unproven(&begun().read(last.clone(), 2));
        // The third row never came.
        assert_unproven(&begun().read(last.clone(), 3));
        // Another row stands in the place of the last.
        assert_unproven(&begun().read(rows(&[7, 8, 9]).split_off(2), 3));
        // The last row is where it was, and behind it comes one that was before it.
        assert_unproven(&begun().read([last, rows(&[1])].concat(), 3));
    }

    #[test]
    fn pages_of_an_unsorted_list_overlap_by_one_row() {
        let all = rows(&[1, 2, 3, 4, 5]);
        let mut list = List::new();
        assert!(matches!(list.read(all[..3].to_vec(), 5), Step::Next(_)));
        assert_eq!((list.0.cursor.offset(), list.0.anchor.as_deref()), (2, Some("2")));
        let Step::Complete(done) = list.read(all[2..].to_vec(), 5) else {
            panic!("five announced, five seen")
        };
        assert_eq!((done.seen, done.requests), (5, 2));
    }

    #[test]
    fn a_full_page_that_claims_to_be_the_last_is_looked_behind() {
        let all = rows(&[1; 12]);
        let mut list = List::new();
        assert!(matches!(list.read(all[..10].to_vec(), 10), Step::Next(_)));
        assert!(matches!(list.clone_read(all[9..10].to_vec(), 10), Step::Complete(_)), "it was the last");
        assert_unproven(&list.read(all[9..].to_vec(), 12));
    }

    #[test]
    fn without_a_total_only_a_page_without_a_new_row_ends_a_list() {
        let mut list = List::new();
        assert!(matches!(list.read(rows(&[1]), None), Step::Next(_)), "a short page is no end");
        assert!(matches!(list.read(rows(&[1]), None), Step::Complete(_)));
    }

    #[test]
    fn keys_read_back_as_they_were_stored() {
        let mut keys = Keys::default();
        keys.add_bytes(&Keys::to_bytes(&rows(&[1, 2])));
        assert_eq!((keys.len(), keys.holds("0"), keys.holds("2")), (2, true, false));
        assert!(!keys.insert("1") && keys.insert("2"));
    }
}
