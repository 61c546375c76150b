//! A job: which stream to read, when, how far back and how patiently; one file each in `jobs/`.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use crate::request::ResellerIn;
use crate::scope::Role;
use crate::settings::{Node, Problem, Problems, Section, duration, is_name, nearest};
use crate::stream::{CATALOGUE, Spec};
use crate::time::UtcSecond;

mod schedule;

pub use schedule::Schedule;

/// The jobs of this build, name and text: those of the catalogue's streams, in its order, parents before their dependents. What
/// is nobody's in particular comes last.
#[must_use]
pub fn built_in() -> Vec<(&'static str, &'static str)> {
    let mut specs: Vec<&Spec> = CATALOGUE.iter().map(|stream| stream.spec()).collect();
    specs.sort_by_key(|spec| spec.endpoint.reseller == ResellerIn::Needless);
    specs.iter().map(|spec| (spec.name, spec.job)).collect()
}

/// Billing months are months of this zone, so a person who says nothing means its clock (UTC+8).
const DEFAULT_ZONE: Tz = chrono_tz::Asia::Shanghai;
/// The vendor attributes refunds since May 2018 (vendor-contract.md §10); an earlier start only costs a request a
/// window.
const DEFAULT_HISTORY_START: (i32, u32, u32) = (2018, 5, 1);
/// Rows may appear late, and two hours of orders are a page or a few.
const DEFAULT_OVERLAP: Duration = Duration::from_hours(2);
/// The youngest rows are still being written while they are read, and a minute later is soon enough to read them.
const DEFAULT_SETTLE: Duration = Duration::from_mins(1);
/// A month: what is proven at once, and what is read again at most after a disputed walk.
const DEFAULT_WINDOW: Duration = Duration::from_hours(31 * 24);
/// Old orders change seldom, and reading a year again takes a request per hundred orders.
const DEFAULT_SWEEP: Duration = Duration::from_hours(7 * 24);
/// 13 months: a year to compare with, and the running month.
const DEFAULT_SWEEP_REACH: Duration = Duration::from_hours(400 * 24);
/// Whole lists (catalogues, resources, customers) change seldom.
const DEFAULT_REFRESH: Duration = Duration::from_hours(24);

/// Names a job: 1 to 64 of `A-Z a-z 0-9 _ -`; the stem of its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(String);

impl JobName {
    /// The name, or `None` when the text cannot be one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stream and how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Stem of its file; two jobs may read one stream.
    pub name: JobName,
    /// A stream of the catalogue.
    pub stream: String,
    /// When `serve` runs it; `None`: only when asked by name.
    pub schedule: Option<Schedule>,
    /// Zone in which the schedule is meant. Windows are always UTC.
    pub time_zone: Tz,
    /// First day of the history; it begins at midnight UTC.
    pub history_start: NaiveDate,
    /// How far behind its watermark a run begins again, for rows that appear late.
    pub overlap: Duration,
    /// How far behind now a run ends, for rows still being written.
    pub settle: Duration,
    /// Largest window of a first load. One order query may span a year (vendor-contract.md §3.3), and asks for a second
    /// more than its window.
    pub window: Duration,
    /// How often the last months are read again, for changes that no filter of the vendor finds.
    pub sweep: Duration,
    /// How far back a sweep reads.
    pub sweep_reach: Duration,
    /// How old a whole list may be before it is read again.
    pub refresh: Duration,
    /// How long one run may take; what is left stays queued. `None`: as long as it takes.
    pub deadline: Option<Duration>,
    /// The accounts to read; `None`: all.
    pub accounts: Option<Vec<String>>,
    /// The roles of accounts to read; `None`: all.
    pub roles: Option<Vec<Role>>,
}

