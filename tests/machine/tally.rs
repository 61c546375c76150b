//! What happened in all cases together.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

/// What must have happened in a full run, at least: so that the test cannot become a toy without anybody seeing it.
const LEAST: &[(&str, u64)] = &[
    ("runs", 40_000),
    ("kills", 4_000),
    ("changes", 50_000),
    ("faults", 25_000),
    ("cases walked again", 3_000),
    ("cases that ended equal", 9_500),
];

impl Tally {
    pub fn count(&mut self, what: &str, by: u64) {
        if by > 0 {
            *self.0.entry(what.to_owned()).or_default() += by;
        }
    }

    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, by)| self.count(what, *by));
    }

    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    #[track_caller]
    pub fn assert_interesting(&self) {
        for (what, least) in LEAST {
            let count = self.of(what);
            assert!(count >= *least, "{what}: {count}, at least {least} are wanted: the test became a toy");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9} {what}"))
    }
}
