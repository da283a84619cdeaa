//! Authenticates outbound HTTP calls with tokens that are cached, acquired once for everybody, and replaced when the
//! server says that they have expired.
//!
//! [`AuthLayer`] is a Tower layer for HTTP clients. It puts a [`Credential`]'s token on requests to one [`Origin`]. Where
//! a response matches the vendor's [`Signatures`] of expiry, it gets a new token and sends the request once more. Callers
//! see the second answer. One [`TokenCache`] serves all clones of the layer: at most one acquisition is under way at a
//! time, and dropping the caller that began it doesn't end it.
//!
//! # Example
//!
//! ```no_run
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_reauth::{ApiVideo, BoxError, Client};
//!
//! # async fn run(api_key: String) -> Result<(), BoxError> {
//! let client = Client::new()?;
//! let auth = ApiVideo::sandbox(api_key).layer(client.clone())?;
//! let api = ServiceBuilder::new().layer(auth).service(client);
//!
//! let request = Request::get("https://sandbox.api.video/videos").body(Full::<Bytes>::default())?;
//! let response = api.oneshot(request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `cargo run --example quickstart` shows more: the four vendors on loopback, expiry, revocation, and many calls at once.
//!
//! # What is where
//!
//! - **Vendors**: [`ApiVideo`], [`Videsk`], [`Vidizmo`], [`Vervoe`]. Each one's `layer` presets everything.
//! - **Another vendor**: [`TokenEndpoint`] declares one as data, with [`TokenRequest`], [`Param`] and [`AnswerField`],
//!   and with [`JsonValue`] (and [`JsonObject`]) for a nested body.
//!   With the feature `serde`, `Declaration` reads the same from a file, such as TOML or JSON, and with the feature `catalogue`
//!   `Declaration::named` has vendors that are declared already. [`StaticToken`] is a key that
//!   is its own token, [`FileToken`] a token that a platform keeps fresh in a file, [`from_fn`] or [`from_fn_with_state`] a closure, and [`Credential`] a trait to implement.
//! - **Secrets**: where one is wanted, text will do, or a [`SecretSource`]: a variable, a file, a closure, or another
//!   credential's token, which is read at each acquisition.
//! - **OAuth 2.0**, with the feature `oauth2`: the module `oauth2` has a builder for each grant, and [`ErrorCode`] is what
//!   its servers answer. [`BoxCredential`] is any credential without its type.
//! - **What a response means**: [`Signatures`] are a list of [`Rule`]s with [`Condition`]s and end in a [`Verdict`].
//!   [`signature`] has examples for many APIs.
//! - **The layer**: [`AuthLayer`] makes [`Auth`], whose futures are [`ResponseFuture`]s and whose response bodies are
//!   [`PeekBody`]s. [`Placement`] is where the token goes, [`Keep`] how request bodies are kept for a replay,
//!   [`Exempt`] a request extension that exempts one.
//! - **What happened**: [`AuthOutcome`], a response extension, and [`TrailersOutcome`] where a rule is about trailers.
//!   [`Passed`] is why a request had no token. [`AuthError`] is what callers get when there is none. Its [`AuthErrorKind`] tells credentials that were rejected
//!   from an endpoint that is down, or can't be used as it is; its [`AcquireError`] says what to look at. The inner
//!   service's errors pass through as they were. [`ConfigError`] is what building returns.
//! - **Tokens for the program itself**: [`TokenCache`] with [`get`](TokenCache::get), [`reject`](TokenCache::reject),
//!   [`invalidate`](TokenCache::invalidate), [`revoke`](TokenCache::revoke) and [`state`](TokenCache::state). A
//!   [`Lease`] is an [`AccessToken`] as one attempt uses it.
//! - **One token for several processes, and across restarts**: [`AuthLayer::shared`], with a [`SharedSlot`](store::SharedSlot)
//!   of a store: `store::FileStore`, with the feature `file-store`, or `store::RedisStore`, with `redis`. [`store`] has the
//!   trait [`Store`](store::Store) for another one. [`TokenCache::settled`] is for programs that end.
//! - **Many credentials behind one layer**, one for each customer, with the feature `tenants`: `Tenants`, of which each is a
//!   `Tenant`, and `AuthLayer::tenants`.
//! - **How credentials send their requests**: [`Transport`] wraps any Tower HTTP client. With the feature `client` there
//!   is `Client`, which does for both: token requests and the calls themselves.
//!
//! [`scaling`] says what it takes: memory, and what a thousand processes do to one token endpoint.
//!
//! # Where it goes in a stack
//!
//! From the outside in: timeout for the caller, retry, `AuthLayer`, limits, decompression, client.
//!
//! - Outside the layer: **retry**, so that each try gets the current token; **timeout**, which ends its caller's wait
//!   and nothing else; **load-shed**, since readiness is the inner service's; **follow-redirect**, since a redirected
//!   request passes the layer again and carries a token only to the layer's origin.
//! - Beneath the layer: **concurrency limit**, since a request that waits for a token holds no place; **rate limit**,
//!   which counts replays as the server does; a **timeout** for each send; **decompression**, since rules can't read
//!   encoded bodies.
//! - On either side: **buffer**; **set-header** for any header but the token's, which is left alone where it is set
//!   outside; **trace**, which outside sees what callers see, and beneath every send. The token's header is marked
//!   sensitive.
//!
//! Follow-redirect beneath the layer is safe only for tokens in `Authorization`: tower-http removes that header when a
//! redirect leads to another origin, but not a header of the vendor's own. The README's table says of each layer what
//! either order means.
//!
//! A token [in the query](Placement::query_visible_in_logs) is seen by every layer beneath, and by what these log.
//!
//! # Clients
//!
//! hyper-util's `Client` and tonic's `Channel` are Tower services, reqwest's is made one in ten lines; each is an
//! example, as is an axum handler that passes requests on. For gRPC:
//!
//! - [`Signatures::grpc`] knows status 16. In the headers it is replayed; in the trailers it comes when the response has
//!   been handed out, so the next call has a new token, and [`TrailersOutcome`] says so.
//! - [`Origin::implied`], since tonic's URIs have no host.
//! - [`AuthLayer::record_bodies`], and beneath the layer a `map_request` to tonic's own body.
//!
//! # Defaults
//!
//! | what | default | set by |
//! |---|---|---|
//! | where the token goes | `Authorization: Bearer` | [`AuthLayer::placement`] |
//! | which responses are rejections | none, or the vendor's | [`AuthLayer::signatures`] |
//! | how much of a response body is looked at | 16 KiB, 2 s | [`AuthLayer::peek`] |
//! | request bodies | cloned and replayed once | [`AuthLayer::record_bodies`] for bodies that aren't `Clone`, [`AuthLayer::no_replay`] |
//! | early renewal | the last 10 % of the lifetime, at most 5 min | [`RefreshPolicy::early`] |
//! | one token request, one flight with all its attempts | 10 s, 30 s | [`RefreshPolicy`] |
//! | pauses, budget, back-off | see its table | [`RefreshPolicy`] |
//!
//! # Feature flags
//!
//! | flag | default | what it adds |
//! |---|---|---|
//! | `client` | yes | `Client`: HTTPS on hyper-util and rustls; `metadata`: identities of machines in Google Cloud and Azure |
//! | `oauth2` | no | `oauth2`: credentials for OAuth 2.0 servers |
//! | `jwt` | no | `oauth2`, with JWTs signed by a private key |
//! | `serde` | no | `declare`: vendors declared in TOML, JSON, or any other format that serde reads |
//! | `catalogue` | no | `catalogue`: vendors that are declared already, by name |
//! | `store` | no | `store::SealedStore` and `store::Keys`: tokens that several processes share, sealed with AES-256-GCM |
//! | `file-store` | no | `store::FileStore`: `store`, in files, for the programs of one user on one machine |
//! | `redis` | no | `store::RedisStore`: `store`, in Redis or Valkey: one server, Sentinel or Cluster, with TLS |
//! | `tracing` | no | spans and events for `tracing` |
//! | `metrics` | no | counters and histograms for the `metrics` facade |
//! | `testing` | no | `testing`: the four vendors as in-memory services that can be served on loopback; a store with faults, and what checks one |
//!
//! Features only add; none changes what the crate does.
//!
//! # Logs and metrics
//!
//! Both name the credential, as [`Credential::describe`] does, and hold no secret. A request that passes without a token is
//! no credential's business: what is told of it names the layer's origin. Nothing is told of token requests that pass.
//!
//! | what happened | `tracing` event | metric, with label `credential` |
//! |---|---|---|
//! | a token was acquired | debug `acquired`: `generation`, `took`, `remaining` | `tower_reauth_acquisitions_total{outcome="acquired"}`, `tower_reauth_acquisition_seconds` |
//! | acquiring failed | warn `acquiring failed`: `error`, `took`, `retry_in` | `tower_reauth_acquisitions_total{outcome="unavailable"}`, `"credentials_rejected"`, `"endpoint_unusable"` or another [`AuthErrorKind`], `tower_reauth_acquisition_seconds` |
//! | another process had a token | debug `another process had a token`: `generation`, `remaining` | `tower_reauth_acquisitions_total{outcome="adopted"}` |
//! | the store was asked who acquires one | debug `asked the store`: `answer` (`newer`, `yours`, `held`, `wait`) | `tower_reauth_claims_total{answer="yours"}` |
//! | a token was saved for other processes | debug `saved for other processes`: `outcome` (`saved`, `late`, `overtaken`) | `tower_reauth_saves_total{outcome="saved"}` |
//! | the store can't be asked, and can be again | warn `the store can't be asked`: `error`; debug `the store can be asked again`: `after` | `tower_reauth_store_losses_total` |
//! | an acquisition was superseded, or lost with its runtime | debug `acquiring was superseded or lost` | `tower_reauth_acquisitions_total{outcome="superseded"}` |
//! | a server rejected the newest token | debug `token rejected`: `generation`, `reason` | `tower_reauth_rejections_total{verdict="expired"}` or `"invalid"` |
//! | a request is sent for the second time | debug `replaying`: `generation` | `tower_reauth_replays_total` |
//! | a request gets no new token since acquiring is paused | debug `acquiring is paused`: `retry_in` | `tower_reauth_paused_total` |
//! | a call fails without the token endpoint being asked | debug `failing without asking`: `error`, `retry_in` | `tower_reauth_failed_fast_total{reason="…"}` |
//! | a call has waited for a token | debug `waited for a token`: `waited` | `tower_reauth_wait_seconds` |
//! | a token with known expiry is used | | `tower_reauth_remaining_lifetime_seconds` |
//! | a request passes, as [`Passed`] says | debug `passed without a token`: `origin`, `reason`, and of the request `scheme`, `host`, `port` | `tower_reauth_passed_total{reason="other_origin"}`, `"own_header"`, `"own_cookie"`, `"own_parameter"`, `"plain_http"`, `"exempt"` or `"no_room"`, with label `origin` instead |
//! | a connection of [`Client`] goes through a proxy | debug `connecting through a proxy`: `proxy`, and of the server `scheme`, `host`, `port` | |
//!
//! What a credential logs itself is within the span `acquire`, with the fields `credential` and `reason`. It is no child of
//! any request's span, as an acquisition belongs to no request.
//!
//! # When it doesn't compile
//!
//! If the compiler only says that a method "exists but its trait bounds were not satisfied", call it as a function:
//! `ServiceExt::oneshot(service, request)`. It then says which bound. The usual one is a request body that isn't `Clone`:
//! send one that is, such as `Full<Bytes>`, or call [`AuthLayer::record_bodies`] or [`AuthLayer::no_replay`].
//!
//! "implementation of `From` is not general enough", for an `async` block that is spawned and calls `oneshot` over a
//! client whose error is [`BoxError`], is the compiler's own limit, which tower's `Timeout` meets as well. Write
//! `service.ready().await?.call(request).await` there, or spawn `service.oneshot(request)` itself.
//!
//! "`dyn CloneService<..>` cannot be shared between threads safely", for a state or a reference that is sent to another
//! thread, means a `BoxCloneService` beneath the layer or around it: tower's `BoxCloneSyncService` is `Sync`. [`Auth`] has an
//! example.
//!
//! A `layer` method of a vendor returns a `Result`, since a wrong configuration is reported when it is built: it needs a
//! `?`. A client of another crate becomes a transport by `Transport::new(client)`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod auth;
mod body;
#[cfg(feature = "catalogue")]
pub mod catalogue;
mod credential;
#[cfg(feature = "serde")]
pub mod declare;
mod error;
mod keep;
mod observe;
#[cfg(feature = "client")]
#[doc = include_str!("../docs/identities.md")]
pub mod identities {}
#[doc = include_str!("../docs/scaling.md")]
pub mod scaling {}
mod secret;
pub mod signature;
pub mod store;
mod sync;
#[cfg(feature = "tenants")]
mod tenants;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod time;
mod token;
mod transport;

