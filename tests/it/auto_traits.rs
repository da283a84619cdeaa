//! Which public types are `Send`, `Sync`, `Unpin`, `Clone` and `'static`: checked by the compiler, so that no change of
//! a private field takes one of these away unnoticed.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::{Layer, Service};
use tower_reauth::*;

const fn owned<T: Send + Sync + Unpin + 'static>() {}
const fn shared<T: Clone + Send + Sync + Unpin + 'static>() {}

const _: () = {
    // What a program holds, hands around, and clones.
    shared::<AuthLayer<CloneBodies>>();
    shared::<AuthLayer<RecordBodies>>();
    shared::<AuthLayer<NoReplay>>();
    shared::<Single>();
    shared::<Tenants<String>>();
    shared::<Census>();
    shared::<AuthLayer<CloneBodies, Tenants<u64>>>();
    shared::<TokenCache>();
    shared::<Transport>();
    shared::<Origin>();
    shared::<Placement>();
    shared::<RefreshPolicy>();
    shared::<CloneBodies>();
    shared::<RecordBodies>();
    shared::<NoReplay>();
    shared::<Exempt>();

    // Tokens and what is said of them.
    shared::<AccessToken>();
    shared::<Acquire<'static>>();
    shared::<CacheState>();
    shared::<Description>();
    shared::<Grants>();
    shared::<Lease>();
    shared::<Reason>();
    shared::<RefreshTokens>();
    shared::<Renewal>();
    shared::<Stored>();
    shared::<TokenState>();

    // What several processes share.
    shared::<store::Body>();
    shared::<store::Claim>();
    shared::<store::Claimed>();
    shared::<store::Digest>();
    shared::<store::Draft>();
    shared::<store::Failure>();
    shared::<store::FileStore>();
    shared::<store::Fate>();
    shared::<store::Held>();
    shared::<store::Keys>();
    shared::<store::Moment>();
    shared::<store::Nonce>();
    shared::<store::Note>();
    shared::<store::Record>();
    shared::<store::Rejection>();
    shared::<store::Release>();
    shared::<store::Revision>();
    shared::<store::Save>();
    shared::<store::Saved>();
    shared::<store::SealedStore>();
    shared::<store::Seen>();
    shared::<store::SharedSlot>();
    shared::<store::Slot>();
    shared::<store::Standing>();
    owned::<StoreError>();
    shared::<StoreErrorKind>();

    // Outcomes and errors.
    shared::<AuthOutcome>();
    shared::<TrailersOutcome>();
    shared::<NotReplayed>();
    shared::<Passed>();
    shared::<Unread>();
    shared::<AuthError>();
    shared::<AuthErrorKind>();
    shared::<AcquireErrorKind>();
    shared::<ConfigErrorKind>();
    shared::<ErrorCode>();
    owned::<AcquireError>();
    owned::<ConfigError>();
    owned::<InvalidToken>();

    // Credentials and declarations.
    shared::<AnswerField>();
    shared::<ApiVideo>();
    shared::<BoxCredential>();
    shared::<Declaration>();
    shared::<Pattern>();
    shared::<Param>();
    shared::<SecretSource>();
    shared::<FileToken>();
    shared::<metadata::AzureAppService>();
    shared::<metadata::AzureVm>();
    shared::<metadata::GoogleMetadata>();
    shared::<metadata::ManagedIdentity>();
    shared::<metadata::MetadataCredential>();
    shared::<StaticToken>();
    shared::<TokenEndpoint>();
    shared::<TokenRequest>();
    shared::<Trial>();
    shared::<JsonValue>();
    shared::<JsonObject>();
    shared::<Vervoe>();
    shared::<Vidizmo>();
    shared::<Parts<StaticToken>>();
    shared::<FromFn<fn()>>();
    owned::<EndpointCredential>();
    // It may hold a credential that isn't `Clone`.
    owned::<Videsk>();

    shared::<Condition>();
    shared::<Rule>();
    shared::<Signatures>();
    shared::<Verdict>();
    shared::<signature::Literal>();
    shared::<signature::Body>();
    shared::<signature::Challenge>();
    shared::<signature::ChallengeParam>();
    shared::<signature::Header>();
    shared::<signature::Json>();
    shared::<signature::Subject>();
    shared::<signature::Trailer>();

    shared::<Client>();
    shared::<client::ClientBuilder>();
    shared::<client::Identity>();
    shared::<client::Roots>();
    shared::<client::ClientErrorKind>();
    owned::<client::ClientError>();

    shared::<oauth2::ClientAuthentication>();
    shared::<oauth2::AuthorizationServer>();
    shared::<oauth2::Assertion>();
    shared::<oauth2::ClientCredentials>();
    shared::<oauth2::JwtAlgorithm>();
    shared::<oauth2::JwtAssertion>();
    shared::<oauth2::JwtBearer>();
    shared::<oauth2::JwtKey>();
    shared::<oauth2::Password>();
    shared::<oauth2::RefreshToken>();
    shared::<oauth2::Text>();
    shared::<oauth2::TokenExchange>();
    shared::<oauth2::DeviceAuthorization>();
    shared::<oauth2::DeviceCode>();
    shared::<oauth2::ExtensionGrant>();
    shared::<oauth2::ServerMetadata>();
    owned::<oauth2::OAuth2Credential>();
    owned::<oauth2::Unsaved>();

    shared::<testing::Answer>();
    shared::<testing::Announced>();
    shared::<testing::ApiVideoError>();
    shared::<testing::Conformance>();
    shared::<testing::Controls>();
    shared::<testing::Counts>();
    shared::<testing::Endpoint>();
    shared::<testing::FakeApiVideo>();
    shared::<testing::FakeVervoe>();
    shared::<testing::FakeVidesk>();
    shared::<testing::FakeVidizmo>();
    shared::<testing::Fault>();
    shared::<testing::MemoryStore>();
    shared::<testing::StoreCall>();
    shared::<testing::StoreFault>();
    shared::<testing::FinalSlash>();
    shared::<testing::On>();
    shared::<testing::Recorded>();
    shared::<testing::Refusal>();
    shared::<testing::Revoked>();
    shared::<testing::Times>();
    shared::<testing::TokenText>();
    shared::<testing::VervoeError>();
    shared::<testing::VideskError>();
    shared::<testing::VidizmoError>();
    shared::<testing::Violation>();
    owned::<testing::Served>();
};

