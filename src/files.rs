//! Files that are written for others to read: beside their place, to the disk, and put there in one step. A reader finds a
//! whole file, the former or the new one; what a killed process left is removed by the next.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// Times that a file is begun anew because another process took it for a leftover before it was locked.
const BEGINNINGS: usize = 3;

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileForm {
    /// What its name ends with until it is complete.
    pub(crate) ending: &'static str,
    /// What becomes of a second process that writes to the same place.
    pub(crate) rivals: Rivals,
    /// Its permissions from the start, less where the umask says so.
    pub(crate) begins_as: u32,
    /// Its permissions when it is complete, whatever the umask says; `None`: as it began.
    pub(crate) ends_as: Option<u32>,
    /// Endings of the files that a library writes beside it, and that go with it.
    pub(crate) companions: &'static [&'static str],
}

/// What becomes of a second process that writes to the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rivals {
    /// It is refused: the work takes long, and once is enough.
    Refused,
    /// It writes a file of its own. The last one to end wins.
    Allowed,
}

/// Why a file could not be written; what stood at its place is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// Another process writes to this place.
    #[error("another process writes {}", path.display())]
    Underway {
        /// Its unfinished file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        error: Error,
    },
}

impl FileError {
    fn io(path: &Path) -> impl FnOnce(Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}

/// An unfinished file: locked, so that it is no leftover, and removed when it is dropped.
#[derive(Debug)]
pub(crate) struct NewFile {
    unfinished: Unfinished,
    target: PathBuf,
    file: File,
    form: FileForm,
}

/// A file that is complete and on the disk, but not in its place.
#[derive(Debug)]
pub(crate) struct CompleteFile {
    unfinished: Unfinished,
    target: PathBuf,
    rivals: Rivals,
    bytes: u64,
    /// Keeps the lock.
    _file: File,
}

impl NewFile {
    /// Makes an empty file beside its place.
    ///
    /// # Errors
    /// When another process is at it and that is one too many, or the folder cannot be written to.
    pub(crate) fn begin(target: &Path, form: FileForm) -> Result<Self, FileError> {
        let path = match form.rivals {
            Rivals::Refused => beside(target, form.ending),
            Rivals::Allowed => beside(target, &format!(".{}{}", std::process::id(), form.ending)),
        };
        if form.rivals == Rivals::Allowed {
            remove_leftovers(target, form);
        }
        for _ in 0..BEGINNINGS {
            remove_leftover(&path, form)?;
            let file =
                OpenOptions::new().read(true).write(true).create_new(true).mode(form.begins_as).open(&path);
            let file = file.map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => FileError::Underway { path: path.clone() },
                _ => FileError::io(&path)(error),
            })?;
            let is_kept = match (file.try_lock(), form.rivals) {
                // Some file systems have no locks. Files that only their names tell apart do without.
                (Ok(()), _) | (Err(TryLockError::Error(_)), Rivals::Allowed) => true,
                (Err(TryLockError::WouldBlock), _) => false,
                (Err(TryLockError::Error(error)), Rivals::Refused) => {
                    // Nobody else can have begun one there either.
                    let _ = remove(&path, form.companions);
                    return Err(FileError::io(&path)(error));
                }
            };
            if is_kept && is_at(&file, &path) {
                let unfinished = Unfinished { path, companions: form.companions, is_in_place: false };
                return Ok(Self { unfinished, target: target.to_owned(), file, form });
            }
        }
        Err(FileError::Underway { path })
    }

    /// Where it is until it is complete.
    pub(crate) fn path(&self) -> &Path {
        &self.unfinished.path
    }

    /// Where to write.
    pub(crate) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// It holds all it is to hold: brings it to the disk.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn complete(self) -> Result<CompleteFile, FileError> {
        let Self { unfinished, target, file, form } = self;
        let on_disk = || {
            if let Some(mode) = form.ends_as {
                file.set_permissions(Permissions::from_mode(mode))?;
            }
            file.sync_all()?;
            Ok(file.metadata()?.len())
        };
        let bytes = on_disk().map_err(FileError::io(&unfinished.path))?;
        Ok(CompleteFile { unfinished, target, rivals: form.rivals, bytes, _file: file })
    }
}

impl CompleteFile {
    /// Its size.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Replaces what stands at its place, in one step.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn put_in_place(mut self) -> Result<(), FileError> {
        fs::rename(&self.unfinished.path, &self.target).map_err(FileError::io(&self.target))?;
        self.unfinished.is_in_place = true;
        let folder = folder_of(&self.target);
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // The file is there. A folder that takes files need not let itself be read, nor a file system sync folders.
            Err(error) if self.rivals == Rivals::Allowed && cannot_be_synced(&error) => Ok(()),
            synced => synced.map_err(FileError::io(folder)),
        }
    }
}

