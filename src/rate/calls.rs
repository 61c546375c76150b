//! The calls of the last window, so that a quota can be kept to without knowing how the gateway counts.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Most entries that are kept: calls of a window are counted one by one up to here, and in small groups beyond, so
/// that a quota of a million calls a day costs no more memory than this.
const MOST: u32 = 4096;

/// Calls close enough together to be one entry.
#[derive(Clone, Copy, Debug)]
struct Group {
    first: Instant,
    /// The group leaves the window with its last call: rather a call too late than one too early.
    last: Instant,
    calls: u32,
}

/// When the calls of the last window were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    groups: VecDeque<Group>,
    count: u32,
}

impl Calls {
    /// A call is sent at `now`, no earlier than all others; `limit` calls are allowed per `window`.
    pub(super) fn add(&mut self, now: Instant, limit: u32, window: Duration) {
        self.count = self.count.saturating_add(1);
        let grain = if limit > MOST { window / MOST } else { Duration::ZERO };
        match self.groups.back_mut() {
            Some(group) if grain > Duration::ZERO && now < group.first + grain => {
                group.last = group.last.max(now);
                group.calls = group.calls.saturating_add(1);
            }
            _ => self.groups.push_back(Group { first: now, last: now, calls: 1 }),
        }
    }

    /// A call sent at `sent` counted for nothing: it was refused, or never left.
    pub(super) fn remove(&mut self, sent: Instant) {
        let after = self.groups.partition_point(|group| group.first <= sent);
        let Some(at) = after.checked_sub(1) else { return };
        let Some(group) = self.groups.get_mut(at).filter(|group| sent <= group.last) else { return };
        group.calls -= 1;
        self.count -= 1;
        if group.calls == 0 {
            self.groups.remove(at);
        }
    }

    /// Forgets what was sent `window` or longer before `now`.
    pub(super) fn expire(&mut self, now: Instant, window: Duration) {
        while let Some(group) = self.groups.front().filter(|group| group.last + window <= now) {
            self.count -= group.calls;
            self.groups.pop_front();
        }
    }

    /// When one call more is within `limit` per `window`; at once for `None`. Looks at what is not yet expired.
    pub(super) fn free_at(&self, limit: u32, window: Duration) -> Option<Instant> {
        let mut over = self.count.checked_sub(limit)?;
        for group in &self.groups {
            if group.calls > over {
                return Some(group.last + window);
            }
            over -= group.calls;
        }
        None
    }

    /// Calls of the window, and those that have left it since the last look.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// When the first of the calls was sent.
    pub(super) fn first(&self) -> Option<Instant> {
        self.groups.front().map(|group| group.first)
    }

    /// The most calls that were ever sent in a time of this length.
    pub(super) fn most_in(&self, length: Duration) -> u32 {
        let (mut most, mut inside, mut first) = (0, 0u32, self.groups.iter());
        let mut oldest = first.next();
        for group in &self.groups {
            inside = inside.saturating_add(group.calls);
            while let Some(out) = oldest.filter(|oldest| oldest.last + length <= group.last) {
                inside -= out.calls;
                oldest = first.next();
            }
            most = most.max(inside);
        }
        most
    }

    /// Calls sent after an instant.
    pub(super) fn since(&self, from: Instant) -> u32 {
        let newest = self.groups.iter().rev().take_while(|group| group.last > from);
        newest.map(|group| group.calls).fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_call_more_is_free_when_the_first_of_a_full_window_leaves() {
        let start = Instant::now();
        let mut calls = Calls::default();
        for count in 0..5 {
            assert_eq!(calls.free_at(5, SECOND), None);
            calls.add(start + ms(count * 10), 5, SECOND);
        }
        assert_eq!(calls.free_at(5, SECOND), Some(start + SECOND));
        assert_eq!(calls.free_at(2, SECOND), Some(start + ms(1030)));
        assert_eq!((calls.most_in(SECOND), calls.most_in(ms(20)), calls.most_in(ms(21))), (5, 2, 3));
        calls.remove(start + ms(20));
        assert_eq!((calls.free_at(5, SECOND), calls.free_at(4, SECOND)), (None, Some(start + SECOND)));
        calls.expire(start + ms(1000), SECOND);
        assert_eq!(calls.since(start), 3);
        calls.remove(start + ms(11));
        assert_eq!(calls.since(start), 3);
    }

    #[test]
    fn a_million_calls_a_day_are_few_entries_and_never_too_many_calls() {
        let (limit, day) = (1_000_000, Duration::from_hours(24));
        let mut now = Instant::now();
        let start = now;
        let mut calls = Calls::default();
        for _ in 0..limit + 1000 {
            calls.expire(now, day);
            if let Some(free) = calls.free_at(limit, day) {
                assert!(free > now);
                now = free;
                calls.expire(now, day);
            }
            calls.add(now, limit, day);
            now += day / (2 * limit);
        }
        assert!(now >= start + day);
        assert!(calls.groups.len() <= 4097, "{}", calls.groups.len());
    }
}
