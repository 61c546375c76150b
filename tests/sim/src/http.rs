//! From a request on the wire to an answer on the wire: routes, checks in the gateway's order, faults.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode};

use super::auth::{Caller, Grant, Stranger};
use super::clock;
use super::dice::mix;
use super::faults::Fault;
use super::json::{array, push_str};
use super::quota::RefusalStyle;
use super::sign::{Plus, Received, decode};
use super::vendor::{Call, Page, Refused};
use super::weather::{asked_limit, asked_offset, question};
use super::wire::{Cut, Scissors};
use super::{Control, Endpoint, Seen, Shared};

/// Requests larger than this are refused by the gateway.
const MAX_BODY: usize = 12 * 1024 * 1024;

/// An answer before it gets its common headers.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    content_type: &'static str,
    body: String,
    cut: Cut,
}

impl Reply {
    fn json(status: u16, body: String) -> Self {
        let content_type = "application/json;charset=utf-8";
        Self { status, headers: Vec::new(), content_type, body, cut: Cut::Never }
    }

    fn html(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self { content_type: "text/html", ..Self::json(status, body) }
    }

    /// An error of the business layer.
    fn error(status: u16, code: &str, message: &str) -> Self {
        let mut body = format!("{{\"error_code\":\"{code}\",\"error_msg\":");
        push_str(&mut body, message);
        body.push('}');
        Self::json(status, body)
    }

    /// An error of the gateway, which names the request.
    fn gateway(status: u16, code: &str, message: &str, request_id: &str) -> Self {
        let mut text = String::new();
        push_str(&mut text, message);
        let ids = format!("\"error_code\":\"{code}\",\"request_id\":\"{request_id}\"");
        Self::json(status, format!("{{\"error_msg\":{text},{ids}}}"))
    }
}

impl From<Refused> for Reply {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(why) => Self::error(400, "CBC.0100", &why),
            Refused::NotARefund => {
                Self::error(400, "CBC.99005026", "The order is not a downgrade or unsubscription order.")
            }
            Refused::UnknownReseller => Self::error(400, "CBC.99000037", "No permission for this reseller."),
            Refused::Denied => Self::error(403, "CBC.0151", "Access denied."),
        }
    }
}

/// Answers one request.
pub async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let number = shared.control().number();
    let request_id = format!("{:016x}{:016x}", mix(number), mix(number ^ 0x1D));
    let now = shared.now();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let reply = match to_bytes(body, MAX_BODY).await {
        Ok(body) => {
            let received = Received {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &headers,
                body: &body,
            };
            let turn = Turn { shared: &shared, number, request_id: &request_id, now };
            turn.answer(&received).await
        }
        Err(_) => Reply::gateway(413, "APIGW.0201", "Request entity too large", &request_id),
    };
    scissors.cut(reply.cut);
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let common = [
        ("content-type", reply.content_type.to_owned()),
        ("x-request-id", request_id),
        ("date", clock::http_date(shared.now())),
    ];
    for (name, value) in common.into_iter().chain(reply.headers) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// One request being answered.
struct Turn<'a> {
    shared: &'a Shared,
    number: u64,
    request_id: &'a str,
    now: i64,
}

