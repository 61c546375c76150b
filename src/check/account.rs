//! One account: one cheap question to each endpoint that its jobs read, and what the answers say.

use std::time::Duration;

use tokio::time::Instant;

use super::QuotaTalk;
use super::line::{Fault, Line};
use super::local::Known;
use super::{quotas, role};
use crate::client::{Client, Deadline, FetchError, Learned, Meter, Pace};
use crate::config::Account;
use crate::job::Job;
use crate::page::Page;
use crate::rate::RateState;
use crate::request::{Endpoint, Question};
use crate::run::streams_of;
use crate::scope::{Ask, Role, Scope};
use crate::stream::{CATALOGUE, Reading, Stream};
use crate::time::{UtcSecond, Window};
use crate::walk::Cursor;
use crate::warehouse::Hints;

/// How long one question may take: somebody waits at a terminal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Orders of so many days are listed: an order query may span a year (`FINANCE` §4).
const DAYS: i64 = 364;

/// Rows of the one page of orders: a few more than one, because they may show the discounts. It costs the same.
const ORDERS: u32 = 20;

/// A clock this far off is set right before it grows: in seconds.
const ODD_CLOCK: i64 = 60;

/// The vendor refuses signatures of clocks that are further off (`CONTRACT` §2.1): in seconds.
const WRONG_CLOCK: i64 = 15 * 60;

/// An account, and what its questions need.
#[derive(Debug)]
pub struct Probing<'a> {
    /// The account, with its secrets.
    pub account: &'a Account,
    /// The jobs of the configuration.
    pub jobs: &'a [Job],
    /// What the warehouse knows.
    pub known: Known,
    /// How much is said about quotas.
    pub quotas: QuotaTalk,
}

