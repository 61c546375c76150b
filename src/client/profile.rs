//! Which account to ask, where, with which credentials and how fast: what the client is built from.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::rate::QuotaOverrides;

/// Host suffixes a key may be sent to. The vendor's hosts of `CONTRACT` §1 all end in one of them.
const ALLOWED_SUFFIXES: [&str; 2] = [".myhuaweicloud.com", ".myhuaweicloud.eu"];

/// How long one call may take in all unless configured: far above what a page of 100 rows takes, far below a job's
/// deadline.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// One account to read, and everything needed to ask for it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Name of the account in configuration, messages and logs.
    pub account: String,
    /// Where the billing interfaces are.
    pub endpoint: BaseUrl,
    /// Where tokens come from. Only needed for [`Auth::Token`].
    pub iam_endpoint: Option<BaseUrl>,
    /// Credentials.
    pub auth: Auth,
    /// The vendor's id of the account, sent (and signed) as `X-Domain-Id` when known (`CONTRACT` §2.1).
    pub domain_id: Option<String>,
    /// Quotas that take the place of the published ones.
    pub quotas: QuotaOverrides,
    /// Longest time for one call from connecting to the last byte; [`DEFAULT_TIMEOUT`] unless configured.
    pub timeout: Duration,
    /// Proxy to go through. Proxy variables of the environment are never followed.
    pub proxy: Option<Proxy>,
}

/// How the client proves who it is (`CONTRACT` §2).
#[derive(Clone)]
pub enum Auth {
    /// Every request is signed with a key pair (§2.1).
    AkSk {
        /// Public half, but still not for logs.
        access_key: SecretString,
        /// The signing key.
        secret_key: SecretString,
        /// Comes with temporary keys only (§2.3).
        security_token: Option<SecretString>,
    },
    /// Requests carry a token that IAM gives for a password (§2.2).
    Token {
        /// Name of the IAM user.
        user: String,
        /// Password of the IAM user.
        password: SecretString,
        /// Name of the account the user belongs to.
        domain: String,
    },
    /// The command asks nothing of the vendor, so no secret was read; no client can be built.
    Unread,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AkSk { security_token, .. } => {
                let kind = if security_token.is_some() { "temporary" } else { "permanent" };
                f.debug_struct("AkSk").field("kind", &kind).finish_non_exhaustive()
            }
            Self::Token { user, domain, .. } => {
                f.debug_struct("Token").field("user", user).field("domain", domain).finish_non_exhaustive()
            }
            Self::Unread => f.write_str("Unread"),
        }
    }
}

/// One of the vendor's sites (`CONTRACT` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Mainland China; amounts in CNY.
    China,
    /// International; amounts in USD.
    International,
    /// Europe.
    Europe,
}

impl Site {
    /// Where the site's billing interfaces are (`CONTRACT` §1).
    #[must_use]
    pub fn endpoint(self) -> BaseUrl {
        BaseUrl::of_vendor(match self {
            Self::China => "bss.myhuaweicloud.com",
            Self::International => "bss-intl.myhuaweicloud.com",
            Self::Europe => "bss.myhuaweicloud.eu",
        })
    }

    /// Where the site's tokens come from; `None` for Europe, whose IAM host no source names (`CONTRACT` §1).
    #[must_use]
    pub fn iam(self) -> Option<BaseUrl> {
        match self {
            Self::China => Some(BaseUrl::of_vendor("iam.myhuaweicloud.com")),
            Self::International => Some(BaseUrl::of_vendor("iam.ap-southeast-1.myhuaweicloud.com")),
            Self::Europe => None,
        }
    }
}

/// Scheme, host and port of a server that credentials may be sent to: https at the vendor's domains, or anything on
/// this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// `scheme://host[:port]`, no slash at the end.
    origin: String,
    /// Length of `scheme://` in `origin`.
    scheme_len: usize,
}

/// Why a text is no address the client may use. Fits "endpoint: {}".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("not a URL; write it like https://bss.myhuaweicloud.com")]
    Malformed,
    /// User, path, query or fragment present.
    #[error("only scheme, host and port are allowed, without user, path or query")]
    TooMuch,
    /// Unencrypted and not on this machine.
    #[error("http is allowed for this machine only (127.0.0.1, [::1], localhost); use https")]
    Unencrypted,
    /// Neither one of the vendor's hosts nor this machine.
    #[error("credentials are sent to hosts under .myhuaweicloud.com or .myhuaweicloud.eu only")]
    ForeignHost,
    /// A proxy must be http or https.
    #[error("a proxy is written like http://proxy.example:3128")]
    NotAProxy,
}

