//! The file for the textfile collector of `node_exporter`: it finds a whole one, the former or the new.

use std::path::Path;

use crate::files::{self, FileError, FileForm, Rivals};

/// The collector is another user, and figures are no secret. It only reads names that end in `.prom`.
const FORM: FileForm = FileForm {
    ending: ".writing",
    rivals: Rivals::Allowed,
    begins_as: 0o644,
    ends_as: Some(0o644),
    companions: &[],
};

/// Puts a text in the place of the former one in one step.
///
/// # Errors
/// The system's, when the folder is missing, full or not writable; the former file stays.
pub fn write_textfile(path: &Path, text: &str) -> std::io::Result<()> {
    files::write(path, FORM, text.as_bytes()).map_err(|error| match error {
        FileError::Io { error, .. } => error,
        FileError::Underway { .. } => std::io::ErrorKind::AlreadyExists.into(),
    })
}
