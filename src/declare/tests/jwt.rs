//! JWTs that are declared.

use std::{
    collections::HashSet,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

use super::{
    super::{no_jwt, node::Node, value},
    *,
};
use crate::error::ConfigErrorKind;

const RSA: &str = include_str!("../../credential/oauth2/tests/keys/rfc7515-a2-pkcs8.pem");
const EC: &str = include_str!("../../credential/oauth2/tests/keys/rfc7515-a3-pkcs8.pem");
const EC_384: &str = include_str!("../../credential/oauth2/tests/keys/rfc6979-a26-pkcs8.pem");
const ED: &str = include_str!("../../credential/oauth2/tests/keys/rfc8037-a-pkcs8.pem");
const EC_CERTIFICATE: &str = include_str!("../../credential/oauth2/tests/keys/rfc7515-a3-certificate.pem");
const RSA_CERTIFICATE: &str = include_str!("../../credential/oauth2/tests/keys/rfc7515-a2-certificate.pem");

/// A table in `[acquire.bearer.jwt]`.
fn bearer(jwt: &str) -> String {
    format!("[acquire]\nrequest = 'POST /token'\n[acquire.bearer.jwt]\n{jwt}")
}

/// What is sent for the first token.
async fn sent(rest: &str) -> String {
    let server = Scripted::answers(200, &[], r#"{"access_token":"t1"}"#);
    let credential = acme(rest).parts(server.transport()).unwrap().credential;
    credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
    server.wire()
}

/// The JWT that authorizes a request.
fn bearer_of(wire: &str) -> &str {
    let header = wire.lines().find_map(|line| line.strip_prefix("authorization*: Bearer "));
    header.unwrap_or_else(|| panic!("no bearer, or one that isn't sensitive: {wire}"))
}

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

/// Whether `jwt` was signed with the key of RFC 7515 §A.3.
fn verify_es256(jwt: &str) {
    let public = [
        vec![4],
        decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    verify(jwt, &ECDSA_P256_SHA256_FIXED, &public.concat());
}

fn verify(jwt: &str, algorithm: &'static dyn VerificationAlgorithm, public: &[u8]) {
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(algorithm, public).verify(message.as_bytes(), &decode(signature)).unwrap();
}

#[tokio::test]
async fn a_jwt_says_what_the_file_says_and_is_signed_with_its_key() {
    let (key, certificate) = (TempFile::new("jwt-key", EC), TempFile::new("jwt-certificate", EC_CERTIFICATE));
    let issuer = TempFile::new("jwt-issuer", "app-17\n");
    let before = now();
    let wire = sent(&bearer(&format!(
        "algorithm = 'ES256'\nkey = 'file:{key}'\nissuer = 'file:{issuer}'\nsubject = 'text:robot'\n\
         audience = 'text:https://login.example.com'\nlifetime = 300\nback_dated = 30\nkey_id = 'text:k1'\n\
         x5t = 'file:{certificate}'\nx5t_s256 = 'file:{certificate}'\ntyp = 'text:x+jwt'\nwithout_claims = ['nbf', 'jti']\n\
         headers = {{ cty = 'text:JWT', crit = ['text:exp'] }}\n\
         [acquire.bearer.jwt.claims]\nscope = 'text:a b'\nn = [1, true, {{ deep = 'text:x' }}, [], {{}}]\n\
         half = 'json:0.5'\nbig = 'json:18446744073709551615'\nnone = 'json:null'\njti = 'text:mine'\n\
         who.id = 'file:{issuer}'",
        key = key.path().display(),
        issuer = issuer.path().display(),
        certificate = certificate.path().display(),
    )))
    .await;
    let jwt = bearer_of(&wire);
    verify_es256(jwt);
    let (header, claims) = parts(jwt);
    let thumbprints = ("U3x3RwhP33ueQUz9K-VGKaOEzQE", "95kiTeEZuT85H29oq77DlGhZHWTHmqQNd4mHatQ0FWk");
    assert_eq!(
        header,
        json!({
            "alg": "ES256", "kid": "k1", "typ": "x+jwt", "cty": "JWT", "crit": ["exp"],
            "x5t": thumbprints.0, "x5t#S256": thumbprints.1,
        })
    );
    let issued_at = claims["iat"].as_u64().unwrap();
    assert!((before - 30..=now() - 30).contains(&issued_at), "{issued_at} {before}");
    assert_eq!(
        claims,
        json!({
            "iss": "app-17", "sub": "robot", "aud": "https://login.example.com", "iat": issued_at,
            "exp": issued_at + 300, "scope": "a b", "n": [1, true, { "deep": "x" }, [], {}], "half": 0.5,
            "big": 18_446_744_073_709_551_615_u64, "none": null, "jti": "mine", "who": { "id": "app-17" },
        })
    );
}

#[tokio::test]
async fn what_is_not_said_is_as_the_builder_has_it() {
    let key = TempFile::new("jwt-defaults", ED);
    let before = now();
    let jwt = format!("algorithm = 'EdDSA'\nkey = 'file:{}'\nissuer = 'text:app'", key.path().display());
    let wire = sent(&bearer(&jwt)).await;
    let jwt = bearer_of(&wire);
    verify(jwt, &ED25519, &decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    let (header, claims) = parts(jwt);
    assert_eq!(header, json!({ "alg": "EdDSA", "typ": "JWT" }));
    let issued_at = claims["iat"].as_u64().unwrap();
    assert!((before - 60..=now() - 60).contains(&issued_at), "{issued_at} {before}");
    assert_eq!(
        claims,
        json!({
            "iss": "app", "sub": "app", "iat": issued_at, "nbf": issued_at, "exp": issued_at + 180,
            "jti": claims["jti"],
        })
    );
    assert_eq!(decode(claims["jti"].as_str().unwrap()).len(), 16);
}

#[tokio::test]
async fn every_algorithm_has_its_name() {
    let n = decode(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF\
         d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo\
         7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM\
         Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    let rsa = RsaPublicKeyComponents { n, e: vec![1, 0, 1] };
    let jwt = async |algorithm: &str, pem: &str| {
        let key = TempFile::new(&format!("jwt-{algorithm}"), pem);
        let key = key.path().display();
        let wire =
            sent(&bearer(&format!("algorithm = '{algorithm}'\nkey = 'file:{key}'\nissuer = 'text:a'"))).await;
        let jwt = bearer_of(&wire).to_owned();
        assert_eq!(parts(&jwt).0["alg"], algorithm);
        jwt
    };
    for (name, algorithm) in [
        ("RS256", &RSA_PKCS1_2048_8192_SHA256),
        ("RS384", &RSA_PKCS1_2048_8192_SHA384),
        ("RS512", &RSA_PKCS1_2048_8192_SHA512),
        ("PS256", &RSA_PSS_2048_8192_SHA256),
    ] {
        let jwt = jwt(name, RSA).await;
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        rsa.verify(algorithm, message.as_bytes(), &decode(signature)).unwrap_or_else(|_| panic!("{name}"));
    }
    verify_es256(&jwt("ES256", EC).await);
    let secret = "a secret of 64 bytes, which the server has as well as the client";
    for (name, algorithm) in [("HS256", HMAC_SHA256), ("HS384", HMAC_SHA384), ("HS512", HMAC_SHA512)] {
        let jwt = jwt(name, &format!("{secret}\n")).await;
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        let key = hmac::Key::new(algorithm, secret.as_bytes());
        hmac::verify(&key, message.as_bytes(), &decode(signature)).unwrap_or_else(|_| panic!("{name}"));
    }
    // RFC 6979 §A.2.6.
    let p384 = [
        vec![4],
        decode("7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT"),
        decode("gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg"),
    ];
    verify(&jwt("ES384", EC_384).await, &ECDSA_P384_SHA384_FIXED, &p384.concat());
}

#[tokio::test]
async fn it_goes_wherever_a_value_goes_and_each_is_another_one() {
    let key = TempFile::new("jwt-places", EC);
    let jwt = |issuer: &str| {
        format!(
            "{{ jwt = {{ algorithm = 'ES256', key = 'file:{}', issuer = 'text:{issuer}' }} }}",
            key.path().display()
        )
    };
    // A client that authenticates by it (RFC 7523 §2.2), beside a grant that is one.
    let wire = sent(&format!(
        "[acquire]\nrequest = 'POST /token'\nheaders.X-App = {}\nquery.app = [{}, 'text:b']\nbearer = {}\n\
         [acquire.form]\nclient_assertion_type = 'text:urn:ietf:params:oauth:client-assertion-type:jwt-bearer'\n\
         client_assertion = {}\nassertion = {}",
        jwt("header"),
        jwt("query"),
        jwt("bearer"),
        jwt("client"),
        jwt("grant"),
    ))
    .await;
    let (head, body) = wire.split_once("\n\n").unwrap();
    let of_form = |name: &str| {
        let mut fields = body.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(field, _)| *field == name).unwrap().1
    };
    let header = head.lines().find_map(|line| line.strip_prefix("x-app*: ")).unwrap();
    let query = head.split_once("?app=").unwrap().1.split_once("&app=b\n").unwrap().0;
    let mut ids = HashSet::new();
    for (jwt, issuer) in [
        (header, "header"),
        (query, "query"),
        (bearer_of(&wire), "bearer"),
        (of_form("client_assertion"), "client"),
        (of_form("assertion"), "grant"),
    ] {
        verify_es256(jwt);
        let (_, claims) = parts(jwt);
        assert_eq!(claims["iss"], issuer);
        assert!(ids.insert(claims["jti"].to_string()));
    }
}

#[tokio::test]
async fn a_refresh_may_have_one_and_the_token_beside_it() {
    let key = TempFile::new("jwt-refresh", EC);
    let jwt =
        format!("jwt = {{ algorithm = 'ES256', key = 'file:{}', issuer = 'text:a' }}", key.path().display());
    let declared = acme(&format!(
        "acquire.request = 'POST /token'\n[refresh]\nrequest = 'POST /refresh'\nbearer = {{ {jwt} }}\n\
         form.refresh_token = 'token:refresh'"
    ));
    let server = Scripted::answers(200, &[], r#"{"access_token":"t","refresh_token":"r"}"#);
    let credential = declared.parts(server.transport()).unwrap().credential;
    let token = credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
    server.forget();
    credential.acquire(Acquire::new(Reason::Expired, Some(&token))).await.unwrap();
    let wire = server.wire();
    verify_es256(bearer_of(&wire));
    assert!(
        wire.starts_with("POST https://api.acme.example/refresh") && wire.ends_with("refresh_token=r"),
        "{wire}"
    );
    // A JWT isn't the token that a refresh has to be about.
    let error = toml::from_str::<Declaration>(&format!(
        "{ACME}acquire.request = 'POST /token'\n[refresh]\nrequest = 'POST /refresh'\nbearer = {{ {jwt} }}"
    ));
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("refresh: it has to send the token that it is about"), "{error}");
}

#[tokio::test]
async fn what_it_refers_to_is_read_for_each_request() {
    let (key, issuer) = (TempFile::new("jwt-changing", EC), TempFile::new("jwt-changing-issuer", "one"));
    let declared = acme(&bearer(&format!(
        "algorithm = 'ES256'\nkey = 'file:{}'\nissuer = 'file:{}'",
        key.path().display(),
        issuer.path().display()
    )));
    let server = Scripted::answers(200, &[], r#"{"access_token":"t1"}"#);
    let credential = declared.parts(server.transport()).unwrap().credential;
    let mut ids = HashSet::new();
    // As a variable would keep it.
    for (name, pem) in [("two", EC.to_owned()), ("three", EC.replace('\n', "\\n"))] {
        issuer.write(format!("{name}\n"));
        key.write(pem);
        server.forget();
        credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap();
        let wire = server.wire();
        verify_es256(bearer_of(&wire));
        let (_, claims) = parts(bearer_of(&wire));
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(name), &json!(name)));
        assert!(ids.insert(claims["jti"].to_string()));
    }
    for (wrong, place) in [("s3cret, and no key", "acquire.bearer.jwt.key"), (RSA, "acquire.bearer.jwt.key")]
    {
        key.write(wrong);
        server.forget();
        let error = credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap_err();
        assert_eq!(error.kind(), crate::error::AcquireErrorKind::NoSecret);
        let printed = printed(&error);
        assert!(printed.contains(place), "{printed}");
        assert!(!printed.contains("s3cret") && !printed.contains(&RSA[40..60]), "{printed}");
        assert_eq!(server.count(http::Method::POST), 0, "nothing is sent without it");
    }
    key.write(EC);
    issuer.remove();
    let error = credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap_err();
    let printed = printed(&error);
    assert!(printed.contains("acquire.bearer.jwt.issuer") && printed.contains("file:"), "{printed}");
    issuer.write("");
}

#[tokio::test]
async fn another_key_than_the_one_that_was_refused_is_tried_at_once() {
    let key = TempFile::new("jwt-refused", EC);
    let jwt = format!("algorithm = 'ES256'\nkey = 'file:{}'\nissuer = 'text:a'", key.path().display());
    let server = Scripted::answers(401, &[], "{}");
    let credential = acme(&bearer(&jwt)).parts(server.transport()).unwrap().credential;
    credential.acquire(Acquire::new(Reason::Cold, None)).await.unwrap_err();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for (content, is_new) in [(EC, false), (&*other, true), ("s3cret", false), (EC, false)] {
        key.write(content);
        assert_eq!(credential.has_new_secret(), is_new, "{content}");
    }
}

/// Each is a table, and the whole of what is said of it.
#[test]
fn mistakes_in_a_jwt_are_refused_by_the_path_of_their_key() {
    let good = "algorithm = 'ES256'\nkey = 'env:K'\nissuer = 'text:a'\n";
    let with = |rest: &str| format!("{good}{rest}");
    let literal = "secrets don't belong into this file; write env:NAME for a variable or file:PATH for a file that \
                   has the secret, and text:WORDS for what is none";
    let own = |name: &str, why: &str| {
        format!(
            "the claim {name} of a jwt can't be given as one's own: {why}; `without_claim`, or `without_claims` in a \
             file, leaves that out"
        )
    };
    let needed =
        |name: &str, why: &str| format!("the claim {name} of a jwt can't be given as one's own: {why}");
    let stays = |name: &str| {
        format!("the claim {name} of a jwt can't be left out; it has to be one of sub, aud, iat, nbf and jti")
    };
    let header = |name: &str| {
        format!(
            "the header {name} of a jwt can't be given as one's own; it is set by the key, its names, or `typ`"
        )
    };
    let span = |lifetime: u64, back: u64| {
        format!("a jwt that is valid for {lifetime} s and back-dated by {back} s has expired when it is sent")
    };
    let number = "the number is too large or too exact for a jwt; write it as text, if the server takes that";
    let deep = |depth: usize| format!("claims.a = {}{}", "[".repeat(depth), "]".repeat(depth));
    let cases: Vec<(String, String, String)> = vec![
        ("key = 'env:K'\nissuer = 'text:a'".into(), "algorithm".into(), "it is missing".into()),
        ("algorithm = 'ES256'\nissuer = 'text:a'".into(), "key".into(), "it is missing".into()),
        ("algorithm = 'ES256'\nkey = 'env:K'".into(), "issuer".into(), "it is missing".into()),
        (
            good.replace("ES256", "none"),
            "algorithm".into(),
            "there is no such algorithm here; there are RS256, RS384, RS512, PS256, ES256, ES384, EdDSA, \
             HS256, HS384, HS512".into(),
        ),
        (good.replace("'ES256'", "256"), "algorithm".into(), "expected text, found a number".into()),
        (good.replace("env:K", "s3cret"), "key".into(), literal.into()),
        (good.replace("env:K", "text:s3cret"), "key".into(), literal.into()),
        (good.replace("env:K", "token:access"), "key".into(), literal.into()),
        (good.replace("text:a", "s3cret"), "issuer".into(), literal.into()),
        (
            good.replace("text:a", "token:access"),
            "issuer".into(),
            "a token has no place here; write env:NAME, file:PATH or text:WORDS".into(),
        ),
        (with("audience = ['text:a']"), "audience".into(), "expected text, found a list".into()),
        (with("lifetime = 0"), "lifetime".into(), span(0, 0)),
        (with("lifetime = -1"), "lifetime".into(), "write a number of seconds that is not negative".into()),
        (with("lifetime = '5m'"), "lifetime".into(), "expected a whole number, found text".into()),
        (with("lifetime = 60\nback_dated = 60"), "back_dated".into(), span(60, 60)),
        (with("back_dated = 180"), "back_dated".into(), span(180, 180)),
        (with("claims.iss = 'text:b'"), "claims.iss".into(), needed("iss", "it is the issuer")),
        (with("claims.exp = 5"), "claims.exp".into(), needed("exp", "`lifetime` sets it")),
        (with("claims.sub = 'text:b'"), "claims.sub".into(), own("sub", "`subject` sets it")),
        (with("claims.aud = ['text:b']"), "claims.aud".into(), own("aud", "`audience` sets it")),
        (with("claims.iat = 5"), "claims.iat".into(), own("iat", "`back_dated` sets it")),
        (with("claims.jti = 'text:b'"), "claims.jti".into(), own("jti", "each jwt has one of its own")),
        (with("claims = {}"), "claims".into(), "the table is empty; write something into it, or leave the key out".into()),
        (with("claims.a = 's3cret'"), "claims.a".into(), literal.into()),
        (with("claims.a = [1, { b = 's3cret' }]"), "claims.a[1].b".into(), literal.into()),
        (with("claims.a = 'token:access'"), "claims.a".into(), "a token has no place in a jwt".into()),
        (with("claims.a = 1.5"), "claims.a".into(), "write a number with a fraction as json:1.5".into()),
        (with("claims.a = 2030-01-01"), "claims.a".into(), "json has no dates; write text:2030-01-01 in quotes".into()),
        (
            with("claims.a = 'json:1,5'"),
            "claims.a".into(),
            "json: takes null or a number, as in json:null and json:1.5".into(),
        ),
        (with("claims.a = 'json:12345678901234567890123'"), "claims.a".into(), number.into()),
        (with("claims.a = 'json:0.1234567890123456'"), "claims.a".into(), number.into()),
        (with("claims.a = 'json:1e999'"), "claims.a".into(), number.into()),
        (with(&deep(32)), format!("claims.a{}", "[0]".repeat(31)), "it is nested more than 32 deep".into()),
        (with("without_claims = 'exp'"), "without_claims".into(), stays("exp")),
        (with("without_claims = ['nbf', 'scope']"), "without_claims".into(), stays("scope")),
        (with("without_claims = []"), "without_claims".into(), "the list is empty; write something into it, or leave the key out".into()),
        (with("headers.alg = 'text:none'"), "headers.alg".into(), header("alg")),
        (with("headers.typ = 'text:at+jwt'"), "headers.typ".into(), header("typ")),
        (with("headers.b64 = false"), "headers.b64".into(), header("b64")),
        (with("headers.kid = 'text:b'\nkey_id = 'text:a'"), "headers.kid".into(), header("kid")),
        (
            with("headers.'x5t#S256' = 'text:b'\nx5t_s256 = 'file:/c'"),
            "headers.\"x5t#S256\"".into(),
            header("x5t#S256"),
        ),
        (
            with("kid = 'text:b'"),
            "kid".into(),
            "there is no such key here; there are algorithm, key, issuer, subject, audience, lifetime, back_dated, \
             key_id, x5t, x5t_s256, typ, claims, without_claims, headers"
                .into(),
        ),
    ];
    for (jwt, key, why) in cases {
        let error = toml::from_str::<Declaration>(&format!("{ACME}{}", bearer(&jwt))).expect_err(&jwt);
        assert_eq!(error.to_string().trim_end(), format!("acquire.bearer.jwt.{key}: {why}"), "{jwt}");
    }
    for fine in
        [deep(31), "headers.kid = 'text:b'".into(), "without_claims = 'aud'\nclaims.aud = ['text:b']".into()]
    {
        let declared = toml::from_str::<Declaration>(&format!("{ACME}{}", bearer(&with(&fine))));
        assert!(declared.is_ok(), "{fine}: {declared:?}");
    }
    // Tables are declared by no other name, and there is none where a table is itself.
    for (rest, says) in [
        ("bearer.jws = { a = 1 }", "acquire.bearer.jws: there is no such key here; there are jwt"),
        ("bearer = {}", "acquire.bearer.jwt: it is missing"),
        ("bearer.jwt = 'env:K'", "acquire.bearer.jwt: expected a table, found text"),
        ("json.a.jwt.key = 's3cret'", "acquire.json.a.jwt.key: secrets don't belong into this file"),
    ] {
        let text = format!("{ACME}[acquire]\nrequest = 'POST /t'\n{rest}");
        let error = toml::from_str::<Declaration>(&text).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error}");
    }
}

#[test]
fn what_is_wrong_with_its_key_shows_when_the_layer_is_built() {
    let key = TempFile::new("jwt-built", EC);
    let (certificate, other) =
        (TempFile::new("jwt-built-crt", EC_CERTIFICATE), TempFile::new("jwt-built-other", RSA_CERTIFICATE));
    let encrypted = EC.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let encrypted = TempFile::new("jwt-built-encrypted", encrypted);
    let path = |file: &TempFile| file.path().display().to_string();
    let good = format!("algorithm = 'ES256'\nkey = 'file:{}'\nissuer = 'text:a'\n", path(&key));
    let built = |jwt: &str| acme(&bearer(jwt)).layer(Scripted::fails("unused").transport()).map(drop);
    built(&format!("{good}x5t = 'file:{}'\nx5t_s256 = 'file:{0}'", path(&certificate))).unwrap();
    for (jwt, at, says) in [
        (good.replace("ES256", "RS256"), "key", "no usable rsa key"),
        (good.replace("ES256", "ES384"), "key", "no usable p-384 key"),
        (good.replace("ES256", "EdDSA"), "key", "no usable ed25519 key"),
        (good.replace("ES256", "HS256"), "key", "it is pem, whereas the secret of HS256"),
        (good.replace(&path(&key), "/no/such/file"), "key", "file:/no/such/file"),
        (
            good.replace(&format!("file:{}", path(&key)), "env:NO_SUCH_VARIABLE_4711"),
            "key",
            "set the variable",
        ),
        (good.replace(&path(&key), &path(&encrypted)), "key", "openssl pkey -in key.pem -out plain.pem"),
        (good.replace(&path(&key), &path(&certificate)), "key", "it is a certificate"),
        (good.replace("text:a", "env:NO_SUCH_VARIABLE_4711"), "issuer", "set the variable"),
        (good.replace("text:a", "text:"), "issuer", "is empty"),
        (format!("{good}x5t = 'file:{}'", path(&other)), "x5t", "belongs to another key"),
        (format!("{good}x5t_s256 = 'file:{}'", path(&key)), "x5t_s256", "no certificate in the pem"),
        (format!("{good}x5t_s256 = 'file:/no/such/file'"), "x5t_s256", "check the file"),
        (format!("{good}claims.a = ['env:NO_SUCH_VARIABLE_4711']"), "claims", "set the variable"),
        (format!("{good}headers.a = 'env:NO_SUCH_VARIABLE_4711'"), "headers", "set the variable"),
    ] {
        let error = built(&jwt).expect_err(&jwt);
        assert_eq!(error.kind(), ConfigErrorKind::Secret, "{error}");
        let printed = printed(&error);
        let at = format!("acquire.bearer.jwt.{at}: ");
        assert!(printed.starts_with(&at) && printed.contains(says), "{printed}");
        assert!(!printed.contains(EC.lines().nth(1).unwrap()), "{printed}");
    }
}

#[test]
fn debug_shows_where_its_key_is() {
    let jwt =
        "algorithm = 'ES256'\nkey = 'file:/run/app.pem'\nissuer = 'text:n0tice'\nclaims.a = 'text:n0tice'";
    let shown = format!("{:?}", acme(&bearer(jwt)));
    assert!(shown.contains("[jwt by file:/run/app.pem]") && !shown.contains("n0tice"), "{shown}");
}

#[test]
fn without_the_feature_it_is_refused_by_its_name() {
    let jwt =
        |text: &str| no_jwt::jwt(value::Value::root(toml::from_str::<Node>(text).unwrap())).unwrap_err();
    let error = jwt("jwt.key = 's3cret'");
    assert_eq!(error.kind(), ConfigErrorKind::Declaration);
    assert_eq!(
        error.to_string(),
        "jwt: nothing here can sign it: this program was built without the feature jwt of tower-reauth"
    );
    assert_eq!(jwt("jws = 1").to_string(), "jws: there is no such key here; there are jwt");
}
