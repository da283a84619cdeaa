//! Where the client's id goes, and clients that authenticate by a certificate.

use super::*;
use crate::error::{AcquireErrorKind, ConfigErrorKind};

const ISSUER: &str = "https://server.example.com";

/// Body and `Authorization` of a client's request.
async fn sent(client: ClientAuthentication) -> (String, Option<String>) {
    let server = Server::healthy();
    acquire(&ClientCredentials::new(URL, client).build(server.transport()).unwrap()).await.unwrap();
    let seen = server.only();
    (seen.body.clone(), seen.authorization().map(str::to_owned))
}

#[tokio::test]
async fn the_id_is_in_the_body_beside_basic_if_it_has_to_be_there() {
    let body = "grant_type=client_credentials&client_id=my%20app";
    let basic = ClientAuthentication::secret_basic("my app", "s3c+ret").with_id_in_body();
    // `my%20app:s3c%2Bret`
    assert_eq!(sent(basic).await, (body.into(), Some("Basic bXklMjBhcHA6czNjJTJCcmV0".into())));
    let raw = ClientAuthentication::secret_basic_raw("my app", "s3c+ret").with_id_in_body();
    // `my app:s3c+ret`
    assert_eq!(sent(raw).await, (body.into(), Some("Basic bXkgYXBwOnMzYytyZXQ=".into())));
}

#[tokio::test]
async fn the_id_is_in_the_body_only_once() {
    let post = ClientAuthentication::secret_post("a", "s").with_id_in_body();
    assert_eq!(sent(post).await.0, "grant_type=client_credentials&client_id=a&client_secret=s");
    for client in [ClientAuthentication::public("a"), ClientAuthentication::tls("a")] {
        let expected = ("grant_type=client_credentials&client_id=a".to_owned(), None);
        assert_eq!(sent(client.clone()).await, expected);
        assert_eq!(sent(client.with_id_in_body()).await, expected);
    }
    let assertion = ClientAuthentication::assertion("a", SecretSource::fixed("eyJ"));
    assert_eq!(sent(assertion.with_id_in_body()).await.0.matches("client_id=a").count(), 1);
}

#[tokio::test]
async fn refreshes_and_revocations_have_the_id_too() {
    let server =
        Server::answering([(200, with_refresh("first", "r1")), (200, token("second")), (200, json!({}))]);
    let place = AuthorizationServer::new(URL).revocation_endpoint("https://server.example.com/revoke");
    let credential = Password::new(place, basic().with_id_in_body(), "johndoe", "A3ddj3w")
        .build(server.transport())
        .unwrap();
    let first = acquire(&credential).await.unwrap();
    let second = renew(&credential, &first).await.unwrap();
    Credential::revoke(&credential, &second).await.unwrap();
    let bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(
        bodies,
        [
            "grant_type=password&username=johndoe&password=A3ddj3w&client_id=s6BhdRkqt3",
            "grant_type=refresh_token&refresh_token=r1&client_id=s6BhdRkqt3",
            "token=r1&token_type_hint=refresh_token&client_id=s6BhdRkqt3",
            "token=second&token_type_hint=access_token&client_id=s6BhdRkqt3",
        ]
    );
}

#[test]
fn without_an_id_there_is_none_to_put_into_the_body() {
    let client = ClientAuthentication::unidentified().with_id_in_body();
    let error = ClientCredentials::new(URL, client).build(Server::healthy().transport()).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Declaration);
}

#[tokio::test]
async fn a_refused_client_is_told_to_look_at_what_it_authenticates_with() {
    let server = Server::answering([(401, json!({"error": "invalid_client"}))]);
    let by_jwt = "client id, the key that signs the jwt, its key id and its audience";
    for (client, look_at) in [
        (basic(), "client id and secret"),
        (ClientAuthentication::secret_basic_raw("s6BhdRkqt3", "s3cret"), "client id and secret"),
        (ClientAuthentication::secret_post("a", "s3cret").with_id_in_body(), "client id and secret"),
        (ClientAuthentication::assertion("a", SecretSource::fixed("eyJ")), by_jwt),
        (ClientAuthentication::tls("a"), "client id, and the certificate that the connection shows"),
        (ClientAuthentication::public("a"), "client id, and whether the server takes it without a secret"),
        (ClientAuthentication::unidentified(), "which client the server wants to know of; none was named"),
    ] {
        let credential = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
        let error = acquire(&credential).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the token endpoint of server.example.com (client credentials) refused POST {URL}: \"invalid_client\"; \
                 check {look_at} (status 401)"
            )
        );
    }
}

/// Metadata with other endpoints for clients with a certificate.
fn metadata(aliases: Value) -> Value {
    json!({
        "issuer": ISSUER,
        "token_endpoint": "https://server.example.com/token",
        "revocation_endpoint": "https://server.example.com/revoke",
        "mtls_endpoint_aliases": aliases,
    })
}

/// Acquires and revokes, and returns the URLs of both.
async fn asked(client: ClientAuthentication, aliases: Value, place: AuthorizationServer) -> [String; 2] {
    let server = Server::answering([(200, metadata(aliases)), (200, token("abc")), (200, json!({}))]);
    let credential = ClientCredentials::new(place, client).build(server.transport()).unwrap();
    let token = acquire(&credential).await.unwrap();
    Credential::revoke(&credential, &token).await.unwrap();
    let urls: Vec<_> = server.seen().into_iter().skip(1).map(|seen| seen.url).collect();
    urls.try_into().expect("two requests")
}

#[tokio::test]
async fn a_client_with_a_certificate_asks_the_aliases_that_are_for_it() {
    let server = || AuthorizationServer::discover(ISSUER);
    let both = json!({
        "token_endpoint": "https://mtls.example.com/token",
        "revocation_endpoint": "https://mtls.example.com/revoke",
    });
    let certificate = || ClientAuthentication::tls("a");
    assert_eq!(
        asked(certificate(), both.clone(), server()).await,
        ["https://mtls.example.com/token", "https://mtls.example.com/revoke"]
    );
    assert_eq!(
        asked(certificate(), json!({"token_endpoint": "https://mtls.example.com/token"}), server()).await,
        ["https://mtls.example.com/token", "https://server.example.com/revoke"]
    );
    for none in [Value::Null, json!({}), json!([]), json!({"token_endpoint": 5})] {
        assert_eq!(
            asked(certificate(), none, server()).await,
            ["https://server.example.com/token", "https://server.example.com/revoke"]
        );
    }
    // What the program says itself counts more.
    let own = server().revocation_endpoint("https://own.example.com/revoke");
    assert_eq!(
        asked(certificate(), both.clone(), own).await,
        ["https://mtls.example.com/token", "https://own.example.com/revoke"]
    );
    // They are for nobody else.
    assert_eq!(
        asked(basic(), both, server()).await,
        ["https://server.example.com/token", "https://server.example.com/revoke"]
    );
}

#[tokio::test]
async fn an_alias_obeys_the_https_rule_where_it_is_used() {
    let insecure = metadata(json!({"token_endpoint": "http://mtls.example.com/token"}));
    let server = Server::answering([(200, insecure.clone()), (200, token("abc"))]);
    let place = AuthorizationServer::discover(ISSUER);
    let credential = ClientCredentials::new(place.clone(), ClientAuthentication::tls("a"));
    let error = acquire(&credential.build(server.transport()).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Transient, "{error}");
    assert_eq!(server.seen().len(), 1, "only the metadata was asked for");

    let server = Server::answering([(200, insecure), (200, token("abc"))]);
    acquire(&ClientCredentials::new(place, basic()).build(server.transport()).unwrap()).await.unwrap();
}
