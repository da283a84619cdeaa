//! `proxy`: the token, who may ask, what goes through, and how it ends.

mod docs;
mod ending;
mod failures;
mod git;
mod guard;
mod headers;
mod health;
mod idle;
mod keys;
mod limits;
mod metrics;
mod reload;
mod smuggling;
mod sockets;
mod stalling;
mod streams;
mod targets;
mod upgrades;
mod upstreams;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use tokio::task::JoinSet;
use tower_reauth::testing::{
    Answer, ApiVideoError, FakeApiVideo, FakeVidesk, FakeVidizmo, Fault, On, Revoked, Served, Times,
    VidizmoError,
};

use crate::support::{
    client::{get, raw, send, status},
    process::{Program, Proxy},
    server::Raw,
    soon, until,
};

const KEY: &str = "a-key-that-nobody-may-see";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// api.video's fake, and a proxy that is about to be started for it.
async fn api_video() -> (FakeApiVideo, Served, Program) {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let program = Program::proxy().args("--vendor api-video --key env:KEY -v").secret("KEY", KEY);
    let program = program.arg("--base-url").arg(served.origin());
    (fake, served, program)
}

/// A proxy for a server that takes any key.
fn before(origin: &str) -> Program {
    with_key(Program::proxy(), origin)
}

fn with_key(proxy: Program, origin: &str) -> Program {
    proxy.args("--vendor videsk --key env:KEY --base-url").arg(origin).secret("KEY", KEY)
}

#[tokio::test]
async fn whoever_calls_it_calls_the_vendor_with_a_token() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    for _ in 0..3 {
        let response = get(&proxy.url("/videos?title=a%20b")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(String::from_utf8_lossy(response.body()).contains(r#""target":"/videos?title=a%20b""#));
    }
    let counts = fake.counts();
    assert_eq!((counts.token_calls(), counts.api_calls, counts.api_accepted), (1, 3, 3));
    fake.assert_no_refusals();
    let log = proxy.stop().await;
    // Without the query, and with the token's number instead of the token.
    assert!(log.contains("GET /videos: 200 OK in ") && log.contains(", token 1"), "{log}");
    assert!(!log.contains("a%20b") && !log.contains(&fake.controls().tokens()[0]), "{log}");
}

#[tokio::test]
async fn a_token_that_expires_in_use_is_replaced_and_the_requests_sent_again() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    assert_eq!(get(&proxy.url("/videos")).await.status(), 200);
    fake.controls().revoke(Revoked::Expired);
    fake.controls().reset_counts();
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let request = Request::post(proxy.url("/videos")).header("content-type", "application/json");
        calls.spawn(send(request.body(Full::from(format!("[{number}]"))).unwrap()));
    }
    let bodies: Vec<_> = calls
        .join_all()
        .await
        .into_iter()
        .map(|response| {
            assert_eq!(response.status(), 200);
            String::from_utf8(response.into_body().to_vec()).unwrap()
        })
        .collect();
    for number in 0..20 {
        assert!(bodies.iter().any(|body| body.contains(&format!(r#""body":"[{number}]""#))), "{number}");
    }
    let counts = fake.counts();
    assert_eq!((counts.refreshes, counts.acquires, counts.most_token_calls_at_once), (1, 0, 1));
    assert_eq!(counts.api_accepted, 20);
    fake.assert_no_refusals();
    let log = proxy.stop().await;
    assert!(log.contains(", token 2, Accepted, replayed"), "{log}");
}

/// What a client says that it can decode must not keep the layer from reading a 400.
#[tokio::test]
async fn expiry_is_seen_whatever_codings_the_client_takes() {
    let fake = FakeVidizmo::password("john@example.com", KEY);
    let served = fake.serve().await.unwrap();
    let program = Program::proxy().args("--vendor vidizmo --domain d.example --email john@example.com");
    let program = program.args("--password env:KEY --base-url").arg(served.origin()).secret("KEY", KEY);
    let proxy = Proxy::start(program).await;
    fake.controls().fail(On::Api, Times::Next(1), VidizmoError::ExpiredAccessToken);
    let request = Request::get(proxy.url("/x")).header("accept-encoding", "gzip, br");
    assert_eq!(send(request.body(Full::default()).unwrap()).await.status(), 200);
    assert_eq!((fake.counts().refreshes, fake.counts().api_calls), (1, 2));
    let seen = fake.requests();
    assert_eq!(seen.last().unwrap().headers()["accept-encoding"], "identity");
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn a_body_longer_than_the_limit_is_sent_once_and_the_next_request_has_a_new_token() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program.args("--replay-limit 1000")).await;
    let upload = |length: usize| {
        let request = Request::post(proxy.url("/upload")).header("content-type", "video/mp4");
        send(request.body(Full::from(vec![b'x'; length])).unwrap())
    };
    for (length, expected) in [(1001, 401), (1000, 200)] {
        // A token that was accepted, so that its rejection is no reason to pause.
        assert_eq!(upload(1).await.status(), 200);
        let refreshes = fake.counts().refreshes;
        fake.controls().fail(On::Api, Times::Next(1), ApiVideoError::AccessTokenInvalidOrExpired);
        assert_eq!(upload(length).await.status(), expected, "{length}");
        until("a new token", || fake.counts().refreshes > refreshes).await;
    }
    let log = proxy.stop().await;
    assert!(log.contains("401 Unauthorized") && log.contains("Expired, not replayed: BodyTooLong"), "{log}");
    fake.assert_no_refusals();
}

#[tokio::test]
async fn http_2_without_tls_is_taken_as_well() {
    let (fake, _served, program) = api_video().await;
    let proxy = Proxy::start(program).await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    let request = Request::builder().method(Method::GET).uri(proxy.url("/videos?a=b"));
    let response = soon(client.request(request.body(Full::default()).unwrap())).await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, http::Version::HTTP_2));
    let seen = fake.requests().pop().unwrap();
    assert_eq!(
        (seen.target(), &seen.headers()["via"]),
        ("/videos?a=b", &"2.0 tower-reauth".parse().unwrap())
    );
    drop((response, client));
    fake.assert_no_refusals();
    proxy.stop().await;
}
