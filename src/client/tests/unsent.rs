//! What is not sent at all.

use super::*;

#[tokio::test]
async fn nothing_is_sent_where_a_redirect_points() {
    let target = Server::start([json(200, PAGE)]);
    for status in [301, 302, 303, 307, 308] {
        let to = format!("Location: {}/v2/orders/customer-orders\r\n", target.url);
        let (result, _, server) = fetch([answer(status, &to, "")]).await;
        let error = result.expect_err("a redirect");
        assert!(matches!(error, FetchError::Redirected { status: found, .. } if found == status), "{error}");
        assert_eq!((error.exit_class(), server.seen().len()), (ExitClass::Refused, 1));
    }
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn ids_that_would_lead_elsewhere_are_not_sent() {
    let server = Server::start([json(200, PAGE)]);
    let client = Client::new(profile(&server, keys())).expect("a client");
    let with = |id: &str| Request { path_parameter: Some(id.to_owned()), ..page_of(&ORDERS) };
    for id in ["", ".", ".."] {
        let result = client.fetch(Question::Exact(&with(id)), &Meter::default(), Deadline::NONE).await;
        assert!(matches!(result, Err(FetchError::Unsendable { .. })), "{id}");
    }
    client
        .fetch(Question::Exact(&with("CS 1/../?x=#")), &Meter::default(), Deadline::NONE)
        .await
        .expect("a page");
    let path = "get /v2/orders/customer-orders/cs%201%2f..%2f%3fx%3d%23?limit=100&offset=0 ";
    assert!(server.seen().len() == 1 && server.seen()[0].starts_with(path), "{:?}", server.seen());
}

#[test]
fn keys_that_cannot_be_sent_are_found_before_anything_is_sent() {
    let server = Server::start([]);
    let broken =
        Auth::AkSk { access_key: secret("canary\n"), secret_key: secret("canary"), security_token: None };
    let error = Client::new(profile(&server, broken)).expect_err("a line feed");
    assert!(matches!(error, ClientError::Unsendable { what: "access_key", .. }));
    assert!(!format!("{error} {error:?}").contains("canary"));
    let homeless = Profile { iam_endpoint: None, ..profile(&server, user()) };
    assert!(matches!(Client::new(homeless), Err(ClientError::NoIamEndpoint { .. })));
}
