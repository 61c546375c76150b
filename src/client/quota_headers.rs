//! Asks the gateway to name its quotas in headers: once per endpoint and run, and on as long as it does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::request::Endpoint;

/// The request header that may make the gateway answer with `X-Apig-RateLimit-*` (vendor-contract.md §5: documented for
/// the gateway; whether the billing interfaces honour it is unknown).
const MODE: HeaderName = HeaderName::from_static("x-apig-mode");

const DEBUG: HeaderValue = HeaderValue::from_static("debug");

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeadersAsked {
    /// Its answer is still out, or brought nothing: nobody asks again in this run.
    Asked,
    /// The gateway tells.
    Told,
}

/// What came of asking, by endpoint.
#[derive(Debug, Default)]
pub(super) struct QuotaHeaders {
    endpoints: Mutex<HashMap<&'static str, HeadersAsked>>,
}

impl QuotaHeaders {
    /// Adds the question to a call where it is worth asking.
    pub(super) fn ask(&self, endpoint: &'static Endpoint, headers: &mut HeaderMap) {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if endpoints.get(endpoint.name) != Some(&HeadersAsked::Asked) {
            endpoints.entry(endpoint.name).or_insert(HeadersAsked::Asked);
            // Not signed: what is added after signing need not be (vendor-contract.md §2.1).
            headers.insert(MODE, DEBUG);
        }
    }

    /// An answer named a quota.
    pub(super) fn told(&self, endpoint: &'static Endpoint) {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(endpoint.name, HeadersAsked::Told);
    }
}
