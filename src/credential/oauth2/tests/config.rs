//! Wrong configuration is reported when the credential is built.

use super::*;
use crate::{credential::Param, error::ConfigErrorKind};

fn kind(
    build: impl FnOnce(Transport) -> Result<OAuth2Credential, crate::error::ConfigError>,
) -> ConfigErrorKind {
    let server = Server::healthy();
    let error = build(server.transport()).expect_err("wrong");
    assert!(server.seen().is_empty(), "building does no I/O over the network");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    error.kind()
}

fn server(server: AuthorizationServer) -> ConfigErrorKind {
    kind(|transport| ClientCredentials::new(server, basic()).build(transport))
}

fn client(client: ClientAuthentication) -> ConfigErrorKind {
    kind(|transport| ClientCredentials::new(URL, client).build(transport))
}

#[test]
fn urls_have_to_be_https_or_loopback() {
    use ConfigErrorKind::{InsecureUrl, Url};
    for (url, expected) in [
        ("http://server.example.com/token", InsecureUrl),
        ("server.example.com/token", Url),
        ("/token", Url),
        ("", Url),
        ("https://user:pass@server.example.com/token", Url),
        ("ftp://server.example.com/token", Url),
    ] {
        assert_eq!(server(AuthorizationServer::new(url)), expected, "{url}");
        assert_eq!(server(AuthorizationServer::discover(url)), expected, "{url}");
        assert_eq!(server(AuthorizationServer::new(URL).revocation_endpoint(url)), expected, "{url}");
    }
    for issuer in ["https://server.example.com/?a=b", "https://server.example.com/#a"] {
        assert_eq!(server(AuthorizationServer::discover(issuer)), Url, "{issuer}");
    }
    let loopback = ClientCredentials::new("http://127.0.0.1:8080/token", basic());
    assert!(loopback.build(Server::healthy().transport()).is_ok());
}

#[test]
fn plain_text_has_to_be_allowed() {
    let url = "http://10.1.2.3/token";
    for server in [
        AuthorizationServer::new(url),
        AuthorizationServer::discover(url),
        AuthorizationServer::new(URL).revocation_endpoint(url),
    ] {
        let build = |server| ClientCredentials::new(server, basic()).build(Server::healthy().transport());
        let error = build(server.clone()).unwrap_err().to_string();
        assert!(
            error.ends_with("or allow_plaintext_secrets if everybody on the way may read them"),
            "{error}"
        );
        assert!(build(server.allow_plaintext_secrets()).is_ok());
    }
}

#[test]
fn a_metadata_service_is_no_authorization_server_whatever_is_allowed() {
    for host in crate::auth::METADATA {
        for url in [format!("http://{host}/token"), format!("https://{host}:8443/token")] {
            for refused in [
                AuthorizationServer::new(url.clone()),
                AuthorizationServer::discover(url.clone()),
                AuthorizationServer::new(URL).revocation_endpoint(url.clone()),
            ] {
                assert_eq!(server(refused.clone()), ConfigErrorKind::MetadataHost, "{url}");
                assert_eq!(server(refused.allow_plaintext_secrets()), ConfigErrorKind::MetadataHost, "{url}");
            }
        }
    }
}

#[test]
fn secrets_have_to_be_there() {
    assert_eq!(client(ClientAuthentication::secret_basic("a", "")), ConfigErrorKind::Secret);
    assert_eq!(client(ClientAuthentication::secret_post("a", String::new())), ConfigErrorKind::Secret);
    assert_eq!(
        client(ClientAuthentication::secret_basic("a", SecretSource::env("NO_SUCH_VARIABLE"))),
        ConfigErrorKind::Secret
    );
    assert_eq!(
        client(ClientAuthentication::secret_basic("a", SecretSource::env("NO=SUCH"))),
        ConfigErrorKind::Secret
    );
    assert_eq!(
        client(ClientAuthentication::secret_basic("a", SecretSource::file("/no/such/file"))),
        ConfigErrorKind::Secret
    );
    assert_eq!(
        client(ClientAuthentication::assertion("a", SecretSource::fixed(""))),
        ConfigErrorKind::Secret
    );
    let refresh =
        |source: SecretSource| kind(|transport| RefreshToken::new(URL, basic(), source).build(transport));
    assert_eq!(refresh("".into()), ConfigErrorKind::Secret);
    assert_eq!(refresh(SecretSource::env("NO_SUCH_VARIABLE")), ConfigErrorKind::Secret);
    let password = kind(|transport| Password::new(URL, basic(), "johndoe", "").build(transport));
    assert_eq!(password, ConfigErrorKind::Secret);
    let actor = kind(|transport| {
        TokenExchange::new(URL, basic(), "s3cret", TokenExchange::JWT)
            .actor("", TokenExchange::JWT)
            .build(transport)
    });
    assert_eq!(actor, ConfigErrorKind::Secret);
}

