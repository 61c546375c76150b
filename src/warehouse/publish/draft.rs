//! The unfinished copy beside the published one: made exclusively, removed when it is not finished, put in place at once.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, Group, access};

use super::error::PublishError;
use crate::files::{FileForm, NewFile, Rivals, beside, folder_of};
use crate::warehouse::schema::upgrade::APPLICATION_ID;

/// Readable by the group that the file belongs to, writable by nobody else.
const FORM: FileForm = FileForm {
    ending: ".publishing",
    rivals: Rivals::Refused,
    begins_as: 0o600,
    ends_as: Some(0o640),
    companions: &["-journal", "-wal", "-shm"],
};

/// The group that every group without a number in this process's user namespace shows as. The kernel's setting of it
/// (`overflowgid`) is hidden where namespaces are.
const UNMAPPED_GROUP: u32 = 65_534;

/// Where the copy goes.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The published file.
    pub path: &'a Path,
    /// The group that may read it, by name or number.
    pub group: Option<&'a str>,
}

impl Publication<'_> {
    /// Whether the group is known, nothing else lies there, and this user may write to the folder.
    ///
    /// # Errors
    /// Which of these is not so.
    pub fn check(&self) -> Result<(), PublishError> {
        check(self)
    }
}

/// The file that becomes the published copy, of the group that is to read it.
#[derive(Debug)]
pub(super) struct Draft {
    target: PathBuf,
    file: NewFile,
}

impl Draft {
    /// Makes an empty file beside the target, of the group that is to read it.
    pub(super) fn begin(publication: &Publication<'_>) -> Result<Self, PublishError> {
        let target = publication.path;
        let group = match publication.group {
            Some(group) => Some((group, group_id(group)?)),
            None => None,
        };
        refuse_others(target)?;
        let mut file = NewFile::begin(target, FORM)?;
        let given = file.file().metadata().map_err(|error| PublishError::io(file.path(), &error))?.gid();
        // A folder may give its group to new files. Now, and not at the end: whoever may not do this shall hear it before
        // minutes of work.
        if let Some((group, id)) = group.filter(|(_, id)| *id != given) {
            match std::os::unix::fs::fchown(file.file(), None, Some(id)) {
                Err(error) if !(is_forbidden(&error) && folder_gave(given, target)) => {
                    return Err(PublishError::Group {
                        path: file.path().to_owned(),
                        group: group.to_owned(),
                        detail: error.to_string(),
                    });
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(Self { target: target.to_owned(), file })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Replaces the published copy by this one, in one step that a reader sees entirely or not at all. Returns its size.
    pub(super) fn put_in_place(self) -> Result<u64, PublishError> {
        let complete = self.file.complete()?;
        let bytes = complete.bytes();
        // Somebody may have opened the former copy for writing meanwhile: their journal would be applied to this one.
        refuse_companions(&self.target)?;
        complete.put_in_place()?;
        Ok(bytes)
    }
}

/// Looks at everything that [`Draft::begin`] needs, and makes nothing.
pub(super) fn check(publication: &Publication<'_>) -> Result<(), PublishError> {
    publication.group.map(group_id).transpose()?;
    refuse_others(publication.path)?;
    let folder = folder_of(publication.path);
    access(folder, AccessFlags::W_OK | AccessFlags::X_OK)
        .map_err(|error| PublishError::io(folder, &error.into()))
}

fn group_id(group: &str) -> Result<u32, PublishError> {
    let unknown = || PublishError::NoGroup { group: group.to_owned() };
    match Group::from_name(group) {
        Ok(Some(known)) => Ok(known.gid.as_raw()),
        Ok(None) => group.parse().map_err(|_| unknown()),
        Err(_) => Err(unknown()),
    }
}

/// Whether this process may not give files to groups at all: a filter of system calls says the first, a user namespace
/// that does not know the group the second.
fn is_forbidden(error: &std::io::Error) -> bool {
    [Errno::EPERM, Errno::EINVAL].iter().any(|errno| error.raw_os_error() == Some(*errno as i32))
}

/// Whether the folder gave its group to a new file, and which one that is cannot be seen from here: systemd's `PrivateUsers=`
/// shows all groups but the service's own as one.
fn folder_gave(given: u32, target: &Path) -> bool {
    const SETGID: u32 = 0o2000;
    given == UNMAPPED_GROUP && fs::metadata(folder_of(target)).is_ok_and(|folder| folder.mode() & SETGID != 0)
}

/// Refuses to replace what is no published copy: a report, another program's database, a warehouse in use.
fn refuse_others(target: &Path) -> Result<(), PublishError> {
    let mut header = Vec::new();
    match File::open(target) {
        Ok(file) => {
            file.take(100).read_to_end(&mut header).map_err(|error| PublishError::io(target, &error))?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return refuse_companions(target),
        Err(error) => return Err(PublishError::io(target, &error)),
    };
    // The file format of SQLite, section 1.3: magic, at 18 the version for writers (2: WAL), at 68 the application id.
    let is_ours = header.starts_with(b"SQLite format 3\0")
        && header.get(68..72) == Some(APPLICATION_ID.to_be_bytes().as_slice());
    if !is_ours && !header.is_empty() {
        return Err(PublishError::Foreign { path: target.to_owned() });
    }
    if header.get(18) == Some(&2) {
        return Err(PublishError::Live { path: target.to_owned() });
    }
    refuse_companions(target)
}

/// Files that SQLite would apply to whatever lies at the target.
fn refuse_companions(target: &Path) -> Result<(), PublishError> {
    let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|file| file.len() > 0);
    match ["-journal", "-wal"].map(|ending| beside(target, ending)).into_iter().find(is_there) {
        Some(path) => Err(PublishError::WrittenTo { path }),
        None => Ok(()),
    }
}
