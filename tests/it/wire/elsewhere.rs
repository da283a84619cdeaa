//! Lifetimes and tokens that are elsewhere: on the vendor's page, in the token itself, or in another member.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use tower_reauth::AnswerField;

use super::{
    ways::{WAYS, said},
    world::{answer, http_date, in_seconds, json},
};

fn jwt(claims: &str) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

#[tokio::test]
async fn a_lifetime_can_be_fixed_whatever_the_answer_says() {
    let ten = Duration::from_secs(600);
    for body in [
        r#"{"access_token":"abc"}"#,
        r#"{"access_token":"abc","expires_in":0}"#,
        r#"{"access_token":"abc","expires_in":86400}"#,
    ] {
        let lifetimes = said!("lifetime = 600"; .fixed_lifetime(ten)).lifetimes(&json(body)).await;
        assert_eq!(lifetimes, [Some(ten); 3], "{body}");
        let lifetimes = said!("lifetime = 'unknown'"; .unknown_lifetime()).lifetimes(&json(body)).await;
        assert_eq!(lifetimes, [None; 3], "{body}");
    }
}

#[tokio::test]
async fn a_lifetime_can_be_in_the_token() {
    let said = said!("lifetime = 'jwt'"; .jwt_lifetime());
    let hour = Some(Duration::from_secs(3600));
    // The server's clock is hours off, as its `Date` says.
    let now = in_seconds(4 * 3600);
    for (token, lifetime) in [
        (jwt(&format!(r#"{{"exp":{}}}"#, now + 3600)), hour),
        (jwt(&format!(r#"{{"iat":{now},"exp":{}.0,"x":1e999}}"#, now + 3600)), hour),
        (jwt(&format!(r#"{{"exp":{}000}}"#, now + 3600)), hour),
        (format!("Bearer {}", jwt(&format!(r#"{{"exp":{}}}"#, now + 3600))), hour),
        (jwt(&format!(r#"{{"exp":{}}}"#, now - 3600)), None),
        (jwt(r#"{"exp":0}"#), None),
        (jwt(r#"{"exp":"soon"}"#), None),
        (jwt(r#"{"sub":"me"}"#), None),
        (jwt("no json"), None),
        ("opaque".to_owned(), None),
        ("a.b".to_owned(), None),
        ("..".to_owned(), None),
    ] {
        let body = format!(r#"{{"access_token":"{token}","expires_in":60}}"#);
        let lifetimes = said.lifetimes(&answer(200, &[("date", &http_date(now))], body)).await;
        assert_eq!(lifetimes, [lifetime; 3], "{token}");
    }
}

#[tokio::test]
async fn a_lifetime_can_be_in_another_member_or_a_header() {
    let answer = answer(
        200,
        &[("x-token-ttl", "120")],
        r#"{"access_token":"abc","expires_in":1,"data":{"ttl":"60"},"list":[{"s":30}]}"#,
    );
    for (said, seconds) in [
        (said!("lifetime = '/data/ttl'"; .lifetime("/data/ttl")), Some(60)),
        (said!("lifetime = '/list/0/s'"; .lifetime("/list/0/s")), Some(30)),
        (said!("lifetime = 'header:X-Token-TTL'"; .lifetime(AnswerField::header("X-Token-TTL"))), Some(120)),
        (said!("lifetime = '/none'"; .lifetime("/none")), None),
    ] {
        assert_eq!(said.lifetimes(&answer).await, [seconds.map(Duration::from_secs); 3], "{}", said.file);
    }
}

#[tokio::test]
async fn the_token_can_be_another_member() {
    let now = in_seconds(0);
    let id_token = jwt(&format!(r#"{{"exp":{}}}"#, now + 900));
    let body = format!(
        r#"{{"access_token":"other","id_token":"{id_token}","expires_in":60,"token_type":"Bearer"}}"#
    );
    let answer = answer(200, &[("date", &http_date(now))], body);
    let said = said!("token = '/id_token'\nlifetime = 'jwt'"; .token("/id_token").jwt_lifetime()).strictly();
    said.assert_token(&WAYS, &answer, &id_token).await;
    assert_eq!(said.lifetimes(&answer).await, [Some(Duration::from_secs(900)); 3]);
    for (said, body) in [
        (said!("token = '/data/jwt'"; .token("/data/jwt")), r#"{"data":{"jwt":"abc"}}"#),
        (said!("token = '/tokens/*/id'"; .token("/tokens/*/id")), r#"{"tokens":[{},{"id":"abc"}]}"#),
        (said!("token = '/a~1b'"; .token("/a~1b")), r#"{"a/b":"abc"}"#),
        (said!("token = 'body'"; .token(AnswerField::body())), r#""abc""#),
    ] {
        said.assert_token(&WAYS, &json(body), "abc").await;
    }
}
