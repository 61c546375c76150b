//! What can go wrong with the warehouse, and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The warehouse failed. Whatever was not committed is as if it had not been read: the next run reads it again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WarehouseError {
    /// Another worker holds the lock.
    #[error("another worker holds the warehouse {}{holder}", path.display())]
    Held {
        /// The warehouse.
        path: PathBuf,
        /// Who, as the lock file says; starts with a blank, or is empty.
        holder: String,
    },
    /// There is no file.
    #[error("there is no warehouse at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is another program's.
    #[error("{} is not a bss-sync warehouse", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the file.
    #[error("the warehouse {} has schema {found}, this program knows up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// SQLite found the file inconsistent.
    #[error("the warehouse {} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// No space.
    #[error("the disk is full: could not write to the warehouse {}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds a lock on the database.
    #[error("another program holds a write lock on the warehouse {}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder cannot be read or written.
    #[error("could not open or write the warehouse {}: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// The system failed to read or write an open file: a disk that fails, a file size limit, a share that went away.
    #[error("the disk failed to read or write the warehouse {}: {detail}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// The SQLite library is too old.
    #[error("SQLite {version} is too old; 3.51.3 or newer is needed")]
    OldLibrary {
        /// Version of the library.
        version: String,
    },
    /// Anything else SQLite refused: a bug of ours.
    #[error("the warehouse {} refused a statement: {detail}", path.display())]
    Statement {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// The thread that owns the warehouse is gone.
    #[error("the warehouse writer stopped")]
    Stopped,
}

impl WarehouseError {
    pub(in crate::warehouse) fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, detail },
            Some(ErrorCode::NotADatabase) => Self::Foreign { path },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Io { path, detail }
            }
            Some(ErrorCode::SystemIoFailure) => Self::Disk { path, detail },
            _ => Self::Statement { path, detail },
        }
    }

    pub(in crate::warehouse) fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), detail: error.to_string() },
        }
    }

    /// Whether a later try may succeed without anybody's help: the disk was full, another program had a lock. An error of
    /// the disk is none of these: what was told to be written may not be there, so the file must be opened anew.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Held { .. }
            | Self::Full { .. }
            | Self::Busy { .. }
            | Self::Io { .. }
            | Self::Statement { .. } => true,
            Self::Missing { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::Disk { .. }
            | Self::OldLibrary { .. }
            | Self::Stopped => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Held { .. } => {
                "wait until it ends, or stop it with SIGTERM: it then ends after the page in hand, and nothing it read is lost"
            }
            Self::Missing { .. } => "run `bss-sync run` first, or correct `warehouse.path`",
            Self::Foreign { .. } => "nothing was written to it; point `warehouse.path` at another file",
            Self::Newer { .. } => {
                "nothing was written to it; upgrade bss-sync, or point `warehouse.path` at another file"
            }
            Self::Damaged { .. } => {
                "nothing more was written to it; keep a copy, restore the last backup to this path and run again: what is missing since is read again"
            }
            Self::Full { .. } => {
                "free some space and run again: nothing stored is lost, the run goes on from its last page"
            }
            Self::Busy { .. } => {
                "close the program that writes to it, then run again: nothing stored is lost"
            }
            Self::Io { .. } => {
                "check that the folder exists and that this user may write to it, then run again: nothing stored is lost"
            }
            Self::Disk { .. } => {
                "check the disk, its free space and this user's file size limit (ulimit -f), then run again: nothing stored is lost"
            }
            Self::OldLibrary { .. } => "build bss-sync with its bundled SQLite",
            Self::Statement { .. } | Self::Stopped => {
                "run again: nothing stored is lost; if it happens again, report it with this message"
            }
        }
    }
}
