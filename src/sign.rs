//! Signing a request with a key pair: the vendor's SDK-HMAC-SHA256 (vendor-contract.md §2.1).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::time::UtcSecond;

/// Name of the scheme, in the header and in the text that is signed.
const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A key pair. Not `Debug`, so that it cannot be shown.
#[derive(Clone)]
pub struct KeyPair {
    /// Names the key.
    pub access_key: SecretString,
    /// Signs.
    pub secret_key: SecretString,
    /// Goes with temporary keys, sent and signed (vendor-contract.md §2.3).
    pub security_token: Option<SecretString>,
}

/// A request before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Host as in the `Host` header, with the port when it is not the scheme's own.
    pub host: &'a str,
    /// Path as on the wire: starts with a slash, percent-encoded.
    pub path: &'a str,
    /// Parameters in any order, not encoded.
    pub query: &'a [(&'a str, &'a str)],
    /// Further headers; `Host`, `X-Sdk-Date` and `X-Security-Token` are added here.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body, empty for none. Must be JSON: other kinds are signed otherwise by the vendor's SDK.
    pub body: &'a [u8],
}

/// What signing makes of a request. Not `Debug`: it holds a signature and perhaps a security token.
pub struct Signed {
    /// Path and query for the request line: the canonical query, so that signer and wire agree.
    pub target: String,
    /// The `X-Sdk-Date` header.
    pub date: String,
    /// The `Authorization` header.
    pub authorization: SecretString,
}

/// Signs a request as of `at` (this machine's clock, corrected; the vendor accepts 15 minutes off).
///
/// What is sent must be exactly: the given headers, `Host`, `X-Sdk-Date` = [`Signed::date`], `X-Security-Token` when the
/// keys have one, and `Authorization`; more headers may be added.
#[must_use]
pub fn sign(request: &Unsigned<'_>, keys: &KeyPair, at: UtcSecond) -> Signed {
    let canonical = Canonical::of(request, keys, at);
    let to_sign = canonical.string_to_sign();
    let signature = hex::encode(hmac_sha256(keys.secret_key.expose_secret(), &to_sign));
    let access_key = keys.access_key.expose_secret();
    let names = &canonical.signed_names;
    Signed {
        target: target(request.path, &canonical.query),
        authorization: SecretString::from(format!(
            "{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}"
        )),
        date: canonical.date,
    }
}

/// Path and query for the request line of a request that is not signed.
#[must_use]
pub fn unsigned_target(path: &str, query: &[(&str, &str)]) -> String {
    target(path, &canonical_query(query))
}

