//! What the vendor says when it does not answer: reading its error texts, and what each of them means for us.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

mod hint;

pub use hint::{Policy, QuotaHint};

/// Most characters kept of a vendor's message.
const LONGEST_MESSAGE: usize = 300;

/// Most characters kept of a vendor's code or request id; the documents say 20 and show 32.
const LONGEST_CODE: usize = 64;

/// Code that says "no error" (`CONTRACT` §6).
const SUCCESS: &str = "CBC.0000";

/// The pairs of names under which code and message come, in the order in which the vendor's SDK tries them
/// (`CONTRACT` §6).
const SHAPES: [[&str; 2]; 3] = [["error_code", "error_msg"], ["errorCode", "errorMsg"], ["code", "message"]];

/// A refusal in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status it came with; 200 for an error inside a success.
    pub status: u16,
    /// The vendor's code, like `CBC.0151`; the status as text when the body has none.
    pub code: String,
    /// The vendor's message: at most 300 characters, control characters escaped. Untrusted.
    pub message: String,
    /// The vendor's id of the request, for its support.
    pub request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} {}", self.status, self.code)?;
        if !self.message.is_empty() {
            write!(f, " \"{}\"", self.message)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl Refusal {
    /// Reads the body of an answer that is an error by its status. `request_id` is the answer's `X-Request-Id`; texts of
    /// `secrets` are hidden wherever the server echoes them.
    #[must_use]
    pub fn parse(status: u16, body: &[u8], request_id: Option<&str>, secrets: &[SecretString]) -> Self {
        let value: Option<Value> = serde_json::from_slice(body).ok();
        let found = value
            .as_ref()
            .and_then(|value| SHAPES.iter().find_map(|[code, message]| find_pair(value, code, message)));
        let (code, message) =
            found.unwrap_or_else(|| (status.to_string(), String::from_utf8_lossy(body).into_owned()));
        let in_body = || value.as_ref().and_then(|value| value.get("request_id")).and_then(Value::as_str);
        Self::new(status, &code, &message, request_id.or_else(in_body), secrets)
    }

    fn new(
        status: u16,
        code: &str,
        message: &str,
        request_id: Option<&str>,
        secrets: &[SecretString],
    ) -> Self {
        let clean = |text: &str, longest| printable(&hide(text.trim(), secrets), longest);
        Self {
            status,
            code: clean(code, LONGEST_CODE),
            message: clean(message, LONGEST_MESSAGE),
            request_id: request_id.filter(|id| !id.is_empty()).map(|id| clean(id, LONGEST_CODE)),
        }
    }
}

/// A text without the secrets in it. Before it is cut, so that no part of one stays.
fn hide(text: &str, secrets: &[SecretString]) -> String {
    /// Shorter ones would tear ordinary words apart, and are none.
    const SHORTEST: usize = 4;
    let mut hidden = text.to_owned();
    for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST) {
        hidden = hidden.replace(secret, "[hidden]");
    }
    hidden
}

/// The first object of a JSON text, outer ones first, that has a code under the given name.
fn find_pair(value: &Value, code: &str, message: &str) -> Option<(String, String)> {
    match value {
        Value::Object(fields) => {
            let here = fields.get(code).and_then(scalar).filter(|code| !code.is_empty()).map(|found| {
                // The SDK's own rendering of a refusal has a third name for the message (`CONTRACT` §5).
                let words = fields.get(message).or_else(|| fields.get("error_message"));
                (found, words.and_then(scalar).unwrap_or_default())
            });
            here.or_else(|| fields.values().find_map(|inner| find_pair(inner, code, message)))
        }
        Value::Array(items) => items.iter().find_map(|inner| find_pair(inner, code, message)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// At most `longest` characters of a text, with whatever could forge or hide log text escaped.
fn printable(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == longest {
            out.push('…');
            break;
        }
        // Besides control characters: line separators, and marks that reorder or hide what is shown.
        let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || hides {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The top-level error fields of a successful answer; every other field is skipped without being built.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, alias = "errorCode")]
    error_code: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow, default, alias = "errorMsg")]
    error_msg: Option<&'a serde_json::value::RawValue>,
}

/// Looks at the body of an HTTP 200: `Ok(None)` for data, `Ok(Some)` for an error inside the success (`CONTRACT` §6).
///
/// # Errors
/// When the body is not one JSON object.
pub fn inside_success(
    body: &[u8],
    request_id: Option<&str>,
    secrets: &[SecretString],
) -> Result<Option<Refusal>, NotJson> {
    // An empty list would do for the reader as well.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(NotJson);
    }
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| NotJson)?;
    let text = |raw: Option<&serde_json::value::RawValue>| {
        raw.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok()).as_ref().and_then(scalar)
    };
    let code = text(envelope.error_code).filter(|code| !code.is_empty() && code != SUCCESS);
    Ok(code.map(|code| {
        Refusal::new(200, &code, &text(envelope.error_msg).unwrap_or_default(), request_id, secrets)
    }))
}

