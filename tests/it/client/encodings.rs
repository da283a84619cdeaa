//! Answers to token requests are decoded, though nobody asked for an encoding, and nothing else is.

use std::io::Write;

use axum::body::Body;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use tower_http::decompression::Decompression;
use tower_reauth::{
    AcquireErrorKind, AuthError, Credential, EndpointCredential, ErrorCode, Lease, TokenCache, TokenEndpoint,
    TokenRequest,
    oauth2::{self, ClientCredentials, OAuth2Credential},
};

use super::*;
use crate::support::Site;

const TOKEN: &str = r#"{"access_token":"t0ken-that-was-encoded","expires_in":3600}"#;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// `body` with each coding, by its name on the wire.
fn encodings(body: &str) -> [(&'static str, Vec<u8>); 5] {
    let body = body.as_bytes();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(body).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(body).unwrap();
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(body).unwrap();
    let both = gzip(&brotli);
    [
        ("gzip", gzip(body)),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("br", brotli),
        ("br, gzip", both),
    ]
}

/// A server with one answer, which says of itself that it is encoded.
async fn site(status: u16, coding: &str, body: impl Into<Bytes>) -> Site {
    let (coding, body) = (coding.to_owned(), body.into());
    Site::start(move |_| {
        let response = Response::builder().status(status).header(CONTENT_ENCODING, &coding);
        response.body(Body::from(body.clone())).unwrap()
    })
    .await
}

fn endpoint(site: &Site, transport: Transport) -> EndpointCredential {
    TokenEndpoint::new("Acme", site.url(""), TokenRequest::post("/token")).build(transport).unwrap()
}

fn oauth2(site: &Site, transport: Transport) -> OAuth2Credential {
    let client = oauth2::ClientAuthentication::secret_post("s6BhdRkqt3", "gX1fBat3bV");
    ClientCredentials::new(site.url("/token"), client).build(transport).unwrap()
}

async fn acquire(credential: impl Credential) -> Result<Lease, AuthError> {
    TokenCache::new(credential).get(Duration::ZERO).await
}

/// The credential's own error.
async fn failure(credential: impl Credential) -> (String, Option<ErrorCode>) {
    let error = acquire(credential).await.unwrap_err();
    let error = error.acquire_error().unwrap();
    (error.to_string(), error.code())
}

#[tokio::test]
async fn a_token_is_found_in_an_encoded_answer() {
    for (coding, body) in encodings(TOKEN) {
        let site = site(200, coding, body).await;
        let transport = Transport::from(any_client());
        for lease in
            [acquire(endpoint(&site, transport.clone())).await, acquire(oauth2(&site, transport)).await]
        {
            let lease = lease.unwrap();
            assert_eq!(lease.token().expose_secret(), "t0ken-that-was-encoded", "{coding}");
            assert_eq!(lease.token().lifetime(), Some(Duration::from_secs(3600)));
        }
        assert!(site.requests().iter().all(|head| !head.headers.contains_key(ACCEPT_ENCODING)));
    }
}

#[tokio::test]
async fn a_refusal_is_read_in_an_encoded_answer() {
    let refusal = r#"{"error":"invalid_client","error_description":"gX1fBat3bV is not the secret"}"#;
    for (coding, body) in encodings(refusal) {
        let site = site(400, coding, body).await;
        let transport = Transport::from(any_client());
        let (text, code) = failure(oauth2(&site, transport.clone())).await;
        assert_eq!(code, Some(ErrorCode::InvalidClient), "{coding}");
        assert!(text.contains("invalid_client: [redacted] is not the secret"), "{text}");
        let (text, _) = failure(endpoint(&site, transport)).await;
        assert!(text.contains("is not the secret"), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_decoded_is_a_passing_error_that_says_why() {
    let encoded = gzip(TOKEN.as_bytes());
    let bomb = gzip(&vec![b'x'; 1 << 20]).repeat(900);
    for (coding, body, text) in [
        ("gzip", encoded[..encoded.len() / 2].to_vec(), "is encoded as gzip, and cut off"),
        ("br", TOKEN.into(), "is encoded as br, and corrupt"),
        ("deflate", vec![0xff; 100], "is encoded as deflate, and corrupt"),
        ("gzip", TOKEN.into(), "is encoded as gzip, and corrupt"),
        ("zstd", encoded.clone(), "has a content coding that can't be decoded here: zstd"),
        ("gzip", bomb, "is longer than 1 MiB"),
    ] {
        let site = site(200, coding, body).await;
        let error = acquire(endpoint(&site, any_client().into())).await.unwrap_err();
        let error = error.acquire_error().unwrap();
        assert_eq!(error.kind(), AcquireErrorKind::Transient);
        assert_eq!(error.to_string(), format!("the token endpoint's answer {text} (status 200)"));
        assert!(!format!("{error:?}").contains("t0ken"), "{error:?}");
    }
}

#[tokio::test]
async fn another_transport_is_told_what_to_put_around_it() {
    let site = site(200, "gzip", gzip(TOKEN.as_bytes())).await;
    let (text, _) = failure(endpoint(&site, Transport::new(any_client()))).await;
    assert!(text.contains("put decompression beneath the client for token requests"), "{text}");
    let decoding = Transport::new(Decompression::new(any_client()));
    assert!(acquire(endpoint(&site, decoding)).await.is_ok());
}

#[tokio::test]
async fn other_responses_are_handed_out_as_they_were_encoded() {
    for (coding, body) in encodings("an answer of an API") {
        let site = site(200, coding, body.clone()).await;
        let (head, same) = post(&any_client(), &site.url("/things"), "").await.unwrap();
        assert_eq!(head.headers[CONTENT_ENCODING], coding);
        assert_eq!(head.headers[CONTENT_LENGTH], body.len().to_string());
        assert_eq!(same, body);
    }
}
