//! One `[accounts.NAME]` table: where to ask, as whom, how fast.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

use super::given::{ConfigInputs, Secrets};
use super::secret::{self, SecretPlace, SecretSource};
use crate::client::{Auth, BaseUrl, DEFAULT_TIMEOUT, Profile, Proxy, Site};
use crate::job::role;
use crate::rate::words::QuotaShare;
use crate::rate::{QuotaOverrides, QuotaSetting};
use crate::scope::Role;
use crate::settings::{Section, duration, is_name};

/// One credential profile.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name in configuration, warehouse and messages: 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// What it is to the vendor.
    pub role: Role,
    /// How to ask for it.
    pub profile: Profile,
    /// Where its secrets were found; empty when they were not read.
    pub secrets: Vec<SecretPlace>,
}

/// The variables of the vendor's SDKs: key, secret key, and the token that comes with temporary ones
/// (vendor-contract.md §2).
const SDK_VARIABLES: [&str; 3] =
    ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"];

/// The keys that say who the account is to the vendor.
const CREDENTIAL_KEYS: [&str; 6] =
    ["access_key", "secret_key", "security_token", "user", "password", "domain"];

/// Every account; `None` when there is none, which is reported.
pub(super) fn read_all(root: &Section<'_>, folder: &Path, about: ConfigInputs<'_>) -> Option<Vec<Account>> {
    const REMEDY: &str = "write a table for each account: [accounts.NAME]";
    let Some(section) = root.table("accounts") else {
        if !root.has("accounts") {
            root.missing("accounts", REMEDY);
        }
        return None;
    };
    let tables = section.tables();
    if tables.is_empty() && section.is_empty() {
        root.report("accounts", "there is no account", REMEDY);
    }
    // The vendor's variables hold one key pair: under two names it would be one account read twice.
    let by_sdk: Vec<&str> =
        tables.iter().filter(|(_, account)| uses_sdk_variables(account)).map(|(name, _)| *name).collect();
    if let [_, _, ..] = by_sdk.as_slice() {
        let what = format!(
            "{} have no access_key, and the vendor's variables hold only one key pair",
            by_sdk.join(" and ")
        );
        root.report("accounts", &what, "give each account its own access_key and secret_key");
    }
    let reader = Reader { folder, about, found: RefCell::default() };
    Some(tables.into_iter().filter_map(|(name, account)| reader.account(&section, name, account)).collect())
}

fn uses_sdk_variables(account: &Section<'_>) -> bool {
    let by_key = account.peek("auth").is_none_or(|auth| auth == "aksk");
    by_key && !account.has("access_key") && !account.has("secret_key")
}

/// What reading an account needs besides its table.
struct Reader<'a> {
    folder: &'a Path,
    about: ConfigInputs<'a>,
    /// Where the secrets of the account that is being read were found.
    found: RefCell<Vec<SecretPlace>>,
}

