//! Why a request gave no answer, and what to do about it.

use std::time::Duration;

use super::address::AddressError;
use super::awaited::Awaited;
use crate::refusal::Refusal;
use crate::retry::GaveUp;
use crate::setback::Unavailability;
use crate::time::UtcSecond;

/// Why no client could be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Token authentication without a place to get tokens from.
    #[error("account {account}: token authentication needs iam_endpoint, because the site's is not known")]
    NoIamEndpoint {
        /// The account.
        account: String,
    },
    /// The configuration was read without its secrets.
    #[error("account {account}: the credentials were not read")]
    Unread {
        /// The account.
        account: String,
    },
    /// A value that cannot stand in a header.
    #[error("account {account}: {what} holds characters that cannot be sent in a header")]
    Unsendable {
        /// The account.
        account: String,
        /// The field of the configuration.
        what: &'static str,
    },
    /// The proxy's address is unusable.
    #[error("account {account}: proxy: {source}")]
    Proxy {
        /// The account.
        account: String,
        /// What is wrong with it.
        source: AddressError,
    },
    /// The TLS library or the system's list of authorities could not be set up.
    #[error(
        "account {account}: the HTTPS client could not be set up: {detail}; check the system's CA certificates"
    )]
    Setup {
        /// The account.
        account: String,
        /// The library's words.
        detail: String,
    },
}

impl ClientError {
    /// The exit code (docs/operate/exit-codes.md): 5 where no trustworthy connection can be set up, as when a server is
    /// not trusted; 2 where the configuration is wrong.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Setup { .. } => 5,
            Self::NoIamEndpoint { .. }
            | Self::Unread { .. }
            | Self::Unsendable { .. }
            | Self::Proxy { .. } => 2,
        }
    }
}

/// Whom and what a request was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTarget {
    /// The account's name in the configuration.
    pub account: String,
    /// The endpoint's short name, `iam` for token requests.
    pub endpoint: &'static str,
}

impl std::fmt::Display for CallTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of account {}", self.endpoint, self.account)
    }
}

/// How the program ends when nothing else happens (docs/operate/exit-codes.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitClass {
    /// Exit code 1: a fault that needs a look.
    Failed,
    /// Exit code 4: nothing is lost, the next run goes on from here.
    NotFinished,
    /// Exit code 5: the vendor refuses us.
    Refused,
}

/// Why a request gave no answer after all that could be done about it. Displays as a fragment that fits "failed: {}".
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The vendor does not know the key, its signature, the token or the password.
    #[error("{at}: credentials not accepted: {refusal}")]
    Credentials {
        /// For whom and what.
        at: CallTarget,
        /// The vendor's words.
        refusal: Box<Refusal>,
    },
    /// Known, but not allowed to.
    #[error("{at}: not allowed: {refusal}")]
    Forbidden {
        /// For whom and what.
        at: CallTarget,
        /// The vendor's words.
        refusal: Box<Refusal>,
    },
    /// This machine's clock and the vendor's differ by more than can be made up for.
    #[error("{at}: clocks differ: this machine has {ours}, the vendor has {theirs}{}", behind(refusal.as_deref()))]
    Clock {
        /// For whom and what.
        at: CallTarget,
        /// Our clock, UTC.
        ours: UtcSecond,
        /// The vendor's clock (`Date` header), UTC.
        theirs: UtcSecond,
        /// The vendor's words; `None` when it answered: a token says nothing about the clock.
        refusal: Option<Box<Refusal>>,
    },
    /// The order of a refund question is neither an unsubscription nor a downgrade (vendor-contract.md §10); not a
    /// fault.
    #[error("{at}: the order is not a refund order: {refusal}")]
    NotARefundOrder {
        /// For whom and what.
        at: CallTarget,
        /// The vendor's words.
        refusal: Box<Refusal>,
    },
    /// The vendor does not know the address or the object.
    #[error("{at}: not found: {refusal}")]
    NotFound {
        /// For whom and what.
        at: CallTarget,
        /// The vendor's words.
        refusal: Box<Refusal>,
    },
    /// The vendor finds the request wrong.
    #[error("{at}: request refused: {refusal}")]
    Invalid {
        /// For whom and what.
        at: CallTarget,
        /// The vendor's words.
        refusal: Box<Refusal>,
    },
    /// The request has parts that cannot be sent as they are; nothing was sent.
    #[error("{at}: request cannot be sent: {problem}")]
    Unsendable {
        /// For whom and what.
        at: CallTarget,
        /// Which part.
        problem: &'static str,
    },
    /// The answer is larger than we read, or the vendor finds the request too large. The size of a page
    /// is not configurable.
    #[error("{at}: answer or request too large ({detail})")]
    TooLarge {
        /// For whom and what.
        at: CallTarget,
        /// Which, with the limit.
        detail: String,
    },
    /// The server sends us elsewhere, where credentials must not go.
    #[error("{at}: HTTP {status} redirects elsewhere; nothing was sent there")]
    Redirected {
        /// For whom and what.
        at: CallTarget,
        /// HTTP status.
        status: u16,
    },
    /// The server's certificate or its kind of TLS is not acceptable.
    #[error("{at}: no trustworthy connection to {host}: {detail}")]
    Tls {
        /// For whom and what.
        at: CallTarget,
        /// Host and port.
        host: String,
        /// The TLS library's words.
        detail: String,
    },
    /// No usable answer, and no patience left.
    #[error("{at}: no usable answer from {host} after {tries} tries ({gave_up}); the last: {reason}")]
    Unavailable {
        /// For whom and what.
        at: CallTarget,
        /// Host and port.
        host: String,
        /// Calls made for this request that failed for other reasons than a quota.
        tries: u32,
        /// What happened last.
        reason: Box<Unavailability>,
        /// What ran out.
        gave_up: GaveUp,
    },
    /// The day's quota is used up.
    #[error("{at}: quota of the day used up: {refusal}")]
    DailyQuota {
        /// For whom and what.
        at: CallTarget,
        /// The vendor's words.
        refusal: Box<Refusal>,
    },
    /// Going on would take longer than the job may.
    #[error("{at}: the job's deadline is nearer than {reason}{}{}", wait_text(*.wait), last_text(.last.as_deref()))]
    Deadline {
        /// For whom and what.
        at: CallTarget,
        /// What would have to be waited for.
        reason: Awaited,
        /// How long that would take, when known.
        wait: Option<Duration>,
        /// What the try before came to, if there was one.
        last: Option<String>,
    },
}

