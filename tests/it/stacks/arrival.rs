//! Requests must arrive as they were made, also the second time; what may not be replayed is sent once.

use http::{HeaderValue, Method, Request, StatusCode, Version};
use tower::Layer;
use tower_reauth::{
    AuthError, Exempt, NotReplayed,
    client::ClientError,
    testing::{Endpoint, Fault, On, Recorded, Revoked, Times},
};

use crate::support::{Body, Subject, api_video, client, get, requests_to, send, until, vervoe, vidizmo};

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
