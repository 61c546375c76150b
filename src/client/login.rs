//! Turning a request into an HTTP call that the vendor lets in: path, query, headers, signature or token.

use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::address::BaseUrl;
use super::error::ClientError;
use super::profile::{Auth, Profile};
use super::transport::{Call, set, set_secret};
use crate::request::{Method, Request};
use crate::sign::{KeyPair, Unsigned, encode, sign, unsigned_target};
use crate::time::UtcSecond;
use crate::token::{self, Lease};

/// What the vendor's SDK sends, GET included (vendor-contract.md §2.1).
const JSON: &str = "application/json";

/// The credentials of an account, checked to fit into headers.
pub(super) enum Login {
    Keys(KeyPair),
    User(IamUser),
}

/// Whom IAM gives tokens to, and where.
pub(super) struct IamUser {
    pub iam: BaseUrl,
    user: String,
    password: SecretString,
    domain: String,
}

impl Login {
    pub(super) fn of(profile: &Profile) -> Result<Self, ClientError> {
        let unsendable = |what| ClientError::Unsendable { account: profile.account.clone(), what };
        if profile.domain_id.as_deref().is_some_and(|id| HeaderValue::from_str(id).is_err()) {
            return Err(unsendable("domain_id"));
        }
        match &profile.auth {
            Auth::Unread => Err(ClientError::Unread { account: profile.account.clone() }),
            Auth::AkSk { access_key, secret_key, security_token } => {
                let fits = |secret: &SecretString| HeaderValue::from_str(secret.expose_secret()).is_ok();
                if !fits(access_key) {
                    return Err(unsendable("access_key"));
                }
                if !security_token.as_ref().is_none_or(fits) {
                    return Err(unsendable("security_token"));
                }
                Ok(Self::Keys(KeyPair {
                    access_key: access_key.clone(),
                    secret_key: secret_key.clone(),
                    security_token: security_token.clone(),
                }))
            }
            Auth::Token { user, password, domain } => {
                let iam = profile.iam_endpoint.clone();
                let iam =
                    iam.ok_or_else(|| ClientError::NoIamEndpoint { account: profile.account.clone() })?;
                let (user, password, domain) = (user.clone(), password.clone(), domain.clone());
                Ok(Self::User(IamUser { iam, user, password, domain }))
            }
        }
    }
}

/// What lets one call in.
pub(super) enum Credential<'a> {
    Keys(&'a KeyPair),
    Token(Lease),
}

/// An HTTP call and the texts that must not show up in messages about it.
pub(super) struct Prepared {
    pub call: Call,
    pub secrets: Vec<SecretString>,
}

/// Builds the HTTP call for a request, signed as of `at` when there are keys.
///
/// # Errors
/// When a part of the request cannot be sent; the text says which.
pub(super) fn prepare(
    base: &BaseUrl,
    domain_id: Option<&str>,
    request: &Request,
    credential: &Credential<'_>,
    at: UtcSecond,
) -> Result<Prepared, &'static str> {
    let path = path(request)?;
    let query: Vec<(&str, &str)> =
        request.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut plain = vec![("content-type", JSON)];
    plain.extend(domain_id.map(|id| ("x-domain-id", id)));
    plain.extend(request.language.map(|language| ("x-language", language)));
    let mut headers = HeaderMap::new();
    for (name, value) in &plain {
        set(&mut headers, name, value).ok_or("a header value holds control characters")?;
    }
    let body = request.body.as_deref().unwrap_or_default();
    let (target, secrets) = match credential {
        Credential::Keys(keys) => {
            let method = request.endpoint.method.as_str();
            let unsigned = Unsigned {
                method,
                host: base.host(),
                path: &path,
                query: &query,
                headers: &plain,
                body: body.as_bytes(),
            };
            let signed = sign(&unsigned, keys, at);
            let authorization = signed.authorization.expose_secret();
            set(&mut headers, "x-sdk-date", &signed.date).ok_or("the date is no header value")?;
            set_secret(&mut headers, "authorization", authorization)
                .ok_or("the access key is no header value")?;
            if let Some(token) = &keys.security_token {
                set_secret(&mut headers, "x-security-token", token.expose_secret())
                    .ok_or("the security token is no header value")?;
            }
            let signature = authorization.rsplit('=').next().map(SecretString::from);
            let mut secrets = vec![keys.access_key.clone(), keys.secret_key.clone()];
            secrets.extend(keys.security_token.clone());
            secrets.extend(signature);
            (signed.target, secrets)
        }
        Credential::Token(lease) => {
            set_secret(&mut headers, "x-auth-token", lease.value.expose_secret())
                .ok_or("the token is no header value")?;
            (unsigned_target(&path, &query), vec![lease.value.clone()])
        }
    };
    let body = request.body.as_deref().map(SecretString::from);
    let url = url(base, &target)?;
    Ok(Prepared { call: Call { method: request.endpoint.method, url, headers, body }, secrets })
}

/// Builds the call that asks IAM for a token (vendor-contract.md §2.2).
///
/// # Errors
/// When the address cannot be built.
pub(super) fn prepare_token(login: &IamUser) -> Result<Prepared, &'static str> {
    let IamUser { iam, user, password, domain } = login;
    let mut headers = HeaderMap::new();
    set(&mut headers, "content-type", "application/json;charset=utf8")
        .ok_or("the content type is no header value")?;
    let url = url(iam, &unsigned_target(token::PATH, &token::QUERY))?;
    let body = Some(token::request_body(user, password, domain));
    Ok(Prepared { call: Call { method: Method::Post, url, headers, body }, secrets: vec![password.clone()] })
}

/// The endpoint's path with the encoded parameter behind it.
fn path(request: &Request) -> Result<String, &'static str> {
    let path = request.endpoint.path;
    match request.path_parameter.as_deref() {
        None => Ok(path.to_owned()),
        // These would lead to another interface than the one meant.
        Some("" | "." | "..") => Err("the id in the path is empty or made of dots"),
        Some(segment) => Ok(format!("{}/{}", path.trim_end_matches('/'), encode(segment))),
    }
}

fn url(base: &BaseUrl, target: &str) -> Result<reqwest::Url, &'static str> {
    let text = format!("{base}{target}");
    let url = reqwest::Url::parse(&text).map_err(|_| "the address is no URL")?;
    // What is sent must be what was signed: the URL library may rewrite, and then the signature is wrong.
    let unchanged = url.as_str() == text;
    unchanged.then_some(url).ok_or("the address changes when it is read as a URL")
}
