//! What is asked of the vendor: endpoints with their published quotas, and one request to one of them.

use crate::quota::Quota;
use crate::time::UtcSecond;

/// A request method of the vendor's read-only interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Parameters in the query string.
    Get,
    /// Parameters in a JSON body; read-only and safe to repeat all the same.
    Post,
}

impl Method {
    /// The method as it stands in the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One URL of the vendor's API. Quotas belong to (account, endpoint).
#[derive(Debug)]
pub struct Endpoint {
    /// Short name, used in `quotas` of the configuration, in messages and logs.
    pub name: &'static str,
    /// Method.
    pub method: Method,
    /// Path without parameters, starting with a slash.
    pub path: &'static str,
    /// How its answers are cut.
    pub pages: Pagination,
    /// The quota the vendor publishes; 10/s where none was seen (vendor-contract.md §5).
    pub quota: Quota,
    /// Where a distributor names the reseller whose customers are meant.
    pub reseller: ResellerIn,
}

/// How an endpoint's answers are cut (vendor-contract.md §3.1). None of those asked here counts pages instead of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pagination {
    /// `limit` and `offset` count rows, so a walk may change the size of its pages on the way.
    ByRow(MostRows),
    /// One answer has everything.
    None,
}

/// The largest `limit` of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MostRows {
    /// The documents say so: a request that is called invalid is wrong in another way, unless the vendor names the limit.
    Documented(u32),
    /// No document says it; this is what similar endpoints have, and the server may think otherwise.
    Assumed(u32),
}

/// Where a request has `indirect_partner_id` (vendor-contract.md §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResellerIn {
    /// In the query string.
    Query,
    /// In the JSON body.
    Body,
    /// Nowhere: what is asked for is nobody's in particular.
    Needless,
    /// Nowhere, although what is asked for is a customer's: a reseller's customers cannot be asked for.
    Impossible,
}

/// The parameter that names a reseller.
const RESELLER: &str = "indirect_partner_id";

/// One request to one endpoint, not yet signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub endpoint: &'static Endpoint,
    /// Segment behind the endpoint's path, not yet percent-encoded (the order id of order details).
    pub path_parameter: Option<String>,
    /// Query parameters, not yet percent-encoded.
    pub query: Vec<(&'static str, String)>,
    /// JSON body of a POST.
    pub body: Option<String>,
    /// Language of localised names, sent as `X-Language` where the endpoint knows it.
    pub language: Option<&'static str>,
}

impl Request {
    /// This request, about the customers of a distributor's reseller.
    #[must_use]
    pub fn of_reseller(mut self, id: &str) -> Self {
        match self.endpoint.reseller {
            ResellerIn::Query => self.query.push((RESELLER, id.to_owned())),
            ResellerIn::Body => {
                let body = self.body.as_deref().map(serde_json::from_str::<serde_json::Value>);
                // The bodies of requests are our own JSON objects.
                if let Some(Ok(mut body)) = body {
                    body[RESELLER] = id.into();
                    self.body = Some(body.to_string());
                }
            }
            ResellerIn::Needless | ResellerIn::Impossible => {}
        }
        self
    }
}

impl Endpoint {
    /// Most rows of an answer, as far as documents tell; no bound where one answer has everything.
    #[must_use]
    pub const fn max_limit(&self) -> u32 {
        match self.pages {
            Pagination::ByRow(MostRows::Documented(most) | MostRows::Assumed(most)) => most,
            Pagination::None => u32::MAX,
        }
    }
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Endpoint {}

/// What is asked: a request, or a page of whatever size can be had.
#[derive(Clone, Copy)]
pub enum Question<'a> {
    /// This, as it is.
    Exact(&'a Request),
    /// A page.
    Page {
        /// Most rows it may have.
        most: u32,
        /// The request for a page of so many rows.
        of: &'a (dyn Fn(u32) -> Request + Sync),
    },
}

/// The body of a successful answer.
#[derive(Clone, Debug)]
pub struct VendorAnswer {
    /// JSON text; an `error_code` in it was already turned into an error.
    pub body: Vec<u8>,
    /// When the vendor answered, by its own clock (`Date` header); ours when it sent none.
    pub answered_at: UtcSecond,
    /// When the request that brought it was sent, by this machine's monotonic clock.
    pub sent: tokio::time::Instant,
    /// Most rows that were asked for; `None` where exactly one request was meant.
    pub limit: Option<u32>,
}
