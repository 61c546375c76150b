//! What stands in `deploy/`: policies that allow to read and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}

/// The actions that a policy allows.
fn actions(file: &str, version: &str) -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(&repository(file)).expect("JSON");
    assert_eq!(policy["Version"], version);
    let statements = policy["Statement"].as_array().expect("statements");
    assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"));
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().expect("actions"));
    actions.map(|action| action.as_str().expect("an action").to_owned()).collect()
}

#[test]
fn the_policies_allow_what_is_documented_and_no_change_of_anything() {
    let mut allowed = actions("deploy/iam-policy-customer.json", "1.1");
    allowed.extend(actions("deploy/iam-identity-policy-customer.json", "5.0"));
    let only_reads = |action: &String| {
        let [_, _, verb] = action.split(':').collect::<Vec<_>>()[..] else { return false };
        verb == "view" || verb == "viewDiscount"
    };
    assert!(allowed.iter().all(only_reads), "{allowed:?}");
    let documented = repository("docs/guide/credentials.md");
    for action in &allowed {
        assert!(documented.contains(&format!("`{action}`")), "{action}");
    }
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|character: char| character.is_whitespace() || "`|;()".contains(character));
        words
            .filter(|word| word.starts_with("billing:") || word.starts_with("bss:"))
            .map(str::to_owned)
            .collect()
    };
    for document in ["docs/guide/credentials.md", "docs/guide/zh.md"] {
        assert!(words(&repository(document)).is_subset(&allowed), "{document} asks for more");
    }
}
