//! The client against a server that answers by script.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::*;
use crate::quota::Quota;
use crate::rate::words::QuotaOrigin;
use crate::request::{Method, MostRows, Pagination, Request};
use crate::retry::{GaveUp, TRIES};
use server::{Server, Step, answer, json, new_token};

mod credentials;
mod pages;
mod server;
mod unsent;

static ORDERS: Endpoint = Endpoint {
    name: "orders",
    method: Method::Get,
    path: "/v2/orders/customer-orders",
    pages: Pagination::ByRow(MostRows::Documented(100)),
    quota: Quota::per_second(20),
    reseller: crate::request::ResellerIn::Query,
};

static RESOURCES: Endpoint = Endpoint {
    name: "resources",
    method: Method::Post,
    path: "/v2/orders/suscriptions/resources/query",
    pages: Pagination::ByRow(MostRows::Assumed(100)),
    quota: Quota::per_second(10),
    reseller: crate::request::ResellerIn::Query,
};

const PAGE: &str = r#"{"total_count":0,"order_infos":[]}"#;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn keys() -> Auth {
    Auth::AkSk {
        access_key: secret("CANARYACCESSKEY"),
        secret_key: secret("canary-secret-key"),
        security_token: None,
    }
}

fn user() -> Auth {
    Auth::Token { user: "sync".to_owned(), password: secret("canary-password"), domain: "demo".to_owned() }
}

fn profile(server: &Server, auth: Auth) -> Profile {
    let url = BaseUrl::billing(&server.url).expect("this machine");
    Profile {
        account: "acme".to_owned(),
        endpoint: url.clone(),
        iam_endpoint: Some(url),
        auth,
        domain_id: Some("0a1b".to_owned()),
        reseller: None,
        quotas: QuotaOverrides { default: Some(QuotaSetting::Unlimited), ..QuotaOverrides::default() },
        timeout: DEFAULT_TIMEOUT,
        proxy: None,
    }
}

fn page_of(endpoint: &'static Endpoint) -> Request {
    Request {
        endpoint,
        path_parameter: None,
        query: vec![("offset", "0".to_owned()), ("limit", "100".to_owned())],
        body: (endpoint.method == Method::Post).then(|| "{\"limit\":100}".to_owned()),
        language: Some("en_US"),
    }
}

/// One request with keys against a script.
async fn fetch(
    script: impl IntoIterator<Item = Step>,
) -> (Result<VendorAnswer, FetchError>, CallCounts, Server) {
    fetch_as(keys(), script).await
}

async fn fetch_as(
    auth: Auth,
    script: impl IntoIterator<Item = Step>,
) -> (Result<VendorAnswer, FetchError>, CallCounts, Server) {
    let server = Server::start(script);
    let client = Client::new(profile(&server, auth)).expect("a client");
    let meter = Meter::default();
    let result = client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await;
    for text in [format!("{result:?}"), format!("{client:?}")] {
        assert!(!text.to_lowercase().contains("canary"), "{text}");
    }
    (result, meter.read(), server)
}

#[tokio::test]
async fn a_page_arrives_signed_and_with_the_vendors_time() {
    let headers = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n";
    let (result, counted, server) = fetch([answer(200, headers, PAGE)]).await;
    let answer = result.expect("a page");
    assert_eq!(answer.body, PAGE.as_bytes());
    assert_eq!(answer.answered_at.to_string(), "1994-11-06T08:49:37Z");
    let bytes = PAGE.len() as u64;
    assert_eq!(counted, CallCounts { requests: 1, throttled: 0, retried: 0, bytes });
    let sent = &server.seen()[0];
    assert!(sent.starts_with("get /v2/orders/customer-orders?limit=100&offset=0 http/1.1\r\n"), "{sent}");
    let host = server.url.trim_start_matches("http://");
    for part in [
        &format!("host: {host}\r\n"),
        "x-sdk-date: ",
        "x-domain-id: 0a1b\r\n",
        "x-language: en_us\r\n",
        "signedheaders=content-type;host;x-domain-id;x-language;x-sdk-date, signature=",
        "accept-encoding: gzip\r\n",
        "user-agent: bss-sync/",
    ] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
}

#[tokio::test]
async fn a_body_is_posted_as_it_was_signed() {
    let server = Server::start([json(200, PAGE)]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    client
        .fetch(Question::Exact(&page_of(&RESOURCES)), &Meter::default(), Deadline::NONE)
        .await
        .expect("a page");
    assert!(server.seen()[0].ends_with("\r\n\r\n{\"limit\":100}"));
    assert!(server.seen()[0].contains("content-type: application/json\r\n"));
}

#[tokio::test]
async fn proxy_variables_of_the_environment_are_ignored() {
    // The variables cannot be set in this process without touching other tests, so another one runs the first test.
    let run = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "client::tests::a_page_arrives_signed_and_with_the_vendors_time"])
        .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"].map(|name| (name, "http://127.0.0.1:9")))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn a_configured_proxy_is_used() {
    let proxy = Server::start([json(200, PAGE)]);
    let target = Server::start([]);
    let mut profile = profile(&target, keys());
    profile.proxy = Proxy::parse(&proxy.url).ok();
    let client = Client::new(profile).expect("a client");
    client
        .fetch(Question::Exact(&page_of(&ORDERS)), &Meter::default(), Deadline::NONE)
        .await
        .expect("a page");
    assert_eq!((proxy.seen().len(), target.seen().len()), (1, 0));
}

