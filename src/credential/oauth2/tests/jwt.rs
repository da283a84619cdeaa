//! JWTs that we sign (RFC 7523).

mod keys;

use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac::{self, HMAC_SHA256};

use super::*;
use crate::{
    credential::{TokenEndpoint, TokenRequest, scripted::printed, temp_file::TempFile},
    error::{AcquireErrorKind, ConfigErrorKind},
};

const RSA: &[u8] = include_bytes!("keys/rfc7515-a2-pkcs8.pem");
const EC: &[u8] = include_bytes!("keys/rfc7515-a3-pkcs8.pem");
const EC_384: &[u8] = include_bytes!("keys/rfc6979-a26-pkcs8.pem");
const ED: &[u8] = include_bytes!("keys/rfc8037-a-pkcs8.pem");

fn decode(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()
}

fn parts(jwt: &str) -> (Value, Value) {
    let mut parts = jwt.split('.').map(|part| serde_json::from_slice(&decode(part)).unwrap_or_default());
    (parts.next().unwrap(), parts.next().unwrap())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The assertions that a client sends, one for each of `count` attempts.
async fn client_assertions(key: JwtKey, count: usize) -> Vec<String> {
    let server = Server::healthy();
    let client = ClientAuthentication::private_key_jwt("my-client", key);
    let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
    for _ in 0..count {
        acquire(&credential).await.unwrap();
    }
    server.seen().iter().map(|seen| seen.field("client_assertion").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_client_assertion_has_what_rfc_7523_asks_for_and_an_id_of_its_own() {
    let jwts = client_assertions(JwtKey::es256(EC).unwrap().key_id("k1"), 3).await;
    let mut ids = HashSet::new();
    for jwt in &jwts {
        let (header, claims) = parts(jwt);
        assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": "k1"}));
        assert_eq!(claims["iss"], "my-client");
        assert_eq!(claims["sub"], "my-client");
        assert_eq!(claims["aud"], URL);
        // Made in the past, so that a server whose clock is behind doesn't find it in the future.
        let issued_at = claims["iat"].as_u64().unwrap();
        assert!((now() - 90..=now() - 60).contains(&issued_at), "{issued_at}");
        assert_eq!(claims["nbf"], claims["iat"]);
        assert_eq!(claims["exp"].as_u64().unwrap() - issued_at, 180);
        assert_eq!(claims.as_object().unwrap().len(), 7);
        let id = claims["jti"].as_str().unwrap();
        assert_eq!(decode(id).len(), 16);
        assert!(ids.insert(id.to_owned()), "fresh for each attempt");
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_client_proves_that_it_has_its_secret_without_sending_it() {
    let secrets = ["the first secret, of 32 or more bytes", "the second secret, of 32 or more bytes"];
    let file = TempFile::new("secret-jwt", format!("{}\n", secrets[0]));
    let server = Server::healthy();
    let client = ClientAuthentication::secret_jwt("my-client", SecretSource::file(file.path()));
    let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
    acquire(&credential).await.unwrap();
    file.write(secrets[1]);
    acquire(&credential).await.unwrap();
    for (seen, secret) in server.seen().iter().zip(secrets) {
        assert_eq!(seen.field("client_id").unwrap(), "my-client");
        assert!(seen.authorization().is_none() && seen.field("client_secret").is_none());
        let jwt = seen.field("client_assertion").unwrap();
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        let key = hmac::Key::new(HMAC_SHA256, secret.as_bytes());
        hmac::verify(&key, message.as_bytes(), &decode(signature)).unwrap();
        let (header, claims) = parts(jwt);
        assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["aud"]),
            (&json!("my-client"), &json!("my-client"), &json!(URL))
        );
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 180);
    }
    assert_eq!(server.seen().len(), 2);
}

/// Header and claims of what a grant sends.
async fn granted(assertion: JwtAssertion) -> (Value, Value) {
    let server = Server::healthy();
    let client = ClientAuthentication::unidentified();
    let credential = JwtBearer::new(URL, client, assertion).build(server.transport()).unwrap();
    acquire(&credential).await.unwrap();
    parts(server.only().field("assertion").unwrap())
}

fn assertion() -> JwtAssertion {
    JwtAssertion::new(JwtKey::eddsa(ED).unwrap(), "robot")
}

/// How far `iat` is in the past and `exp` in the future, in seconds.
async fn span(assertion: JwtAssertion) -> (u64, u64) {
    let before = now();
    let (_, claims) = granted(assertion).await;
    let (issued_at, expires_at) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    let lifetime = expires_at - issued_at;
    // The clock may have gone on meanwhile.
    let back = (before - issued_at..=now() - issued_at).min().unwrap();
    assert_eq!(claims["nbf"], issued_at);
    (back, lifetime - back)
}

#[tokio::test]
async fn a_jwt_is_back_dated_and_its_lifetime_is_what_servers_count() {
    let of = |lifetime: u64| assertion().lifetime(Duration::from_secs(lifetime));
    let seconds = Duration::from_secs;
    for (assertion, back, ahead) in [
        (assertion(), 60, 120),
        (of(3600), 60, 3540),
        (of(600), 60, 540),
        // Those that are short stay good for half of it.
        (of(60), 30, 30),
        (of(1), 0, 1),
        (of(600).back_dated(seconds(0)), 0, 600),
        (of(600).back_dated(seconds(300)), 300, 300),
        (of(600).back_dated(seconds(599)), 599, 1),
    ] {
        let (seen_back, seen_ahead) = span(assertion).await;
        assert!((seen_back as i64 - back).abs() <= 1, "{seen_back} {back}");
        assert!((seen_ahead as i64 - ahead).abs() <= 1, "{seen_ahead} {ahead}");
    }
}

#[tokio::test]
async fn own_claims_and_headers_are_kept() {
    let key = JwtKey::eddsa(ED).unwrap().key_id("k1");
    let assertion = JwtAssertion::new(key, "robot")
        .typ("client-authentication+jwt")
        .header("x-tenant", "acme")
        .header("cty", "JWT")
        .claim("scope", "videos.read")
        .claim("roles", vec!["a", "b"])
        .without_claim("aud")
        .claim("aud", vec!["https://a.example.com", "https://b.example.com"])
        .without_claim("nbf")
        .without_claim("jti");
    let (header, claims) = granted(assertion).await;
    assert_eq!(
        header,
        json!({
            "alg": "EdDSA", "typ": "client-authentication+jwt", "kid": "k1", "x-tenant": "acme", "cty": "JWT",
        })
    );
    assert_eq!(
        claims,
        json!({
            "iss": "robot", "sub": "robot", "scope": "videos.read", "roles": ["a", "b"],
            "aud": ["https://a.example.com", "https://b.example.com"],
            "iat": claims["iat"], "exp": claims["exp"],
        })
    );
}

#[test]
fn what_would_be_lost_is_refused_by_its_name() {
    let seconds = Duration::from_secs;
    let key = || JwtKey::eddsa(ED).unwrap();
    for (assertion, named) in [
        (assertion().claim("iss", "somebody else"), "claim iss "),
        (assertion().claim("sub", "somebody else"), "claim sub "),
        (assertion().claim("aud", "elsewhere"), "claim aud "),
        (assertion().claim("iat", 5), "claim iat "),
        (assertion().claim("nbf", 5), "claim nbf "),
        (assertion().claim("exp", 5), "claim exp "),
        (assertion().claim("jti", "again"), "claim jti "),
        (assertion().without_claim("exp"), "claim exp "),
        (assertion().without_claim("iss"), "claim iss "),
        (assertion().without_claim("scope"), "claim scope "),
        (assertion().header("alg", "none"), "header alg "),
        (assertion().header("typ", "at+jwt"), "header typ "),
        (assertion().header("b64", false), "header b64 "),
        (JwtAssertion::new(key().key_id("k1"), "robot").header("kid", "k2"), "header kid "),
        (assertion().lifetime(seconds(0)), "0 s"),
        (assertion().lifetime(Duration::from_millis(999)), "0 s"),
        (assertion().back_dated(seconds(180)), "180 s"),
    ] {
        let (transport, client) = (Server::healthy().transport(), ClientAuthentication::unidentified());
        let grant = JwtBearer::new(URL, client, assertion.clone()).build(transport.clone());
        let client = ClientAuthentication::assertion("robot", assertion.clone());
        let client = ClientCredentials::new(URL, client).build(transport.clone());
        let request = TokenRequest::post("/token").bearer(assertion);
        let bearer = TokenEndpoint::new("Acme", "https://api.example.com", request).build(transport);
        for error in [grant.unwrap_err(), client.unwrap_err(), bearer.unwrap_err()] {
            assert_eq!(error.kind(), ConfigErrorKind::Declaration, "{error}");
            assert!(error.to_string().contains(named), "{error}");
        }
    }
    // Where the key says nothing of it, the header is free.
    let (assertion, client) = (assertion().header("kid", "k2"), ClientAuthentication::unidentified());
    assert!(JwtBearer::new(URL, client, assertion).build(Server::healthy().transport()).is_ok());
}

#[tokio::test]
async fn a_jwt_authorizes_a_token_request_and_each_has_its_own() {
    let server = Server::healthy();
    let request = TokenRequest::post("/tokens")
        .bearer(assertion().claim("installation", 7))
        .header("X-Also", assertion())
        .json("jwt", assertion());
    let credential = TokenEndpoint::new("Acme", "https://api.example.com", request);
    let credential = credential.build(server.transport()).unwrap();
    assert!(server.seen().is_empty());
    let mut ids = HashSet::new();
    for _ in 0..2 {
        Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap();
    }
    for seen in server.seen() {
        assert!(seen.headers["authorization"].is_sensitive() && seen.headers["x-also"].is_sensitive());
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        let bearer = seen.authorization().unwrap().strip_prefix("Bearer ").unwrap();
        assert_eq!(parts(bearer).1["installation"], 7);
        for jwt in [bearer, seen.headers["x-also"].to_str().unwrap(), body["jwt"].as_str().unwrap()] {
            let (_, claims) = parts(jwt);
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!("robot"), &Value::Null));
            assert!(ids.insert(claims["jti"].to_string()), "made anew for each");
        }
    }
    assert_eq!(ids.len(), 6);
    // A fresh JWT is no other secret, so nobody is tempted to try it at once.
    assert!(!credential.has_new_secret());
}

