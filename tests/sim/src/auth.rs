//! Who may call: key pairs, IAM users and the tokens they were given. All of them are made up.

use std::collections::HashMap;

use serde_json::Value;

use super::clock;
use super::generate::OWNER;
use super::sign::{self, Received, Refusal};
use super::vendor::Role;

/// Account id of the partner.
pub const PARTNER: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";

/// A key pair, with a security token when it is temporary.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub access: &'static str,
    pub secret: &'static str,
    pub token: Option<&'static str>,
    pub domain_id: &'static str,
    pub grant: Grant,
}

/// What a credential may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    As(Role),
    /// Known, but without any permission.
    Nothing,
}

pub const CUSTOMER_KEY: Key = Key {
    access: "SIMCUSTOMERKEY000001",
    secret: "SimCustomerSecret0000000000000000000001",
    token: None,
    domain_id: OWNER,
    grant: Grant::As(Role::Customer),
};
pub const PARTNER_KEY: Key = Key {
    access: "SIMPARTNERKEY0000001",
    secret: "SimPartnerSecret00000000000000000000001",
    token: None,
    domain_id: PARTNER,
    grant: Grant::As(Role::Partner),
};
pub const TEMPORARY_KEY: Key = Key {
    access: "SIMTEMPORARYKEY00001",
    secret: "SimTemporarySecret000000000000000000001",
    token: Some("SimSecurityTokenMadeUpForTests/+=="),
    domain_id: OWNER,
    grant: Grant::As(Role::Customer),
};
pub const POWERLESS_KEY: Key = Key {
    access: "SIMPOWERLESSKEY00001",
    secret: "SimPowerlessSecret000000000000000000001",
    token: None,
    domain_id: OWNER,
    grant: Grant::Nothing,
};
pub const KEYS: [Key; 4] = [CUSTOMER_KEY, PARTNER_KEY, TEMPORARY_KEY, POWERLESS_KEY];

/// An IAM user.
#[derive(Clone, Copy, Debug)]
pub struct User {
    pub name: &'static str,
    pub password: &'static str,
    pub domain: &'static str,
    pub domain_id: &'static str,
    pub role: Role,
}

pub const CUSTOMER_USER: User = User {
    name: "sim_sync_user",
    password: "SimCustomerPassword!1",
    domain: "sim_customer",
    domain_id: OWNER,
    role: Role::Customer,
};
pub const PARTNER_USER: User = User {
    name: "sim_partner_user",
    password: "SimPartnerPassword!1",
    domain: "sim_partner",
    domain_id: PARTNER,
    role: Role::Partner,
};
pub const USERS: [User; 2] = [CUSTOMER_USER, PARTNER_USER];

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What quotas are counted by.
    pub name: String,
    pub grant: Grant,
}

/// Why a call is not authenticated.
#[derive(Debug)]
pub enum Stranger {
    /// The gateway's 401 with its text.
    Gateway(&'static str),
    /// 401 `CBC.0154`.
    Token,
    /// 403 `CBC.0155`: a token that is no account token.
    Scope,
}

/// An answer of IAM.
pub struct Issued {
    pub status: u16,
    pub token: Option<String>,
    pub body: String,
}

struct Token {
    user: User,
    expires: i64,
    global: bool,
}

/// The tokens that are valid.
pub struct Desk {
    tokens: HashMap<String, Token>,
    issued: u64,
    pub lifetime: i64,
    pub skew: i64,
}

impl Desk {
    pub fn new(lifetime: i64, skew: i64) -> Self {
        Self { tokens: HashMap::new(), issued: 0, lifetime, skew }
    }

    pub fn revoke_all(&mut self) {
        self.tokens.clear();
    }

    pub const fn issued(&self) -> u64 {
        self.issued
    }

    /// Says who calls.
    pub fn admit(&self, request: &Received<'_>, now: i64) -> Result<Caller, Stranger> {
        if let Some(token) = request.header("x-auth-token") {
            let token = self.tokens.get(token).filter(|token| now < token.expires);
            let token = token.ok_or(Stranger::Token)?;
            if !token.global {
                return Err(Stranger::Scope);
            }
            let grant = Grant::As(token.user.role);
            return Ok(Caller { name: token.user.name.to_owned(), grant });
        }
        let claim = request.header("authorization").and_then(sign::Claim::parse);
        let access = claim.ok_or(Stranger::Gateway(Refusal::Signature.text()))?.access.to_owned();
        let key = KEYS.iter().find(|key| key.access == access);
        let key = key.ok_or(Stranger::Gateway(Refusal::UnknownKey.text()))?;
        sign::verify(request, key.secret, now, self.skew)
            .map_err(|refusal| Stranger::Gateway(refusal.text()))?;
        if request.header("x-security-token") != key.token {
            return Err(Stranger::Gateway(Refusal::Signature.text()));
        }
        Ok(Caller { name: access, grant: key.grant })
    }

    /// Gives a token for a user's password.
    pub fn issue(&mut self, body: &[u8], now: i64) -> Issued {
        let refuse = |status: u16, title: &str, message: &str| Issued {
            status,
            token: None,
            body: format!(
                "{{\"error\":{{\"code\":{status},\"message\":\"{message}\",\"title\":\"{title}\"}}}}"
            ),
        };
        let malformed = || refuse(400, "Bad Request", "The request body is invalid.");
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return malformed() };
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let user = "/auth/identity/password/user";
        let name = text(&format!("{user}/name"));
        let password = text(&format!("{user}/password"));
        let domain = text(&format!("{user}/domain/name"));
        let methods = body.pointer("/auth/identity/methods");
        let scopes = body.pointer("/auth/scope").and_then(Value::as_object);
        let (Some(name), Some(password), Some(domain), Some(scopes)) = (name, password, domain, scopes)
        else {
            return malformed();
        };
        let known = ["domain", "project"].iter().any(|scope| scopes.contains_key(*scope));
        if methods != Some(&serde_json::json!(["password"])) || !known {
            return malformed();
        }
        let found =
            USERS.iter().find(|user| user.name == name && user.password == password && user.domain == domain);
        let Some(user) = found else {
            return refuse(401, "Unauthorized", "The username or password is wrong.");
        };
        self.issued += 1;
        let expires = now + self.lifetime;
        let token = format!("SimToken{}", sign::sha256(format!("{}:{now}", self.issued).as_bytes()));
        // With both scopes the project wins.
        let global = !scopes.contains_key("project");
        self.tokens.insert(token.clone(), Token { user: *user, expires, global });
        let stamp = |unix: i64| clock::text(unix).replace('Z', ".123000Z");
        let domain = format!("{{\"id\":\"{}\",\"name\":\"{}\"}}", user.domain_id, user.domain);
        let scope = if global { "domain" } else { "project" };
        let body = format!(
            "{{\"token\":{{\"catalog\":[],\"{scope}\":{domain},\"expires_at\":\"{}\",\
             \"issued_at\":\"{}\",\"methods\":[\"password\"],\"roles\":[{{\"id\":\"0\",\
             \"name\":\"te_admin\"}}],\"user\":{{\"domain\":{domain},\"id\":\"{:032}\",\
             \"name\":\"{}\",\"password_expires_at\":\"\"}}}}}}",
            stamp(expires),
            stamp(now),
            1,
            user.name,
        );
        Issued { status: 201, token: Some(token), body }
    }
}
