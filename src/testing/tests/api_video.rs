//! The fake of api.video against its contract.

use std::{collections::HashSet, time::Duration};

use http::{Method, Request, header};

use super::{
    Body, Reply, altered, assert_bodies, assert_refused, empty, get, post_json, send, with, without,
};
use crate::testing::{Announced, ApiVideoError, FakeApiVideo, Revoked, Violation};

const KEY: &str = r#"{"apiKey": "your_api_key"}"#;
const EXPIRED: &str =
    r#"{"type":"about:blank","title":"The access token is invalid or expired.","name":"","status":401}"#;
const SPENT: &str =
    r#"{"type":"about:blank","title":"The refresh token is invalid.","name":"","status":401}"#;
const INCORRECT: &str =
    r#"{"type":"about:blank","title":"The user credentials were incorrect.","name":"","status":400}"#;

fn fake() -> FakeApiVideo {
    FakeApiVideo::new("your_api_key")
}

async fn acquire(fake: &FakeApiVideo) -> Reply {
    send(fake, post_json("https://sandbox.api.video/auth/api-key", KEY)).await
}

async fn refresh(fake: &FakeApiVideo, token: &str) -> Reply {
    let body = format!(r#"{{"refreshToken":"{token}"}}"#);
    send(fake, post_json("https://sandbox.api.video/auth/refresh", &body)).await
}

async fn call(fake: &FakeApiVideo, token: &str) -> Reply {
    send(fake, get("https://sandbox.api.video/videos", token)).await
}

/// The newest access and refresh token.
fn newest(fake: &FakeApiVideo) -> (String, String) {
    (fake.controls().tokens().pop().unwrap(), fake.controls().refresh_tokens().pop().unwrap())
}

#[test]
fn errors_have_the_printed_titles() {
    use ApiVideoError as E;
    let older = |hint: &str| {
        let denied = "The resource owner or authorization server denied the request.";
        format!(
            r#"{{"error":"access_denied","error_description":"{denied}","hint":"{hint}","message":"{denied}"}}"#
        )
    };
    let titled = |status: u16, title: &str| {
        format!(r#"{{"type":"about:blank","title":"{title}","name":"","status":{status}}}"#)
    };
    assert_bodies(
        E::ALL,
        &[
            (E::AccessTokenInvalidOrExpired, 401, EXPIRED),
            (E::RefreshTokenInvalid, 401, SPENT),
            (E::UserCredentialsIncorrect, 400, INCORRECT),
            (E::ApiKeyInvalid, 401, &titled(401, "The API key is invalid.")),
            (E::AuthorizationInvalid, 401, &titled(401, r#"The \"Authorization\" header value is invalid."#)),
            (E::AuthorizationMissing, 401, &titled(401, r#"The \"Authorization\" header is missing."#)),
            (E::UploadTokenInvalidOrExpired, 401, &titled(401, "The upload token is invalid or expired.")),
            (E::UploadTokenMissing, 401, &titled(401, "The upload token is missing.")),
            (E::SuspendedAccount, 403, &titled(403, "Suspended account")),
            (E::TooManyRequests, 429, &titled(429, "Too many requests.")),
            (E::OlderTokenInvalid, 401, &older("Access token is invalid")),
            (E::OlderTokenNotVerified, 401, &older("Access token could not be verified")),
            (E::OlderTokenRevoked, 401, &older("Access token has been revoked")),
        ],
    );
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_as_printed() {
    let fake = fake();
    let reply = acquire(&fake).await;
    let (access, refresh) = newest(&fake);
    reply.is(
        200,
        &format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{access}","refresh_token":"{refresh}"}}"#),
    );
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json");
    assert!(access.starts_with("eyJ") && access.split('.').count() == 3);
    assert!(refresh.starts_with("def502"));
    assert!(access.bytes().chain(refresh.bytes()).all(|byte| byte.is_ascii_graphic()));
    assert_eq!((fake.counts().acquires, fake.counts().refreshes), (1, 0));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn no_two_tokens_are_the_same() {
    let fake = fake();
    for _ in 0..20 {
        acquire(&fake).await;
    }
    let controls = fake.controls();
    assert_eq!(
        controls.tokens().into_iter().chain(controls.refresh_tokens()).collect::<HashSet<_>>().len(),
        40
    );
}

#[tokio::test]
async fn a_wrong_key_is_answered_as_incorrect_credentials() {
    let fake = fake();
    send(&fake, post_json("/auth/api-key", r#"{"apiKey":"other"}"#)).await.is(400, INCORRECT);
    fake.set_api_key("other");
    assert_eq!(send(&fake, post_json("/auth/api-key", r#"{"apiKey":"other"}"#)).await.status, 200);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn an_api_call_is_answered_with_what_the_server_saw() {
    let fake = fake();
    acquire(&fake).await;
    let bearer = format!("Bearer {}", newest(&fake).0);
    let request =
        Request::post("https://sandbox.api.video/videos/%41?x=%2F&x=").header("authorization", bearer);
    let reply = send(&fake, request.body(Body::from("hello")).unwrap()).await;
    let seen = serde_json::json!({
        "method": "POST", "target": "/videos/%41?x=%2F&x=", "bodyLength": 5, "body": "hello",
    });
    assert_eq!(reply.json(), seen);
    assert_eq!(fake.counts().api_accepted, 1);
    fake.assert_no_refusals();
}

#[tokio::test(start_paused = true)]
async fn a_token_expires_after_its_lifetime() {
    let fake = fake();
    acquire(&fake).await;
    let (access, refresh_token) = newest(&fake);
    tokio::time::advance(Duration::from_secs(3599)).await;
    assert_eq!(call(&fake, &access).await.status, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    let reply = call(&fake, &access).await;
    reply.is(401, EXPIRED);
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(refresh(&fake, &refresh_token).await.status, 200);
    assert_eq!(call(&fake, &newest(&fake).0).await.status, 200);
    assert_eq!((fake.counts().api_accepted, fake.counts().api_unauthorised), (2, 1));
}

#[tokio::test]
async fn a_refresh_revokes_the_tokens_before_it() {
    let fake = fake();
    acquire(&fake).await;
    let (first, first_refresh) = newest(&fake);
    let reply = refresh(&fake, &first_refresh).await;
    let (second, second_refresh) = newest(&fake);
    reply.is(
        200,
        &format!(
            r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{second}","refresh_token":"{second_refresh}"}}"#
        ),
    );
    call(&fake, &first).await.is(401, EXPIRED);
    assert_eq!(call(&fake, &second).await.status, 200);
    assert_eq!((fake.counts().acquires, fake.counts().refreshes), (1, 1));
}

#[tokio::test]
async fn a_refresh_token_used_again_kills_its_family_and_no_other() {
    let fake = fake();
    acquire(&fake).await;
    let (other, _) = newest(&fake);
    acquire(&fake).await;
    let (_, rotated) = newest(&fake);
    refresh(&fake, &rotated).await;
    let (current, current_refresh) = newest(&fake);
    refresh(&fake, &rotated).await.is(401, SPENT);
    call(&fake, &current).await.is(401, EXPIRED);
    refresh(&fake, &current_refresh).await.is(401, SPENT);
    assert_eq!(call(&fake, &other).await.status, 200);
    refresh(&fake, "def502aa").await.is(400, INCORRECT);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn revoked_means_what_it_says() {
    for (revoked, refreshed, acquired) in
        [(Revoked::Expired, 200, 200), (Revoked::Invalid, 401, 200), (Revoked::Removed, 401, 400)]
    {
        let fake = fake();
        acquire(&fake).await;
        let (access, refresh_token) = newest(&fake);
        fake.controls().revoke(revoked);
        call(&fake, &access).await.is(401, EXPIRED);
        assert_eq!(refresh(&fake, &refresh_token).await.status, refreshed, "{revoked:?}");
        assert_eq!(acquire(&fake).await.status, acquired, "{revoked:?}");
    }
}

#[tokio::test]
async fn the_key_itself_is_accepted_as_basic() {
    let fake = fake();
    let basic = |value: &'static str| with(empty(Request::get("/videos")), "authorization", value);
    assert_eq!(send(&fake, basic("Basic eW91cl9hcGlfa2V5Og==")).await.status, 200);
    for (value, title) in [
        ("Basic b3RoZXI6", "The API key is invalid."),
        ("Basic eW91cl9hcGlfa2V5OnB3", "The \"Authorization\" header value is invalid."),
        ("Basic !", "The \"Authorization\" header value is invalid."),
        ("Token x", "The \"Authorization\" header value is invalid."),
    ] {
        assert_eq!(send(&fake, basic(value)).await.json()["title"], title, "{value}");
    }
    let missing = send(&fake, empty(Request::get("/videos"))).await;
    assert_eq!(missing.json()["title"], "The \"Authorization\" header is missing.");
    assert_eq!((fake.counts().api_accepted, fake.counts().api_unauthorised), (1, 5));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn expires_in_is_honest_unless_told_otherwise() {
    let fake = fake();
    let controls = fake.controls().clone();
    controls.set_lifetime(Duration::from_millis(1500));
    assert_eq!(acquire(&fake).await.json()["expires_in"], 1.5);
    controls.announce(Announced::Json("\"3599\"".into()));
    assert_eq!(acquire(&fake).await.json()["expires_in"], "3599");
    controls.announce(Announced::Omitted);
    assert!(acquire(&fake).await.json().get("expires_in").is_none());
    controls.announce(Announced::Honest);
    controls.set_lifetime(Duration::MAX);
    acquire(&fake).await;
    assert_eq!(call(&fake, &newest(&fake).0).await.status, 200);
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_refused() {
    let fake = fake();
    let ask = || post_json("/auth/api-key", KEY);
    let renew = || post_json("/auth/refresh", r#"{"refreshToken":"def502"}"#);
    let table = vec![
        (altered(ask(), |request| *request.method_mut() = Method::PUT), Violation::Method(Method::POST)),
        (altered(renew(), |request| *request.method_mut() = Method::GET), Violation::Method(Method::POST)),
        (without(ask(), header::ACCEPT), Violation::Accept),
        (without(ask(), header::CONTENT_TYPE), Violation::MediaType),
        (with(ask(), "authorization", "Bearer x"), Violation::Authorization),
        (with(renew(), "authorization", "Bearer x"), Violation::Authorization),
        (
            with(with(ask(), "authorization", "Bearer x"), "authorization", "Bearer x"),
            Violation::TwoCredentials,
        ),
        (post_json("/auth/api-key?x=1", KEY), Violation::Query),
        (post_json("/auth/api-key", "{"), Violation::MalformedJson),
        (post_json("/auth/api-key", "[]"), Violation::MalformedJson),
        (post_json("/auth/api-key", "{}"), Violation::MissingField("apiKey")),
        (post_json("/auth/api-key", r#"{"apiKey":1}"#), Violation::MissingField("apiKey")),
        (
            post_json("/auth/refresh", r#"{"refresh_token":"def502"}"#),
            Violation::UnexpectedField("refresh_token".into()),
        ),
        (post_json("/auth/other", "{}"), Violation::Path),
        (get("/videos", "x").map(|_| Body::from("x")), Violation::Body),
        (with(get("/videos", "x"), "authorization", "Bearer y"), Violation::TwoCredentials),
        (with(empty(Request::get("/videos")), "x-api-token", "Bearer y"), Violation::WrongHeader),
        (Request::post("/videos").body(Body::from("{\"a\":1}")).unwrap(), Violation::MediaType),
    ];
    let counted = table.len();
    assert_refused(&fake, || fake.refusals(), table).await;
    assert_eq!(fake.counts().refused, counted);
    assert_eq!((fake.counts().acquires, fake.counts().refreshes), (10, 3));
    assert_eq!((fake.counts().api_calls, fake.counts().api_refused), (5, 5));
    assert!(fake.controls().tokens().is_empty());
}

#[tokio::test]
#[should_panic(expected = "POST /auth/api-key: the body lacks apiKey")]
async fn assert_no_refusals_lists_them() {
    let fake = fake();
    send(&fake, post_json("/auth/api-key", "{}")).await;
    fake.assert_no_refusals();
}
