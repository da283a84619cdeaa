//! Token endpoints that can't be reached, or hand out what can't be a token; and originals that must survive.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use axum::{body::Body as AxumBody, response::Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, StatusCode, header::SET_COOKIE};
use tokio::net::TcpListener;
use tower::Layer;
use tower_reauth::{
    AuthErrorKind, AuthLayer, InvalidToken, Param, RefreshPolicy, Rule, Signatures, TokenEndpoint,
    TokenRequest, Verdict, Vervoe,
    client::{ClientError, ClientErrorKind},
};

use crate::support::{Answered, KEYS, Secrets, Site, auth_error, client, get, send, send_all};

const KEY: &str = "an-endpoints-k3y";

/// The API at `api`, its token endpoint at the URL `tokens`; one attempt a flight.
fn layer(api: &Site, tokens: &str) -> AuthLayer {
    let request = TokenRequest::post(tokens.to_owned()).json("key", Param::secret(KEY));
    TokenEndpoint::new("Acme", api.url(""), request)
        .signatures(Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED)))
        .layer(client())
        .unwrap()
        .policy(RefreshPolicy::default().attempts(1))
}

/// A URL where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/token", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_connections_is_a_typed_error_and_nothing_is_sent() {
    let api = Site::that_agrees().await;
    let service = layer(&api, &nowhere().await).layer(client());
    for answer in send_all(&service, 50, || get(&api.url("/"))).await {
        let error = answer.unwrap_err();
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::Unavailable);
        let causes = std::iter::successors(Some(&*error as &dyn std::error::Error), |&error| error.source());
        let cause = causes.filter_map(|error| error.downcast_ref::<ClientError>()).next().unwrap();
        assert_eq!(cause.kind(), ClientErrorKind::Connect);
        Secrets::new([KEY]).assert_not_in(&*error);
    }
    assert!(api.requests().is_empty());
}

#[tokio::test]
async fn text_that_cannot_be_a_token_is_a_typed_error_and_nothing_is_sent() {
    let long = "x".repeat(65 * 1024);
    let hostile = [
        "t0ken-with\r\nX-Admin: 1",
        "t0ken-with\nfeed",
        "t0ken-with\0nul",
        "t0ken-with-\u{e9}-in-it",
        "t0ken with spaces",
        "t0ken\twith-tab",
        "t0ken\u{7f}delete",
        "",
        "   ",
        &long,
    ];
    for text in hostile {
        let answer = serde_json::json!({ "access_token": text, "expires_in": 3600 }).to_string();
        let tokens = Site::start(move |_| Response::new(AxumBody::from(answer.clone()))).await;
        let api = Site::that_agrees().await;
        let service = layer(&api, &tokens.url("/token")).layer(client());
        for answer in send_all(&service, 10, || get(&api.url("/"))).await {
            let error = answer.unwrap_err();
            let auth = auth_error(&error);
            assert_eq!(auth.kind(), AuthErrorKind::EndpointUnusable, "{error:?}");
            let cause = auth.acquire_error().unwrap();
            assert_eq!(cause.status(), Some(StatusCode::OK));
            let trimmed = text.trim().is_empty();
            let typed = std::error::Error::source(cause).is_some_and(|cause| cause.is::<InvalidToken>());
            assert_ne!(typed, trimmed, "{cause:?}");
            Secrets::new([KEY, text, text.lines().next().unwrap_or_default()]).assert_not_in(&*error);
        }
        assert_eq!((tokens.requests().len(), api.requests().len()), (1, 0), "{text:?}");
    }
}

