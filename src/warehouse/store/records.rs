//! What runs, `plan` and `verify` ask of the stored records: how many, which, and of when.

use rusqlite::Connection;

use crate::plan::open::{OpenOrder, PAGE};
use crate::record::Table;
use crate::stream::Stream;
use crate::time::{UtcSecond, Window};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

impl Warehouse {
    /// The values of a column in a stream's records.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn known_values(
        &self,
        account: &str,
        stream: &dyn Stream,
        column: &'static str,
    ) -> Result<Vec<String>, WarehouseError> {
        let Some(table) = stream.tables().first() else { return Ok(Vec::new()) };
        self.read(
            &format!("select distinct {column} from {} where account = ?1 and {column} <> ''", table.name),
            [account],
            |row| row.get(0),
        )
    }

    /// Orders whose status can still change, created before `before`, newest first; and how many orders are stored
    /// from there on, up to a page.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn open_orders(
        &self,
        account: &str,
        before: UtcSecond,
    ) -> Result<(Vec<OpenOrder>, u64), WarehouseError> {
        let mut open = self.read(
            "select order_id, customer_id, create_time, status from orders
             where account = ?1 and parent_order_id is null and gone_since is null
                 and (status is null or status not in (4, 5)) and coalesce(create_time, '') < ?2
             order by create_time desc, order_id",
            (account, before.to_string()),
            |row| {
                let created: Option<String> = row.get(2)?;
                Ok(OpenOrder {
                    id: row.get(0)?,
                    customer_id: row.get(1)?,
                    created: created.as_deref().and_then(UtcSecond::parse),
                    status: row.get(3)?,
                    rows: 0,
                })
            },
        )?;
        let mut end = before;
        for order in &mut open {
            if let Some(created) = order.created {
                order.rows = self.count_orders(account, created, end, Some(PAGE + 1))?;
                end = created;
            }
        }
        let newest = self.count_orders(account, before, UtcSecond::FAR, Some(PAGE))?;
        Ok((open, newest))
    }

    /// How many orders of the list are stored that were created in `[begin, end)`; counted up to `most`, or all.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_orders(
        &self,
        account: &str,
        begin: UtcSecond,
        end: UtcSecond,
        most: Option<u64>,
    ) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from (
                 select 1 from orders where account = ?1 and create_time >= ?2 and create_time < ?3
                     and parent_order_id is null and gone_since is null
                 limit coalesce(?4, -1))",
            (account, begin.to_string(), end.to_string(), most),
        )
    }

    /// How many orders of the list are stored that were paid in a window.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_paid(&self, account: &str, window: Window) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from orders where account = ?1 and payment_time >= ?2 and payment_time < ?3
                 and parent_order_id is null and gone_since is null",
            (account, window.begin().to_string(), window.end().to_string()),
        )
    }

    /// How many orders of the list are stored with a status of open orders; of finished ones it says none.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_status(&self, account: &str, status: i64) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from orders where account = ?1 and status = ?2 and status not in (4, 5)
                 and parent_order_id is null and gone_since is null",
            (account, status),
        )
    }

    /// The creation times of the stored orders of the list in `[begin, end]`, sorted.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn order_times(
        &self,
        account: &str,
        begin: UtcSecond,
        end: UtcSecond,
    ) -> Result<Vec<UtcSecond>, WarehouseError> {
        let times = self.read(
            "select distinct create_time from orders where account = ?1 and create_time >= ?2 and create_time <= ?3
                 and parent_order_id is null and gone_since is null order by create_time",
            (account, begin.to_string(), end.to_string()),
            |row| row.get::<_, String>(0),
        )?;
        Ok(times.iter().filter_map(|time| UtcSecond::parse(time)).collect())
    }

    /// How many rows of a whole list are stored and not gone; a partner's customer by customer.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_list(
        &self,
        account: &str,
        stream: &dyn Stream,
        customer_id: Option<&str>,
    ) -> Result<u64, WarehouseError> {
        let Some(table) = stream.tables().first() else { return Ok(0) };
        count_list(&self.connection, account, table, customer_id).map_err(|error| self.sql(&error))
    }

    /// How many rows of a stream came last in a form that could not be decoded (view `undecoded_rows`).
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_undecoded(&self, account: &str, stream: &str) -> Result<u64, WarehouseError> {
        // A row that came in several forms is one row.
        self.count(
            "select count(distinct key) from undecoded_rows where account = ?1 and stream = ?2",
            (account, stream),
        )
    }

    /// How many of them are missing because of it, no former answer having been stored; where `created` is given, only
    /// those that say they were created in it, both ends included.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_undecoded_missing(
        &self,
        account: &str,
        stream: &str,
        created: Option<(UtcSecond, UtcSecond)>,
    ) -> Result<u64, WarehouseError> {
        let (begin, end) =
            created.map_or((None, None), |(begin, end)| (Some(begin.to_string()), Some(end.to_string())));
        self.count(
            "select count(distinct key) from undecoded_rows
             where account = ?1 and stream = ?2 and not is_stored and scope not like 'order %'
                 and (?3 is null or first_second >= ?3 and last_second <= ?4)",
            (account, stream, begin, end),
        )
    }

    /// When the orders were created that came last in a form that could not be decoded.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn undecoded_times(&self, account: &str, stream: &str) -> Result<Vec<Window>, WarehouseError> {
        let times = self.read(
            "select first_second, last_second from undecoded_rows where account = ?1 and stream = ?2",
            (account, stream),
            |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?)),
        )?;
        let parse = |text: Option<String>| text.as_deref().and_then(UtcSecond::parse);
        let window = |(first, last)| {
            // One that says nothing about it may be of any time.
            let begin = parse(first).unwrap_or(UtcSecond::from_unix(0));
            Window::new(begin, parse(last).map_or(UtcSecond::FAR, |last| last.plus(1)))
        };
        Ok(times.into_iter().filter_map(window).collect())
    }
}

/// How many rows of a whole list are stored and not gone.
pub(super) fn count_list(
    connection: &Connection,
    account: &str,
    table: &Table,
    customer_id: Option<&str>,
) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!(
            "select count(*) from {} where account = ?1 and asked_customer_id is ?2 and gone_since is null",
            table.name
        ))?
        .query_row((account, customer_id), |row| row.get(0))
}
