//! `--client-auth`: how a client of OAuth 2.0 authenticates, by both subcommands.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rcgen::{KeyPair, PublicKeyData};
use ring::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use serde_json::{Value, json};

use crate::support::{
    client::get,
    process::{Program, Proxy},
    server::Raw,
    strict::Strict,
    temporary::Temporary,
};

const SECRET: &str = "a secret of 32 bytes or more, that nobody may see";
const TOKEN: &str = r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":60}"#;
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const REJECTED: &str = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer error=\"invalid_token\"\r\n\
    content-length: 0\r\n\r\n";

/// Gives the token, and then another one.
async fn token_endpoint() -> Raw {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
    let answer = |body: &str| format!("{head}{}\r\n\r\n{body}", body.len());
    Raw::start(&[&answer(TOKEN), &answer(&TOKEN.replace("an-access", "another-access"))]).await
}

/// A program for this API, whose client lacks a way to authenticate.
fn to(program: Program, token_url: &str, api: &Raw) -> Program {
    let program = program.args("--vendor oauth2 --client-id me --token-url").arg(token_url);
    program.arg("--base-url").arg(&api.origin)
}

/// A call with these options, and what the token endpoint got.
async fn sent(with: impl FnOnce(Program) -> Program) -> String {
    let (server, api) = (token_endpoint().await, Raw::start(&[EMPTY]).await);
    let program = to(Program::call(), &format!("{}/token", server.origin), &api).args("GET /things");
    with(program).run().await.assert_status(0);
    assert!(api.seen()[0].contains("authorization: Bearer an-access-token\r\n"), "{:?}", api.seen());
    let seen = server.seen();
    let [request] = &seen[..] else { panic!("{seen:?}") };
    request.replace(&server.origin, "ORIGIN")
}

/// The fields of the form, sorted.
fn fields(request: &str) -> Vec<(&str, &str)> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let mut fields: Vec<_> = body.split('&').map(|field| field.split_once('=').unwrap()).collect();
    fields.sort_unstable();
    fields
}

/// The JWT by which a client authenticates: what is signed, and the signature.
fn assertion(request: &str) -> (String, Vec<u8>) {
    let fields = fields(request);
    let [(assertion, jwt), kind, id, grant] = fields[..] else { panic!("{request}") };
    assert_eq!(assertion, "client_assertion");
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    assert_eq!(kind, ("client_assertion_type", jwt_bearer));
    assert_eq!((id, grant), (("client_id", "me"), ("grant_type", "client_credentials")));
    assert!(!request.contains("authorization:"), "{request}");
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    (message.to_owned(), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}

/// Header and claims of what is signed, with the time in the latter checked.
fn said(message: &str) -> (Value, Value) {
    let mut parts =
        message.split('.').map(|part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()));
    let (header, mut claims): (Value, Value) =
        (parts.next().unwrap().unwrap(), parts.next().unwrap().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims_of = claims.as_object_mut().unwrap();
    let mut time = |claim| claims_of.remove(claim).unwrap().as_u64().unwrap();
    let (issued_at, not_before, expires_at) = (time("iat"), time("nbf"), time("exp"));
    assert!((now - 90..=now - 60).contains(&issued_at), "{issued_at} {now}");
    assert_eq!((not_before, expires_at), (issued_at, issued_at + 180));
    assert_eq!(claims_of.remove("jti").unwrap().as_str().unwrap().len(), 22);
    (header, claims)
}

fn verify(message: &str, signature: &[u8], key: &KeyPair) {
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.der_bytes());
    public.verify(message.as_bytes(), signature).unwrap();
}

