//! Where a secret comes from: a variable, a file or a systemd credential; never the configuration itself.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::environment::{Environment, one_line};
use crate::settings::Section;

/// What to write instead of a secret.
const SOURCES: &str = "write { env = \"NAME\" }, { file = \"path\" } or { credential = \"name\" } (systemd); \
                       a secret in a configuration or on a command line is read by others and kept in backups";
/// Largest secret: far above any key or token of the vendor, small enough to refuse a wrong file at once.
const LARGEST: u64 = 64 * 1024;
/// What a secret file holds.
const ONE_LINE: &str = "put the secret into it as its only line";
/// Where systemd puts the credentials of a service.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret of an account was found; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    /// The key of the account's table.
    pub key: &'static str,
    /// The place.
    pub source: SecretSource,
}

/// The kind of place that a secret was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment.
    Variable,
    /// A file that a person keeps.
    File(PathBuf),
    /// A file of systemd's credentials directory.
    Credential(PathBuf),
}

/// The secret `key` of an account tells where to find, and that place; what is wrong is reported, without any value.
pub(super) fn read(
    account: &Section<'_>,
    key: &'static str,
    folder: &Path,
    environment: &Environment,
) -> Option<(SecretString, SecretPlace)> {
    if account.peek(key).is_some() {
        account.report(key, "a secret does not belong here", SOURCES);
        return None;
    }
    let section = account.table(key)?;
    let found = [
        section.read("env", |name| {
            Ok(of_variable(name, environment).map(|secret| (secret, SecretSource::Variable)))
        }),
        section.read("file", |path| Ok(of_path(path, folder))),
        section.read("credential", |name| Ok(of_credential(name, environment))),
    ];
    let count = ["env", "file", "credential"].iter().filter(|source| section.has(source)).count();
    if count != 1 {
        let what =
            if count == 0 { "this says nowhere to find the secret" } else { "this names several places" };
        account.report(key, what, SOURCES);
        section.finish();
        return None;
    }
    section.finish();
    let complain = |flaw: Flaw| account.report(key, &flaw.what, &flaw.remedy);
    let (secret, source) = found.into_iter().flatten().next()?.map_err(complain).ok()?;
    Some((secret, SecretPlace { key, source }))
}

/// Why a place holds no usable secret, and what to do about it.
struct Flaw {
    what: String,
    remedy: String,
}

impl Flaw {
    fn new(what: String, remedy: &str) -> Self {
        Self { what, remedy: remedy.to_owned() }
    }
}

/// The secret in a variable. The name is repeated only when it looks like one: a person may have put the secret there.
fn of_variable(name: &str, environment: &Environment) -> Result<SecretString, Flaw> {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let looks_like_a_name =
        name.bytes().all(upper) && (name.len() < 16 || name.contains('_')) && name.len() <= 64;
    environment.secret(name).map_err(|reason| {
        if looks_like_a_name {
            Flaw::new(
                format!("the environment variable {name} {reason}"),
                "set it to the secret, and nothing else",
            )
        } else {
            let what = format!(
                "the environment variable named here (not shown: it may be the secret itself) {reason}"
            );
            Flaw::new(what, "write the name of a variable, and put the secret into that variable")
        }
    })
}

/// The secret in a file that a person keeps.
fn of_path(path: &str, folder: &Path) -> Result<(SecretString, SecretSource), Flaw> {
    let file = folder.join(path);
    if !is_plainly_a_path(path) && std::fs::metadata(&file).is_err() {
        let what = "there is no file of the name written here (not shown: it may be the secret itself)";
        return Err(Flaw::new(
            what.to_owned(),
            "write the path of a file, and put the secret into that file",
        ));
    }
    of_file(&file, Keeper::Person).map(|secret| (secret, SecretSource::File(file)))
}