#[test]
fn clients_have_to_have_an_id_that_can_be_sent() {
    assert_eq!(client(ClientAuthentication::public("")), ConfigErrorKind::Declaration);
    assert_eq!(client(ClientAuthentication::secret_basic("a\n", "s3cret")), ConfigErrorKind::Declaration);
    assert_eq!(client(ClientAuthentication::secret_basic_raw("a:b", "s3cret")), ConfigErrorKind::UserId);
}

#[test]
fn options_have_to_be_what_the_rfcs_allow() {
    use ConfigErrorKind::{Declaration, Url};
    let option = |option: fn(ClientCredentials) -> ClientCredentials| {
        kind(|transport| option(ClientCredentials::new(URL, basic())).build(transport))
    };
    assert_eq!(option(|builder| builder.scope("")), Declaration);
    assert_eq!(option(|builder| builder.scope("a  b")), Declaration);
    assert_eq!(option(|builder| builder.scope("a,\"b\"")), Declaration);
    assert_eq!(option(|builder| builder.resource("/api")), Url);
    assert_eq!(option(|builder| builder.resource("api.example.com")), Url);
    assert_eq!(option(|builder| builder.resource("https://api.example.com/#part")), Url);
    assert_eq!(option(|builder| builder.param("grant_type", "password")), Declaration);
    assert_eq!(option(|builder| builder.param("client_secret", "s3cret")), Declaration);
    assert_eq!(option(|builder| builder.param("api_key", Param::secret(""))), ConfigErrorKind::Secret);
    assert_eq!(option(|builder| builder.param("old", Param::access_token())), Declaration);
}

#[test]
fn the_apis_origin_is_checked_too_and_the_layer_is_preset() {
    let builder = || ClientCredentials::new(URL, basic());
    let transport = Server::healthy().transport();
    let error = builder().layer("http://api.example.com", transport.clone()).expect_err("insecure");
    assert_eq!(error.kind(), ConfigErrorKind::InsecureUrl);
    let parts = builder().parts("https://api.example.com", transport.clone()).unwrap();
    assert_eq!(format!("{:?}", parts.signatures), format!("{:?}", crate::signature::Signatures::oauth2()));
    assert_eq!(parts.credential.describe().name(), "server.example.com (client credentials)");
    assert!(builder().name("billing").layer("https://api.example.com", transport).is_ok());
}

#[test]
fn no_debug_shows_a_secret() {
    let client = ClientAuthentication::secret_post("a", "s3cret");
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        ClientCredentials::new(URL, client.clone()).param("key", Param::secret("s3cret")),
        Password::new(URL, client.clone(), "johndoe", "s3cret"),
        RefreshToken::new(URL, client.clone(), "s3cret").build(Server::healthy().transport()).unwrap(),
        JwtBearer::new(URL, client.clone(), SecretSource::fixed("s3cret")),
        TokenExchange::new(URL, client, "s3cret", TokenExchange::JWT).actor("s3cret", TokenExchange::JWT),
    );
    assert!(!shown.contains("s3cret") && shown.contains("johndoe"), "{shown}");
}

#[test]
#[allow(deprecated, reason = "it is what the test is about")]
fn a_client_still_goes_by_its_former_name() {
    let client: ClientAuthentication = Client::secret_basic("a", "s3cret");
    assert!(ClientCredentials::new(URL, client).build(Server::healthy().transport()).is_ok());
}
