//! Whose token each vendor's is: what processes have to agree on that share it.

use super::*;
use crate::{
    auth::AuthLayer,
    credential::temp_file::TempFile,
    secret::SecretSource,
    store::SharedSlot,
    testing::{MemoryStore, StoreCall},
    token::{Description, RefreshPolicy},
};

fn slot() -> SharedSlot {
    SharedSlot::plain(MemoryStore::new(), "test").expect("a name")
}

/// Where a credential's token is, in a slot without a subject.
fn place(description: &Description) -> Result<String, ConfigError> {
    description.shelf(&slot()).map(|shelf| shelf.slot().to_string())
}

/// The same with one.
fn place_of(subject: &str, description: &Description) -> String {
    let shelf = description.shelf(&slot().subject(subject));
    shelf.expect("a subject is all that is missing").slot().to_string()
}

fn describe(endpoint: TokenEndpoint) -> Description {
    let server = Scripted::answers(200, &[], "");
    let description = endpoint.build(server.transport()).expect("valid").describe();
    let shown = format!("{description:?}");
    for secret in ["key-1", "key-2", "john.doe"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    description
}

fn acme(request: TokenRequest) -> Description {
    describe(TokenEndpoint::new("Acme", "https://api.acme.example", request))
}

#[test]
fn a_secret_that_was_replaced_leaves_it_where_it_is() {
    let vidizmo =
        |password| describe(Vidizmo::password("a.example", "john.doe@a.example", password).declaration());
    assert_eq!(place(&vidizmo("key-1")).expect("told"), place(&vidizmo("key-2")).expect("told"));
    let file = TempFile::new("identity-key", "key-1");
    for (one, other) in [
        (ApiVideo::sandbox("key-1").declaration(), ApiVideo::sandbox("key-2").declaration()),
        (
            ApiVideo::sandbox("key-1").declaration(),
            ApiVideo::sandbox(SecretSource::file(file.path())).declaration(),
        ),
        (Vervoe::new("key-1", "key-1").declaration(), Vervoe::new("key-2", "key-2").declaration()),
    ] {
        assert_eq!(place_of("us", &describe(one)), place_of("us", &describe(other)));
    }
    let request = |key: &'static str| {
        TokenRequest::post("/token")
            .basic_form_encoded("id", key)
            .header("x-key", Param::secret(key))
            .json_body(
                JsonValue::object().field("deep", [JsonValue::object().field("key", Param::secret(key))]),
            )
    };
    assert_eq!(place_of("us", &acme(request("key-1"))), place_of("us", &acme(request("key-2"))));
}

#[test]
fn another_user_endpoint_or_way_to_log_in_is_another_place_whatever_the_subject() {
    let vidizmo = |domain, email| describe(Vidizmo::password(domain, email, "key-1").declaration());
    let post = |url: &'static str| TokenRequest::post(url).query("key", Param::secret("key-1"));
    let other_token =
        TokenEndpoint::new("Acme", "https://api.acme.example", post("/token")).token("/id_token");
    let descriptions = [
        describe(ApiVideo::sandbox("key-1").declaration()),
        describe(ApiVideo::production("key-1").declaration()),
        describe(ApiVideo::production("key-1").base_url("https://gateway.example/video").declaration()),
        describe(Vervoe::new("key-1", "key-1").declaration()),
        vidizmo("a.example", "john.doe@a.example"),
        vidizmo("a.example", "jane.doe@a.example"),
        vidizmo("b.example", "john.doe@a.example"),
        describe(Vidizmo::client_secret("a.example", "john.doe@a.example", "key-1").declaration()),
        acme(post("/token")),
        acme(post("/other")),
        acme(post("https://login.acme.example/token")),
        acme(post("/token").query("tenant", "a")),
        acme(post("/token").query("tenant", "b")),
        acme(post("/token").form("tenant", "a")),
        acme(post("/token").json("tenant", "a")),
        acme(post("/token").header("x-tenant", "a")),
        acme(post("/token").basic_form_encoded("one", "key-1")),
        acme(post("/token").basic_form_encoded("other", "key-1")),
        acme(TokenRequest::get("/token").query("key", Param::secret("key-1"))),
        describe(other_token),
    ];
    let mut places: Vec<_> = descriptions.iter().map(|description| place_of("us", description)).collect();
    places.extend(descriptions.iter().map(|description| place_of("them", description)));
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 2 * descriptions.len());
}

