//! The requests, byte for byte as the RFCs print them.

use super::*;

/// Acquires once, and returns what was sent.
async fn sent(build: impl FnOnce(Transport) -> Result<OAuth2Credential, crate::error::ConfigError>) -> Seen {
    let server = Server::healthy();
    let token = acquire(&build(server.transport()).unwrap()).await.unwrap();
    assert_eq!(token.expose_secret(), "2YotnFZFEjr1zCsicMWpAA");
    let seen = server.only();
    assert_eq!(seen.method, Method::POST);
    assert_eq!(seen.url, URL);
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(seen.headers["accept"], "application/json");
    seen
}

#[tokio::test]
async fn rfc_6749_4_4_2_client_credentials() {
    let seen = sent(|transport| ClientCredentials::new(URL, basic()).build(transport)).await;
    assert_eq!(seen.body, "grant_type=client_credentials");
    // RFC 6749 §2.3.1 has the same client with another secret.
    assert_eq!(seen.authorization(), Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"));
    assert!(seen.headers["authorization"].is_sensitive());
}

#[tokio::test]
async fn rfc_6749_2_3_1_secret_in_the_body() {
    let client = ClientAuthentication::secret_post("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw");
    let seen =
        sent(|transport| RefreshToken::new(URL, client, "tGzv3JOkF0XG5Qx2TlKWIA").build(transport)).await;
    assert_eq!(
        seen.body,
        "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA\
         &client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw"
    );
    assert_eq!(seen.authorization(), None);
}

#[tokio::test]
async fn rfc_6749_4_3_2_password() {
    let seen = sent(|transport| Password::new(URL, basic(), "johndoe", "A3ddj3w").build(transport)).await;
    assert_eq!(seen.body, "grant_type=password&username=johndoe&password=A3ddj3w");
    assert_eq!(seen.authorization(), Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"));
}

#[tokio::test]
async fn rfc_6749_6_refresh() {
    let seen =
        sent(|transport| RefreshToken::new(URL, basic(), "tGzv3JOkF0XG5Qx2TlKWIA").build(transport)).await;
    assert_eq!(seen.body, "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA");
    assert_eq!(seen.authorization(), Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"));
}

#[tokio::test]
async fn rfc_7523_4_jwt_bearer() {
    let assertion = SecretSource::fixed("eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.eyJpc3Mi.J9l-ZhwP");
    let seen = sent(|transport| {
        JwtBearer::new(URL, ClientAuthentication::unidentified(), assertion).build(transport)
    })
    .await;
    assert_eq!(
        seen.body,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer\
         &assertion=eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.eyJpc3Mi.J9l-ZhwP"
    );
    assert_eq!(seen.authorization(), None);
}

#[tokio::test]
async fn rfc_7523_2_2_client_assertion() {
    let assertion = SecretSource::fixed("eyJhbGciOiJSUzI1NiIsImtpZCI6IjIyIn0.eyJpc3Mi.cC4hiUPo");
    let client = ClientAuthentication::assertion("s6BhdRkqt3", assertion);
    let seen = sent(|transport| ClientCredentials::new(URL, client).build(transport)).await;
    assert_eq!(
        seen.body,
        "grant_type=client_credentials&client_id=s6BhdRkqt3\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion=eyJhbGciOiJSUzI1NiIsImtpZCI6IjIyIn0.eyJpc3Mi.cC4hiUPo"
    );
}

#[tokio::test]
async fn rfc_8693_2_3_token_exchange() {
    let subject = "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC";
    let client = ClientAuthentication::secret_basic("rs08", "long-secure-random-secret");
    let seen = sent(|transport| {
        TokenExchange::new(URL, client, subject, TokenExchange::ACCESS_TOKEN)
            .resource("https://backend.example.com/api")
            .build(transport)
    })
    .await;
    assert_eq!(
        seen.body,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &resource=https%3A%2F%2Fbackend.example.com%2Fapi\
         &subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
    );
    assert_eq!(seen.authorization(), Some("Basic cnMwODpsb25nLXNlY3VyZS1yYW5kb20tc2VjcmV0"));
}

#[tokio::test]
async fn rfc_8693_a_2_1_delegation() {
    let seen = sent(|transport| {
        TokenExchange::new(URL, ClientAuthentication::unidentified(), "eyJ.subject", TokenExchange::JWT)
            .actor("eyJ.actor", TokenExchange::JWT)
            .audience("urn:example:cooperation-context")
            .build(transport)
    })
    .await;
    assert_eq!(
        seen.body,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &audience=urn%3Aexample%3Acooperation-context\
         &subject_token=eyJ.subject\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt\
         &actor_token=eyJ.actor\
         &actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt"
    );
}

#[tokio::test]
async fn rfc_8707_2_2_refresh_for_a_resource() {
    let client = ClientAuthentication::secret_basic("s6BhdRkqt3", "hubba hubba");
    let seen = sent(|transport| {
        RefreshToken::new(URL, client, "4LTC8lb0acc6Oy4esc1Nk9BWC0imAwH")
            .resource("https://rs.example.com/")
            .resource("urn:example:other")
            .build(transport)
    })
    .await;
    assert_eq!(
        seen.body,
        "grant_type=refresh_token&refresh_token=4LTC8lb0acc6Oy4esc1Nk9BWC0imAwH\
         &resource=https%3A%2F%2Frs.example.com%2F&resource=urn%3Aexample%3Aother"
    );
}

#[tokio::test]
async fn scope_audience_and_extra_parameters_are_encoded_without_a_plus() {
    let seen = sent(|transport| {
        ClientCredentials::new(URL, ClientAuthentication::public("my app"))
            .scope("calendar.read mail+")
            .audience("a&b")
            .param("tenant", "ü=1")
            .build(transport)
    })
    .await;
    assert_eq!(
        seen.body,
        "grant_type=client_credentials&audience=a%26b&scope=calendar.read%20mail%2B&tenant=%C3%BC%3D1\
         &client_id=my%20app"
    );
}

#[tokio::test]
async fn basic_is_form_encoded_unless_it_is_to_be_raw() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let cases = [
        (ClientAuthentication::secret_basic("my:app", "a b+%c/ü"), "my%3Aapp:a%20b%2B%25c%2F%C3%BC"),
        (ClientAuthentication::secret_basic_raw("my-app", "a b+%c/ü"), "my-app:a b+%c/ü"),
    ];
    for (client, decoded) in cases {
        let seen = sent(|transport| ClientCredentials::new(URL, client).build(transport)).await;
        let expected = format!("Basic {}", BASE64_STANDARD.encode(decoded));
        assert_eq!(seen.authorization(), Some(&*expected));
        assert_eq!(seen.body, "grant_type=client_credentials");
    }
}

#[tokio::test]
async fn a_refresh_token_that_came_with_a_token_is_used_first_and_without_a_scope() {
    let server = Server::answering([
        (200, with_refresh("first", "r1")),
        (200, token("second")),
        (400, json!({"error": "invalid_grant"})),
        (200, token("third")),
    ]);
    let credential = Password::new(URL, basic(), "johndoe", "A3ddj3w")
        .scope("a b")
        .resource("https://rs.example.com/")
        .build(server.transport())
        .unwrap();
    let first = acquire(&credential).await.unwrap();
    let second = renew(&credential, &first).await.unwrap();
    // RFC 6749 §6: none came back, so the old one is kept.
    assert_eq!(second.refresh_token().map(secrecy::ExposeSecret::expose_secret), Some("r1"));
    let error = renew(&credential, &second).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::AcquireErrorKind::GrantRejected);
    let anew = Acquire::new(Reason::Rejected, Some(&second));
    assert_eq!(Credential::acquire(&credential, anew).await.unwrap().expose_secret(), "third");
    let bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    let password = "grant_type=password&username=johndoe&password=A3ddj3w\
                    &resource=https%3A%2F%2Frs.example.com%2F&scope=a%20b";
    let refresh = "grant_type=refresh_token&refresh_token=r1&resource=https%3A%2F%2Frs.example.com%2F";
    assert_eq!(bodies, [password, refresh, refresh, password]);
}

#[tokio::test]
async fn client_credentials_have_no_use_for_a_refresh_token() {
    let server = Server::answering([(200, with_refresh("first", "r1"))]);
    let credential = ClientCredentials::new(URL, basic()).build(server.transport()).unwrap();
    let first = acquire(&credential).await.unwrap();
    renew(&credential, &first).await.unwrap();
    assert!(server.seen().iter().all(|seen| seen.body == "grant_type=client_credentials"));
}
