//! What the vendor says when it does not answer: reading its error texts.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

/// Most characters kept of a vendor's message.
const LONGEST_MESSAGE: usize = 300;

/// Most characters kept of a vendor's code or request id; the documents say 20 and show 32.
pub(crate) const LONGEST_CODE: usize = 64;

/// Code that says "no error" (vendor-contract.md §6).
const SUCCESS: &str = "CBC.0000";

/// The pairs of names under which code and message come, in the order in which the vendor's SDK tries them
/// (vendor-contract.md §6).
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
                // The SDK's own rendering of a refusal has a third name for the message (vendor-contract.md §5).
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
pub(crate) fn printable(text: &str, longest: usize) -> String {
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

/// Looks at the body of an HTTP 200: `Ok(None)` for data, `Ok(Some)` for an error inside the success
/// (vendor-contract.md §6).
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(status: u16, body: &str) -> Refusal {
        Refusal::parse(status, body.as_bytes(), None, &[])
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
}