/// Whether a text is a path and hardly a secret: it says where it begins, and no part of it looks random.
fn is_plainly_a_path(text: &str) -> bool {
    /// The vendor's access keys have 20 letters and digits in a row, everything secret has more.
    const SHORTEST_KEY: usize = 20;
    let begins = ["/", "./", "../"].iter().any(|start| text.starts_with(start));
    let mut parts = text.split(|c: char| "/._-".contains(c));
    begins && parts.all(|part| part.len() < SHORTEST_KEY && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The secret in a file of systemd's credentials directory. The name is repeated only when there is such a file.
fn of_credential(name: &str, environment: &Environment) -> Result<(SecretString, SecretSource), Flaw> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        let what = "the name of a credential is a plain file name".to_owned();
        return Err(Flaw::new(what, "write the name that stands in LoadCredential= of the service"));
    }
    let Some(directory) = environment.get(CREDENTIALS_DIRECTORY) else {
        return Err(Flaw::new(
            format!("{CREDENTIALS_DIRECTORY} is not set, so systemd gave no credentials"),
            "add LoadCredential=NAME:/path/of/the/secret to the service; by hand use systemd-run with the same (docs/guide/schedules.md), or env or file instead",
        ));
    };
    let file = Path::new(directory).join(name);
    if std::fs::metadata(&file).is_err() {
        return Err(Flaw::new(
            "systemd gave no credential of the name written here (not shown: it may be the secret itself)"
                .to_owned(),
            "write the name that stands in LoadCredential= of the service",
        ));
    }
    of_file(&file, Keeper::Systemd).map(|secret| (secret, SecretSource::Credential(file)))
}

/// Who made the file, and therefore who else may read it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// A person: nobody but the owner may read it.
    Person,
    /// systemd, which lets the service's user read a file of root through an access list; the mask of such a list
    /// shows as the group's right to read.
    Systemd,
}

/// The secret in a file, without its last line break.
fn of_file(path: &Path, keeper: Keeper) -> Result<SecretString, Flaw> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Flaw::new(
            format!("the file {shown} cannot be read: {error}"),
            "check the path, and that the file is the user's who runs this program",
        )
    };
    let irregular =
        || Flaw::new(format!("{shown} is not a regular file"), "put the secret into a plain file");
    // Asked before opening: opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(irregular());
    }
    let mut file = File::open(path).map_err(unreadable)?;
    // Asked of the opened file: the path may lead elsewhere by now.
    let facts = file.metadata().map_err(unreadable)?;
    if !facts.is_file() {
        return Err(irregular());
    }
    let allowed = match keeper {
        Keeper::Person => 0o700,
        Keeper::Systemd => 0o740,
    };
    let mode = facts.mode() & 0o777;
    if mode & !allowed != 0 {
        let what = format!("the file {shown} has mode {mode:04o}, so other users may read or change it");
        return Err(Flaw::new(what, "chmod 600 it, and renew the secret if others could read it"));
    }
    if !may_keep(facts.uid(), effective_user()) {
        let what = format!("the file {shown} belongs to user {}, who may change it", facts.uid());
        return Err(Flaw::new(what, "chown it to the user who runs this program, or to root"));
    }
    if facts.len() > LARGEST {
        return Err(Flaw::new(format!("the file {shown} is larger than {LARGEST} bytes"), ONE_LINE));
    }
    let mut text = String::new();
    (&mut file).take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
    one_line(&SecretString::from(text))
        .map_err(|reason| Flaw::new(format!("the file {shown} {reason}"), ONE_LINE))
}

/// Whether a user may own a secret of the caller: only the caller and root could change it anyway.
fn may_keep(owner: u32, caller: Option<u32>) -> bool {
    // Whoever can open a file that is closed to group and others owns it or is root: without an answer nothing is lost.
    owner == 0 || caller.is_none_or(|caller| caller == owner)
}

/// The user this process acts as. `None` where the system does not tell it in the way of Linux.
fn effective_user() -> Option<u32> {
    // Not the owner of /proc/self: that is root once a process forbids core dumps.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_callers_or_roots() {
        assert!(may_keep(0, Some(1000)));
        assert!(may_keep(1000, Some(1000)));
        assert!(may_keep(1000, None));
        assert!(!may_keep(1001, Some(1000)));
        assert!(!may_keep(1000, Some(0)), "root does not trust a file that a user may change");
    }

    #[test]
    fn what_this_process_writes_belongs_to_it() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let owner = file.as_file().metadata().expect("its facts").uid();
        assert!(may_keep(owner, effective_user()));
        assert_eq!(effective_user().is_some(), cfg!(target_os = "linux"));
    }
}
