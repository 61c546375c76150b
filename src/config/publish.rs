//! `[publish]`: where the copy for finance goes, who may read it, and when it is made.

use std::path::{Path, PathBuf};

use crate::settings::Section;

/// The copy for finance, as the configuration wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The published file; a relative path in the file is relative to the file's folder.
    pub path: PathBuf,
    /// The group that may read it, by name or number; `None` leaves the group that the system gives new files.
    pub group: Option<String>,
    /// When it is made.
    pub when: PublishWhen,
}

/// When the copy for finance is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishWhen {
    /// By `bss-sync publish`.
    OnCommand,
    /// By `bss-sync publish`, and at the end of each run.
    AfterRun,
}

pub(super) fn read(root: &Section<'_>, folder: &Path) -> Option<Publish> {
    const PATH: &str =
        "write the path of the copy for finance: [publish] path = \"/srv/finance/billing.sqlite\"";
    const GROUP: &str = "write the name or the number of a group";
    let section = root.table("publish")?;
    let path = section.required("path", PATH, |path| {
        if path.is_empty() { Err(PATH.to_owned()) } else { Ok(folder.join(path)) }
    });
    let group = section.read("group", |group| {
        if group.trim().is_empty() { Err(GROUP.to_owned()) } else { Ok(group.to_owned()) }
    });
    let when = match section.boolean("after_run") {
        Some(true) => PublishWhen::AfterRun,
        Some(false) | None => PublishWhen::OnCommand,
    };
    section.finish();
    Some(Publish { path: path?, group, when })
}