impl BaseUrl {
    /// Reads `https://host[:port]`, or `http://…` for this machine.
    ///
    /// # Errors
    /// When it is no URL, carries more than scheme, host and port, or leads to a host that must not see credentials.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = reqwest::Url::parse(text.trim()).map_err(|_| AddressError::Malformed)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(AddressError::Malformed)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare {
            return Err(AddressError::TooMuch);
        }
        let local = is_this_machine(host);
        match url.scheme() {
            "http" if local => {}
            "http" => return Err(AddressError::Unencrypted),
            "https" if local || ALLOWED_SUFFIXES.iter().any(|suffix| host.ends_with(suffix)) => {}
            "https" => return Err(AddressError::ForeignHost),
            _ => return Err(AddressError::Malformed),
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let scheme_len = url.scheme().len() + "://".len();
        Ok(Self { origin: format!("{}://{host}{port}", url.scheme()), scheme_len })
    }

    fn of_vendor(host: &str) -> Self {
        Self { origin: format!("https://{host}"), scheme_len: "https://".len() }
    }

    /// `scheme://host[:port]`, no slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Host, with the port when it is not the scheme's own: what goes into the `Host` header and is signed.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.origin[self.scheme_len..]
    }

    /// Whether traffic is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// Whether a host, as a URL writes it, is this machine.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A proxy to go through; its address may hold a password, so it is never shown.
#[derive(Clone)]
pub struct Proxy(SecretString);

impl Proxy {
    /// Reads `http://[user:password@]host[:port]` or the same with https.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = reqwest::Url::parse(text.trim()).map_err(|_| AddressError::NotAProxy)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(AddressError::NotAProxy);
        }
        Ok(Self(SecretString::from(url.as_str())))
    }

    /// The whole address, password included.
    pub(super) fn expose(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(&self.0)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_the_vendor_or_to_this_machine_only() {
        for (text, host) in [
            ("https://bss.myhuaweicloud.com", "bss.myhuaweicloud.com"),
            ("https://BSS-intl.MyHuaweiCloud.com/", "bss-intl.myhuaweicloud.com"),
            ("https://bss.myhuaweicloud.eu:443", "bss.myhuaweicloud.eu"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://127.9.9.9", "127.9.9.9"),
            ("http://[::1]:1", "[::1]:1"),
            ("http://localhost:99", "localhost:99"),
            ("https://localhost:99", "localhost:99"),
        ] {
            assert_eq!(BaseUrl::parse(text).map(|url| url.host().to_owned()), Ok(host.to_owned()), "{text}");
        }
        for (text, wrong) in [
            ("", AddressError::Malformed),
            ("bss.myhuaweicloud.com", AddressError::Malformed),
            ("ftp://bss.myhuaweicloud.com", AddressError::Malformed),
            ("http://bss.myhuaweicloud.com", AddressError::Unencrypted),
            ("http://127.0.0.1.example.com", AddressError::Unencrypted),
            ("http://localhost.example.com", AddressError::Unencrypted),
            ("https://myhuaweicloud.com", AddressError::ForeignHost),
            ("https://bss.myhuaweicloud.com.", AddressError::ForeignHost),
            ("https://bss.myhuaweicloud.com.example.com", AddressError::ForeignHost),
            ("https://evilmyhuaweicloud.com", AddressError::ForeignHost),
            ("https://bss.myhuaweicloud.com@example.com", AddressError::TooMuch),
            ("https://bss.myhuaweicloud.com/v2", AddressError::TooMuch),
            ("https://bss.myhuaweicloud.com/?a=b", AddressError::TooMuch),
            ("https://bss.myhuaweicloud.com/#a", AddressError::TooMuch),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn the_sites_are_addresses_of_the_vendor() {
        for site in [Site::China, Site::International, Site::Europe] {
            assert_eq!(BaseUrl::parse(site.endpoint().as_str()), Ok(site.endpoint()));
            if let Some(iam) = site.iam() {
                assert_eq!(BaseUrl::parse(iam.as_str()), Ok(iam));
            }
        }
    }

    #[test]
    fn a_profile_shows_no_secret() {
        let secret = |name: &str| SecretString::from(format!("canary-{name}"));
        let mut profile = Profile {
            account: "acme".to_owned(),
            endpoint: Site::China.endpoint(),
            iam_endpoint: Site::China.iam(),
            auth: Auth::AkSk {
                access_key: secret("ak"),
                secret_key: secret("sk"),
                security_token: Some(secret("token")),
            },
            domain_id: None,
            quotas: QuotaOverrides::default(),
            timeout: DEFAULT_TIMEOUT,
            proxy: Proxy::parse("http://user:canary-proxy@proxy.example:3128").ok(),
        };
        assert!(profile.proxy.is_some());
        assert!(!format!("{profile:?}").contains("canary"), "{profile:?}");
        profile.auth =
            Auth::Token { user: "u".to_owned(), password: secret("password"), domain: "d".to_owned() };
        assert!(!format!("{profile:?}").contains("canary"), "{profile:?}");
    }
}
