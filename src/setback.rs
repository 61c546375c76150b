//! What an error answer, or none, means for us: again, later, or not at all.

use std::fmt;
use std::time::Duration;

use crate::quota::hint::QuotaHint;
use crate::refusal::{LONGEST_CODE, Refusal, printable};

/// Why a server gave nothing usable though it may the next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailability {
    /// The vendor says so: 5xx, 408, or its code for an internal error.
    Refused(Refusal),
    /// No connection, or no address for the host.
    NoConnection(String),
    /// The connection ended before the answer began, as one does that waited in the pool for too long.
    HungUp(String),
    /// The answer ended too early or was damaged on the way.
    Damaged(String),
    /// No answer, or no more of it, in time.
    TimedOut,
    /// HTTP 200 with something that is not the vendor's JSON, like a page of a proxy.
    NotJson {
        /// The `Content-Type` it came with.
        content_type: String,
    },
    /// IAM answered without a usable token.
    NoToken(&'static str),
}

impl Unavailability {
    /// The vendor's words, if it said anything.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::NoConnection(_)
            | Self::HungUp(_)
            | Self::Damaged(_)
            | Self::TimedOut
            | Self::NotJson { .. }
            | Self::NoToken(_) => None,
        }
    }

    /// An answer that should have been JSON; `content_type` as it came.
    #[must_use]
    pub fn not_json(content_type: &str) -> Self {
        Self::NotJson { content_type: printable(content_type, LONGEST_CODE) }
    }
}

impl fmt::Display for Unavailability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::NoConnection(detail) => write!(f, "no connection ({detail})"),
            Self::HungUp(detail) => write!(f, "connection closed before the answer ({detail})"),
            Self::Damaged(detail) => write!(f, "answer cut short or damaged ({detail})"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::NotJson { content_type } => write!(f, "the answer is not JSON ({content_type})"),
            Self::NoToken(what) => write!(f, "the answer holds no token ({what})"),
        }
    }
}

/// Why an attempt gave no answer, in terms of what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setback {
    /// A quota is used up: wait, then go on.
    Throttled {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
        /// The quota the vendor named.
        hint: Option<QuotaHint>,
        /// The vendor's words.
        refusal: Refusal,
    },
    /// The day's quota is used up: not waited for.
    DailyQuota(Refusal),
    /// Nothing usable this time: try again.
    Unavailable {
        /// What happened.
        reason: Unavailability,
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The token is not accepted: once more with a new one.
    TokenRejected(Refusal),
    /// The signature is not accepted: once more if the clock was the reason.
    SignatureRejected(Refusal),
    /// Known, but not allowed.
    Forbidden(Refusal),
    /// No such address or object.
    NotFound(Refusal),
    /// The request is wrong.
    Invalid(Refusal),
    /// The order is no refund order (vendor-contract.md §10).
    NotARefundOrder(Refusal),
    /// The server sends us elsewhere.
    Redirected {
        /// HTTP status.
        status: u16,
    },
    /// The answer or the request is too large; the text says which.
    TooLarge(String),
    /// The server could not prove who it is; the TLS library's words.
    Untrusted(String),
}

/// What the headers of a refusal say about waiting.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryAdvice {
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// `X-Apig-RateLimit-*`.
    pub hint: Option<QuotaHint>,
}

impl Setback {
    /// What a refusal means. Only errors are given here: a status other than 200, or an error code inside one.
    #[must_use]
    pub fn of(refusal: Refusal, advised: RetryAdvice) -> Self {
        match refusal.status {
            429 => Self::throttled(refusal, advised),
            408 | 500..=599 => Self::unavailable(refusal, advised),
            300..=399 => Self::Redirected { status: refusal.status },
            401 if is_about_token(&refusal) => Self::TokenRejected(refusal),
            401 => Self::SignatureRejected(refusal),
            403 => Self::by_code(refusal, advised, Self::Forbidden),
            404 => Self::NotFound(refusal),
            413 => Self::TooLarge(format!("HTTP 413 {}", refusal.code)),
            _ => Self::by_code(refusal, advised, Self::Invalid),
        }
    }

