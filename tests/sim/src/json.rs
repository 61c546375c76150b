//! Writes JSON text by hand, because the exact digits of an amount are what a test is about.

use std::fmt::Write as _;

use super::clock;

/// Appends a JSON string.
pub fn push_str(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

pub fn push_int(out: &mut String, value: i64) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends an amount of `units` 1e-8 in one of the spellings the vendor's serialisers are known for:
/// `style` % 5 is shortest, two decimals, eight decimals, one decimal, or the text of a decimal type
/// that turns to exponents when small (`1E-8`, `0E-8`).
pub fn push_amount(out: &mut String, units: i64, style: u64) {
    if units < 0 {
        out.push('-');
    }
    let size = units.unsigned_abs();
    if style % 5 == 4 && size < 100 {
        let _ = write!(out, "{size}E-8");
        return;
    }
    let (whole, part) = (size / 100_000_000, size % 100_000_000);
    let digits = format!("{part:08}");
    let least = match style % 5 {
        0 | 4 => 0,
        1 => 2,
        2 => 8,
        _ => 1,
    };
    let kept = digits.trim_end_matches('0').len().max(least);
    out.push_str(&whole.to_string());
    if kept > 0 {
        out.push('.');
        out.push_str(&digits[..kept]);
    }
}

/// How a field without a value is served; the vendor uses all three.
#[derive(Clone, Copy, Debug)]
pub enum Gap {
    Missing,
    Null,
    Empty,
}

impl Gap {
    /// A text field's gap, chosen by two bits of `look`.
    pub const fn text(look: u64) -> Self {
        match look & 3 {
            0 | 1 => Self::Null,
            2 => Self::Empty,
            _ => Self::Missing,
        }
    }

    /// The gap of a field that is no text.
    pub const fn other(look: u64) -> Self {
        if look & 1 == 0 { Self::Null } else { Self::Missing }
    }
}

/// One JSON object under construction.
pub struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    pub fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// Writes the key and hands out the text, for values this type has no word for.
    pub fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        self.out
    }

    pub fn text(&mut self, key: &str, value: &str) {
        push_str(self.key(key), value);
    }

    pub fn int(&mut self, key: &str, value: i64) {
        push_int(self.key(key), value);
    }

    pub fn raw(&mut self, key: &str, json: &str) {
        self.key(key).push_str(json);
    }

    pub fn amount(&mut self, key: &str, units: i64, style: u64) {
        push_amount(self.key(key), units, style);
    }

    pub fn time(&mut self, key: &str, unix: i64) {
        let out = self.key(key);
        out.push('"');
        clock::push_text(out, unix);
        out.push('"');
    }

    pub fn gap(&mut self, key: &str, gap: Gap) {
        match gap {
            Gap::Missing => {}
            Gap::Null => self.raw(key, "null"),
            Gap::Empty => self.raw(key, "\"\""),
        }
    }

    pub fn text_or(&mut self, key: &str, value: Option<&str>, gap: Gap) {
        match value {
            Some(value) => self.text(key, value),
            None => self.gap(key, gap),
        }
    }

    pub fn time_or(&mut self, key: &str, value: Option<i64>, gap: Gap) {
        match value {
            Some(value) => self.time(key, value),
            None => self.gap(key, gap),
        }
    }

    pub fn close(self) {
        self.out.push('}');
    }
}

/// A JSON array of texts that are JSON already.
pub fn array<'t>(rows: impl IntoIterator<Item = &'t str>) -> String {
    let mut out = String::from("[");
    for (at, row) in rows.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(row);
    }
    out.push(']');
    out
}

/// Replaces the value of a top-level key of an object's text, or adds the key; everything else keeps
/// its bytes.
pub fn with_field(object: &str, key: &str, value: &str) -> String {
    let quoted = format!("\"{key}\"");
    let (mut depth, mut text, mut escaped, mut at) = (0_i32, false, false, 0);
    let bytes = object.as_bytes();
    while at < bytes.len() {
        let byte = bytes[at];
        if text {
            text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' if depth == 1 && object[at..].starts_with(&quoted) => {
                    let after = &object[at + quoted.len()..];
                    if let Some(tail) = after.trim_start().strip_prefix(':') {
                        let from = object.len() - tail.len();
                        let to = from + value_length(tail);
                        return format!("{}{value}{}", &object[..from], &object[to..]);
                    }
                    text = true;
                }
                b'"' => text = true,
                _ => {}
            }
        }
        at += 1;
    }
    let end = object.rfind('}').unwrap_or(object.len());
    let comma = if object[..end].trim_end().ends_with('{') { "" } else { "," };
    format!("{}{comma}{quoted}:{value}}}", &object[..end])
}

/// Bytes up to the comma or bracket that ends the value `tail` starts with.
fn value_length(tail: &str) -> usize {
    let (mut depth, mut text, mut escaped) = (0_i32, false, false);
    for (at, byte) in tail.bytes().enumerate() {
        if text {
            text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => text = true,
            b',' | b'}' | b']' if depth == 0 => return at,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    tail.len()
}
