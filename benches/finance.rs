//! How long finance's questions and checks take on a large warehouse, for one month and for all of it.
//!
//! `cargo bench --bench finance [ORDERS]`: fills a warehouse with so many orders (1 000 000) and what belongs to them, then
//! reads every question, check and list of records as another client would, once to warm up and once against the clock; and
//! all of it once more after `analyze`, because finance may run it too. Both must stay below two seconds for a month.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bss_sync::warehouse::Warehouse;
use rusqlite::Connection;

/// What a month may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What is waited for at most.
const PATIENCE: Duration = Duration::from_mins(10);

/// Columns that hold the month of a question, with the month that is asked for, counted from the current one.
const MONTHS: [(&str, &str); 5] = [
    ("month", "-8 months"),
    ("refund_month", "-8 months"),
    ("event_month", "-8 months"),
    ("expire_month", "+1 month"),
    ("period", "-8 months"),
];

/// A view, and its column of the month with the month to ask for, counted from the current one, where there is one.
type View = (String, Option<(&'static str, &'static str)>);

/// How long a query took, and its rows; `None` when patience ended first.
type Reading = Option<(u64, Duration)>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let orders = arguments.next().unwrap_or(1_000_000);
    let folder = Path::new("target/bench-finance");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let file = folder.join("warehouse.sqlite");
    let started = Instant::now();
    fill(&file, orders)?;
    println!(
        "{orders} orders in {:.0} s, {} MB",
        started.elapsed().as_secs_f64(),
        std::fs::metadata(&file)?.len() / 1_000_000
    );
    let db = Connection::open(&file)?;
    let mut slow = measure(&db, "as the program leaves it")?;
    let started = Instant::now();
    db.execute_batch("analyze")?;
    println!("\nanalyze: {:.1} s", started.elapsed().as_secs_f64());
    slow.extend(measure(&db, "after analyze")?);
    if slow.is_empty() {
        println!("\nevery month took less than {} s", LIMIT.as_secs());
    } else {
        println!("\n{} s or more for one month: {}", LIMIT.as_secs(), slow.join(", "));
    }
    Ok(())
}

/// Makes the file as the program does, and fills it in one transaction.
fn fill(file: &Path, orders: u64) -> Result<(), Box<dyn Error>> {
    drop(Warehouse::open(file)?);
    let db = Connection::open(file)?;
    db.execute_batch("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -500000;")?;
    db.execute_batch("create temp table bench (orders integer not null); begin;")?;
    db.execute("insert into bench values (?1)", [i64::try_from(orders)?])?;
    db.execute_batch(include_str!("finance/fill.sql"))?;
    db.execute_batch("commit; pragma journal_mode = wal;")?;
    Ok(())
}

/// Prints what each view takes, and gives the names of those that take too long for a month.
fn measure(db: &Connection, when: &str) -> Result<Vec<String>, Box<dyn Error>> {
    println!("\n{when}\n{:<44} {:>9} {:>9} {:>9} {:>9}", "view", "rows", "month s", "rows", "all s");
    let mut slow = Vec::new();
    for (view, column) in views(db)? {
        let month = match column {
            None => None,
            Some((column, offset)) => {
                let month: String = db.query_row(
                    "select strftime('%Y-%m', 'now', '+8 hours', 'start of month', ?1)",
                    [offset],
                    |row| row.get(0),
                )?;
                let sql = format!("select * from {view} where {column} = '{month}'");
                read(db, &sql)?;
                Some(read(db, &sql)?)
            }
        };
        let all = read(db, &format!("select * from {view}"))?;
        println!("{view:<44} {} {}", shown(month), shown(Some(all)));
        if month.is_some_and(|reading| reading.is_none_or(|(_, took)| took >= LIMIT)) {
            slow.push(format!("{view} ({when})"));
        }
    }
    Ok(slow)
}

/// Questions, checks and records.
fn views(db: &Connection) -> rusqlite::Result<Vec<View>> {
    let names: Vec<String> = db
        .prepare(
            "select name from sqlite_schema
             where type = 'view' and name not glob '*_as_of'
                 and (name glob 'f[0-9]*' or name glob 'check_*' or name glob 'v_*' or name = 'renewals')
             order by name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    names
        .into_iter()
        .map(|view| {
            let columns: Vec<String> = db
                .prepare("select name from pragma_table_info(?1)")?
                .query_map([&view], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let month = MONTHS.iter().find(|(name, _)| columns.iter().any(|column| column == name));
            Ok((view, month.copied()))
        })
        .collect()
}

/// Reads all rows and all columns of a query.
fn read(db: &Connection, sql: &str) -> rusqlite::Result<Reading> {
    let interrupt = db.get_interrupt_handle();
    let (done, finished) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if finished.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            interrupt.interrupt();
        }
    });
    let started = Instant::now();
    let rows = count_rows(db, sql);
    let took = started.elapsed();
    drop(done);
    let _ = watch.join();
    match rows {
        Ok(rows) => Ok(Some((rows, took))),
        Err(rusqlite::Error::SqliteFailure(error, _))
            if error.code == rusqlite::ErrorCode::OperationInterrupted =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn count_rows(db: &Connection, sql: &str) -> rusqlite::Result<u64> {
    let mut statement = db.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
        count += 1;
    }
    Ok(count)
}

/// Rows and seconds; dashes for a view without months.
fn shown(reading: Option<Reading>) -> String {
    match reading {
        None => format!("{:>9} {:>9}", "–", "–"),
        Some(None) => format!("{:>9} {:>9}", "–", format!("> {}", PATIENCE.as_secs())),
        Some(Some((rows, took))) => format!("{rows:>9} {:>9.2}", took.as_secs_f64()),
    }
}
