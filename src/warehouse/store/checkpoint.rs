//! Checkpoints: where unfinished walks stand, so that the next run goes on from there.

use super::committer::Committer;
use crate::scope::{Ask, Scope};
use crate::time::UtcSecond;
use crate::walk::{Cursor, SeenKeys, Walk};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What a new checkpoint means for the keys that the walk has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageKeys {
    /// This page's belong to them.
    Add,
    /// The walk begins anew.
    Forget,
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

const FORGET_PAGES: &str =
    "delete from checkpoint_pages where account = ?1 and stream = ?2 and scope = ?3 and customer_id = ?4";

impl Committer<'_> {
    /// Stores where the walk of a scope stands.
    pub(super) fn save_checkpoint(&self, scope: &Scope, walk: &Walk, keys: PageKeys) -> rusqlite::Result<()> {
        // A list of what has a status now means nothing later: such walks always begin anew.
        if matches!(scope, Scope::Status(_)) {
            return Ok(());
        }
        let (account, stream) = (&self.commit.account, self.commit.stream.name());
        let scope = scope.to_string();
        match (keys, &walk.cursor) {
            (PageKeys::Forget, _) => {
                self.connection.prepare_cached(FORGET_PAGES)?.execute((
                    account,
                    stream,
                    &scope,
                    self.customer(),
                ))?;
            }
            (PageKeys::Add, Cursor::Keyset { .. }) => {}
            (PageKeys::Add, Cursor::Offset(_)) => {
                self.connection
                    .prepare_cached(
                        "insert or replace into checkpoint_pages (account, stream, scope, customer_id, page, keys)
                         values (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute((
                        account,
                        stream,
                        &scope,
                        self.customer(),
                        walk.requests,
                        SeenKeys::to_bytes(&self.commit.page.rows),
                    ))?;
            }
        }
        let json = serde_json::to_string(walk)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        self.connection
            .prepare_cached(
                "insert into checkpoints (account, stream, scope, customer_id, walk, run_id, saved_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 on conflict (account, stream, scope, customer_id)
                     do update set walk = excluded.walk, run_id = excluded.run_id, saved_at = excluded.saved_at",
            )?
            .execute((
                account,
                stream,
                &scope,
                self.customer(),
                json,
                self.commit.run,
                self.seen_at,
            ))
            .map(|_| ())
    }

    /// Forgets where the walk of the scope stood: it is over.
    pub(super) fn forget_checkpoint(&self) -> rusqlite::Result<()> {
        let scope = self.commit.ask.scope.to_string();
        let key = (&self.commit.account, self.commit.stream.name(), &scope, self.customer());
        let forgotten = self
            .connection
            .prepare_cached(
                "delete from checkpoints where account = ?1 and stream = ?2 and scope = ?3 and customer_id = ?4",
            )?
            .execute(key)?;
        if forgotten > 0 {
            self.connection.prepare_cached(FORGET_PAGES)?.execute(key)?;
        }
        Ok(())
    }
}

impl Warehouse {
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
        self.write(|writing| {
            writing.change(
                "delete from checkpoints where account = ?1 and stream = ?2 and saved_at < ?3",
                (account, stream, before.to_string()),
            )?;
            writing.change(
                "delete from checkpoint_pages as page where account = ?1 and stream = ?2 and not exists (
                     select 1 from checkpoints as c where c.account = page.account and c.stream = page.stream
                         and c.scope = page.scope and c.customer_id = page.customer_id)",
                (account, stream),
            )?;
            Ok(())
        })
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
}
