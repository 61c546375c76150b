//! What can be looked at without asking anybody: files, folders, the lock, the disk, the warehouse and the copy for finance.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::files::{Mode, file_system, is_of_another_machine};
use super::line::{CheckFault, CheckLine};
use crate::client::Learned;
use crate::config::{Config, SecretSource};
use crate::files::folder_of;
use crate::run::learned;
use crate::warehouse::{Closeness, Publication, PublishError, QuestionHints, Warehouse, WarehouseError};

/// A warehouse up to this size is always looked at closely: it takes a second or less.
const SMALL: u64 = 64 << 20;

/// Free space below which a run may end in the middle: the log that SQLite writes before the file may grow that long.
const LEAST_FREE: u64 = 64 << 20;

/// What the warehouse knows that the questions to the vendor need.
#[derive(Debug, Default)]
pub struct AccountKnowledge {
    /// Ids to ask for.
    pub hints: QuestionHints,
    /// Quotas and sizes of pages, as the last run left them.
    pub learned: Learned,
}

impl AccountKnowledge {
    /// What the warehouse knows of an account.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn of(warehouse: &Warehouse, account: &str, host: &str) -> Result<Self, WarehouseError> {
        Ok(Self { hints: warehouse.hints(account)?, learned: learned(warehouse, account, host)? })
    }
}

/// Looks at everything on this machine. Returns the warehouse too when it can be read and is of this program's version.
#[must_use]
pub fn local(config: &Config, closeness: Closeness) -> (Vec<CheckLine>, Option<Warehouse>) {
    let mut lines = vec![configuration(config), secrets(config), folder(&config.warehouse)];
    lines.push(lock(&config.warehouse));
    let sqlite = match Warehouse::sqlite() {
        Ok(version) => CheckLine::fine("SQLite", version),
        Err(error) => of_warehouse("SQLite", &error),
    };
    lines.push(sqlite);
    let (line, warehouse) = warehouse(&config.warehouse, closeness);
    let bytes = warehouse.as_ref().and_then(|warehouse| warehouse.bytes().ok()).unwrap_or_default();
    lines.push(disk(&config.warehouse, bytes));
    lines.push(line);
    lines.extend(publish(config, warehouse.as_ref()));
    (lines, warehouse)
}

/// What a failure of the warehouse means.
fn of_warehouse(what: &str, error: &WarehouseError) -> CheckLine {
    CheckLine::failed(what, CheckFault::Warehouse, error.to_string(), error.advice())
}

fn configuration(config: &Config) -> CheckLine {
    const WHAT: &str = "configuration";
    let file = config.file.display();
    let of_file = Mode::of(&config.file).map_err(|error| (file.to_string(), error));
    let folder = folder_of(&config.file);
    let of_folder = Mode::of(folder).map_err(|error| (folder.display().to_string(), error));
    let (of_file, of_folder) = match (of_file, of_folder) {
        (Ok(of_file), Ok(of_folder)) => (of_file, of_folder),
        (Err((path, error)), _) | (_, Err((path, error))) => {
            return CheckLine::not_checked(WHAT, format!("{file} was read; {path}: {error}"));
        }
    };
    if of_file.lets_any_write() {
        return CheckLine::warning(
            WHAT,
            format!("{file} has mode {of_file}: others may change where the keys are sent"),
            format!("chmod go-w {file}"),
        );
    }
    if of_folder.lets_others_write() {
        return CheckLine::warning(
            WHAT,
            format!("the folder of {file} has mode {of_folder}: anybody may put another file in its place"),
            format!("chmod o-w {}", folder.display()),
        );
    }
    let (accounts, jobs) = (config.accounts.len(), config.jobs.len());
    CheckLine::fine(WHAT, format!("{file}: {accounts} account(s), {jobs} job(s)"))
}

/// The files themselves were judged when they were read: one that others may read is refused.
fn secrets(config: &Config) -> CheckLine {
    const WHAT: &str = "secrets";
    let places = config.accounts.iter().flat_map(|account| &account.secrets);
    let (mut files, mut variables, mut credentials) = (0, 0, 0);
    for place in places {
        match &place.source {
            SecretSource::Variable => variables += 1,
            SecretSource::Credential(_) => credentials += 1,
            SecretSource::File(file) => {
                files += 1;
                let folder = folder_of(file);
                if let Ok(mode) = Mode::of(folder)
                    && mode.lets_any_write()
                {
                    return CheckLine::warning(
                        WHAT,
                        format!(
                            "the folder {} has mode {mode}: others may replace the secrets in it",
                            folder.display()
                        ),
                        format!("chmod go-w {}", folder.display()),
                    );
                }
            }
        }
    }
    let kinds = [
        (files, "in files that only this user may read"),
        (credentials, "from systemd"),
        (variables, "in the environment, where this user's other programs can read them"),
    ];
    let found: Vec<String> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}")).collect();
    if found.is_empty() {
        return CheckLine::not_checked(WHAT, "they were not read");
    }
    CheckLine::fine(WHAT, found.join(", "))
}

