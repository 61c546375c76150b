//! Files for other programs: what is in them is what the view shows, and no text becomes a formula.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::cli::steady;
use crate::fixtures::{bench, rows};
use sim::Script;
use support::Bench;

/// A warehouse with the examples' orders.
fn loaded() -> Bench {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    bench
}

/// A warehouse whose views have hundreds of rows.
fn seeded() -> Bench {
    let bench = Bench::new(Script::seeded(5).orders(300));
    bench.run(&["orders", "service_types"]).expect_code(0);
    bench
}

/// The cells of a CSV file behind its byte-order mark, the header first.
fn cells(file: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).expect("UTF-8");
    let text = text.strip_prefix('\u{feff}').expect("a byte-order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.expect("RFC 4180").iter().map(str::to_owned).collect()).collect()
}

/// What a query shows, null as the empty text.
fn shown(db: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = db.prepare(sql).expect("a query");
    let width = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let text = |at| match row.get_ref(at).expect("a column") {
            ValueRef::Null => String::new(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(bytes) => hex::encode(bytes),
        };
        Ok((0..width).map(text).collect())
    };
    statement.query_map([], row).expect("rows").collect::<Result<_, _>>().expect("rows")
}

#[test]
fn a_csv_file_has_what_the_view_shows_and_adds_up_to_it() {
    let bench = seeded();
    for view in ["f01_net_spend_by_service", "f02_net_spend_by_customer", "v_orders"] {
        bench.call(&["export", view, "--format", "csv"]).expect_code(0);
        let mut written = cells(&bench.path(&format!("{view}.csv")));
        let header = written.remove(0);
        let names: Vec<String> =
            shown(&bench.db(), &format!("select name from pragma_table_info('{view}') order by cid"))
                .concat();
        assert_eq!(header, names);
        let mut expected = shown(&bench.db(), &format!("select * from {view}"));
        expected.sort();
        written.sort();
        assert!(written.len() > 20 && written == expected, "{view}");
        if let Some(net) = header.iter().position(|name| name == "net_e8") {
            let sum: i64 = written.iter().map(|row| row[net].parse::<i64>().expect("an integer")).sum();
            assert_eq!(sum, bench.count(&format!("select sum(net_e8) from {view}")));
        }
    }
}

#[test]
fn no_text_becomes_a_formula_and_numbers_stay_numbers() {
    let bench = loaded();
    let texts = [
        "=1+1",
        "+86",
        "-1+1",
        "@sum",
        "\tx",
        "\rx",
        "\nx",
        "\0x",
        "＝1",
        "＋1",
        "－1",
        "＠1",
        "-12.50",
        "a,\"b\"\r\nc",
    ];
    let db = bench.writable_db();
    for text in texts {
        db.execute(
            "insert into resources (account, resource_id, resource_name, role, first_seen_run, last_changed_run, last_seen_at)
             values ('hostile', hex(?1), ?1, 'customer', 1, 1, '2026-12-01T00:00:00Z')",
            [text],
        )
        .expect("inserted");
    }
    bench.call(&["export", "resources", "--account", "hostile", "--to", "r.csv"]).expect_code(0);
    let written = cells(&bench.path("r.csv"));
    let name = written[0].iter().position(|name| name == "resource_name").expect("a column");
    let mut names: Vec<&str> = written[1..].iter().map(|row| row[name].as_str()).collect();
    names.sort_unstable();
    let mut expected: Vec<String> = texts[..12].iter().map(|text| format!("'{text}")).collect();
    expected.extend(texts[12..].iter().map(|text| (*text).to_owned()));
    expected.sort_unstable();
    assert_eq!(names, expected);
    let text = fs::read_to_string(bench.path("r.csv")).expect("UTF-8");
    assert!(text.ends_with("\r\n") && text.contains("\"a,\"\"b\"\"\r\nc\""), "RFC 4180");
}

#[test]
fn a_month_and_an_account_can_be_chosen() {
    let bench = seeded();
    let months =
        shown(&bench.db(), "select distinct month from f01_net_spend_by_service order by 1 desc limit 2")
            .concat();
    bench
        .call(&[
            "export",
            "f01_net_spend_by_service",
            "--to",
            "x.csv",
            "--month",
            &months[0],
            "--month",
            &months[1],
        ])
        .expect_code(0);
    let of_months = format!("select count(*) from f01_net_spend_by_service where month >= '{}'", months[1]);
    assert_eq!(i64::try_from(cells(&bench.path("x.csv")).len()).unwrap() - 1, bench.count(&of_months));
    bench.call(&["export", "v_orders", "--to", "x.csv", "--account", "nobody"]).expect_code(0);
    assert_eq!(cells(&bench.path("x.csv")).len(), 1, "a header, always");
    bench
        .call(&["export", "f05_refunds_by_original_month", "--to", "x.csv", "--month", &months[0]])
        .expect_code(0);
}

#[test]
fn standard_output_is_csv_and_nothing_else() {
    let bench = loaded();
    let ran = bench.call(&["export", "v_orders", "--to", "-"]).expect_code(0);
    bench.call(&["export", "v_orders", "--to", "x.csv"]).expect_code(0);
    assert_eq!(ran.stdout, fs::read_to_string(bench.path("x.csv")).expect("UTF-8"));
    bench.call(&["export", "v_orders", "--to", "-", "--format", "xlsx"]).expect_code(2);
}

