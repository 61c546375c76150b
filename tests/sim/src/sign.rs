//! Checks SDK-HMAC-SHA256 signatures against what arrived on the wire, and nothing else.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::clock;

/// Why a signature was refused; the text follows the vendor's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Signature,
    UnknownKey,
    Expired,
}

impl Refusal {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Signature => "Incorrect IAM authentication information: verify aksk signature fail",
            Self::UnknownKey => "Incorrect IAM authentication information: Get secretKey failed",
            Self::Expired => {
                "Incorrect IAM authentication information: calc ak sk signature fail:signature expired"
            }
        }
    }
}

/// One request as it arrived: the target undecoded, header names in any case.
pub struct Received<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

impl Received<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The parts of an `Authorization` header.
pub struct Claim<'a> {
    pub access: &'a str,
    pub signed: Vec<&'a str>,
    pub signature: &'a str,
}

impl<'a> Claim<'a> {
    /// Reads `SDK-HMAC-SHA256 Access=…, SignedHeaders=a;b, Signature=…`.
    pub fn parse(header: &'a str) -> Option<Self> {
        let mut parts = header.strip_prefix("SDK-HMAC-SHA256 ")?.split(", ");
        let access = parts.next()?.strip_prefix("Access=")?;
        let signed = parts.next()?.strip_prefix("SignedHeaders=")?.split(';').collect();
        let signature = parts.next()?.strip_prefix("Signature=")?;
        parts.next().is_none().then_some(Self { access, signed, signature })
    }
}

/// Checks the request's signature with `secret` and its date against `now`; `skew` in seconds.
pub fn verify(request: &Received<'_>, secret: &str, now: i64, skew: i64) -> Result<(), Refusal> {
    let claim = request.header("authorization").and_then(Claim::parse).ok_or(Refusal::Signature)?;
    let date = request.header("x-sdk-date").ok_or(Refusal::Signature)?;
    let sent = clock::parse_compact(date).ok_or(Refusal::Signature)?;
    if (now - sent).abs() > skew {
        return Err(Refusal::Expired);
    }
    // What is not signed could be changed on the way: the parts that say who, where and when must be.
    let tokens = request.header("x-security-token").map(|_| "x-security-token");
    let needed = ["host", "x-sdk-date"].into_iter().chain(tokens);
    let sorted = claim.signed.is_sorted();
    if !sorted || !needed.into_iter().all(|name| claim.signed.contains(&name)) {
        return Err(Refusal::Signature);
    }
    let hash = payload_hash(request).ok_or(Refusal::Signature)?;
    let canonical = canonical_request(request, &claim.signed, &hash).ok_or(Refusal::Signature)?;
    let expected = signature(secret, &string_to_sign(date, &canonical));
    if expected == claim.signature { Ok(()) } else { Err(Refusal::Signature) }
}

/// The hash that goes into the canonical request; nothing when the header that replaces it lies.
pub fn payload_hash(request: &Received<'_>) -> Option<String> {
    let real = sha256(request.body);
    match request.header("x-sdk-content-sha256") {
        Some(told) if !request.body.is_empty() => {
            (told == "UNSIGNED-PAYLOAD" || told == real).then(|| told.to_owned())
        }
        _ => Some(real),
    }
}

/// The canonical request; nothing when a header that is said to be signed did not arrive.
pub fn canonical_request(request: &Received<'_>, signed: &[&str], payload: &str) -> Option<String> {
    let mut headers = String::new();
    for name in signed {
        headers.push_str(name);
        headers.push(':');
        headers.push_str(request.header(name)?.trim());
        headers.push('\n');
    }
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload}",
        request.method.to_uppercase(),
        canonical_uri(request.path),
        canonical_query(request.query),
        signed.join(";"),
    ))
}

pub fn string_to_sign(date: &str, canonical: &str) -> String {
    format!("SDK-HMAC-SHA256\n{date}\n{}", sha256(canonical.as_bytes()))
}

pub fn signature(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn canonical_uri(path: &str) -> String {
    let decoded = decode(path, Plus::Literal);
    let mut uri = decoded.split(|byte| *byte == b'/').map(encode).collect::<Vec<_>>().join("/");
    if !uri.ends_with('/') {
        uri.push('/');
    }
    uri
}

fn canonical_query(query: &str) -> String {
    let mut pairs = pairs(query);
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let value = value.as_deref().unwrap_or_default();
            format!("{}={}", encode(name.as_bytes()), encode(value.as_bytes()))
        })
        .collect();
    pairs.join("&")
}

/// The parameters of a query string, decoded; a parameter without `=` has no value.
pub fn pairs(query: &str) -> Vec<(String, Option<String>)> {
    let text = |part: &str| String::from_utf8_lossy(&decode(part, Plus::Space)).into_owned();
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (text(name), Some(text(value))),
            None => (text(part), None),
        })
        .collect()
}

/// What `+` stands for; the two halves of a URL disagree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plus {
    Literal,
    Space,
}

pub fn decode(text: &str, plus: Plus) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (bytes[at], hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus == Plus::Space => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    out
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
