//! What clients of OAuth 2.0 send: parameters with refreshes, the id beside Basic, and JWTs.

use std::{collections::HashSet, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_layer::Layer;
use tower_reauth::{
    AuthLayer, TokenEndpoint, TokenRequest,
    oauth2::{ClientAuthentication, ClientCredentials, JwtAssertion, JwtKey, Password, RefreshToken},
};

use super::world::{self, World, expired, in_seconds, token};
use crate::support::{client, get, send};

const KEY: &[u8] = include_bytes!("../../../src/credential/oauth2/tests/keys/rfc7515-a3-pkcs8.pem");

fn with_refresh(access: &str, refresh: &str) -> Vec<u8> {
    world::json(format!(
        r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh}"}}"#
    ))
}

/// Calls the API, whose token expires before each call but the first.
async fn call(world: &World, layer: AuthLayer, times: usize) {
    let api = layer.layer(client());
    for time in 0..times {
        if time > 0 {
            world.api_answers([expired()]);
        }
        send(&api, get(&world.url("/"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_has_the_parameters_of_the_grant_and_a_scope_of_its_own() {
    let answers = [with_refresh("a1", "r1"), with_refresh("a2", "r2"), token("a3")];
    let password = |world: &World| {
        let client = ClientAuthentication::secret_basic("my app", "s3cret").with_id_in_body();
        Password::new(world.url("/token"), client, "me", "p").scope("a b").param("tenant", "acme")
    };

    let world = World::answering(answers.clone()).await;
    call(&world, password(&world).layer(world.origin(), client()).unwrap(), 3).await;
    assert_eq!(
        world.token_requests(),
        [
            "grant_type=password&username=me&password=p&scope=a%20b&tenant=acme&client_id=my%20app",
            "grant_type=refresh_token&refresh_token=r1&tenant=acme&client_id=my%20app",
            "grant_type=refresh_token&refresh_token=r2&tenant=acme&client_id=my%20app",
        ]
    );
    // `my%20app:s3cret`
    assert_eq!(world.token_headers("authorization"), ["Basic bXklMjBhcHA6czNjcmV0"; 3]);
    assert_eq!(
        world.api_headers("authorization"),
        ["Bearer a1", "Bearer a1", "Bearer a2", "Bearer a2", "Bearer a3"]
    );

    let world = World::answering(answers).await;
    let layer = password(&world).refresh_scope("a").acquire_param("otp", "123456");
    call(&world, layer.layer(world.origin(), client()).unwrap(), 2).await;
    assert_eq!(
        world.token_requests(),
        [
            "grant_type=password&username=me&password=p&scope=a%20b&tenant=acme&otp=123456&client_id=my%20app",
            "grant_type=refresh_token&refresh_token=r1&scope=a&tenant=acme&client_id=my%20app",
        ]
    );
}

#[tokio::test]
async fn a_refresh_token_has_scope_and_parameters_each_time() {
    let world = World::answering([with_refresh("a1", "r1"), token("a2")]).await;
    let layer = RefreshToken::new(world.url("/token"), ClientAuthentication::public("app"), "r0")
        .scope("a b")
        .param("tenant", "acme")
        .layer(world.origin(), client());
    call(&world, layer.unwrap(), 2).await;
    let expected = ["r0", "r1"].map(|token| {
        format!("grant_type=refresh_token&refresh_token={token}&scope=a%20b&tenant=acme&client_id=app")
    });
    assert_eq!(world.token_requests(), expected);
}

#[tokio::test]
async fn a_client_with_a_certificate_sends_its_id_and_no_secret() {
    let world = World::answering([token("a1")]).await;
    let layer = ClientCredentials::new(world.url("/token"), ClientAuthentication::tls("app"))
        .layer(world.origin(), client());
    call(&world, layer.unwrap(), 1).await;
    assert_eq!(world.token_requests(), ["grant_type=client_credentials&client_id=app"]);
    assert_eq!(world.token_headers("authorization"), [] as [&str; 0]);
}

/// Header and claims.
fn parts(jwt: &str) -> [Value; 2] {
    let mut parts = jwt.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
    [0, 1].map(|_| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

/// Whether it was issued so many seconds ago, and is valid for so many more.
fn is_dated(claims: &Value, ago: i64, more: i64) -> bool {
    let near = |claim: &str, seconds| claims[claim].as_u64().unwrap().abs_diff(in_seconds(seconds)) < 30;
    near("iat", -ago) && near("nbf", -ago) && near("exp", more)
}

#[tokio::test]
async fn a_client_signs_what_a_server_with_a_slow_clock_accepts() {
    let world = World::answering([token("a1")]).await;
    let client_id = ClientAuthentication::private_key_jwt("app", JwtKey::es256(KEY).unwrap().key_id("k1"));
    let layer = ClientCredentials::new(world.url("/token"), client_id).layer(world.origin(), client());
    call(&world, layer.unwrap(), 1).await;
    let body = world.token_requests().remove(0);
    let (rest, jwt) = body.split_once("&client_assertion=").unwrap();
    assert_eq!(
        rest,
        "grant_type=client_credentials&client_id=app\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let [header, claims] = parts(jwt);
    assert_eq!(header, json!({"alg": "ES256", "kid": "k1", "typ": "JWT"}));
    for (claim, value) in [("iss", "app"), ("sub", "app"), ("aud", &world.url("/token"))] {
        assert_eq!(claims[claim], value);
    }
    assert!(is_dated(&claims, 60, 120), "{claims}");
}

#[tokio::test]
async fn a_jwt_is_the_bearer_of_token_requests_and_each_has_its_own() {
    let world = World::answering([token("a1"), token("a2")]).await;
    let jwt = JwtAssertion::new(JwtKey::es256(KEY).unwrap(), "app").lifetime(Duration::from_secs(600));
    let request = TokenRequest::post("/token").bearer(jwt.typ("at+jwt").claim("installation", 7));
    let layer = TokenEndpoint::new("Acme", world.origin().to_owned(), request).layer(client());
    call(&world, layer.unwrap(), 2).await;
    let mut ids = HashSet::new();
    for bearer in world.token_headers("authorization") {
        let [header, claims] = parts(bearer.strip_prefix("Bearer ").unwrap());
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!((&claims["iss"], &claims["installation"]), (&"app".into(), &7.into()));
        assert!(is_dated(&claims, 60, 540), "{claims}");
        ids.insert(claims["jti"].to_string());
    }
    assert_eq!(ids.len(), 2);
}