impl Reader<'_> {
    fn account(&self, all: &Section<'_>, name: &str, from: Section<'_>) -> Option<Account> {
        if !is_name(name) {
            all.report(name, "this cannot name an account", "use 1 to 64 of A-Z a-z 0-9 _ -");
        }
        let role = from.read("role", role).unwrap_or(Role::Customer);
        let addresses = addresses(&from);
        let auth = self.auth(&from);
        let secrets = self.found.take();
        let domain_id = from.read("domain_id", |text| plain(text, "the account's id, like \"0a1b2c…\""));
        let reseller = from.read("indirect_partner_id", |text| plain(text, "the reseller's id"));
        if reseller.is_some() && role == Role::Customer {
            from.report(
                "indirect_partner_id",
                "only a distributor has resellers, and this account's role is \"customer\"",
                "write role = \"partner\", or remove the key",
            );
        }
        let share = from.read("quota_share", QuotaShare::parse).unwrap_or_default();
        let quotas = QuotaOverrides { share, ..self.quotas(&from) };
        let timeout = from.read("timeout", timeout).unwrap_or(DEFAULT_TIMEOUT);
        let proxy = from.read("proxy", |text| Proxy::parse(text).map_err(|error| error.to_string()));
        if let (Some((_, None)), Some(Auth::Token { .. })) = (&addresses, &auth) {
            let what =
                "auth = \"token\" needs an iam_endpoint, and this site has none that the vendor publishes";
            from.report(
                "auth",
                what,
                "write endpoint and iam_endpoint instead of site, or use auth = \"aksk\"",
            );
        }
        from.finish();
        let (endpoint, iam_endpoint) = addresses?;
        let profile = Profile {
            account: name.to_owned(),
            endpoint,
            iam_endpoint,
            auth: auth?,
            domain_id,
            reseller,
            quotas,
            timeout,
            proxy,
        };
        Some(Account { name: name.to_owned(), role, profile, secrets })
    }

    fn auth(&self, from: &Section<'_>) -> Option<Auth> {
        if self.about.secrets == Secrets::Leave {
            from.know(&["auth"]);
            from.know(&CREDENTIAL_KEYS);
            return Some(Auth::Unread);
        }
        let kind = from.read("auth", |text| match text {
            "aksk" => Ok(AuthKind::Key),
            "token" => Ok(AuthKind::Token),
            _ => Err("write \"aksk\" (key pair) or \"token\" (user and password)".to_owned()),
        });
        if kind.is_none() && from.has("auth") {
            // Which of the keys below are right cannot be said; all are known.
            from.know(&CREDENTIAL_KEYS);
            return None;
        }
        match kind.unwrap_or(AuthKind::Key) {
            AuthKind::Key => self.key_pair(from),
            AuthKind::Token => self.token(from),
        }
    }

    fn key_pair(&self, from: &Section<'_>) -> Option<Auth> {
        refuse(
            from,
            ["user", "password", "domain"],
            "this belongs to auth = \"token\"",
            "remove it, or write auth = \"token\"",
        );
        if uses_sdk_variables(from) {
            if from.has("security_token") {
                from.report(
                    "security_token",
                    "there is a token but no keys",
                    "add access_key and secret_key",
                );
                return None;
            }
            return self.key_pair_of_sdk(from);
        }
        let remedy = "a key pair has both halves: add it";
        for key in ["access_key", "secret_key"] {
            if !from.has(key) {
                from.missing(key, remedy);
            }
        }
        let access_key = self.secret(from, "access_key");
        let secret_key = self.secret(from, "secret_key");
        let security_token = self.secret(from, "security_token");
        Some(Auth::AkSk { access_key: access_key?, secret_key: secret_key?, security_token })
    }

    /// The pair of the vendor's variables, with their token: one from elsewhere would not belong to them.
    fn key_pair_of_sdk(&self, from: &Section<'_>) -> Option<Auth> {
        let [access, secret, token] = SDK_VARIABLES;
        let get = |key: &'static str, variable: &str| {
            let complain = |reason: &str| {
                let what =
                    format!("there is no access_key here, and the environment variable {variable} {reason}");
                from.report("access_key", &what, "write access_key = { env = \"NAME\" } and secret_key, or set the variables of the vendor's SDKs");
            };
            let secret = self.about.environment.secret(variable).map_err(complain).ok()?;
            self.found.borrow_mut().push(SecretPlace { key, source: SecretSource::Variable });
            Some(secret)
        };
        let (access_key, secret_key) = (get("access_key", access), get("secret_key", secret));
        // Without its token a temporary pair is refused, so one that is there and wrong is not passed over.
        let security_token = self.about.environment.is_filled(token).then(|| get("security_token", token));
        let security_token = match security_token {
            Some(read) => Some(read?),
            None => None,
        };
        Some(Auth::AkSk { access_key: access_key?, secret_key: secret_key?, security_token })
    }

    fn token(&self, from: &Section<'_>) -> Option<Auth> {
        refuse(
            from,
            ["access_key", "secret_key", "security_token"],
            "this belongs to auth = \"aksk\"",
            "remove it, or write auth = \"aksk\"",
        );
        let user = from.required("user", "write the name of the IAM user", |text| {
            plain(text, "the name of the IAM user")
        });
        let domain = from.required("domain", "write the name of the account the user belongs to", |text| {
            plain(text, "the name of the account the user belongs to")
        });
        if !from.has("password") {
            from.missing(
                "password",
                "write password = { file = \"path\" }, { env = \"NAME\" } or { credential = \"name\" }",
            );
        }
        let password = self.secret(from, "password");
        Some(Auth::Token { user: user?, password: password?, domain: domain? })
    }

    fn secret(&self, from: &Section<'_>, key: &'static str) -> Option<SecretString> {
        let (secret, place) = secret::read(from, key, self.folder, self.about.environment)?;
        self.found.borrow_mut().push(place);
        Some(secret)
    }

    fn quotas(&self, from: &Section<'_>) -> QuotaOverrides {
        if from.peek("quotas").is_some() {
            return QuotaOverrides { default: from.read("quotas", quota), ..QuotaOverrides::default() };
        }
        let mut quotas = QuotaOverrides::default();
        if let Some(section) = from.table("quotas") {
            let mut keys = vec!["default"];
            keys.extend(self.about.known.endpoints);
            for (key, setting) in section.texts(&keys, quota) {
                if key == "default" {
                    quotas.default = Some(setting);
                } else {
                    quotas.by_endpoint.insert(key.to_owned(), setting);
                }
            }
        }
        quotas
    }
}