#[test]
fn what_cannot_be_exported_is_said_before_a_file_is_touched() {
    let bench = loaded();
    fs::write(bench.path("x.csv"), "a former export").expect("written");
    let wrong = |arguments: &[&str]| {
        bench.call(&[&["export", "--to", "x.csv"], arguments].concat()).expect_code(2).stderr
    };
    steady(&bench).bind(|| {
        insta::assert_snapshot!(wrong(&["f01_net_spent_by_service"]), @"
        bss-sync: there is no view or table `f01_net_spent_by_service`; did you mean `f01_net_spend_by_service`?
        ");
        insta::assert_snapshot!(wrong(&["f09"]), @"
        bss-sync: there is no view or table `f09`; did you mean `f09_orders_waiting_for_payment`?
        ");
        insta::assert_snapshot!(wrong(&["f*"]), @"
        bss-sync: a csv file holds one view
          export them one by one, or all of them with --format xlsx
        ");
        insta::assert_snapshot!(wrong(&["v_resources", "service_types", "--month", "2026-10", "--format", "xlsx"]), @"
        bss-sync: service_types has no column for a month; leave out --month
        ");
        insta::assert_snapshot!(wrong(&["code_names", "--account", "acme"]), @"
        bss-sync: code_names has no column for the account; leave out --account
        ");
    });
    wrong(&["v_orders\" union select raw from quarantine --"]);
    wrong(&["v_orders", "--month", "2026-13"]);
    bench.call(&["export", "v_orders", "--to", "nowhere/x.csv"]).expect_code(1);
    assert_eq!(fs::read_to_string(bench.path("x.csv")).expect("there"), "a former export");
    assert_eq!(bench.call(&["export", "v_orders", "--set", "warehouse.path=none.sqlite"]).code, Some(6));
}

#[cfg(feature = "xlsx")]
#[test]
fn the_questions_fit_into_one_workbook() {
    let bench = seeded();
    let ran = bench.call(&["export", "f*", "--format", "xlsx", "--output", "json"]).expect_code(0).json();
    let views = shown(
        &bench.db(),
        "select name from sqlite_schema where type = 'view' and name like 'f%' order by name",
    )
    .concat();
    let written = ran["views"].as_array().expect("views");
    assert_eq!(written.iter().map(|view| view["view"].as_str().expect("a name")).collect::<Vec<_>>(), views);
    for view in written {
        let name = view["view"].as_str().expect("a name");
        assert_eq!(view["rows"], bench.count(&format!("select count(*) from {name}")), "{name}");
    }
    // A workbook is a ZIP file.
    assert!(fs::read(bench.path("fviews.xlsx")).expect("a workbook").starts_with(b"PK"));
}

#[cfg(feature = "xlsx")]
#[test]
fn a_text_that_no_cell_holds_is_named_and_not_shortened() {
    let bench = loaded();
    bench
        .writable_db()
        .execute("update resources set resource_name = printf('%.*c', 32768, 'x') where resource_id = (select min(resource_id) from resources)", [])
        .expect("updated");
    fs::write(bench.path("x.xlsx"), "a former export").expect("written");
    let ran = bench.call(&["export", "resources", "--to", "x.xlsx"]).expect_code(1);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: resources row 2: the resource_name has 32768 characters, and a cell of Excel holds 32767
      nothing is shortened; use --format csv
    ");
    });
    assert_eq!(fs::read_to_string(bench.path("x.xlsx")).expect("there"), "a former export");
    assert_eq!(rows(&bench.db(), "select count(*) > 0 from resources"), ["1"]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_form_that_was_not_built_says_how_to_build_it() {
    let bench = loaded();
    let ran = bench.call(&["export", "v_orders", "--format", "parquet"]).expect_code(2);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: this bss-sync was built without parquet
      build it with `cargo build --release --features xlsx,parquet`
    ");
    });
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_has_amounts_as_decimals_and_adds_up_to_the_view() {
    use parquet::basic::LogicalType;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let bench = seeded();
    bench.call(&["export", "v_orders", "--format", "parquet"]).expect_code(0);
    let file = fs::File::open(bench.path("v_orders.parquet")).expect("a file");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let columns: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    assert!(!columns.iter().any(|name| name.ends_with("_e8")), "{columns:?}");
    let signed = schema.columns().iter().find(|column| column.name() == "signed_amount").expect("a column");
    assert_eq!(signed.logical_type_ref(), Some(&LogicalType::decimal(8, 18)));
    let mut sum = 0;
    let mut count = 0;
    for row in reader.get_row_iter(None).expect("rows") {
        let row = row.expect("a row");
        let of = |wanted: &str| {
            row.get_column_iter().find(|(name, _)| *name == wanted).map(|(_, field)| field.clone())
        };
        if let Some(Field::Decimal(decimal)) = of("signed_amount") {
            let bytes: [u8; 8] = decimal.data().try_into().expect("8 bytes");
            sum += i64::from_be_bytes(bytes);
        }
        assert!(matches!(of("order_id"), Some(Field::Str(_))));
        assert!(matches!(of("status"), Some(Field::Long(_) | Field::Null)));
        count += 1;
    }
    assert_eq!(count, bench.count("select count(*) from v_orders"));
    assert_eq!(sum, bench.count("select sum(signed_amount_e8) from v_orders"));
}
