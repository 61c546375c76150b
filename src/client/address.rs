//! Where requests go: the vendor's hosts, this machine, a proxy. Credentials are sent nowhere else.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// The hosts of the billing interfaces (vendor-contract.md §1). In full: tenants of the vendor have hosts under its
/// domains.
const BILLING_HOSTS: [&str; 3] =
    ["bss.myhuaweicloud.com", "bss-intl.myhuaweicloud.com", "bss.myhuaweicloud.eu"];

/// Where tokens come from for all regions (vendor-contract.md §1).
const IAM_HOST: &str = "iam.myhuaweicloud.com";

/// The domains with a token host of each region, as `iam.<region>` (vendor-contract.md §1).
const IAM_DOMAINS: [&str; 2] = [".myhuaweicloud.com", ".myhuaweicloud.eu"];

/// One of the vendor's sites (vendor-contract.md §1).
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
    /// Where the site's billing interfaces are (vendor-contract.md §1).
    #[must_use]
    pub fn endpoint(self) -> BaseUrl {
        BaseUrl::of_vendor(match self {
            Self::China => "bss.myhuaweicloud.com",
            Self::International => "bss-intl.myhuaweicloud.com",
            Self::Europe => "bss.myhuaweicloud.eu",
        })
    }

    /// Where the site's tokens come from; `None` for Europe, whose IAM host no source names (vendor-contract.md §1).
    #[must_use]
    pub fn iam(self) -> Option<BaseUrl> {
        match self {
            Self::China => Some(BaseUrl::of_vendor(IAM_HOST)),
            Self::International => Some(BaseUrl::of_vendor("iam.ap-southeast-1.myhuaweicloud.com")),
            Self::Europe => None,
        }
    }
}

/// Scheme, host and port of a server that credentials may be sent to: https at one of the vendor's hosts, or anything
/// on this machine.
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
    /// Neither one of the vendor's billing hosts nor this machine.
    #[error(
        "credentials are sent to bss.myhuaweicloud.com, bss-intl.myhuaweicloud.com and bss.myhuaweicloud.eu only"
    )]
    ForeignHost,
    /// Neither one of the vendor's token hosts nor this machine.
    #[error(
        "the password is sent to iam.myhuaweicloud.com, iam.REGION.myhuaweicloud.com and iam.REGION.myhuaweicloud.eu only"
    )]
    ForeignIamHost,
    /// A proxy must be http or https.
    #[error("a proxy is written like http://proxy.example:3128")]
    NotAProxy,
}

impl BaseUrl {
    /// Reads where the billing interfaces are: `https://host[:port]` with one of their hosts (vendor-contract.md §1),
    /// or http or https for this machine.
    ///
    /// # Errors
    /// When it is no URL, carries more than scheme, host and port, or leads to a host that must not see a signature.
    pub fn billing(text: &str) -> Result<Self, AddressError> {
        Self::parse(text, |host| BILLING_HOSTS.contains(&host), AddressError::ForeignHost)
    }

    /// Reads where tokens come from: as [`BaseUrl::billing`], with IAM's host or that of one region
    /// (vendor-contract.md §1).
    ///
    /// # Errors
    /// When it is no URL, carries more than scheme, host and port, or leads to a host that must not see a password.
    pub fn iam(text: &str) -> Result<Self, AddressError> {
        Self::parse(text, is_iam, AddressError::ForeignIamHost)
    }

    fn parse(
        text: &str,
        is_vendors: impl FnOnce(&str) -> bool,
        foreign: AddressError,
    ) -> Result<Self, AddressError> {
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
            "https" if local || is_vendors(host) => {}
            "https" => return Err(foreign),
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

/// Whether a host, as a URL writes it, is one that IAM answers at.
fn is_iam(host: &str) -> bool {
    let region = |domain: &&str| host.strip_prefix("iam.")?.strip_suffix(*domain);
    host == IAM_HOST || IAM_DOMAINS.iter().filter_map(region).any(is_region)
}

/// Whether one label of a host names a region, like `cn-north-1`. More than "any label", because some services give
/// tenants names right under theirs: a bucket called iam would be `iam.obs` of the vendor's domain.
fn is_region(label: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    label.rsplit_once('-').is_some_and(|(name, number)| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(of_name)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
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
        self.0.expose_secret()
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
    fn signatures_go_to_the_vendors_billing_hosts_or_to_this_machine_only() {
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
            assert_eq!(
                BaseUrl::billing(text).map(|url| url.host().to_owned()),
                Ok(host.to_owned()),
                "{text}"
            );
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
            ("https://bucket.obs.cn-north-1.myhuaweicloud.com", AddressError::ForeignHost),
            ("https://a.bss.myhuaweicloud.com", AddressError::ForeignHost),
            ("https://bss-intl.myhuaweicloud.eu", AddressError::ForeignHost),
            ("https://iam.myhuaweicloud.com", AddressError::ForeignHost),
            ("https://bss.myhuaweicloud.com@example.com", AddressError::TooMuch),
            ("https://bss.myhuaweicloud.com/v2", AddressError::TooMuch),
            ("https://bss.myhuaweicloud.com/?a=b", AddressError::TooMuch),
            ("https://bss.myhuaweicloud.com/#a", AddressError::TooMuch),
        ] {
            assert_eq!(BaseUrl::billing(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn passwords_go_to_iam_or_to_this_machine_only() {
        for host in [
            "iam.myhuaweicloud.com",
            "iam.cn-north-1.myhuaweicloud.com",
            "iam.my-kualalumpur-1.myhuaweicloud.com",
            "iam.eu-west-101.myhuaweicloud.eu",
        ] {
            let read = BaseUrl::iam(&format!("https://{host}"));
            assert_eq!(read.map(|url| url.host().to_owned()), Ok(host.to_owned()));
        }
        assert!(BaseUrl::iam("http://127.0.0.1:8080").is_ok());
        assert_eq!(BaseUrl::iam("http://iam.myhuaweicloud.com"), Err(AddressError::Unencrypted));
        for host in [
            "bss.myhuaweicloud.com",
            "iam.myhuaweicloud.eu",
            "iam..myhuaweicloud.com",
            "iam.obs.myhuaweicloud.com",
            "iam.obs.cn-north-1.myhuaweicloud.com",
            "a.iam.cn-north-1.myhuaweicloud.com",
            "xiam.cn-north-1.myhuaweicloud.com",
            "iam.cn-north-1.myhuaweicloud.com.",
            "iam.cn-north-1.myhuaweicloud.com.example.com",
            "iam.cn-north-1.myhuaweicloud.cn",
            "iam.-1.myhuaweicloud.com",
            "iam.cn-north-.myhuaweicloud.com",
        ] {
            let read = BaseUrl::iam(&format!("https://{host}"));
            assert!(matches!(read, Err(AddressError::ForeignIamHost | AddressError::Malformed)), "{host}");
        }
    }

    #[test]
    fn the_sites_are_addresses_of_the_vendor() {
        for site in [Site::China, Site::International, Site::Europe] {
            assert_eq!(BaseUrl::billing(site.endpoint().as_str()), Ok(site.endpoint()));
            if let Some(iam) = site.iam() {
                assert_eq!(BaseUrl::iam(iam.as_str()), Ok(iam));
            }
        }
    }
}
