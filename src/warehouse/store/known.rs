//! What the warehouse knows before a run: what was read completely, where walks stand, and the marks between runs.

use std::collections::{HashMap, HashSet};

use rusqlite::Row;

use super::coverage::whole_reading;
use crate::plan::open::{OpenOrder, PAGE};
use crate::scope::{Ask, Lane, Scope};
use crate::stream::Stream;
use crate::time::{UtcSecond, Window};
use crate::walk::{SeenKeys, Walk};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::runs::RunId;

/// An instant that the ledger keeps for an account and stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Everything before it was read to the end.
    Watermark(Lane),
    /// Where the windows of a time field begin.
    Begin(Lane),
    /// When the last sweep began; the mark's run is the sweep's first.
    Sweep,
    /// How far back that sweep reads.
    SweepFrom,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Watermark(lane) => lane.fmt(f),
            Self::Begin(lane) => write!(f, "{lane} from"),
            Self::Sweep => f.write_str("sweep"),
            Self::SweepFrom => f.write_str("sweep from"),
        }
    }
}

/// A window that was read completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The window.
    pub window: Window,
    /// The run that did.
    pub run: RunId,
}

/// A walk that the last run left in the middle.
#[derive(Clone, Debug)]
pub struct OpenWalk {
    /// What it reads.
    pub ask: Ask,
    /// Where it stands.
    pub walk: Walk,
    /// The rows it has seen, for walks by offset.
    pub keys: SeenKeys,
}

/// A customer of a partner, whose whole lists are read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: String,
    /// When its list was last read completely; `None`: never.
    pub read_at: Option<UtcSecond>,
}

