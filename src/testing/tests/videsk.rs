//! The fake of Videsk against its contract.

use std::time::Duration;

use http::{Method, Request, header};

use super::{Body, Reply, assert_bodies, assert_refused, empty, get, send, with};
use crate::testing::{FakeVidesk, Revoked, VideskError, Violation};

const SEGMENTS: &str = "https://api.videsk.io/public/video-contact-center/segments";
const EXPIRED: &str = r#"{"name":"NotAuthenticated","message":"jwt expired","code":401,"className":"not-authenticated","errors":{}}"#;

async fn call(fake: &FakeVidesk, key: &str) -> Reply {
    send(fake, get(SEGMENTS, key)).await
}

fn export(key: &str) -> Request<Body> {
    empty(
        Request::post("https://api.videsk.io/reports/exports/calls")
            .header("x-api-token", format!("Bearer {key}")),
    )
}

#[test]
fn errors_have_the_printed_bodies() {
    use VideskError as E;
    let unauthenticated = |message: &str| {
        format!(
            r#"{{"name":"NotAuthenticated","message":"{message}","code":401,"className":"not-authenticated","errors":{{}}}}"#
        )
    };
    assert_bodies(
        E::ALL,
        &[
            (E::JwtExpired, 401, EXPIRED),
            (E::InvalidSignature, 401, &unauthenticated("invalid signature")),
            (E::JwtMalformed, 401, &unauthenticated("jwt malformed")),
            (E::JwtRequired, 401, &unauthenticated("Authorization header with valid JWT is required.")),
            (
                E::UnexpectedToken,
                401,
                &unauthenticated("Unexpected token \u{ef}\u{bf}\u{bd} in JSON at position 6"),
            ),
            (E::JwtNotActive, 401, &unauthenticated("jwt not active")),
            (E::InvalidToken, 401, &unauthenticated("invalid token")),
            (E::AppointmentOver, 401, &unauthenticated("The token is not valid any more.")),
            (
                E::KeyRemoved,
                403,
                r#"{"name":"Forbidden","message":"The integration token it's invalid or was removed.","code":403,"className":"forbidden","errors":{}}"#,
            ),
            (
                E::NoAccess,
                403,
                r#"{"name":"Forbidden","message":"You don't have access to /public/video-contact-center/segments. Please contact to your administrator.","code":403,"className":"forbidden","errors":{}}"#,
            ),
            (
                E::Html,
                401,
                "<!DOCTYPE html><html><body><h1>NotAuthenticated</h1><p>jwt expired</p></body></html>",
            ),
        ],
    );
}

#[tokio::test]
async fn keys_are_accepted_until_revoked() {
    for (revoked, status, message) in [
        (Revoked::Expired, 401, "jwt expired"),
        (Revoked::Invalid, 401, "invalid signature"),
        (Revoked::Removed, 403, "The integration token it's invalid or was removed."),
    ] {
        let fake = FakeVidesk::new();
        let key = fake.key();
        assert_eq!(call(&fake, &key).await.status, 200);
        fake.controls().revoke(revoked);
        let reply = call(&fake, &key).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["message"]), (status, &message.into()));
        let minted = fake.mint();
        assert_eq!(call(&fake, &minted).await.status, 200);
        assert_eq!(call(&fake, &key).await.status.as_u16(), status, "the former key stays as it was");
        assert_eq!(fake.accepted_keys(), [minted]);
        assert_eq!((fake.counts().acquires, fake.counts().api_unauthorised), (1, 2));
        fake.assert_no_refusals();
    }
}

#[tokio::test(start_paused = true)]
async fn a_minted_key_expires_after_its_lifetime_and_the_first_one_never() {
    let fake = FakeVidesk::new();
    let first = fake.key();
    fake.controls().set_lifetime(Duration::from_secs(5));
    let minted = fake.mint();
    tokio::time::advance(Duration::from_secs(5)).await;
    call(&fake, &minted).await.is(401, EXPIRED);
    assert_eq!(call(&fake, &first).await.status, 200);
}

#[tokio::test]
async fn unknown_keys_are_answered_by_what_is_wrong_with_them() {
    let fake = FakeVidesk::new();
    for (value, message) in [
        ("Bearer nonsense", "jwt malformed"),
        ("Bearer a.b.c", "Unexpected token \u{ef}\u{bf}\u{bd} in JSON at position 6"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "invalid signature"),
        ("Basic eDp5", "Authorization header with valid JWT is required."),
        ("nonsense", "Authorization header with valid JWT is required."),
    ] {
        let reply = send(&fake, with(empty(Request::get(SEGMENTS)), "authorization", value)).await;
        assert_eq!(reply.json()["message"], message, "{value}");
    }
    let reply = send(&fake, empty(Request::get(SEGMENTS))).await;
    assert_eq!(reply.json()["message"], "Authorization header with valid JWT is required.");
    fake.accept_key("nonsense");
    assert_eq!(call(&fake, "nonsense").await.status, 200);
}

#[tokio::test]
async fn exports_take_the_key_in_a_header_of_their_own() {
    let fake = FakeVidesk::new();
    let key = fake.key();
    assert_eq!(send(&fake, export(&key)).await.status, 200);
    fake.controls().revoke(Revoked::Expired);
    send(&fake, export(&key)).await.is(401, EXPIRED);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_refused() {
    let fake = FakeVidesk::new();
    let post = || Request::post("https://api.videsk.io/segments");
    let table = vec![
        (get("https://api.videsk.io/reports/exports/calls", "x"), Violation::Method(Method::POST)),
        (
            with(
                empty(Request::post("https://api.videsk.io/reports/exports/x")),
                "authorization",
                "Bearer x",
            ),
            Violation::WrongHeader,
        ),
        (with(export("x"), "authorization", "Bearer x"), Violation::TwoCredentials),
        (with(empty(Request::get(SEGMENTS)), "x-api-token", "Bearer x"), Violation::WrongHeader),
        (post().body(Body::from("x=1")).unwrap(), Violation::MediaType),
        (
            post().header(header::CONTENT_TYPE, "text/plain").body(Body::from("{}")).unwrap(),
            Violation::MediaType,
        ),
        (get(SEGMENTS, "x").map(|_| Body::from("{}")), Violation::Body),
    ];
    assert_refused(&fake, || fake.refusals(), table).await;
}
