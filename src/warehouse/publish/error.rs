//! Why the copy for finance was not replaced, and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::files::FileError;
use crate::warehouse::file::error::WarehouseError;

/// The copy for finance could not be made. The former copy is as it was, and the warehouse too.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The warehouse was last written by an older program.
    #[error("the warehouse {} has schema {found}, this program publishes {known}", path.display())]
    Older {
        /// The warehouse.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// The target is a warehouse that runs write to.
    #[error("{} is a warehouse that runs write to", path.display())]
    Live {
        /// The target.
        path: PathBuf,
    },
    /// The target is a file of something else.
    #[error("{} is no published copy", path.display())]
    Foreign {
        /// The target.
        path: PathBuf,
    },
    /// Another program writes to the former copy, or was killed while it did.
    #[error("another program wrote to the published copy: {} lies beside it", path.display())]
    WrittenTo {
        /// What it left.
        path: PathBuf,
    },
    /// Another process is publishing to the same place.
    #[error("another process is publishing: it writes {}", path.display())]
    Underway {
        /// Its unfinished copy.
        path: PathBuf,
    },
    /// Too little space, found before anything was written.
    #[error("the folder {} has {free} bytes free, and publishing {size} bytes needs {needed}", folder.display())]
    NoSpace {
        /// Where the copy is to go.
        folder: PathBuf,
        /// Bytes this user may still write there.
        free: u64,
        /// Bytes of the warehouse.
        size: u64,
        /// Bytes asked for.
        needed: u64,
    },
    /// The disk was full all the same.
    #[error("the disk is full: could not write {}", path.display())]
    Full {
        /// The unfinished copy.
        path: PathBuf,
    },
    /// The group is not known here.
    #[error("there is no group `{group}`")]
    NoGroup {
        /// As the configuration names it.
        group: String,
    },
    /// The copy cannot be given to the group.
    #[error("could not give {} to the group `{group}`: {detail}", path.display())]
    Group {
        /// The unfinished copy.
        path: PathBuf,
        /// As the configuration names it.
        group: String,
        /// The system's words.
        detail: String,
    },
    /// The copy is not what the warehouse is.
    #[error("the copy failed its check: {detail}")]
    Unsound {
        /// What is wrong with it.
        detail: String,
    },
    /// The copy could not be written, read back or put in place.
    #[error("could not write {}: {detail}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// Somebody asked to stop.
    #[error("stopped on request")]
    Stopped,
}

impl From<FileError> for PublishError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Underway { path } => Self::Underway { path },
            FileError::Io { path, error } => Self::io(&path, &error),
        }
    }
}

impl PublishError {
    /// What SQLite said while the copy was written or checked.
    pub(super) fn sql(draft: &Path, warehouse: &Path, error: &rusqlite::Error) -> Self {
        let path = draft.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::OperationInterrupted) => Self::Stopped,
            Some(ErrorCode::DatabaseCorrupt) => Self::Warehouse(WarehouseError::sql(warehouse, error)),
            _ => Self::Io { path, detail: error.to_string() },
        }
    }

    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), detail: error.to_string() },
        }
    }

    /// The exit code (docs/operate/exit-codes.md).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Live { .. } | Self::Foreign { .. } | Self::NoGroup { .. } => 2,
            Self::Stopped => 4,
            Self::Underway { .. } => 75,
            Self::Warehouse(_)
            | Self::Older { .. }
            | Self::WrittenTo { .. }
            | Self::NoSpace { .. }
            | Self::Full { .. }
            | Self::Group { .. }
            | Self::Unsound { .. }
            | Self::Io { .. } => 6,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Warehouse(error) => error.advice(),
            Self::Older { .. } => "run `bss-sync run` first: it brings the warehouse up to date",
            Self::Live { .. } | Self::Foreign { .. } => {
                "it was left alone; name another file with --to or in the configuration: [publish] path"
            }
            Self::WrittenTo { .. } => {
                "nothing was replaced; close that program, remove the file, and let finance only read the copy"
            }
            Self::Underway { .. } => "wait until it ends; nothing was replaced",
            Self::NoSpace { .. } | Self::Full { .. } => {
                "free some space and publish again; the former copy is as it was"
            }
            Self::NoGroup { .. } => "correct [publish] group, or create the group",
            Self::Group { .. } => {
                "make the folder one that gives its group to new files (chgrp, chmod g+s) and leave [publish] group out, which is the only way under the systemd units; or make this user a member of the group; the former copy is as it was"
            }
            Self::Unsound { .. } => {
                "publish again; if it happens again, check the disk and report it with this message; the former copy is as it was"
            }
            Self::Io { .. } => {
                "check that the folder exists, that this user may write to it, and its limits (ulimit -f); the former copy is as it was"
            }
            Self::Stopped => "the former copy is as it was; publish again",
        }
    }
}
