//! What `plan` and `verify` ask of the warehouse: how much of what is stored.

use rusqlite::Connection;

use super::coverage::whole_reading;
use super::{Warehouse, WarehouseError};
use crate::record::Table;
use crate::stream::Stream;
use crate::time::{UtcSecond, Window};

impl Warehouse {
    pub(super) fn count(&self, sql: &str, params: impl rusqlite::Params) -> Result<u64, WarehouseError> {
        let counts = self.read(sql, params, |row| row.get::<_, i64>(0))?;
        Ok(counts.first().copied().unwrap_or_default().unsigned_abs())
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

    /// How many orders of the list are stored with a status.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_status(&self, account: &str, status: i64) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from orders where account = ?1 and status = ?2
                 and parent_order_id is null and gone_since is null",
            (account, status),
        )
    }

    /// Whether an order waits in a queue.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn is_queued(&self, account: &str, stream: &str, parent_id: &str) -> Result<bool, WarehouseError> {
        let found = self.count(
            "select count(*) from queue where account = ?1 and stream = ?2 and parent_id = ?3",
            (account, stream, parent_id),
        )?;
        Ok(found > 0)
    }

    /// How many rows the last complete reading of a whole list had; `None`: there was none.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn seen_in_list(
        &self,
        account: &str,
        stream: &str,
        customer_id: Option<&str>,
    ) -> Result<Option<u64>, WarehouseError> {
        let last = whole_reading(&self.connection, account, stream, customer_id.unwrap_or_default());
        Ok(last.map_err(|error| self.sql(&error))?.map(|last| last.seen))
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

    /// How many rows of a stream could not be decoded and are not stored by another answer; where `created` is given,
    /// only those that say they were created in it, both ends included.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_undecoded(
        &self,
        account: &str,
        stream: &dyn Stream,
        created: Option<(UtcSecond, UtcSecond)>,
    ) -> Result<u64, WarehouseError> {
        let Some((table, key)) =
            stream.tables().first().and_then(|table| Some((table, table.columns.first()?)))
        else {
            return Ok(0);
        };
        // A row that came in several forms is one row. What SQLite cannot read as JSON has neither key nor time.
        let (begin, end) =
            created.map_or((None, None), |(begin, end)| (Some(begin.to_string()), Some(end.to_string())));
        self.count(
            &format!(
                "with rows as (
                     select raw_sha256, iif(json_valid(raw), raw, '{{}}') as raw from quarantine
                     where account = ?1 and stream = ?2 and scope not like 'order %'
                 ), named as (
                     select coalesce(raw ->> '$.{0}', raw_sha256) as key, raw ->> '$.create_time' as created from rows
                 )
                 select count(distinct key) from named
                 where (?3 is null or created >= ?3 and created <= ?4)
                     and not exists (select 1 from {1} as t where t.account = ?1 and t.{0} = named.key)",
                key.name, table.name
            ),
            (account, stream.name(), begin, end),
        )
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
        .query_row((account, customer_id), |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}
