//! The file for the textfile collector of `node_exporter`: it finds a whole one, the former or the new.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The collector is another user, and figures are no secret.
const MODE: u32 = 0o644;

/// Puts a text in the place of the former one in one step.
///
/// # Errors
/// The system's, when the folder is missing, full or not writable; the former file stays.
pub fn write_textfile(path: &Path, text: &str) -> std::io::Result<()> {
    // The collector only reads names that end in .prom. Two writers do not meet in one file.
    let mut draft: OsString = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = write(&draft, text).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // What cannot be removed is not read either.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write(draft: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(draft)?;
    // Whatever the umask leaves of it.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text.as_bytes())?;
    // An empty file after a crash would look like a program without figures.
    file.sync_all()
}
