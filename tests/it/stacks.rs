//! The layer among others: a timeout and retries above it, and requests that must arrive as they were made.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use tower::{Layer, ServiceBuilder, retry::Policy, timeout::error::Elapsed};
use tower_reauth::{
    AuthError, AuthErrorKind, BoxError, Exempt, NotReplayed,
    client::ClientError,
    testing::{Endpoint, Fault, On, Recorded, Revoked, Times},
};

use crate::support::{
    Body, Gate, Subject, api_video, auth_error, client, gated, get, requests_to, send, send_all, until,
    vervoe, vidizmo,
};

/// Repeats what was answered with a 5xx, up to twice.
#[derive(Clone)]
struct Retry(usize);

impl<R> Policy<Request<Body>, Response<R>, BoxError> for Retry {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<R>, BoxError>,
    ) -> Option<Ready<()>> {
        let failed = result.as_ref().is_ok_and(|response| response.status().is_server_error());
        self.0 = self.0.checked_sub(usize::from(failed))?;
        failed.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn a_timeout_and_retries_above_the_layer_work() {
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let service = ServiceBuilder::new()
            .timeout(Duration::from_secs(5))
            .retry(Retry(2))
            .layer(subject.layer())
            .service(client());
        subject.controls.fail(On::Api, Times::Next(2), Fault::status(StatusCode::BAD_GATEWAY));
        assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
        assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 3));

        // Each of the layer's two sends may fail; the replay is not counted as a retry, nor the other way round.
        subject.controls.revoke(Revoked::Expired);
        subject.controls.reset_counts();
        let answers = send_all(&service, 20, || subject.request()).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
        assert_eq!((subject.renewals(), subject.counts().token_calls()), (1, 1));
        let counts = subject.counts();
        assert_eq!((counts.api_accepted, counts.api_calls), (20, 20 + counts.api_unauthorised));
    }
}

#[tokio::test]
async fn a_timeout_above_the_layer_covers_the_wait_for_the_token() {
    let (subject, answer) = (api_video().await, Gate::new());
    let layer = subject.layer_over(gated(&answer));
    let service = ServiceBuilder::new()
        .timeout(Duration::from_millis(50))
        .retry(Retry(2))
        .layer(layer.clone())
        .service(client());
    answer.hold(1);
    for answer in send_all(&service, 10, || subject.request()).await {
        assert!(answer.unwrap_err().is::<Elapsed>());
    }
    // What was begun goes on, for those who come later.
    answer.release(1);
    until(|| layer.tokens().try_get().is_some()).await;
    assert_eq!(send(&layer.layer(client()), subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 1));
}

/// A request with everything that could get lost: a target with escapes, duplicate headers, some bytes of each kind.
fn elaborate(subject: &Subject, body: &'static [u8], media_type: &'static str) -> Request<Body> {
    let mut request =
        Request::post(subject.served.url("/a%2Fb/%C3%BC/..%2f?q=a+b%20c&&empty=&q=%00#fragment"))
            .header("content-type", media_type)
            .header("accept", "application/json")
            .header("x-twice", "first")
            .header("x-other", "between")
            .header("x-twice", "second")
            .header("x-twice", "first")
            .header("cookie", "a=b; c=d")
            .header("user-agent", "elaborate/1.0")
            .body(Body::from(body))
            .unwrap();
    request.headers_mut().append("x-bytes", HeaderValue::from_bytes(b"caf\xe9 \xf0\x9f\x8e\xac").unwrap());
    request.headers_mut().append("x-empty", HeaderValue::from_static(""));
    request
}

#[track_caller]
fn assert_same_apart_from_the_token(requests: &[Recorded]) {
    let [original, replay] = requests else { panic!("two sends, not {requests:?}") };
    let headers = |request: &Recorded| {
        let mut headers = request.headers().clone();
        assert_eq!(headers.get_all("authorization").iter().count(), 1);
        let token = headers.remove("authorization").unwrap();
        (headers, token)
    };
    let ((first, old), (second, new)) = (headers(original), headers(replay));
    assert_ne!(old, new);
    assert_eq!(first, second);
    let twice: Vec<_> = second.get_all("x-twice").iter().collect();
    assert_eq!(twice, ["first", "second", "first"]);
    assert_eq!(second["x-bytes"], &b"caf\xe9 \xf0\x9f\x8e\xac"[..]);
    assert_eq!(second["x-empty"], "");
    assert_eq!(replay.target(), "/a%2Fb/%C3%BC/..%2f?q=a+b%20c&&empty=&q=%00");
    assert_eq!((original.uri(), original.method()), (replay.uri(), replay.method()));
    assert_eq!((original.version(), replay.version()), (Version::HTTP_11, Version::HTTP_11));
    assert_eq!((original.body(), original.trailers()), (replay.body(), replay.trailers()));
}

