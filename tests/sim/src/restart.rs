//! From a script to a running vendor, and from one running vendor to another, which costs no thread and no port.

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

use super::{Control, Script, Shared, Sim, Truth, Ways, auth, quota, weather};

impl Shared {
    /// Truth, control and habits of a script.
    pub(super) fn of(mut script: Script) -> (Truth, Control, Ways) {
        let truth = script.take_truth();
        let ways = Ways {
            latency: script.latency,
            largest_page: script.largest_page,
            tells_quota: script.tells_quota,
            bounds: script.bounds,
            row_order: script.row_order,
            ties: script.ties,
            clock: script.clock,
        };
        let control = Control {
            calls: 0,
            faults: script.faults,
            meter: quota::Meter::new(),
            plan: script.plan,
            style: script.style,
            desk: auth::Desk::new(script.token_lifetime, script.skew),
            denied: script.denied,
            last_rows: HashMap::new(),
            counts: BTreeMap::new(),
            seen: Vec::new(),
            sky: weather::Sky::default(),
            changes: Vec::new(),
        };
        (truth, control, ways)
    }
}

impl Sim {
    /// Becomes another vendor on the same port: data, habits, faults, tokens and counts are the script's, as
    /// if it had just started. Answers under way are still given.
    pub fn restart(&self, script: Script) {
        let (truth, control, ways) = Shared::of(script);
        *self.shared.truth.write().unwrap_or_else(PoisonError::into_inner) = truth;
        *self.shared.ways.write().unwrap_or_else(PoisonError::into_inner) = ways;
        *self.shared.control() = control;
    }

    /// Serves another truth and forgets counts, faults, weather and changes; tokens, quotas and habits stay.
    pub fn replace(&self, truth: Truth) {
        self.change(|old| *old = truth);
        let mut control = self.shared.control();
        control.calls = 0;
        control.faults.clear();
        control.last_rows.clear();
        control.counts.clear();
        control.seen.clear();
        control.sky = weather::Sky::default();
        control.changes.clear();
    }
}
