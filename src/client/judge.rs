//! What a setback means for the request it happened to: the end, a correction, or patience.

use std::time::Duration;

use super::address::BaseUrl;
use super::error::{CallTarget, FetchError};
use super::meter::Meter;
use crate::quota::hint::QuotaHint;
use crate::refusal::Refusal;
use crate::retry::{FailedTry, Patience, Spent};
use crate::setback::{Setback, Unavailability};

/// What to do about a setback that need not be the end.
pub(super) enum CallVerdict {
    Throttled { retry_after: Option<Duration>, hint: Option<QuotaHint>, refusal: Refusal },
    TryLater { reason: Unavailability, retry_after: Option<Duration> },
    Correct(Refusal),
}

/// Tells setbacks that can be overcome from those that end the request.
pub(super) fn judge(at: &CallTarget, base: &BaseUrl, setback: Setback) -> Result<CallVerdict, FetchError> {
    let at = at.clone();
    let host = || base.host().to_owned();
    Err(match setback {
        Setback::Throttled { retry_after, hint, refusal } => {
            return Ok(CallVerdict::Throttled { retry_after, hint, refusal });
        }
        Setback::Unavailable { reason, retry_after } => {
            return Ok(CallVerdict::TryLater { reason, retry_after });
        }
        Setback::TokenRejected(refusal) | Setback::SignatureRejected(refusal) => {
            return Ok(CallVerdict::Correct(refusal));
        }
        Setback::DailyQuota(refusal) => FetchError::DailyQuota { at, refusal: Box::new(refusal) },
        Setback::Forbidden(refusal) => FetchError::Forbidden { at, refusal: Box::new(refusal) },
        Setback::NotFound(refusal) => FetchError::NotFound { at, refusal: Box::new(refusal) },
        Setback::Invalid(refusal) => FetchError::Invalid { at, refusal: Box::new(refusal) },
        Setback::NotARefundOrder(refusal) => FetchError::NotARefundOrder { at, refusal: Box::new(refusal) },
        Setback::Redirected { status } => FetchError::Redirected { at, status },
        Setback::TooLarge(detail) => FetchError::TooLarge { at, detail },
        Setback::Untrusted(detail) => FetchError::Tls { at, host: host(), detail },
    })
}

/// How long to wait before trying again, or that patience is over.
pub(super) fn judge_patience(
    at: &CallTarget,
    base: &BaseUrl,
    patience: &mut Patience,
    meter: &Meter,
    reason: Unavailability,
    retry_after: Option<Duration>,
) -> Result<Duration, FetchError> {
    let failure = match &reason {
        Unavailability::HungUp(_) => FailedTry::HungUp,
        Unavailability::Refused(_)
        | Unavailability::NoConnection(_)
        | Unavailability::Damaged(_)
        | Unavailability::TimedOut
        | Unavailability::NotJson { .. }
        | Unavailability::NoToken(_) => FailedTry::Unavailable { retry_after },
    };
    let counted = meter.read();
    match patience.wait(failure, Spent { calls: counted.requests, failed: counted.retried }) {
        Ok(wait) => {
            meter.count_retried();
            Ok(wait)
        }
        Err(gave_up) => Err(FetchError::Unavailable {
            at: at.clone(),
            host: base.host().to_owned(),
            tries: patience.tries(),
            reason: Box::new(reason),
            gave_up,
        }),
    }
}