#[tokio::test]
async fn a_secret_goes_into_the_header_or_the_body() {
    let grant = ("grant_type", "client_credentials");
    let secret = "a%20secret%20of%2032%20bytes%20or%20more%2C%20that%20nobody%20may%20see";
    for way in ["", "--client-auth basic", "--client-auth client_secret_basic"] {
        let request = sent(|call| call.args("--client-secret env:KEY").args(way).secret("KEY", SECRET)).await;
        assert_eq!(fields(&request), [grant]);
        let basic = base64::prelude::BASE64_STANDARD.encode(format!("me:{secret}"));
        assert!(request.contains(&format!("authorization: Basic {basic}\r\n")), "{request}");
    }
    for way in ["body", "client_secret_post"] {
        let call = |call: Program| call.args("--client-secret env:KEY --client-auth").arg(way);
        let request = sent(|program| call(program).secret("KEY", SECRET)).await;
        assert_eq!(fields(&request), [("client_id", "me"), ("client_secret", secret), grant]);
        assert!(!request.contains("authorization:"), "{request}");
    }
    let request = sent(|call| call.args("--client-auth none")).await;
    assert_eq!(fields(&request), [("client_id", "me"), grant]);
    assert!(!request.contains("authorization:"), "{request}");
}

#[tokio::test]
async fn a_private_key_signs_a_jwt() {
    let key = KeyPair::generate().unwrap();
    let file = Temporary::new("jwt-key", &key.serialize_pem());
    for (way, more, header, audience) in [
        ("private-key-jwt", "", json!({ "alg": "ES256", "typ": "JWT" }), "ORIGIN/token"),
        (
            "private_key_jwt",
            "--jwt-key-id k1 --jwt-audience https://login.example.com/",
            json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }),
            "https://login.example.com/",
        ),
    ] {
        let one_line = key.serialize_pem().replace('\n', "\\n");
        for (reference, variable) in [(file.reference(), ""), ("env:KEY".to_owned(), &one_line)] {
            let (server, api) = (token_endpoint().await, Raw::start(&[EMPTY]).await);
            let token_url = format!("{}/token", server.origin);
            let call = to(Program::call(), &token_url, &api).args("GET /things --jwt-algorithm ES256");
            let call = call.arg("--client-auth").arg(way).args(more).arg("--jwt-key").arg(&reference);
            let call = if variable.is_empty() { call } else { call.secret("KEY", variable) };
            call.run().await.assert_status(0);
            let (message, signature) = assertion(&server.seen()[0]);
            verify(&message, &signature, &key);
            let audience = audience.replace("ORIGIN", &server.origin);
            assert_eq!(
                said(&message),
                (header.clone(), json!({ "iss": "me", "sub": "me", "aud": audience }))
            );
        }
    }
}

#[tokio::test]
async fn a_secret_signs_a_jwt_and_is_not_sent() {
    for (way, more, name, algorithm) in [
        ("client-secret-jwt", "", "HS256", hmac::HMAC_SHA256),
        ("client_secret_jwt", "--jwt-algorithm HS384", "HS384", hmac::HMAC_SHA384),
    ] {
        let call = |call: Program| call.args("--client-secret env:KEY --client-auth").arg(way).args(more);
        let request = sent(|program| call(program).secret("KEY", SECRET)).await;
        let (message, signature) = assertion(&request);
        hmac::verify(&hmac::Key::new(algorithm, SECRET.as_bytes()), message.as_bytes(), &signature).unwrap();
        let (header, claims) = said(&message);
        assert_eq!(header, json!({ "alg": name, "typ": "JWT" }));
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("me"), &json!("me")));
    }
}

#[tokio::test]
async fn a_proxy_signs_with_the_key_that_is_there_by_then() {
    let keys = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
    let file = Temporary::new("jwt-key-replaced", &keys[0].serialize_pem());
    let (server, api) = (token_endpoint().await, Raw::start(&[EMPTY, REJECTED, EMPTY]).await);
    let program = to(Program::proxy(), &format!("{}/token", server.origin), &api);
    let program = program.args("--client-auth private-key-jwt --jwt-algorithm ES256 --jwt-key");
    let proxy = Proxy::start(program.arg(file.reference())).await;
    assert_eq!(get(&proxy.url("/x")).await.status(), 204);
    std::fs::write(file.path(), keys[1].serialize_pem()).unwrap();
    assert_eq!(get(&proxy.url("/x")).await.status(), 204);
    proxy.stop().await;
    let seen = server.seen();
    assert_eq!((seen.len(), api.seen().len()), (2, 3));
    assert!(api.seen()[2].contains("authorization: Bearer another-access-token\r\n"), "{:?}", api.seen());
    for (request, key) in seen.iter().zip(&keys) {
        let (message, signature) = assertion(request);
        verify(&message, &signature, key);
    }
}