#[tokio::test]
async fn a_jwt_that_was_sent_is_taken_out_of_what_the_server_says() {
    let server = Server::answering([(401, json!({"error": "invalid_client"}))]);
    let echo = server.clone();
    let request = TokenRequest::post("/tokens").bearer(assertion());
    let endpoint = TokenEndpoint::new("Acme", "https://api.example.com", request);
    let transport = Transport::new(service_fn(move |request: Request<Bytes>| {
        let jwt = request.headers()["authorization"].to_str().unwrap().to_owned();
        echo.0.lock().unwrap().answers = [(401, json!({"error_description": jwt}).to_string())].into();
        let transport = echo.transport();
        async move { transport.send(request).await.map(|response| response.map(Full::new)) }
    }));
    let credential = endpoint.build(transport).unwrap();
    let error = Credential::acquire(&credential, Acquire::new(Reason::Cold, None)).await.unwrap_err();
    let sent = server.only().authorization().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    assert!(!format!("{error} {error:?}").contains(&sent[sent.len() - 40..]), "{error}");
}

#[tokio::test]
async fn a_service_accounts_assertion_says_what_it_is_told() {
    let server = Server::healthy();
    let assertion = JwtAssertion::new(JwtKey::eddsa(ED).unwrap(), "robot")
        .subject("johndoe")
        .audience("https://idp.example.com")
        .lifetime(Duration::from_secs(3600))
        .claim("scope", "videos.read");
    let credential = JwtBearer::new(URL, ClientAuthentication::unidentified(), assertion)
        .build(server.transport())
        .unwrap();
    acquire(&credential).await.unwrap();
    let seen = server.only();
    assert!(seen.field("client_id").is_none());
    let (_, claims) = parts(seen.field("assertion").unwrap());
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["aud"], &claims["scope"]),
        (&json!("robot"), &json!("johndoe"), &json!("https://idp.example.com"), &json!("videos.read"))
    );
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
}