fn target(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The forms of a request that go into its signature.
struct Canonical {
    date: String,
    query: String,
    signed_names: String,
    text: String,
}

impl Canonical {
    fn of(request: &Unsigned<'_>, keys: &KeyPair, at: UtcSecond) -> Self {
        let date = at.to_datetime().format("%Y%m%dT%H%M%SZ").to_string();
        let mut headers: Vec<(String, &str)> = request
            .headers
            .iter()
            .copied()
            .chain([("host", request.host), ("x-sdk-date", date.as_str())])
            .chain(keys.security_token.iter().map(|token| ("x-security-token", token.expose_secret())))
            // The vendor's gateway drops names with an underscore before it checks.
            .filter(|(name, _)| !name.contains('_'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        headers.sort_unstable();
        let signed_names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String =
            headers.iter().flat_map(|(name, value)| [name.as_str(), ":", value, "\n"]).collect();
        let query = canonical_query(request.query);
        let text = format!(
            "{}\n{}\n{query}\n{lines}\n{signed_names}\n{}",
            request.method,
            canonical_path(request.path),
            hex::encode(Sha256::digest(request.body)),
        );
        Self { date, query, signed_names, text }
    }

    fn string_to_sign(&self) -> String {
        format!("{ALGORITHM}\n{}\n{}", self.date, hex::encode(Sha256::digest(&self.text)))
    }
}

fn hmac_sha256(key: &str, text: &str) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Decoded, then split at slashes (an escaped one counts, as in the vendor's SDK) and encoded segment by segment, with
/// a slash at the end that the wire does not have.
fn canonical_path(path: &str) -> String {
    let mut canonical =
        decode(path).split(|byte| *byte == b'/').map(encode_bytes).collect::<Vec<_>>().join("/");
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// Sorted by name, then value, before encoding.
fn canonical_query(query: &[(&str, &str)]) -> String {
    let mut sorted = query.to_vec();
    sorted.sort_unstable();
    sorted
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// Percent-encodes everything but letters, digits and `-_.~`, in upper-case hex of its UTF-8.
#[must_use]
pub fn encode(text: &str) -> String {
    encode_bytes(text.as_bytes())
}

fn encode_bytes(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Percent-decodes; what is no valid escape stays as it is.
fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let mut byte = [0u8];
        if first == b'%' && tail.get(..2).is_some_and(|hex| hex::decode_to_slice(hex, &mut byte).is_ok()) {
            decoded.push(byte[0]);
            rest = &tail[2..];
        } else {
            decoded.push(first);
            rest = tail;
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Worked by the vendor's own SDK.
    const VECTORS: &str = include_str!("../tests/fixtures/bss/signing-vectors.json");

    fn text(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn pairs(input: &Value) -> Vec<(String, String)> {
        let given = input["query"].as_array().expect("a list of pairs");
        given
            .iter()
            .flat_map(|pair| {
                let values = pair[1].as_array().cloned().unwrap_or_else(|| vec![pair[1].clone()]);
                values.into_iter().map(|value| (text(&pair[0]), text(&value))).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn every_vector_of_the_vendors_sdk_is_reproduced() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors");
        let vectors = vectors["vectors"].as_array().expect("vectors");
        assert_eq!(vectors.len(), 12);
        for vector in vectors {
            let (name, input, expected) = (&vector["name"], &vector["input"], &vector["expected"]);
            let secret = |field: &str| input[field].as_str().map(SecretString::from);
            let keys = KeyPair {
                access_key: secret("access_key").expect("access key"),
                secret_key: secret("secret_key").expect("secret key"),
                security_token: secret("security_token"),
            };
            let mut headers: Vec<(String, String)> = input["headers"]
                .as_object()
                .expect("headers")
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect();
            let date = headers.iter().position(|(name, _)| name == "X-Sdk-Date").expect("a date");
            let (_, date) = headers.remove(date);
            let at = chrono::NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ").expect("a date");
            for (field, header) in [("domain_id", "X-Domain-Id"), ("project_id", "X-Project-Id")] {
                headers.extend(input[field].as_str().map(|id| (header.to_owned(), id.to_owned())));
            }
            let query = pairs(input);
            let refs = |pairs: &[(String, String)]| -> Vec<(String, String)> { pairs.to_vec() };
            let (query, headers) = (refs(&query), refs(&headers));
            let query: Vec<(&str, &str)> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let request = Unsigned {
                method: input["method"].as_str().expect("method"),
                host: input["host"].as_str().expect("host"),
                path: input["path"].as_str().expect("path"),
                query: &query,
                headers: &headers,
                body: input["body"].as_str().unwrap_or_default().as_bytes(),
            };
            let at = UtcSecond::from_unix(at.and_utc().timestamp());
            let canonical = Canonical::of(&request, &keys, at);
            assert_eq!(expected["canonical_request"], canonical.text, "{name}");
            assert_eq!(expected["string_to_sign"], canonical.string_to_sign(), "{name}");
            let signed = sign(&request, &keys, at);
            assert_eq!(expected["request_target"], signed.target, "{name}");
            assert_eq!(expected["authorization"], signed.authorization.expose_secret(), "{name}");
            assert_eq!(date, signed.date, "{name}");
        }
    }

    #[test]
    fn broken_escapes_in_a_path_stay_as_they_are() {
        assert_eq!(canonical_path("/a%2/%zz/%"), "/a%252/%25zz/%25/");
        assert_eq!(canonical_path("/"), "/");
    }

    #[test]
    fn a_path_is_decoded_before_it_is_split() {
        assert_eq!(canonical_path("/a%2Fb"), "/a/b/");
        assert_eq!(canonical_path("/a%2fb%2F"), "/a/b/");
        assert_eq!(canonical_path("/a%252Fb"), "/a%252Fb/");
        assert_eq!(canonical_path("/CS%20A%2bB~%E4%BA%91"), "/CS%20A%2BB~%E4%BA%91/");
    }
}
