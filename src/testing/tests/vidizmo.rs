//! The fake of VIDIZMO against its contract.

use std::time::Duration;

use http::{Method, Request, header};

use super::{Body, Reply, altered, assert_refused, empty, get, post_json, send, with, without};
use crate::testing::{
    Answer, FakeVidizmo, FinalSlash, On, Revoked, Times, TokenText, VidizmoError, Violation,
};

const AUTHENTICATE: &str = "/api/v1/user/authenticate";
const REFRESH: &str = "/api/v1/user/refresh-access-token";
const LOGOUT: &str = "/api/v1/user/logout";
const CALL: &str = "https://portal.example/api/v1/user/esther.fray%40gmail.com?userPartsToFetch=BasicInfo";
const LOGIN: &str = r#"{"emailAddress":"john.doe@gmail.com","password": "examplepassword"}"#;

fn fake() -> FakeVidizmo {
    FakeVidizmo::password("john.doe@gmail.com", "examplepassword")
}

async fn log_in(fake: &FakeVidizmo) -> String {
    assert_eq!(send(fake, post_json(AUTHENTICATE, LOGIN)).await.status, 200);
    fake.controls().tokens().pop().unwrap()
}

fn bearer(path: &str, token: &str) -> Request<Body> {
    let request = Request::post(path).header("accept", "application/json");
    empty(request.header("authorization", format!("Bearer {token}")))
}

