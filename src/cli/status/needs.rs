//! What needs a person, before everything else that `status` says.

use super::super::lines::{first_lines, wrap};
use crate::warehouse::{LastRun, Overview};

/// Lines that a reason may take; `history` and JSON have all of it.
const REASON_LINES: usize = 4;

/// What a person should look at, the most urgent first; one line when there is nothing.
pub(super) fn a_person(overview: &Overview) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut runs: Vec<(u8, &LastRun)> =
        overview.runs.iter().filter_map(|run| Some((urgency(&run.outcome)?, run))).collect();
    runs.sort_by_key(|(urgency, _)| *urgency);
    for alike in runs
        .chunk_by(|(_, a), (_, b)| (&a.account, &a.outcome, &a.reason) == (&b.account, &b.outcome, &b.reason))
    {
        let Some((_, first)) = alike.first() else { continue };
        let jobs: Vec<&str> = alike.iter().map(|(_, run)| run.job.as_str()).collect();
        let reason = first.reason.as_deref().unwrap_or("no reason was written down");
        lines.push(format!("{} {}: {}: {reason}", first.account, jobs.join(", "), first.outcome));
    }
    let breaks = overview.open_breaks.unwrap_or_default();
    for (count, what) in [
        (breaks, "open break(s) of the checks: `bss-sync reconcile`"),
        (overview.disputed, "window(s), list(s) or order(s) not proven complete: view disputes"),
        (overview.quarantined, "row(s) that could not be decoded: view undecoded_rows"),
    ] {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    if lines.is_empty() {
        return "Nothing needs a person.".to_owned();
    }
    let shown = lines.iter().map(|line| first_lines(&wrap(&format!("  {line}"), 4), REASON_LINES));
    std::iter::once("Needs a person".to_owned()).chain(shown).collect::<Vec<_>>().join("\n")
}

/// How urgent an outcome is, 0 first; `None` when it needs nobody: the next run goes on from there.
fn urgency(outcome: &str) -> Option<u8> {
    match outcome {
        "refused" => Some(0),
        "failed" => Some(1),
        "crashed" => Some(2),
        "findings" => Some(3),
        _ => None,
    }
}