/// A refusal behind a colon, if there was one.
fn behind(refusal: Option<&Refusal>) -> String {
    refusal.map(|refusal| format!(": {refusal}")).unwrap_or_default()
}

fn wait_text(wait: Option<Duration>) -> String {
    /// Shorter ones are told to the millisecond.
    const LONG: Duration = Duration::from_secs(10);
    match wait {
        Some(wait) if wait >= LONG => format!(" ({} s)", wait.as_secs()),
        Some(wait) => format!(" ({} ms)", wait.as_millis()),
        None => String::new(),
    }
}

fn last_text(last: Option<&str>) -> String {
    last.map(|last| format!("; the last: {last}")).unwrap_or_default()
}

impl FetchError {
    /// For whom and what the request was.
    #[must_use]
    pub const fn place(&self) -> &CallTarget {
        match self {
            Self::Credentials { at, .. }
            | Self::Forbidden { at, .. }
            | Self::Clock { at, .. }
            | Self::NotARefundOrder { at, .. }
            | Self::NotFound { at, .. }
            | Self::Invalid { at, .. }
            | Self::Unsendable { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Redirected { at, .. }
            | Self::Tls { at, .. }
            | Self::Unavailable { at, .. }
            | Self::DailyQuota { at, .. }
            | Self::Deadline { at, .. } => at,
        }
    }

    /// The vendor's refusal, where the vendor said something.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Credentials { refusal, .. }
            | Self::Forbidden { refusal, .. }
            | Self::NotARefundOrder { refusal, .. }
            | Self::NotFound { refusal, .. }
            | Self::Invalid { refusal, .. }
            | Self::DailyQuota { refusal, .. } => Some(refusal),
            Self::Clock { refusal, .. } => refusal.as_deref(),
            Self::Unavailable { reason, .. } => reason.refusal(),
            Self::Unsendable { .. }
            | Self::TooLarge { .. }
            | Self::Redirected { .. }
            | Self::Tls { .. }
            | Self::Deadline { .. } => None,
        }
    }

    /// What to do about it, as a fragment.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Credentials { .. } => {
                "check the key pair or password, and that it is enabled and of this site"
            }
            Self::Forbidden { .. } => {
                "grant the account's user the permission to view orders and subscriptions (billing:order:view, billing:subscription:view), or check `role` in the configuration"
            }
            Self::Clock { .. } => "set this machine's clock (UTC), for example with NTP",
            Self::NotARefundOrder { .. } => "nothing to do; this order has no refund attribution",
            Self::NotFound { .. } => {
                "check the endpoint and the id; the interface may not exist on this site"
            }
            Self::Invalid { .. } => "check the job's settings; report it when they are right",
            Self::Unsendable { .. } => "report it with the id that was asked for",
            Self::TooLarge { .. } => {
                "report it with the text above, no setting changes it; nothing is lost, the next run asks for it again"
            }
            Self::Redirected { .. } => "correct the endpoint, or the proxy in between",
            Self::Tls { .. } => {
                "check the endpoint, this machine's CA certificates and date, and TLS-inspecting proxies"
            }
            Self::DailyQuota { .. } => {
                "nothing is lost; the next run goes on from here when the quota is renewed"
            }
            Self::Unavailable { .. } | Self::Deadline { reason: Awaited::NextTry, .. } => {
                "check endpoint, network and proxy; nothing is lost, the next run goes on from here"
            }
            Self::Deadline { .. } => "nothing is lost; the next run goes on from here, or raise the deadline",
        }
    }

    /// Whether no usable answer came, however often it was asked for.
    #[must_use]
    pub fn is_unavailability(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Deadline { reason: Awaited::NextTry, .. })
    }

    /// Whether the vendor took the request in, and did not like what was asked.
    pub(super) const fn is_about_the_question(&self) -> bool {
        matches!(self, Self::NotARefundOrder { .. } | Self::NotFound { .. } | Self::Invalid { .. })
    }

    /// How the program ends when this ended it.
    #[must_use]
    pub const fn exit_class(&self) -> ExitClass {
        match self {
            Self::Credentials { .. }
            | Self::Forbidden { .. }
            | Self::Clock { .. }
            | Self::Redirected { .. }
            | Self::Tls { .. } => ExitClass::Refused,
            Self::Unavailable { .. } | Self::DailyQuota { .. } | Self::Deadline { .. } => {
                ExitClass::NotFinished
            }
            Self::NotARefundOrder { .. }
            | Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Unsendable { .. }
            | Self::TooLarge { .. } => ExitClass::Failed,
        }
    }
}
