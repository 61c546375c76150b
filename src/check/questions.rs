//! One cheap question to each endpoint of an account.

use std::time::Duration;

use tokio::time::Instant;

use super::line::{CheckFault, CheckLine};
use crate::client::{CallCounts as Cost, Client, Deadline, FetchError, Learned, Meter, Pace};
use crate::config::Account;
use crate::page::Page;
use crate::request::Question;
use crate::scope::{Ask, Role, Scope};
use crate::stream::{Reading, Stream, StreamKind};
use crate::time::{UtcSecond, Window};
use crate::walk::Cursor;
use crate::warehouse::QuestionHints;

/// How long one question may take: somebody waits at a terminal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Orders of so many days are listed: an order query may span a year (vendor-contract.md §3.3).
const DAYS: i64 = 364;

/// Rows of the one page of orders: a few more than one, because they may show the discounts. It costs the same.
const ORDERS: u32 = 20;

/// What came of a question.
pub(super) enum ProbeReply {
    /// An answer.
    Seen(ProbeAnswer),
    /// The vendor's refusal, or its silence.
    Refused(Box<FetchError>),
    /// An answer that is not what the endpoint promises.
    Odd(String),
    /// Nobody asked, and why.
    Unasked(&'static str),
}

impl ProbeReply {
    /// Whether the vendor took the question in, whatever it thought of it.
    pub(super) fn is_let_in(&self) -> bool {
        match self {
            Self::Seen(_) | Self::Odd(_) => true,
            Self::Refused(error) => matches!(
                **error,
                FetchError::Forbidden { .. }
                    | FetchError::NotARefundOrder { .. }
                    | FetchError::Invalid { .. }
                    | FetchError::NotFound { .. }
                    | FetchError::DailyQuota { .. }
            ),
            Self::Unasked(_) => false,
        }
    }
}

/// An answer.
pub(super) struct ProbeAnswer {
    pub(super) page: Page,
    /// How far the vendor's clock was ahead of ours, in seconds.
    pub(super) ahead: i64,
}

impl ProbeAnswer {
    /// How many rows there are, by the vendor's count or by those that came.
    pub(super) fn rows(&self) -> u64 {
        self.page.total.unwrap_or_default().max(self.page.rows.len() as u64)
    }
}

/// Asks an account's endpoints, each once.
pub(super) struct Questions<'a> {
    account: &'a Account,
    client: Client,
    meter: Meter,
    hints: QuestionHints,
}

impl<'a> Questions<'a> {
    pub(super) fn new(
        account: &'a Account,
        hints: QuestionHints,
        learned: Learned,
    ) -> Result<Self, CheckLine> {
        let client = Client::resume(account.profile.clone(), learned).map_err(|error| {
            let fault = if error.exit_code() == 5 { CheckFault::Refused } else { CheckFault::Configuration };
            CheckLine::failed("connection", fault, error.to_string(), "")
        })?;
        Ok(Self { account, client, meter: Meter::default(), hints })
    }

    /// How fast the account is asked.
    pub(super) const fn pace(&self) -> &Pace {
        self.client.pace()
    }

    /// What the questions cost so far.
    pub(super) fn cost(&self) -> Cost {
        self.meter.read()
    }

    /// What the warehouse knows, and what the answers added.
    pub(super) const fn hints(&self) -> &QuestionHints {
        &self.hints
    }

    /// The one question to a stream's endpoint.
    pub(super) async fn ask(&mut self, stream: &'static dyn Stream) -> ProbeReply {
        let (ask, limit) = match self.question(stream) {
            Ok(question) => question,
            Err(why) => return ProbeReply::Unasked(why),
        };
        let request = stream.request(&ask, &Cursor::Offset(0), limit);
        let deadline = Deadline::after(Instant::now(), PATIENCE);
        let answer = match self.client.fetch(Question::Exact(&request), &self.meter, deadline).await {
            Ok(answer) => answer,
            Err(error) => return ProbeReply::Refused(Box::new(error)),
        };
        let ahead = answer.answered_at.unix().saturating_sub(UtcSecond::now().unix());
        match stream.decode(&answer.body, &ask) {
            Ok(page) => {
                self.learn_ids(stream, &page);
                ProbeReply::Seen(ProbeAnswer { page, ahead })
            }
            Err(bad) => ProbeReply::Odd(bad.to_string()),
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
                let of_refund =
                    self.hints.refund.as_ref().filter(|_| matches!(stream.spec().kind, StreamKind::Refunds));
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