#[tokio::test]
async fn a_certificate_is_shown_to_the_token_endpoint() {
    let (server, api) = (Strict::start(TOKEN).await, Raw::start(&[EMPTY]).await);
    let authority = Temporary::new("tls-authority", &server.authority);
    let (certificate, key) =
        (Temporary::new("tls-cert", &server.certificate), Temporary::new("tls-key", &server.key));
    let call = |way: &str| {
        let call = to(Program::bare().args("call"), &format!("{}/token", server.origin), &api);
        let call =
            call.args("GET /things --client-auth").arg(way).arg("--client-cert").arg(certificate.path());
        let call = call.arg("--client-key").arg(key.path());
        call.secret("SSL_CERT_FILE", &authority.path().display().to_string())
    };
    for way in ["tls", "tls_client_auth", "self_signed_tls_client_auth"] {
        call(way).run().await.assert_status(0);
    }
    let seen = server.seen();
    assert_eq!((seen.len(), api.seen().len()), (3, 3));
    for request in seen {
        assert_eq!(fields(&request), [("client_id", "me"), ("grant_type", "client_credentials")]);
        assert!(!request.contains("authorization:"), "{request}");
    }
}

#[tokio::test]
async fn what_does_not_go_together_is_refused_and_it_is_said_what_does() {
    let (key, other) = (KeyPair::generate().unwrap(), "s3cret, which is no key");
    let (key, other) =
        (Temporary::new("refused-key", &key.serialize_pem()), Temporary::new("refused-other", other));
    let (key, other) = (key.reference(), other.reference());
    let certificate = Temporary::new("refused-cert", "");
    let jwt = format!("--client-auth private-key-jwt --jwt-key {key}");
    for (args, says) in [
        (String::new(), "needs --client-secret, or another --client-auth than basic"),
        ("--client-auth post".into(), "basic, body, none, private-key-jwt, client-secret-jwt, tls"),
        ("--client-auth basic".into(), "--client-auth basic needs --client-secret"),
        ("--client-auth body".into(), "--client-auth body needs --client-secret"),
        ("--client-auth client_secret_jwt".into(), "--client-auth client-secret-jwt needs --client-secret"),
        ("--client-auth private-key-jwt".into(), "--client-auth private-key-jwt needs --jwt-key"),
        (jwt.clone(), "needs --jwt-algorithm, such as RS256 or ES256"),
        (
            format!("{jwt} --jwt-algorithm HS256"),
            "HS256 signs with a secret that the server has too, and is for --client-auth client-secret-jwt",
        ),
        (
            "--client-auth client-secret-jwt --client-secret env:KEY --jwt-algorithm RS256".into(),
            "RS256 signs with a private key, and is for --client-auth private-key-jwt",
        ),
        (
            format!("{jwt} --jwt-algorithm es256"),
            "--jwt-algorithm <NAME>: there is no such algorithm here; there are RS256",
        ),
        (
            format!("{jwt} --jwt-algorithm ES256 --client-secret env:KEY"),
            "--client-secret means nothing to --client-auth private-key-jwt; leave it out, or say --client-auth basic, \
             body or client-secret-jwt",
        ),
        (
            format!("--client-secret env:KEY --jwt-key {key}"),
            "--jwt-key means nothing to --client-auth basic; leave it out, or say --client-auth private-key-jwt",
        ),
        (
            "--client-auth none --jwt-key-id k1".into(),
            "--jwt-key-id means nothing to --client-auth none; leave it out, or say --client-auth private-key-jwt or \
             client-secret-jwt",
        ),
        (
            "--client-auth none --client-secret env:KEY".into(),
            "--client-secret means nothing to --client-auth none",
        ),
        ("--client-auth tls".into(), "--client-auth tls needs --client-cert and --client-key"),
        (
            format!("--client-auth tls --client-cert {0} --client-key {0}", certificate.path().display()),
            "--client-auth tls: --token-url is http, over which no certificate is shown; use https",
        ),
        (format!("{jwt} --jwt-algorithm RS256"), "--jwt-key: the pem holds no usable rsa key"),
        (
            format!("--client-auth private-key-jwt --jwt-algorithm ES256 --jwt-key {other}"),
            "--jwt-key: there is no private key in the pem",
        ),
        (
            "--client-auth private-key-jwt --jwt-algorithm ES256 --jwt-key file:/not/there".into(),
            "/not/there",
        ),
        (
            "--client-auth private-key-jwt --jwt-algorithm ES256 --jwt-key s3cret".into(),
            "--jwt-key <SECRET>: write env:NAME for an environment variable",
        ),
        (
            "--client-auth client-secret-jwt --client-secret env:SHORT".into(),
            "--client-secret: the secret is too short for HS256, which needs 32 bytes or more",
        ),
        ("--client-auth private-key-jwt --jwt-key - --client-secret -".into(), "can't both read"),
    ] {
        for program in [Program::call().args("GET /x"), Program::proxy()] {
            let program = program.args("--vendor oauth2 --client-id me --token-url http://127.0.0.1:9/token");
            let program = program.args("--base-url http://127.0.0.1:9").args(&args);
            let ended = program.secret("KEY", SECRET).secret("SHORT", "sh0rt").run().await;
            ended.assert_status(2).assert_says(says);
            assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
        }
    }
    let ended = Program::call().args("--vendor videsk --key env:KEY --client-auth none GET /x");
    let ended = ended.secret("KEY", "a-key").run().await;
    ended.assert_status(2).assert_says("--client-auth means nothing to Videsk; leave it out");
}

