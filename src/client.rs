//! One request to the vendor becomes one answer or one reason why not; the only user of `reqwest`.

use std::fmt;

use tokio::time::Instant;
use tracing::debug;

mod address;
mod awaited;
mod clock;
mod error;
mod gate;
mod judge;
mod login;
mod meter;
mod pace;
mod pages;
mod profile;
mod quota_headers;
#[cfg(test)]
mod tests;
mod transport;
mod wait;

pub use address::{AddressError, BaseUrl, Proxy, Site};
pub use awaited::Awaited;
pub use error::{CallTarget, ClientError, ExitClass, FetchError};
pub use meter::{CallCounts, Meter};
pub use pace::Pace;
pub use pages::PageLimits;
pub use profile::{Auth, DEFAULT_TIMEOUT, Profile};

pub use crate::rate::{QuotaOverrides, QuotaSetting};
pub use crate::retry::Deadline;

use crate::rate::RateState;
use crate::rate::page_limit::PageState;
use crate::rate::words::Signal;
use crate::request::{Endpoint, Question, VendorAnswer};
use crate::retry::Patience;
use crate::setback::{Setback, Unavailability};
use crate::time::UtcSecond;
use crate::token::{self, Generation, IamToken, TokenKeeper};
use clock::VendorClock;
use gate::{Gate, GateEntry};
use judge::{CallVerdict, judge, judge_patience};
use login::{Credential, IamUser, Login, Prepared, prepare, prepare_token};
use pace::BookedCall;
use pages::PageQuestion;
use quota_headers::QuotaHeaders;
use transport::{HttpReply, Transport};
use wait::{after, ensure_in_time, pause, within};

/// Asks the vendor for one account. Requests of one client share its pace, its token and its connections.
pub struct Client {
    account: String,
    endpoint: BaseUrl,
    domain_id: Option<String>,
    reseller: Option<String>,
    pace: Pace,
    pages: PageLimits,
    figures: QuotaHeaders,
    login: Login,
    transport: Transport,
    tokens: TokenKeeper,
    clock: VendorClock,
    gate: Gate,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.account)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What an earlier run learned about an account's endpoints.
#[derive(Debug, Default)]
pub struct Learned {
    /// Their quotas.
    pub rates: Vec<RateState>,
    /// The size of their pages.
    pub pages: Vec<PageState>,
}

/// What one HTTP exchange came to when it brought no answer.
struct Failed {
    setback: Setback,
    /// The server's clock.
    date: Option<UtcSecond>,
}

impl Client {
    /// Builds the client of an account; sends nothing.
    ///
    /// # Errors
    /// When a value of the profile cannot be sent, token authentication has no IAM endpoint, or TLS cannot be set up.
    pub fn new(profile: Profile) -> Result<Self, ClientError> {
        Self::resume(profile, Learned::default())
    }