impl Turn<'_> {
    async fn answer(&self, request: &Received<'_>) -> Reply {
        let Some(endpoint) = Endpoint::of(request.method, request.path) else {
            let text = "The API does not exist or has not been published in the environment";
            return Reply::gateway(404, "APIGW.0101", text, self.request_id);
        };
        let latency = self.shared.ways().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let mut reply = self.answer_known(endpoint, request).await;
        reply.headers.extend(self.quota_header(endpoint, request));
        self.shared.control().log(Seen {
            endpoint,
            target: if request.query.is_empty() {
                request.path.to_owned()
            } else {
                format!("{}?{}", request.path, request.query)
            },
            // A password must not get into a log, not even of a simulator.
            body: if endpoint == Endpoint::Tokens {
                String::new()
            } else {
                String::from_utf8_lossy(request.body).into_owned()
            },
            status: reply.status,
        });
        self.shared.answered.notify_all();
        reply
    }

    /// What the quota is, for callers who ask.
    fn quota_header(&self, endpoint: Endpoint, request: &Received<'_>) -> Option<(&'static str, String)> {
        if !self.shared.ways().tells_quota || request.header("x-apig-mode") != Some("debug") {
            return None;
        }
        let control = self.shared.control();
        let caller = control.desk.admit(request, self.now).ok()?;
        let (calls, seconds) = control.plan.of(endpoint)?;
        let left = control.meter.left(control.plan, &caller.name, endpoint)?;
        Some(("x-apig-ratelimit-user", format!("remain:{left},limit:{calls},time:{seconds} second")))
    }

    async fn answer_known(&self, endpoint: Endpoint, request: &Received<'_>) -> Reply {
        let caller = match self.admit(endpoint, request) {
            Ok(caller) => caller,
            Err(reply) => return reply,
        };
        let (fault, gust) = {
            let mut control = self.shared.control();
            let fault = control.faults.next(endpoint);
            let gust = control.sky.blow(endpoint, fault.is_none());
            (fault, gust)
        };
        if let Some((seed, kinds)) = gust.change {
            self.shared.upset(seed, 1, kinds);
        }
        let fault = fault.or_else(|| gust.fault.map(|(kind, seed)| kind.fault(seed, asked_limit(request))));
        let fault = match fault {
            Some(Fault::Hold(hold)) => {
                hold.hold().await;
                None
            }
            Some(Fault::Mutate(change)) => {
                let mut truth = self.shared.truth.write().unwrap_or_else(PoisonError::into_inner);
                change(&mut truth);
                None
            }
            other => other,
        };
        if let Some(reply) = fault.as_ref().and_then(|fault| self.instead(fault)) {
            return reply;
        }
        if let Some((rows, status)) = self.shared.ways().largest_page
            && asked_limit(request) > rows
        {
            return Reply::error(status, "CBC.0100", "Parameter error: limit is out of range.");
        }
        let mut reply = match &caller {
            None => self.issue(request),
            Some(caller) => self.serve(endpoint, caller, request, fault.as_ref()),
        };
        match fault {
            Some(Fault::HangUp) => reply.cut = Cut::BeforeAnswer,
            Some(Fault::HalfBody) => reply.cut = Cut::InBody(reply.body.len() / 2),
            _ => {}
        }
        reply
    }

    /// Authentication, then the quota of the caller; nobody needs to be known to get a token.
    fn admit(&self, endpoint: Endpoint, request: &Received<'_>) -> Result<Option<Caller>, Reply> {
        let mut control = self.shared.control();
        if endpoint == Endpoint::Tokens {
            return Ok(None);
        }
        let caller = control.desk.admit(request, self.now).map_err(|stranger| match stranger {
            Stranger::Gateway(text) => Reply::gateway(401, "APIGW.0301", text, self.request_id),
            Stranger::Token => Reply::error(401, "CBC.0154", "The token is invalid or expired."),
            Stranger::Scope => Reply::error(403, "CBC.0155", "The request is not allowed."),
        })?;
        let Control { meter, plan, style, .. } = &mut *control;
        if let Err((calls, seconds)) = meter.take(*plan, &caller.name, endpoint) {
            return Err(self.throttled(calls, seconds, *style));
        }
        Ok(Some(caller))
    }

    fn throttled(&self, calls: u32, seconds: u32, style: RefusalStyle) -> Reply {
        if style == RefusalStyle::Business {
            return Reply::error(429, "CBC.0250", "消息流量控制");
        }
        let span = match seconds {
            86_400 => "1 day".to_owned(),
            seconds if seconds % 60 == 0 => format!("{} minute", seconds / 60),
            seconds => format!("{seconds} second"),
        };
        let text = format!(
            "The throttling threshold has been reached: policy user over ratelimit,\
             limit:{calls},time:{span}"
        );
        Reply::gateway(429, "APIGW.0308", &text, self.request_id)
    }

    /// The answers some faults give instead of the right one.
    fn instead(&self, fault: &Fault) -> Option<Reply> {
        const HTML: &str = "<html><body><h1>Service temporarily unavailable</h1></body></html>";
        Some(match fault {
            Fault::Status { code, error_code, error_msg } if error_code.starts_with("APIG") => {
                Reply::gateway(*code, error_code, error_msg, self.request_id)
            }
            Fault::Status { code, error_code, error_msg } => Reply::error(*code, error_code, error_msg),
            Fault::Throttle { retry_after } => {
                let mut reply = self.throttled(10, 1, RefusalStyle::Gateway);
                reply.headers.extend(retry_after.clone().map(|after| ("retry-after", after)));
                reply
            }
            Fault::DailyQuota => self.throttled(10_000, 86_400, RefusalStyle::Gateway),
            Fault::Html200 => Reply::html(200, HTML),
            Fault::Html502 => Reply::html(502, HTML),
            Fault::ErrorIn200 => Reply::error(200, "CBC.0999", "Other errors."),
            Fault::Redirect(url) => {
                let mut reply = Reply::html(302, "");
                reply.headers.push(("location", url.clone()));
                reply
            }
            Fault::TokenExpired => {
                self.shared.control().desk.revoke_all();
                Reply::error(401, "CBC.0154", "The token is invalid or expired.")
            }
            _ => return None,
        })
    }

    fn issue(&self, request: &Received<'_>) -> Reply {
        let issued = self.shared.control().desk.issue(request.body, self.now);
        let mut reply = Reply::json(issued.status, issued.body);
        reply.headers.extend(issued.token.map(|token| ("x-subject-token", token)));
        reply
    }

    fn serve(
        &self,
        endpoint: Endpoint,
        caller: &Caller,
        request: &Received<'_>,
        fault: Option<&Fault>,
    ) -> Reply {
        let denied = self.shared.control().denied.contains(&endpoint);
        let Grant::As(role) = caller.grant else { return Refused::Denied.into() };
        if denied {
            return Refused::Denied.into();
        }
        let ways = self.shared.ways();
        let at_most = match fault {
            Some(Fault::IgnoreLimit(rows)) => Some(*rows),
            _ => None,
        };
        let call = Call {
            role,
            bounds: ways.bounds,
            row_order: ways.row_order,
            ties: ways.ties,
            at_most,
            language: request.header("x-language").unwrap_or("zh_CN"),
            number: self.number,
        };
        if call.language.len() > 10 {
            return Refused::Invalid("Parameter error: X-Language is too long.".into()).into();
        }
        let answer = {
            let truth = self.shared.truth.read().unwrap_or_else(PoisonError::into_inner);
            match endpoint {
                Endpoint::Orders => truth.list_orders(&call, request.query),
                Endpoint::Details => {
                    let id = request.path.rsplit('/').next().unwrap_or_default();
                    let id = String::from_utf8_lossy(&decode(id, Plus::Literal)).into_owned();
                    truth.order_details(&call, &id, request.query)
                }
                Endpoint::Refunds => truth.refund_orders(&call, request.query),
                Endpoint::Resources => truth.list_resources(&call, request.body),
                Endpoint::ResourceTypes => truth.list_resource_types(&call, request.query),
                Endpoint::ServiceTypes => truth.list_service_types(&call, request.query),
                Endpoint::SubCustomers => truth.list_sub_customers(&call, request.body),
                Endpoint::Tokens => Err(Refused::Denied),
            }
        };
        match answer {
            Ok(mut page) => {
                let rows = page.rows.len() as u64;
                if let Some(fault) = fault {
                    fault.bend(&mut page);
                }
                let question = question(request);
                let mut control = self.shared.control();
                control.serve(endpoint, rows);
                let earlier = control.last_rows.insert(endpoint, (question.clone(), page.rows.clone()));
                drop(control);
                let earlier = earlier.filter(|(asked, _)| match fault {
                    Some(Fault::RepeatPage) => true,
                    // A first page has none before it: its rows of another day would be an answer out of a cache.
                    Some(Fault::RepeatEarlier) => *asked == question && asked_offset(request) > 0,
                    _ => false,
                });
                page.rows = earlier.map_or(page.rows, |(_, rows)| rows);
                Reply::json(200, page_text(&page, fault))
            }
            Err(refused) => refused.into(),
        }
    }
}

fn page_text(page: &Page, fault: Option<&Fault>) -> String {
    let Page { total_field, total, rows_field, .. } = page;
    let total = match fault {
        Some(Fault::MissingTotal) => String::new(),
        Some(Fault::StringTotal) => format!("\"{total_field}\":\"{total}\","),
        _ => format!("\"{total_field}\":{total},"),
    };
    let extra = page.extra.as_ref().map(|(name, value)| format!("\"{name}\":{value},"));
    let extra = extra.unwrap_or_default();
    let rows = array(page.rows.iter().map(String::as_str));
    format!("{{{total}{extra}\"{rows_field}\":{rows}}}")
}

/// The real time in unix seconds.
pub fn real_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
