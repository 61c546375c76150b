//! An Excel workbook: a sheet for each view, and one that says where they come from. Text cells are texts, never formulas.

use std::io::{Seek, Write};

use rust_xlsxwriter::{Color, ExcelDateTime, Format, FormatBorder, Workbook, Worksheet, XlsxError};

use super::ExportError;
use super::profile::{ColumnProfile, Content, Field, fields, profile};
use crate::money::Amount;
use crate::time::UtcSecond;
use crate::warehouse::{Cell, Relation, RowFilter, Warehouse};

/// Rows of a sheet, its header included.
const MOST_ROWS: u32 = 1_048_576;

/// Characters of a cell.
const MOST_CHARACTERS: usize = 32_767;

/// Characters of the name of a sheet.
const MOST_OF_NAME: usize = 31;

/// Widest column, in characters: a longer text is still whole in its cell.
const WIDEST: usize = 60;

/// Whole numbers from here on are not kept by a cell.
const TOO_LONG: u64 = 1_000_000_000_000_000;

/// Ends the names of the readable times of UTC+8.
const LOCAL_TIME: &str = "_utc8";

/// The looks of cells.
struct Looks {
    header: Format,
    amount: Format,
    time: Format,
}

/// A column of the sheet.
struct SheetColumn {
    name: String,
    content: Content,
    shown: CellForm,
    width: usize,
}

/// How a column's values are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CellForm {
    /// A number or a text, as it comes.
    AsItIs,
    /// A date and time.
    LocalTime,
    /// An amount as text, beside the same as number, because it has more digits than a cell keeps.
    ExactText,
}

pub(super) fn write(
    warehouse: &Warehouse,
    relations: &[Relation],
    filter: &RowFilter,
    to: impl Write + Seek + Send,
) -> Result<Vec<u64>, ExportError> {
    let looks = Looks {
        header: Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x00DD_EBF7))
            .set_border_bottom(FormatBorder::Thin),
        amount: Format::new().set_num_format("#,##0.00######"),
        time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
    };
    let mut workbook = Workbook::new();
    let mut names: Vec<String> = Vec::new();
    let mut counts = Vec::with_capacity(relations.len());
    for relation in relations {
        let name = sheet_name(&relation.name, &names);
        let sheet =
            workbook.add_worksheet_with_constant_memory().map_err(|error| refused(relation, &error))?;
        sheet.set_name(&name).map_err(|error| refused(relation, &error))?;
        counts.push(write_sheet(warehouse, relation, filter, sheet, &looks)?);
        names.push(name);
    }
    let about = sheet_name("about", &names);
    let of_workbook =
        |error: &XlsxError| ExportError::Form { relation: about.clone(), detail: error.to_string() };
    let sheet = workbook.add_worksheet();
    sheet.set_name(&about).map_err(|error| of_workbook(&error))?;
    let origins = origins(warehouse, relations, &counts, filter)?;
    write_origins(sheet, &origins, &looks).map_err(|error| of_workbook(&error))?;
    workbook.save_to_writer(to).map_err(|error| of_workbook(&error))?;
    Ok(counts)
}

fn refused(relation: &Relation, error: &XlsxError) -> ExportError {
    ExportError::Form { relation: relation.name.clone(), detail: error.to_string() }
}

/// A name for a sheet: short enough, without what Excel forbids, and no other sheet's.
fn sheet_name(relation: &str, others: &[String]) -> String {
    let allowed = |character: char| if "[]:*?/\\'".contains(character) { '_' } else { character };
    let whole: Vec<char> = relation.chars().map(allowed).collect();
    let mut ending = String::new();
    let mut count = 1;
    loop {
        let kept = MOST_OF_NAME.saturating_sub(ending.len());
        let name: String = whole.iter().take(kept).collect::<String>() + &ending;
        if !others.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            return name;
        }
        count += 1;
        ending = format!("~{count}");
    }
}

