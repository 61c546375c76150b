//! No file but a stream's own names it: whoever needs a stream asks the catalogue for it by what it is.

use std::collections::BTreeSet;
use std::path::Path;

use bss_sync::stream::CATALOGUE;
use syn::visit::{self, Visit};
use syn::{Attribute, LitStr, Macro};

/// Where streams are named all the same: in files that begin so, which, and why.
const NAMED: [(&str, &[&str], &str); 6] = [
    (
        "src/warehouse/",
        &["orders"],
        "the root of spend: months, the queue and all that belongs to orders begin with its table",
    ),
    ("src/warehouse/report/", &["sub_customers"], "what nobody asks for any more is of customers who left"),
    ("src/warehouse/store/", &["sub_customers"], "as above, and whose lists there are to read"),
    ("src/warehouse/store/hints.rs", &["resources"], "what a first question to the vendor needs"),
    (
        "src/warehouse/explain/",
        &["order_lines", "refund_attributions", "resources", "sub_customers"],
        "it tells of orders, resources and customers, each in its own words",
    ),
    ("src/cli/verify.rs", &["orders"], "a key of the output: a list of orders"),
];

/// The texts of a file, but those of its tests and comments, and what stands in its macros.
#[derive(Default)]
struct Texts {
    literals: Vec<String>,
    macros: Vec<String>,
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|of| of.is_ident("test"))
    })
}

impl<'a> Visit<'a> for Texts {
    fn visit_attribute(&mut self, _: &'a Attribute) {}

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_lit_str(&mut self, text: &'a LitStr) {
        self.literals.push(text.value());
    }

    fn visit_macro(&mut self, item: &'a Macro) {
        self.macros.push(item.tokens.to_string());
    }
}

impl Texts {
    fn have(&self, name: &str) -> bool {
        let quoted = format!("\"{name}\"");
        self.literals.iter().any(|text| text == name || is_in_sql(name, text))
            || self.macros.iter().any(|text| text.contains(&quoted) || is_in_sql(name, text))
    }
}

/// Whether SQL has the name as a text, or reads or writes the table of that name.
fn is_in_sql(name: &str, text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|character: char| character.is_whitespace() || "(),;".contains(character)).collect();
    let is_table =
        |pair: &[&str]| matches!(pair, ["from" | "join" | "update" | "into", table] if *table == name);
    text.contains(&format!("'{name}'")) || words.windows(2).any(is_table)
}

fn rust_files(folder: &Path, found: &mut Vec<String>) {
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.to_string_lossy().into_owned());
        }
    }
}

#[test]
fn no_file_but_its_own_names_a_stream() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let path =
            Path::new(&file).strip_prefix(root).expect("a file of ours").to_string_lossy().into_owned();
        if path.contains("/tests") {
            continue;
        }
        let mut texts = Texts::default();
        texts.visit_file(&syn::parse_file(&std::fs::read_to_string(&file).expect("a text")).expect("Rust"));
        for stream in CATALOGUE {
            let name = stream.name();
            if path != format!("src/stream/{name}.rs") && texts.have(name) {
                found.insert((path.clone(), name));
            }
        }
    }
    let is_allowed = |(path, name): &(String, &str), (begin, streams, _): &(&str, &[&str], &str)| {
        path.starts_with(begin) && streams.contains(name)
    };
    let new: Vec<String> = found
        .iter()
        .filter(|it| !NAMED.iter().any(|named| is_allowed(it, named)))
        .map(|(path, name)| format!("{path}: {name}"))
        .collect();
    assert!(new.is_empty(), "ask the catalogue instead, or say in NAMED why not:\n{}", new.join("\n"));
    for named in NAMED {
        for stream in named.1 {
            let is_left = found.iter().any(|it| it.1 == *stream && is_allowed(it, &named));
            assert!(is_left, "{} names {stream} no more", named.0);
        }
    }
}
