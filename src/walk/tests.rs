use super::*;
use proptest::prelude::*;

mod lists;

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
        limit in 2usize..12,
        bounds in bounds(),
    ) {
        let all = rows(&times);
        let window = Window::new(at(10), at(50)).expect("not empty");
        let paging = Paging::Keyset(window);
        let mut walk = Walk::start(paging, 1);
        let mut seen = HashSet::new();
        let asked = u32::try_from(limit).expect("small");
        let walk = loop {
            let page = serve(&all, window, &walk.cursor, limit, bounds);
            seen.extend(page.rows.iter().map(|row| row.key.clone()));
            match walk.step(paging, asked, &page, at(100), &mut SeenKeys::default()) {
                WalkStep::Next(next) => walk = next,
                WalkStep::Complete(walk) => break walk,
                WalkStep::Unproven(walk, reason) => panic!("{reason}: {walk:?}"),
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
        from: i64,
        offset: u64,
        edge in proptest::collection::vec((".*", proptest::option::of(0i64..9)), 0..3),
        total: Option<u64>,
        seen: u64,
    ) {
        let skipped = SkippedRows { rows: edge.clone(), total };
        let walk = Walk {
            cursor: Cursor::Keyset { from, offset, edge, skipped },
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

/// The step after the first page inside a dense second: `before` is what the list was, `after` what it is now.
fn step_inside_a_second(before: &[RowMark], after: &[RowMark]) -> WalkStep {
    let window = Window::new(at(10), at(50)).expect("not empty");
    let paging = Paging::Keyset(window);
    let mut walk = Walk::start(paging, 1);
    loop {
        let list = if walk.cursor.skips() { after } else { before };
        let page = serve(list, window, &walk.cursor, 10, Bounds::Inclusive);
        match walk.clone().step(paging, 10, &page, at(100), &mut SeenKeys::default()) {
            WalkStep::Next(next) if !walk.cursor.skips() => walk = next,
            step => return step,
        }
    }
}

#[test]
fn a_row_that_leaves_a_dense_second_is_noticed_though_the_number_is_right() {
    let before = rows(&[20; 15]);
    assert!(matches!(step_inside_a_second(&before, &before), WalkStep::Complete(_)));
    // The first one leaves, so that the eleventh slides to the tenth place; one more comes at the end.
    let after = [before[1..].to_vec(), vec![RowMark { key: "late".to_owned(), time: Some(at(30)) }]].concat();
    assert_unproven(&step_inside_a_second(&before, &after));
    // Rows behind the place come and go: what was announced is not what is there now.
    assert_unproven(&step_inside_a_second(&before, &before[..14]));
    // The same rows in another order.
    let mut shuffled = before.clone();
    shuffled.swap(2, 12);
    assert_unproven(&step_inside_a_second(&before, &shuffled));
}

#[test]
fn a_walk_may_be_cut_where_the_vendor_counts_the_seen_rows_less() {
    let all = rows(&[11, 12, 13, 14, 15, 16, 17, 18, 19]);
    let window = Window::new(at(10), at(50)).expect("not empty");
    let paging = Paging::Keyset(window);
    let first = serve(&all, window, &Walk::start(paging, 1).cursor, 4, Bounds::Inclusive);
    assert_eq!(Walk::start(paging, 1).proven_before(&first), None, "nothing was seen yet");
    let WalkStep::Next(walk) =
        Walk::start(paging, 1).step(paging, 4, &first, at(100), &mut SeenKeys::default())
    else {
        panic!("nine were announced")
    };
    let second = serve(&all, window, &walk.cursor, 4, Bounds::Inclusive);
    let (place, done) = walk.proven_before(&second).expect("eleven and twelve, and seven from thirteen on");
    assert_eq!((place, done.seen, done.expected, done.requests), (at(13), 2, Some(2), 2));
    // A row left, came, or the number is the same whatever is asked for.
    for total in [6, 8, 9] {
        assert_eq!(walk.proven_before(&Page { total: Some(total), ..second.clone() }), None, "{total}");
    }
    assert_eq!(walk.proven_before(&Page { total: None, ..second }), None);
}

/// Something that happens to a list.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// A row comes with this time, before or behind the others of its second.
    Comes(i64, bool),
    /// A row leaves.
    Leaves(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (prop_oneof![8i64..52, Just(20)], any::<bool>())
            .prop_map(|(time, is_first)| Happens::Comes(time, is_first)),
        any::<usize>().prop_map(Happens::Leaves),
    ]
}

/// A list that changes; within a second its rows stand by their keys.
struct Moving {
    rows: Vec<RowMark>,
    /// Rows that were there from the beginning and never left.
    steady: HashSet<String>,
    seen: HashSet<String>,
}

impl Moving {
    fn new(times: &[i64]) -> Self {
        let mut moving = Self { rows: rows(times), steady: HashSet::new(), seen: HashSet::new() };
        moving.sort();
        moving.steady = moving.rows.iter().map(|row| row.key.clone()).collect();
        moving
    }

    fn sort(&mut self) {
        self.rows.sort_by(|a, b| (a.time, &a.key).cmp(&(b.time, &b.key)));
    }

    fn change(&mut self, happens: Happens) {
        match happens {
            Happens::Comes(time, is_first) => {
                let place = if is_first { "!" } else { "~" };
                let key = format!("{place}{}", self.rows.len() + self.seen.len());
                self.rows.push(RowMark { key, time: Some(at(time)) });
                self.sort();
            }
            Happens::Leaves(which) if !self.rows.is_empty() => {
                let left = self.rows.remove(which % self.rows.len());
                self.steady.remove(&left.key);
            }
            Happens::Leaves(_) => {}
        }
    }

    /// A row between these instants that was there all the time and not seen.
    fn missed(&self, begin: UtcSecond, end: UtcSecond) -> Option<&RowMark> {
        let is_in = |row: &&RowMark| row.time.is_some_and(|time| begin <= time && time < end);
        self.rows
            .iter()
            .filter(is_in)
            .find(|row| self.steady.contains(&row.key) && !self.seen.contains(&row.key))
    }
}

/// What a vendor does to a sorted list while it is paged.
#[derive(Clone, Debug)]
enum Trouble {
    /// The list changes before these pages.
    Moves(Vec<(u64, Vec<Happens>)>),
    /// A page lacks a row.
    Hole(u64, usize),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let moves = (0u64..12, proptest::collection::vec(happens(), 1..5));
    prop_oneof![
        3 => proptest::collection::vec(moves, 0..3).prop_map(Trouble::Moves),
        1 => (0u64..12, any::<usize>()).prop_map(|(page, row)| Trouble::Hole(page, row)),
    ]
}

proptest! {
    // So many because two or three things must fall together for a row to be lost.
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn neither_the_end_of_a_sorted_walk_nor_a_cut_of_it_hides_a_row(
        times in proptest::collection::vec(prop_oneof![1 => 9i64..51, 1 => Just(20i64)], 0..60),
        trouble in trouble(),
        short in proptest::collection::vec(0u64..20, 0..3),
        limit in 2usize..12,
        bounds in bounds(),
    ) {
        let mut list = Moving::new(&times);
        let window = Window::new(at(10), at(50)).expect("not empty");
        let mut walk = Walk::start(Paging::Keyset(window), 1);
        let asked = u32::try_from(limit).expect("small");
        let is_proven = loop {
            if let Trouble::Moves(moves) = &trouble {
                let now = moves.iter().filter(|(when, _)| *when == walk.requests);
                now.flat_map(|(_, happens)| happens).for_each(|happens| list.change(*happens));
            }
            let mut page = serve(&list.rows, window, &walk.cursor, limit, bounds);
            if short.contains(&walk.requests) {
                page.rows.truncate(page.rows.len().div_ceil(2));
            }
            match trouble {
                Trouble::Hole(when, row) if when == walk.requests && !page.rows.is_empty() => {
                    page.rows.remove(row % page.rows.len());
                }
                _ => {}
            }
            if let Some((place, done)) = walk.proven_before(&page) {
                prop_assert_eq!(list.missed(window.begin(), place), None, "cut at {}", place);
                prop_assert_eq!(done.expected, Some(done.seen));
            }
            list.seen.extend(page.rows.iter().map(|row| row.key.clone()));
            prop_assert!(walk.requests < 300, "a walk must come to an end");
            match walk.step(Paging::Keyset(window), asked, &page, at(100), &mut SeenKeys::default()) {
                WalkStep::Next(next) => walk = next,
                WalkStep::Complete(_) => break true,
                WalkStep::Unproven(..) => break false,
            }
        };
        if is_proven {
            prop_assert_eq!(list.missed(window.begin(), window.end()), None);
        }
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
        match walk.step(paging, 100, &page, at(0), &mut SeenKeys::default()) {
            WalkStep::Next(next) => walk = next,
            WalkStep::Complete(done) => break assert_eq!(done.requests, 11),
            WalkStep::Unproven(walk, reason) => panic!("{reason}: {walk:?}"),
        }
    }
}

#[track_caller]
fn assert_unproven(step: &WalkStep) {
    assert!(matches!(step, WalkStep::Unproven(..)), "{step:?}");
}

#[test]
fn keys_read_back_as_they_were_stored() {
    let mut keys = SeenKeys::default();
    keys.add_bytes(&SeenKeys::to_bytes(&rows(&[1, 2])));
    assert_eq!((keys.len(), keys.holds("0"), keys.holds("2")), (2, true, false));
    assert!(!keys.insert("1") && keys.insert("2"));
}

#[test]
fn a_row_twice_in_one_page_proves_nothing_however_it_is_paged() {
    let window = Window::new(at(0), at(10)).expect("not empty");
    let page = |keys: &[&str]| {
        let mark = |key: &&str| RowMark { key: (*key).to_owned(), time: Some(at(5)) };
        Page { rows: keys.iter().map(mark).collect(), total: Some(3), ..Page::default() }
    };
    for paging in [Paging::Keyset(window), Paging::Offset, Paging::Unpaged] {
        let step =
            |keys| Walk::start(paging, 1).step(paging, 10, &page(keys), at(100), &mut SeenKeys::default());
        assert_unproven(&step(&["a", "b", "b"]));
        assert!(matches!(step(&["a", "b", "c"]), WalkStep::Complete(_)), "{paging:?}");
    }
}

/// The first page is cut short, and the second shows it again with a number of its own that makes the sum right.
#[test]
fn a_sorted_page_with_rows_from_before_its_begin_proves_nothing() {
    let window = Window::new(at(10), at(50)).expect("not empty");
    let paging = Paging::Keyset(window);
    let cut = rows(&[20, 22, 24, 26, 28, 30, 32, 34, 36, 38]);
    let page = |rows: &[RowMark], total| Page { rows: rows.to_vec(), total: Some(total), ..Page::default() };
    let begun =
        || match Walk::start(paging, 1).step(paging, 100, &page(&cut, 19), at(100), &mut SeenKeys::default())
        {
            WalkStep::Next(walk) => walk,
            other => panic!("nine more rows were announced: {other:?}"),
        };
    assert_unproven(&begun().step(paging, 100, &page(&cut, 10), at(100), &mut SeenKeys::default()));
    // What was created in the second that is asked for is as good as what follows.
    let again = [RowMark { key: "late".to_owned(), time: Some(at(37)) }, cut[9].clone()];
    let WalkStep::Next(_) = begun().step(paging, 100, &page(&again, 11), at(100), &mut SeenKeys::default())
    else {
        panic!("nine more rows were announced")
    };
}
