//! What people say about breaks: that one is right as it is, why, and until when; and that what was pinned is open again.

use rusqlite::OptionalExtension;
use serde::Serialize;

use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What names a break.
#[derive(Clone, Copy, Debug)]
pub struct BreakName<'a> {
    /// The account.
    pub account: &'a str,
    /// The check.
    pub check_id: &'a str,
    /// Its key within both.
    pub key: &'a str,
}

/// An explanation to record.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledgement<'a> {
    /// What is explained.
    pub name: BreakName<'a>,
    /// Who explains it.
    pub by: &'a str,
    /// The explanation.
    pub because: &'a str,
    /// The last second it counts; `None`: as long as the break lasts.
    pub until: Option<UtcSecond>,
}

/// An explanation that was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedBreak {
    /// The account.
    pub account: String,
    /// The check.
    pub check_id: String,
    /// The break's key.
    pub key: String,
    /// Who explained it.
    pub by: String,
    /// The explanation.
    pub because: String,
    /// When, UTC.
    pub at: String,
    /// The last second it counts, UTC.
    pub until: Option<String>,
    /// Whether it counts ("counts"), or why not: "revoked by …", "over", "resolved", "other values".
    pub state: String,
}

const FIND: &str =
    "select break_id from breaks where account = ?1 and check_id = ?2 and key = ?3 and resolved_at is null";

impl Warehouse {
    /// Records that somebody explained a break, with the values it shows now. False when no such break is open.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn acknowledge(&mut self, given: &Acknowledgement<'_>) -> Result<bool, WarehouseError> {
        let BreakName { account, check_id, key } = given.name;
        self.write(|writing| {
            writing.change(
                "insert into acknowledgements (break_id, expected, actual, acknowledged_by, because, acknowledged_at, valid_until)
                 select break_id, expected, actual, ?4, ?5, ?6, ?7 from breaks
                 where account = ?1 and check_id = ?2 and key = ?3 and resolved_at is null",
                (
                    account,
                    check_id,
                    key,
                    given.by,
                    given.because,
                    UtcSecond::now().to_string(),
                    given.until.map(|until| until.to_string()),
                ),
            )
        })
        .map(|recorded| recorded > 0)
    }

    /// Takes back what explains a break. False when nothing did.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn revoke(&mut self, name: BreakName<'_>, by: &str) -> Result<bool, WarehouseError> {
        self.write(|writing| {
            let found: Option<i64> = writing
                .query_row(FIND, (name.account, name.check_id, name.key), |row| row.get(0))
                .optional()?;
            let Some(found) = found else { return Ok(false) };
            let revoked = writing.change(
                "update acknowledgements set revoked_by = ?2, revoked_at = ?3 where break_id = ?1 and revoked_at is null",
                (found, by, UtcSecond::now().to_string()),
            )?;
            Ok(revoked > 0)
        })
    }

    /// Opens a question again whose answer was pinned for an account, and gives that answer back; `None` when none was. A
    /// reconciliation of all checks and months pins it anew once the account's orders are clear about it.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn unpin(&mut self, account: &str, question: &str) -> Result<Option<String>, WarehouseError> {
        self.write(|writing| {
            writing
                .query_row(
                    "delete from pinned_models where account = ?1 and question = ?2 collate nocase returning model",
                    [account, question],
                    |row| row.get(0),
                )
                .optional()
        })
    }

    /// All explanations of the accounts, newest first, with whether they count.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn explanations(&self, accounts: &[&str]) -> Result<Vec<ExplainedBreak>, WarehouseError> {
        let accounts = serde_json::Value::from(accounts.to_vec()).to_string();
        self.read(
            "select b.account, b.check_id, b.key, a.acknowledged_by, a.because, a.acknowledged_at, a.valid_until,
                 case
                     when a.revoked_at is not null then 'revoked by ' || a.revoked_by
                     when b.resolved_at is not null then 'resolved'
                     when a.valid_until < strftime('%Y-%m-%dT%H:%M:%SZ', 'now') then 'over'
                     when a.expected is not b.expected or a.actual is not b.actual then 'other values'
                     else 'counts'
                 end
             from acknowledgements as a
             join breaks as b on b.break_id = a.break_id
             where b.account in (select value from json_each(?1))
             order by a.acknowledgement_id desc",
            [accounts],
            |row| {
                Ok(ExplainedBreak {
                    account: row.get(0)?,
                    check_id: row.get(1)?,
                    key: row.get(2)?,
                    by: row.get(3)?,
                    because: row.get(4)?,
                    at: row.get(5)?,
                    until: row.get(6)?,
                    state: row.get(7)?,
                })
            },
        )
    }
}
