//! Wrong credentials are tried once, however many ask; right ones hold nobody up.

use tokio::task::JoinSet;

use super::*;

/// So many walkers ask at once.
const WALKERS: usize = 16;

/// What that many concurrent requests with one client come to, and then one more after them.
async fn fetch_many(server: &Server, auth: Auth) -> (Vec<Result<VendorAnswer, FetchError>>, u64) {
    let client = Arc::new(Client::new(profile(server, auth)).expect("a client"));
    let meter = Arc::new(Meter::default());
    let mut tasks = JoinSet::new();
    for walker in 0..WALKERS {
        let (client, meter) = (Arc::clone(&client), Arc::clone(&meter));
        let endpoint = if walker % 2 == 0 { &ORDERS } else { &RESOURCES };
        tasks.spawn(async move {
            client.fetch(Question::Exact(&page_of(endpoint)), &meter, Deadline::NONE).await
        });
    }
    let mut results = tasks.join_all().await;
    results.push(client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await);
    (results, meter.read().requests)
}

fn refused_signature() -> Step {
    json(401, include_str!("../../../tests/fixtures/bss/error-401-signature.json"))
}

#[tokio::test]
async fn a_wrong_key_is_tried_once_by_all_together() {
    let server = Server::start([refused_signature()]);
    let (results, requests) = fetch_many(&server, keys()).await;
    let words: Vec<String> = results
        .into_iter()
        .map(|result| {
            let error = result.expect_err("refused");
            assert!(matches!(error, FetchError::Credentials { .. }), "{error}");
            error.to_string()
        })
        .collect();
    assert!(words.iter().all(|text| *text == words[0] && text.contains("verify aksk")), "{words:?}");
    assert_eq!((requests, server.seen().len(), words.len()), (1, 1, WALKERS + 1));
}

