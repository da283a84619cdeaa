//! What is api.video's own: refresh tokens that rotate, and a key to fall back to.

use http::{HeaderValue, Method, StatusCode, header::CONTENT_ENCODING};
use tokio::time::Instant;
use tower::Layer;
use tower_reauth::{
    ApiVideo, AuthErrorKind, RefreshPolicy, Unread, Verdict,
    testing::{Answer, ApiVideoError, Endpoint, FakeApiVideo, Fault, On, Revoked, Times},
};

use crate::support::{KEYS, Secrets, api_video, auth_error, client, get, requests_to, send, send_all};

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_falls_back_to_the_key_in_the_same_flight() {
    let subject = api_video().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    subject.controls.revoke(Revoked::Expired);
    subject.controls.fail(On::Refresh, Times::Next(1), Fault::AnswerLost);

    let answers = send_all(&service, 20, || subject.request()).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (2, 1));
    assert_eq!(subject.counts().most_token_calls_at_once, 1);

    // The lost refresh token is not the newest one that we know.
    subject.controls.revoke(Revoked::Expired);
    assert_eq!(send(&service, subject.request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (2, 2));
    let refreshes = requests_to(Endpoint::Refresh, subject.controls.requests());
    let newest = &subject.controls.refresh_tokens()[2];
    assert_eq!(*refreshes[1].body(), format!(r#"{{"refreshToken":"{newest}"}}"#));
}

#[tokio::test]
async fn a_refresh_token_that_somebody_else_has_spent_falls_back_to_the_key() {
    let subject = api_video().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    let refresh_token = &subject.controls.refresh_tokens()[0];
    let mut theft = get(&subject.served.url("/auth/refresh"));
    *theft.method_mut() = Method::POST;
    *theft.body_mut() = format!(r#"{{"refreshToken":"{refresh_token}"}}"#).into();
    assert_eq!(send(&client(), theft).await.unwrap().status(), StatusCode::OK);
    subject.controls.reset_counts();

    let answers = send_all(&service, 20, || subject.request()).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
    let refreshes = requests_to(Endpoint::Refresh, subject.controls.requests());
    assert_eq!(refreshes[0].answer().unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_key_is_asked_for_once_and_then_fails_fast() {
    let api_video = FakeApiVideo::new("the-right-key");
    let served = api_video.serve().await.unwrap();
    let layer = ApiVideo::sandbox("the-wrong-key").base_url(served.origin()).layer(client()).unwrap();
    let service = layer.layer(client());
    let request = || get(&served.url("/videos"));
    let secrets = Secrets::new(["the-wrong-key", "the-right-key"]);
    let mut answers = send_all(&service, 50, request).await;
    for _ in 0..50 {
        answers.push(send(&service, request()).await);
    }
    for answer in answers {
        let error = answer.unwrap_err();
        let auth = auth_error(&error);
        assert_eq!(auth.kind(), AuthErrorKind::CredentialsRejected);
        assert!(auth.retry_at().is_some());
        let cause = auth.acquire_error().unwrap();
        assert_eq!(cause.status(), Some(StatusCode::BAD_REQUEST));
        assert!(cause.to_string().contains("The user credentials were incorrect."), "{cause}");
        secrets.assert_not_in(&*error);
    }
    assert_eq!((api_video.counts().token_calls(), api_video.counts().api_calls), (1, 0));

    api_video.set_api_key("the-wrong-key");
    assert!(send(&service, request()).await.is_err(), "nobody has said that anything has changed");
    layer.tokens().invalidate();
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(api_video.counts().token_calls(), 2);
    api_video.assert_no_refusals();
}

#[tokio::test]
async fn older_deployments_say_that_a_token_has_expired_in_words_of_their_own() {
    use ApiVideoError as E;
    for error in [E::OlderTokenInvalid, E::OlderTokenNotVerified, E::OlderTokenRevoked] {
        let subject = api_video().await;
        let service = subject.service();
        send(&service, subject.request()).await.unwrap();
        subject.controls.fail(On::Api, Times::Next(1), error);
        let answered = send(&service, subject.request()).await.unwrap();
        assert_eq!(answered.status(), StatusCode::OK, "{error:?}");
        assert!(answered.outcome().unwrap().replayed());
        assert_eq!((subject.counts().acquires, subject.counts().refreshes), (1, 1));
        assert_eq!(subject.counts().api_calls, 3);
    }
}

#[tokio::test]
async fn a_token_endpoint_that_asks_to_be_left_alone_is() {
    let subject = api_video().await;
    let service = subject.service();
    let limited =
        Answer::from(ApiVideoError::TooManyRequests).header("x-ratelimit-retry-after".parse().unwrap(), 60);
    subject.controls.fail(On::Tokens, Times::Next(1), limited);
    for _ in 0..10 {
        let error = send(&service, subject.request()).await.unwrap_err();
        let auth = auth_error(&error);
        assert_eq!(auth.kind(), AuthErrorKind::Unavailable);
        let wait = auth.retry_at().unwrap().saturating_duration_since(Instant::now());
        // No earlier than said, and not all at one instant.
        assert!((55..=66).contains(&wait.as_secs()), "{wait:?}");
    }
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (1, 0));
}

#[tokio::test]
async fn an_encoded_rejection_passes_unread() {
    let subject = api_video().await;
    let service = subject.service();
    send(&service, subject.request()).await.unwrap();
    let encoded = subject
        .expired
        .clone()
        .header(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        .body(&b"\x1f\x8b\x08\x00not for us to look at"[..]);
    subject.controls.fail(On::Api, Times::Next(1), encoded.clone());
    subject.controls.reset_counts();

    let answered = send(&service, subject.request()).await.unwrap();
    answered.assert_is(&encoded);
    let outcome = answered.outcome().unwrap();
    assert_eq!((outcome.unread(), outcome.verdict()), (Some(Unread::Encoded), Verdict::Accepted));
    assert!(!outcome.refreshed() && !outcome.replayed());
    assert_eq!((subject.counts().token_calls(), subject.counts().api_calls), (0, 1));
}

#[tokio::test]
async fn the_key_itself_can_authenticate_without_an_exchange() {
    let api_video = FakeApiVideo::new(KEYS.api_video);
    let served = api_video.serve().await.unwrap();
    let basic = ApiVideo::production(KEYS.api_video).base_url(served.origin()).basic().unwrap();
    let service = basic.into_layer().layer(client());
    let request = || get(&served.url("/videos"));
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);

    api_video.set_api_key("another-key");
    let answered = send(&service, request()).await.unwrap();
    answered.assert_is(&ApiVideoError::ApiKeyInvalid.into());
    assert_eq!(answered.outcome().unwrap().verdict(), Verdict::Denied);
    assert_eq!((api_video.counts().token_calls(), api_video.counts().api_calls), (0, 2));
    api_video.assert_no_refusals();
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_within_the_flight() {
    let subject = api_video().await;
    let service = subject.layer().policy(RefreshPolicy::default().attempts(3)).layer(client());
    subject.controls.fail(On::Tokens, Times::Next(2), Fault::status(StatusCode::BAD_GATEWAY));
    let answers = send_all(&service, 20, || subject.request()).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    assert_eq!((subject.counts().token_calls(), subject.counts().most_token_calls_at_once), (3, 1));
}
