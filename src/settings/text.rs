//! Small texts of a configuration: durations, names, and the nearest right word to a wrong one.

use std::time::Duration;

/// Longest duration that means anything here: ten years. More is a slip of the pen, and far more would overflow times.
const LONGEST: Duration = Duration::from_hours(3653 * 24);

/// Reads a whole number with its unit: `250ms`, `60s`, `10m`, `2h`, `1d` (a day has 86 400 seconds).
///
/// # Errors
/// What would be right, as a lower-case fragment.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let wrong =
        || "write a whole number and a unit: \"250ms\", \"60s\", \"10m\", \"2h\" or \"1d\"".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds_each = match unit {
        "ms" => return Ok(Duration::from_millis(number)).and_then(short_enough),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    short_enough(Duration::from_secs(number.saturating_mul(seconds_each)))
}

fn short_enough(duration: Duration) -> Result<Duration, String> {
    if duration > LONGEST { Err("write at most ten years (\"3653d\")".to_owned()) } else { Ok(duration) }
}

/// Whether a text can name an account or a job: 1 to 64 of `A-Z a-z 0-9 _ -`, safe in file names and logs.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The candidate that `text` was probably meant to be, when one is near enough.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters wrong is still a slip; more is another word.
    let slip = |candidate: &str| 1 + candidate.len().max(text.len()) / 4;
    candidates
        .into_iter()
        // A far longer text cannot be a slip, and the distance below costs the product of both lengths.
        .filter(|candidate| text.len() <= 2 * candidate.len())
        .map(|candidate| (distance(text, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= slip(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, drop or replace to make one text of the other (Levenshtein), whatever their case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("60s"), Ok(Duration::from_mins(1)));
        assert_eq!(duration("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        assert_eq!(duration("31d"), Ok(Duration::from_hours(31 * 24)));
        for wrong in [
            "",
            "60",
            "s",
            "-1s",
            "1.5h",
            "1 s",
            "1h30m",
            "1S",
            "+1s",
            "99999999999999999999s",
            "4000d",
            "1min",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_nearest_word_is_a_slip_away() {
        let keys = ["site", "role", "access_key", "secret_key"];
        assert_eq!(nearest("acces_key", keys), Some("access_key"));
        assert_eq!(nearest("Secret-Key", keys), Some("secret_key"));
        assert_eq!(nearest("sites", keys), Some("site"));
        assert_eq!(nearest("warehouse", keys), None);
    }

    #[test]
    fn names_are_plain() {
        for right in ["acme", "A-1_b", &"x".repeat(64)] {
            assert!(is_name(right), "{right}");
        }
        for wrong in ["", "a b", "a.b", "账户", "a/b", &"x".repeat(65)] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = duration(&text);
            let _ = nearest(&text, ["site", "endpoint", "access_key"]);
        }
    }
}
