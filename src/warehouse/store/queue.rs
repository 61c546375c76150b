//! The queue of dependent records, as runs see it: what is due, what failed, what must be looked at again.

use rusqlite::{Connection, OptionalExtension, Row};

use super::committer::Committer;
use crate::record::{Dependent, Record};
use crate::stream::{CATALOGUE, Stream};
use crate::time::{UtcSecond, seconds};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::runs::RunId;

/// An order whose dependent records are still to be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueEntry {
    /// The order.
    pub parent_id: String,
    /// Its owner.
    pub customer_id: Option<String>,
    /// Which reason it is there for: a reading settles this one only.
    pub generation: i64,
    /// Tries that failed.
    pub attempts: i64,
}

/// What becomes of an order that is in the queue already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// It waits for its next try as it did.
    Leave,
    /// It has a new reason to be read: its failures are forgotten.
    Renew,
}

/// Failures of an entry that the next run tries again at once; after them the wait doubles, up to a day, so that
/// orders that never succeed do not stand before the others.
const EAGER_ATTEMPTS: u32 = 2;

/// What belongs to the orders of a partner's customer who left is not asked for: the entries wait until the customer is
/// back. The orders themselves are, because only an answer tells whether they are still shown.
pub(in crate::warehouse) const IS_ASKED: &str = "(stream = 'orders' or not exists (
    select 1 from sub_customers as s
    where s.account = queue.account and s.customer_id = queue.customer_id and s.gone_since is not null))";

impl Warehouse {
    /// Puts orders into the queue of a stream, to be read one by one; `again` says what becomes of those that wait
    /// there already.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn enqueue_all(
        &mut self,
        account: &str,
        dependents: &[Dependent],
        again: Requeue,
        run: RunId,
    ) -> Result<(), WarehouseError> {
        let enqueue = match again {
            Requeue::Leave => enqueue_once,
            Requeue::Renew => enqueue,
        };
        let now = UtcSecond::now().to_string();
        self.write(|writing| {
            dependents.iter().try_for_each(|dependent| enqueue(writing, account, run, &now, dependent))
        })
    }

    /// The next entries of a queue that are due: newest orders first, those that failed before behind all others.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn due_entries(
        &self,
        account: &str,
        stream: &str,
        now: UtcSecond,
        count: u64,
    ) -> Result<Vec<QueueEntry>, WarehouseError> {
        self.connection
            .prepare_cached(
                &format!(
                    "select * from (
                         select parent_id, customer_id, generation, attempts from queue
                         where account = ?1 and stream = ?2 and not_before <= ?3 and attempts = 0 and {IS_ASKED}
                         order by parent_time desc limit ?4)
                     union all
                     select * from (
                         select parent_id, customer_id, generation, attempts from queue
                         where account = ?1 and stream = ?2 and not_before <= ?3 and attempts > 0 and {IS_ASKED}
                         order by parent_time desc limit ?4)
                     limit ?4"
                ),
            )
            .and_then(|mut statement| {
                statement
                    .query_map((account, stream, now.to_string(), count), |row| {
                        Ok(QueueEntry {
                            parent_id: row.get(0)?,
                            customer_id: row.get(1)?,
                            generation: row.get(2)?,
                            attempts: row.get(3)?,
                        })
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .map_err(|error| self.sql(&error))
    }

    /// Entries of a queue that are due.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn count_due(&self, account: &str, stream: &str, now: UtcSecond) -> Result<u64, WarehouseError> {
        self.connection
            .query_row(
                &format!(
                    "select count(*) from queue
                     where account = ?1 and stream = ?2 and not_before <= ?3 and {IS_ASKED}"
                ),
                (account, stream, now.to_string()),
                |row| row.get(0),
            )
            .map_err(|error| self.sql(&error))
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

    /// Makes entries that failed due at once.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn retry_now(&mut self, account: &str, stream: &str) -> Result<(), WarehouseError> {
        self.write(|writing| {
            let due = "update queue set not_before = '' where account = ?1 and stream = ?2 and attempts > 0";
            writing.change(due, (account, stream)).map(|_| ())
        })
    }

    /// Entries that failed and wait for their next try, and why one of them did; `None` when there are none.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn failed_and_waiting(
        &self,
        account: &str,
        stream: &str,
        now: UtcSecond,
    ) -> Result<Option<(u64, String)>, WarehouseError> {
        self.connection
            .query_row(
                &format!(
                    "select count(*), coalesce(max(last_error), '') from queue
                     where account = ?1 and stream = ?2 and attempts > 0 and not_before > ?3 and {IS_ASKED}"
                ),
                (account, stream, now.to_string()),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map(|(count, reason): (u64, String)| (count > 0).then_some((count, reason)))
            .map_err(|error| self.sql(&error))
    }

    /// Records why an entry could not be settled; it stays, and blocks no other.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn entry_failed(
        &mut self,
        account: &str,
        stream: &str,
        entry: &QueueEntry,
        error: &str,
    ) -> Result<(), WarehouseError> {
        // The order may have got another reason to be read meanwhile: then nothing of this one is left.
        self.write(|writing| {
            writing
                .change(
                    "update queue set last_error = ?1, attempts = attempts + 1,
                         not_before = iif(attempts < ?5, '', strftime('%Y-%m-%dT%H:%M:%SZ', 'now',
                             printf('+%d minutes', min(15 << min(attempts - ?5, 10), 1440))))
                     where account = ?2 and stream = ?3 and parent_id = ?4 and generation = ?6",
                    (error, account, stream, &entry.parent_id, EAGER_ATTEMPTS, entry.generation),
                )
                .map(|_| ())
        })
    }
}

