//! Whether everything that a run needs is there and right, said line by line: before the first run, and whenever in doubt.
//! Looks and asks, and changes nothing.

mod account;
mod files;
mod line;
mod local;
mod questions;
mod quotas;
mod role;

pub use account::{Probing, Reach, account};
pub use line::{CheckFault, CheckLine, LineVerdict};
pub use local::{AccountKnowledge, local};
pub use quotas::QuotaTalk;

/// The exit code of a check: the most urgent failure's, else 3 when a line is a warning, else 0.
#[must_use]
pub fn exit_code(lines: &[CheckLine]) -> u8 {
    let faults = lines.iter().filter_map(|line| match line.verdict {
        LineVerdict::Failed(fault) => Some(fault),
        LineVerdict::Fine | LineVerdict::Warning | LineVerdict::NotChecked => None,
    });
    if let Some(fault) = faults.min() {
        return fault.exit_code();
    }
    if lines.iter().any(|line| line.verdict == LineVerdict::Warning) { 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_failure_decides_the_exit_code() {
        let codes = |verdicts: &[LineVerdict]| {
            let line = |verdict: &LineVerdict| CheckLine {
                verdict: *verdict,
                ..CheckLine::fine("thing", "as it should be")
            };
            exit_code(&verdicts.iter().map(line).collect::<Vec<_>>())
        };
        assert_eq!(codes(&[]), 0);
        assert_eq!(
            codes(&[LineVerdict::Fine, LineVerdict::NotChecked]),
            0,
            "what was not asked for is no finding"
        );
        assert_eq!(codes(&[LineVerdict::Fine, LineVerdict::Warning]), 3);
        let failed = |faults: &[CheckFault]| {
            codes(&faults.iter().copied().map(LineVerdict::Failed).collect::<Vec<_>>())
        };
        assert_eq!(failed(&[CheckFault::Unreachable]), 4);
        assert_eq!(failed(&[CheckFault::Unreachable, CheckFault::Other]), 1);
        assert_eq!(failed(&[CheckFault::Other, CheckFault::Refused]), 5);
        assert_eq!(failed(&[CheckFault::Refused, CheckFault::Warehouse]), 6);
        assert_eq!(failed(&[CheckFault::Warehouse, CheckFault::Configuration, CheckFault::Refused]), 2);
    }
}