#[tokio::test]
async fn a_wrong_key_on_a_clock_that_is_off_is_tried_twice_by_all_together() {
    let server = Server::start([refused_by_clock(1800), refused_by_clock(1800)]);
    let (results, requests) = fetch_many(&server, keys()).await;
    assert!(results.iter().all(|result| matches!(result, Err(FetchError::Credentials { .. }))));
    assert_eq!((requests, server.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_clock_that_is_far_off_is_found_once_by_all_together() {
    let server = Server::start([refused_by_clock(2 * 3600)]);
    let (results, requests) = fetch_many(&server, keys()).await;
    assert!(results.iter().all(|result| matches!(result, Err(FetchError::Clock { .. }))));
    assert_eq!((requests, server.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_by_all_together() {
    for (status, body) in [
        (401, include_str!("../../../tests/fixtures/bss/error-401-iam.json")),
        (403, r#"{"error":{"code":403,"message":"m","title":"Forbidden"}}"#),
    ] {
        let server = Server::start([json(status, body)]);
        let (results, requests) = fetch_many(&server, user()).await;
        for result in results {
            let error = result.expect_err("refused");
            assert_eq!((error.exit_class(), error.place().endpoint), (ExitClass::Refused, "iam"));
        }
        assert_eq!((requests, server.seen().len()), (0, 1));
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_later_is_not_tried_again() {
    let server = Server::start([json(200, PAGE), refused_signature(), json(200, PAGE)]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    let (request, meter) = (page_of(&ORDERS), Meter::default());
    client.fetch(Question::Exact(&request), &meter, Deadline::NONE).await.expect("a page");
    for _ in 0..3 {
        let result = client.fetch(Question::Exact(&request), &meter, Deadline::NONE).await;
        assert!(matches!(result, Err(FetchError::Credentials { .. })));
    }
    assert_eq!((meter.read().requests, server.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_missing_permission_closes_no_other_endpoint() {
    let denied = json(403, r#"{"error_code":"CBC.0151","error_msg":"Access denied."}"#);
    let server = Server::start([denied, json(200, PAGE)]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    let meter = Meter::default();
    let result = client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await;
    assert!(matches!(result, Err(FetchError::Forbidden { .. })));
    client.fetch(Question::Exact(&page_of(&RESOURCES)), &meter, Deadline::NONE).await.expect("a page");
}

#[tokio::test]
async fn after_the_first_accepted_call_all_go_out_together() {
    let failing = json(503, r#"{"error_code":"APIGW.0201","error_msg":"busy"}"#);
    // The last ones are answered only when all of them arrived.
    let together = Step::Once(WALKERS + 2, bytes(json(200, PAGE)));
    let script = [failing, json(200, PAGE)].into_iter().chain((0..WALKERS).map(|_| together.clone()));
    let server = Server::start(script);
    let client = Arc::new(Client::new(profile(&server, keys())).expect("a client"));
    client
        .fetch(Question::Exact(&page_of(&ORDERS)), &Meter::default(), Deadline::NONE)
        .await
        .expect("a page");
    let mut tasks = JoinSet::new();
    for _ in 0..WALKERS {
        let client = Arc::clone(&client);
        tasks.spawn(async move {
            client.fetch(Question::Exact(&page_of(&ORDERS)), &Meter::default(), Deadline::NONE).await
        });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn right_keys_of_many_at_once_are_let_in_one_after_the_other_and_then_all() {
    let busy = || answer(429, "Retry-After: 0\r\n", "");
    let script = [busy(), busy()].into_iter().chain((0..=WALKERS).map(|_| json(200, PAGE)));
    let server = Server::start(script);
    let (results, requests) = fetch_many(&server, keys()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(requests, 2 + WALKERS as u64 + 1);
}

#[tokio::test]
async fn a_business_answer_counts_as_let_in() {
    let no_refund = || json(400, r#"{"error_code":"CBC.99005026","error_msg":"m"}"#);
    // Two wait for each other: one at a time would never be answered.
    let together = Step::Once(3, bytes(no_refund()));
    let server = Server::start([no_refund(), together.clone(), together]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    let (request, meter) = (page_of(&ORDERS), Meter::default());
    assert!(client.fetch(Question::Exact(&request), &meter, Deadline::NONE).await.is_err());
    let ask = || client.fetch(Question::Exact(&request), &meter, Deadline::NONE);
    let (one, other) = tokio::join!(ask(), ask());
    for result in [one, other] {
        assert!(matches!(result, Err(FetchError::NotARefundOrder { .. })));
    }
}

fn bytes(step: Step) -> Vec<u8> {
    match step {
        Step::Answer(bytes) | Step::Last(bytes) | Step::Once(_, bytes) => bytes,
    }
}

/// An answer to a token from a server whose clock is `ahead` seconds off ours.
fn dated(ahead: i64) -> Step {
    let date = UtcSecond::now().plus(ahead).to_datetime().format("%a, %d %b %Y %H:%M:%S GMT");
    answer(200, &format!("Date: {date}\r\nContent-Type: application/json\r\n"), PAGE)
}

/// What a request with a token comes to, how far the client's clock is ahead of ours then, and how often it was sent.
async fn fetch_dated(answers: &[i64]) -> (Result<VendorAnswer, FetchError>, i64, u64) {
    let server =
        Server::start([new_token("canary-one")].into_iter().chain(answers.iter().copied().map(dated)));
    let client = Client::new(profile(&server, user())).expect("a client");
    let meter = Meter::default();
    let result = client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await;
    let ahead = client.now().unix() - UtcSecond::now().unix();
    let requests = meter.read().requests;
    if result.is_err() {
        client
            .fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE)
            .await
            .expect_err("and so every later one");
        assert_eq!(meter.read().requests, requests);
    }
    (result, ahead, requests)
}

#[tokio::test]
async fn what_two_answers_to_a_token_say_about_the_clock_is_learned() {
    let (result, ahead, requests) = fetch_dated(&[-1800, -1800]).await;
    let answered_at = result.expect("a page").answered_at;
    assert!(answered_at.unix().abs_diff(UtcSecond::now().unix() - 1800) < 60, "{answered_at}");
    assert!(ahead.abs_diff(-1800) < 60, "{ahead}");
    assert_eq!(requests, 2);

    for off in [-7200, 7200] {
        let (result, ahead, requests) = fetch_dated(&[off, off]).await;
        let error = result.expect_err("clocks differ");
        assert!(matches!(&error, FetchError::Clock { refusal: None, .. }), "{error}");
        assert_eq!((error.exit_class(), ahead, requests), (ExitClass::Refused, 0, 2));
    }
}

#[tokio::test]
async fn a_single_odd_date_neither_moves_the_clock_nor_ends_anything() {
    for (answers, requests) in [(&[-1_000_000_000, 0][..], 2), (&[-9000, 5000], 2), (&[600], 1)] {
        let (result, ahead, sent) = fetch_dated(answers).await;
        assert!(result.is_ok(), "{answers:?}");
        assert_eq!((ahead, sent), (0, requests), "{answers:?}");
    }
}

/// An answer to a call with a refused signature, from a server whose clock is `ahead` seconds off ours.
fn refused_by_clock(ahead: i64) -> Step {
    let date = UtcSecond::now().plus(ahead).to_datetime().format("%a, %d %b %Y %H:%M:%S GMT");
    let body = include_str!("../../../tests/fixtures/bss/error-401-signature.json");
    answer(401, &format!("Date: {date}\r\n"), body)
}

#[tokio::test]
async fn a_clock_that_is_off_is_made_up_for_once() {
    let (result, counted, server) = fetch([refused_by_clock(-1800), json(200, PAGE)]).await;
    assert!(result.is_ok());
    assert_eq!(counted.requests, 2);
    let date = |sent: &String| {
        let (_, rest) = sent.split_once("x-sdk-date: ").expect("a date");
        chrono::NaiveDateTime::parse_from_str(&rest[..16], "%Y%m%dt%H%M%Sz")
            .expect("a date")
            .and_utc()
            .timestamp()
    };
    let dates: Vec<i64> = server.seen().iter().map(date).collect();
    assert!((dates[0] - dates[1]).abs_diff(1800) < 60, "{dates:?}");

    let (result, _, server) = fetch([refused_by_clock(1800), refused_by_clock(1800)]).await;
    assert!(matches!(result, Err(FetchError::Credentials { .. })));
    assert_eq!(server.seen().len(), 2);

    let (result, _, server) = fetch([refused_by_clock(2 * 3600)]).await;
    let error = result.expect_err("clocks differ");
    assert!(matches!(&error, FetchError::Clock { ours, theirs, .. } if theirs > ours), "{error}");
    assert_eq!((error.exit_class(), server.seen().len()), (ExitClass::Refused, 1));

    let (result, _, server) = fetch([refused_by_clock(60)]).await;
    assert!(matches!(result, Err(FetchError::Credentials { .. })));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_renewed_once_when_refused() {
    let dead =
        |token| json(401, &format!(r#"{{"error_code":"CBC.0154","error_msg":"token {token} expired"}}"#));
    let script = [
        new_token("canary-one"),
        dead("canary-one"),
        new_token("canary-two"),
        json(200, PAGE),
        json(200, PAGE),
    ];
    let server = Server::start(script);
    let client = Client::new(profile(&server, user())).expect("a client");
    let meter = Meter::default();
    for _ in 0..2 {
        client.fetch(Question::Exact(&page_of(&ORDERS)), &meter, Deadline::NONE).await.expect("a page");
    }
    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().filter_map(|sent| sent.split(' ').nth(1)).collect();
    let (iam, bss) = ("/v3/auth/tokens?nocatalog=true", "/v2/orders/customer-orders?limit=100&offset=0");
    assert_eq!(lines, [iam, bss, iam, bss, bss]);
    assert!(seen[1].contains("x-auth-token: canary-one\r\n") && !seen[1].contains("authorization:"));
    assert!(seen[4].contains("x-auth-token: canary-two\r\n"));
    assert_eq!(meter.read().requests, 3);

    let script = [new_token("canary-one"), dead("canary-one"), new_token("canary-two"), dead("canary-two")];
    let (result, counted, server) = fetch_as(user(), script).await;
    let error = result.expect_err("refused");
    assert!(matches!(error, FetchError::Credentials { .. }), "{error}");
    assert_eq!((counted.requests, server.seen().len()), (2, 4));
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_twice() {
    let wrong = json(401, include_str!("../../../tests/fixtures/bss/error-401-iam.json"));
    let (result, counted, server) = fetch_as(user(), [wrong]).await;
    let error = result.expect_err("refused");
    assert!(matches!(&error, FetchError::Credentials { at, .. } if at.endpoint == "iam"), "{error}");
    assert_eq!((counted.requests, server.seen().len()), (0, 1));
}
