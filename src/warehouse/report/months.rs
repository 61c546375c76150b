//! What the ledger says about completeness: month by month, and of what is read by customer, by order or as a whole.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use serde::Serialize;
use serde_json::{Value, json};

use crate::stream::{CATALOGUE, Stream};
use crate::warehouse::file::open::Warehouse;

/// Whether a month can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Completeness {
    /// Every second of it is in windows that were read completely.
    Complete,
    /// It has not ended, or ended less than a day ago, and all of it that is older than a day is covered.
    Open,
    /// Some of it was not read completely yet.
    Incomplete,
    /// A window that reaches into it could not be proven complete.
    Disputed,
    /// An order created in it came last in a form that could not be decoded.
    Undecoded,
}

impl Completeness {
    /// The word of the view `coverage_by_month`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Open => "open",
            Self::Incomplete => "incomplete",
            Self::Disputed => "disputed",
            Self::Undecoded => "undecoded",
        }
    }
}

impl FromSql for Completeness {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        [Self::Complete, Self::Open, Self::Incomplete, Self::Disputed, Self::Undecoded]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| FromSqlError::Other(format!("no state of a month: {text}").into()))
    }
}

/// A billing month (UTC+8) of creation time: one row of the view `coverage_by_month`. All times are UTC.
#[derive(Clone, Debug, Serialize)]
pub struct MonthState {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// The month, yyyy-MM.
    pub month: String,
    /// First second of it that counts: its own, or the one the history begins with.
    pub begins_at: String,
    /// First second behind it.
    pub ends_at: String,
    /// Whether it can be relied on.
    pub state: Completeness,
    /// Since when it is complete; `None` unless it is, and until the run that completed it has looked.
    pub complete_since: Option<String>,
    /// Seconds of it that are in complete windows.
    pub covered_seconds: i64,
    /// Seconds of it that count.
    pub month_seconds: i64,
    /// Complete windows that reach into it.
    pub windows: i64,
    /// Answers they took.
    pub requests: i64,
    /// Orders created in it that the list shows in their own right.
    pub orders: i64,
    /// Orders created in it that appeared after their time had been read completely.
    pub late_orders: i64,
    /// Every second of it was read at or after this time; `None` when a second of it was not read yet.
    pub last_proof_at: Option<String>,
    /// The first second of it, up to now, that is in no complete window.
    pub first_gap: Option<String>,
}

/// What a stream reads one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadPart {
    /// What belongs to one order.
    Order,
    /// The list of one customer of a partner.
    Customer,
    /// The whole list.
    List,
}

impl FromSql for ReadPart {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "order" => Ok(Self::Order),
            "customer" => Ok(Self::Customer),
            "list" => Ok(Self::List),
            other => Err(FromSqlError::Other(format!("no part of a stream: {other}").into())),
        }
    }
}

/// How much of a stream was read that is not read by time; lists that a job was to read are named also when none was.
#[derive(Clone, Debug, Serialize)]
pub struct PartsState {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// What is read one by one.
    pub part: ReadPart,
    /// Parts whose newest reading is complete.
    pub read: i64,
    /// The oldest of these readings, UTC.
    pub oldest_read_at: Option<String>,
    /// Parts whose newest reading could not be proven complete.
    pub disputed: i64,
    /// Customers whose list the vendor refused to show when it was last asked for.
    pub refused: i64,
    /// Lists that were never asked for to their end: of known customers, but for those who left, or the whole list that a job
    /// was to read; orders to be read are in the queue.
    pub never_read: i64,
}

impl Warehouse {
    /// All months of all streams that are read by time, oldest first.
    pub(super) fn months(&self) -> rusqlite::Result<Vec<MonthState>> {
        self.connection
            .prepare(
                "select account, stream, month, begins_at, ends_at, state, complete_since, covered_seconds,
                     month_seconds, windows, requests, orders, late_orders, last_proof_at, first_gap
                 from coverage_by_month order by account, stream, month",
            )?
            .query_map([], |row| {
                Ok(MonthState {
                    account: row.get(0)?,
                    stream: row.get(1)?,
                    month: row.get(2)?,
                    begins_at: row.get(3)?,
                    ends_at: row.get(4)?,
                    state: row.get(5)?,
                    complete_since: row.get(6)?,
                    covered_seconds: row.get(7)?,
                    month_seconds: row.get(8)?,
                    windows: row.get(9)?,
                    requests: row.get(10)?,
                    orders: row.get(11)?,
                    late_orders: row.get(12)?,
                    last_proof_at: row.get(13)?,
                    first_gap: row.get(14)?,
                })
            })?
            .collect()
    }

    /// What was read by customer, by order or as a whole, by account and stream.
    pub(super) fn parts(&self) -> rusqlite::Result<Vec<PartsState>> {
        self.connection
            .prepare(
                "with
                 left_partner as (
                     select account, customer_id from sub_customers where gone_since is not null
                 ),
                 readings as (
                     select account, stream,
                         case when parent_id is not null then 'order'
                              when customer_id <> '' then 'customer'
                              else 'list' end as part,
                         sum(verdict = 'complete') as read,
                         min(iif(verdict = 'complete', read_at, null)) as oldest_read_at,
                         sum(verdict = 'disputed') as disputed,
                         sum(verdict = 'refused' and (account, customer_id) not in left_partner) as refused
                     from coverage
                     where lane is null
                     group by account, stream, part
                 ),
                 -- What a job of the account was to read as a whole, whether it came to it or not.
                 wanted as (
                     select distinct r.account, r.stream,
                         iif(s.value ->> 'by_customer' and (
                             exists (select 1 from sub_customers as k where k.account = r.account)
                             or exists (select 1 from orders as o where o.account = r.account and o.role = 'partner')
                         ), 'customer', 'list') as part
                     from runs as r
                     join json_each(?1) as s on s.value ->> 'name' = r.stream
                 ),
                 parts as (
                     select account, stream, part from readings
                     union
                     select account, stream, part from wanted
                 ),
                 customers as (
                     select account, customer_id from sub_customers
                     union
                     select account, customer_id from orders where customer_id <> ''
                     except
                     select account, customer_id from left_partner
                 )
                 select p.account, p.stream, p.part, coalesce(r.read, 0), r.oldest_read_at, coalesce(r.disputed, 0),
                     coalesce(r.refused, 0),
                     case p.part
                         when 'order' then 0
                         when 'list' then r.read is null
                         else (
                             select count(*) from customers as k
                             where k.account = p.account and not exists (
                                 select 1 from coverage as c
                                 where c.account = p.account and c.stream = p.stream and c.scope = 'whole'
                                     and c.customer_id = k.customer_id))
                     end
                 from parts as p
                 left join readings as r on r.account = p.account and r.stream = p.stream and r.part = p.part
                 order by p.account, p.stream, p.part",
            )?
            .query_map([whole_lists()], |row| {
                Ok(PartsState {
                    account: row.get(0)?,
                    stream: row.get(1)?,
                    part: row.get(2)?,
                    read: row.get(3)?,
                    oldest_read_at: row.get(4)?,
                    disputed: row.get(5)?,
                    refused: row.get(6)?,
                    never_read: row.get(7)?,
                })
            })?
            .collect()
    }
}

/// The streams that are read as whole lists, as JSON, and whether a partner reads them customer by customer.
fn whole_lists() -> String {
    let streams = CATALOGUE.iter().filter(|stream| stream.reading().reads_whole());
    let named = |stream: &&dyn Stream| json!({ "name": stream.name(), "by_customer": stream.partner_names_customer() });
    Value::from(streams.map(named).collect::<Vec<_>>()).to_string()
}
