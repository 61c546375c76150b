//! Who else may read or change a file, and which kind of disk it lies on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Others may change it: their right to write in a mode.
const OTHERS_WRITE: u32 = 0o002;

/// The group or others may change it.
const ANY_WRITE: u32 = 0o022;

/// The group or others may do anything with it.
const ANY: u32 = 0o077;

/// Who may do what with a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode(u32);

impl Mode {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Self(fs::metadata(path)?.mode() & 0o7777))
    }

    pub(super) const fn lets_others_write(self) -> bool {
        self.0 & OTHERS_WRITE != 0
    }

    pub(super) const fn lets_any_write(self) -> bool {
        self.0 & ANY_WRITE != 0
    }

    pub(super) const fn lets_any_in(self) -> bool {
        self.0 & ANY != 0
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// File systems of other machines: their locks lie, and SQLite's write-ahead log needs memory that only one machine has.
const OF_OTHER_MACHINES: [&str; 15] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "lustre",
    "gfs2",
    "ocfs2",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.rclone",
];

/// Whether a kind of file system keeps its files on another machine.
pub(super) fn is_of_another_machine(kind: &str) -> bool {
    OF_OTHER_MACHINES.contains(&kind)
}

/// The kind of file system that a folder is on, by the kernel's name; `None` where it does not tell.
pub(super) fn file_system(folder: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let folder = folder.canonicalize().ok()?;
    kind_at(&mounts, &folder)
}

/// The kind of the last and deepest mount that the folder is in. A line of `mountinfo` is: ids, root, mount point, options,
/// a dash between blanks, kind, source (`proc(5)`).
fn kind_at(mounts: &str, folder: &Path) -> Option<String> {
    let mut deepest: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((before, behind)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (before.split(' ').nth(4), behind.split(' ').next()) else {
            continue;
        };
        let point = unescape(point);
        let depth = point.components().count();
        // Later ones lie on top of earlier ones.
        if folder.starts_with(&point) && deepest.is_none_or(|(known, _)| depth >= known) {
            deepest = Some((depth, kind));
        }
    }
    deepest.map(|(_, kind)| kind.to_owned())
}

/// A mount point with its octal escapes resolved.
fn unescape(text: &str) -> PathBuf {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 0:40 / /srv rw shared:1 - xfs /dev/vdb rw
31 30 0:41 / /srv/far\\040away rw shared:2 master:3 - nfs4 server:/export rw
32 27 0:42 / /mnt rw - ext4 /dev/vdc rw
33 32 0:43 / /mnt rw - cifs //server/share rw
";

    #[test]
    fn a_folder_is_on_the_deepest_and_last_mount() {
        let kind = |folder: &str| kind_at(MOUNTS, Path::new(folder));
        assert_eq!(kind("/var/lib/bss-sync").as_deref(), Some("ext4"));
        assert_eq!(kind("/srv").as_deref(), Some("xfs"));
        assert_eq!(kind("/srvx").as_deref(), Some("ext4"), "a name that only begins alike");
        assert_eq!(kind("/srv/far away/billing").as_deref(), Some("nfs4"));
        assert_eq!(
            kind("/mnt/billing").as_deref(),
            Some("cifs"),
            "what was mounted last hides what was before"
        );
        assert_eq!(kind_at("", Path::new("/")), None);
    }

    #[test]
    fn network_file_systems_are_known_by_name() {
        let far = ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"];
        assert_eq!(far.map(is_of_another_machine), [true; 5]);
        assert_eq!(["ext4", "xfs", "btrfs", "tmpfs", "overlay"].map(is_of_another_machine), [false; 5]);
    }

    #[test]
    fn modes_tell_who_else_may_read_and_write() {
        let rights = |mode| {
            let mode = Mode(mode);
            (mode.lets_any_in(), mode.lets_any_write(), mode.lets_others_write())
        };
        assert_eq!(rights(0o600), (false, false, false));
        assert_eq!(rights(0o644), (true, false, false));
        assert_eq!(rights(0o770), (true, true, false));
        assert_eq!(rights(0o777), (true, true, true));
        assert_eq!(Mode(0o600).to_string(), "0600");
    }
}