/// Checks an exception's printed body around its id, and hands out the id.
#[track_caller]
fn incident(reply: &Reply, name: &str) -> String {
    let id = reply.json()["incidentId"].as_str().unwrap().to_owned();
    reply.is(400, &format!(r#"{{"name":"{name}","incidentId":"{id}","exceptionDetails":[]}}"#));
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    id
}

#[tokio::test]
async fn every_incident_has_an_id_of_its_own_which_is_the_recorded_one() {
    let fake = fake();
    for error in VidizmoError::ALL {
        fake.controls().fail(On::Api, Times::Next(2), *error);
        let (one, two) = (send(&fake, get(CALL, "x")).await, send(&fake, get(CALL, "x")).await);
        assert_ne!(one.json()["incidentId"], two.json()["incidentId"], "{error:?}");
        assert_eq!(fake.requests().pop().unwrap().answer().map(Answer::bytes), Some(two.body));
    }
    assert_eq!(fake.counts().api_planned, 2 * VidizmoError::ALL.len());
    let details = Answer::from(VidizmoError::ExpiredInDetails).bytes();
    let details: serde_json::Value = serde_json::from_slice(&details).unwrap();
    assert_ne!(details["name"], "ExpiredAccessTokenException");
    assert_eq!(details["exceptionDetails"][0]["name"], "ExpiredAccessTokenException");
}

#[tokio::test]
async fn a_login_is_answered_with_a_bare_string() {
    let fake = fake();
    let reply = send(&fake, post_json(AUTHENTICATE, LOGIN)).await;
    let token = fake.controls().tokens().pop().unwrap();
    reply.is(200, &format!("\"{token}\""));
    assert_eq!(token.len(), 184);
    fake.set_token_text(TokenText::Raw);
    let reply = send(&fake, bearer(REFRESH, &token)).await;
    reply.is(200, &fake.controls().tokens().pop().unwrap());
    fake.assert_no_refusals();
}

#[tokio::test]
async fn the_secret_is_a_password_or_a_client_secret() {
    let by_secret = FakeVidizmo::client_secret("john.doe@gmail.com", "examplepassword");
    let body = r#"{"emailAddress":"john.doe@gmail.com","clientSecret":"examplepassword"}"#;
    assert_eq!(send(&by_secret, post_json(AUTHENTICATE, body)).await.status, 200);
    incident(&send(&by_secret, post_json(AUTHENTICATE, LOGIN)).await, "AuthenticationFailedException");
    incident(&send(&fake(), post_json(AUTHENTICATE, body)).await, "AuthenticationFailedException");
    by_secret.set_secret("other");
    incident(&send(&by_secret, post_json(AUTHENTICATE, body)).await, "AuthenticationFailedException");
    by_secret.assert_no_refusals();
}

#[tokio::test(start_paused = true)]
async fn a_token_expires_after_a_day_and_can_then_be_refreshed() {
    let fake = fake();
    let token = log_in(&fake).await;
    let reply = send(&fake, get(CALL, &token)).await;
    assert_eq!(reply.json()["target"], "/api/v1/user/esther.fray%40gmail.com?userPartsToFetch=BasicInfo");
    tokio::time::advance(Duration::from_secs(24 * 3600)).await;
    let first = incident(&send(&fake, get(CALL, &token)).await, "ExpiredAccessTokenException");
    assert_ne!(first, incident(&send(&fake, get(CALL, &token)).await, "ExpiredAccessTokenException"));
    assert_eq!(send(&fake, bearer(REFRESH, &token)).await.status, 200);
    let renewed = fake.controls().tokens().pop().unwrap();
    assert_eq!(send(&fake, get(CALL, &renewed)).await.status, 200);
    assert_eq!((fake.counts().acquires, fake.counts().refreshes, fake.counts().api_unauthorised), (1, 1, 2));
    fake.assert_no_refusals();
}

#[tokio::test]
async fn a_logout_expires_the_token_for_good() {
    let fake = fake();
    let token = log_in(&fake).await;
    assert_eq!(send(&fake, bearer(LOGOUT, &token)).await.status, 200);
    incident(&send(&fake, get(CALL, &token)).await, "ExpiredAccessTokenException");
    incident(&send(&fake, bearer(REFRESH, &token)).await, "InvalidAccessTokenException");
    assert_eq!(send(&fake, get(CALL, &log_in(&fake).await)).await.status, 200);
    assert_eq!(fake.counts().logouts, 1);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn revoked_means_what_it_says() {
    for (revoked, exception, refreshed, acquired) in [
        (Revoked::Expired, "ExpiredAccessTokenException", 200, 200),
        (Revoked::Invalid, "InvalidAccessTokenException", 400, 200),
        (Revoked::Removed, "InvalidAccessTokenException", 400, 400),
    ] {
        let fake = fake();
        let token = log_in(&fake).await;
        fake.controls().revoke(revoked);
        incident(&send(&fake, get(CALL, &token)).await, exception);
        assert_eq!(send(&fake, bearer(REFRESH, &token)).await.status, refreshed, "{revoked:?}");
        assert_eq!(send(&fake, post_json(AUTHENTICATE, LOGIN)).await.status, acquired, "{revoked:?}");
    }
    incident(&send(&fake(), empty(Request::get(CALL))).await, "InvalidAccessTokenException");
}

#[tokio::test]
async fn the_refresh_path_has_the_slash_that_was_set() {
    for (slash, without, with) in
        [(FinalSlash::Without, 200, 404), (FinalSlash::With, 404, 200), (FinalSlash::Either, 200, 200)]
    {
        let fake = fake();
        fake.set_refresh_path(slash);
        let token = log_in(&fake).await;
        assert_eq!(send(&fake, bearer(REFRESH, &token)).await.status, without, "{slash:?}");
        assert_eq!(send(&fake, bearer(&format!("{REFRESH}/"), &token)).await.status, with, "{slash:?}");
        assert_eq!(fake.counts().refreshes, 2);
    }
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_refused() {
    let fake = fake();
    let login = || post_json(AUTHENTICATE, LOGIN);
    let both = r#"{"emailAddress":"john.doe@gmail.com","password":"a","clientSecret":"b"}"#;
    let table = vec![
        (post_json(AUTHENTICATE, both), Violation::BothSecrets),
        (post_json(AUTHENTICATE, r#"{"emailAddress":"a"}"#), Violation::MissingField("password")),
        (post_json(AUTHENTICATE, r#"{"password":"a"}"#), Violation::MissingField("emailAddress")),
        (altered(login(), |request| *request.method_mut() = Method::GET), Violation::Method(Method::POST)),
        (without(login(), header::ACCEPT), Violation::Accept),
        (without(login(), header::CONTENT_TYPE), Violation::MediaType),
        (with(login(), "authorization", "Bearer x"), Violation::Authorization),
        (post_json("/api/v1/user/authenticate/", LOGIN), Violation::Path),
        (get(REFRESH, "x"), Violation::Method(Method::POST)),
        (without(bearer(REFRESH, "x"), header::ACCEPT), Violation::Accept),
        (with(empty(Request::post(LOGOUT)), "authorization", "Basic eDp5"), Violation::WrongScheme),
        (bearer(REFRESH, "x").map(|_| Body::from("x")), Violation::Body),
        (with(get(CALL, "x"), "authorization", "Bearer x"), Violation::TwoCredentials),
    ];
    assert_refused(&fake, || fake.refusals(), table).await;
}
