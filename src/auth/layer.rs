//! [`AuthLayer`]: what to authenticate, with what, and how.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_layer::Layer;

use super::{
    choice::Choose,
    origin::Origin,
    placement::Placement,
    service::Auth,
    shared::{Options, Shared},
    single::Single,
};
use crate::{
    body::PeekLimits,
    error::ConfigError,
    keep::{CloneBodies, NoReplay, RecordBodies},
    signature::Signatures,
    store::SharedSlot,
    token::{Credential, RefreshPolicy, TokenCache},
};

/// Authenticates outbound requests: puts a credential's token on them, and where the answer says that it has
/// expired, refreshes it once and sends the request once more.
///
/// Requests to other origins than the layer's pass through untouched, as do those that carry something in the
/// [placement](Self::placement)'s header, cookie or parameter already, or [`Exempt::FromAuthentication`](crate::Exempt::FromAuthentication). A log line at debug level and a counter
/// say so, and if the answer is a 401, [`AuthOutcome::passed`](crate::AuthOutcome::passed).
///
/// # Request bodies
///
/// `K` is the strategy by which request bodies are kept for a replay. [`CloneBodies`] is the default, for bodies that
/// are `Clone`; [`record_bodies`](Self::record_bodies) takes any other, and [`no_replay`](Self::no_replay) keeps
/// nothing.
///
/// Where body and strategy don't fit, `service.oneshot(request)` and `service.ready()` make the compiler say no more
/// than that trait bounds were not satisfied. Write `ServiceExt::oneshot(service, request)`, and it says which.
///
/// The vendors of this crate preset all options: `ApiVideo::sandbox(key).layer(transport)`.
///
/// # Examples
///
/// ```
/// # use tower_reauth::{AccessToken, Acquire, AcquireError, Credential};
/// # struct Vault;
/// # impl Credential for Vault {
/// #     async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
/// #         Ok(AccessToken::new("abc")?)
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_reauth::BoxError> {
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_reauth::{AuthLayer, BoxError, Origin};
///
/// let client = service_fn(|request: Request<Full<Bytes>>| async move {
///     assert_eq!(request.headers()["authorization"], "Bearer abc");
///     Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
/// });
/// let auth = AuthLayer::new(Origin::parse("https://api.example.com")?, Vault);
/// let service = ServiceBuilder::new().layer(auth).service(client);
/// let request = Request::get("https://api.example.com/things").body(Full::default())?;
/// let response = service.oneshot(request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct AuthLayer<K = CloneBodies, T = Single> {
    choice: T,
    options: Options,
    keep: K,
}

impl AuthLayer {
    /// A layer that puts `credential`'s tokens on requests to `origin`, as `Authorization: Bearer`.
    ///
    /// Without [`signatures`](Self::signatures) no answer is taken for a rejection.
    pub fn new(origin: Origin, credential: impl Credential) -> Self {
        Self::with_tokens(origin, TokenCache::new(credential))
    }

    /// A layer that shares `tokens` with whoever else uses that cache: other layers, other clients, the program.
    pub fn with_tokens(origin: Origin, tokens: TokenCache) -> Self {
        Self::choosing(Single::new(origin, tokens))
    }
}

impl<T> AuthLayer<CloneBodies, T> {
    /// A layer that has `choice` choose whose token a request carries.
    pub(crate) fn choosing(choice: T) -> Self {
        let options = Options {
            signatures: Signatures::default(),
            placement: Placement::default(),
            peek: PeekLimits::default(),
        };
        Self { choice, options, keep: CloneBodies }
    }
}

impl<K, T> AuthLayer<K, T> {
    /// Sets which responses mean what. By default none means anything.
    pub fn signatures(mut self, signatures: Signatures) -> Self {
        self.options.signatures = signatures;
        self
    }

