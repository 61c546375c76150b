//! The size of pages of an account: one limit for each endpoint, which follows what the server can answer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracing::info;

use crate::rate::page_limit::{LimitStep, PageLimit, PageOutcome, PageState, RememberedLimit};
use crate::refusal::Refusal;
use crate::request::{Endpoint, MostRows, Pagination, Question, Request};
use crate::setback::{Setback, Unavailability};

/// The limits of an account at all endpoints.
#[derive(Debug)]
pub struct PageLimits {
    account: String,
    known: Vec<PageState>,
    limits: Mutex<HashMap<&'static str, PageLimit>>,
}

impl PageLimits {
    /// Limits that go on where an earlier run ended: `known` is what that run left.
    #[must_use]
    pub fn new(account: String, known: Vec<PageState>) -> Self {
        Self { account, known, limits: Mutex::default() }
    }

    /// Rows that a page of an endpoint may have now.
    #[must_use]
    pub fn limit(&self, endpoint: &'static Endpoint) -> u32 {
        match endpoint.pages {
            Pagination::ByRow(_) => self.with(endpoint, |limit| limit.limit()),
            Pagination::None => endpoint.max_limit(),
        }
    }

    /// A page that was asked for with a limit came, with so many rows.
    pub fn came(&self, endpoint: &'static Endpoint, asked: u32, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        if matches!(endpoint.pages, Pagination::ByRow(_)) {
            self.learn(endpoint, asked, PageOutcome::Clean { rows });
        }
    }

    /// What is known now of the endpoints that were asked; `None` of one whose pages are as documented.
    #[must_use]
    pub fn remember(&self) -> Vec<(&'static str, Option<RememberedLimit>)> {
        let limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.iter().map(|(endpoint, limit)| (*endpoint, limit.remember())).collect()
    }

    fn learn(&self, endpoint: &'static Endpoint, asked: u32, outcome: PageOutcome) -> LimitStep {
        let (before, step, now) = self.with(endpoint, |limit| {
            let before = limit.limit();
            (before, limit.observe(asked, outcome), limit.limit())
        });
        if before != now {
            info!(
                account.name = self.account,
                endpoint.name,
                limit.before = before,
                limit.now = now,
                "pages have another size from now on"
            );
        }
        step
    }

    fn with<T>(&self, endpoint: &'static Endpoint, act: impl FnOnce(&mut PageLimit) -> T) -> T {
        // A limit is usable whatever happened to a thread that held it.
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        act(limits.entry(endpoint.name).or_insert_with(|| {
            let known = self.known.iter().find(|known| known.endpoint == endpoint.name);
            known.map_or(PageLimit::new(endpoint.max_limit()), |known| {
                PageLimit::resume(endpoint.max_limit(), known.remembered)
            })
        }))
    }
}

/// A question while it is asked: its pages become smaller as they fail.
pub(super) struct PageQuestion<'a> {
    question: Question<'a>,
    limits: &'a PageLimits,
    request: Cow<'a, Request>,
    limit: Option<u32>,
    /// How often the server failed on it.
    failed: u32,
}

impl<'a> PageQuestion<'a> {
    pub(super) fn new(question: Question<'a>, limits: &'a PageLimits) -> Self {
        let (request, limit) = match question {
            Question::Exact(request) => (Cow::Borrowed(request), None),
            Question::Page { most, of } => {
                let request = of(most);
                let limit = limits.limit(request.endpoint).min(most);
                (Cow::Owned(if limit == most { request } else { of(limit) }), Some(limit))
            }
        };
        Self { question, limits, request, limit, failed: 0 }
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// Most rows that are asked for now.
    pub(super) const fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Learns from a setback; whether the same rows are to be asked for with a smaller page.
    pub(super) fn shrink_for(&mut self, setback: &Setback) -> bool {
        let (Some(asked), Question::Page { most, of }) = (self.limit, self.question) else { return false };
        let outcome = match setback {
            Setback::TooLarge(_) => PageOutcome::TooLarge,
            Setback::Invalid(refusal) if self.may_be_the_limit(refusal) => PageOutcome::Invalid,
            Setback::Unavailable { reason, .. } => match reason {
                Unavailability::TimedOut => PageOutcome::TimedOut,
                Unavailability::Damaged(_) => PageOutcome::TooLarge,
                Unavailability::Refused(_) => {
                    self.failed += 1;
                    PageOutcome::Failed { times: self.failed }
                }
                // Nobody tried to answer.
                Unavailability::NoConnection(_)
                | Unavailability::HungUp(_)
                | Unavailability::NotJson { .. }
                | Unavailability::NoToken(_) => return false,
            },
            Setback::Invalid(_)
            | Setback::Throttled { .. }
            | Setback::DailyQuota(_)
            | Setback::TokenRejected(_)
            | Setback::SignatureRejected(_)
            | Setback::Forbidden(_)
            | Setback::NotFound(_)
            | Setback::NotARefundOrder(_)
            | Setback::Redirected { .. }
            | Setback::Untrusted(_) => return false,
        };
        match self.limits.learn(self.request.endpoint, asked, outcome) {
            LimitStep::Again(smaller) if smaller < asked => {
                let smaller = smaller.min(most);
                self.request = Cow::Owned(of(smaller));
                self.limit = Some(smaller);
                self.failed = 0;
                true
            }
            LimitStep::Keep | LimitStep::Again(_) | LimitStep::Larger(_) => false,
        }
    }

    /// Whether a request that is called invalid may be so because of its limit. The vendor's usual words name nothing
    /// ("Parameter error."), so a limit that the documents allow is only doubted when it is named.
    fn may_be_the_limit(&self, refusal: &Refusal) -> bool {
        match self.request.endpoint.pages {
            Pagination::ByRow(MostRows::Assumed(_)) => true,
            Pagination::ByRow(MostRows::Documented(_)) => {
                refusal.message.to_ascii_lowercase().contains("limit")
            }
            Pagination::None => false,
        }
    }
}
