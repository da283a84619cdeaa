//! Token requests with JWTs that a file declares, as they go over the wire, verified with the public key.

use std::collections::HashSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rcgen::{KeyPair, PublicKeyData};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tower_layer::Layer;
use tower_reauth::{AcquireErrorKind, AuthErrorKind, AuthLayer, Declaration};

use super::world::{World, answer, expired, in_seconds, token};
use crate::support::{SecretFile, auth_error, client, get, send};

fn layer(text: &str) -> AuthLayer {
    toml::from_str::<Declaration>(text).unwrap().layer(client()).unwrap()
}

/// Header and claims of a JWT that `key` has signed.
fn verified(jwt: &str, key: &KeyPair) -> [Value; 2] {
    let decode = |part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.der_bytes());
    public.verify(message.as_bytes(), &decode(signature)).unwrap();
    let mut parts = message.split('.').map(|part| serde_json::from_slice(&decode(part)).unwrap());
    [parts.next().unwrap(), parts.next().unwrap()]
}

/// Whether a JWT was issued a minute ago, for ten.
fn assert_span(claims: &Value) {
    let issued_at = claims["iat"].as_u64().unwrap();
    assert!((in_seconds(-90)..=in_seconds(-60)).contains(&issued_at), "{claims}");
    assert_eq!(claims["exp"].as_u64().unwrap() - issued_at, 600, "{claims}");
}

#[tokio::test]
async fn an_apps_jwt_is_exchanged_and_its_key_may_be_replaced_meanwhile() {
    let world =
        World::answering(["t1", "t2"].map(|token| answer(201, &[], format!(r#"{{"token":"{token}"}}"#))))
            .await;
    let keys = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
    let file = SecretFile::new(&keys[0].serialize_pem());
    let layer = layer(&format!(
        "name = 'Acme'\nbase_url = '{}'\nanswer.token = '/token'\n[acquire]\nrequest = 'POST /token'\naccepts = 201\n\
         [acquire.bearer.jwt]\nalgorithm = 'ES256'\nkey = 'file:{}'\nissuer = 'text:app-17'\nlifetime = 600\n\
         without_claims = ['sub', 'nbf']\nclaims.installation = 7",
        world.origin(),
        file.0.display()
    ));
    let api = layer.layer(client());
    assert_eq!(send(&api, get(&world.url("/"))).await.unwrap().status(), 200);
    file.write(&keys[1].serialize_pem());
    world.api_answers([expired()]);
    assert_eq!(send(&api, get(&world.url("/"))).await.unwrap().status(), 200);

    assert_eq!(world.counts(), (2, 3));
    assert_eq!(world.api_headers("authorization"), ["Bearer t1", "Bearer t1", "Bearer t2"]);
    let mut ids = HashSet::new();
    for (bearer, key) in world.token_headers("authorization").iter().zip(&keys) {
        let [header, claims] = verified(bearer.strip_prefix("Bearer ").unwrap(), key);
        assert_eq!(header, json!({ "alg": "ES256", "typ": "JWT" }));
        assert_span(&claims);
        assert_eq!(
            claims,
            json!({
                "iss": "app-17", "installation": 7,
                "iat": claims["iat"], "exp": claims["exp"], "jti": claims["jti"],
            })
        );
        assert!(ids.insert(claims["jti"].to_string()));
    }
    assert_eq!(ids.len(), 2);

    // No key, no request.
    file.write("s3cret, and no key");
    layer.tokens().invalidate();
    let failed = send(&api, get(&world.url("/"))).await.unwrap_err();
    let error = auth_error(&failed);
    let said = error.acquire_error().unwrap();
    assert_eq!((error.kind(), said.kind()), (AuthErrorKind::NoSecret, AcquireErrorKind::NoSecret));
    let printed = format!("{error:?} {said:?}");
    assert!(printed.contains("acquire.bearer.jwt.key") && !printed.contains("s3cret"), "{printed}");
    assert_eq!(world.counts(), (2, 3));
}

#[tokio::test]
async fn a_declared_client_authenticates_by_a_jwt() {
    let world = World::answering([token("t1")]).await;
    let key = KeyPair::generate().unwrap();
    let file = SecretFile::new(&key.serialize_pem().replace('\n', "\\n"));
    let layer = layer(&format!(
        "name = 'Acme'\nbase_url = '{0}'\n[acquire]\nrequest = 'POST /token'\n\
         [acquire.form]\ngrant_type = 'text:client_credentials'\n\
         client_assertion_type = 'text:urn:ietf:params:oauth:client-assertion-type:jwt-bearer'\n\
         [acquire.form.client_assertion.jwt]\nalgorithm = 'ES256'\nkey = 'file:{1}'\nkey_id = 'text:k1'\n\
         issuer = 'text:my-client'\naudience = 'text:{0}/token'\nlifetime = 600",
        world.origin(),
        file.0.display()
    ));
    assert_eq!(send(&layer.layer(client()), get(&world.url("/"))).await.unwrap().status(), 200);
    let requests = world.token_requests();
    let [body] = &requests[..] else { panic!("{requests:?}") };
    let mut fields: Vec<_> = body.split('&').map(|field| field.split_once('=').unwrap()).collect();
    fields.sort_unstable();
    let [assertion, assertion_type, grant] = fields[..] else { panic!("{body}") };
    assert_eq!(grant, ("grant_type", "client_credentials"));
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    assert_eq!(assertion_type, ("client_assertion_type", jwt_bearer));
    assert_eq!(assertion.0, "client_assertion");
    let [header, claims] = verified(assertion.1, &key);
    assert_eq!(header, json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }));
    assert_span(&claims);
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["aud"]),
        (&json!("my-client"), &json!("my-client"), &json!(world.url("/token")))
    );
    assert_eq!(world.api_headers("authorization"), ["Bearer t1"]);
}
