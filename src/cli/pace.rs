//! How far the jobs are and how fast they go, as lines for people.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::lines::span;
use crate::run::{RunCounts, RunProgress};

/// The pace is that of so long ago until now: long enough for quotas of a few calls a second, short enough to see a pause.
const LOOKED_BACK: Duration = Duration::from_secs(15);

/// Before so much time nothing is said about the pace.
const TOO_EARLY: Duration = Duration::from_secs(2);

/// Waits that are worth telling: shorter ones are the pace itself.
const WORTH_TELLING: Duration = Duration::from_millis(500);

/// Characters of a name: the account's and the job's.
const NAME: usize = 24;

/// Characters of a bar. With the figures behind it a line has 79.
const BAR: usize = 8;

/// Jobs that are shown: more do not fit the terminals of people who watch.
const SHOWN: usize = 12;

/// Reads the counters again and again.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Requests by job at the times they were looked at, oldest first.
    seen: HashMap<(String, String), VecDeque<(Instant, u64)>>,
}

/// A running job at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
struct Moment {
    account: String,
    job: String,
    finished: u64,
    planned: u64,
    rows: u64,
    requests: u64,
    refused: u64,
    /// Requests a second; `None` when it is too early to tell.
    pace: Option<f64>,
    /// How long calls still wait, and for what.
    waiting: Option<(Duration, String)>,
}

impl Watch {
    /// Looks at the jobs that are running now.
    fn look(&mut self, progress: &RunProgress, now: Instant) -> Vec<Moment> {
        progress.running().iter().map(|counts| self.moment(counts, now)).collect()
    }

    fn moment(&mut self, counts: &Arc<RunCounts>, now: Instant) -> Moment {
        let (finished, planned) = counts.units();
        let requests = counts.meter.read();
        let seen = self.seen.entry((counts.account.clone(), counts.job.clone())).or_default();
        let waiting = counts.meter.waiting().filter(|(left, _)| *left >= WORTH_TELLING);
        Moment {
            account: counts.account.clone(),
            job: counts.job.clone(),
            finished,
            planned,
            rows: counts.tally().received,
            requests: requests.requests,
            refused: requests.throttled,
            pace: pace(seen, now, requests.requests),
            waiting: waiting.map(|(left, why)| (left, why.to_string())),
        }
    }

    /// A table for a terminal: a line for each running job, and below it what the job waits for.
    pub(super) fn table(&mut self, progress: &RunProgress) -> Vec<String> {
        table(&self.look(progress, Instant::now()))
    }

    /// A sentence for each running job.
    pub(super) fn sentences(&mut self, progress: &RunProgress) -> Vec<String> {
        self.look(progress, Instant::now()).iter().map(sentence).collect()
    }
}

/// Requests a second, by what was seen before; what is too old is forgotten.
fn pace(seen: &mut VecDeque<(Instant, u64)>, now: Instant, requests: u64) -> Option<f64> {
    seen.push_back((now, requests));
    while seen.len() > 2 && seen.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= LOOKED_BACK) {
        seen.pop_front();
    }
    let (since, before) = *seen.front()?;
    let time = now.duration_since(since);
    // Counts far below 2^32: requests of a few seconds.
    let asked = u32::try_from(requests.saturating_sub(before)).unwrap_or(u32::MAX);
    (time >= TOO_EARLY).then(|| f64::from(asked) / time.as_secs_f64())
}

impl Moment {
    /// How long what is known to be read still takes at this pace: each unit as many requests as those before.
    fn left(&self) -> Option<Duration> {
        let pace = self.pace.filter(|pace| *pace > 0.0)?;
        let open = self.planned.saturating_sub(self.finished);
        if open == 0 || self.finished == 0 {
            return None;
        }
        let figure = |count: u64| u32::try_from(count).map_or(f64::INFINITY, f64::from);
        let each = (figure(self.requests) / figure(self.finished)).max(1.0);
        Duration::try_from_secs_f64(figure(open) * each / pace).ok()
    }
}

fn pace_text(pace: Option<f64>) -> String {
    pace.map_or_else(|| "-".to_owned(), |pace| format!("{pace:.1}"))
}

fn table(moments: &[Moment]) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<NAME$} {:<BAR$} {:>11} {:>5} {:>5} {:>5} {:>7} {:>7}",
        "JOB", "", "READ", "ROWS", "REQS", "REQ/S", "REFUSED", "LEFT"
    )];
    for moment in moments.iter().take(SHOWN) {
        let Moment { account, job, finished, planned, rows, requests, refused, pace, waiting } = moment;
        let name = shorten(&format!("{account} {job}"), NAME);
        let read = format!("{}/{}", number(*finished), number(*planned));
        let left = moment.left().map_or_else(|| "-".to_owned(), span);
        lines.push(format!(
            "{name:<NAME$} {} {read:>11} {:>5} {:>5} {:>5} {:>7} {left:>7}",
            bar(*finished, *planned),
            number(*rows),
            number(*requests),
            pace_text(*pace),
            number(*refused),
        ));
        if let Some((left, why)) = waiting {
            lines.push(shorten(&format!("  waiting {:.1} s: {why}", left.as_secs_f64()), 79));
        }
    }
    if moments.len() > SHOWN {
        lines.push(format!("and {} more job(s)", moments.len() - SHOWN));
    }
    lines
}