/// A body that is not one JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON object")]
pub struct NotJson;

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
    /// The order is no refund order (`CONTRACT` §10).
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
pub struct Advised {
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// `X-Apig-RateLimit-*`.
    pub hint: Option<QuotaHint>,
}

impl Setback {
    /// What a refusal means. Only errors are given here: a status other than 200, or an error code inside one.
    #[must_use]
    pub fn of(refusal: Refusal, advised: Advised) -> Self {
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

    /// What the code says where the status says little: 400, 403 and errors inside a 200 (`CONTRACT` §6).
    fn by_code(refusal: Refusal, advised: Advised, otherwise: fn(Refusal) -> Self) -> Self {
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

    fn throttled(refusal: Refusal, advised: Advised) -> Self {
        let hint = QuotaHint::in_message(&refusal.message).or(advised.hint);
        let words = refusal.message.to_ascii_lowercase();
        if hint.is_some_and(|hint| hint.is_daily()) || words.contains("daily") || words.contains("per day") {
            return Self::DailyQuota(refusal);
        }
        Self::Throttled { retry_after: advised.retry_after, hint, refusal }
    }

    fn unavailable(refusal: Refusal, advised: Advised) -> Self {
        Self::Unavailable { reason: Unavailability::Refused(refusal), retry_after: advised.retry_after }
    }
}

/// Whether a 401 is about a token rather than a signature (`CONTRACT` §2.4).
fn is_about_token(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "CBC.0154" | "APIGW.0307" | "APIG.0307")
        || refusal.message.to_ascii_lowercase().contains("token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Quota;
    use proptest::prelude::*;

    fn parse(status: u16, body: &str) -> Refusal {
        Refusal::parse(status, body.as_bytes(), None, &[])
    }

    fn meaning(status: u16, body: &str) -> Setback {
        Setback::of(parse(status, body), Advised::default())
    }

    #[test]
    fn every_shape_of_the_vendors_errors_is_read() {
        for (body, code, message, id) in [
            (r#"{"error_code":"CBC.1","error_msg":"m","request_id":"r"}"#, "CBC.1", "m", Some("r")),
            (r#"{"errorCode":"CBC.2","errorMsg":"m"}"#, "CBC.2", "m", None),
            (r#"{"code":"CBC.3","message":"m"}"#, "CBC.3", "m", None),
            (r#"{"error":{"code":401,"message":"m","title":"t"}}"#, "401", "m", None),
            (
                r#"{"a":[{"b":{"error_code":"CBC.4","error_msg":"m"}}],"code":"x","message":"y"}"#,
                "CBC.4",
                "m",
                None,
            ),
            (
                r#"{"status_code":429,"error_code":"CBC.5","error_message":"m","request_id":"r"}"#,
                "CBC.5",
                "m",
                Some("r"),
            ),
            (r#"{"error_code":"CBC.6"}"#, "CBC.6", "", None),
            (r#"{"error_code":"","code":7,"message":null}"#, "7", "", None),
            ("", "503", "", None),
            ("  <html>\nbusy</html> ", "503", "<html>\\nbusy</html>", None),
            ("[]", "503", "[]", None),
        ] {
            let read = parse(503, body);
            assert_eq!((read.code.as_str(), read.message.as_str()), (code, message), "{body}");
            assert_eq!(read.request_id.as_deref(), id, "{body}");
        }
        let by_header =
            Refusal::parse(400, br#"{"error_code":"a","request_id":"body"}"#, Some("header"), &[]);
        assert_eq!(by_header.to_string(), "HTTP 400 a (request header)");
    }

    #[test]
    fn messages_are_short_printable_and_without_our_secrets() {
        let long = parse(500, &format!(r#"{{"code":"c","message":"{}"}}"#, "数".repeat(1000)));
        assert_eq!(long.message.chars().count(), LONGEST_MESSAGE + 1);
        let forged = parse(500, "{\"code\":\"c\",\"message\":\"a\\nb\\u001b[2Jc\\u202ed\"}");
        assert_eq!(forged.message, "a\\nb\\u{1b}[2Jc\\u{202e}d");
        let secrets = ["canary-key", "canary-secret"].map(SecretString::from);
        // The second secret lies across the place where the message is cut.
        let body = format!(r#"{{"code":"canary-key","message":"{}canary-secret"}}"#, "x".repeat(295));
        let echoed = Refusal::parse(401, body.as_bytes(), Some("canary-secret"), &secrets);
        assert!(!format!("{echoed:?}").contains("cana"), "{echoed:?}");
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
        assert!(matches!(Setback::of(found, Advised::default()), Setback::Forbidden(_)));
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
        let inside = Setback::of(inside.expect("JSON").expect("an error"), Advised::default());
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
