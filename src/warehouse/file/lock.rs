//! One worker per warehouse: a kernel lock, which a crash releases.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::WarehouseError;
use crate::time::UtcSecond;

/// Holds the lock of a warehouse until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Looks of others that a worker may meet, one after another, before it counts the lock as taken. A look takes
/// microseconds.
const LOOKS: u32 = 1000;

/// Whether a worker holds the lock.
pub(in crate::warehouse) fn is_held(warehouse: &Path) -> bool {
    File::open(path_of(warehouse)).is_ok_and(|file| has_worker(&file))
}

/// The process that holds the lock and since when, as it wrote itself; `None` when nobody does.
pub(super) fn holder(warehouse: &Path) -> Option<String> {
    let mut file = File::open(path_of(warehouse)).ok()?;
    if !has_worker(&file) {
        return None;
    }
    // It holds the lock before it has written who it is.
    Some(written(&mut file).unwrap_or_else(|| "another process".to_owned()))
}

/// Who holds the lock, as it wrote itself; `None` when nothing can be read. That still says that somebody does.
fn written(file: &mut File) -> Option<String> {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let holder = holder.trim();
    (!holder.is_empty()).then(|| holder.to_owned())
}

/// Asks the kernel. The process id in the file says nothing: after a crash another process may have it, and in a container
/// every worker has the same. Whoever looks shares the lock for this moment, which a worker that starts waits for.
fn has_worker(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => {
            // Closing the file gives it back as well.
            let _ = file.unlock();
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    }
}

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
        let mut looks = 0;
        let taken = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if looks < LOOKS && !has_worker(&file) => {
                    looks += 1;
                    std::thread::yield_now();
                }
                taken => break taken,
            }
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = written(&mut file).map(|holder| format!(" ({holder})")).unwrap_or_default();
                return Err(WarehouseError::Held { path: warehouse.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(WarehouseError::io(path, &error)),
        }
        let holder = format!("process {}, since {}\n", std::process::id(), UtcSecond::now());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(|error| WarehouseError::io(path, &error))?;
        Ok(Self(file))
    }
}