    /// As [`Self::new`], with what an earlier run learned.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn resume(profile: Profile, known: Learned) -> Result<Self, ClientError> {
        let transport = Transport::new(&profile)?;
        let login = Login::of(&profile)?;
        Ok(Self {
            pace: Pace::new(profile.account.clone(), profile.quotas, known.rates),
            pages: PageLimits::new(profile.account.clone(), known.pages),
            figures: QuotaHeaders::default(),
            account: profile.account,
            endpoint: profile.endpoint,
            domain_id: profile.domain_id,
            reseller: profile.reseller,
            login,
            transport,
            tokens: TokenKeeper::default(),
            clock: VendorClock::default(),
            gate: Gate::default(),
        })
    }

    /// How fast the account is asked.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// How large pages of the account are.
    #[must_use]
    pub const fn pages(&self) -> &PageLimits {
        &self.pages
    }

    /// The vendor's time by what is known of its clock: this machine's, corrected if it was found to be off.
    #[must_use]
    pub fn now(&self) -> UtcSecond {
        self.clock.now()
    }

    /// Asks for one answer: waits for its turn within the quota, signs, sends, and repeats what may be repeated, a page
    /// that cannot be answered as a smaller one. Whoever finds the rows of a page in the answer tells [`PageLimits::came`].
    ///
    /// What is counted goes to `meter`; its failed calls are what the job's budget for failures is measured by. May be
    /// dropped at any time: nothing but a booked turn is lost.
    ///
    /// Once the vendor refused the credentials for good, or the clock they are signed with, every later call ends with
    /// that same refusal and sends nothing: failed signatures can lock a key (vendor-contract.md §2.4). Until the first
    /// call was accepted, one at a time is sent.
    ///
    /// # Errors
    /// See [`FetchError`]; whatever could be done about it was done.
    pub async fn fetch(
        &self,
        question: Question<'_>,
        meter: &Meter,
        deadline: Deadline,
    ) -> Result<VendorAnswer, FetchError> {
        let mut asking = PageQuestion::new(question, &self.pages);
        let endpoint = asking.request().endpoint;
        let at = self.place(endpoint.name);
        let mut patience = Patience::new();
        let mut refused_token = None;
        let mut corrected = false;
        let mut odd_offset = None;
        let mut last = None;
        loop {
            self.gate.check()?;
            let credential = self.credential(refused_token, meter, deadline).await?;
            let (mut call, entry) =
                self.admit(endpoint, meter, deadline).await.map_err(|error| after(error, last.as_deref()))?;
            let signed_at = self.clock.now();
            // Signed afresh each time: a signature has a time.
            let of_reseller = self.reseller.as_deref().map(|id| asking.request().clone().of_reseller(id));
            let request = of_reseller.as_ref().unwrap_or(asking.request());
            let mut prepared =
                prepare(&self.endpoint, self.domain_id.as_deref(), request, &credential, signed_at)
                    .map_err(|problem| FetchError::Unsendable { at: at.clone(), problem })?;
            self.figures.ask(endpoint, &mut prepared.call.headers);
            meter.count_request();
            call.sent();
            let sent = call.at();
            let Failed { setback, date } =
                match within(deadline, &at, Awaited::Answer, self.exchange(prepared, 200, &at)).await? {
                    Ok(reply) => {
                        self.gate.open();
                        meter.count_bytes(reply.body.len());
                        let told = reply.told();
                        if told.is_some() {
                            self.figures.told(endpoint);
                        }
                        call.answered(Signal::Accepted { told });
                        let date = reply.date();
                        if let (Credential::Token(_), Some(theirs)) = (&credential, date)
                            && self
                                .clock
                                .wants_confirmation(&at, theirs, &mut odd_offset)
                                .map_err(|error| self.gate.close(error))?
                        {
                            continue;
                        }
                        let answered_at = date.unwrap_or_else(|| self.clock.now());
                        let limit = asking.limit();
                        return Ok(VendorAnswer { body: reply.body, answered_at, sent, limit });
                    }
                    Err(failed) => failed,
                };
            let is_smaller = asking.shrink_for(&setback);
            let verdict = match judge(&at, &self.endpoint, setback) {
                Ok(verdict) => verdict,
                Err(error) => {
                    self.gate.learn(&error);
                    if error.is_about_the_question() {
                        call.answered(Signal::Accepted { told: None });
                    }
                    if is_smaller {
                        meter.count_retried();
                        last = Some(error.to_string());
                        continue;
                    }
                    return Err(error);
                }
            };
            match verdict {
                CallVerdict::Throttled { retry_after, hint, refusal } => {
                    meter.count_throttled();
                    call.answered(Signal::Throttled { retry_after, hint });
                    last = Some(refusal.to_string());
                    // The pace does not wait that long for a quota of seconds; but who says so will not answer before.
                    let asked = Instant::now() + retry_after.unwrap_or_default();
                    ensure_in_time(asked, deadline, &at, Awaited::NextTurn)
                        .map_err(|error| after(error, last.as_deref()))?;
                }
                CallVerdict::TryLater { reason, retry_after } => {
                    // The wait is this request's alone.
                    drop((call, entry));
                    last = Some(format!("{}: {reason}", self.endpoint.host()));
                    let wait =
                        judge_patience(&at, &self.endpoint, &mut patience, meter, reason, retry_after)?;
                    pause(Instant::now() + wait, deadline, &at, Awaited::NextTry)
                        .await
                        .map_err(|error| after(error, last.as_deref()))?;
                }
                CallVerdict::Correct(refusal) if corrected => {
                    let refusal = Box::new(refusal);
                    return Err(self.gate.close(FetchError::Credentials { at, refusal }));
                }
                CallVerdict::Correct(refusal) => {
                    corrected = true;
                    match &credential {
                        Credential::Token(lease) => refused_token = Some(lease.generation),
                        Credential::Keys(_) => self
                            .clock
                            .correct(&at, refusal, signed_at, date)
                            .map_err(|error| self.gate.close(error))?,
                    }
                }
            }
        }
    }

    /// Waits for a turn of an endpoint and until a call of the account may go out.
    async fn admit(
        &self,
        endpoint: &'static Endpoint,
        meter: &Meter,
        deadline: Deadline,
    ) -> Result<(BookedCall<'_>, GateEntry<'_>), FetchError> {
        let at = self.place(endpoint.name);
        loop {
            let call = self.turn(endpoint, meter, deadline).await?;
            match within(deadline, &at, Awaited::FirstCall, self.gate.enter()).await?? {
                entry @ GateEntry::Open => return Ok((call, entry)),
                // A refusal that came while we waited makes this turn void as well.
                entry @ GateEntry::Alone { .. } if !self.pace.is_paused(endpoint) => {
                    return Ok((call, entry));
                }
                // All who waited would go out at once.
                GateEntry::Alone { .. } | GateEntry::Late => {}
            }
        }
    }

    /// Waits until the pace allows a call to an endpoint.
    async fn turn(
        &self,
        endpoint: &'static Endpoint,
        meter: &Meter,
        deadline: Deadline,
    ) -> Result<BookedCall<'_>, FetchError> {
        loop {
            let until = match self.pace.ask(endpoint) {
                Ok(call) => return Ok(call),
                Err((until, why)) => {
                    meter.wait(until, why);
                    until
                }
            };
            let at = self.place(endpoint.name);
            pause(until, deadline, &at, Awaited::NextTurn).await?;
        }
    }

    /// Sends once and judges the answer.
    async fn exchange(&self, prepared: Prepared, wanted: u16, at: &CallTarget) -> Result<HttpReply, Failed> {
        let started = Instant::now();
        let reply = self.transport.send(prepared.call).await.map_err(|setback| {
            debug!(account.name = at.account, endpoint.name = at.endpoint, ?setback, "no answer");
            Failed { setback, date: None }
        })?;
        debug!(
            account.name = at.account,
            endpoint.name = at.endpoint,
            http.status = reply.status,
            body.bytes = reply.body.len(),
            elapsed.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answer"
        );
        match reply.refused(wanted, self.clock.now(), &prepared.secrets) {
            None => Ok(reply),
            Some(setback) => Err(Failed { setback, date: reply.date() }),
        }
    }

    /// What lets the next call in: the keys, or a token that is not the one refused.
    async fn credential(
        &self,
        refused: Option<Generation>,
        meter: &Meter,
        deadline: Deadline,
    ) -> Result<Credential<'_>, FetchError> {
        let user = match &self.login {
            Login::Keys(keys) => return Ok(Credential::Keys(keys)),
            Login::User(user) => user,
        };
        let at = self.place("iam");
        let renew = async || {
            // Those who waited for the token do not try the password again.
            self.gate.check()?;
            self.new_token(&at, user, meter, deadline).await.map_err(|error| match error {
                // Both say that there will be no token, whatever it is wanted for.
                FetchError::Credentials { .. } | FetchError::Forbidden { .. } => self.gate.close(error),
                other => other,
            })
        };
        let lease = self.tokens.lease(self.clock.now(), refused, renew);
        within(deadline, &at, Awaited::Token, lease).await?.map(Credential::Token)
    }

    /// Asks IAM for a token. Its quota is not the billing interfaces' and one call a day is made, so there is no pace.
    async fn new_token(
        &self,
        at: &CallTarget,
        user: &IamUser,
        meter: &Meter,
        deadline: Deadline,
    ) -> Result<IamToken, FetchError> {
        let mut patience = Patience::new();
        loop {
            let prepared =
                prepare_token(user).map_err(|problem| FetchError::Unsendable { at: at.clone(), problem })?;
            let verdict = match self.exchange(prepared, 201, at).await {
                Ok(reply) => match IamToken::read(reply.header(token::HEADER), &reply.body, self.clock.now())
                {
                    Ok(token) => return Ok(token),
                    Err(what) => {
                        CallVerdict::TryLater { reason: Unavailability::NoToken(what), retry_after: None }
                    }
                },
                Err(failed) => judge(at, &user.iam, failed.setback)?,
            };
            let (reason, retry_after) = match verdict {
                CallVerdict::TryLater { reason, retry_after } => (reason, retry_after),
                CallVerdict::Throttled { retry_after, refusal, hint: _ } => {
                    (Unavailability::Refused(refusal), retry_after)
                }
                CallVerdict::Correct(refusal) => {
                    return Err(FetchError::Credentials { at: at.clone(), refusal: Box::new(refusal) });
                }
            };
            let last = Some(format!("{}: {reason}", user.iam.host()));
            let wait = judge_patience(at, &user.iam, &mut patience, meter, reason, retry_after)?;
            pause(Instant::now() + wait, deadline, at, Awaited::NextTry)
                .await
                .map_err(|error| after(error, last.as_deref()))?;
        }
    }

    fn place(&self, endpoint: &'static str) -> CallTarget {
        CallTarget { account: self.account.clone(), endpoint }
    }
}