    /// What the code says where the status says little: 400, 403 and errors inside a 200 (vendor-contract.md §6).
    fn by_code(refusal: Refusal, advised: RetryAdvice, otherwise: fn(Refusal) -> Self) -> Self {
        match refusal.code.as_str() {
            "CBC.99005026" => Self::NotARefundOrder(refusal),
            "CBC.0151" | "CBC.0155" => Self::Forbidden(refusal),
            "CBC.0154" | "APIGW.0307" | "APIG.0307" => Self::TokenRejected(refusal),
            "APIGW.0301" | "APIG.0301" | "APIGW.0303" | "APIG.0303" => Self::SignatureRejected(refusal),
            "CBC.0250" | "CBC.99007197" | "APIGW.0308" | "APIG.0308" => Self::throttled(refusal, advised),
            "CBC.0999" => Self::unavailable(refusal, advised),
            _ => otherwise(refusal),
        }
    }

    fn throttled(refusal: Refusal, advised: RetryAdvice) -> Self {
        let hint = QuotaHint::in_message(&refusal.message).or(advised.hint);
        let words = refusal.message.to_ascii_lowercase();
        if hint.is_some_and(|hint| hint.is_daily()) || words.contains("daily") || words.contains("per day") {
            return Self::DailyQuota(refusal);
        }
        Self::Throttled { retry_after: advised.retry_after, hint, refusal }
    }

    fn unavailable(refusal: Refusal, advised: RetryAdvice) -> Self {
        Self::Unavailable { reason: Unavailability::Refused(refusal), retry_after: advised.retry_after }
    }
}

