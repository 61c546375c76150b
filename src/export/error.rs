//! Why a file could not be exported, and what to do about it.

use std::path::PathBuf;

use crate::files::FileError;
use crate::warehouse::WarehouseError;

/// An export failed. A former file at its place is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The file could not be written.
    #[error("could not write {}: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// What was already written could not be passed on: nobody reads standard output any more, or the writer failed.
    #[error("could not write the export: {0}")]
    Write(std::io::Error),
    /// This program was built without the form.
    #[error("this bss-sync was built without {format}")]
    NotBuilt {
        /// The form.
        format: &'static str,
    },
    /// The form is none for a pipe.
    #[error("{format} is written to a file only")]
    NeedsFile {
        /// The form.
        format: &'static str,
    },
    /// The form holds one view.
    #[error("a {format} file holds one view")]
    OneAtATime {
        /// The form.
        format: &'static str,
    },
    /// More rows than a sheet has.
    #[error("{relation} has {rows} rows, and a sheet of Excel holds {most}")]
    TooManyRows {
        /// The view or table.
        relation: String,
        /// Its rows.
        rows: u64,
        /// The most that are possible.
        most: u32,
    },
    /// A text that no cell holds.
    #[error("{relation} row {row}: the {column} has {length} characters, and a cell of Excel holds {most}")]
    TooLong {
        /// The view or table.
        relation: String,
        /// Number of the row, from 1.
        row: u64,
        /// The column.
        column: String,
        /// Characters of the text.
        length: usize,
        /// The most that are possible.
        most: usize,
    },
    /// An amount that the column's type cannot hold.
    #[error("{relation} row {row}: the {column} needs more than 18 digits")]
    TooLarge {
        /// The view or table.
        relation: String,
        /// Number of the row, from 1.
        row: u64,
        /// The column.
        column: String,
    },
    /// The library that writes the form refused.
    #[error("could not write {relation}: {detail}")]
    Form {
        /// The view or table.
        relation: String,
        /// The library's words.
        detail: String,
    },
}

impl From<FileError> for ExportError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, error } => Self::Io { path, detail: error.to_string() },
            FileError::Underway { path } => Self::Io { path, detail: "another process writes it".to_owned() },
        }
    }
}

impl ExportError {
    /// The exit code (docs/operate/exit-codes.md).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Warehouse(_) => 6,
            Self::NotBuilt { .. } | Self::NeedsFile { .. } | Self::OneAtATime { .. } => 2,
            Self::Io { .. }
            | Self::Write(_)
            | Self::TooManyRows { .. }
            | Self::TooLong { .. }
            | Self::TooLarge { .. }
            | Self::Form { .. } => 1,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Warehouse(error) => error.advice(),
            Self::Io { .. } | Self::Write(_) | Self::Form { .. } => {
                "check the folder, its free space and this user's rights; a former file is as it was"
            }
            Self::NotBuilt { .. } => "build it with `cargo build --release --features xlsx,parquet`",
            Self::NeedsFile { .. } => "name a file with --to FILE",
            Self::OneAtATime { .. } => "export them one by one, or all of them with --format xlsx",
            Self::TooManyRows { .. } => "choose months with --month, or use --format csv or parquet",
            Self::TooLong { .. } | Self::TooLarge { .. } => "nothing is shortened; use --format csv",
        }
    }
}