fn folder(warehouse: &Path) -> CheckLine {
    const WHAT: &str = "warehouse folder";
    let folder = folder_of(warehouse);
    let shown = folder.display();
    let failed =
        |detail: String, advice: &str| CheckLine::failed(WHAT, CheckFault::Warehouse, detail, advice);
    match std::fs::metadata(folder) {
        Ok(facts) if !facts.is_dir() => {
            return failed(format!("{shown} is no folder"), "correct `warehouse.path`");
        }
        Ok(_) => {}
        Err(error) => {
            return failed(format!("{shown}: {error}"), "make the folder, or correct `warehouse.path`");
        }
    }
    if let Err(error) = access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
        return failed(
            format!("{shown} cannot be written to: {}", error.desc()),
            "run this as the user whom the folder belongs to, or give it to this one",
        );
    }
    let kind = file_system(folder);
    if let Some(kind) = kind.as_deref().filter(|kind| is_of_another_machine(kind)) {
        return failed(
            format!(
                "{shown} is on another machine ({kind}), where locks do not hold and SQLite's files break"
            ),
            "put the warehouse on a disk of this machine, and publish copies to the share",
        );
    }
    match Mode::of(folder) {
        Ok(mode) if mode.lets_others_write() => {
            return CheckLine::warning(
                WHAT,
                format!("{shown} has mode {mode}: anybody may replace the warehouse or its log"),
                format!("chmod o-w {shown}"),
            );
        }
        Ok(_) | Err(_) => {}
    }
    match Mode::of(warehouse) {
        Ok(mode) if mode.lets_any_in() => {
            return CheckLine::warning(
                WHAT,
                format!("{} has mode {mode}: others may read or change it", warehouse.display()),
                format!("chmod 600 {}, and give finance a published copy", warehouse.display()),
            );
        }
        Ok(_) | Err(_) => {}
    }
    let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
    CheckLine::fine(WHAT, format!("{shown}{kind}, writable"))
}

fn lock(warehouse: &Path) -> CheckLine {
    match Warehouse::holder(warehouse) {
        Some(holder) => CheckLine::fine("lock", format!("held by {holder}: a worker is at work")),
        None => CheckLine::fine("lock", "free"),
    }
}

fn disk(warehouse: &Path, bytes: u64) -> CheckLine {
    match statvfs(folder_of(warehouse)) {
        Ok(disk) => judge_space(disk.blocks_available() * disk.fragment_size(), bytes),
        Err(error) => CheckLine::not_checked("disk space", error.desc()),
    }
}

/// Judges the free space beside a warehouse of this size.
fn judge_space(free: u64, bytes: u64) -> CheckLine {
    const WHAT: &str = "disk space";
    let detail = format!("{} free, the warehouse has {}", size(free), size(bytes));
    if free < LEAST_FREE {
        return CheckLine::failed(
            WHAT,
            CheckFault::Warehouse,
            detail,
            "free some space: a run would end in the middle",
        );
    }
    if free < bytes {
        return CheckLine::warning(
            WHAT,
            detail,
            "free some space before the warehouse doubles: an upgrade of its schema may need as much again",
        );
    }
    CheckLine::fine(WHAT, detail)
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        // Tenths of a unit, in whole numbers.
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

/// Looks into the file. It is returned when questions can be put to it.
fn warehouse(path: &Path, closeness: Closeness) -> (CheckLine, Option<Warehouse>) {
    const WHAT: &str = "warehouse";
    match open(path, closeness) {
        Ok((warehouse, schema, known, closeness)) => {
            let how = match closeness {
                Closeness::Quick => "every page is sound (--deep compares indexes and rows as well)",
                Closeness::Full => "whole",
            };
            let shown = path.display();
            if schema < known {
                let detail = format!("{shown} is {how}; schema {schema}, and the next run makes it {known}");
                return (CheckLine::fine(WHAT, detail), None);
            }
            (CheckLine::fine(WHAT, format!("{shown} is {how}; schema {schema}")), Some(warehouse))
        }
        Err(WarehouseError::Missing { .. }) => (
            CheckLine::not_checked(
                WHAT,
                format!("there is none at {} yet; the first run makes it", path.display()),
            ),
            None,
        ),
        Err(error) => (of_warehouse(WHAT, &error), None),
    }
}

fn open(path: &Path, closeness: Closeness) -> Result<(Warehouse, i32, i32, Closeness), WarehouseError> {
    let warehouse = Warehouse::open_read_only(path)?;
    let (schema, known) = warehouse.schema()?;
    let closeness = if warehouse.bytes()? <= SMALL { Closeness::Full } else { closeness };
    warehouse.check_integrity(closeness)?;
    Ok((warehouse, schema, known, closeness))
}

/// The place of the copy for finance, when there is to be one.
fn publish(config: &Config, warehouse: Option<&Warehouse>) -> Option<CheckLine> {
    const WHAT: &str = "copy for finance";
    let publish = config.publish.as_ref()?;
    let publication = Publication { path: &publish.path, group: publish.group.as_deref() };
    let judged = match warehouse {
        Some(warehouse) => warehouse.could_publish(&publication),
        None => publication.check(),
    };
    let shown = publish.path.display();
    Some(match judged {
        Ok(()) => CheckLine::fine(WHAT, format!("{shown} can be written")),
        Err(PublishError::Warehouse(error)) => of_warehouse(WHAT, &error),
        // The data of runs is stored whatever becomes of the copy.
        Err(error) => CheckLine::warning(WHAT, error.to_string(), error.advice()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::LineVerdict;

    #[test]
    fn space_is_judged_by_the_log_and_the_size_of_the_warehouse() {
        let verdict = |free, bytes| judge_space(free, bytes).verdict;
        assert_eq!(verdict(LEAST_FREE - 1, 0), LineVerdict::Failed(CheckFault::Warehouse));
        assert_eq!(verdict(LEAST_FREE, 0), LineVerdict::Fine);
        assert_eq!(verdict(LEAST_FREE, LEAST_FREE + 1), LineVerdict::Warning);
        assert_eq!(verdict(2 << 30, 1 << 30), LineVerdict::Fine);
        assert_eq!(judge_space(5 << 29, 1536).detail, "2.5 GiB free, the warehouse has 1.5 KiB");
        assert_eq!([size(0), size(1023), size(1 << 20)], ["0 bytes", "1023 bytes", "1.0 MiB"]);
    }
}
