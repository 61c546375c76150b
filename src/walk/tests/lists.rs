//! Lists without an order: pages that overlap, and ends that prove something.

use super::*;

/// An unsorted list of which some pages were read, ten rows at most each.
struct List(Walk, SeenKeys);

impl List {
    fn new() -> Self {
        Self(Walk::start(Paging::Offset, 1), SeenKeys::default())
    }

    /// What a page would mean, without going on.
    fn clone_read(&self, rows: Vec<RowMark>, total: u64) -> WalkStep {
        Self(self.0.clone(), self.1.clone()).read(rows, total)
    }

    fn read(&mut self, rows: Vec<RowMark>, total: impl Into<Option<u64>>) -> WalkStep {
        let page = Page { rows, total: total.into(), ..Page::default() };
        let step = self.0.clone().step(Paging::Offset, 10, &page, at(0), &mut self.1);
        if let WalkStep::Next(walk) = &step {
            self.0 = walk.clone();
        }
        step
    }
}

#[test]
fn rows_that_are_announced_but_never_come_prove_nothing() {
    assert_unproven(&List::new().read(Vec::new(), 3));
    let begun = || {
        let mut list = List::new();
        assert!(matches!(list.read(rows(&[1, 2]), 3), WalkStep::Next(_)), "one more row was announced");
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
    assert!(matches!(list.read(all[..3].to_vec(), 5), WalkStep::Next(_)));
    assert_eq!((list.0.cursor.offset(), list.0.anchor.as_deref()), (2, Some("2")));
    let WalkStep::Complete(done) = list.read(all[2..].to_vec(), 5) else {
        panic!("five announced, five seen")
    };
    assert_eq!((done.seen, done.requests), (5, 2));
}

#[test]
fn a_full_page_that_claims_to_be_the_last_is_looked_behind() {
    let all = rows(&[1; 12]);
    let mut list = List::new();
    assert!(matches!(list.read(all[..10].to_vec(), 10), WalkStep::Next(_)));
    assert!(matches!(list.clone_read(all[9..10].to_vec(), 10), WalkStep::Complete(_)), "it was the last");
    assert_unproven(&list.read(all[9..].to_vec(), 12));
}

#[test]
fn without_a_total_only_a_page_without_a_new_row_ends_a_list() {
    let mut list = List::new();
    assert!(matches!(list.read(rows(&[1]), None), WalkStep::Next(_)), "a short page is no end");
    assert!(matches!(list.read(rows(&[1]), None), WalkStep::Complete(_)));
}
