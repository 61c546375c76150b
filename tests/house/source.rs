//! Reads `src` as the compiler's modules: what each file defines, and what it takes from where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, Item, ReturnType, Signature, Type, UseTree};

/// A path of names, like `crate::run::walk`.
pub type Names = Vec<String>;

/// One file of `src`.
#[derive(Debug, Default)]
pub struct SourceFile {
    /// Its path from the project's root.
    pub path: String,
    /// Its module, without `crate`.
    pub module: Names,
    pub lines: usize,
    /// The `//!` at its head.
    pub head: String,
    /// Whether it only has modules, and hands names on.
    pub is_face: bool,
    /// Types: structs, enums, traits, aliases.
    pub types: Vec<String>,
    /// Functions whose name promises an answer, and whose signature does not keep it.
    pub broken_promises: Vec<String>,
    /// Functions that are told something by `true` or `false`.
    pub told_by_bool: Vec<String>,
    children: BTreeSet<String>,
    definitions: BTreeSet<String>,
    /// The names that `use` brings, each with its path.
    uses: Vec<(String, Names)>,
    globs: Vec<Names>,
    /// Paths in the code of more than one name.
    paths: BTreeSet<Names>,
}

/// What a path leads to.
enum Target {
    /// A module.
    Module(Names),
    /// Something that this file defines.
    Defined(String, String),
}

/// The whole of `src`.
pub struct Source {
    /// By module.
    pub files: BTreeMap<Names, SourceFile>,
    /// What only tests see.
    pub tests: Vec<SourceFile>,
}

/// File to file, with the names that are taken.
pub type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

impl Source {
    /// Reads a folder with a `lib.rs`.
    pub fn read(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        read_folder(root, root, &mut files);
        let tests: Vec<Names> = files.keys().filter(|module| is_of_tests(&files, module)).cloned().collect();
        let tests = tests.iter().filter_map(|module| files.remove(module)).collect();
        Self { files, tests }
    }

    /// Who takes what from whom. What a face hands on is taken from the file that defines it.
    pub fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for file in self.files.values().filter(|file| !file.is_face) {
            let taken = file.uses.iter().map(|(_, path)| path).chain(&file.globs).chain(&file.paths);
            for path in taken {
                if let Some(Target::Defined(from, name)) = self.find(&file.module, path, 0)
                    && from != file.path
                {
                    arrows.entry(file.path.clone()).or_default().entry(from).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// Follows a path from a module.
    fn find(&self, module: &[String], path: &[String], depth: usize) -> Option<Target> {
        /// No name is handed on so often.
        const DEEPEST: usize = 12;
        let mut module = module.to_vec();
        for (at, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" | "bss_sync" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()?),
                name => {
                    let file = self.files.get(&module)?;
                    if file.children.contains(name) {
                        module.push(name.to_owned());
                    } else if file.definitions.contains(name) {
                        return Some(Target::Defined(file.path.clone(), name.to_owned()));
                    } else {
                        let handed_on =
                            file.uses.iter().filter(|(known, _)| known == name).map(|(_, to)| to.clone());
                        let all =
                            file.globs.iter().map(|glob| [glob.as_slice(), &[name.to_owned()]].concat());
                        let mut ways = handed_on.chain(all).filter(|_| depth < DEEPEST);
                        let found = ways.find_map(|way| self.find(&file.module, &way, depth + 1))?;
                        match found {
                            Target::Module(found) => module = found,
                            defined @ Target::Defined(..) => return Some(defined),
                        }
                    }
                }
            }
            if at + 1 == path.len() {
                return Some(Target::Module(module));
            }
        }
        None
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<Names, SourceFile>) {
    for entry in std::fs::read_dir(folder).expect("a folder of src") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(root).expect("inside").with_extension("");
            let mut module: Names = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            if module == ["lib"] {
                module.clear();
            }
            let name = format!("src/{}.rs", inside.display());
            let text = std::fs::read_to_string(&path).expect("a text");
            files.insert(module.clone(), read_file(name, module, &text));
        }
    }
}

/// Whether a module's parents declare it for tests alone, or not at all.
fn is_of_tests(files: &BTreeMap<Names, SourceFile>, module: &[String]) -> bool {
    module.split_last().is_some_and(|(name, parent)| {
        let is_declared = files.get(parent).is_none_or(|file| file.children.contains(name));
        module != ["main"] && (!is_declared || is_of_tests(files, parent))
    })
}

fn read_file(path: String, module: Names, text: &str) -> SourceFile {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let head = text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");
    let is_face = parsed.items.iter().filter(|item| !is_for_tests(item)).all(|item| match item {
        Item::Mod(module) => module.content.is_none(),
        Item::Use(_) => true,
        _ => false,
    });
    let mut file =
        SourceFile { path, module, lines: text.lines().count(), head, is_face, ..SourceFile::default() };
    file.visit_file(&parsed);
    file
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(item: &Item) -> bool {
    attributes(item).iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string().starts_with("test"))
    })
}

