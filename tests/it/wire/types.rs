//! Types of tokens beside `Bearer`: those that a vendor calls by a name of its own, and those that are bound to a key.

use tower::Layer;
use tower_reauth::{
    AcquireErrorKind::TokenType,
    AuthErrorKind::EndpointUnusable,
    ConfigErrorKind, Declaration, TokenEndpoint, TokenRequest,
    oauth2::{
        ClientAuthentication, ClientCredentials, JwtBearer, Password, RefreshToken, SecretSource,
        TokenExchange,
    },
};

use super::{
    ways::{LENIENT, WAYS, said},
    world::{World, answer, json},
};
use crate::support::{auth_error, client, get, send};

const NAMES: [&str; 7] = [
    "Application Access Token",
    "BearerToken",
    "bearer_token",
    "jwt",
    "access",
    "N_A",
    "urn:ietf:params:oauth:token-type:access_token",
];

fn typed(token_type: &str) -> Vec<u8> {
    json(format!(r#"{{"access_token":"abc","token_type":"{token_type}","expires_in":3600}}"#))
}

#[tokio::test]
async fn a_name_of_the_vendors_own_is_refused_with_the_setting_that_admits_it() {
    let unnamed = said!("").strictly();
    for name in NAMES {
        let words = [&*format!("\"{name}\""), "token_type"];
        unnamed.assert_refused(&WAYS, &typed(name), (EndpointUnusable, TokenType), &words).await;
        let named = said!(format!("token_types = '{name}'"); .token_type(name)).strictly();
        named.assert_token(&WAYS, &typed(name), "abc").await;
        named.assert_token(&WAYS, &typed(&name.to_uppercase()), "abc").await;
        named.assert_token(&WAYS, &typed("bearer"), "abc").await;
        named.assert_refused(&WAYS, &typed("other"), (EndpointUnusable, TokenType), &["\"other\""]).await;
    }
}

#[tokio::test]
async fn whoever_is_not_strict_takes_any_name_of_a_bearer_token() {
    for name in NAMES {
        said!("").assert_token(&LENIENT, &typed(name), "abc").await;
    }
    for absent in [
        r#"{"access_token":"abc"}"#,
        r#"{"access_token":"abc","token_type":null}"#,
        r#"{"access_token":"abc","token_type":""}"#,
        r#"{"access_token":"abc","token_type":["Bearer"]}"#,
    ] {
        said!("").strictly().assert_token(&WAYS, &json(absent), "abc").await;
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_never_sent() {
    for name in ["DPoP", "dpop", "DPOP", " DPoP ", "mac", "MAC", "pop", "PoP"] {
        let words = ["bound to a key", name.trim()];
        said!("").assert_refused(&WAYS, &typed(name), (EndpointUnusable, TokenType), &words).await;
    }
    let form = answer(
        200,
        &[("content-type", "application/x-www-form-urlencoded")],
        "token_type=DPoP&access_token=abc",
    );
    said!("").assert_refused(&WAYS, &form, (EndpointUnusable, TokenType), &["bound to a key"]).await;
}

#[tokio::test]
async fn the_type_beside_a_token_counts_wherever_that_is() {
    let nested = said!("token = '/data/token'"; .token("/data/token"));
    for body in [
        r#"{"data":{"token":"abc","token_type":"DPoP"}}"#,
        r#"{"token_type":"mac","data":{"token":"abc"}}"#,
        r#"{"token_type":"Bearer","data":{"token":"abc","token_type":"pop"}}"#,
    ] {
        let words = ["bound to a key"];
        nested.assert_refused(&WAYS, &json(body), (EndpointUnusable, TokenType), &words).await;
    }
    nested.assert_token(&WAYS, &json(r#"{"data":{"token":"abc","token_type":"bearer"}}"#), "abc").await;
    let listed = said!("token = '/tokens/0/id'"; .token("/tokens/0/id"));
    let body = r#"{"tokens":[{"id":"abc","token_type":"DPoP"},{"id":"d","token_type":"Bearer"}]}"#;
    listed.assert_refused(&WAYS, &json(body), (EndpointUnusable, TokenType), &["bound to a key"]).await;
}

#[test]
fn a_bound_type_can_not_be_named() {
    for name in ["DPoP", "dpop", "MAC", " pop "] {
        let endpoint = TokenEndpoint::new("Acme", "https://api.example.com", TokenRequest::post("/token"));
        let error = endpoint.token_type(name).layer(client()).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Declaration, "{name}");
        let oauth2 =
            ClientCredentials::new("https://api.example.com/token", ClientAuthentication::public("id"));
        let error = oauth2.token_type(name).layer("https://api.example.com", client()).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Declaration, "{name}");
        let file = format!(
            "name = 'Acme'\nbase_url = 'https://api.example.com'\nacquire.request = 'POST /token'\n\
             answer.token_types = ['JWT', '{name}']"
        );
        let error = toml::from_str::<Declaration>(&file).unwrap_err().to_string();
        assert!(error.contains("answer.token_types") && error.contains("bound to a key"), "{error}");
    }
}

#[tokio::test]
async fn every_builder_of_oauth_2_reads_types_alike() {
    for (name, kind) in [("jwt", None), ("other", Some(TokenType)), ("DPoP", Some(TokenType))] {
        let world = World::answering([typed(name)]).await;
        let (url, origin, id) = (world.url("/token"), world.origin(), ClientAuthentication::public("id"));
        let secret = ClientAuthentication::secret_basic("id", "s3cret");
        let assertion = SecretSource::from("an-assertion");
        let layers = [
            ClientCredentials::new(url.clone(), secret).token_type("JWT").layer(origin, client()),
            RefreshToken::new(url.clone(), id.clone(), "r").token_type("JWT").layer(origin, client()),
            JwtBearer::new(url.clone(), id.clone(), assertion).token_type("JWT").layer(origin, client()),
            TokenExchange::new(url.clone(), id.clone(), "a", "urn:x")
                .token_type("JWT")
                .layer(origin, client()),
            Password::new(url.clone(), id, "me", "p").token_type("JWT").layer(origin, client()),
        ];
        for layer in layers {
            let (_, sent) = world.counts();
            let result = send(&layer.unwrap().layer(client()), get(&world.url("/"))).await;
            let found = result.err().map(|error| auth_error(&error).acquire_error().unwrap().kind());
            assert_eq!((found, world.counts().1 - sent), (kind, usize::from(kind.is_none())), "{name}");
        }
    }
}