/// The two ways of vendor-contract.md §2 to prove who one is.
#[derive(Clone, Copy)]
enum AuthKind {
    Key,
    Token,
}

/// Where to ask, and where tokens come from.
fn addresses(from: &Section<'_>) -> Option<(BaseUrl, Option<BaseUrl>)> {
    let site = from.read("site", |text| match text {
        "china" => Ok(Site::China),
        "international" => Ok(Site::International),
        "europe" => Ok(Site::Europe),
        _ => Err("write \"china\", \"international\" or \"europe\"".to_owned()),
    });
    let endpoint = from.read("endpoint", |text| BaseUrl::billing(text).map_err(|error| error.to_string()));
    let iam_endpoint =
        from.read("iam_endpoint", |text| BaseUrl::iam(text).map_err(|error| error.to_string()));
    let (by_site, by_endpoint) = (from.has("site"), from.has("endpoint") || from.has("iam_endpoint"));
    if by_site && by_endpoint {
        let what =
            format!("site and endpoint exclude each other; site is in {}", from.source_of("site").as_str());
        let key = if from.has("endpoint") { "endpoint" } else { "iam_endpoint" };
        from.report(key, &what, "remove one of the two");
        return None;
    }
    if by_endpoint && !from.has("endpoint") {
        from.missing(
            "endpoint",
            "write the address of the billing interfaces beside iam_endpoint, or site alone",
        );
    }
    if !by_site && !by_endpoint {
        from.missing(
            "site",
            "write site = \"china\", \"international\" or \"europe\", or endpoint = \"https://…\"",
        );
    }
    match site {
        Some(site) => Some((site.endpoint(), site.iam())),
        None => Some((endpoint?, iam_endpoint)),
    }
}

/// Reports keys that mean nothing with this kind of authentication.
fn refuse(from: &Section<'_>, keys: [&'static str; 3], what: &str, remedy: &str) {
    for key in keys {
        if from.has(key) {
            from.report(key, what, remedy);
        }
    }
}

/// A text that can stand in a header or a JSON value as it is.
fn plain(text: &str, expected: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) || text.trim() != text {
        return Err(format!("write {expected}, without spaces around it"));
    }
    Ok(text.to_owned())
}

fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    // Below a second no page comes back; above ten minutes a dead connection would hold a run up.
    if (Duration::from_secs(1)..=Duration::from_mins(10)).contains(&timeout) {
        return Ok(timeout);
    }
    Err("write at least \"1s\" and at most \"10m\"".to_owned())
}

fn quota(text: &str) -> Result<QuotaSetting, String> {
    QuotaSetting::parse(text).map_err(|error| error.to_string())
}