#[test]
fn who_is_known_by_a_secret_alone_needs_a_subject() {
    let file = TempFile::new("identity-user", "john.doe@a.example");
    let from_file = Vidizmo::password("a.example", SecretSource::file(file.path()), "key-1");
    for description in [
        describe(ApiVideo::sandbox("key-1").declaration()),
        describe(Vervoe::new("key-1", "key-1").declaration()),
        describe(from_file.declaration()),
        acme(
            TokenRequest::post("/token")
                .form("client_id", "id")
                .form("client_secret", Param::secret("key-1")),
        ),
        from_fn(|_, _| async { Ok(AccessToken::new("a")?) }).describe(),
    ] {
        let error = place(&description).expect_err("nobody can tell whose token it is");
        assert_eq!(error.kind(), ConfigErrorKind::Store);
        assert!(error.to_string().contains("give the slot a subject"), "{error}");
        assert_ne!(place_of("us", &description), place_of("them", &description));
    }
}

#[test]
fn a_key_that_is_its_own_token_is_not_shared() {
    let file = TempFile::new("identity-static", "key-1");
    let origin = || Origin::parse("https://api.example.com").expect("valid");
    let static_token = |key: SecretSource| AuthLayer::new(origin(), StaticToken::new(key).expect("valid"));
    for layer in [
        static_token("key-1".into()),
        static_token(SecretSource::file(file.path())),
        Videsk::new("key-1").layer().expect("valid"),
        ApiVideo::sandbox("key-1").basic().expect("valid").into_layer(),
        AuthLayer::new(origin(), FileToken::new(file.path())),
    ] {
        assert!(!layer.tokens().is_shareable());
        let error = layer.shared(slot().subject("us")).expect_err("nothing to share");
        assert_eq!(error.kind(), ConfigErrorKind::Store);
        assert!(error.to_string().contains("nothing to share"), "{error}");
    }
    let minting = from_fn(|_, _| async { Ok(AccessToken::new("a")?) });
    let layer = Videsk::minting(minting).layer().expect("valid");
    assert!(layer.tokens().is_shareable());
    let shared = layer.shared(slot().subject("us")).expect("what is minted can be shared");
    assert!(shared.tokens().state().is_shared());
}

#[tokio::test(start_paused = true)]
async fn sharing_and_policy_come_in_either_order() {
    for shared_first in [true, false] {
        let (server, store) = (Scripted::fails("down"), MemoryStore::new());
        let slot = || SharedSlot::plain(store.clone(), "test").expect("a name").subject("us");
        let policy = RefreshPolicy::default().attempts(2);
        let layer = ApiVideo::sandbox("key-1").layer(server.transport()).expect("valid");
        let layer = match shared_first {
            true => layer.shared(slot()).expect("a subject").policy(policy),
            false => layer.policy(policy).shared(slot()).expect("a subject"),
        };
        layer.tokens().get(Duration::ZERO).await.expect_err("the endpoint is down");
        assert_eq!(server.count(http::Method::POST), 2, "by the policy");
        assert!(store.calls(StoreCall::Claim) > 0 && store.slots().len() == 1, "through the store");
        let error = layer.shared(slot()).expect_err("once is enough");
        assert_eq!(error.kind(), ConfigErrorKind::Store);
    }
}

/// A release that says something else here finds nothing of what the one before it has stored.
#[test]
fn what_is_stored_is_found_again_by_later_releases() {
    let vidizmo = Vidizmo::password("a.example", "john.doe@a.example", "key-1").declaration();
    let mut places = [
        place(&describe(vidizmo)).expect("told"),
        place_of("us", &describe(ApiVideo::sandbox("key-1").declaration())),
        place_of("us", &describe(Vervoe::new("key-1", "key-1").declaration())),
        place_of(
            "us",
            &acme(TokenRequest::post("/token").form("grant", "key").form("key", Param::secret("key-1"))),
        ),
    ];
    places.iter_mut().for_each(|place| place.truncate("test.".len() + 16));
    assert_eq!(
        places,
        ["test.14347fcdcc103e45", "test.86828b488ebea1c4", "test.fe2fd5e3607ef951", "test.0bc772b3148d6d07"]
    );
}
