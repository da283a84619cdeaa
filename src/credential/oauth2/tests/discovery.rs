//! Metadata (RFC 8414, OpenID Connect Discovery).

use super::*;
use crate::error::AcquireErrorKind;

const ISSUER: &str = "https://server.example.com";

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": "https://tokens.example.com/token",
        "revocation_endpoint": "https://tokens.example.com/revoke",
        "jwks_uri": "http://not.ours.example.com/jwks"
    })
}

fn credential(issuer: &'static str, server: &Server) -> OAuth2Credential {
    let discovered = AuthorizationServer::discover(issuer);
    ClientCredentials::new(discovered, basic()).build(server.transport()).unwrap()
}

fn urls(server: &Server) -> Vec<String> {
    server.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.url)).collect()
}

#[tokio::test]
async fn the_endpoints_are_looked_up_once_at_the_first_acquisition() {
    let server = Server::answering([(200, metadata(ISSUER)), (200, token("abc"))]);
    let credential = credential(ISSUER, &server);
    assert!(server.seen().is_empty());
    let token = acquire(&credential).await.unwrap();
    acquire(&credential).await.unwrap();
    Credential::revoke(&credential.clone(), &token).await.unwrap();
    assert_eq!(
        urls(&server),
        [
            "GET https://server.example.com/.well-known/oauth-authorization-server",
            "POST https://tokens.example.com/token",
            "POST https://tokens.example.com/token",
            "POST https://tokens.example.com/revoke",
        ]
    );
    assert_eq!(server.seen()[0].authorization(), None);
}

#[tokio::test]
async fn openid_configuration_is_the_second_place_to_look() {
    for (issuer, first, second) in [
        (ISSUER, "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"),
        (
            "https://server.example.com/tenant/1",
            "/.well-known/oauth-authorization-server/tenant/1",
            "/tenant/1/.well-known/openid-configuration",
        ),
        (
            "https://server.example.com/",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ),
    ] {
        for not_there in [(404, "{}"), (401, "{}"), (200, "<html>"), (200, "[]"), (302, "")] {
            let server = Server::saying([
                (not_there.0, not_there.1.to_owned()),
                (200, metadata(issuer).to_string()),
                (200, token("abc").to_string()),
            ]);
            acquire(&credential(issuer, &server)).await.unwrap();
            assert_eq!(
                urls(&server)[..2],
                [format!("GET {ISSUER}{first}"), format!("GET {ISSUER}{second}")],
                "{not_there:?}"
            );
        }
    }
}

#[tokio::test]
async fn something_odd_in_metadata_does_not_matter() {
    let metadata = metadata(ISSUER).to_string();
    for odd in [
        metadata.replace('{', r#"{"x":1e999,"y":"\ud800","#),
        metadata.replace('}', ",}\0"),
        format!("\u{feff}{metadata}"),
    ] {
        let server = Server::saying([(200, odd), (200, token("abc").to_string())]);
        acquire(&credential(ISSUER, &server)).await.unwrap();
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn an_issuer_that_is_not_exactly_ours_is_refused() {
    for other in [
        "https://server.example.com/",
        "https://Server.example.com",
        "https://server.example.com:443",
        "http://server.example.com",
        "https://evil.example.com",
        "",
    ] {
        let server = Server::answering([(200, metadata(other))]);
        let error = acquire(&credential(ISSUER, &server)).await.unwrap_err();
        assert!(error.to_string().contains("another issuer"), "{error}");
        assert_eq!(server.seen().len(), 1, "{other}: nothing is sent there");
    }
}

#[tokio::test]
async fn endpoints_obey_the_https_rule() {
    for endpoint in ["http://server.example.com/token", "/token", "", "https://a@b.example.com/"] {
        let mut metadata = metadata(ISSUER);
        metadata["token_endpoint"] = endpoint.into();
        let server = Server::answering([(200, metadata)]);
        let error = acquire(&credential(ISSUER, &server)).await.unwrap_err();
        assert_eq!(error.kind(), AcquireErrorKind::Unintelligible);
        assert_eq!(server.seen().len(), 1, "{endpoint}");
    }
    let server = Server::answering([(200, json!({"issuer": ISSUER}))]);
    let error = acquire(&credential(ISSUER, &server)).await.unwrap_err();
    assert!(error.to_string().contains("without a token endpoint"), "{error}");
}

#[tokio::test]
async fn plain_text_endpoints_in_metadata_have_to_be_allowed() {
    let mut metadata = metadata(ISSUER);
    metadata["token_endpoint"] = "http://tokens.example.com/token".into();
    let server = Server::answering([(200, metadata), (200, token("abc"))]);
    let discovered = AuthorizationServer::discover(ISSUER).allow_plaintext_secrets();
    let credential = ClientCredentials::new(discovered, basic()).build(server.transport()).unwrap();
    acquire(&credential).await.unwrap();
    assert_eq!(urls(&server)[1], "POST http://tokens.example.com/token");
}

#[tokio::test]
async fn endpoints_in_metadata_do_not_point_at_a_metadata_service() {
    for host in crate::auth::METADATA {
        for name in ["token_endpoint", "revocation_endpoint"] {
            let mut metadata = metadata(ISSUER);
            metadata[name] = format!("http://{host}/latest/api/token").into();
            let server = Server::answering([(200, metadata)]);
            let discovered = AuthorizationServer::discover(ISSUER).allow_plaintext_secrets();
            let credential = ClientCredentials::new(discovered, basic()).build(server.transport()).unwrap();
            let error = acquire(&credential).await.unwrap_err();
            assert_eq!(error.kind(), AcquireErrorKind::Unintelligible, "{error}");
            let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
            let source: &crate::error::ConfigError = source.expect("a configuration's error");
            assert_eq!(source.kind(), crate::error::ConfigErrorKind::MetadataHost, "{host}");
            assert_eq!(server.seen().len(), 1, "{host}: nothing is sent there");
        }
    }
}

#[tokio::test]
async fn a_failure_refuses_nothing_and_is_not_kept() {
    let server =
        Server::answering([(503, json!({})), (404, json!({})), (404, json!({})), (200, metadata(ISSUER))]);
    let credential = credential(ISSUER, &server);
    for (kind, status) in [(AcquireErrorKind::Transient, Some(503)), (AcquireErrorKind::Missing, None)] {
        let error = acquire(&credential).await.unwrap_err();
        assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (kind, status), "{error}");
    }
    // The third finds it, and then asks for a token.
    acquire(&credential).await.unwrap_err();
    assert_eq!(urls(&server).last().unwrap(), "POST https://tokens.example.com/token");
}

#[tokio::test]
async fn assertions_are_made_out_to_the_issuer_or_to_the_token_endpoint() {
    for (place, audience) in [
        (AuthorizationServer::discover(ISSUER), "https%3A%2F%2Fserver.example.com"),
        (AuthorizationServer::new(URL), "https%3A%2F%2Fserver.example.com%2Ftoken"),
        (AuthorizationServer::new(URL).issuer("urn:us"), "urn%3Aus"),
    ] {
        let server = Server::answering([(200, metadata(ISSUER)), (200, token("abc"))]);
        let assertion = Assertion::from_fn(|audience| async { Ok(audience.into()) });
        let credential =
            JwtBearer::new(place, ClientAuthentication::unidentified(), assertion).build(server.transport());
        // A known server answers the token request with the metadata, which is no token.
        let _ = acquire(&credential.unwrap()).await;
        assert_eq!(server.seen().last().unwrap().field("assertion"), Some(audience));
    }
}
