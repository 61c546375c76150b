//! How the house is built: arrows between files run down the layers and close no circle, and names say what they mean.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs, reason = "a test may fail at once")]

mod citations;
mod documents;
mod source;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use source::{Arrows, Names, Source};

/// Lines that a file has at most, unless its head says why it is longer.
const LONGEST_FILE: usize = 400;

/// Names of types that may be defined more than once.
const MOST_SHARED_NAMES: usize = 4;

static SOURCE: LazyLock<Source> =
    LazyLock::new(|| Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));

/// The table of layers in ARCHITECTURE.md, `| layer | module | what it is |`: each module with the number of its row.
fn layers() -> Vec<(Names, usize)> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| layer | module |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).enumerate();
    let modules = |(at, row): (usize, &str)| {
        let cell = row.split('|').nth(2).expect("a cell of modules");
        let names = cell.split('`').skip(1).step_by(2);
        names.map(move |name| (name.split('/').map(str::to_owned).collect(), at)).collect::<Vec<_>>()
    };
    rows.flat_map(modules).collect()
}

/// Files that reach each other, smallest circles first.
fn circles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
        while let Some(file) = waiting.pop() {
            for to in arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(to.clone()) {
                    waiting.push(to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|file| (file, reach(file))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (file, reaches) in &reached {
        if reaches.contains(*file) && !circles.iter().any(|circle| circle.contains(*file)) {
            let back = |other: &&String| reached.get(other).is_some_and(|reaches| reaches.contains(*file));
            circles.push(reaches.iter().filter(back).cloned().collect());
        }
    }
    circles.sort_by_key(BTreeSet::len);
    circles
}

#[test]
fn no_arrow_closes_a_circle_of_files() {
    let arrows = SOURCE.arrows();
    let told = circles(&arrows).into_iter().map(|circle| {
        let within = |from: &String| {
            let to = arrows[from].iter().filter(|(to, _)| circle.contains(*to));
            to.map(|(to, names)| format!("  {from} -> {to}: {names:?}")).collect::<Vec<_>>()
        };
        circle.iter().flat_map(within).collect::<Vec<_>>().join("\n")
    });
    let told: Vec<String> = told.collect();
    assert!(told.is_empty(), "{} circle(s):\n{}", told.len(), told.join("\n\n"));
}

#[test]
fn no_arrow_runs_up_the_layers() {
    let layers = layers();
    let layer_of = |path: &str| {
        let file = SOURCE.files.values().find(|file| file.path == path).expect("a file");
        let of = layers.iter().filter(|(names, _)| file.module.starts_with(names));
        of.max_by_key(|(names, _)| names.len()).map(|(_, layer)| *layer)
    };
    let mut wrong = Vec::new();
    for file in SOURCE.files.values().filter(|file| !file.is_face && layer_of(&file.path).is_none()) {
        wrong.push(format!("{} stands in no layer of ARCHITECTURE.md", file.path));
    }
    for (names, _) in layers.iter().filter(|(names, _)| !SOURCE.files.contains_key(names)) {
        wrong.push(format!("ARCHITECTURE.md has a layer for {}, which is no module", names.join("/")));
    }
    for (from, to) in SOURCE.arrows() {
        for (to, names) in to.iter().filter(|(to, _)| layer_of(to) > layer_of(&from)) {
            wrong.push(format!("{from} -> {to}: {names:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_longer_file_says_why_it_is() {
    let long = SOURCE
        .files
        .values()
        .chain(&SOURCE.tests)
        .filter(|file| file.lines > LONGEST_FILE && !file.head.contains("Long because"));
    let long: Vec<String> = long.map(|file| format!("{}: {} lines", file.path, file.lines)).collect();
    assert!(long.is_empty(), "begin with `//! Long because ...`, or split:\n{}", long.join("\n"));
}

#[test]
fn few_names_of_types_are_defined_twice() {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in SOURCE.files.values() {
        for name in &file.types {
            places.entry(name).or_default().push(&file.path);
        }
    }
    places.retain(|_, places| places.len() > 1);
    let told: Vec<String> =
        places.iter().map(|(name, places)| format!("{name}: {}", places.join(", "))).collect();
    println!("{} name(s) of types stand in more than one place\n{}", told.len(), told.join("\n"));
    assert!(told.len() <= MOST_SHARED_NAMES, "{}:\n{}", told.len(), told.join("\n"));
}

#[test]
fn what_is_asked_answers_yes_or_no_and_changes_nothing() {
    let broken: Vec<String> = SOURCE
        .files
        .values()
        .flat_map(|file| file.broken_promises.iter().map(|name| format!("{}: {name}", file.path)))
        .collect();
    assert!(broken.is_empty(), "no bool, or `&mut`:\n{}", broken.join("\n"));
}

#[test]
fn no_function_is_told_something_by_true_or_false() {
    let told = |file: &source::SourceFile| {
        file.told_by_bool.iter().map(|name| format!("{}: {name}", file.path)).collect::<Vec<_>>()
    };
    let told: Vec<String> = SOURCE.files.values().flat_map(told).collect();
    assert!(told.is_empty(), "say it with an enum:\n{}", told.join("\n"));
}