    /// Sets where in a request the token goes. By default `Authorization: Bearer`. For a query parameter the origin has to be
    /// `https` or loopback; otherwise requests pass, as [`Passed::PlainHttp`](crate::Passed::PlainHttp) says.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.options.placement = placement;
        self
    }

    /// Sets how much of a response body is read, and for how long, when a rule wants to see it, or when it has to be
    /// set aside during a refresh: 16 KiB and 2 s by default. What is longer or slower streams through unread.
    pub fn peek(mut self, bytes: usize, time: Duration) -> Self {
        self.options.peek = PeekLimits { bytes, time };
        self
    }

    /// Replays requests with bodies of any type, not only of those that are `Clone`: they are recorded while they are
    /// sent.
    ///
    /// Nothing is held back for it. Up to `limit` bytes of each body are kept, in up to 1024 frames; data that is
    /// [`Bytes`](bytes::Bytes) is shared, not copied. [`RecordBodies::DEFAULT_LIMIT`] is 64 KiB.
    ///
    /// A request is not replayed, and its caller gets the rejecting answer, if its body
    ///
    /// - is longer than that ([`NotReplayed::BodyTooLong`](crate::NotReplayed::BodyTooLong)), or
    /// - is still being sent when it is rejected
    ///   ([`NotReplayed::BodyUnfinished`](crate::NotReplayed::BodyUnfinished)).
    ///
    /// If the inner service has dropped the body half-read, because the answer came early, the replay sends what was
    /// recorded and reads on where it was left.
    ///
    /// The inner service gets a [`ReplayBody`](crate::ReplayBody). One that takes a certain type only gets that by a
    /// [`map_request`](https://docs.rs/tower/0.5/tower/builder/struct.ServiceBuilder.html#method.map_request) beneath
    /// the layer.
    ///
    /// # Examples
    ///
    /// axum's `Body`, with a client that takes no other:
    ///
    /// ```
    /// # use tower_reauth::{BoxError, StaticToken};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let credential = StaticToken::new("abc")?;
    /// use axum::body::{Body, to_bytes};
    /// use http::{Request, Response};
    /// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
    /// use tower_reauth::{AuthLayer, Origin, RecordBodies};
    ///
    /// let client = service_fn(|request: Request<Body>| async move {
    ///     assert_eq!(request.headers()["authorization"], "Bearer abc");
    ///     assert_eq!(to_bytes(request.into_body(), 9).await?, "a stream");
    ///     Ok::<_, BoxError>(Response::new(Body::empty()))
    /// });
    /// let auth = AuthLayer::new(Origin::parse("https://api.example.com")?, credential);
    /// let mut service = ServiceBuilder::new()
    ///     .layer(auth.record_bodies(RecordBodies::DEFAULT_LIMIT))
    ///     .map_request(|request: Request<_>| request.map(Body::new))
    ///     .service(client);
    ///
    /// let stream = futures_util::stream::iter([Ok::<_, BoxError>("a "), Ok("stream")]);
    /// let request = Request::post("https://api.example.com/things").body(Body::from_stream(stream))?;
    /// let response = service.ready().await?.call(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A client that can be made for any body needs no conversion: `Client::builder().build_for()` finds the type.
    pub fn record_bodies(self, limit: usize) -> AuthLayer<RecordBodies, T> {
        AuthLayer { choice: self.choice, options: self.options, keep: RecordBodies::new(limit) }
    }

    /// Sends every request once only, with any body. A rejected token is replaced all the same, for the next request.
    pub fn no_replay(self) -> AuthLayer<NoReplay, T> {
        AuthLayer { choice: self.choice, options: self.options, keep: NoReplay }
    }
}

impl<K> AuthLayer<K> {
    /// Shares the token with all processes that have the same slot in a [store](crate::store): they get one token together,
    /// and a process that starts has the one that there is.
    ///
    /// As the [policy](Self::policy), it is the cache's, and so that of all who share it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Store`](crate::ConfigErrorKind::Store): the credential doesn't say whose token it is, and the slot
    /// has no [subject](crate::store::SharedSlot::subject); or it is a key that is its own token; or the cache has a slot
    /// already.
    pub fn shared(self, slot: SharedSlot) -> Result<Self, ConfigError> {
        self.choice.tokens.share(slot)?;
        Ok(self)
    }

    /// Sets when tokens are renewed, and what happens when that fails.
    ///
    /// The policy is the cache's. So it also is that of the handles that were [taken](Self::tokens) before, of the services
    /// that were made, of clones of the layer, and of whoever else shares the cache; where several set one, the last one
    /// counts. It decides from now on, with a full budget. What was decided before stands: when a token that is there is
    /// renewed, how long a pause lasts that has begun, and how a flight under way goes on.
    pub fn policy(self, policy: RefreshPolicy) -> Self {
        self.choice.tokens.set_policy(policy);
        self
    }

    /// The token cache of this layer, of its clones, and of the services that it makes.
    #[must_use]
    pub fn tokens(&self) -> TokenCache {
        self.choice.tokens.clone()
    }
}

impl<S: Clone, K: Clone, T: Choose + Clone> Layer<S> for AuthLayer<K, T> {
    type Service = Auth<S, K, T>;

    fn layer(&self, inner: S) -> Auth<S, K, T> {
        let shared = Shared {
            spare: Mutex::new(inner.clone()),
            choice: self.choice.clone(),
            options: self.options.clone(),
            keep: self.keep.clone(),
        };
        Auth::new(inner, Arc::new(shared))
    }
}

impl<K, T: fmt::Debug> fmt::Debug for AuthLayer<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer").field("tokens", &self.choice).finish_non_exhaustive()
    }
}
