//! Answers that are complete by their own count and all the same not believed, because the warehouse knows better.

use super::committer::{Committer, began};
use super::page::Trust;
use super::queue::{enqueue_once, read_dependent};
use super::records::count_list;
use crate::record::Dependent;
use crate::scope::Scope;
use crate::stream::{Owned, Reading};
use crate::time::Window;
use crate::walk::Walk;

/// Rows that may be missing from an answer before it is called far too short: fewer are looked at one by one.
const FEW: u64 = 10;

/// What the operator can do about an answer that is too short to be believed.
const ACCEPT: &str =
    "check the credential's role and permissions; if it is true, run once with --accept-empty";

impl Committer<'_> {
    /// Why a complete answer is not to be believed, if so.
    pub(super) fn doubt(&self, walk: &Walk, covered: Option<Window>) -> rusqlite::Result<Option<String>> {
        let told = self.commit.trust == Trust::Told;
        match &self.commit.ask.scope {
            Scope::Parent(_) if walk.rejected > 0 => {
                Ok(Some(format!("{} row(s) could not be decoded", walk.rejected)))
            }
            Scope::Parent(parent) if self.is_outdated(parent)? => {
                Ok(Some("the answer is older than what is stored, by the vendor's clock".to_owned()))
            }
            _ if told => Ok(None),
            Scope::Parent(parent) if walk.seen == 0 => self.doubt_nothing(parent, "the answer is empty"),
            Scope::Parent(parent) => self.doubt_few(parent, walk),
            Scope::Created(_) | Scope::Paid(_) => match covered {
                Some(window) => self.doubt_window(walk, window),
                None => Ok(None),
            },
            Scope::Whole => self.doubt_list(walk),
            Scope::Status(_) | Scope::Slice(_) => Ok(None),
        }
    }

    /// Why the vendor's words that an order has no such records are not to be believed, if so.
    pub(super) fn doubt_no_records(&self, said: &str) -> rusqlite::Result<Option<String>> {
        match &self.commit.ask.scope {
            Scope::Parent(parent) if self.commit.trust != Trust::Told => self.doubt_nothing(parent, said),
            _ => Ok(None),
        }
    }

    fn doubt_nothing(&self, parent: &str, said: &str) -> rusqlite::Result<Option<String>> {
        let Some(owned) = self.commit.stream.owned_by_parent() else { return Ok(None) };
        let is_doubtful = self.count_owned(owned, parent)? > 0;
        Ok(is_doubtful.then(|| format!("{said}, although records of the order are stored; {ACCEPT}")))
    }

    /// Whether an answer of a later time about the order is stored, which this one changes nothing of. Its servers' clocks
    /// differ, so this one may have been given later all the same: it is asked for again.
    fn is_outdated(&self, parent: &str) -> rusqlite::Result<bool> {
        let Some(owned) = self.commit.stream.owned_by_parent() else { return Ok(false) };
        self.has_later(owned, parent)
    }

    /// What an answer about one order does not show is gone at once: one that lacks most of it is not believed.
    fn doubt_few(&self, parent: &str, walk: &Walk) -> rusqlite::Result<Option<String>> {
        let (Some(owned), Some(since)) = (self.commit.stream.owned_by_parent(), began(walk)) else {
            return Ok(None);
        };
        let missing = self.count_missing(owned, parent, &since)?;
        Ok(is_far_too_short(missing, walk.seen).then(|| {
            format!(
                "{} row(s) shown, and {missing} stored one(s) of the order are not among them; {ACCEPT}",
                walk.seen
            )
        }))
    }

    fn doubt_window(&self, walk: &Walk, window: Window) -> rusqlite::Result<Option<String>> {
        let column = match &self.commit.ask.scope {
            Scope::Created(_) => "create_time",
            _ => "payment_time",
        };
        let missing: u64 = self
            .connection
            .prepare_cached(&format!(
                "select count(*) from orders where account = ?1 and parent_order_id is null and gone_since is null
                     and {column} >= ?2 and {column} < ?3 and last_seen_at < ?4"
            ))?
            .query_row(
                (&self.commit.account, window.begin().to_string(), window.end().to_string(), began(walk).unwrap_or_default()),
                |row| row.get(0),
            )?;
        let is_empty = walk.seen == 0 && missing > 0 && self.commit.trust == Trust::Unproven;
        Ok((is_empty || is_far_too_short(missing, walk.seen)).then(|| {
            format!(
                "{} row(s) shown, and {missing} stored one(s) of the window are not among them; {ACCEPT}",
                walk.seen
            )
        }))
    }

    fn doubt_list(&self, walk: &Walk) -> rusqlite::Result<Option<String>> {
        let Some(table) = self.commit.stream.tables().first() else { return Ok(None) };
        let account = &self.commit.account;
        let stored = count_list(self.connection, account, table, self.commit.ask.customer_id.as_deref())?;
        if walk.seen == 0 && stored > 0 || stored > 2 * walk.seen && stored > walk.seen + FEW {
            return Ok(Some(format!("{} row(s) shown, and {stored} are stored; {ACCEPT}", walk.seen)));
        }
        // A partner's credential that may not read what belongs to a customer gets success and nothing, and so it does in
        // the role of a customer. What was believed once stays believed until an order says otherwise.
        if walk.seen > 0 || self.commit.stream.reading() != Reading::QueueAndWhole {
            return Ok(None);
        }
        let is_suspicious: bool = self
            .connection
            .prepare_cached(&format!(
                "select not exists (select 1 from {} where account = ?1)
                     and exists (select 1 from orders where account = ?1 and (?2 = '' or customer_id = ?2)
                         and status = 5 and order_type in (1, 2, 11, 14)
                         and last_changed_run > coalesce((
                             select run_id from coverage where account = ?1 and stream = ?3 and scope = 'whole'
                                 and customer_id = ?2 and verdict = 'complete' and seen = 0), 0))",
                table.name
            ))?
            .query_row((account, self.customer(), self.commit.stream.name()), |row| row.get(0))?;
        Ok(is_suspicious.then(|| {
            format!("no row shown, although there are completed orders and no list of the account had rows yet; {ACCEPT}")
        }))
    }

    /// Queues the orders of a list that got empty answers while the list was empty and not believed: now that it has
    /// rows, those answers are worth no more than that list was. For a partner's customer also those that were asked for
    /// without naming it, in the role of a customer. Returns how many.
    pub(super) fn ask_again_after_doubt(&self, walk: &Walk) -> rusqlite::Result<u64> {
        let (account, stream) = (&self.commit.account, self.commit.stream.name());
        if walk.seen == 0 {
            return Ok(0);
        }
        if !self.customer().is_empty() {
            // Nobody asks for the list without a customer any more: a dispute about it would stay for ever.
            self.connection
                .prepare_cached(
                    "delete from coverage where account = ?1 and stream = ?2 and scope = 'whole'
                         and customer_id = '' and verdict <> 'complete'",
                )?
                .execute((account, stream))?;
        }
        let was_doubted = self
            .connection
            .prepare_cached(
                "select 1 from coverage where account = ?1 and stream = ?2 and scope = 'whole'
                     and customer_id = ?3 and verdict <> 'complete' and seen = 0",
            )?
            .exists((account, stream, self.customer()))?;
        let unanswered: Vec<Dependent> = self
            .connection
            .prepare_cached(
                "select o.order_id, coalesce(nullif(c.customer_id, ''), o.customer_id), o.create_time from coverage as c
                 join orders as o on o.account = c.account and o.order_id = c.parent_id
                 where c.account = ?1 and c.stream = ?2 and c.verdict = 'complete' and c.seen = 0
                     and o.gone_since is null
                     and (?4 and c.customer_id = ?3 or c.customer_id = '' and o.customer_id = ?3 and ?3 <> ''
                         and not exists (
                             select 1 from coverage as named where named.account = c.account
                                 and named.stream = c.stream and named.scope = c.scope and named.customer_id = ?3))",
            )?
            .query_map((account, stream, self.customer(), was_doubted), |row| read_dependent(stream, row))?
            .collect::<rusqlite::Result<_>>()?;
        for order in &unanswered {
            enqueue_once(self.connection, account, self.commit.run, self.seen_at, order)?;
        }
        Ok(unanswered.len() as u64)
    }

    /// How many rows of a parent are stored and not gone.
    fn count_owned(&self, owned: Owned, parent: &str) -> rusqlite::Result<u64> {
        let sql = format!(
            "select count(*) from {} where account = ?1 and {} = ?2 and gone_since is null",
            owned.table.name, owned.parent_column
        );
        self.connection.prepare_cached(&sql)?.query_row((self.account(), parent), |row| row.get(0))
    }

    /// How many of them a complete answer, begun at `since`, does not show.
    fn count_missing(&self, owned: Owned, parent: &str, since: &str) -> rusqlite::Result<u64> {
        let sql = format!(
            "select count(*) from {} where account = ?1 and {} = ?2 and gone_since is null and last_seen_at < ?3",
            owned.table.name, owned.parent_column
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row((self.account(), parent, since), |row| row.get(0))
    }

    /// Whether an answer of a later time than this one showed or missed a row of a parent.
    fn has_later(&self, owned: Owned, parent: &str) -> rusqlite::Result<bool> {
        let sql = format!(
            "select 1 from {} where account = ?1 and {} = ?2 and max(last_seen_at, coalesce(gone_since, '')) > ?3",
            owned.table.name, owned.parent_column
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.exists((self.account(), parent, self.seen_at))
    }
}

/// Whether more rows are missing from an answer than a few, and more than it shows.
const fn is_far_too_short(missing: u64, seen: u64) -> bool {
    missing > FEW && missing > seen
}