impl Job {
    /// Reads a job from the text of its file; `streams` are the names of the catalogue.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(name: JobName, file: &Path, text: &str, streams: &[&str]) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let job = match Node::of_toml(file, text) {
            Ok(tree) => Self::read(name, Section::root(&tree, &problems), streams),
            Err(problem) => return Err(vec![problem]),
        };
        match job {
            Some(job) if problems.is_empty() => Ok(job),
            _ => Err(problems.into_vec()),
        }
    }

    /// Reads a job from a table of settings; what is wrong is reported there. `None` without a usable stream.
    pub(crate) fn read(name: JobName, from: Section<'_>, streams: &[&str]) -> Option<Self> {
        let stream = from.required("stream", &format!("write one of {}", streams.join(", ")), |text| {
            if streams.contains(&text) { Ok(text.to_owned()) } else { Err(unknown_stream(text, streams)) }
        });
        let schedule = from.read("schedule", Schedule::parse);
        let time_zone = from.read("time_zone", zone).unwrap_or(DEFAULT_ZONE);
        let history_start = from.read("history_start", day);
        let overlap = from.read("overlap", |text| between(text, "1s", "366d")).unwrap_or(DEFAULT_OVERLAP);
        let settle = from.read("settle", |text| between(text, "0s", "1d")).unwrap_or(DEFAULT_SETTLE);
        let window = from.read("window", |text| between(text, "1m", "364d")).unwrap_or(DEFAULT_WINDOW);
        let sweep = from.read("sweep", |text| between(text, "1h", "366d")).unwrap_or(DEFAULT_SWEEP);
        let sweep_reach =
            from.read("sweep_reach", |text| between(text, "1d", "3660d")).unwrap_or(DEFAULT_SWEEP_REACH);
        let refresh = from.read("refresh", |text| between(text, "1m", "366d")).unwrap_or(DEFAULT_REFRESH);
        let deadline = from.read("deadline", |text| between(text, "1s", "30d"));
        let accounts = from.list("accounts", |text| {
            if is_name(text) {
                Ok(text.to_owned())
            } else {
                Err("write the names of configured accounts".to_owned())
            }
        });
        let roles = from.list("roles", role);
        let none = [("accounts", accounts.as_ref().map(Vec::len)), ("roles", roles.as_ref().map(Vec::len))];
        for (key, _) in none.iter().filter(|(_, len)| *len == Some(0)) {
            from.report(
                key,
                "this list is empty, so the job would read nothing",
                "name at least one, or remove the key to read all",
            );
        }
        from.finish();
        Some(Self {
            name,
            stream: stream?,
            schedule,
            time_zone,
            history_start: history_start.unwrap_or_else(default_history_start),
            overlap,
            settle,
            window,
            sweep,
            sweep_reach,
            refresh,
            deadline,
            accounts,
            roles,
        })
    }

    /// The next `count` times after `after`, in the job's zone; fewer when the schedule ends, none without one.
    ///
    /// [`Schedule::next_times`] says what happens when clocks change.
    #[must_use]
    pub fn next_times(&self, after: UtcSecond, count: usize) -> Vec<DateTime<Tz>> {
        self.schedule
            .as_ref()
            .map(|schedule| schedule.next_times(self.time_zone, after, count))
            .unwrap_or_default()
    }

    /// Whether the job reads this account.
    #[must_use]
    pub fn reads(&self, account: &str, role: Role) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.iter().any(|name| name == account))
            && self.roles.as_ref().is_none_or(|roles| roles.contains(&role))
    }
}

/// Reads the word for a role.
///
/// # Errors
/// What would be right.
pub(crate) fn role(text: &str) -> Result<Role, String> {
    match text {
        "customer" => Ok(Role::Customer),
        "partner" => Ok(Role::Partner),
        _ => Err("write \"customer\" or \"partner\"".to_owned()),
    }
}

fn default_history_start() -> NaiveDate {
    let (year, month, day) = DEFAULT_HISTORY_START;
    // A constant calendar day; were it wrong, the epoch would read more history, never less.
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn unknown_stream(text: &str, streams: &[&str]) -> String {
    match nearest(text, streams.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"? the streams are {}", streams.join(", ")),
        None => format!("the streams are {}", streams.join(", ")),
    }
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| {
        let near = nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let near = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
        format!("{near}write a zone of the IANA database, like \"Asia/Shanghai\" or \"UTC\"")
    })
}

fn day(text: &str) -> Result<NaiveDate, String> {
    let wrong = || "write a day that exists as \"2018-05-01\", 2000 or later".to_owned();
    // The length refuses chrono's lenient "2018-5-1", which sorts wrongly where people compare texts.
    let day =
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10).ok_or_else(wrong)?;
    if chrono::Datelike::year(&day) < 2000 { Err(wrong()) } else { Ok(day) }
}

fn between(text: &str, least: &str, most: &str) -> Result<Duration, String> {
    let value = duration(text)?;
    // The bounds are literals of this file, read by the same parser.
    if duration(least).is_ok_and(|least| value < least) || duration(most).is_ok_and(|most| value > most) {
        return Err(format!("write at least \"{least}\" and at most \"{most}\""));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
