//! A question about one month reads that month: its filter reaches an index, whatever the view is made of.

use std::collections::HashMap;

use super::{Db, rows, warehouse};

/// Columns that hold the month of a question.
const MONTHS: [&str; 3] = ["month", "refund_month", "expire_month"];

/// Indices that find a month.
const BY_MONTH: [&str; 2] = ["orders_by_month", "resources_by_expire_month"];

/// Tables that grow with the orders.
const LARGE: [&str; 9] = [
    "orders",
    "order_details",
    "order_lines",
    "order_discounts",
    "order_line_discounts",
    "order_enterprise_projects",
    "refund_attributions",
    "resources",
    "order_resources",
];

/// What may be read whole for one month, and why: view, table or index.
const WHOLE: [(&str, &str); 2] = [
    // The first month of the account: the index alone is read, and of combined trades, which are few, the members.
    ("f02_net_spend_by_customer", "orders_by_month"),
    ("f02_net_spend_by_customer", "orders_by_parent"),
];

/// Views whose month no index finds, and why.
const WITHOUT_INDEX: [&str; 1] = [
    // Lists the discounts of three kinds of records before it looks for their orders.
    "v_order_discounts",
];

/// Views of questions and records that have a month, with the column.
fn views_by_month(db: &Db) -> Vec<(String, String)> {
    rows(
        db,
        &format!(
            "select v.name || ' ' || c.name
             from sqlite_schema as v
             join pragma_table_info(v.name) as c
             where v.type = 'view' and c.name in ('{}')
                 and (v.name glob 'f[0-9]*' or v.name glob 'v_*' or v.name in ('counted_lines', 'renewals'))
                 and v.name not glob '*_as_of'
             order by 1",
            MONTHS.join("', '")
        ),
    )
    .iter()
    .filter_map(|row| row.split_once(' '))
    .map(|(view, column)| (view.to_owned(), column.to_owned()))
    .collect()
}

/// Tables and indices that a statement reads from their beginning.
fn read_whole(db: &Db, sql: &str) -> Vec<String> {
    let names: HashMap<i64, (String, String)> = db
        .prepare("select rootpage, name, tbl_name from sqlite_schema where rootpage > 0")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let program: Vec<(String, i64, i64)> = db
        .prepare(&format!("explain {sql}"))
        .unwrap()
        .query_map([], |row| Ok((row.get("opcode")?, row.get("p1")?, row.get("p2")?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut cursors: HashMap<i64, &(String, String)> = HashMap::new();
    let mut found = Vec::new();
    for (opcode, cursor, page) in &program {
        match opcode.as_str() {
            "OpenRead" => {
                names.get(page).map(|object| cursors.insert(*cursor, object));
            }
            "OpenEphemeral" | "OpenAutoindex" | "OpenPseudo" | "SorterOpen" => {
                cursors.remove(cursor);
            }
            "Rewind" | "Last" => {
                if let Some((name, table)) = cursors.get(cursor)
                    && LARGE.contains(&table.as_str())
                {
                    found.push(name.clone());
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn one_month_of_a_question_is_found_by_an_index() {
    let db = warehouse();
    let views = views_by_month(&db);
    assert!(views.len() > 8, "{views:?}");
    for (view, column) in views {
        if WITHOUT_INDEX.contains(&view.as_str()) {
            continue;
        }
        for filter in [format!("{column} = '2026-03'"), format!("account = 'main' and {column} = '2026-03'")]
        {
            let sql = format!("select * from {view} where {filter}");
            let plan = rows(&db, &format!("explain query plan {sql}")).join("\n");
            assert!(BY_MONTH.iter().any(|index| plan.contains(&format!("{index} (<expr>"))), "{sql}\n{plan}");
            let whole: Vec<String> = read_whole(&db, &sql)
                .into_iter()
                .filter(|name| !WHOLE.contains(&(view.as_str(), name.as_str())))
                .collect();
            assert_eq!(whole, [""; 0], "{sql}\n{plan}");
            // All rows of an account are all rows.
            for line in plan.lines().filter(|line| line.ends_with("(account=?)")) {
                let is_small =
                    ["orders_by_parent", "service_types", "sub_customers", "complete_months", "watermarks"]
                        .iter()
                        .any(|table| line.contains(table));
                assert!(is_small, "{line}\n{sql}\n{plan}");
            }
        }
    }
}
