//! Giving tokens back (RFC 7009).

use super::*;
use crate::error::{AcquireErrorKind, ErrorCode};

const REVOKE: &str = "https://server.example.com/revoke";

fn place() -> AuthorizationServer {
    AuthorizationServer::new(URL).revocation_endpoint(REVOKE)
}

#[tokio::test]
async fn rfc_7009_2_1_the_refresh_token_and_then_the_access_token() {
    let server = Server::saying([(200, String::new())]);
    let credential = Password::new(place(), basic(), "johndoe", "A3ddj3w").build(server.transport()).unwrap();
    let token =
        AccessToken::new("2YotnFZFEjr1zCsicMWpAA").unwrap().with_refresh_token("45ghiukldjahdnhzdauz");
    Credential::revoke(&credential, &token).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].body, "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token");
    assert_eq!(seen[1].body, "token=2YotnFZFEjr1zCsicMWpAA&token_type_hint=access_token");
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert_eq!((seen.method, &*seen.url), (Method::POST, REVOKE));
        assert_eq!(seen.headers["authorization"], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    }
}

#[tokio::test]
async fn a_server_that_cannot_revoke_access_tokens_is_asked_for_the_refresh_token_alone() {
    let unsupported = || (400, json!({"error": "unsupported_token_type"}));
    let server = Server::answering([(200, json!({})), unsupported()]);
    let credential = ClientCredentials::new(place(), basic()).build(server.transport()).unwrap();
    let token = AccessToken::new("a1").unwrap();
    Credential::revoke(&credential, &token.clone().with_refresh_token("r1")).await.unwrap();
    let error = Credential::revoke(&credential, &token).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (AcquireErrorKind::Rejected, Some(ErrorCode::UnsupportedTokenType))
    );
}

#[tokio::test]
async fn failures_are_told_apart_and_show_no_token() {
    for (status, body, kind) in [
        (503, json!({}), AcquireErrorKind::Transient),
        (401, json!({"error": "invalid_client", "error_description": "a1 r1"}), AcquireErrorKind::Rejected),
        (400, json!({"error": "server_error"}), AcquireErrorKind::Transient),
    ] {
        let server = Server::answering([(status, body)]);
        let credential = ClientCredentials::new(place(), basic()).build(server.transport()).unwrap();
        let token = AccessToken::new("a1").unwrap().with_refresh_token("r1");
        let error = Credential::revoke(&credential, &token).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!error.to_string().contains("a1") && !error.to_string().contains("r1"), "{error}");
        server.only();
    }
}

#[tokio::test]
async fn without_an_endpoint_it_is_unsupported() {
    let server = Server::healthy();
    let credential = ClientCredentials::new(URL, basic()).build(server.transport()).unwrap();
    let error = Credential::revoke(&credential, &AccessToken::new("a1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Unsupported);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_revoked_rotation_begins_anew_from_its_source() {
    let server = Server::answering([(200, with_refresh("a1", "r1")), (200, json!({})), (200, json!({}))]);
    let credential = RefreshToken::new(place(), basic(), "r0").build(server.transport()).unwrap();
    let token = acquire(&credential).await.unwrap();
    Credential::revoke(&credential, &token).await.unwrap();
    assert!(credential.refresh_token().is_none());
    let _ = acquire(&credential).await;
    let sent: Vec<_> = server.seen().iter().map(|seen| seen.body.clone()).collect();
    assert!(sent[1].starts_with("token=r1&") && sent[2].starts_with("token=a1&"), "{sent:?}");
    assert!(sent[3].contains("refresh_token=r0"), "{sent:?}");
}
