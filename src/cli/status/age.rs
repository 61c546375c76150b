//! For monitors: which streams are older than they may be.

use std::time::Duration;

use serde::Serialize;

use crate::cli::lines::span;
use crate::config::Config;
use crate::error::Failure;
use crate::run::reads;
use crate::settings::{duration, nearest};
use crate::stream::CATALOGUE;
use crate::time::{UtcSecond, seconds};
use crate::warehouse::StreamState;

/// How old the data may be: of all streams, or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MaxAge {
    stream: Option<&'static str>,
    age: Duration,
}

impl MaxAge {
    /// Reads `26h` or `orders=1h`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((name, age)) = text.split_once('=') else {
            return Ok(Self { stream: None, age: duration(text)? });
        };
        let names = CATALOGUE.iter().map(|stream| stream.name());
        let stream = names.clone().find(|known| *known == name).ok_or_else(|| {
            nearest(name, names.clone()).map_or_else(
                || {
                    format!(
                        "there is no stream `{name}`; there are: {}",
                        names.collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!("there is no stream `{name}`; did you mean `{near}`?"),
            )
        })?;
        Ok(Self { stream: Some(stream), age: duration(age)? })
    }
}

/// A stream that is older than it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Stale {
    account: String,
    stream: String,
    fresh_up_to: Option<String>,
    age_seconds: Option<i64>,
    max_age_seconds: i64,
}

/// What the streams that the configuration's jobs read were judged to be.
pub(super) struct Judgement {
    pub(super) stale: Vec<Stale>,
    pub(super) judged: usize,
}

/// Judges every stream that a job of the configuration reads. What only earlier configurations read is nobody's any more;
/// what was never read is older than anything.
pub(super) fn judge(
    limits: &[MaxAge],
    config: &Config,
    states: &[StreamState],
    now: UtcSecond,
) -> Result<Judgement, Failure> {
    let mut judgement = Judgement { stale: Vec::new(), judged: 0 };
    let mut pairs: Vec<(&str, &str)> = config
        .accounts
        .iter()
        .flat_map(|account| config.jobs.iter().map(move |job| (job, account)))
        .filter(|(job, account)| reads(job, account))
        .map(|(job, account)| (account.name.as_str(), job.stream.as_str()))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    if let Some(idle) = limits
        .iter()
        .filter_map(|limit| limit.stream)
        .find(|stream| pairs.iter().all(|(_, read)| read != stream))
    {
        return Err(Failure::Usage(format!(
            "no job reads {idle}, so it has no age; `bss-sync jobs` lists what is read"
        )));
    }
    for (account, stream) in pairs {
        let of_stream = limits.iter().rfind(|limit| limit.stream == Some(stream));
        let Some(limit) = of_stream.or_else(|| limits.iter().rfind(|limit| limit.stream.is_none())) else {
            continue;
        };
        judgement.judged += 1;
        let state = states.iter().find(|state| state.account == account && state.stream == stream);
        let fresh_up_to = state.and_then(|state| state.fresh_up_to.clone());
        let age_seconds = fresh_up_to
            .as_deref()
            .and_then(UtcSecond::parse)
            .map(|fresh| now.unix().saturating_sub(fresh.unix()).max(0));
        let max_age_seconds = seconds(limit.age);
        if age_seconds.is_none_or(|age| age > max_age_seconds) {
            let (account, stream) = (account.to_owned(), stream.to_owned());
            judgement.stale.push(Stale { account, stream, fresh_up_to, age_seconds, max_age_seconds });
        }
    }
    Ok(judgement)
}

impl Judgement {
    /// One line for each stale stream, or one that all are fresh.
    pub(super) fn render(&self) -> String {
        if self.stale.is_empty() {
            return format!("fresh: {} stream(s)", self.judged);
        }
        let said = |seconds: i64| span(Duration::from_secs(seconds.unsigned_abs()));
        let line = |stale: &Stale| {
            let Stale { account, stream, fresh_up_to, age_seconds, max_age_seconds } = stale;
            let age = match (fresh_up_to, age_seconds) {
                (Some(at), Some(age)) => format!("complete up to {at}, {} ago", said(*age)),
                _ => "never read completely".to_owned(),
            };
            format!("stale: {account} {stream}: {age}; at most {}", said(*max_age_seconds))
        };
        self.stale.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