impl Warehouse {
    /// The windows of a time field that were read completely.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn covered_windows(
        &self,
        account: &str,
        stream: &str,
        lane: Lane,
    ) -> Result<Vec<Window>, WarehouseError> {
        let covered = self.covered(account, stream, lane)?;
        Ok(covered.into_iter().map(|covered| covered.window).collect())
    }

    /// The windows of a time field that were read completely, and by which run.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn covered(&self, account: &str, stream: &str, lane: Lane) -> Result<Vec<Covered>, WarehouseError> {
        let rows = self.read(
            "select window_begin, window_end, run_id from coverage
             where account = ?1 and stream = ?2 and lane = ?3 and verdict = 'complete'",
            (account, stream, lane.to_string()),
            |row| Ok((window(row)?, row.get(2)?)),
        )?;
        Ok(rows.into_iter().filter_map(|(window, run)| Some(Covered { window: window?, run })).collect())
    }

    /// The windows of a time field that could not be proven complete.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn disputed_windows(
        &self,
        account: &str,
        stream: &str,
        lane: Lane,
    ) -> Result<Vec<Window>, WarehouseError> {
        let rows = self.read(
            "select window_begin, window_end from coverage
             where account = ?1 and stream = ?2 and lane = ?3 and verdict = 'disputed'",
            (account, stream, lane.to_string()),
            window,
        )?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// A mark, and the run that set it.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn mark(
        &self,
        account: &str,
        stream: &str,
        mark: Mark,
    ) -> Result<Option<(UtcSecond, RunId)>, WarehouseError> {
        let rows = self.read(
            "select watermark, run_id from watermarks where account = ?1 and stream = ?2 and lane = ?3",
            (account, stream, mark.to_string()),
            |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
        )?;
        Ok(rows.into_iter().find_map(|(text, run)| Some((UtcSecond::parse(&text)?, run))))
    }

    /// Sets a mark.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn set_mark(
        &mut self,
        account: &str,
        stream: &str,
        mark: Mark,
        at: UtcSecond,
        run: RunId,
    ) -> Result<(), WarehouseError> {
        self.connection
            .execute(
                "insert into watermarks (account, stream, lane, watermark, run_id) values (?1, ?2, ?3, ?4, ?5)
                 on conflict (account, stream, lane)
                     do update set watermark = excluded.watermark, run_id = excluded.run_id",
                (account, stream, mark.to_string(), at.to_string(), run),
            )
            .map(|_| ())
            .map_err(|error| self.sql(&error))
    }

    /// Records which billing months are complete. One that was complete before keeps its date.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn set_complete_months(
        &mut self,
        account: &str,
        stream: &str,
        months: &[String],
        at: UtcSecond,
        run: RunId,
    ) -> Result<(), WarehouseError> {
        let path = self.path.clone();
        let sql = |error| WarehouseError::sql(&path, &error);
        let list = serde_json::Value::from(months).to_string();
        let tx = self.connection.transaction().map_err(sql)?;
        tx.execute(
            "delete from complete_months where account = ?1 and stream = ?2
                 and month not in (select value from json_each(?3))",
            (account, stream, &list),
        )
        .and_then(|_| {
            tx.execute(
                "insert into complete_months (account, stream, month, complete_since, run_id)
                 select ?1, ?2, value, ?4, ?5 from json_each(?3) where true on conflict do nothing",
                (account, stream, &list, at.to_string(), run),
            )
        })
        .map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Forgets where walks stood before `before`: they begin anew.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn forget_walks(
        &mut self,
        account: &str,
        stream: &str,
        before: UtcSecond,
    ) -> Result<(), WarehouseError> {
        let path = self.path.clone();
        let sql = |error| WarehouseError::sql(&path, &error);
        let tx = self.connection.transaction().map_err(sql)?;
        tx.execute(
            "delete from checkpoints where account = ?1 and stream = ?2 and saved_at < ?3",
            (account, stream, before.to_string()),
        )
        .and_then(|_| {
            tx.execute(
                "delete from checkpoint_pages as page where account = ?1 and stream = ?2 and not exists (
                     select 1 from checkpoints as c where c.account = page.account and c.stream = page.stream
                         and c.scope = page.scope and c.customer_id = page.customer_id)",
                (account, stream),
            )
        })
        .map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Walks that the last run left in the middle.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn open_walks(&self, account: &str, stream: &str) -> Result<Vec<OpenWalk>, WarehouseError> {
        let rows = self.read(
            "select scope, customer_id, walk from checkpoints where account = ?1 and stream = ?2",
            (account, stream),
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        )?;
        let mut walks = Vec::with_capacity(rows.len());
        for (scope, customer, walk) in rows {
            // A checkpoint that another version wrote differently only costs its walk a new start.
            let (Some(parsed), Ok(walk)) = (Scope::parse(&scope), serde_json::from_str::<Walk>(&walk)) else {
                continue;
            };
            let mut keys = SeenKeys::default();
            for page in self.read(
                "select keys from checkpoint_pages
                 where account = ?1 and stream = ?2 and scope = ?3 and customer_id = ?4",
                (account, stream, &scope, &customer),
                |row| row.get::<_, Vec<u8>>(0),
            )? {
                keys.add_bytes(&page);
            }
            let customer_id = (!customer.is_empty()).then_some(customer);
            walks.push(OpenWalk { ask: Ask { scope: parsed, customer_id }, walk, keys });
        }
        Ok(walks)
    }

    /// When the account's whole list was last read completely.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn last_whole_reading(
        &self,
        account: &str,
        stream: &str,
    ) -> Result<Option<UtcSecond>, WarehouseError> {
        let last = whole_reading(&self.connection, account, stream, "").map_err(|error| self.sql(&error))?;
        Ok(last.and_then(|last| UtcSecond::parse(&last.read_at)))
    }

    /// The customers that a partner's warehouse knows, from its customer list and from its orders, in the order of
    /// expected change: those with orders that are new or changed since their list was read, then the longest unread,
    /// and last those whose list the vendor refused to show when it was last asked for. Customers who left are none.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn customers_by_expected_change(
        &self,
        account: &str,
        stream: &str,
    ) -> Result<Vec<Customer>, WarehouseError> {
        let (mut read, mut refused) = (HashMap::new(), HashSet::new());
        for (customer, run, read_at, verdict) in self.read(
            "select customer_id, run_id, read_at, verdict from coverage
             where account = ?1 and stream = ?2 and scope = 'whole' and verdict in ('complete', 'refused')",
            (account, stream),
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                ))
            },
        )? {
            if verdict == "refused" {
                refused.insert(customer);
            } else {
                read.insert(customer, (run, UtcSecond::parse(&read_at)));
            }
        }
        let mut customers = self.read(
            "select customer_id, max(run) from (
                 select customer_id, 0 as run from sub_customers where account = ?1 and gone_since is null
                 union all
                 select customer_id, last_changed_run from orders where account = ?1 and customer_id <> ''
             ) where customer_id not in (
                 select customer_id from sub_customers where account = ?1 and gone_since is not null
             ) group by customer_id",
            [account],
            |row| {
                let id: String = row.get(0)?;
                let changed: i64 = row.get(1)?;
                let (run, read_at) = read.get(&id).copied().unwrap_or((0, None));
                let is_last = refused.contains(&id);
                Ok(((is_last, changed <= run), Customer { id, read_at }))
            },
        )?;
        customers.sort_by(|(a_place, a), (b_place, b)| {
            (a_place, a.read_at, &a.id).cmp(&(b_place, b.read_at, &b.id))
        });
        Ok(customers.into_iter().map(|(_, customer)| customer).collect())
    }

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
                order.rows = self.count_orders(account, created, end, PAGE + 1)?;
                end = created;
            }
        }
        let newest = self.count_orders(account, before, UtcSecond::FAR, PAGE)?;
        Ok((open, newest))
    }

    /// How many orders of the list are stored that were created in `[begin, end)`; counted up to `most`.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_orders(
        &self,
        account: &str,
        begin: UtcSecond,
        end: UtcSecond,
        most: u64,
    ) -> Result<u64, WarehouseError> {
        self.count(
            "select count(*) from (
                 select 1 from orders where account = ?1 and create_time >= ?2 and create_time < ?3
                     and parent_order_id is null and gone_since is null
                 limit ?4)",
            (account, begin.to_string(), end.to_string(), most),
        )
    }
}

/// The window in the first two columns of a row.
fn window(row: &Row<'_>) -> rusqlite::Result<Option<Window>> {
    let (begin, end): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(UtcSecond::parse(&begin).zip(UtcSecond::parse(&end)).and_then(|(begin, end)| Window::new(begin, end)))
}
