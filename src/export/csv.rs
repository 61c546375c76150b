//! CSV that spreadsheets read as it is meant: UTF-8 with a byte-order mark, RFC 4180, and no text that becomes a formula.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use csv::{Terminator, WriterBuilder};

use super::ExportError;
use crate::warehouse::{Cell, Relation, RowFilter, Warehouse};

/// Without it Excel takes UTF-8 for the machine's own encoding.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Characters that make spreadsheets read a text as a formula when it begins with one (CWE-1236), the full-width forms of
/// Chinese keyboards included.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

pub(super) fn write(
    warehouse: &Warehouse,
    relation: &Relation,
    filter: &RowFilter,
    to: impl Write,
) -> Result<Vec<u64>, ExportError> {
    let mut to = BufWriter::new(to);
    to.write_all(BYTE_ORDER_MARK).map_err(ExportError::Write)?;
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(to);
    writer
        .write_record(relation.columns.iter().map(|column| guarded(&column.name).into_owned()))
        .map_err(wrong)?;
    let rows = warehouse.scan(relation, filter, |cells| {
        for cell in cells {
            writer.write_field(text(*cell).as_bytes()).map_err(wrong)?;
        }
        writer.write_record(None::<&[u8]>).map_err(wrong)
    })?;
    writer.flush().map_err(ExportError::Write)?;
    Ok(vec![rows])
}

fn wrong(error: csv::Error) -> ExportError {
    ExportError::Write(match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    })
}

fn text(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Null => Cow::Borrowed(""),
        Cell::Integer(number) => Cow::Owned(number.to_string()),
        Cell::Real(number) => Cow::Owned(number.to_string()),
        Cell::Text(text) => guarded(text),
        Cell::Blob(bytes) => Cow::Owned(hex::encode(bytes)),
    }
}

/// A text that no spreadsheet reads as a formula. A plain number, also a negative one, stays as it is: it can be nothing else.
fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) && !is_number(text) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// Digits with at most one point among them and one minus before them.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_could_be_a_formula_begins_with_an_apostrophe() {
        for text in [
            "=1+1", "+86", "-", "-1+1", "--1", "-1.", "-1.2.3", "-1e5", "@sum", "\tx", "\r", "\nx", "\0",
            "＝1", "＋", "－1", "＠x",
        ] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "1", "-1", "-0.00000001", "92233720368.54775807", "a=1", "'=1", "云", " =1"] {
            assert_eq!(guarded(text), text);
        }
    }
}