#[tokio::test]
async fn a_post_is_replayed_byte_for_byte_apart_from_the_token() {
    static LARGE: [u8; 300_000] = [b'\xff'; 300_000];
    let bodies: [(&'static [u8], _); 4] = [
        (b"", "application/octet-stream"),
        (b"\x00\r\n\r\n\xffnot utf-8", "application/octet-stream"),
        ("{ \"größe\" : 1.0e2,  \"a\":[ ] }\n".as_bytes(), "application/json"),
        (&LARGE, "video/mp4"),
    ];
    for subject in [api_video().await, vidizmo().await, vervoe().await] {
        let service = subject.service();
        send(&service, subject.request()).await.unwrap();
        for (body, media_type) in bodies {
            subject.controls.revoke(Revoked::Expired);
            subject.controls.reset_counts();
            let answered = send(&service, elaborate(&subject, body, media_type)).await.unwrap();
            assert_eq!(answered.status(), StatusCode::OK);
            assert!(answered.outcome().unwrap().replayed());
            let requests = requests_to(Endpoint::Api, subject.controls.requests());
            assert_same_apart_from_the_token(&requests);
            assert_eq!((requests[1].method(), requests[1].body().len()), (&Method::POST, body.len()));
            assert_eq!(requests[1].body(), body);
        }
    }
}

#[tokio::test]
async fn odd_targets_are_replayed_as_they_were() {
    let subject = vidizmo().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    for target in
        ["", "/", "//", "/?", "/a//b/../c/.", "/a;b=c/'~!$&()*+,=:@", "/%7e?%zz", "/?a?b/c", "/x?&&=&"]
    {
        subject.controls.revoke(Revoked::Expired);
        subject.controls.reset_counts();
        let answered = send(&service, get(&subject.served.url(target))).await.unwrap();
        assert!(answered.outcome().unwrap().replayed(), "{target:?}");
        let requests = requests_to(Endpoint::Api, subject.controls.requests());
        let seen: Vec<_> = requests.iter().map(Recorded::target).collect();
        let expected = if target.is_empty() { "/" } else { target };
        assert_eq!(seen, [expected, expected]);
    }
}

#[tokio::test]
async fn what_may_not_be_replayed_is_sent_once_and_its_token_replaced_for_the_next() {
    let subject = api_video().await;
    let layer = subject.layer();
    let (service, cautious) = (layer.layer(client()), layer.clone().no_replay().layer(client()));
    send(&service, subject.request()).await.unwrap();
    for is_exempt in [true, false] {
        let last = layer.tokens().try_get().unwrap().generation();
        subject.controls.revoke(Revoked::Expired);
        subject.controls.reset_counts();
        let mut request = subject.request();
        let answered = if is_exempt {
            request.extensions_mut().insert(Exempt::FromReplay);
            send(&service, request).await.unwrap()
        } else {
            send(&cautious, request).await.unwrap()
        };
        answered.assert_is(&subject.expired);
        let outcome = answered.outcome().unwrap();
        assert!(outcome.refreshed() && !outcome.replayed(), "{outcome:?}");
        assert!(matches!(outcome.not_replayed(), Some(NotReplayed::Exempt | NotReplayed::Body)));
        until(|| layer.tokens().try_get().is_some_and(|lease| lease.generation() > last)).await;
        assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
        assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 2));
    }
}

#[tokio::test]
async fn a_replay_that_breaks_off_is_an_error_of_the_client_and_not_tried_again() {
    let subject = api_video().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    subject.controls.fail(On::Api, Times::Next(1), subject.expired.clone());
    subject.controls.fail(On::Api, Times::Next(1), Fault::AnswerLost);
    subject.controls.reset_counts();
    let error = send(&service, subject.request()).await.unwrap_err();
    assert!(error.is::<ClientError>(), "{error:?}");
    assert!(AuthError::find(&*error).is_none());
    subject.secrets().assert_not_in(&*error);
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 2));
}

#[tokio::test]
async fn a_failing_token_endpoint_is_not_hammered_by_retries_above() {
    let subject = vervoe().await;
    let service = ServiceBuilder::new().retry(Retry(2)).layer(subject.layer()).service(client());
    subject.controls.fail(On::Tokens, Times::UntilCleared, Fault::status(StatusCode::UNAUTHORIZED));
    for _ in 0..20 {
        let error = send(&service, subject.request()).await.unwrap_err();
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::CredentialsRejected);
    }
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 0));
}
