//! The file of a configuration: where it is, and its text.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::overlay;
use crate::settings::{Problem, SettingSource};

/// Where a configuration is looked for when no flag names one, in this order.
pub(super) const PLACES: [&str; 2] = ["./bss-sync.toml", "/etc/bss-sync/config.toml"];

/// What to write when there is no configuration yet.
const EXAMPLE: &str = r#"    [warehouse]
    path = "billing.sqlite"

    [accounts.acme]
    site = "china"
    access_key = { env = "BSS_ACCESS_KEY" }
    secret_key = { env = "BSS_SECRET_KEY" }"#;

/// The file a flag, a variable or the usual places name.
pub(super) fn find(
    flag: Option<&Path>,
    environment: &Environment,
    places: [&Path; 2],
) -> Result<PathBuf, Problem> {
    if let Some(file) = flag {
        return Ok(file.to_owned());
    }
    if environment.has(overlay::FILE_VARIABLE) {
        // Falling back to another file than the one that was meant could read another account.
        return environment.get(overlay::FILE_VARIABLE).map(PathBuf::from).ok_or_else(|| {
            let source = SettingSource::new(&format!("environment variable {}", overlay::FILE_VARIABLE));
            Problem::at(&source, "it is empty or no UTF-8")
                .remedy("set it to the path of a configuration, or unset it")
        });
    }
    places.iter().find(|place| place.exists()).map(|place| place.to_path_buf()).ok_or_else(|| {
        let [here, system] = places.map(Path::display);
        Problem::at(&SettingSource::new("configuration"), &format!("there is neither {here} nor {system}"))
            .remedy(&format!("name a file with --config FILE, or write one of the two:\n\n{EXAMPLE}"))
    })
}

/// The text of a file.
pub(super) fn read_text(file: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(file).map_err(|error| {
        Problem::at(
            &SettingSource::new(&file.display().to_string()),
            &format!("this file cannot be read: {error}"),
        )
        .remedy("check the path and its permissions")
    })
}
