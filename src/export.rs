//! Views and tables as files for other programs: CSV, XLSX, Parquet. Each is written beside its place and put there when it is
//! complete.

mod csv;
mod error;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(any(feature = "xlsx", feature = "parquet"))]
mod profile;
#[cfg(feature = "xlsx")]
mod xlsx;

use std::path::Path;

pub use error::ExportError;

use crate::files::{FileForm, NewFile, Rivals};
use crate::warehouse::{Relation, RowFilter, Warehouse};

/// Money and customers' names are in it: for its owner and his group at most, less where the umask says so. Two exports to
/// one place do not meet in one file.
const FORM: FileForm = FileForm {
    ending: ".exporting",
    rivals: Rivals::Allowed,
    begins_as: 0o640,
    ends_as: None,
    companions: &[],
};

/// The form of an exported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text in UTF-8 with a byte-order mark, RFC 4180.
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// Columns for analytics.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::Parquet];

    /// Its name, which is also the ending of its files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

/// Where an export goes.
#[derive(Clone, Copy, Debug)]
pub enum Destination<'a> {
    /// A file, which is replaced.
    File(&'a Path),
    /// Standard output; only for CSV.
    StandardOutput,
}

/// What to export.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// The views and tables, at least one; several only for XLSX, a sheet each.
    pub relations: Vec<Relation>,
    /// Which of their rows.
    pub filter: RowFilter,
    /// The form.
    pub format: Format,
    /// Where to.
    pub destination: Destination<'a>,
}

impl Export<'_> {
    /// Writes the file; all of it is of one moment. Returns the rows of each relation.
    ///
    /// # Errors
    /// When the warehouse or the file fails, or the form cannot hold what is to be written; then a former file is as it was.
    pub fn write(&self, warehouse: &Warehouse) -> Result<Vec<u64>, ExportError> {
        warehouse.at_one_moment(|| match (self.format, self.destination) {
            (Format::Csv, Destination::StandardOutput) => {
                csv::write(warehouse, self.single()?, &self.filter, std::io::stdout().lock())
            }
            (Format::Csv, Destination::File(path)) => {
                let mut file = NewFile::begin(path, FORM)?;
                let rows = csv::write(warehouse, self.single()?, &self.filter, file.file())?;
                file.complete()?.put_in_place()?;
                Ok(rows)
            }
            (Format::Xlsx, Destination::File(path)) => self.write_xlsx(warehouse, path),
            (Format::Parquet, Destination::File(path)) => self.write_parquet(warehouse, path),
            (format, Destination::StandardOutput) => Err(ExportError::NeedsFile { format: format.as_str() }),
        })
    }

    fn single(&self) -> Result<&Relation, ExportError> {
        match self.relations.as_slice() {
            [relation] => Ok(relation),
            _ => Err(ExportError::OneAtATime { format: self.format.as_str() }),
        }
    }

    #[cfg(feature = "xlsx")]
    fn write_xlsx(&self, warehouse: &Warehouse, path: &Path) -> Result<Vec<u64>, ExportError> {
        let mut file = NewFile::begin(path, FORM)?;
        let rows = xlsx::write(warehouse, &self.relations, &self.filter, file.file())?;
        file.complete()?.put_in_place()?;
        Ok(rows)
    }

    #[cfg(not(feature = "xlsx"))]
    fn write_xlsx(&self, _: &Warehouse, _: &Path) -> Result<Vec<u64>, ExportError> {
        Err(ExportError::NotBuilt { format: self.format.as_str() })
    }

    #[cfg(feature = "parquet")]
    fn write_parquet(&self, warehouse: &Warehouse, path: &Path) -> Result<Vec<u64>, ExportError> {
        let mut file = NewFile::begin(path, FORM)?;
        let rows = parquet::write(warehouse, self.single()?, &self.filter, file.file())?;
        file.complete()?.put_in_place()?;
        Ok(rows)
    }

    #[cfg(not(feature = "parquet"))]
    fn write_parquet(&self, _: &Warehouse, _: &Path) -> Result<Vec<u64>, ExportError> {
        Err(ExportError::NotBuilt { format: self.format.as_str() })
    }
}
