//! What runs learn about quotas, from one to the next.

use std::time::Duration;

use rusqlite::{Connection, Row};
use serde::Serialize;

use crate::quota::Quota;
use crate::quota::hint::Policy;
use crate::rate::words::QuotaOrigin;
use crate::rate::{RateState, Remembered};
use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// A quota that the last runs worked with.
#[derive(Clone, Debug, Serialize)]
pub struct QuotaState {
    /// Account.
    pub account: String,
    /// The endpoint's short name.
    pub endpoint: String,
    /// Whose calls it counts together; empty when the vendor did not say.
    pub policy: String,
    /// Calls per time, like 20/1s.
    pub quota: String,
    /// Where it comes from.
    pub origin: String,
    /// The part of its time that is left unused to stay clear of refusals, in millionths.
    pub margin_ppm: i64,
    /// When it was last told or counted, UTC.
    pub learned_at: String,
    /// When a call was last refused, UTC.
    pub last_refused_at: Option<String>,
}

const MILLIONTHS: f64 = 1e6;
const THOUSANDTHS: f64 = 1e3;

/// A figure of the pace as an integer: the warehouse has no floats.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in bounds after the clamp")]
fn scaled(figure: f64, parts: f64) -> u32 {
    (figure * parts).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

impl Warehouse {
    /// What the last run of an account learned about the quotas of a host.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn rate_state(&self, account: &str, host: &str) -> Result<Vec<RateState>, WarehouseError> {
        let states = self.read(
            "select endpoint, policy, quota_calls, quota_period_s, origin, margin_ppm, depth_milli, recent, learned_at,
                 last_call_at, last_refused_at
             from rate_state where account = ?1 and host = ?2 order by endpoint, rowid",
            (account, host),
            read,
        )?;
        Ok(states.into_iter().flatten().collect())
    }

    /// Stores what was learned; takes the place of what is known of the same quotas.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn save_rate_state(
        &mut self,
        account: &str,
        host: &str,
        states: &[RateState],
    ) -> Result<(), WarehouseError> {
        self.write(|writing| {
            for RateState { endpoint, policy, remembered } in states {
                let recent: Vec<String> = remembered.recent.iter().map(u32::to_string).collect();
                writing.change_one(
                "insert or replace into rate_state (account, endpoint, policy, host, quota_calls, quota_period_s, origin,
                     margin_ppm, depth_milli, recent, learned_at, last_call_at, last_refused_at, program_version)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                rusqlite::params![
                    account,
                    endpoint,
                    policy.map(Policy::as_str).unwrap_or_default(),
                    host,
                    remembered.quota.calls,
                    remembered.quota.period.as_secs(),
                    remembered.origin.as_str(),
                    scaled(remembered.margin, MILLIONTHS),
                    scaled(remembered.depth, THOUSANDTHS),
                    recent.join(" "),
                    remembered.learned_at.to_string(),
                    remembered.last_call_at.map(|at| at.to_string()),
                    remembered.last_refused_at.map(|at| at.to_string()),
                    env!("CARGO_PKG_VERSION"),
                ],
                )?;
            }
            Ok(())
        })
    }
}

impl QuotaState {
    /// All quotas that are known, by account and endpoint.
    pub(in crate::warehouse) fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
        connection
            .prepare(
                "select account, endpoint, policy, quota_calls, quota_period_s, origin, margin_ppm, learned_at, last_refused_at
                 from rate_state order by account, endpoint, policy",
            )?
            .query_map([], |row| {
                let period = Duration::from_secs(u64::from(row.get::<_, u32>(4)?));
                let origin: String = row.get(5)?;
                Ok(Self {
                    account: row.get(0)?,
                    endpoint: row.get(1)?,
                    policy: row.get(2)?,
                    quota: Quota { calls: row.get(3)?, period }.to_string(),
                    origin: QuotaOrigin::parse(&origin).map_or(origin, |origin| origin.to_string()),
                    margin_ppm: row.get(6)?,
                    learned_at: row.get(7)?,
                    last_refused_at: row.get(8)?,
                })
            })?
            .collect()
    }
}

/// `None` for what another version wrote and this one cannot read: it is learned again.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<RateState>> {
    let time = |at: usize| -> rusqlite::Result<Option<UtcSecond>> {
        Ok(row.get::<_, Option<String>>(at)?.and_then(|text| UtcSecond::parse(&text)))
    };
    let policy: String = row.get(1)?;
    let policy = Policy::parse(&policy);
    let seconds: u32 = row.get(3)?;
    let origin: String = row.get(4)?;
    let recent: String = row.get(7)?;
    let (Some(origin), Some(learned_at)) = (QuotaOrigin::parse(&origin), time(8)?) else { return Ok(None) };
    let remembered = Remembered {
        quota: Quota { calls: row.get(2)?, period: Duration::from_secs(u64::from(seconds)) },
        origin,
        margin: f64::from(row.get::<_, u32>(5)?) / MILLIONTHS,
        depth: f64::from(row.get::<_, u32>(6)?) / THOUSANDTHS,
        learned_at,
        last_call_at: time(9)?,
        recent: recent.split_whitespace().map_while(|calls| calls.parse().ok()).collect(),
        last_refused_at: time(10)?,
    };
    Ok(Some(RateState { endpoint: row.get(0)?, policy, remembered }))
}
