//! Lines for a terminal of 80 columns: wrapped by what characters take on the screen, ages as people say them.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of the terminal that everything must fit: the width people's windows and mail readers have at least.
pub(super) const COLUMNS: usize = 80;

/// Wraps a text, with `indent` blanks before each further line. Characters of two columns, as in Chinese, count as two;
/// what has no blank to break at is cut.
pub(super) fn wrap(text: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    let mut used = 0;
    let begin_line = |lines: &mut Vec<String>| {
        lines.push(" ".repeat(indent));
        indent
    };
    for word in text.split(' ') {
        let is_first = lines.last().is_none_or(|line| line.trim().is_empty());
        let width = word.width() + usize::from(!is_first);
        if used + width > COLUMNS && !is_first {
            used = begin_line(&mut lines);
        } else if !is_first {
            push(&mut lines, ' ');
            used += 1;
        } else if lines.len() == 1 && word.is_empty() {
            // The text's own indentation.
            push(&mut lines, ' ');
            used += 1;
        }
        for character in word.chars() {
            let width = character.width().unwrap_or_default();
            if used + width > COLUMNS {
                used = begin_line(&mut lines);
            }
            push(&mut lines, character);
            used += width;
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn push(lines: &mut [String], character: char) {
    if let Some(line) = lines.last_mut() {
        line.push(character);
    }
}

/// The first lines of a wrapped text, and that there is more of it.
pub(super) fn first_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.split_at_checked(most) {
        Some((first, rest)) if !rest.is_empty() => format!("{} …", first.join("\n")),
        Some(_) | None => text.to_owned(),
    }
}

/// A span of time in the largest unit that fits.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_by_the_columns_they_take() {
        let wide = "账".repeat(50);
        let wrapped = wrap(&wide, 2);
        let widths: Vec<usize> = wrapped.lines().map(UnicodeWidthStr::width).collect();
        assert_eq!(widths, [80, 22], "{wrapped}");
        let words = "a few words ".repeat(15);
        assert!(wrap(&words, 4).lines().all(|line| line.width() <= COLUMNS));
        assert_eq!(wrap(&words, 4).split_whitespace().count(), 45, "none is lost");
        assert!(
            wrap(&words, 4).lines().skip(1).all(|line| line.starts_with("    a")
                || line.starts_with("    f")
                || line.starts_with("    w"))
        );
        assert_eq!(wrap("  short", 4), "  short");
        assert_eq!(wrap("", 4), "");
        assert_eq!(wrap(&"x".repeat(100), 3).lines().map(str::len).collect::<Vec<_>>(), [80, 23]);
    }

    #[test]
    fn long_texts_are_cut_visibly() {
        assert_eq!(first_lines("a\nb\nc", 2), "a\nb …");
        assert_eq!(first_lines("a\nb", 2), "a\nb");
        assert_eq!(first_lines("a", 2), "a");
    }

    #[test]
    fn spans_are_said_in_the_largest_unit_that_fits() {
        let said =
            [0, 119, 120, 7199, 7200, 172_799, 172_800].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(said, ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"]);
    }
}
