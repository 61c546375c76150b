//! IAM tokens: asking for one, keeping it, and renewing it once for everybody (vendor-contract.md §2.2).

use chrono::DateTime;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::time::UtcSecond;

/// Path of the token request. The parameter leaves a catalogue of services out of the answer.
pub const PATH: &str = "/v3/auth/tokens";

/// Parameter of the token request; any text will do.
pub const QUERY: [(&str, &str); 1] = [("nocatalog", "true")];

/// Response header that carries the token.
pub const HEADER: &str = "x-subject-token";

/// Seconds of life a token must have left to be used: a long walk of pages fits in, and of 24 hours little is lost.
const SPARE_LIFE: i64 = 30 * 60;

/// Seconds a token is kept when IAM does not say until when it lives; the documents promise 24 hours.
const ASSUMED_LIFE: i64 = 60 * 60;

/// The body of the token request, with domain scope as the billing interfaces want it.
#[must_use]
pub fn request_body(user: &str, password: &SecretString, domain: &str) -> SecretString {
    let body = json!({
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {
                    "user": { "name": user, "password": password.expose_secret(), "domain": { "name": domain } }
                }
            },
            "scope": { "domain": { "name": domain } }
        }
    });
    SecretString::from(body.to_string())
}

/// A token and until when it lives; the token itself is not shown.
#[derive(Clone, Debug)]
pub struct IamToken {
    value: SecretString,
    expires_at: UtcSecond,
}

impl IamToken {
    /// Reads the answer of 201: the token is the header's value, its end is in the body. Without a readable end it is
    /// taken to live an hour from `now`.
    ///
    /// # Errors
    /// When the header is missing or empty; the text names what is missing.
    pub fn read(header: Option<&str>, body: &[u8], now: UtcSecond) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Body {
            token: Life,
        }
        #[derive(Deserialize)]
        struct Life {
            expires_at: String,
        }
        let value =
            header.map(str::trim).filter(|value| !value.is_empty()).ok_or("no X-Subject-Token header")?;
        let told = serde_json::from_slice::<Body>(body).ok();
        let end = told.and_then(|body| DateTime::parse_from_rfc3339(&body.token.expires_at).ok());
        let expires_at =
            end.map_or_else(|| now.plus(ASSUMED_LIFE), |end| UtcSecond::from_unix(end.timestamp()));
        Ok(Self { value: SecretString::from(value), expires_at })
    }

    fn is_fresh(&self, now: UtcSecond) -> bool {
        now.plus(SPARE_LIFE) < self.expires_at
    }
}

/// Which of the tokens one after another is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u64);

/// A token to use, and how to say later that it was refused.
#[derive(Clone)]
pub struct Lease {
    /// The token itself.
    pub value: SecretString,
    /// Names it without showing it.
    pub generation: Generation,
}

/// The token all requests of an account share.
#[derive(Default)]
pub struct TokenKeeper {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    token: Option<IamToken>,
    generation: u64,
}

impl TokenKeeper {
    /// The token in use, or a new one by `renew` when there is none, its life is nearly over, or it is the one that was
    /// `refused`. While one caller renews, the others wait and then share what it got; a caller that goes away while it
    /// renews leaves the next one to do it.
    ///
    /// # Errors
    /// What `renew` fails with; nothing is kept then.
    pub async fn lease<E>(
        &self,
        now: UtcSecond,
        refused: Option<Generation>,
        renew: impl AsyncFnOnce() -> Result<IamToken, E>,
    ) -> Result<Lease, E> {
        let mut kept = self.kept.lock().await;
        let usable = kept
            .token
            .as_ref()
            .filter(|token| token.is_fresh(now) && refused != Some(Generation(kept.generation)));
        let value = if let Some(token) = usable {
            token.value.clone()
        } else {
            let token = renew().await?;
            let value = token.value.clone();
            kept.token = Some(token);
            kept.generation += 1;
            value
        };
        Ok(Lease { value, generation: Generation(kept.generation) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const NOW: UtcSecond = UtcSecond::from_unix(1_772_352_301);

    fn token(value: &str, seconds: i64) -> IamToken {
        IamToken { value: SecretString::from(value), expires_at: NOW.plus(seconds) }
    }

    #[test]
    fn the_request_asks_for_domain_scope_with_a_password() {
        let body = request_body("sync \"user\"", &SecretString::from("p\"w"), "demo");
        let body: serde_json::Value = serde_json::from_str(body.expose_secret()).expect("JSON");
        assert_eq!(body["auth"]["identity"]["methods"], json!(["password"]));
        assert_eq!(
            body["auth"]["identity"]["password"]["user"],
            json!({"name": "sync \"user\"", "password": "p\"w", "domain": {"name": "demo"}})
        );
        assert_eq!(body["auth"]["scope"], json!({"domain": {"name": "demo"}}));
    }

    #[test]
    fn a_token_lives_as_long_as_iam_says() {
        let body = include_bytes!("../tests/fixtures/bss/iam-token.json");
        let read = IamToken::read(Some(" abc "), body, NOW).expect("a token");
        assert_eq!(read.value.expose_secret(), "abc");
        assert_eq!(Some(read.expires_at), UtcSecond::parse("2026-03-02T08:05:01Z"));
        let unsaid = IamToken::read(Some("abc"), b"{}", NOW).expect("a token");
        assert_eq!(unsaid.expires_at, NOW.plus(ASSUMED_LIFE));
        assert!(IamToken::read(None, body, NOW).is_err());
        assert!(IamToken::read(Some(" "), body, NOW).is_err());
    }

    #[tokio::test]
    async fn a_token_is_renewed_half_an_hour_before_its_end_or_when_refused() {
        let keeper = TokenKeeper::default();
        let made = Cell::new(0);
        let renew = async || {
            made.set(made.get() + 1);
            Ok::<_, ()>(token(&format!("token-{}", made.get()), 24 * 60 * 60))
        };
        let first = keeper.lease(NOW, None, renew).await.expect("a token");
        let again = keeper.lease(NOW.plus(23 * 60 * 60), None, renew).await.expect("a token");
        assert_eq!((again.generation, made.get()), (first.generation, 1));
        let nearly_over = NOW.plus(24 * 60 * 60 - SPARE_LIFE);
        let second = keeper.lease(nearly_over, None, renew).await.expect("a token");
        assert_eq!((second.value.expose_secret(), made.get()), ("token-2", 2));
        let third = keeper.lease(NOW, Some(second.generation), renew).await.expect("a token");
        assert_eq!((third.value.expose_secret(), made.get()), ("token-3", 3));
        // A second one that was refused with the same old token takes what is there.
        let shared = keeper.lease(NOW, Some(second.generation), renew).await.expect("a token");
        assert_eq!((shared.value.expose_secret(), made.get()), ("token-3", 3));
    }

    #[tokio::test]
    async fn many_at_once_renew_once_and_a_failure_keeps_nothing() {
        let keeper = TokenKeeper::default();
        let made = Cell::new(0);
        let renew = async || {
            tokio::task::yield_now().await;
            made.set(made.get() + 1);
            Ok::<_, &str>(token("shared", 24 * 60 * 60))
        };
        assert!(keeper.lease(NOW, None, async || Err("no")).await.is_err());
        let (a, b, c) = tokio::join!(
            keeper.lease(NOW, None, renew),
            keeper.lease(NOW, None, renew),
            keeper.lease(NOW, None, renew)
        );
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(made.get(), 1);
    }
}