fn write_sheet(
    warehouse: &Warehouse,
    relation: &Relation,
    filter: &RowFilter,
    sheet: &mut Worksheet,
    looks: &Looks,
) -> Result<u64, ExportError> {
    let (profiles, rows) = profile(warehouse, relation, filter)?;
    if rows >= u64::from(MOST_ROWS) {
        return Err(ExportError::TooManyRows { relation: relation.name.clone(), rows, most: MOST_ROWS - 1 });
    }
    let columns: Vec<SheetColumn> =
        fields(relation).into_iter().flat_map(|field| sheet_columns(field, &profiles)).collect();
    let wrong = |error: XlsxError| refused(relation, &error);
    for (at, column) in (0_u16..).zip(&columns) {
        sheet.write_string_with_format(0, at, &column.name, &looks.header).map_err(wrong)?;
        let width = u32::try_from(column.width.max(column.name.len() + 3).min(WIDEST)).unwrap_or(u32::MAX);
        sheet.set_column_width(at, width).map_err(wrong)?;
    }
    sheet.set_freeze_panes(1, 0).map_err(wrong)?;
    let last = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, u32::try_from(rows).unwrap_or(MOST_ROWS - 1), last).map_err(wrong)?;
    let mut row = 0_u32;
    warehouse.scan(relation, filter, |cells| {
        row += 1;
        for (at, column) in (0_u16..).zip(&columns) {
            let written = write_cell(sheet, (row, at), column, cells, looks);
            written.map_err(|error| match error {
                XlsxError::MaxStringLengthExceeded => ExportError::TooLong {
                    relation: relation.name.clone(),
                    row: row.into(),
                    column: column.name.clone(),
                    length: length(column, cells),
                    most: MOST_CHARACTERS,
                },
                other => wrong(other),
            })?;
        }
        Ok(())
    })
}

fn sheet_columns(field: Field, profiles: &[ColumnProfile]) -> Vec<SheetColumn> {
    let Field { name, content } = field;
    match content {
        Content::Plain(at) => {
            let shown = if name.ends_with(LOCAL_TIME) { CellForm::LocalTime } else { CellForm::AsItIs };
            vec![SheetColumn { name, content, shown, width: profiles[at].width + 2 }]
        }
        Content::Amount { exact, .. } => {
            // The point, and the commas of thousands.
            let width = profiles[exact].width + 6;
            let twin = (profiles[exact].long_amounts > 0).then(|| SheetColumn {
                name: format!("{name}_text"),
                content,
                shown: CellForm::ExactText,
                width,
            });
            let number = SheetColumn { name, content, shown: CellForm::AsItIs, width };
            [Some(number), twin].into_iter().flatten().collect()
        }
    }
}

