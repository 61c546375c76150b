//! Sending one HTTP request and reading its answer, within limits of time and size.

use std::error::Error as _;
use std::io::Read;
use std::time::Duration;

use flate2::bufread::GzDecoder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::address::{AddressError, BaseUrl};
use super::error::ClientError;
use super::profile::Profile;
use crate::quota::hint::QuotaHint;
use crate::refusal::{Refusal, inside_success};
use crate::request::Method;
use crate::retry::retry_after;
use crate::setback::{RetryAdvice, Setback, Unavailability};
use crate::time::UtcSecond;

/// A server that does not take a connection in 5 s is not going to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest silence in an answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Notices connections that a gateway in between has forgotten.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Largest answer taken from the wire.
pub(super) const LARGEST_WIRE: usize = 16 * 1024 * 1024;

/// Largest answer, decompressed: a hundred times the largest page known, and well inside the memory we may use.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// No page compresses better than this; what does is a bomb.
const LARGEST_RATIO: usize = 200;

/// What is read of an error's body: texts are under 1,024 characters (vendor-contract.md §6); more is somebody's web
/// page.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// The HTTP client, set up so that credentials go nowhere but to the address given.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
}

/// One HTTP request, ready to go.
pub(super) struct Call {
    pub method: Method,
    pub url: reqwest::Url,
    pub headers: HeaderMap,
    pub body: Option<SecretString>,
}

/// One HTTP answer. Not `Debug`: an answer may carry a token.
pub(super) struct HttpReply {
    pub status: u16,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Transport {
    pub(super) fn new(profile: &Profile) -> Result<Self, ClientError> {
        let encrypted = profile.endpoint.is_encrypted()
            && profile.iam_endpoint.as_ref().is_none_or(BaseUrl::is_encrypted);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("bss-sync/", env!("CARGO_PKG_VERSION")))
            // A redirected request would take its token and signature along.
            .redirect(reqwest::redirect::Policy::none())
            // Every repetition must be paced, counted and signed again: only we repeat.
            .retry(reqwest::retry::never())
            .no_proxy()
            .https_only(encrypted)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(IDLE_TIMEOUT)
            .timeout(profile.timeout)
            .tcp_keepalive(KEEPALIVE);
        let is_plain = !profile.endpoint.is_encrypted()
            && profile.iam_endpoint.as_ref().is_none_or(|iam| !iam.is_encrypted())
            && profile.proxy.is_none();
        if is_plain {
            // Loopback only: nobody's certificate is going to be checked, so the machine's need not be read.
            builder = builder.tls_certs_only([]);
        }
        if let Some(proxy) = &profile.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|_| ClientError::Proxy {
                account: profile.account.clone(),
                source: AddressError::NotAProxy,
            })?;
            builder = builder.proxy(proxy);
        }
        let http = builder.build().map_err(|error| ClientError::Setup {
            account: profile.account.clone(),
            detail: describe(error),
        })?;
        Ok(Self { http })
    }

    /// Sends, and reads the whole answer whatever its status. Dropping the future drops the connection with it.
    pub(super) async fn send(&self, call: Call) -> Result<HttpReply, Setback> {
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        // Not signed: what is added after signing need not be (vendor-contract.md §2.1).
        let mut request =
            self.http.request(method, call.url).headers(call.headers).header(ACCEPT_ENCODING, "gzip");
        if let Some(body) = call.body {
            request = request.body(secrecy::ExposeSecret::expose_secret(&body).to_owned());
        }
        let mut response = request.send().await.map_err(not_sent)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let is_zipped = match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => false,
            Some(b"gzip" | b"x-gzip") => true,
            Some(_) => return Err(damaged("it is compressed in a way we did not ask for".to_owned())),
        };
        let body = if response.status().is_success() {
            let wire = read_all(response).await?;
            if is_zipped { unzip(&wire).map_err(Setback::from)? } else { wire }
        } else {
            let wire = read_some(response).await;
            if is_zipped { unzip_some(&wire) } else { wire }
        };
        Ok(HttpReply { status, headers, body })
    }
}