pub use auth::{
    Auth, AuthLayer, AuthOutcome, Choose, Origin, Placement, ResponseFuture, Single, TrailersOutcome,
};
pub use body::{PeekBody, Unread};
#[cfg(feature = "client")]
pub use credential::metadata;
#[cfg(feature = "oauth2")]
pub use credential::oauth2;
pub use credential::{
    AnswerField, ApiVideo, BoxCredential, EndpointCredential, FileToken, FromFn, JsonObject, JsonValue,
    Param, Parts, StaticToken, TokenEndpoint, TokenRequest, Vervoe, Videsk, Vidizmo, from_fn,
    from_fn_with_state,
};
#[cfg(feature = "serde")]
pub use declare::{Declaration, Pattern, Trial};
pub use error::{
    AcquireError, AcquireErrorKind, AuthError, AuthErrorKind, BoxError, ConfigError, ConfigErrorKind,
    ErrorCode, StoreError, StoreErrorKind,
};
pub use keep::{CloneBodies, Exempt, Keep, NoReplay, NotReplayed, RecordBodies, RecordedBody, ReplayBody};
pub use observe::{Passed, Reason};
pub use secret::SecretSource;
pub use signature::{Condition, Rule, Signatures, Verdict};
#[cfg(feature = "tenants")]
pub use tenants::{Census, Tenant, TenantId, Tenants, TenantsBuilder};
pub use token::{
    AccessToken, Acquire, CacheState, Credential, Description, Grants, InvalidToken, Lease, RefreshPolicy,
    RefreshTokens, Renewal, Stored, TokenCache, TokenState,
};
pub use transport::Transport;
#[cfg(feature = "client")]
pub use transport::client::{self, Client};

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