fn write_cell(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    column: &SheetColumn,
    cells: &[Cell<'_>],
    looks: &Looks,
) -> Result<(), XlsxError> {
    let cell = match column.content {
        Content::Plain(source) => cells[source],
        Content::Amount { exact, readable } => match cells[exact] {
            Cell::Integer(e8) => {
                let text = Amount::from_e8(e8).to_string();
                return match column.shown {
                    CellForm::ExactText => sheet.write_string(row, at, text).map(drop),
                    // Excel has no other numbers. Up to 15 digits it shows the same again; longer ones have a column of text.
                    CellForm::AsItIs | CellForm::LocalTime => match text.parse::<f64>() {
                        Ok(number) => {
                            sheet.write_number_with_format(row, at, number, &looks.amount).map(drop)
                        }
                        Err(_) => sheet.write_string(row, at, text).map(drop),
                    },
                };
            }
            // No amount: what stands in the readable column is a count or a word.
            _ => readable.map_or(Cell::Null, |readable| cells[readable]),
        },
    };
    match cell {
        Cell::Null => Ok(()),
        #[expect(clippy::cast_precision_loss, reason = "15 digits fit")]
        Cell::Integer(number) if number.unsigned_abs() < TOO_LONG => {
            sheet.write_number(row, at, number as f64).map(drop)
        }
        Cell::Integer(number) => sheet.write_string(row, at, number.to_string()).map(drop),
        Cell::Real(number) => sheet.write_number(row, at, number).map(drop),
        Cell::Text(text) => {
            let time = (column.shown == CellForm::LocalTime)
                .then(|| ExcelDateTime::parse_from_str(text).ok())
                .flatten();
            match time {
                Some(time) => sheet.write_datetime_with_format(row, at, &time, &looks.time).map(drop),
                None => sheet.write_string(row, at, text).map(drop),
            }
        }
        Cell::Blob(bytes) => sheet.write_string(row, at, hex::encode(bytes)).map(drop),
    }
}

/// Characters of the text that did not fit.
fn length(column: &SheetColumn, cells: &[Cell<'_>]) -> usize {
    match column.content {
        Content::Plain(at) | Content::Amount { readable: Some(at), .. } => match cells[at] {
            Cell::Text(text) => text.chars().count(),
            Cell::Blob(bytes) => 2 * bytes.len(),
            Cell::Null | Cell::Integer(_) | Cell::Real(_) => 0,
        },
        Content::Amount { readable: None, .. } => 0,
    }
}

/// The lines of the sheet that says where the others come from.
fn origins(
    warehouse: &Warehouse,
    relations: &[Relation],
    counts: &[u64],
    filter: &RowFilter,
) -> Result<Vec<[String; 4]>, ExportError> {
    let line = |texts: [&str; 4]| texts.map(str::to_owned);
    let mut lines = vec![
        line(["exported at (UTC) | 导出时间", &UtcSecond::now().to_string(), "", ""]),
        line(["program | 程序", concat!("bss-sync ", env!("CARGO_PKG_VERSION")), "", ""]),
        line(["months | 账期", if filter.months.is_empty() { "all | 全部" } else { "" }, "", ""]),
    ];
    lines.extend(filter.months.iter().map(|month| line(["", month, "", ""])));
    lines.push(line(["", "", "", ""]));
    lines.push(line(["view | 视图", "rows | 行数", "", ""]));
    for (relation, rows) in relations.iter().zip(counts) {
        lines.push(line([&relation.name, &rows.to_string(), "", ""]));
    }
    lines.push(line(["", "", "", ""]));
    lines.push(line([
        "account | 账户",
        "data as of (UTC) | 数据截至",
        "month | 账期",
        "verdict | 完整性结论",
    ]));
    for (account, as_of) in warehouse.data_as_of()? {
        if !filter.accounts.is_empty() && !filter.accounts.contains(&account) {
            continue;
        }
        let as_of = as_of.unwrap_or_else(|| "never | 从未".to_owned());
        if filter.months.is_empty() {
            lines.push(line([&account, &as_of, "", ""]));
        }
        for month in &filter.months {
            let verdict =
                warehouse.verdict(&account, month)?.unwrap_or_else(|| "never read | 从未读取".to_owned());
            lines.push(line([&account, &as_of, month, &verdict]));
        }
    }
    Ok(lines)
}

fn write_origins(sheet: &mut Worksheet, lines: &[[String; 4]], looks: &Looks) -> Result<(), XlsxError> {
    for (row, line) in (0_u32..).zip(lines) {
        for (at, text) in (0_u16..).zip(line).filter(|(_, text)| !text.is_empty()) {
            let is_label = text.contains(" | ");
            if is_label {
                sheet.write_string_with_format(row, at, text, &looks.header)?;
            } else {
                sheet.write_string(row, at, text)?;
            }
        }
    }
    for at in 0..4 {
        sheet.set_column_width(at, 34)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::profile::is_long;
    use super::*;

    #[test]
    fn sheets_have_short_names_of_their_own() {
        let mut names = Vec::new();
        for relation in
            ["f11_fees_and_consumption_kept_back", "f11_fees_and_consumption_kept_back_as_of", "a/b", "A_B"]
        {
            let name = sheet_name(relation, &names);
            names.push(name);
        }
        assert_eq!(
            names,
            ["f11_fees_and_consumption_kept_b", "f11_fees_and_consumption_kept~2", "a_b", "A_B~2"]
        );
    }

    #[test]
    fn an_amount_is_long_when_a_cell_would_lose_a_digit() {
        assert!(!is_long(999_999_999_999_999));
        assert!(is_long(1_000_000_000_000_001));
        assert!(!is_long(1_000_000_000_000_000_000), "zeros at the end are no digits to keep");
        assert!(is_long(i64::MIN));
    }
}
