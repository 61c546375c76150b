//! Codes have names: every coded column of the catalogue, every documented code, in both languages.

use bss_sync::record::{Kind, Table};
use bss_sync::stream::CATALOGUE;

use super::{rows, warehouse};

/// The catalogue's columns with documented codes, and the codes; flags are 0 or 1.
fn coded() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let of = |table: &'static Table| {
        table.columns.iter().filter_map(|column| match (column.kind, column.known) {
            (Kind::Flag, _) => Some((table.name, column.name, vec!["0", "1"])),
            (_, []) => None,
            (_, known) => Some((table.name, column.name, known.to_vec())),
        })
    };
    let tables = CATALOGUE.iter().flat_map(|stream| stream.tables().iter().copied());
    tables
        .flat_map(|table| std::iter::once(table).chain(table.children.iter().map(|list| list.table)))
        .flat_map(of)
        .collect()
}

#[test]
fn each_documented_code_of_each_coded_column_has_both_names() {
    let db = warehouse();
    let coded = coded();
    assert!(coded.len() > 15, "{coded:?}");
    for (table, column, codes) in &coded {
        let domains = rows(
            &db,
            &format!(
                "select domain from codes_by_column where object = '{table}' and column_name = '{column}'"
            ),
        );
        let [domain] = &domains[..] else {
            panic!("{table}.{column}: one line in codes_by_column, not {domains:?}")
        };
        for code in codes {
            let names = rows(
                &db,
                &format!(
                    "select count(*), min(name_en <> '' and name_zh <> '') from code_names
                     where domain = '{domain}' and code = '{code}'"
                ),
            );
            assert_eq!(names, ["1|1"], "code {code} of {domain} ({table}.{column}) in code_names");
        }
    }
    let listed = rows(&db, "select object || '.' || column_name from codes_by_column order by 1");
    let mut wanted: Vec<String> =
        coded.iter().map(|(table, column, _)| format!("{table}.{column}")).collect();
    wanted.sort();
    assert_eq!(listed, wanted);
}

#[test]
fn each_domain_is_that_of_a_column() {
    let db = warehouse();
    let unused =
        "select distinct domain from code_names where domain not in (select domain from codes_by_column)";
    assert_eq!(rows(&db, unused), [""; 0]);
}