/// What came of a question.
pub(super) enum Reply {
    /// An answer.
    Seen(Seen),
    /// The vendor's refusal, or its silence.
    Refused(Box<FetchError>),
    /// An answer that is not what the endpoint promises.
    Odd(String),
    /// Nobody asked, and why.
    Unasked(&'static str),
}

/// An answer.
pub(super) struct Seen {
    page: Page,
    /// How far the vendor's clock was ahead of ours, in seconds.
    ahead: i64,
}

impl Seen {
    /// How many rows there are, by the vendor's count or by those that came.
    pub(super) fn rows(&self) -> u64 {
        self.page.total.unwrap_or_default().max(self.page.rows.len() as u64)
    }
}

/// Asks the vendor, where it may be asked, and says what the answers mean.
pub async fn account(probing: Probing<'_>, reach: Reach) -> Vec<Line> {
    let name = probing.account.name.clone();
    let lines = match reach {
        Reach::Online => online(probing).await,
        Reach::Offline(why) => offline(&probing, why),
    };
    lines.into_iter().map(|line| line.about(&name)).collect()
}

/// Whether the vendor is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is.
    Online,
    /// It is not, and why.
    Offline(&'static str),
}

/// What nobody can know who did not ask.
const BY_ASKING: &str = "credentials, clock, role, permissions, discounts";

fn offline(probing: &Probing<'_>, why: &'static str) -> Vec<Line> {
    let Probing { account, jobs, known, quotas: talk } = probing;
    let rates = known.learned.rates.clone();
    let pace = Pace::new(account.name.clone(), account.profile.quotas.clone(), rates.clone());
    let mut lines = vec![Line::not_checked(BY_ASKING, why)];
    lines.extend(quotas::quotas(
        &endpoints(&streams_of(jobs, account).collect::<Vec<_>>()),
        &pace,
        &rates,
        None,
        *talk,
    ));
    lines
}

fn endpoints(streams: &[&'static dyn Stream]) -> Vec<&'static Endpoint> {
    streams.iter().map(|stream| stream.endpoint()).collect()
}

async fn online(probing: Probing<'_>) -> Vec<Line> {
    let Probing { account, jobs, known: Known { hints, learned }, quotas: talk } = probing;
    let streams: Vec<&'static dyn Stream> = streams_of(jobs, account).collect();
    let earlier: Vec<RateState> = learned.rates.clone();
    let mut questions = match Questions::new(account, hints, learned) {
        Ok(questions) => questions,
        Err(line) => return vec![line],
    };
    let mut replies = Vec::new();
    let mut end = None;
    for stream in &streams {
        let reply = questions.ask(*stream).await;
        // Whoever is not let in, or reaches nobody, is not let in at the next door either.
        let is_known = replies.iter().any(|(_, reply)| is_let_in(reply));
        if let Reply::Refused(error) = &reply
            && ends_all(error, is_known)
        {
            end = Some(error.clone());
            break;
        }
        replies.push((*stream, reply));
    }
    let asked = |questions: &Questions<'_>| Some(questions.meter.read());
    if let Some(error) = end {
        let mut lines = shut_out(&error);
        lines.extend(quotas::quotas(
            &endpoints(&streams),
            questions.client.pace(),
            &earlier,
            asked(&questions),
            talk,
        ));
        return lines;
    }
    let of_customers = replies.iter().position(|(stream, _)| stream.only_for() == Some(Role::Partner));
    let probe = match (of_customers, CATALOGUE.iter().find(|stream| stream.only_for() == Some(Role::Partner)))
    {
        (None, Some(stream)) => questions.ask(*stream).await,
        (Some(_), _) | (None, None) => Reply::Unasked("no list tells partners from customers"),
    };
    let customers = of_customers.and_then(|at| replies.get(at)).map_or(&probe, |(_, reply)| reply);
    let is_answered = replies.iter().any(|(_, reply)| matches!(reply, Reply::Seen(_)));
    let mut lines = vec![credentials(account, &replies), clock(replies.iter().map(|(_, reply)| reply))];
    lines.push(role::role(account.role, customers, is_answered));
    for (stream, reply) in &replies {
        lines.push(permission(*stream, account.role, reply, &questions.hints));
    }
    if account.role == Role::Customer
        && let Some((_, reply)) = replies.iter().find(|(stream, _)| stream.reading() == Reading::Windows)
    {
        let listed = if let Reply::Seen(seen) = reply { Some(&seen.page) } else { None };
        lines.push(role::discounts(questions.hints.discounts, listed));
    }
    lines.extend(quotas::quotas(
        &endpoints(&streams),
        questions.client.pace(),
        &earlier,
        asked(&questions),
        talk,
    ));
    lines
}

/// Whether the vendor took the question in, whatever it thought of it.
fn is_let_in(reply: &Reply) -> bool {
    match reply {
        Reply::Seen(_) | Reply::Odd(_) => true,
        Reply::Refused(error) => matches!(
            **error,
            FetchError::Forbidden { .. }
                | FetchError::NotARefundOrder { .. }
                | FetchError::Invalid { .. }
                | FetchError::NotFound { .. }
                | FetchError::DailyQuota { .. }
        ),
        Reply::Unasked(_) => false,
    }
}

/// Whether no other question would fare better.
fn ends_all(error: &FetchError, is_known: bool) -> bool {
    match error {
        FetchError::Credentials { .. }
        | FetchError::Clock { .. }
        | FetchError::Redirected { .. }
        | FetchError::Tls { .. } => true,
        FetchError::Unavailable { .. } | FetchError::Deadline { .. } => !is_known,
        FetchError::Forbidden { .. }
        | FetchError::NotARefundOrder { .. }
        | FetchError::NotFound { .. }
        | FetchError::Invalid { .. }
        | FetchError::Unsendable { .. }
        | FetchError::TooLarge { .. }
        | FetchError::DailyQuota { .. } => false,
    }
}

/// The vendor lets nobody in, or is not there.
fn shut_out(error: &FetchError) -> Vec<Line> {
    let (what, rest) = match error {
        FetchError::Credentials { .. } => ("credentials", "clock, role, permissions, discounts"),
        FetchError::Clock { .. } => ("clock", "credentials, role, permissions, discounts"),
        _ => ("connection", BY_ASKING),
    };
    vec![Line::of_answer(what, error), Line::not_checked(rest, format!("the {what} failed"))]
}

fn credentials(account: &Account, replies: &[(&'static dyn Stream, Reply)]) -> Line {
    let host = account.profile.endpoint.host();
    if replies.iter().any(|(_, reply)| is_let_in(reply)) {
        return Line::fine("credentials", format!("accepted by {host}"));
    }
    Line::not_checked("credentials", format!("nothing that {host} answered tells"))
}

/// Judges this machine's clock by the dates of the answers: by the one that is nearest, because one was on its way longest.
fn clock<'a>(replies: impl Iterator<Item = &'a Reply>) -> Line {
    const WHAT: &str = "clock";
    let offsets =
        replies.filter_map(|reply| if let Reply::Seen(seen) = reply { Some(seen.ahead) } else { None });
    let Some(ahead) = offsets.min_by_key(|ahead| ahead.saturating_abs()) else {
        return Line::not_checked(WHAT, "no answer said what time it is");
    };
    let (by, way) = (ahead.saturating_abs(), if ahead > 0 { "behind" } else { "ahead of" });
    let advice = "set this machine's clock (UTC), for example with NTP";
    if by > WRONG_CLOCK {
        let detail = format!("{} min {way} the vendor's, which refuses signatures of such clocks", by / 60);
        return Line::failed(WHAT, Fault::Refused, detail, advice);
    }
    if by > ODD_CLOCK {
        return Line::warning(WHAT, format!("{} min {} s {way} the vendor's", by / 60, by % 60), advice);
    }
    Line::fine(WHAT, "within a minute of the vendor's")
}

fn permission(stream: &'static dyn Stream, role: Role, reply: &Reply, hints: &Hints) -> Line {
    let what = format!("permission: {}", stream.name());
    let wanted = stream.permission(role);
    match reply {
        Reply::Seen(seen) => {
            let rows = seen.rows();
            let proves_nothing = rows == 0 && stream.partner_names_customer();
            if proves_nothing && hints.has_resources {
                return Line::warning(
                    &what,
                    "answered without rows, although some are stored",
                    "check whose key it is: a partner's is shown nothing where it asks as a customer, without an error",
                );
            }
            let doubt = if proves_nothing { ", which a partner's key would see as well" } else { "" };
            Line::fine(&what, format!("allowed; {rows} row(s){doubt}"))
        }
        Reply::Refused(error) => match &**error {
            FetchError::Forbidden { refusal, .. } => Line::failed(
                &what,
                Fault::Refused,
                format!("refused: {refusal}"),
                wanted.map_or_else(
                    || "no permission is needed for it by the vendor's documents: ask the vendor".to_owned(),
                    |wanted| format!("give the key's user the permission {wanted}, or switch the job off"),
                ),
            ),
            FetchError::NotARefundOrder { .. } => {
                Line::fine(&what, "allowed; asked about an order that is no refund")
            }
            FetchError::Invalid { refusal, .. } | FetchError::NotFound { refusal, .. } => Line::warning(
                &what,
                format!("the vendor let the question in, and did not like it: {refusal}"),
                "run the job: if it fails as well, report it with this message",
            ),
            error => Line::of_answer(&what, error),
        },
        Reply::Odd(reason) => Line::failed(
            &what,
            Fault::Other,
            format!("the answer is not what the endpoint promises: {reason}"),
            "check for a proxy on the way; else report it with this message",
        ),
        Reply::Unasked(why) => Line::not_checked(&what, *why),
    }
}

/// Asks an account's endpoints, each once.
struct Questions<'a> {
    account: &'a Account,
    client: Client,
    meter: Meter,
    hints: Hints,
}

impl<'a> Questions<'a> {
    fn new(account: &'a Account, hints: Hints, learned: Learned) -> Result<Self, Line> {
        let client = Client::resume(account.profile.clone(), learned).map_err(|error| {
            let fault = if error.exit_code() == 5 { Fault::Refused } else { Fault::Configuration };
            Line::failed("connection", fault, error.to_string(), "")
        })?;
        Ok(Self { account, client, meter: Meter::default(), hints })
    }

    /// The one question to a stream's endpoint.
    async fn ask(&mut self, stream: &'static dyn Stream) -> Reply {
        let (ask, limit) = match self.question(stream) {
            Ok(question) => question,
            Err(why) => return Reply::Unasked(why),
        };
        let request = stream.request(&ask, &Cursor::Offset(0), limit);
        let deadline = Deadline::after(Instant::now(), PATIENCE);
        let answer = match self.client.fetch(Question::Exact(&request), &self.meter, deadline).await {
            Ok(answer) => answer,
            Err(error) => return Reply::Refused(Box::new(error)),
        };
        let ahead = answer.answered_at.unix().saturating_sub(UtcSecond::now().unix());
        match stream.decode(&answer.body, &ask) {
            Ok(page) => {
                self.learn_ids(stream, &page);
                Reply::Seen(Seen { page, ahead })
            }
            Err(bad) => Reply::Odd(bad.to_string()),
        }
    }

    /// What to ask, and for how many rows; or why nothing can be asked.
    fn question(&self, stream: &'static dyn Stream) -> Result<(Ask, u32), &'static str> {
        let names_customer = stream.partner_names_customer() && self.account.role == Role::Partner;
        match stream.reading() {
            Reading::Windows => {
                let now = self.client.now();
                let window = Window::new(now.plus(-DAYS * 24 * 60 * 60), now);
                Ok((Ask { scope: window.map_or(Scope::Whole, Scope::Created), customer_id: None }, ORDERS))
            }
            Reading::Queue => {
                let of_refund = self.hints.refund.as_ref().filter(|_| names_refund(stream));
                let Some((order, owner)) = of_refund.or(self.hints.order.as_ref()) else {
                    return Err("no order is known to ask about");
                };
                let customer_id = if names_customer { owner.clone() } else { None };
                if names_customer && customer_id.is_none() {
                    return Err("no order is known whose customer could be named");
                }
                Ok((Ask { scope: Scope::Parent(order.clone()), customer_id }, 1))
            }
            Reading::Whole | Reading::QueueAndWhole => {
                let of_order = || self.hints.order.as_ref().and_then(|(_, owner)| owner.clone());
                let customer = self.hints.customer.clone().or_else(of_order);
                let customer_id = if names_customer { customer } else { None };
                if names_customer && customer_id.is_none() {
                    return Err("no customer is known to ask about");
                }
                Ok((Ask { scope: Scope::Whole, customer_id }, 1))
            }
        }
    }

    /// Keeps what later questions need, where the warehouse does not know it.
    fn learn_ids(&mut self, stream: &'static dyn Stream, page: &Page) {
        if stream.reading() == Reading::Windows && self.hints.order.is_none() {
            self.hints.order =
                page.records.iter().find(|order| order.text("parent_order_id").is_none()).map(|order| {
                    let owner = order.text("customer_id").filter(|owner| !owner.is_empty());
                    (order.first_key().to_owned(), owner.map(str::to_owned))
                });
        }
    }
}

/// Whether a stream asks for what belongs to refunds.
fn names_refund(stream: &'static dyn Stream) -> bool {
    stream.owned_by_parent().is_some_and(|owned| owned.parent_column == "refund_order_id")
}