/// Writes a file that is at hand as a whole.
///
/// # Errors
/// See [`NewFile`].
pub(crate) fn write(target: &Path, form: FileForm, bytes: &[u8]) -> Result<(), FileError> {
    let mut new = NewFile::begin(target, form)?;
    new.file.write_all(bytes).map_err(FileError::io(new.path()))?;
    new.complete()?.put_in_place()
}

/// A name that is removed unless its file came to its place.
#[derive(Debug)]
struct Unfinished {
    path: PathBuf,
    companions: &'static [&'static str],
    is_in_place: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What cannot be removed now is removed by the next process.
            let _ = remove(&self.path, self.companions);
        }
    }
}

fn cannot_be_synced(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

/// The folder of a file.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file's name with more behind it.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether a name still leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    let (of_file, of_path) = (file.metadata(), fs::symlink_metadata(path));
    matches!((of_file, of_path), (Ok(file), Ok(path)) if file.ino() == path.ino())
}

/// Removes what killed processes left. What cannot be removed says by its name that it is unfinished.
fn remove_leftovers(target: &Path, form: FileForm) {
    let Some(name) = target.file_name().map(OsStr::as_encoded_bytes) else { return };
    let is_unfinished = |entry: &fs::DirEntry| {
        let found = entry.file_name();
        let number = found.as_encoded_bytes().strip_prefix(name).and_then(|rest| rest.strip_prefix(b"."));
        let number = number.and_then(|rest| rest.strip_suffix(form.ending.as_bytes()));
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    };
    let entries = fs::read_dir(folder_of(target)).into_iter().flatten().flatten();
    for entry in entries.filter(is_unfinished) {
        let _ = remove_leftover(&entry.path(), form);
    }
}

/// Removes what a killed process left. A living one holds the lock.
fn remove_leftover(path: &Path, form: FileForm) -> Result<(), FileError> {
    let left = OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path);
    let left = match left {
        Ok(left) => left,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::io(path)(error)),
    };
    match left.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(FileError::Underway { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => return Err(FileError::io(path)(error)),
    }
    // Between opening and locking another process may have removed the file and begun its own.
    if fs::symlink_metadata(path).is_ok() && !is_at(&left, path) {
        return Err(FileError::Underway { path: path.to_owned() });
    }
    remove(path, form.companions).map_err(FileError::io(path))
}

fn remove(path: &Path, companions: &[&str]) -> std::io::Result<()> {
    companions.iter().chain(&[""]).try_for_each(|ending| match fs::remove_file(beside(path, ending)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: FileForm = FileForm {
        ending: ".writing",
        rivals: Rivals::Allowed,
        begins_as: 0o600,
        ends_as: Some(0o644),
        companions: &[],
    };

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_the_former_one_until_it_is_put_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("figures");
        write(&target, FORM, b"former").expect("written");
        let mut new = NewFile::begin(&target, FORM).expect("begun");
        new.file().write_all(b"new").expect("written");
        let complete = new.complete().expect("on the disk");
        assert_eq!((complete.bytes(), fs::read(&target).expect("read")), (3, b"former".to_vec()));
        complete.put_in_place().expect("in place");
        assert_eq!(fs::read(&target).expect("read"), b"new");
        assert_eq!(fs::metadata(&target).expect("facts").permissions().mode() & 0o777, 0o644);
        assert_eq!(names(folder.path()), ["figures"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("figures");
        for left in ["figures.1.writing", "figures.x.writing", "figures.20261130", "other.2.writing"] {
            fs::write(folder.path().join(left), "left").expect("written");
        }
        let living = File::create(folder.path().join("figures.3.writing")).expect("made");
        living.lock().expect("locked");
        write(&target, FORM, b"new").expect("written");
        assert_eq!(
            names(folder.path()),
            ["figures", "figures.20261130", "figures.3.writing", "figures.x.writing", "other.2.writing"]
        );
    }

    #[test]
    fn a_folder_that_cannot_be_read_takes_a_file_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("figures");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o300)).expect("permissions");
        write(&target, FORM, b"new").expect("written");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("permissions");
        assert_eq!(fs::read(&target).expect("read"), b"new");
        assert_eq!(names(folder.path()), ["figures"]);
    }

    #[test]
    fn a_second_process_is_refused_where_one_is_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let form = FileForm { rivals: Rivals::Refused, ..FORM };
        let first = NewFile::begin(&folder.path().join("copy"), form).expect("begun");
        let second = NewFile::begin(&folder.path().join("copy"), form);
        assert!(matches!(second, Err(FileError::Underway { path }) if path == first.path()));
        drop(first);
        assert!(names(folder.path()).is_empty());
    }
}
