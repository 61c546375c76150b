//! How fresh each stream of each account is.

use serde::Serialize;

use crate::stream::{self, Reading};
use crate::warehouse::file::open::Warehouse;

/// How far a stream of an account can be relied on.
#[derive(Clone, Debug, Serialize)]
pub struct StreamState {
    /// Account.
    pub account: String,
    /// Stream.
    pub stream: String,
    /// What was so then is in the warehouse, UTC; `None` while a first reading is not complete. For streams that are read by
    /// time the older one of both watermarks; for whole lists the oldest reading of one; for what belongs to orders the
    /// start of the last run that read all there was.
    pub fresh_up_to: Option<String>,
    /// Orders whose records are still to be read.
    pub queued: i64,
    /// Those of them that failed.
    pub failing: i64,
    /// Rows that came last in a form that could not be decoded.
    pub undecoded: i64,
    /// Windows, orders and lists that could not be proven complete.
    pub disputed: i64,
}

/// What a stream's freshness is made of, all times UTC.
struct StreamTimes {
    created: Option<String>,
    paid: Option<String>,
    run: Option<String>,
    list: Option<String>,
}

impl StreamTimes {
    /// The texts sort as the times do.
    fn fresh_up_to(self, reading: Reading) -> Option<String> {
        let Self { created, paid, run, list } = self;
        let older = |one: String, other: Option<String>| other.map_or(one.clone(), |other| one.min(other));
        match reading {
            Reading::Windows => created.map(|created| older(created, paid)),
            Reading::Queue => run,
            Reading::Whole => list,
            Reading::QueueAndWhole => list.and_then(|list| run.map(|run| run.min(list))),
        }
    }
}

impl Warehouse {
    /// Every stream that the ledger knows of, by account.
    pub(super) fn streams(&self) -> rusqlite::Result<Vec<StreamState>> {
        let mut statement = self.connection.prepare(
            "with
             -- A run with findings read everything as well.
             ran as (
                 select account, stream, max(started_at) as read_at
                 from runs where outcome in ('done', 'findings') group by account, stream
             ),
             -- Lists of customers who left are not read any more.
             lists as (
                 select account, stream, min(read_at) as read_at
                 from coverage
                 where scope = 'whole' and verdict = 'complete' and (account, customer_id) not in (
                     select account, customer_id from sub_customers where gone_since is not null)
                 group by account, stream
             )
             select f.account, f.stream, f.created_complete_up_to, f.paid_complete_up_to, r.read_at, l.read_at,
                 f.queued, f.failing, f.quarantined, f.disputed
             from freshness as f
             left join ran as r on r.account = f.account and r.stream = f.stream
             left join lists as l on l.account = f.account and l.stream = f.stream
             order by f.account, f.stream",
        )?;
        let states = statement.query_map([], |row| {
            let stream: String = row.get(1)?;
            let times =
                StreamTimes { created: row.get(2)?, paid: row.get(3)?, run: row.get(4)?, list: row.get(5)? };
            let reading = stream::find(&stream).map(<dyn stream::Stream>::reading);
            Ok(StreamState {
                account: row.get(0)?,
                fresh_up_to: reading.and_then(|reading| times.fresh_up_to(reading)),
                stream,
                queued: row.get(6)?,
                failing: row.get(7)?,
                undecoded: row.get(8)?,
                disputed: row.get(9)?,
            })
        })?;
        states.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_as_fresh_as_the_oldest_of_what_it_is_made_of() {
        let at = |day: u32| Some(format!("2026-11-{day:02}T00:00:00Z"));
        let fresh = |reading| {
            StreamTimes { created: at(4), paid: at(3), run: at(2), list: at(1) }.fresh_up_to(reading)
        };
        assert_eq!(fresh(Reading::Windows), at(3));
        assert_eq!(fresh(Reading::Queue), at(2));
        assert_eq!(fresh(Reading::Whole), at(1));
        assert_eq!(fresh(Reading::QueueAndWhole), at(1));
        let begun = StreamTimes { created: at(4), paid: None, run: at(4), list: None };
        assert_eq!(
            begun.fresh_up_to(Reading::Windows),
            at(4),
            "payments are not asked for before the first run ends"
        );
        let begun = StreamTimes { created: None, paid: at(4), run: at(4), list: None };
        assert_eq!(
            begun.fresh_up_to(Reading::QueueAndWhole),
            None,
            "orders' resources are not all resources"
        );
    }
}
