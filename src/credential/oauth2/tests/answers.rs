//! What answers mean (RFC 6749 §5).

use std::time::Duration;

use super::*;
use crate::error::{AcquireErrorKind, ErrorCode};

async fn ask(status: u16, body: Value) -> Result<AccessToken, AcquireError> {
    let server = Server::answering([(status, body)]);
    let result = acquire(&ClientCredentials::new(URL, basic()).build(server.transport()).unwrap()).await;
    server.only();
    result
}

#[tokio::test]
async fn rfc_6749_5_1_success() {
    let token = ask(
        200,
        json!({
            "access_token": "2YotnFZFEjr1zCsicMWpAA",
            "token_type": "example",
            "expires_in": 3600,
            "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA",
            "example_parameter": "example_value"
        }),
    );
    // The RFC's own example has a type that nobody can use.
    let error = token.await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::TokenType);
    assert!(error.to_string().contains("of the type \"example\""), "{error}");
    assert!(error.to_string().contains("name it with token_type"), "{error}");
}

#[tokio::test]
async fn any_2xx_with_a_bearer_token_succeeds() {
    for (status, token_type) in [
        (200, json!("Bearer")),
        (201, json!("bearer")),
        (202, json!("BEARER")),
        (299, json!("bEaReR")),
        (200, json!(null)),
        (200, json!("")),
    ] {
        let mut body = token("abc");
        body["token_type"] = token_type.clone();
        let token = ask(status, body).await.unwrap_or_else(|error| panic!("{token_type}: {error}"));
        assert_eq!(token.lifetime(), Some(Duration::from_secs(3600)));
    }
    assert!(ask(200, json!({"access_token": "abc"})).await.is_ok(), "an absent type");
    // A token is a token, whatever else the answer says.
    assert!(ask(200, json!({"access_token": "abc", "error": "none"})).await.is_ok());
}

#[tokio::test]
async fn a_token_that_is_no_bearer_token_is_not_used() {
    for token_type in ["mac", "DPoP", "N_A", "Bearer2", "PoP"] {
        let error = ask(200, json!({"access_token": "abc", "token_type": token_type})).await.unwrap_err();
        assert_eq!(error.kind(), AcquireErrorKind::TokenType, "{token_type}");
        assert!(error.to_string().contains(token_type) && !error.to_string().contains("abc"), "{error}");
    }
}

#[tokio::test]
async fn lifetimes_are_read_as_everywhere_else() {
    for (expires_in, lifetime) in [
        (json!(60), Some(Duration::from_secs(60))),
        (json!("60"), Some(Duration::from_secs(60))),
        (json!(1.5), Some(Duration::from_millis(1500))),
        (json!(-1), None),
        (json!(0), None),
        (json!(null), None),
        (json!("soon"), None),
    ] {
        let token = ask(200, json!({"access_token": "abc", "expires_in": expires_in})).await.unwrap();
        assert_eq!(token.lifetime(), lifetime, "{expires_in}");
    }
}

#[tokio::test]
async fn every_error_is_typed_and_sorted_whatever_the_status() {
    use AcquireErrorKind::{Rejected, Transient};
    for (code, name, kind) in [
        (ErrorCode::InvalidRequest, "invalid_request", Rejected),
        (ErrorCode::InvalidClient, "invalid_client", Rejected),
        (ErrorCode::InvalidGrant, "invalid_grant", Rejected),
        (ErrorCode::UnauthorizedClient, "unauthorized_client", Rejected),
        (ErrorCode::UnsupportedGrantType, "unsupported_grant_type", Rejected),
        (ErrorCode::InvalidScope, "invalid_scope", Rejected),
        (ErrorCode::InvalidTarget, "invalid_target", Rejected),
        (ErrorCode::AccessDenied, "access_denied", Rejected),
        (ErrorCode::ServerError, "server_error", Transient),
        (ErrorCode::TemporarilyUnavailable, "temporarily_unavailable", Transient),
        (ErrorCode::SlowDown, "slow_down", Transient),
    ] {
        for status in [200, 400, 401, 403] {
            let error = ask(status, json!({"error": name})).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{status} {name}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
            assert!(error.to_string().contains(name), "{error}");
        }
        // A server that is in trouble, or that has been asked too often, has not judged anything.
        for status in [408, 425, 429, 500, 502, 503] {
            let error = ask(status, json!({"error": name})).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (Transient, Some(code)), "{status} {name}");
        }
    }
}

#[tokio::test]
async fn codes_that_nobody_knows_are_shown_but_not_typed() {
    for (status, kind) in [(200, AcquireErrorKind::Unintelligible), (400, AcquireErrorKind::Undeclared)] {
        let error = ask(status, json!({"error": "bad_verification_code"})).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, None), "{status}");
        assert!(error.to_string().contains("bad_verification_code"), "{error}");
    }
}

#[tokio::test]
async fn description_and_uri_are_shown_on_one_line_and_without_secrets() {
    let error = ask(
        400,
        json!({
            "error": "invalid_scope",
            "error_description": "no\r\nscope for gX1fBat3bV, czZCaGRSa3F0MzpnWDFmQmF0M2JW",
            "error_uri": "https://server.example.com/help?secret=gX1fBat3bV"
        }),
    );
    let error = error.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token endpoint of server.example.com (client credentials) refused POST \
         https://server.example.com/token: \"invalid_scope: no  scope for [redacted], [redacted]: \
         https://server.example.com/help?secret=[redacted]\"; check the scope (status 400)"
    );
}

#[tokio::test]
async fn a_success_without_token_and_error_makes_no_sense_and_may_be_better_later() {
    for body in [json!({}), json!([]), json!({"error": ""}), json!({"access_token": ""}), json!("abc")] {
        let error = ask(200, body.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (AcquireErrorKind::Unintelligible, None), "{body}");
    }
}

#[tokio::test]
async fn a_client_that_is_refused_needs_no_other_grant() {
    let server = Server::answering([
        (200, with_refresh("first", "r1")),
        (401, json!({"error": "invalid_client"})),
        (400, json!({"error": "unauthorized_client"})),
    ]);
    let credential = Password::new(URL, basic(), "johndoe", "A3ddj3w").build(server.transport()).unwrap();
    let first = acquire(&credential).await.unwrap();
    for kind in [AcquireErrorKind::Rejected, AcquireErrorKind::GrantRejected] {
        assert_eq!(renew(&credential, &first).await.unwrap_err().kind(), kind);
    }
    assert_eq!(server.seen().len(), 3, "a fixed secret is not tried twice");
}