/// Some repeat the request in what they say is wrong with it.
#[tokio::test]
async fn a_token_endpoint_that_echoes_the_secret_has_it_taken_out() {
    let encoded = BASE64_STANDARD.encode(KEY);
    for echo in [
        KEY.to_owned(),
        format!("bad key\r\n'{KEY}'\u{1b}[31m"),
        format!("Basic {encoded}"),
        format!("key={KEY}&x"),
    ] {
        let answer = serde_json::json!({ "error": "invalid_client", "error_description": echo }).to_string();
        let tokens = Site::start(move |_| {
            let mut response = Response::new(AxumBody::from(answer.clone()));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        })
        .await;
        let api = Site::that_agrees().await;
        let service = layer(&api, &tokens.url("/token")).layer(client());
        let error = send(&service, get(&api.url("/"))).await.unwrap_err();
        let auth = auth_error(&error);
        assert_eq!(auth.kind(), AuthErrorKind::CredentialsRejected);
        let cause = auth.acquire_error().unwrap().to_string();
        assert!(cause.contains("invalid_client") && !cause.contains(char::is_control), "{cause}");
        Secrets::new([KEY]).assert_not_in(&*error);
        assert_eq!((tokens.requests().len(), api.requests().len()), (1, 0));
    }
}

#[tokio::test]
async fn a_token_endpoint_that_echoes_the_authorization_has_it_taken_out() {
    let (key, secret) = KEYS.vervoe;
    let vervoe = Site::start(|head| {
        let echo = head.headers["authorization"].to_str().unwrap();
        let said = serde_json::json!({ "success": false, "msg": "Who is this?", "errors": echo });
        let mut response = Response::new(AxumBody::from(said.to_string()));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response
    })
    .await;
    let service = Vervoe::new(key, secret).base_url(vervoe.url("")).layer(client()).unwrap().layer(client());
    let error = send(&service, get(&vervoe.url("/jobs"))).await.unwrap_err();
    let cause = auth_error(&error).acquire_error().unwrap().to_string();
    assert!(cause.contains("Who is this?"), "{cause}");
    Secrets::new([key, secret]).assert_not_in(&*error);
    assert_eq!(vervoe.requests().len(), 1);
}

#[tokio::test]
async fn a_token_of_64_kib_is_none_too_many() {
    let long = "x".repeat(64 * 1024);
    let answer = serde_json::json!({ "access_token": long }).to_string();
    let tokens = Site::start(move |_| Response::new(AxumBody::from(answer.clone()))).await;
    let layer = layer(&Site::that_agrees().await, &tokens.url("/token"));
    let lease = layer.tokens().get(std::time::Duration::ZERO).await.unwrap();
    assert_eq!(lease.token().expose_secret(), long);
}

/// What the fakes don't send: header fields twice, bytes that are no UTF-8, and a body in several chunks.
#[tokio::test]
async fn a_rejection_that_could_not_be_helped_is_handed_over_whole() {
    let api = Site::start(|_| {
        let chunks = [&b"\xff\x00{\"not\": "[..], b"json", b""].map(Ok::<_, std::io::Error>);
        let mut response = Response::new(AxumBody::from_stream(futures_util::stream::iter(chunks)));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, HeaderValue::from_static("a=1"));
        headers.append("www-authenticate", HeaderValue::from_static("Bearer realm=\"x\""));
        headers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
        headers.append("x-bytes", HeaderValue::from_bytes(b"\xfe").unwrap());
        response
    })
    .await;
    let first = Arc::new(AtomicBool::new(true));
    let tokens = Site::start(move |_| {
        if first.swap(false, SeqCst) {
            Response::new(AxumBody::from(r#"{"access_token":"the-0nly-token"}"#))
        } else {
            let mut response = Response::new(AxumBody::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    })
    .await;
    let service = layer(&api, &tokens.url("/token")).layer(client());
    let answered = send(&service, get(&api.url("/"))).await.unwrap();
    let bare = send(&client(), get(&api.url("/"))).await.unwrap();
    assert_eq!((answered.status(), answered.head.version), (bare.status(), bare.head.version));
    let headers = |answered: &Answered| {
        let mut headers = answered.head.headers.clone();
        headers.remove("date");
        headers
    };
    assert_eq!(headers(&answered), headers(&bare));
    assert_eq!(answered.head.headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(answered.body, &b"\xff\x00{\"not\": json"[..]);
    let outcome = answered.outcome().unwrap();
    assert_eq!(outcome.verdict(), Verdict::Expired);
    assert_eq!(outcome.error().unwrap().kind(), AuthErrorKind::Unavailable);
    Secrets::new([KEY, "the-0nly-token"]).assert_not_in(outcome.error().unwrap());
    assert_eq!(api.requests().len(), 2, "one of them without the layer");
}