#[cfg(feature = "redis")]
const _: () = shared::<store::RedisStore>();

/// What is handed over once, and may be made of what isn't `Sync`.
#[expect(dead_code, reason = "that it compiles is the test")]
fn of_tenants() {
    owned::<Tenant>();
    owned::<TenantsBuilder<String>>();
    sync::<Auth<Client, CloneBodies, Tenants<String>>>();
    send::<ResponseFuture<Client, CloneBodies, Full<Bytes>, hyper::body::Incoming, Tenants<String>>>();
}

fn send<T: Send + 'static>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn clone<T: Clone>() {}

/// A service that is `Send` needn't be `Sync`. Its body's type doesn't matter.
#[expect(dead_code, reason = "that it compiles is the test")]
fn of_any_service<S: Clone + Send + 'static, K: Send + Sync + 'static>() {
    send::<Auth<S, K>>();
    clone::<Auth<S, K>>();
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn of_a_service_that_is_sync_and_unpin<S: Send + Sync + Unpin, K: Send + Sync>() {
    sync::<Auth<S, K>>();
    unpin::<Auth<S, K>>();
}

/// The layer, its service and its future by the names that they have had from the beginning, which know of one credential.
#[expect(dead_code, reason = "that it compiles is the test")]
fn of_one_credential(layer: AuthLayer, once: AuthLayer<NoReplay>, client: Client) {
    type Sent = Full<Bytes>;
    let _: TokenCache = layer.tokens();
    let mut service: Auth<Client> = layer.policy(RefreshPolicy::default()).layer(client.clone());
    let _: TokenCache = service.tokens();
    let future: ResponseFuture<Client, CloneBodies, Sent, _> = service.call(Request::new(Sent::default()));
    drop(future);
    let once: Auth<Client, NoReplay> = once.layer(client);
    let _: &Client = once.inner();
    let _: AuthLayer<CloneBodies, Single> = AuthLayer::with_tokens(origin(), once.tokens());
    let _: AuthLayer =
        AuthLayer::new(origin(), StaticToken::new("key").expect("a key")).signatures(Signatures::oauth2());
}

fn origin() -> Origin {
    Origin::parse("https://api.example.com").expect("an origin")
}

/// The future may go to another thread if all that it is made of may.
#[expect(dead_code, reason = "that it compiles is the test")]
fn of_any_exchange<S, K, B, R>()
where
    K: Keep<B, Sent: Send, Kept: Send> + Send + Sync + 'static,
    S: Service<Request<K::Sent>, Future: Send> + Send + 'static,
    B: Send + 'static,
    R: Send + 'static,
{
    send::<ResponseFuture<S, K, B, R>>();
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn of_any_body<B: Send + 'static>() {
    send::<PeekBody<B>>();
    send::<ReplayBody<B>>();
    send::<RecordedBody<B>>();
    unpin::<ReplayBody<B>>();
    unpin::<RecordedBody<B>>();
    sync::<RecordedBody<B>>();
}

/// Such as reqwest's, and those of a `BoxBody`.
#[expect(dead_code, reason = "that it compiles is the test")]
fn of_a_body_that_is_sync_and_unpin<B: Send + Sync + Unpin>() {
    sync::<PeekBody<B>>();
    unpin::<PeekBody<B>>();
    sync::<ReplayBody<B>>();
}

/// What the closure is, or the credential, that what holds it is.
#[expect(dead_code, reason = "that it compiles is the test")]
fn of_any_closure_and_credential<F: Clone + Send + Sync + Unpin + 'static>() {
    shared::<FromFn<F>>();
    shared::<Parts<F>>();
}

#[test]
fn no_public_type_is_forgotten() {
    // Traits, an alias, and what borrows a response.
    let others =
        ["Choose", "Credential", "TenantId", "Keep", "BoxError", "signature::Answer", "store::Store"];
    let own = include_str!("auto_traits.rs");
    let mut types = 0;
    for (module, source) in [
        ("", include_str!("../../src/lib.rs")),
        ("client::", include_str!("../../src/transport/client/mod.rs")),
        ("oauth2::", include_str!("../../src/credential/oauth2/mod.rs")),
        ("signature::", include_str!("../../src/signature/mod.rs")),
        ("store::", include_str!("../../src/store/mod.rs")),
        ("testing::", include_str!("../../src/testing/mod.rs")),
    ] {
        for exports in source.split("\npub use ").skip(1) {
            let exports = exports.split(';').next().unwrap_or_default();
            let names = exports.split(|char: char| !char.is_alphanumeric());
            for name in names.filter(|name| name.starts_with(|char: char| char.is_uppercase())) {
                // Some are exported twice, so either path will do.
                let paths = [name.to_owned(), format!("{module}{name}")];
                types += 1;
                let is_checked = |path: &String| {
                    [">", "<"].iter().any(|end| own.contains(&format!("::<{path}{end}")))
                        || others.contains(&path.as_str())
                };
                assert!(paths.iter().any(is_checked), "{module}{name}");
            }
        }
    }
    assert!(types > 90, "{types}");
}