impl Committer<'_> {
    /// Queues what must be read for a record that is new or changed; how much that is.
    pub(super) fn enqueue_dependents(&self, record: &Record) -> rusqlite::Result<u64> {
        let Self { connection, commit, seen_at, .. } = self;
        let mut enqueued = 0;
        for parent in &record.parents {
            let is_read = |stream: &&&dyn Stream| {
                stream.has_records_of(parent.place) && !commit.out_of_reach.contains(&stream.name())
            };
            for stream in CATALOGUE.iter().filter(is_read) {
                let dependent = parent.dependent(stream.name());
                enqueue(connection, &commit.account, commit.run, seen_at, &dependent)?;
                enqueued += 1;
            }
        }
        Ok(enqueued)
    }

    /// Takes the order out of the queue, unless it changed meanwhile or must be read once more later.
    pub(super) fn settle_entry(&self, parent: &str) -> rusqlite::Result<()> {
        let (Some(generation), account) = (self.commit.generation, &self.commit.account) else {
            return Ok(());
        };
        let stream = self.commit.stream.name();
        if let Some(delay) = self.commit.stream.read_again_after() {
            // Recent is an order that was created or paid a short while ago, or that was stored before and
            // changed then.
            let is_recent: bool = self
                .connection
                .prepare_cached(
                    "select max(coalesce(o.create_time, ''), coalesce(o.payment_time, '')) > ?3
                         or (o.version > 1 and q.enqueued_at > ?3)
                     from orders as o
                     join queue as q on q.account = o.account and q.stream = ?4 and q.parent_id = o.order_id
                     where o.account = ?1 and o.order_id = ?2",
                )?
                .query_row(
                    (account, parent, self.commit.answered_at.minus(delay).to_string(), stream),
                    |row| row.get(0),
                )
                .optional()?
                .unwrap_or(false);
            if is_recent {
                let later = self.commit.answered_at.plus(seconds(delay));
                return self
                    .connection
                    .prepare_cached(
                        "update queue set not_before = ?1, attempts = 0, last_error = null
                         where account = ?2 and stream = ?3 and parent_id = ?4 and generation = ?5",
                    )?
                    .execute((later.to_string(), account, stream, parent, generation))
                    .map(|_| ());
            }
        }
        self.connection
            .prepare_cached(
                "delete from queue where account = ?1 and stream = ?2 and parent_id = ?3 and generation = ?4",
            )?
            .execute((account, stream, parent, generation))
            .map(|_| ())
    }
}

/// Puts an order into the queue of a stream, or renews the reason why it is there.
pub(super) fn enqueue(
    connection: &Connection,
    account: &str,
    run: RunId,
    at: &str,
    dependent: &Dependent,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "insert into queue (account, stream, parent_id, customer_id, parent_time, enqueued_run, enqueued_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict (account, stream, parent_id) do update set
                 customer_id = excluded.customer_id, parent_time = excluded.parent_time, not_before = '',
                 generation = generation + 1, attempts = 0, last_error = null,
                 enqueued_run = excluded.enqueued_run, enqueued_at = excluded.enqueued_at",
        )?
        .execute((
            account,
            dependent.stream,
            &dependent.parent_id,
            &dependent.customer_id,
            &dependent.parent_time,
            run,
            at,
        ))
        .map(|_| ())
}

/// Puts an order into the queue unless it is there already, waiting for its next try.
pub(super) fn enqueue_once(
    connection: &Connection,
    account: &str,
    run: RunId,
    at: &str,
    dependent: &Dependent,
) -> rusqlite::Result<()> {
    let is_queued = connection
        .prepare_cached("select 1 from queue where account = ?1 and stream = ?2 and parent_id = ?3")?
        .exists((account, dependent.stream, &dependent.parent_id))?;
    if is_queued { Ok(()) } else { enqueue(connection, account, run, at, dependent) }
}

/// An order's id, owner and time of creation, in these columns.
pub(super) fn read_dependent(stream: &'static str, row: &Row<'_>) -> rusqlite::Result<Dependent> {
    Ok(Dependent {
        stream,
        parent_id: row.get(0)?,
        customer_id: row.get(1)?,
        parent_time: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
    })
}
