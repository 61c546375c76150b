//! What is known of an account's quotas, and who says so.

use serde::Serialize;

use super::line::CheckLine;
use crate::client::{CallCounts, Pace};
use crate::quota::Quota;
use crate::rate::RateState;
use crate::rate::words::QuotaOrigin;
use crate::request::Endpoint;

/// How much is said about quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum QuotaTalk {
    /// One line an account.
    Short,
    /// One line an endpoint: what headers, the vendor's table and earlier runs say.
    Long,
}

/// What is known of the quotas of these endpoints. `earlier` is what the last run left, `asked` what this check cost.
pub(super) fn quotas(
    endpoints: &[&'static Endpoint],
    pace: &Pace,
    earlier: &[RateState],
    asked: Option<CallCounts>,
    talk: QuotaTalk,
) -> Vec<CheckLine> {
    let mut lines = match talk {
        QuotaTalk::Short => vec![CheckLine::fine("quotas", in_short(endpoints, pace))],
        QuotaTalk::Long => {
            endpoints.iter().map(|endpoint| at_length(endpoint, pace, earlier, asked)).collect()
        }
    };
    if let Some(refused) = asked.map(|asked| asked.throttled).filter(|refused| *refused > 0) {
        lines.push(CheckLine::warning(
            "quotas",
            format!("the vendor refused {refused} of these few questions for a quota"),
            "somebody else uses the account's quota: leave each other a part (quota_share)",
        ));
    }
    lines
}

/// The quotas that are worked with, each with the endpoints that have it.
fn in_short(endpoints: &[&'static Endpoint], pace: &Pace) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for endpoint in endpoints {
        let (quota, origin) = pace.quota(endpoint);
        let quota = worked_with(quota, origin);
        match groups.iter_mut().find(|(known, _)| *known == quota) {
            Some((_, names)) => names.push(endpoint.name),
            None => groups.push((quota, vec![endpoint.name])),
        }
    }
    groups
        .iter()
        .map(|(quota, names)| format!("{quota}: {}", names.join(", ")))
        .collect::<Vec<_>>()
        .join("; ")
}

fn worked_with(quota: Option<Quota>, origin: QuotaOrigin) -> String {
    quota.map_or_else(|| "no limit of our own".to_owned(), |quota| format!("{quota} ({origin})"))
}

/// One endpoint: what is worked with, and what each source says.
fn at_length(
    endpoint: &'static Endpoint,
    pace: &Pace,
    earlier: &[RateState],
    asked: Option<CallCounts>,
) -> CheckLine {
    let (quota, origin) = pace.quota(endpoint);
    let header = match (origin, quota, asked) {
        (QuotaOrigin::Header, Some(quota), _) => quota.to_string(),
        (_, _, Some(_)) => "none".to_owned(),
        (_, _, None) => "not asked".to_owned(),
    };
    let remembered = earlier.iter().filter(|state| state.endpoint == endpoint.name).map(|state| {
        let known = &state.remembered;
        let refused = known.last_refused_at.map(|at| format!(", last refused {at}")).unwrap_or_default();
        format!("{}, {}{refused}", known.quota, known.origin)
    });
    let remembered: Vec<String> = remembered.collect();
    let remembered = if remembered.is_empty() { "nothing".to_owned() } else { remembered.join("; ") };
    CheckLine::fine(
        &format!("quota of {}", endpoint.name),
        format!(
            "{}; the vendor's table: {}; headers: {header}; earlier runs: {remembered}",
            worked_with(quota, origin),
            endpoint.quota
        ),
    )
}