#[tokio::test]
async fn throttled_calls_are_repeated_without_counting_as_failures() {
    let throttled = |body: &str| answer(429, "Retry-After: 0\r\n", body);
    let script = (0..12).map(|_| throttled("")).chain([
        throttled(include_str!("../../tests/fixtures/bss/error-429-business.json")),
        json(200, PAGE),
    ]);
    let (result, counted, _server) = fetch(script).await;
    assert!(result.is_ok());
    assert_eq!((counted.requests, counted.throttled, counted.retried), (14, 13, 0));
}

#[tokio::test]
async fn a_lower_quota_in_a_refusal_is_kept_to() {
    let text = r#"{"error_code":"APIG.0308","error_msg":"policy user over ratelimit,limit:5,time:1 second"}"#;
    let server = Server::start([answer(429, "Retry-After: 0\r\n", text), json(200, PAGE)]);
    let mut profile = profile(&server, keys());
    profile.quotas = QuotaOverrides::default();
    let client = Client::new(profile).expect("a client");
    assert_eq!(client.pace().quota(&ORDERS), (Some(Quota::per_second(20)), QuotaOrigin::Published));
    client
        .fetch(Question::Exact(&page_of(&ORDERS)), &Meter::default(), Deadline::NONE)
        .await
        .expect("a page");
    assert_eq!(client.pace().quota(&ORDERS), (Some(Quota::per_second(5)), QuotaOrigin::Refusal));
    // Another endpoint has a quota of its own.
    assert_eq!(client.pace().quota(&RESOURCES).1, QuotaOrigin::Published);
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let whole = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len());
    let cut = whole.as_bytes()[..whole.len() - 1].to_vec();
    let chunked =
        format!("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{PAGE}\r\n", PAGE.len());
    let gzip = "Content-Encoding: gzip\r\nContent-Type: application/json\r\n";
    for passing in [
        json(503, r#"{"error_code":"APIGW.0201","error_msg":"busy"}"#),
        json(500, include_str!("../../tests/fixtures/bss/error-500.json")),
        answer(502, "Content-Type: text/html\r\n", "<html>bad gateway</html>"),
        answer(200, "Content-Type: text/html\r\n", "<html>log in first</html>"),
        json(200, r#"{"total_count":0,"order_infos":["#),
        json(200, r#"{"error_code":"CBC.0999","error_msg":"Other errors."}"#),
        Step::Last(cut),
        Step::Last(chunked.into_bytes()),
        Step::Last(Vec::new()),
        answer(200, gzip, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae"),
    ] {
        let (result, counted, server) = fetch([passing, json(200, PAGE)]).await;
        assert_eq!(result.expect("a page").body, PAGE.as_bytes());
        assert_eq!((counted.requests, counted.retried, server.seen().len()), (2, 1, 2));
    }
}

#[tokio::test]
async fn each_try_is_signed_with_its_own_time() {
    let (result, _, server) = fetch([json(503, ""), json(200, PAGE)]).await;
    assert!(result.is_ok());
    assert!(
        server.seen().iter().all(|sent| sent.contains("x-sdk-date: ") && sent.contains("authorization: "))
    );
}

#[tokio::test]
async fn a_job_whose_calls_keep_failing_is_given_up() {
    let server = Server::start([json(503, r#"{"error_code":"APIGW.0201","error_msg":"busy"}"#)]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    let meter = Meter::default();
    for _ in 0..50 {
        meter.count_request();
        meter.count_retried();
    }
    let error =
        client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await.expect_err("given up");
    assert!(matches!(error, FetchError::Unavailable { gave_up: GaveUp::Budget, tries: 1, .. }), "{error}");
    assert_eq!(error.exit_class(), ExitClass::NotFinished);
    assert!(
        error.to_string().contains("orders of account acme") && error.to_string().contains("busy"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 1);
    const { assert!(TRIES > 1) };
}

#[tokio::test]
async fn refusals_that_last_end_the_request_at_once() {
    let coded = |code: &str| format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#);
    for (status, body, class) in [
        (400, coded("CBC.0100"), ExitClass::Failed),
        (400, coded("CBC.99005026"), ExitClass::Failed),
        (403, coded("CBC.0151"), ExitClass::Refused),
        (200, coded("CBC.0151"), ExitClass::Refused),
        (404, String::new(), ExitClass::Failed),
        (413, coded("APIGW.0201"), ExitClass::Failed),
        (401, coded("APIGW.0301"), ExitClass::Refused),
        (429, coded("APIG.0308").replace("\"m\"", "\"daily quota exhausted\""), ExitClass::NotFinished),
    ] {
        let (result, counted, server) = fetch([json(status, &body)]).await;
        let error = result.expect_err("refused");
        assert_eq!((error.exit_class(), server.seen().len()), (class, 1), "{error}");
        assert_eq!((counted.retried, error.place().account.as_str()), (0, "acme"));
        assert!(!error.advice().is_empty());
    }
    let (result, ..) = fetch([json(400, &coded("CBC.99005026"))]).await;
    assert!(matches!(result, Err(FetchError::NotARefundOrder { .. })));
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let announced = b"HTTP/1.1 200 X\r\nContent-Length: 67108865\r\n\r\n{".to_vec();
    let unannounced =
        [b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n".as_slice(), &vec![b' '; transport::LARGEST_WIRE + 1]]
            .concat();
    for step in [Step::Last(announced), Step::Last(unannounced)] {
        let (result, ..) = fetch([step]).await;
        let error = result.expect_err("too large");
        assert!(matches!(error, FetchError::TooLarge { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_not_asked_twice() {
    let server = Server::start([]);
    let mut profile = profile(&server, keys());
    profile.endpoint = BaseUrl::billing(&server.url.replace("http:", "https:")).expect("this machine");
    let client = Client::new(profile).expect("a client");
    // A TLS greeting holds no blank line, so the plain server would wait for more: this one talks first.
    let talker = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = talker.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in talker.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 X\r\n\r\n");
            let _ = stream.read(&mut [0u8; 4096]);
        }
    });
    let client =
        Client { endpoint: BaseUrl::billing(&format!("https://{address}")).expect("here"), ..client };
    let meter = Meter::default();
    let error =
        client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await.expect_err("no TLS");
    assert!(matches!(error, FetchError::Tls { .. }), "{error}");
    assert_eq!((error.exit_class(), meter.read().requests), (ExitClass::Refused, 1));
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let server = Server::start([]);
    let mut profile = profile(&server, keys());
    profile.endpoint = BaseUrl::billing(&format!("http://{closed}")).expect("this machine");
    let client = Client::new(profile).expect("a client");
    let meter = Meter::default();
    for _ in 0..50 {
        meter.count_retried();
    }
    let error = client
        .fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE)
        .await
        .expect_err("nobody there");
    assert!(matches!(error, FetchError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains(&closed.to_string()), "{error}");
}

#[tokio::test]
async fn what_a_server_echoes_shows_no_secret() {
    let echo = r#"{"error_code":"X.CANARYACCESSKEY","error_msg":"sk=canary-secret-key","request_id":"canary-secret-key"}"#;
    let (result, ..) = fetch([json(400, echo)]).await;
    let error = result.expect_err("refused");
    let shown = format!("{error} {error:?}").to_lowercase();
    assert!(!shown.contains("canary") && shown.contains("[hidden]"), "{shown}");
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let server = Server::start([answer(429, "Retry-After: 3000\r\n", ""), json(200, PAGE)]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    let deadline = Deadline::after(Instant::now(), Duration::from_mins(10));
    let error = client
        .fetch(Question::Exact(&page_of(&ORDERS)), &Meter::default(), deadline)
        .await
        .expect_err("too late");
    assert!(matches!(error, FetchError::Deadline { .. }), "{error}");
    assert!(error.to_string().contains("HTTP 429"), "{error}");
    assert_eq!((error.exit_class(), server.seen().len()), (ExitClass::NotFinished, 1));
}

#[tokio::test]
async fn a_dropped_fetch_leaves_the_client_usable() {
    // The first answer never comes whole.
    let stuck = Step::Answer(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{".to_vec());
    let server = Server::start([new_token("canary-one"), stuck, json(200, PAGE)]);
    let client = Client::new(profile(&server, user())).expect("a client");
    let (request, meter) = (page_of(&ORDERS), Meter::default());
    tokio::select! {
        biased;
        _ = client.fetch(Question::Exact(&request), &meter, Deadline::NONE) => panic!("nothing came"),
        () = async { while server.seen().len() < 2 { tokio::task::yield_now().await } } => {}
    }
    client.fetch(Question::Exact(&request), &meter, Deadline::NONE).await.expect("a page");
    assert_eq!((meter.read().requests, server.seen().len()), (2, 3));
}

#[test]
fn a_fetch_may_run_on_any_thread() {
    fn is_send(_: &impl Send) {}
    let server = Server::start([]);
    let client = Client::new(profile(&server, user())).expect("a client");
    let (request, meter) = (page_of(&ORDERS), Meter::default());
    is_send(&client.fetch(Question::Exact(&request), &meter, Deadline::NONE));
}
