//! The marks between runs: watermarks, where windows begin, sweeps, and the months that are complete.

use super::runs::RunId;
use crate::scope::Lane;
use crate::time::UtcSecond;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

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

impl Warehouse {
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
        self.write(|writing| {
            writing.change_one(
                "insert into watermarks (account, stream, lane, watermark, run_id) values (?1, ?2, ?3, ?4, ?5)
                 on conflict (account, stream, lane)
                     do update set watermark = excluded.watermark, run_id = excluded.run_id",
                (account, stream, mark.to_string(), at.to_string(), run),
            )
        })
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
        let list = serde_json::Value::from(months).to_string();
        self.write(|writing| {
            writing.change(
                "delete from complete_months where account = ?1 and stream = ?2
                     and month not in (select value from json_each(?3))",
                (account, stream, &list),
            )?;
            writing.change(
                "insert into complete_months (account, stream, month, complete_since, run_id)
                 select ?1, ?2, value, ?4, ?5 from json_each(?3) where true on conflict do nothing",
                (account, stream, &list, at.to_string(), run),
            )?;
            Ok(())
        })
    }
}
