//! What environment variables and flags lay over the file.

use std::collections::BTreeSet;

use super::environment::Environment;
use crate::settings::{Node, Problem, Problems, SettingSource};

/// Begins every variable that stands for a key.
const PREFIX: &str = "BSS_SYNC_";
/// Names the configuration file; no key.
pub(super) const FILE_VARIABLE: &str = "BSS_SYNC_CONFIG";
/// Tables in which one key is an alternative to another: a new one replaces them all.
const ALTERNATIVES: [&str; 4] = ["access_key", "secret_key", "security_token", "password"];

/// Lays `BSS_SYNC_A__B=value` over the key `a.b`: upper case, `__` between levels, `_` for `-`.
pub(super) fn environment(tree: &mut Node, environment: &Environment, problems: &Problems) {
    let mut layer = SettingsLayer::over(tree);
    for (rest, value) in environment.beginning_with(PREFIX) {
        let name = format!("{PREFIX}{rest}");
        if name == FILE_VARIABLE {
            continue;
        }
        let source = SettingSource::new(&format!("environment variable {name}"));
        let Some(value) = value else {
            problems.add(
                Problem::at(&source, "its value is no UTF-8").remedy("set it to plain text, or unset it"),
            );
            continue;
        };
        let words: Vec<&str> = rest.split("__").collect();
        if words.iter().any(|word| word.is_empty()) {
            let remedy =
                "write the key's words in upper case with __ between levels: BSS_SYNC_WAREHOUSE__PATH";
            problems.add(Problem::at(&source, "this name stands for no key").remedy(remedy));
            continue;
        }
        match path_of(layer.tree, &words) {
            Ok(path) => layer.put(&path, Node::text(source, value)),
            Err(names) => {
                let what = format!("this name could mean {}", names.join(" or "));
                problems.add(
                    Problem::at(&source, &what)
                        .remedy("use --set, or give them names that differ in more than case and - _"),
                );
            }
        }
    }
}

/// Lays every `--set key.path=value` over the key.
pub(super) fn flags(tree: &mut Node, set: &[String], problems: &Problems) {
    let mut layer = SettingsLayer::over(tree);
    for (index, text) in set.iter().enumerate() {
        let count = index + 1;
        let pair = text
            .split_once('=')
            .filter(|(path, _)| !path.is_empty() && path.split('.').all(|word| !word.is_empty()));
        let Some((path, value)) = pair else {
            // The text is not repeated: it may be a secret in the wrong place.
            let source = SettingSource::new(&format!("flag --set number {count}"));
            problems
                .add(Problem::at(&source, "this is no key and value").remedy("write --set key.path=value"));
            continue;
        };
        let path: Vec<String> = path.split('.').map(|word| word.trim().to_owned()).collect();
        layer.put(&path, Node::text(SettingSource::new(&format!("flag --set number {count}")), value.trim()));
    }
}

/// Lays the values of one source over the tree.
struct SettingsLayer<'a> {
    tree: &'a mut Node,
    /// Tables of alternatives that this layer already took over.
    taken_over: BTreeSet<Vec<String>>,
}

impl<'a> SettingsLayer<'a> {
    const fn over(tree: &'a mut Node) -> Self {
        Self { tree, taken_over: BTreeSet::new() }
    }

    /// Puts a value. The first alternative of this layer replaces all of the layers below.
    fn put(&mut self, path: &[String], node: Node) {
        if let [table @ .., _] = path
            && table.last().is_some_and(|name| ALTERNATIVES.contains(&name.as_str()))
            && self.taken_over.insert(table.to_vec())
        {
            self.tree.put(table, Node::empty(node.source().clone()));
        }
        self.tree.put(path, node);
    }
}

/// The keys a variable's words mean: the ones that are there under any spelling, else the words in lower case.
///
/// `Err`: the keys a word could mean, when there are several.
fn path_of(tree: &mut Node, words: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let mut path = Vec::new();
    let mut table = Some(tree);
    for word in words {
        let there: Vec<String> = match &table {
            Some(table) => table
                .keys()
                .filter(|key| variable_word(key) == variable_word(word))
                .map(str::to_owned)
                .collect(),
            None => Vec::new(),
        };
        let key = match there.as_slice() {
            [] => word.to_lowercase(),
            [key] => key.clone(),
            _ => return Err(there),
        };
        table = table.and_then(|table| table.get_mut(&key));
        path.push(key);
    }
    Ok(path)
}

fn variable_word(key: &str) -> String {
    key.to_uppercase().replace('-', "_")
}
