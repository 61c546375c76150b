//! Instants and windows of billing time: UTC, whole seconds, as the vendor writes them.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, Utc};

/// The vendor's format of order, line and resource times: UTC, 20 characters (vendor-contract.md §3.3).
const VENDOR_FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Seconds by which the clock of billing months is ahead of UTC: UTC+8 (docs/finance/adding-up.md, "Months").
const BILLING_ZONE: i64 = 8 * 60 * 60;

/// An instant in UTC with the vendor's resolution of one second. Its text sorts as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcSecond(i64);

impl UtcSecond {
    /// The instant `seconds` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Later than anything the vendor writes: the last second of the year 9999.
    pub const FAR: Self = Self(253_402_300_799);

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Now, by this machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp())
    }

    /// Parses `yyyy-MM-ddTHH:mm:ssZ`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 20 {
            return None;
        }
        let parsed = NaiveDateTime::parse_from_str(text, VENDOR_FORMAT).ok()?;
        Some(Self(parsed.and_utc().timestamp()))
    }

    /// Parses the HTTP date of a `Date` or `Retry-After` header; `None` for anything else.
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| Self(date.timestamp()))
    }

    /// Midnight UTC of a calendar day.
    #[must_use]
    pub fn midnight(day: NaiveDate) -> Self {
        Self(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
    }

    /// This instant plus `seconds` (negative: earlier).
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This instant minus a duration, in whole seconds.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(seconds(duration)))
    }

    /// The billing month (`yyyy-MM`, in UTC+8) this instant belongs to, and where the next one begins.
    #[must_use]
    pub fn billing_month(self) -> (String, Self) {
        let local = self.plus(BILLING_ZONE).to_datetime();
        let first = NaiveDate::from_ymd_opt(local.year(), local.month(), 1).unwrap_or_default();
        let next = first.checked_add_months(Months::new(1)).map_or(Self::FAR, Self::midnight);
        (first.format("%Y-%m").to_string(), next.plus(-BILLING_ZONE))
    }

    /// This instant as a `chrono` date and time.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for UtcSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_datetime().format(VENDOR_FORMAT))
    }
}

impl fmt::Debug for UtcSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whole seconds of a duration, as instants count them.
#[must_use]
pub fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// A half-open interval `[begin, end)` of one of the API's time fields. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    begin: UtcSecond,
    end: UtcSecond,
}

impl Window {
    /// The window `[begin, end)`, or `None` when it would hold nothing.
    #[must_use]
    pub fn new(begin: UtcSecond, end: UtcSecond) -> Option<Self> {
        (begin < end).then_some(Self { begin, end })
    }

    /// First second of the window.
    #[must_use]
    pub const fn begin(&self) -> UtcSecond {
        self.begin
    }

    /// First second behind the window.
    #[must_use]
    pub const fn end(&self) -> UtcSecond {
        self.end
    }

    /// Cuts the window into consecutive ones of at most `seconds` each (at least one second), oldest first.
    #[must_use]
    pub fn split(&self, seconds: i64) -> Vec<Self> {
        let step = seconds.max(1);
        let mut parts = Vec::new();
        let mut begin = self.begin;
        while begin < self.end {
            let end = begin.plus(step).min(self.end);
            parts.push(Self { begin, end });
            begin = end;
        }
        parts
    }

    /// What remains of this window when `others` are taken out, oldest first.
    #[must_use]
    pub fn minus(&self, others: &[Self]) -> Vec<Self> {
        let mut sorted: Vec<Self> = others.to_vec();
        sorted.sort_unstable();
        let mut rest = Vec::new();
        let mut begin = self.begin;
        for other in sorted {
            rest.extend(Self::new(begin, other.begin.min(self.end)));
            begin = begin.max(other.end);
        }
        rest.extend(Self::new(begin, self.end));
        rest
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.begin, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(begin: i64, end: i64) -> Window {
        Window::new(UtcSecond(begin), UtcSecond(end)).expect("not empty")
    }

    #[test]
    fn vendor_times_parse_and_print_back() {
        let text = "2026-10-31T16:30:00Z";
        assert_eq!(UtcSecond::parse(text).map(|at| at.to_string()), Some(text.to_owned()));
        for wrong in ["", "2026-10-31", "2026-02-30T00:00:00Z", "2026-10-31T16:30:00+08:00"] {
            assert_eq!(UtcSecond::parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            UtcSecond::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").map(UtcSecond::unix),
            Some(784_111_777)
        );
    }

    proptest! {
        #[test]
        fn parts_cover_the_window_once(begin in 0i64..1000, len in 1i64..1000, step in -1i64..300) {
            let whole = window(begin, begin + len);
            let parts = whole.split(step);
            prop_assert_eq!(parts[0].begin(), whole.begin());
            prop_assert_eq!(parts[parts.len() - 1].end(), whole.end());
            prop_assert!(parts.windows(2).all(|pair| pair[0].end() == pair[1].begin()));
        }

        #[test]
        fn what_remains_is_what_no_other_holds(cuts in proptest::collection::vec((0i64..60, 1i64..20), 0..6)) {
            let whole = window(10, 50);
            let others: Vec<Window> = cuts.iter().map(|(at, len)| window(*at, at + len)).collect();
            let rest = whole.minus(&others);
            let holds = |set: &[Window], at: i64| set.iter().any(|w| w.begin.0 <= at && at < w.end.0);
            for at in 0..80 {
                prop_assert_eq!(holds(&rest, at), holds(&[whole], at) && !holds(&others, at));
            }
        }
    }
}
