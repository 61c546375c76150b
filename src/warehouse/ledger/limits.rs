//! What runs learn about the size of pages, from one to the next.

use rusqlite::Connection;
use serde::Serialize;

use crate::rate::page_limit::{PageState, RememberedLimit};
use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What was learned is forgotten after so many seconds, like a quota: 30 days.
const REMEMBERED: i64 = 30 * 24 * 60 * 60;

/// The size of an endpoint's pages, where it is not the documented one.
#[derive(Clone, Debug, Serialize)]
pub struct PageLimitState {
    /// Account.
    pub account: String,
    /// The endpoint's short name.
    pub endpoint: String,
    /// Rows that are asked for at a time.
    pub limit: u32,
    /// The documents' largest limit.
    pub documented: u32,
    /// When it was last learned, UTC.
    pub learned_at: String,
}

impl Warehouse {
    /// What the last runs of an account learned about the pages of a host's endpoints, if that is not too old at `now`.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn page_limits(
        &self,
        account: &str,
        host: &str,
        now: UtcSecond,
    ) -> Result<Vec<PageState>, WarehouseError> {
        self.read(
            "select endpoint, documented, most, page_limit from page_limits
             where account = ?1 and host = ?2 and learned_at > ?3",
            (account, host, now.plus(-REMEMBERED).to_string()),
            |row| {
                let (documented, most, limit) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(PageState {
                    endpoint: row.get(0)?,
                    remembered: RememberedLimit { documented, most, limit },
                })
            },
        )
    }

    /// Stores what was learned at `now` about the endpoints that were asked; one whose pages are as documented is
    /// forgotten.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn save_page_limits(
        &mut self,
        account: &str,
        host: &str,
        limits: &[(&'static str, Option<RememberedLimit>)],
        now: UtcSecond,
    ) -> Result<(), WarehouseError> {
        self.write(|writing| {
            for (endpoint, remembered) in limits {
                let Some(RememberedLimit { documented, most, limit }) = remembered else {
                    writing.change(
                        "delete from page_limits where account = ?1 and endpoint = ?2",
                        (account, endpoint),
                    )?;
                    continue;
                };
                writing.change_one(
                    "insert or replace into page_limits
                     (account, endpoint, host, documented, most, page_limit, learned_at, program_version)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    rusqlite::params![
                        account,
                        endpoint,
                        host,
                        documented,
                        most,
                        limit,
                        now.to_string(),
                        env!("CARGO_PKG_VERSION")
                    ],
                )?;
            }
            Ok(())
        })
    }
}

impl PageLimitState {
    /// All that are known, by account and endpoint.
    pub(in crate::warehouse) fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
        connection
            .prepare(
                "select account, endpoint, page_limit, documented, learned_at from page_limits
                 order by account, endpoint",
            )?
            .query_map([], |row| {
                Ok(Self {
                    account: row.get(0)?,
                    endpoint: row.get(1)?,
                    limit: row.get(2)?,
                    documented: row.get(3)?,
                    learned_at: row.get(4)?,
                })
            })?
            .collect()
    }
}
