//! The fake of Vervoe against its contract.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, Request, header};

use super::{Body, Reply, altered, assert_bodies, assert_refused, empty, get, send, with, without};
use crate::testing::{FakeVervoe, Revoked, VervoeError, Violation};

const TOKEN: &str = "https://api.vervoe.com/api/public/ats-api/token";
const JOBS: &str = "https://api.vervoe.com/jobs";
const MISSING: &str =
    r#"{"success":false,"errors":"Provide apiKey/secret please.","msg":"Provide apiKey/secret please."}"#;
const UNAUTHORIZED: &str = r#"{"type":"https://tools.ietf.org/html/rfc2616#section-10","title":"An error occurred","status":401,"detail":"Unauthorized"}"#;
const INVALID: &str = r#"{"success":false,"msg":"Invalid credentials."}"#;

fn ask(keys: &str) -> Request<Body> {
    let basic = format!("Basic {}", BASE64_STANDARD.encode(keys));
    empty(Request::get(TOKEN).header("accept", "application/json").header("authorization", basic))
}

async fn acquire(fake: &FakeVervoe, keys: &str) -> Reply {
    send(fake, ask(keys)).await
}

#[test]
fn errors_have_the_printed_bodies() {
    use VervoeError as E;
    assert_bodies(
        E::ALL,
        &[
            (E::KeysMissing, 400, MISSING),
            (E::Unauthorized, 401, UNAUTHORIZED),
            (E::NotSuccessful, 200, r#"{"success":false}"#),
            (E::NoToken, 200, r#"{"success":true,"data":{}}"#),
            (E::InvalidCredentials, 401, INVALID),
            (E::AccessDenied, 403, r#"{"success":false,"errors":"Access denied","msg":"Access denied"}"#),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_lasts_ten_minutes() {
    let fake = FakeVervoe::new("key", "secret");
    let reply = acquire(&fake, "key:secret").await;
    let token = fake.controls().tokens().pop().unwrap();
    reply.is(200, &format!(r#"{{"success":true,"data":{{"token":"{token}"}}}}"#));
    tokio::time::advance(Duration::from_secs(599)).await;
    assert_eq!(send(&fake, get(JOBS, &token)).await.status, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    send(&fake, get(JOBS, &token)).await.is(401, INVALID);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn secrets_arrive_intact_or_not_at_all() {
    for secret in ["se:cret", "sécürité", "a+b", "%41", "a b"] {
        let fake = FakeVervoe::new("key", secret);
        assert_eq!(acquire(&fake, &format!("key:{secret}")).await.status, 200);
        acquire(&fake, "key:A").await.is(401, UNAUTHORIZED);
        fake.set_keys("key", "A");
        assert_eq!(acquire(&fake, "key:A").await.status, 200);
    }
    let fake = FakeVervoe::new("key", "secret");
    acquire(&fake, ":").await.is(400, MISSING);
    acquire(&fake, "key:").await.is(400, MISSING);
    send(&fake, without(ask("key:secret"), header::AUTHORIZATION)).await.is(400, MISSING);
    assert_eq!(fake.counts().acquires, 3);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn revoked_means_what_it_says() {
    for (revoked, acquired) in [(Revoked::Expired, 200), (Revoked::Invalid, 200), (Revoked::Removed, 401)] {
        let fake = FakeVervoe::new("key", "secret");
        acquire(&fake, "key:secret").await;
        let token = fake.controls().tokens().pop().unwrap();
        fake.controls().revoke(revoked);
        send(&fake, get(JOBS, &token)).await.is(401, INVALID);
        assert_eq!(acquire(&fake, "key:secret").await.status, acquired, "{revoked:?}");
        fake.set_keys("key", "secret");
        assert_eq!(acquire(&fake, "key:secret").await.status, 200, "{revoked:?}");
    }
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_refused() {
    let fake = FakeVervoe::new("key", "secret");
    let good = || ask("key:secret");
    let table = vec![
        (altered(good(), |request| *request.method_mut() = Method::POST), Violation::Method(Method::GET)),
        (without(good(), header::ACCEPT), Violation::Accept),
        (good().map(|_| Body::from("{}")), Violation::Body),
        (with(good(), "authorization", "Basic eDp5"), Violation::TwoCredentials),
        (with(without(good(), header::AUTHORIZATION), "authorization", "Bearer x"), Violation::WrongScheme),
        (with(without(good(), header::AUTHORIZATION), "authorization", "Basic a2V5"), Violation::WrongScheme),
        (get(&format!("{TOKEN}/"), "x"), Violation::Path),
        (Request::post(JOBS).body(Body::from(" [1]")).unwrap(), Violation::MediaType),
    ];
    assert_refused(&fake, || fake.refusals(), table).await;
}
