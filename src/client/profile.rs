//! Which account to ask, where, with which credentials and how fast: what the client is built from.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::address::{BaseUrl, Proxy};
use crate::rate::QuotaOverrides;

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
    /// The vendor's id of the account, sent (and signed) as `X-Domain-Id` when known (vendor-contract.md §2.1).
    pub domain_id: Option<String>,
    /// The reseller whose customers a distributor asks for, sent as `indirect_partner_id` (vendor-contract.md §4).
    pub reseller: Option<String>,
    /// Quotas that take the place of the published ones.
    pub quotas: QuotaOverrides,
    /// Longest time for one call from connecting to the last byte; [`DEFAULT_TIMEOUT`] unless configured.
    pub timeout: Duration,
    /// Proxy to go through. Proxy variables of the environment are never followed.
    pub proxy: Option<Proxy>,
}

/// How the client proves who it is (vendor-contract.md §2).
#[derive(Clone)]
pub enum Auth {
    /// Every request is signed with a key pair (vendor-contract.md §2.1).
    AkSk {
        /// Public half, but still not for logs.
        access_key: SecretString,
        /// The signing key.
        secret_key: SecretString,
        /// Comes with temporary keys only (vendor-contract.md §2.3).
        security_token: Option<SecretString>,
    },
    /// Requests carry a token that IAM gives for a password (vendor-contract.md §2.2).
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

impl Auth {
    /// Whether it proves the same as another, secret for secret.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        match (self, other) {
            (
                Self::AkSk { access_key, secret_key, security_token },
                Self::AkSk { access_key: access, secret_key: secret, security_token: token },
            ) => {
                let same_token = match (security_token, token) {
                    (Some(one), Some(other)) => same(one, other),
                    (one, other) => one.is_none() && other.is_none(),
                };
                same(access_key, access) && same(secret_key, secret) && same_token
            }
            (
                Self::Token { user, password, domain },
                Self::Token { user: name, password: word, domain: of },
            ) => user == name && domain == of && same(password, word),
            (Self::Unread, Self::Unread) => true,
            (Self::AkSk { .. } | Self::Token { .. } | Self::Unread, _) => false,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Site;

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
            reseller: None,
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