impl SourceFile {
    fn take(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.take(&path.tree, &with(path.ident.to_string())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take(tree, before)),
            UseTree::Glob(_) => self.globs.push(before.to_vec()),
            UseTree::Name(name) if name.ident == "self" => {
                self.uses.extend(before.last().map(|last| (last.clone(), before.to_vec())));
            }
            UseTree::Name(name) => self.uses.push((name.ident.to_string(), with(name.ident.to_string()))),
            UseTree::Rename(name) if name.ident == "self" => {
                self.uses.push((name.rename.to_string(), before.to_vec()));
            }
            UseTree::Rename(name) => {
                self.uses.push((name.rename.to_string(), with(name.ident.to_string())));
            }
        }
    }

    fn promise(&mut self, signature: &Signature) {
        let name = signature.ident.to_string();
        if !["is_", "has_", "saw_"].iter().any(|prefix| name.starts_with(prefix)) {
            return;
        }
        let changes = signature.inputs.iter().any(|input| match input {
            FnArg::Receiver(receiver) => receiver.reference.is_some() && receiver.mutability.is_some(),
            FnArg::Typed(typed) => matches!(&*typed.ty, Type::Reference(to) if to.mutability.is_some()),
        });
        let is_answer = matches!(&signature.output, ReturnType::Type(_, ty) if is_bool(ty));
        if changes || !is_answer {
            self.broken_promises.push(name);
        }
    }
}

/// `bool`, or the result of asking for one.
fn is_bool(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        syn::PathArguments::AngleBracketed(of) if last.ident == "Result" => {
            matches!(of.args.first(), Some(syn::GenericArgument::Type(ty)) if is_bool(ty))
        }
        _ => last.ident == "bool",
    }
}

impl<'ast> Visit<'ast> for SourceFile {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(item) {
            return;
        }
        let (name, is_type) = match item {
            Item::Const(item) => (Some(&item.ident), false),
            Item::Enum(item) => (Some(&item.ident), true),
            Item::Fn(item) => (Some(&item.sig.ident), false),
            Item::Macro(item) => (item.ident.as_ref(), false),
            Item::Static(item) => (Some(&item.ident), false),
            Item::Struct(item) => (Some(&item.ident), true),
            Item::Trait(item) => (Some(&item.ident), true),
            Item::Type(item) => (Some(&item.ident), true),
            Item::Mod(module) => {
                self.children.insert(module.ident.to_string());
                (None, false)
            }
            Item::Use(tree) => {
                self.take(&tree.tree, &[]);
                return;
            }
            _ => (None, false),
        };
        if let Some(name) = name {
            self.definitions.insert(name.to_string());
            self.types.extend(is_type.then(|| name.to_string()));
        }
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast Signature) {
        self.promise(signature);
        let is_bool = |input: &FnArg| matches!(input, FnArg::Typed(typed) if matches!(&*typed.ty, Type::Path(path) if path.path.is_ident("bool")));
        self.told_by_bool.extend(signature.inputs.iter().any(is_bool).then(|| signature.ident.to_string()));
        visit::visit_signature(self, signature);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    /// What stands between a macro's brackets is no tree yet.
    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        let text = called.tokens.to_string();
        let is_name = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
        let words = text.replace("::", " :: ");
        let words: Vec<&str> = words
            .split(|c: char| c.is_whitespace() || "(){}[],;&*!.<>=|?".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        let mut path: Names = Vec::new();
        let mut is_joined = false;
        for word in words.into_iter().chain([""]) {
            if word == "::" {
                is_joined = true;
                continue;
            }
            if !is_joined {
                if path.len() > 1 {
                    self.paths.insert(std::mem::take(&mut path));
                }
                path.clear();
            }
            is_joined = false;
            if is_name(word) && !word.is_empty() {
                path.push(word.to_owned());
            } else {
                path.clear();
            }
        }
        visit::visit_macro(self, called);
    }
}