/// Whether a 401 is about a token rather than a signature (vendor-contract.md §2.4).
fn is_about_token(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "CBC.0154" | "APIGW.0307" | "APIG.0307")
        || refusal.message.to_ascii_lowercase().contains("token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;
    use crate::quota::hint::Policy;
    use crate::refusal::{NotJson, inside_success};
    use proptest::prelude::*;

    fn parse(status: u16, body: &str) -> Refusal {
        Refusal::parse(status, body.as_bytes(), None, &[])
    }

    fn meaning(status: u16, body: &str) -> Setback {
        Setback::of(parse(status, body), RetryAdvice::default())
    }

    #[test]
    fn an_error_inside_a_success_is_found_without_reading_the_rest() {
        let inside = |body: &str| inside_success(body.as_bytes(), Some("r"), &[]);
        for data in [
            r#"{"order_infos":[{"error_code":"inner"}],"total_count":1}"#,
            r#"{"error_code":null,"error_msg":null,"data":[]}"#,
            r#"{"error_code":"","data":[]}"#,
            r#"{"error_code":"CBC.0000","error_msg":"success","code":"x"}"#,
            "{}",
        ] {
            assert_eq!(inside(data), Ok(None), "{data}");
        }
        let found = inside(r#"{"total_count":0,"error_code":"CBC.0151","error_msg":"Access denied."}"#);
        let found = found.expect("JSON").expect("an error");
        assert_eq!(found.to_string(), r#"HTTP 200 CBC.0151 "Access denied." (request r)"#);
        assert!(matches!(Setback::of(found, RetryAdvice::default()), Setback::Forbidden(_)));
        assert!(
            inside(r#"{"error_code":17}"#).is_ok_and(|found| found.is_some_and(|found| found.code == "17"))
        );
        for no_json in ["", "<html></html>", "[]", "null", r#"{"a":1"#, r#"{"a":1}}"#, "{} {}"] {
            assert_eq!(inside(no_json), Err(NotJson), "{no_json}");
        }
    }

    #[test]
    fn the_vendors_examples_mean_what_the_contract_says() {
        let example = |status, body| meaning(status, body);
        let throttled = example(429, include_str!("../tests/fixtures/bss/error-429-gateway.json"));
        let hint = QuotaHint { quota: Quota::per_second(10), policy: Policy::User };
        assert!(
            matches!(throttled, Setback::Throttled { hint: Some(found), retry_after: None, .. } if found == hint)
        );
        let business = example(429, include_str!("../tests/fixtures/bss/error-429-business.json"));
        assert!(matches!(business, Setback::Throttled { hint: None, .. }));
        let invalid = example(400, include_str!("../tests/fixtures/bss/error-400-invalid-parameter.json"));
        assert!(matches!(invalid, Setback::Invalid(_)));
        let iam = example(401, include_str!("../tests/fixtures/bss/error-401-iam.json"));
        assert!(matches!(iam, Setback::SignatureRejected(_)));
        let signature = example(401, include_str!("../tests/fixtures/bss/error-401-signature.json"));
        assert!(matches!(signature, Setback::SignatureRejected(_)));
        let denied = example(403, include_str!("../tests/fixtures/bss/error-403-denied.json"));
        assert!(matches!(denied, Setback::Forbidden(_)));
        let broken = example(500, include_str!("../tests/fixtures/bss/error-500.json"));
        assert!(matches!(broken, Setback::Unavailable { reason: Unavailability::Refused(_), .. }));
        let no_refund = example(400, include_str!("../tests/fixtures/bss/refund-orders-not-a-refund.json"));
        assert!(matches!(no_refund, Setback::NotARefundOrder(_)));
        let inside =
            inside_success(include_bytes!("../tests/fixtures/bss/error-200-with-code.json"), None, &[]);
        let inside = Setback::of(inside.expect("JSON").expect("an error"), RetryAdvice::default());
        assert!(matches!(inside, Setback::Forbidden(_)));
    }

    #[test]
    fn codes_decide_where_the_status_says_little() {
        let of =
            |status, code: &str| meaning(status, &format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#));
        assert!(matches!(of(400, "CBC.99007197"), Setback::Throttled { .. }));
        assert!(matches!(of(200, "CBC.0250"), Setback::Throttled { .. }));
        assert!(matches!(of(200, "CBC.0999"), Setback::Unavailable { .. }));
        assert!(matches!(of(200, "CBC.0100"), Setback::Invalid(_)));
        for (status, code) in [(401, "CBC.0154"), (403, "CBC.0154"), (401, "APIGW.0307"), (200, "CBC.0154")] {
            assert!(matches!(of(status, code), Setback::TokenRejected(_)), "{status} {code}");
        }
        assert!(matches!(of(403, "CBC.0155"), Setback::Forbidden(_)));
        assert!(matches!(of(413, "APIGW.0201"), Setback::TooLarge(_)));
        assert!(matches!(of(504, "APIGW.0201"), Setback::Unavailable { .. }));
        assert!(matches!(
            meaning(401, r#"{"error_code":"APIGW.0301","error_msg":"...: decrypt token fail"}"#),
            Setback::TokenRejected(_)
        ));
    }

    #[test]
    fn these_statuses_and_no_others_are_tried_again() {
        let tried_again: Vec<u16> = (100..=599)
            .filter(|status| {
                matches!(meaning(*status, ""), Setback::Unavailable { .. } | Setback::Throttled { .. })
            })
            .collect();
        assert_eq!(tried_again, [408, 429].into_iter().chain(500..=599).collect::<Vec<u16>>());
        let redirected =
            (100..=599).filter(|status| matches!(meaning(*status, ""), Setback::Redirected { .. }));
        assert!(redirected.eq(300..=399));
    }

    #[test]
    fn a_quota_of_a_day_is_not_waited_for() {
        for message in [
            "policy user over ratelimit,limit:100,time:1 day",
            "policy api over ratelimit,limit:100,time:24 hour",
            "Daily quota exhausted",
        ] {
            let refusal = meaning(429, &format!(r#"{{"error_code":"APIG.0308","error_msg":"{message}"}}"#));
            assert!(matches!(refusal, Setback::DailyQuota(_)), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_readers(text in "\\PC*", status in 100u16..600) {
            let _ = QuotaHint::in_message(&text);
            let _ = QuotaHint::in_headers([("x-apig-ratelimit-user", text.as_str()), (text.as_str(), "")].into_iter());
            let _ = meaning(status, &text);
            let _ = inside_success(text.as_bytes(), Some(&text), &[]);
        }
    }
}
