//! What a test plans to go wrong, and when it does.

use std::{io, time::Duration};

use http::{HeaderValue, Method, Request, StatusCode, header::RETRY_AFTER};
use tokio::time::{Instant, timeout};
use tower::ServiceExt;

use super::{Body, empty, get, post_json, send};
use crate::testing::{Answer, ApiVideoError, Endpoint, FakeApiVideo, FakeVidizmo, Fault, On, Times};

fn ask() -> Request<Body> {
    post_json("/auth/api-key", r#"{"apiKey":"key"}"#)
}

fn renew(token: &str) -> Request<Body> {
    post_json("/auth/refresh", &format!(r#"{{"refreshToken":"{token}"}}"#))
}

fn newest_refresh(fake: &FakeApiVideo) -> String {
    fake.controls().refresh_tokens().pop().unwrap()
}

#[tokio::test]
async fn plans_are_used_in_order_and_each_as_often_as_planned() {
    let fake = FakeApiVideo::new("key");
    let controls = fake.controls();
    let busy = Answer::new(StatusCode::SERVICE_UNAVAILABLE).header(RETRY_AFTER, 3);
    controls.fail(On::Refresh, Times::UntilCleared, Fault::status(StatusCode::FORBIDDEN));
    controls.fail(On::Tokens, Times::Next(0), Fault::Hang);
    controls.fail(On::Tokens, Times::Next(2), busy);
    controls.fail(On::Acquire, Times::Next(1), ApiVideoError::TooManyRequests);
    controls.fail(On::Acquire, Times::Next(1), Fault::Malformed);
    for _ in 0..2 {
        let reply = send(&fake, ask()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers[RETRY_AFTER]),
            (503, &HeaderValue::from_static("3"))
        );
        assert_eq!(send(&fake, renew("x")).await.status, 403);
    }
    let reply = send(&fake, ask()).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.headers["x-ratelimit-retry-after"]),
        (429, &"1".parse().unwrap())
    );
    let reply = send(&fake, ask()).await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
    assert!(controls.tokens().is_empty(), "none of them took effect");
    assert_eq!(send(&fake, ask()).await.status, 200);
    controls.clear();
    assert_eq!(send(&fake, renew(&newest_refresh(&fake))).await.status, 200);
    assert_eq!((fake.counts().acquires, fake.counts().refreshes), (5, 3));
}

#[tokio::test]
async fn a_planned_answer_reaches_api_calls_whatever_their_token_is() {
    let fake = FakeApiVideo::new("key");
    send(&fake, ask()).await;
    let token = fake.controls().tokens().pop().unwrap();
    let broken = On::Path("/broken".into());
    fake.controls().fail(broken, Times::UntilCleared, ApiVideoError::AccessTokenInvalidOrExpired);
    fake.controls().fail(On::Api, Times::Next(1), ApiVideoError::SuspendedAccount);
    assert_eq!(send(&fake, get("/broken?a", &token)).await.status, 401);
    let reply = send(&fake, get("/videos", "x")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.body),
        (403, Answer::from(ApiVideoError::SuspendedAccount).bytes())
    );
    assert_eq!(send(&fake, get("/videos", &token)).await.status, 200);
    assert_eq!(send(&fake, get("/broken", &token)).await.status, 401);
    let counts = fake.counts();
    assert_eq!(
        (counts.api_calls, counts.api_planned, counts.api_accepted, counts.api_unauthorised),
        (4, 3, 1, 0)
    );
}

