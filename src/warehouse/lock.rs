//! One worker per warehouse: a kernel lock, which a crash releases.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::WarehouseError;
use crate::time::UtcSecond;

/// Holds the lock of a warehouse until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Whether the process that took the lock last still lives. Looking must not touch the lock itself: a worker
/// that starts at that moment would be turned away.
pub(super) fn holder_lives(warehouse: &Path) -> bool {
    holder(warehouse).is_some()
}

/// That process and since when it holds the lock, as it wrote itself, when it still lives.
pub(super) fn holder(warehouse: &Path) -> Option<String> {
    let holder = std::fs::read_to_string(path_of(warehouse)).ok()?;
    let process = holder.strip_prefix(PROCESS)?.split(',').next()?;
    Path::new("/proc").join(process).exists().then(|| holder.trim().to_owned())
}

/// Begins the lock file; the process id follows.
const PROCESS: &str = "process ";

fn path_of(warehouse: &Path) -> PathBuf {
    let mut path = warehouse.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

impl Lock {
    /// Takes the lock in `<warehouse>.lock`, at once or not at all.
    pub(super) fn take(warehouse: &Path) -> Result<Self, WarehouseError> {
        let path = &path_of(warehouse);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| WarehouseError::io(path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // A lock file we cannot read still says that somebody holds it.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { String::new() } else { format!(" ({holder})") };
                return Err(WarehouseError::Held { path: warehouse.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(WarehouseError::io(path, &error)),
        }
        let holder = format!("{PROCESS}{}, since {}\n", std::process::id(), UtcSecond::now());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(|error| WarehouseError::io(path, &error))?;
        Ok(Self(file))
    }
}