fn sentence(moment: &Moment) -> String {
    let Moment { account, job, finished, planned, rows, requests, refused, pace, waiting } = moment;
    let mut line = format!("{account} {job}: {finished} of {planned} read, {rows} rows, {requests} requests");
    if let Some(pace) = pace {
        line.push_str(&format!(" ({pace:.1}/s)"));
    }
    line.push_str(&format!(", {refused} refused for the quota"));
    if let Some(left) = moment.left() {
        line.push_str(&format!(", {} left", span(left)));
    }
    if let Some((left, why)) = waiting {
        line.push_str(&format!(", waiting {:.1} s: {why}", left.as_secs_f64()));
    }
    line
}

/// How much is done, as a bar; empty as long as nobody knows how much there is.
fn bar(done: u64, all: u64) -> String {
    let full = done.min(all).saturating_mul(BAR as u64).checked_div(all).unwrap_or_default();
    let full = usize::try_from(full).unwrap_or(BAR);
    format!("{}{}", "━".repeat(full), "─".repeat(BAR - full))
}

/// A count in at most five characters.
fn number(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        100_000..10_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// A text of at most `most` characters. Names of accounts and jobs, and quotas, are plain ASCII.
fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn moments() -> Vec<Moment> {
        let orders = Moment {
            account: "acme".to_owned(),
            job: "orders".to_owned(),
            finished: 40,
            planned: 103,
            rows: 123_456,
            requests: 1240,
            refused: 1,
            pace: Some(19.64),
            waiting: None,
        };
        let lines = Moment {
            job: "order_lines".to_owned(),
            finished: 812,
            planned: 100_812,
            rows: 3120,
            requests: 812,
            refused: 0,
            pace: Some(9.8),
            waiting: Some((
                Duration::from_millis(800),
                "quota of order_details, 10/1s, learned from refusal; all of it is used".to_owned(),
            )),
            ..orders.clone()
        };
        let new = Moment {
            account: "a-subsidiary-with-a-long-name".to_owned(),
            job: "refund_attributions".to_owned(),
            pace: None,
            ..Moment::default()
        };
        vec![orders, lines, new]
    }

    #[test]
    fn the_live_table_fits_eighty_columns() {
        let lines = table(&moments());
        assert!(lines.iter().all(|line| line.width() < 80), "{lines:#?}");
        insta::assert_snapshot!(lines.join("\n"), @"
            JOB                                      READ  ROWS  REQS REQ/S REFUSED    LEFT
            acme orders              ━━━─────      40/103  123k  1240  19.6       1    99 s
            acme order_lines         ────────    812/100k  3120   812   9.8       0     2 h
              waiting 0.8 s: quota of order_details, 10/1s, learned from refusal; all of i…
            a-subsidiary-with-a-lon… ────────         0/0     0     0     -       0       -
            ");
        let many: Vec<Moment> = std::iter::repeat_with(|| moments().remove(0)).take(SHOWN + 3).collect();
        assert_eq!(table(&many).len(), SHOWN + 2);
        assert_eq!(table(&many).last().map(String::as_str), Some("and 3 more job(s)"));
    }

    #[test]
    fn plain_lines_say_the_same() {
        let lines: Vec<String> = moments().iter().map(sentence).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
            acme orders: 40 of 103 read, 123456 rows, 1240 requests (19.6/s), 1 refused for the quota, 99 s left
            acme order_lines: 812 of 100812 read, 3120 rows, 812 requests (9.8/s), 0 refused for the quota, 2 h left, waiting 0.8 s: quota of order_details, 10/1s, learned from refusal; all of it is used
            a-subsidiary-with-a-long-name refund_attributions: 0 of 0 read, 0 rows, 0 requests, 0 refused for the quota
            ");
    }

    #[test]
    fn the_pace_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut seen = VecDeque::new();
        assert_eq!(pace(&mut seen, at(0), 0), None, "too early");
        assert_eq!(pace(&mut seen, at(1), 20), None, "too early");
        assert_eq!(pace(&mut seen, at(4), 80), Some(20.0));
        for second in 5..60 {
            pace(&mut seen, at(second), 80);
        }
        assert_eq!(pace(&mut seen, at(60), 80), Some(0.0), "what was before is forgotten");
        assert!(seen.len() < 20, "and takes no memory");
    }

    #[test]
    fn nobody_guesses_how_long_what_never_began_will_take() {
        let moment =
            |finished, planned, pace| Moment { finished, planned, requests: 10, pace, ..Moment::default() };
        assert_eq!(moment(0, 10, Some(5.0)).left(), None);
        assert_eq!(moment(5, 10, None).left(), None);
        assert_eq!(moment(5, 10, Some(0.0)).left(), None);
        assert_eq!(moment(10, 10, Some(5.0)).left(), None);
        assert_eq!(moment(5, 10, Some(5.0)).left(), Some(Duration::from_secs(2)), "two requests each");
    }
}