async fn read_all(mut response: reqwest::Response) -> Result<Vec<u8>, Setback> {
    let too_large = || Setback::TooLarge(format!("answer over {} MiB", LARGEST_WIRE / 1024 / 1024));
    if response.content_length().is_some_and(|length| length > LARGEST_WIRE as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(cut_short)? {
        if body.len() + chunk.len() > LARGEST_WIRE {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a compressed answer is not taken.
#[derive(Debug)]
enum BadZip {
    /// It is larger than this, in bytes.
    TooLarge(usize),
    /// It is cut off, changed on the way, or not what it says.
    Damaged(String),
}

impl From<BadZip> for Setback {
    fn from(bad: BadZip) -> Self {
        match bad {
            BadZip::TooLarge(most) => Self::TooLarge(format!("answer over {most} bytes when decompressed")),
            BadZip::Damaged(detail) => damaged(detail),
        }
    }
}

/// Decompresses a whole answer: one gzip stream with a right checksum and nothing behind it.
fn unzip(wire: &[u8]) -> Result<Vec<u8>, BadZip> {
    let most = wire.len().saturating_mul(LARGEST_RATIO).min(LARGEST_BODY);
    let mut decoder = GzDecoder::new(wire);
    let mut body = Vec::new();
    let read = decoder.by_ref().take(most as u64 + 1).read_to_end(&mut body);
    if body.len() > most {
        return Err(BadZip::TooLarge(most));
    }
    match read {
        Ok(_) if decoder.into_inner().is_empty() => Ok(body),
        Ok(_) => Err(BadZip::Damaged("something stands behind the compressed answer".to_owned())),
        Err(error) => Err(BadZip::Damaged(format!("it cannot be decompressed: {error}"))),
    }
}

/// The beginning of a compressed error text.
fn unzip_some(wire: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    // A damaged text is taken as far as it goes.
    let _ = GzDecoder::new(wire).take(LARGEST_REFUSAL as u64).read_to_end(&mut body);
    body
}

fn damaged(detail: String) -> Setback {
    Setback::Unavailable { reason: Unavailability::Damaged(detail), retry_after: None }
}

/// The beginning of an error's body; the status already says what happened, so a damaged text is taken as it is.
async fn read_some(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = LARGEST_REFUSAL - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    body
}

impl HttpReply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The server's clock, if it sent one.
    pub(super) fn date(&self) -> Option<UtcSecond> {
        self.header("date").and_then(UtcSecond::parse_http_date)
    }

    /// The quota that its headers name.
    pub(super) fn told(&self) -> Option<QuotaHint> {
        let texts =
            self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        QuotaHint::in_headers(texts)
    }

    /// What this answer means when it is not the wanted success. `now` is our clock.
    pub(super) fn refused(&self, wanted: u16, now: UtcSecond, secrets: &[SecretString]) -> Option<Setback> {
        let request_id = self.header("x-request-id");
        let refusal = if self.status == wanted {
            let content_type = self.header("content-type").unwrap_or("no content type");
            let not_json =
                || Setback::Unavailable { reason: Unavailability::not_json(content_type), retry_after: None };
            if content_type.trim_start().to_ascii_lowercase().starts_with("text/html") {
                return Some(not_json());
            }
            match inside_success(&self.body, request_id, secrets) {
                Ok(refusal) => refusal?,
                Err(_) => return Some(not_json()),
            }
        } else {
            Refusal::parse(self.status, &self.body, request_id, secrets)
        };
        let advised = RetryAdvice {
            retry_after: self
                .header("retry-after")
                .and_then(|text| retry_after(text, self.date().unwrap_or(now))),
            hint: self.told(),
        };
        Some(Setback::of(refusal, advised))
    }
}

/// Why a request got no answer.
fn not_sent(error: reqwest::Error) -> Setback {
    let reason = if error.is_timeout() {
        Unavailability::TimedOut
    } else if error.is_connect() {
        let detail = describe(error);
        if is_about_trust(&detail) {
            return Setback::Untrusted(detail);
        }
        Unavailability::NoConnection(detail)
    } else {
        Unavailability::HungUp(describe(error))
    };
    Setback::Unavailable { reason, retry_after: None }
}

/// Why the body of an answer did not arrive whole.
fn cut_short(error: reqwest::Error) -> Setback {
    let reason =
        if error.is_timeout() { Unavailability::TimedOut } else { Unavailability::Damaged(describe(error)) };
    Setback::Unavailable { reason, retry_after: None }
}

/// Whether a failed connection failed for its TLS rather than on the way there. The TLS library's error type is hidden
/// behind the HTTP client's, so its texts must do (rustls 0.23, `Error`'s `Display`).
fn is_about_trust(detail: &str) -> bool {
    [
        "invalid peer certificate",
        "peer is incompatible",
        "peer misbehaved",
        "received fatal alert",
        "received corrupt message",
    ]
    .iter()
    .any(|text| detail.contains(text))
}

/// An error and its causes in one line, without the address, which may hold ids.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Wrappers often repeat what they wrap.
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// Adds a header whose value was checked before, or comes from us.
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) -> Option<()> {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
    Some(())
}

/// As [`set`], for values that must never be shown.
pub(super) fn set_secret(headers: &mut HeaderMap, name: &'static str, value: &str) -> Option<()> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    headers.insert(HeaderName::from_static(name), value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, text).expect("written");
        encoder.finish().expect("finished")
    }

    #[test]
    fn a_compressed_answer_is_taken_whole_or_not_at_all() {
        let page = br#"{"total_count":1,"data":[{"id":"a"}]}"#;
        let zipped = zip(page);
        assert_eq!(unzip(&zipped).ok().as_deref(), Some(page.as_slice()));
        let is_damaged = |wire: &[u8]| matches!(unzip(wire), Err(BadZip::Damaged(_)));
        for cut in 0..zipped.len() {
            assert!(is_damaged(&zipped[..cut]), "cut at {cut}");
        }
        assert!(is_damaged(&[zipped.as_slice(), b"more"].concat()));
        assert!(is_damaged(&[zipped.as_slice(), zipped.as_slice()].concat()));
        let mut wrong_sum = zipped.clone();
        let at = wrong_sum.len() - 5;
        wrong_sum[at] ^= 1;
        assert!(is_damaged(&wrong_sum));
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zip(&vec![b' '; 8 * 1024 * 1024]);
        assert!(bomb.len() * LARGEST_RATIO < 8 * 1024 * 1024, "it is one");
        assert!(matches!(unzip(&bomb), Err(BadZip::TooLarge(_))));
    }

    #[test]
    fn bad_certificates_are_told_from_bad_networks() {
        assert!(is_about_trust(
            "error sending request: client error (Connect): invalid peer certificate: Expired"
        ));
        assert!(is_about_trust("received fatal alert: ProtocolVersion"));
        assert!(!is_about_trust("client error (Connect): dns error: failed to lookup address information"));
        assert!(!is_about_trust("tcp connect error: Connection refused (os error 111)"));
    }
}
