//! What a refresh sends of the options that the grant was given.

use super::*;
use crate::error::{ConfigError, ConfigErrorKind};

const TARGETS: &str = "resource=https%3A%2F%2Frs.example.com%2F&audience=videos";
const JWT_BEARER: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const TOKEN_EXCHANGE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const JWT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

/// The bodies of a first request and of two refreshes.
async fn bodies(build: impl FnOnce(Transport) -> Result<OAuth2Credential, ConfigError>) -> [String; 3] {
    let server = Server::answering([
        (200, with_refresh("first", "r1")),
        (200, with_refresh("second", "r2")),
        (200, token("third")),
    ]);
    let credential = build(server.transport()).unwrap();
    let first = acquire(&credential).await.unwrap();
    let second = renew(&credential, &first).await.unwrap();
    renew(&credential, &second).await.unwrap();
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.authorization() == Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")));
    seen.into_iter().map(|seen| seen.body).collect::<Vec<_>>().try_into().expect("three requests")
}

/// What all of these grants are given.
macro_rules! with_options {
    ($builder:expr) => {
        $builder.scope("a b").resource("https://rs.example.com/").audience("videos").param("tenant", "ü 1")
    };
}

fn password() -> Password {
    Password::new(URL, basic(), "johndoe", "A3ddj3w")
}

fn jwt_bearer() -> JwtBearer {
    JwtBearer::new(URL, basic(), SecretSource::fixed("eyJ.a.b"))
}

fn token_exchange() -> TokenExchange {
    TokenExchange::new(URL, basic(), "eyJ.subject", TokenExchange::JWT)
}

/// Refreshes as they are by default.
fn refreshes() -> [String; 2] {
    ["r1", "r2"]
        .map(|token| format!("grant_type=refresh_token&refresh_token={token}&{TARGETS}&tenant=%C3%BC%201"))
}

#[tokio::test]
async fn refreshes_have_the_parameters_of_the_grant_and_not_its_scope() {
    let [first, refreshes @ ..] = bodies(|transport| with_options!(password()).build(transport)).await;
    let own = "grant_type=password&username=johndoe&password=A3ddj3w";
    assert_eq!(first, format!("{own}&{TARGETS}&scope=a%20b&tenant=%C3%BC%201"));
    assert_eq!(refreshes, self::refreshes());

    let [first, refreshes @ ..] = bodies(|transport| with_options!(jwt_bearer()).build(transport)).await;
    let own = format!("grant_type={JWT_BEARER}&assertion=eyJ.a.b");
    assert_eq!(first, format!("{own}&{TARGETS}&scope=a%20b&tenant=%C3%BC%201"));
    assert_eq!(refreshes, self::refreshes());

    let [first, refreshes @ ..] = bodies(|transport| with_options!(token_exchange()).build(transport)).await;
    let own = format!("subject_token=eyJ.subject&subject_token_type={JWT}");
    let options = format!("{TARGETS}&scope=a%20b&tenant=%C3%BC%201");
    assert_eq!(first, format!("grant_type={TOKEN_EXCHANGE}&{options}&{own}"));
    assert_eq!(refreshes, self::refreshes());
}

#[tokio::test]
async fn the_scope_of_a_refresh_and_the_parameters_of_a_grant_are_options_of_their_own() {
    let expected = ["r1", "r2"].map(|token| {
        format!("grant_type=refresh_token&refresh_token={token}&{TARGETS}&scope=a&tenant=%C3%BC%201")
    });
    let options = format!("{TARGETS}&scope=a%20b&tenant=%C3%BC%201&otp=123456");
    let [first, refreshes @ ..] = bodies(|transport| {
        with_options!(password()).refresh_scope("a").acquire_param("otp", "123456").build(transport)
    })
    .await;
    assert_eq!(first, format!("grant_type=password&username=johndoe&password=A3ddj3w&{options}"));
    assert_eq!(refreshes, expected);

    let [first, refreshes @ ..] = bodies(|transport| {
        with_options!(jwt_bearer()).refresh_scope("a").acquire_param("otp", "123456").build(transport)
    })
    .await;
    assert_eq!(first, format!("grant_type={JWT_BEARER}&assertion=eyJ.a.b&{options}"));
    assert_eq!(refreshes, expected);

    let [first, refreshes @ ..] = bodies(|transport| {
        with_options!(token_exchange()).refresh_scope("a").acquire_param("otp", "123456").build(transport)
    })
    .await;
    let own = format!("subject_token=eyJ.subject&subject_token_type={JWT}");
    assert_eq!(first, format!("grant_type={TOKEN_EXCHANGE}&{options}&{own}"));
    assert_eq!(refreshes, expected);
}

#[tokio::test]
async fn a_refresh_may_ask_for_a_scope_though_the_grant_asked_for_none() {
    let [first, refreshes @ ..] = bodies(|transport| password().refresh_scope("a b").build(transport)).await;
    assert_eq!(first, "grant_type=password&username=johndoe&password=A3ddj3w");
    let expected =
        ["r1", "r2"].map(|token| format!("grant_type=refresh_token&refresh_token={token}&scope=a%20b"));
    assert_eq!(refreshes, expected);
}

/// Its first request is a refresh, so the scope is in that one as in the others.
#[tokio::test]
async fn a_refresh_token_asks_for_the_same_each_time() {
    let bodies =
        bodies(|transport| with_options!(RefreshToken::new(URL, basic(), "r0")).build(transport)).await;
    let expected = ["r0", "r1", "r2"].map(|token| {
        format!("grant_type=refresh_token&refresh_token={token}&{TARGETS}&scope=a%20b&tenant=%C3%BC%201")
    });
    assert_eq!(bodies, expected);
}

#[tokio::test]
async fn client_credentials_ask_for_the_same_each_time() {
    let bodies =
        bodies(|transport| with_options!(ClientCredentials::new(URL, basic())).build(transport)).await;
    let expected = format!("grant_type=client_credentials&{TARGETS}&scope=a%20b&tenant=%C3%BC%201");
    assert_eq!(bodies, [&*expected, &expected, &expected]);
}

#[test]
fn options_of_refreshes_are_checked_like_the_others() {
    let kind = |builder: Password| builder.build(Server::healthy().transport()).unwrap_err().kind();
    assert_eq!(kind(password().refresh_scope("a  b")), ConfigErrorKind::Declaration);
    assert_eq!(kind(password().refresh_scope("")), ConfigErrorKind::Declaration);
    assert_eq!(kind(password().acquire_param("scope", "a")), ConfigErrorKind::Declaration);
    assert_eq!(kind(password().acquire_param("client_id", "a")), ConfigErrorKind::Declaration);
    let empty = crate::credential::Param::secret("");
    assert_eq!(kind(password().acquire_param("otp", empty)), ConfigErrorKind::Secret);
}
