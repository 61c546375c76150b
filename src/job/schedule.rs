//! When a job runs: cron expressions without their traps, and clock changes that neither double nor drop a run.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use cron::TimeUnitSpec;

use crate::time::UtcSecond;

/// Longest time a clock was ever set back in a zone that is in use; where the second pass of an hour may begin.
const LONGEST_FOLD: TimeDelta = TimeDelta::hours(3);
/// How far a search looks for the end of an hour that clocks skip (Samoa once skipped a whole day).
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// A cron expression with seconds first: `second minute hour day-of-month month day-of-week [year]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule(cron::Schedule);

impl Schedule {
    /// Reads an expression of six or seven fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    ///
    /// Refused although the parser behind it takes them: numbers for days of the week (it counts 1 = Sunday, a crontab
    /// 1 = Monday), restricting both the day of the month and of the week (it wants both, a crontab either), and
    /// expressions that never come true.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if !text.starts_with('@') {
            guard(text)?;
        }
        let schedule = cron::Schedule::from_str(text).map_err(|_| {
            "write seconds first: \"second minute hour day-of-month month day-of-week\", like \"0 */15 * * * *\" \
             (* , - / and names such as Mon are known; L, W and # are not)"
                .to_owned()
        })?;
        if schedule.after(&DateTime::UNIX_EPOCH).next().is_none() {
            return Err("no calendar has such a day: write one that comes".to_owned());
        }
        Ok(Self(schedule))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn expression(&self) -> &str {
        self.0.source()
    }

    /// The next `count` times after `after` in a zone, ascending, each an instant of its own.
    ///
    /// Where clocks go forward, a time that is skipped runs at the first instant after the gap, once. Where they go
    /// back, a time that comes twice runs the first time only, except for schedules of every hour: these keep their
    /// rhythm through both passes.
    #[must_use]
    pub fn next_times(&self, zone: Tz, after: UtcSecond, count: usize) -> Vec<DateTime<Tz>> {
        let after = after.to_datetime();
        let every_hour = self.0.hours().count() == 24;
        let start =
            after.with_timezone(&zone).naive_local().checked_sub_signed(LONGEST_FOLD).unwrap_or_default();
        let mut found = BTreeSet::new();
        // The expression is walked on the wall clock, as if that were UTC: there it has no gaps and no folds.
        for wall in self.0.after(&start.and_utc()) {
            let (first, second) = instants(zone, wall.naive_utc());
            // Later wall times never come before `first`, so nothing can still push in front of what was found.
            if found.iter().nth(count.saturating_sub(1)).is_some_and(|last| *last < first) {
                break;
            }
            found.extend(
                [Some(first), second.filter(|_| every_hour)].into_iter().flatten().filter(|at| *at > after),
            );
        }
        found.into_iter().take(count).map(|at| at.with_timezone(&zone)).collect()
    }
}

/// The instant a wall clock shows a time, and the second one when it shows it twice.
fn instants(zone: Tz, wall: NaiveDateTime) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) => (at.to_utc(), None),
        MappedLocalTime::Ambiguous(first, second) => (first.to_utc(), Some(second.to_utc())),
        MappedLocalTime::None => {
            // Gaps end at a full minute.
            let minute = wall.with_second(0).unwrap_or(wall);
            let end = (1..=LONGEST_GAP_MINUTES)
                .filter_map(|minutes| {
                    zone.from_local_datetime(&(minute + TimeDelta::minutes(minutes))).earliest()
                })
                .map(|at| at.to_utc())
                .next();
            (end.unwrap_or_else(|| wall.and_utc()), None)
        }
    }
}

/// Refuses what other crons understand differently.
fn guard(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    match fields.len() {
        6 | 7 => {}
        5 => {
            return Err(format!("five fields have no seconds here: write \"0 {text}\" (seconds come first)"));
        }
        found => {
            return Err(format!(
                "write six fields, seconds first, like \"0 */15 * * * *\"; these are {found}"
            ));
        }
    }
    let (day, weekday) = (fields[3], fields[5]);
    // The step behind a slash is no day.
    let mut weekdays = weekday.split(',').filter_map(|part| part.split('/').next());
    if weekdays.any(|part| part.bytes().any(|byte| byte.is_ascii_digit())) {
        return Err("write days of the week by name, like Mon or Mon-Fri: \
                    as numbers, 1 would be Sunday here and Monday in a crontab"
            .to_owned());
    }
    let every = |field: &str| matches!(field, "*" | "?");
    if !every(day) && !every(weekday) {
        return Err("restrict the day of the month or the day of the week, not both: \
                    a crontab would run on either, this program only where both agree"
            .to_owned());
    }
    Ok(())
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expression())
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({:?})", self.expression())
    }
}
