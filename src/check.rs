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
pub use line::{Fault, Line, Verdict};
pub use local::{Known, local};
pub use quotas::QuotaTalk;

/// The exit code of a check: the most urgent failure's, else 3 when a line is a warning, else 0.
#[must_use]
pub fn exit_code(lines: &[Line]) -> u8 {
    let faults = lines.iter().filter_map(|line| match line.verdict {
        Verdict::Failed(fault) => Some(fault),
        Verdict::Fine | Verdict::Warning | Verdict::NotChecked => None,
    });
    if let Some(fault) = faults.min() {
        return fault.exit_code();
    }
    if lines.iter().any(|line| line.verdict == Verdict::Warning) { 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_failure_decides_the_exit_code() {
        let codes = |verdicts: &[Verdict]| {
            let line =
                |verdict: &Verdict| Line { verdict: *verdict, ..Line::fine("thing", "as it should be") };
            exit_code(&verdicts.iter().map(line).collect::<Vec<_>>())
        };
        assert_eq!(codes(&[]), 0);
        assert_eq!(codes(&[Verdict::Fine, Verdict::NotChecked]), 0, "what was not asked for is no finding");
        assert_eq!(codes(&[Verdict::Fine, Verdict::Warning]), 3);
        let failed =
            |faults: &[Fault]| codes(&faults.iter().copied().map(Verdict::Failed).collect::<Vec<_>>());
        assert_eq!(failed(&[Fault::Unreachable]), 4);
        assert_eq!(failed(&[Fault::Unreachable, Fault::Other]), 1);
        assert_eq!(failed(&[Fault::Other, Fault::Refused]), 5);
        assert_eq!(failed(&[Fault::Refused, Fault::Warehouse]), 6);
        assert_eq!(failed(&[Fault::Warehouse, Fault::Configuration, Fault::Refused]), 2);
    }
}