#[tokio::test]
async fn a_lost_answer_has_taken_effect_and_a_lost_request_has_not() {
    let fake = FakeApiVideo::new("key");
    send(&fake, ask()).await;
    let spent = newest_refresh(&fake);
    fake.controls().fail(On::Refresh, Times::Next(1), Fault::RequestLost);
    fake.controls().fail(On::Refresh, Times::Next(1), Fault::AnswerLost);
    let error = fake.clone().oneshot(renew(&spent)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(newest_refresh(&fake), spent);
    fake.clone().oneshot(renew(&spent)).await.unwrap_err();
    assert_ne!(newest_refresh(&fake), spent);
    assert!(fake.requests().pop().unwrap().answer().is_none());
    assert_eq!(send(&fake, renew(&spent)).await.status, 401, "it was rotated");
    assert_eq!(send(&fake, ask()).await.status, 200);
}

#[tokio::test]
async fn the_same_token_again_stays_what_it_was() {
    let fake = FakeApiVideo::new("key");
    fake.controls().fail(On::Tokens, Times::Next(1), Fault::SameToken);
    send(&fake, ask()).await;
    let (token, refresh) = (fake.controls().tokens(), newest_refresh(&fake));
    assert_eq!(token.len(), 1, "the first one has no predecessor");
    fake.controls().fail(On::Tokens, Times::Next(2), Fault::SameToken);
    let reply = send(&fake, renew(&refresh)).await;
    assert_eq!(reply.json()["access_token"], *token[0]);
    assert_ne!(reply.json()["refresh_token"], *refresh);
    assert_eq!(send(&fake, ask()).await.json()["access_token"], *token[0]);
    assert_eq!(send(&fake, get("/videos", &token[0])).await.status, 200);
    assert_ne!(send(&fake, ask()).await.json()["access_token"], *token[0]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_never_ends_and_counts_as_in_flight_until_dropped() {
    let fake = FakeApiVideo::new("key");
    fake.controls().fail(On::Tokens, Times::Next(1), Fault::Hang);
    assert!(timeout(Duration::from_secs(3600), send(&fake, ask())).await.is_err());
    send(&fake, ask()).await;
    assert_eq!((fake.counts().acquires, fake.counts().most_token_calls_at_once), (2, 1));
    assert_eq!(fake.controls().tokens().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_call_takes_effect_when_it_arrives() {
    let fake = FakeApiVideo::new("key");
    let controls = fake.controls();
    controls.set_lifetime(Duration::from_secs(10));
    controls.delay(On::Acquire, Times::Next(1), Duration::from_secs(4));
    let begun = Instant::now();
    send(&fake, ask()).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(4));
    let token = controls.tokens().pop().unwrap();
    controls.delay(On::Api, Times::Next(1), Duration::from_secs(60));
    assert_eq!(send(&fake, get("/videos", &token)).await.status, 200, "it was valid on arrival");
    assert_eq!(send(&fake, get("/videos", &token)).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn the_most_at_once_are_counted_for_tokens_and_for_the_api() {
    let fake = FakeApiVideo::new("key");
    let controls = fake.controls();
    controls.delay(On::Tokens, Times::UntilCleared, Duration::from_secs(1));
    controls.spread(On::Api, Times::UntilCleared, Duration::from_millis(200));
    let calls = (0..10).map(|call| {
        let request = if call < 3 { ask() } else { get("/videos", "x") };
        tokio::spawn(fake.clone().oneshot(request))
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let counts = fake.counts();
    assert_eq!((counts.most_token_calls_at_once, counts.most_api_calls_at_once), (3, 7));
    controls.reset_counts();
    assert_eq!(fake.counts(), crate::testing::Counts::default());
    assert!(fake.requests().is_empty());
    assert_eq!(controls.tokens().len(), 3, "tokens are no counts");
}

#[tokio::test]
async fn requests_are_recorded_as_they_were() {
    let fake = FakeVidizmo::password("a@b.c", "p");
    let mut request = get("https://portal.example/x/%2F?a=%20", "t");
    request.headers_mut().append("x-many", HeaderValue::from_static("1"));
    request.headers_mut().append("x-many", HeaderValue::from_static("2"));
    *request.method_mut() = Method::PATCH;
    *request.body_mut() = Body::from("patch");
    send(&fake, request).await;
    for _ in 0..1023 {
        send(&fake, get("/other", "t")).await;
    }
    let first = fake.requests().swap_remove(0);
    assert_eq!(
        (first.endpoint(), first.method(), first.target()),
        (Endpoint::Api, &Method::PATCH, "/x/%2F?a=%20")
    );
    assert_eq!(first.uri(), "https://portal.example/x/%2F?a=%20");
    assert_eq!(first.headers().get_all("x-many").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(first.body(), "patch");
    let shown = format!("{first:?} {fake:?}");
    assert!(!shown.contains("Bearer") && !shown.contains("patch"), "{shown}");
    send(&fake, empty(Request::get("/last"))).await;
    let requests = fake.requests();
    assert_eq!((requests.len(), requests[1023].target()), (1024, "/last"));
}