#[tokio::test]
async fn a_key_that_is_gone_later_is_no_token() {
    let key = KeyPair::generate().unwrap();
    let file = Temporary::new("jwt-key-gone", &key.serialize_pem());
    let (server, api) = (token_endpoint().await, Raw::start(&[EMPTY]).await);
    let program = to(Program::proxy(), &format!("{}/token", server.origin), &api);
    let program = program.args("--client-auth private-key-jwt --jwt-algorithm ES256 --jwt-key");
    let proxy = Proxy::start(program.arg(file.reference())).await;
    drop(file);
    assert_eq!(get(&proxy.url("/x")).await.status(), 503);
    assert_eq!((server.seen().len(), api.seen().len()), (0, 0));
    proxy.stop().await;
}

#[tokio::test]
async fn a_file_may_declare_the_jwt() {
    let (server, api) = (token_endpoint().await, Raw::start(&[EMPTY]).await);
    let key = KeyPair::generate().unwrap();
    let declared = |algorithm: &str| {
        format!(
            "name = \"Acme\"\nbase_url = \"{}\"\n[acquire]\nrequest = \"POST {}/token\"\n[acquire.form.assertion.jwt]\n\
             algorithm = \"{algorithm}\"\nkey = \"env:KEY\"\nissuer = \"text:me\"\n",
            api.origin, server.origin
        )
    };
    let call = |file: &Temporary| {
        let call = Program::call().arg("--config").arg(file.path()).args("GET /x");
        call.secret("KEY", &key.serialize_pem())
    };
    let file = Temporary::new("jwt.toml", &declared("ES256"));
    call(&file).run().await.assert_status(0);
    let seen = server.seen();
    let fields = fields(&seen[0]);
    let [("assertion", jwt)] = fields[..] else { panic!("{seen:?}") };
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    verify(message, &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(), &key);
    assert_eq!(said(message).1, json!({ "iss": "me", "sub": "me" }));
    for (algorithm, says) in [
        ("RS256", "acquire.form.assertion.jwt.key: the pem holds no usable rsa key"),
        ("none", "acquire.form.assertion.jwt.algorithm: there is no such algorithm here"),
    ] {
        let file = Temporary::new(&format!("jwt-{algorithm}.toml"), &declared(algorithm));
        call(&file).run().await.assert_status(2).assert_says(says);
    }
    assert_eq!(server.seen().len(), 1);
}
