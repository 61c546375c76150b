//! What one walk reads, and how it ended.

use crate::scope::Ask;
use crate::time::UtcSecond;
use crate::walk::{SeenKeys, Walk};
use crate::warehouse::OpenWalk;

/// One scope to walk.
#[derive(Clone, Debug)]
pub(in crate::run) struct Unit {
    pub(in crate::run) ask: Ask,
    /// Where to begin: at the start, or where the last run stopped.
    pub(in crate::run) walk: Walk,
    /// The rows that the walk has seen so far, where it goes by offset.
    pub(in crate::run) keys: SeenKeys,
}

impl Unit {
    pub(in crate::run) fn new(ask: Ask, walk: Walk) -> Self {
        Self { ask, walk, keys: SeenKeys::default() }
    }
}

impl From<OpenWalk> for Unit {
    fn from(open: OpenWalk) -> Self {
        Self { ask: open.ask, walk: open.walk, keys: open.keys }
    }
}

/// How a walk ended.
#[derive(Debug)]
pub(in crate::run) enum WalkEnd {
    /// Everything was seen: these rows, where the walk went by offset.
    Complete(SeenKeys),
    /// The list that has it does not show the order that was asked for, said the vendor then.
    Absent(UtcSecond),
    /// It proves nothing; smaller windows are to be walked instead.
    Divided(Vec<Unit>),
    /// It proves nothing; the list is to be read in slices instead.
    InSlices(Walk),
    Disputed(String),
}
