//! JWTs that we sign (RFC 7523).

use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::*;
use crate::error::ConfigErrorKind;

const RSA: &[u8] = include_bytes!("keys/rfc7515-a2-pkcs8.pem");
const EC: &[u8] = include_bytes!("keys/rfc7515-a3-pkcs8.pem");
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
        let issued_at = claims["iat"].as_u64().unwrap();
        assert!(now().abs_diff(issued_at) < 60);
        assert_eq!(claims["exp"].as_u64().unwrap() - issued_at, 120);
        let id = claims["jti"].as_str().unwrap();
        assert_eq!(decode(id).len(), 16);
        assert!(ids.insert(id.to_owned()), "fresh for each attempt");
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn every_algorithms_signature_can_be_verified() {
    let jwt = |key: Result<JwtKey, crate::error::ConfigError>| client_assertions(key.unwrap(), 1);
    let split = |jwts: Vec<String>| {
        let (message, signature) = jwts[0].rsplit_once('.').unwrap();
        (parts(message).0["alg"].clone(), message.as_bytes().to_vec(), decode(signature))
    };

    let (algorithm, message, signature) = split(jwt(JwtKey::rs256(RSA)).await);
    assert_eq!(algorithm, "RS256");
    let n = decode(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF\
         d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo\
         7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM\
         Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    let key = RsaPublicKeyComponents { n, e: vec![1, 0, 1] };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, &message, &signature).unwrap();

    let (algorithm, message, signature) = split(jwt(JwtKey::es256(EC)).await);
    assert_eq!(algorithm, "ES256");
    let point = [
        vec![4],
        decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.concat());
    key.verify(&message, &signature).unwrap();

    let (algorithm, message, signature) = split(jwt(JwtKey::eddsa(ED)).await);
    assert_eq!(algorithm, "EdDSA");
    let key = UnparsedPublicKey::new(&ED25519, decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    key.verify(&message, &signature).unwrap();
}

#[tokio::test]
async fn a_service_accounts_assertion_says_what_it_is_told() {
    let server = Server::healthy();
    let assertion = JwtAssertion::new(JwtKey::eddsa(ED).unwrap(), "robot")
        .subject("johndoe")
        .audience("https://idp.example.com")
        .lifetime(Duration::from_secs(3600))
        .claim("scope", "videos.read")
        .claim("iss", "somebody else");
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

#[test]
fn a_key_may_be_written_as_variables_keep_it() {
    let lines = |pem: &[u8]| String::from_utf8(pem.to_vec()).unwrap();
    for pem in [lines(RSA), lines(EC), lines(ED)] {
        for pem in [
            pem.replace('\n', "\\n"),
            pem.trim().replace('\n', " "),
            format!("\u{feff}\"{}\"\r\n", pem.replace('\n', "\r\n")),
            BASE64_STANDARD.encode(&pem),
        ] {
            let made = [JwtKey::rs256, JwtKey::es256, JwtKey::eddsa].map(|make| make(pem.as_bytes()).is_ok());
            assert_eq!(made.iter().filter(|made| **made).count(), 1, "{pem}");
        }
    }
}

#[test]
fn a_key_that_is_none_says_what_it_is_and_what_to_do() {
    let block = |label: &str| format!("-----BEGIN {label}-----\nczNjcmV0\n-----END {label}-----\n");
    for (pem, words) in [
        (block("ENCRYPTED PRIVATE KEY"), "openssl pkey -in key.pem -out plain.pem"),
        (block("PUBLIC KEY"), "it is a public key"),
        (block("CERTIFICATE"), "it is a certificate"),
    ] {
        for make in [JwtKey::rs256, JwtKey::es256, JwtKey::eddsa] {
            let error = make(pem.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let sec1 = String::from_utf8(include_bytes!("keys/rfc7515-a3-sec1.pem").to_vec()).unwrap();
    let error = JwtKey::es256(sec1.replace('\n', "\\n").as_bytes()).unwrap_err().to_string();
    assert!(error.contains("openssl pkcs8 -topk8 -nocrypt converts it"), "{error}");
}

#[test]
fn what_is_no_key_of_the_kind_is_refused_and_not_shown() {
    let sec1 = include_bytes!("keys/rfc7515-a3-sec1.pem");
    let torn = b"-----BEGIN PRIVATE KEY-----\ns3cret!!\n-----END PRIVATE KEY-----\n";
    for result in [
        JwtKey::rs256(EC),
        JwtKey::rs256(b""),
        JwtKey::rs256(torn),
        JwtKey::es256(RSA),
        JwtKey::es256(ED),
        JwtKey::es256(sec1),
        JwtKey::eddsa(EC),
        JwtKey::eddsa(b"s3cret"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Secret);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    let shown = format!("{:?}", JwtKey::es256(EC).unwrap().key_id("k1"));
    assert_eq!(shown, r#"JwtKey { algorithm: "ES256", key_id: Some("k1"), .. }"#);
}
