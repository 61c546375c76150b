//! What one answer holds.

use crate::json::Object;
use crate::record::{Drift, Record, Reject};
use crate::time::UtcSecond;

/// What one answer holds.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Records to store.
    pub records: Vec<Record>,
    /// Key and creation time of each row the paging counts.
    pub rows: Vec<RowMark>,
    /// The number of matching rows, as the vendor counts them.
    pub total: Option<u64>,
    /// Rows that could not be decoded.
    pub rejects: Vec<Reject>,
    /// What the documents do not list.
    pub drift: Vec<Drift>,
}

/// What the paging must know of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowMark {
    /// The row's key, all parts of it; its whole text where it could not be decoded.
    pub key: String,
    /// The time the list is sorted by, where it is sorted.
    pub time: Option<UtcSecond>,
}

impl Page {
    /// Adds a decoded row that the paging counts.
    pub fn push(&mut self, decoded: Result<Record, Reject>) {
        match decoded {
            Ok(record) => {
                let time = record.text("create_time").and_then(UtcSecond::parse);
                self.rows.push(RowMark { key: record.key(), time });
                self.records.push(record);
            }
            Err(reject) => {
                let time = Object::parse(&reject.raw)
                    .ok()
                    .and_then(|mut fields| fields.take("create_time"))
                    .and_then(|time| UtcSecond::parse(time.get().trim_matches('"')));
                self.rows.push(RowMark { key: reject.raw.clone(), time });
                self.rejects.push(reject);
            }
        }
    }
}
