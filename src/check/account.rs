//! One account: one cheap question to each endpoint that its jobs read, and what the answers say.

use super::line::{CheckFault, CheckLine};
use super::local::AccountKnowledge;
use super::questions::{ProbeReply, Questions};
use super::quotas::{self, QuotaTalk};
use super::role::{self, Elsewhere};
use crate::client::{FetchError, Pace};
use crate::config::Account;
use crate::job::Job;
use crate::rate::RateState;
use crate::request::Endpoint;
use crate::run::streams_of;
use crate::scope::Role;
use crate::stream::{self, Stream, StreamKind};
use crate::warehouse::QuestionHints;

/// A clock this far off is set right before it grows: in seconds.
const ODD_CLOCK: i64 = 60;

/// The vendor refuses signatures of clocks that are further off (vendor-contract.md §2.1): in seconds.
const WRONG_CLOCK: i64 = 15 * 60;

/// An account, and what its questions need.
#[derive(Debug)]
pub struct Probing<'a> {
    /// The account, with its secrets.
    pub account: &'a Account,
    /// The jobs of the configuration.
    pub jobs: &'a [Job],
    /// What the warehouse knows.
    pub known: AccountKnowledge,
    /// How much is said about quotas.
    pub quotas: QuotaTalk,
}

/// Asks the vendor, where it may be asked, and says what the answers mean.
pub async fn account(probing: Probing<'_>, reach: Reach) -> Vec<CheckLine> {
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

fn offline(probing: &Probing<'_>, why: &'static str) -> Vec<CheckLine> {
    let Probing { account, jobs, known, quotas: talk } = probing;
    let rates = known.learned.rates.clone();
    let pace = Pace::new(account.name.clone(), account.profile.quotas.clone(), rates.clone());
    let mut lines = vec![CheckLine::not_checked(BY_ASKING, why)];
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

async fn online(probing: Probing<'_>) -> Vec<CheckLine> {
    let Probing { account, jobs, known: AccountKnowledge { hints, learned }, quotas: talk } = probing;
    let streams: Vec<&'static dyn Stream> = streams_of(jobs, account).collect();
    let earlier: Vec<RateState> = learned.rates.clone();
    let mut questions = match Questions::new(account, hints, learned) {
        Ok(questions) => questions,
        Err(line) => return vec![line],
    };
    let mut replies: Vec<(&'static dyn Stream, ProbeReply)> = Vec::new();
    let mut end = None;
    for stream in &streams {
        let reply = questions.ask(*stream).await;
        // Whoever is not let in, or reaches nobody, is not let in at the next door either.
        let before =
            if replies.iter().any(|(_, reply)| reply.is_let_in()) { Before::LetIn } else { Before::Nothing };
        if let ProbeReply::Refused(error) = &reply
            && ends_all(error, before)
        {
            end = Some(error.clone());
            break;
        }
        replies.push((*stream, reply));
    }
    let asked = |questions: &Questions<'_>| Some(questions.cost());
    if let Some(error) = end {
        let mut lines = shut_out(&error);
        lines.extend(quotas::quotas(
            &endpoints(&streams),
            questions.pace(),
            &earlier,
            asked(&questions),
            talk,
        ));
        return lines;
    }
    let is_of_customers = |stream: &dyn Stream| matches!(stream.spec().kind, StreamKind::Customers);
    let probe;
    let customers = if let Some((_, reply)) = replies.iter().find(|(stream, _)| is_of_customers(*stream)) {
        reply
    } else {
        probe = questions.ask(stream::customers()).await;
        &probe
    };
    let is_answered = replies.iter().any(|(_, reply)| matches!(reply, ProbeReply::Seen(_)));
    let elsewhere = if is_answered { Elsewhere::Answered } else { Elsewhere::NothingAnswered };
    let mut lines = vec![credentials(account, &replies), clock(replies.iter().map(|(_, reply)| reply))];
    lines.push(role::role(account.role, customers, elsewhere));
    for (stream, reply) in &replies {
        lines.push(permission(*stream, account.role, reply, questions.hints()));
    }
    let of_orders = replies.iter().find_map(|(stream, reply)| match stream.spec().kind {
        StreamKind::Orders { discounts } => Some((discounts, reply)),
        _ => None,
    });
    if account.role == Role::Customer
        && let Some((table, reply)) = of_orders
    {
        let listed = if let ProbeReply::Seen(seen) = reply { Some((&seen.page, table)) } else { None };
        lines.push(role::discounts(questions.hints().discounts, listed));
    }
    lines.extend(quotas::quotas(&endpoints(&streams), questions.pace(), &earlier, asked(&questions), talk));
    lines
}

/// What came of the questions before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nobody was let in, or nobody asked.
    Nothing,
    /// One was let in.
    LetIn,
}

/// Whether no other question would fare better.
fn ends_all(error: &FetchError, before: Before) -> bool {
    match error {
        FetchError::Credentials { .. }
        | FetchError::Clock { .. }
        | FetchError::Redirected { .. }
        | FetchError::Tls { .. } => true,
        FetchError::Unavailable { .. } | FetchError::Deadline { .. } => before == Before::Nothing,
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
fn shut_out(error: &FetchError) -> Vec<CheckLine> {
    let (what, rest) = match error {
        FetchError::Credentials { .. } => ("credentials", "clock, role, permissions, discounts"),
        FetchError::Clock { .. } => ("clock", "credentials, role, permissions, discounts"),
        _ => ("connection", BY_ASKING),
    };
    vec![CheckLine::of_answer(what, error), CheckLine::not_checked(rest, format!("the {what} failed"))]
}

fn credentials(account: &Account, replies: &[(&'static dyn Stream, ProbeReply)]) -> CheckLine {
    let host = account.profile.endpoint.host();
    if replies.iter().any(|(_, reply)| reply.is_let_in()) {
        return CheckLine::fine("credentials", format!("accepted by {host}"));
    }
    CheckLine::not_checked("credentials", format!("nothing that {host} answered tells"))
}

/// Judges this machine's clock by the dates of the answers: by the one that is nearest, because one was on its way longest.
fn clock<'a>(replies: impl Iterator<Item = &'a ProbeReply>) -> CheckLine {
    const WHAT: &str = "clock";
    let offsets =
        replies.filter_map(|reply| if let ProbeReply::Seen(seen) = reply { Some(seen.ahead) } else { None });
    let Some(ahead) = offsets.min_by_key(|ahead| ahead.saturating_abs()) else {
        return CheckLine::not_checked(WHAT, "no answer said what time it is");
    };
    let (by, way) = (ahead.saturating_abs(), if ahead > 0 { "behind" } else { "ahead of" });
    let advice = "set this machine's clock (UTC), for example with NTP";
    if by > WRONG_CLOCK {
        let detail = format!("{} min {way} the vendor's, which refuses signatures of such clocks", by / 60);
        return CheckLine::failed(WHAT, CheckFault::Refused, detail, advice);
    }
    if by > ODD_CLOCK {
        return CheckLine::warning(WHAT, format!("{} min {} s {way} the vendor's", by / 60, by % 60), advice);
    }
    CheckLine::fine(WHAT, "within a minute of the vendor's")
}

fn permission(
    stream: &'static dyn Stream,
    role: Role,
    reply: &ProbeReply,
    hints: &QuestionHints,
) -> CheckLine {
    let what = format!("permission: {}", stream.name());
    let wanted = stream.permission(role);
    match reply {
        ProbeReply::Seen(seen) => {
            let rows = seen.rows();
            let proves_nothing = rows == 0 && stream.partner_names_customer();
            if proves_nothing && hints.has_resources {
                return CheckLine::warning(
                    &what,
                    "answered without rows, although some are stored",
                    "check whose key it is: a partner's is shown nothing where it asks as a customer, without an error",
                );
            }
            let doubt = if proves_nothing { ", which a partner's key would see as well" } else { "" };
            CheckLine::fine(&what, format!("allowed; {rows} row(s){doubt}"))
        }
        ProbeReply::Refused(error) => match &**error {
            FetchError::Forbidden { refusal, .. } => CheckLine::failed(
                &what,
                CheckFault::Refused,
                format!("refused: {refusal}"),
                wanted.map_or_else(
                    || "no permission is needed for it by the vendor's documents: ask the vendor".to_owned(),
                    |wanted| format!("give the key's user the permission {wanted}, or switch the job off"),
                ),
            ),
            FetchError::NotARefundOrder { .. } => {
                CheckLine::fine(&what, "allowed; asked about an order that is no refund")
            }
            FetchError::Invalid { refusal, .. } | FetchError::NotFound { refusal, .. } => CheckLine::warning(
                &what,
                format!("the vendor let the question in, and did not like it: {refusal}"),
                "run the job: if it fails as well, report it with this message",
            ),
            error => CheckLine::of_answer(&what, error),
        },
        ProbeReply::Odd(reason) => CheckLine::failed(
            &what,
            CheckFault::Other,
            format!("the answer is not what the endpoint promises: {reason}"),
            "check for a proxy on the way; else report it with this message",
        ),
        ProbeReply::Unasked(why) => CheckLine::not_checked(&what, *why),
    }
}
