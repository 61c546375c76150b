//! What the columns of a relation hold, found out before a form with types is written.

use super::ExportError;
use crate::warehouse::{Cell, Relation, RowFilter, Warehouse};

/// Ends the names of exact amounts: integers of 10⁻⁸.
const EXACT: &str = "_e8";

/// Digits that a binary floating point number, which is what a cell of Excel holds, keeps of any decimal.
#[cfg(feature = "xlsx")]
const DIGITS: usize = 15;

/// What all rows of a column have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnProfile {
    pub(super) integers: u64,
    pub(super) reals: u64,
    pub(super) texts: u64,
    pub(super) blobs: u64,
    /// Width of the widest text in columns of a terminal: a Chinese character has two.
    #[cfg(feature = "xlsx")]
    pub(super) width: usize,
    /// Amounts that need more digits than a cell of Excel keeps.
    #[cfg(feature = "xlsx")]
    pub(super) long_amounts: u64,
    /// Rows with a value here and none in the exact twin: this column says something else than its twin.
    pub(super) without_twin: u64,
}

/// A column of the exported file.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    pub(super) content: Content,
}

/// Where a field comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// An amount: the exact integer, and the readable decimal beside it where there is one.
    Amount { exact: usize, readable: Option<usize> },
    /// Anything else.
    Plain(usize),
}

/// The fields of a file with types: an amount is one field, whether the relation shows it in one column or in two.
pub(super) fn fields(relation: &Relation) -> Vec<Field> {
    let place = |name: &str| relation.columns.iter().position(|column| column.name == name);
    let columns = relation.columns.iter().enumerate();
    let fields = columns.filter_map(|(at, column)| {
        if let Some(name) = column.name.strip_suffix(EXACT) {
            // Beside its decimal, it is written there.
            let is_alone = place(name).is_none();
            let content = Content::Amount { exact: at, readable: None };
            return is_alone.then(|| Field { name: name.to_owned(), content });
        }
        let content = match place(&format!("{}{EXACT}", column.name)) {
            Some(exact) => Content::Amount { exact, readable: Some(at) },
            None => Content::Plain(at),
        };
        Some(Field { name: column.name.clone(), content })
    });
    fields.collect()
}

/// Reads the relation once. Returns what its columns hold, and its number of rows.
pub(super) fn profile(
    warehouse: &Warehouse,
    relation: &Relation,
    filter: &RowFilter,
) -> Result<(Vec<ColumnProfile>, u64), ExportError> {
    let mut columns = vec![ColumnProfile::default(); relation.columns.len()];
    let twins: Vec<Option<usize>> = relation
        .columns
        .iter()
        .map(|column| {
            let exact = format!("{}{EXACT}", column.name);
            relation.columns.iter().position(|other| other.name == exact)
        })
        .collect();
    let rows = warehouse.scan(relation, filter, |cells| {
        for ((column, cell), twin) in columns.iter_mut().zip(cells).zip(&twins) {
            column.add(*cell);
            let lacks_twin = twin.is_some_and(|twin| cells[twin] == Cell::Null);
            column.without_twin += u64::from(lacks_twin && *cell != Cell::Null);
        }
        Ok::<(), ExportError>(())
    })?;
    Ok((columns, rows))
}

impl ColumnProfile {
    fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Null => {}
            Cell::Integer(_) => self.integers += 1,
            Cell::Real(_) => self.reals += 1,
            Cell::Text(_) => self.texts += 1,
            Cell::Blob(_) => self.blobs += 1,
        }
        #[cfg(feature = "xlsx")]
        self.measure(cell);
    }

    #[cfg(feature = "xlsx")]
    fn measure(&mut self, cell: Cell<'_>) {
        let width = match cell {
            Cell::Null => 0,
            Cell::Integer(number) => {
                self.long_amounts += u64::from(is_long(number));
                number.to_string().len()
            }
            // A share in percent.
            Cell::Real(_) => 8,
            Cell::Text(text) => text.chars().map(|character| 1 + usize::from(character >= '\u{1100}')).sum(),
            Cell::Blob(bytes) => 2 * bytes.len(),
        };
        self.width = self.width.max(width);
    }
}

/// Whether an amount of 10⁻⁸ needs more digits than a cell of Excel keeps.
#[cfg(feature = "xlsx")]
pub(super) fn is_long(amount: i64) -> bool {
    amount.unsigned_abs().to_string().trim_end_matches('0').len() > DIGITS
}
