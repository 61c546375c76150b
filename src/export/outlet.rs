//! A file that is written beside its place and put there when it is complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::ExportError;

/// Money and customers' names are in it: for its owner and his group at most, less where the umask says so.
const MODE: u32 = 0o640;

/// An unfinished file; removed when it is dropped before it is in its place.
pub(super) struct Outlet {
    target: PathBuf,
    path: PathBuf,
    file: File,
    is_in_place: bool,
}

impl Outlet {
    /// Begins a file for this place.
    pub(super) fn begin(target: &Path) -> Result<Self, ExportError> {
        let mut path: OsString = target.as_os_str().to_owned();
        // Two exports to one place do not meet in one file; the last one to end wins.
        path.push(format!(".{}.exporting", std::process::id()));
        let path = PathBuf::from(path);
        let begun = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(&path);
        let file = begun.map_err(|error| io(&path, &error))?;
        Ok(Self { target: target.to_owned(), path, file, is_in_place: false })
    }

    /// Where to write.
    pub(super) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The file is complete.
    pub(super) fn put_in_place(mut self) -> Result<(), ExportError> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &self.target))
            .map_err(|error| io(&self.target, &error))?;
        self.is_in_place = true;
        Ok(())
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What cannot be removed says by its name that it is unfinished.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn io(path: &Path, error: &std::io::Error) -> ExportError {
    ExportError::Io { path: path.to_owned(), detail: error.to_string() }
}
