//! Pages that become smaller as they fail, and what the next run knows of it.

use super::*;
use crate::rate::page_limit::{PageState, RememberedLimit};

fn page(limit: u32) -> Request {
    Request { query: vec![("limit", limit.to_string())], ..page_of(&ORDERS) }
}

/// Asks for a page of at most `most` rows against a script; the limits that were asked for, one by one.
async fn limits(
    most: u32,
    known: Vec<PageState>,
    script: impl IntoIterator<Item = Step>,
) -> (Result<VendorAnswer, FetchError>, Vec<u32>, Client) {
    let server = Server::start(script);
    let known = Learned { pages: known, ..Learned::default() };
    let client = Client::resume(profile(&server, keys()), known).expect("a client");
    let question = Question::Page { most, of: &page };
    let result = client.fetch(question, &Meter::default(), Deadline::NONE).await;
    let limit_of = |seen: &String| {
        let (_, rest) = seen.split_once("limit=")?;
        rest.split_whitespace().next()?.parse().ok()
    };
    (result, server.seen().iter().filter_map(limit_of).collect(), client)
}

fn state(most: u32, limit: u32) -> PageState {
    PageState { endpoint: "orders".to_owned(), remembered: RememberedLimit { documented: 100, most, limit } }
}

#[tokio::test]
async fn a_page_too_large_or_cut_short_is_asked_for_again_at_half_its_size() {
    let cut = || Step::Last(b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{\"total_count\":0,".to_vec());
    let (result, asked, client) = limits(100, vec![], [json(413, "{}"), cut(), json(200, PAGE)]).await;
    assert_eq!((result.expect("a page").limit, asked), (Some(25), vec![100, 50, 25]));
    assert_eq!(client.pages().remember(), [("orders", Some(state(100, 25).remembered))]);
}

#[tokio::test]
async fn a_page_is_halved_when_the_server_fails_on_it_twice() {
    let failed = || json(500, r#"{"error_code":"CBC.0999","error_msg":"other"}"#);
    let (result, asked, _) = limits(100, vec![], [failed(), failed(), json(200, PAGE)]).await;
    assert_eq!((result.expect("a page").limit, asked), (Some(50), vec![100, 100, 50]));
}

#[tokio::test]
async fn a_limit_that_the_server_refuses_is_not_asked_for_again() {
    let refused = || json(400, r#"{"error_code":"CBC.0100","error_msg":"limit"}"#);
    let (result, asked, client) = limits(100, vec![], [refused(), refused(), json(200, PAGE)]).await;
    assert_eq!((result.expect("a page").limit, asked), (Some(20), vec![100, 50, 20]));
    client.pages().came(&ORDERS, 20, 0);
    assert_eq!(client.pages().limit(&ORDERS), 100, "once more, to be sure");

    let (_, asked, _) = limits(100, vec![state(20, 20)], [json(200, PAGE)]).await;
    assert_eq!(asked, [20], "the next run knows");
}

#[tokio::test]
async fn a_request_refused_at_every_size_fails_and_teaches_nothing() {
    let refused = || json(400, r#"{"error_code":"CBC.0100","error_msg":"over the limit of reason"}"#);
    let (result, asked, client) = limits(100, vec![], [refused(), refused(), refused(), refused()]).await;
    assert!(matches!(result, Err(FetchError::Invalid { .. })), "{result:?}");
    assert_eq!(asked, [100, 50, 20, 10]);
    assert_eq!(client.pages().remember(), [("orders", None)]);
}

#[tokio::test]
async fn a_documented_limit_is_not_doubted_when_the_vendor_does_not_name_it() {
    let refused = json(400, include_str!("../../../tests/fixtures/bss/error-400-invalid-parameter.json"));
    let (result, asked, _) = limits(100, vec![], [refused]).await;
    assert!(matches!(result, Err(FetchError::Invalid { .. })), "{result:?}");
    assert_eq!(asked, [100]);
}

#[tokio::test]
async fn a_request_for_fewer_rows_says_nothing_about_larger_pages() {
    let (result, asked, client) = limits(1, vec![], [json(413, "{}")]).await;
    assert!(matches!(result, Err(FetchError::TooLarge { .. })), "{result:?}");
    assert_eq!(asked, [1]);
    assert_eq!(client.pages().remember(), [("orders", None)]);
}
