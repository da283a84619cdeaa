//! Requests that no contract knows: each is answered, within bounds.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri};
use http_body::Frame;
use tower::ServiceExt;

use super::{Body, empty, post_json, send};
use crate::testing::{Controls, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Served, Violation};

#[test]
fn handles_can_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>() {}
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<FakeApiVideo>();
    shared::<FakeVidesk>();
    shared::<FakeVidizmo>();
    shared::<FakeVervoe>();
    shared::<Controls>();
    anywhere::<Served>();
    let _ = crate::transport::Transport::new::<_, Body, _>(FakeVidesk::new());
}

#[tokio::test]
async fn odd_requests_are_answered() {
    let fakes = (
        FakeApiVideo::new("key"),
        FakeVidesk::new(),
        FakeVidizmo::password("a", "b"),
        FakeVervoe::new("key", "secret"),
    );
    for target in
        ["*", "/", "", "a.test:443", "//", "/auth/refresh", "/api/v1/user/logout/", "/reports/exports/"]
    {
        for value in
            [&b"Bearer"[..], b"Bearer ", b"Basic ", b"Basic /w==", b"\xff", b" ", b"Bearer \xc3\xa9", b""]
        {
            for method in [Method::OPTIONS, Method::POST, Method::CONNECT] {
                let request = || {
                    let mut request = empty(Request::builder().method(method.clone()));
                    *request.uri_mut() = target.parse().unwrap_or(Uri::from_static("/"));
                    let value = HeaderValue::from_bytes(value).unwrap();
                    request.headers_mut().insert("authorization", value.clone());
                    request.headers_mut().insert("accept", value);
                    request
                };
                for status in [
                    send(&fakes.0, request()).await.status,
                    send(&fakes.1, request()).await.status,
                    send(&fakes.2, request()).await.status,
                    send(&fakes.3, request()).await.status,
                ] {
                    assert!(status.is_client_error(), "{target} {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn deep_json_and_other_bytes_are_malformed() {
    let fake = FakeApiVideo::new("key");
    for body in [&"[".repeat(100_000), "\u{feff}{}", "", "null", "{\"apiKey\":\"\\ud800\"}"] {
        send(&fake, post_json("/auth/api-key", body)).await;
        assert_eq!(fake.refusals().pop().unwrap().violation(), &Violation::MalformedJson);
    }
}

#[tokio::test]
async fn bodies_are_capped() {
    let fake = FakeApiVideo::new("key");
    fake.controls().set_body_limit(4);
    let call = |body: &'static str| Request::post("/videos").body(Body::from(body)).unwrap();
    assert_eq!(send(&fake, call("1234")).await.status, 401);
    assert_eq!(send(&fake, call("12345")).await.status, 413);
    assert_eq!(fake.refusals()[0].violation(), &Violation::BodyTooLong);
    assert_eq!(fake.requests().len(), 2);
}

/// A body that breaks off.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other("broken off"))))
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_still_counted() {
    let fake = FakeVervoe::new("key", "secret");
    let error = fake.clone().oneshot(Request::post("/jobs").body(Broken).unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "broken off");
    assert_eq!(fake.counts().api_calls, 1);
}
