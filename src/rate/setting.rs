//! The quotas of the configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use super::words::{QuotaShare, QuotaStart};
use crate::quota::Quota;
use crate::request::Endpoint;

/// What the configuration says about one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaSetting {
    /// Keep to this quota.
    Limit(Quota),
    /// No limit of our own.
    Unlimited,
}

/// A quota of the configuration that cannot be read. Fits "quotas: {}".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a quota as calls per time, like 10/1s, 600/1m or 1000/1h, or none")]
pub struct QuotaSettingError;

impl QuotaSetting {
    /// Reads `10/1s`, `600/1m`, `1000/1h`, `5000/1d` or `none`.
    ///
    /// # Errors
    /// For anything else, no calls, more than a million calls or more than a day.
    pub fn parse(text: &str) -> Result<Self, QuotaSettingError> {
        let text = text.trim();
        if text == "none" {
            return Ok(Self::Unlimited);
        }
        let (calls, period) = text.split_once('/').ok_or(QuotaSettingError)?;
        let unit = period.trim().chars().next_back().ok_or(QuotaSettingError)?;
        let seconds = match unit {
            's' => 1u64,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(QuotaSettingError),
        };
        let count: u32 =
            period.trim().trim_end_matches(unit).trim().parse().map_err(|_| QuotaSettingError)?;
        let calls: u32 = calls.trim().parse().map_err(|_| QuotaSettingError)?;
        let period = Duration::from_secs(seconds.saturating_mul(u64::from(count)));
        Quota::bounded(calls, period).map(Self::Limit).ok_or(QuotaSettingError)
    }
}

/// Quotas of the configuration, by endpoint name, with a default for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaOverrides {
    /// For endpoints not named; the published quota where there is none.
    pub default: Option<QuotaSetting>,
    /// By the endpoint's short name.
    pub by_endpoint: BTreeMap<String, QuotaSetting>,
    /// The part of every quota that is used.
    pub share: QuotaShare,
}

impl QuotaOverrides {
    /// What is known of an endpoint's quota before the first call: what the configuration says, else what is published.
    #[must_use]
    pub fn start(&self, endpoint: &Endpoint) -> QuotaStart {
        match self.by_endpoint.get(endpoint.name).copied().or(self.default) {
            Some(QuotaSetting::Limit(quota)) => QuotaStart::Configured(quota),
            Some(QuotaSetting::Unlimited) => QuotaStart::Unlimited,
            None => QuotaStart::Published(endpoint.quota),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read_as_written() {
        let per =
            |calls, seconds| Ok(QuotaSetting::Limit(Quota { calls, period: Duration::from_secs(seconds) }));
        assert_eq!(QuotaSetting::parse("10/1s"), per(10, 1));
        assert_eq!(QuotaSetting::parse(" 600 / 5m "), per(600, 300));
        assert_eq!(QuotaSetting::parse("7/24h"), per(7, 86400));
        assert_eq!(QuotaSetting::parse("1000000/1d"), per(1_000_000, 86400));
        assert_eq!(QuotaSetting::parse("none"), Ok(QuotaSetting::Unlimited));
        for wrong in
            ["", "10", "10/s", "0/1s", "10/0s", "-1/1s", "1000001/1s", "1/2d", "10/1x", "10/1é", "/", "1/ss"]
        {
            assert_eq!(QuotaSetting::parse(wrong), Err(QuotaSettingError), "{wrong}");
        }
    }
}
