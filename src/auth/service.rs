//! [`Auth`]: the service that the layer makes. It decides which requests are ours, and sends those that can be sent
//! at once; everything that takes longer is the future's business.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    choice::{Choose, Turned, Wait},
    exchange::Exchange,
    future::ResponseFuture,
    local::Hold,
    placement::fill,
    shared::Shared,
    single::Single,
};
use crate::{
    body::PeekBody,
    error::BoxError,
    keep::{CloneBodies, Keep},
    token::TokenCache,
};

/// A service that authenticates requests; see [`AuthLayer`](crate::AuthLayer), which makes it.
///
/// It is ready when the inner service is. While a request waits for a token it holds no place in the inner service.
/// Errors are the inner service's, as they were, or an [`AuthError`](crate::AuthError) if there is no token.
///
/// It is `Sync` if the inner service is, and so can be what web frameworks call state. tower's `BoxCloneService` isn't: over
/// one, or in one, the compiler says that `dyn CloneService<..>` "cannot be shared between threads safely", where the
/// state is given. Box with `BoxCloneSyncService` instead.
///
/// # Examples
///
/// A type without the client's, in a struct that handlers share:
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneSyncService};
/// use tower_reauth::{Auth, AuthLayer, BoxError, Origin, StaticToken};
///
/// type Client = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;
///
/// #[derive(Clone)]
/// struct State {
///     api: Auth<Client>,
/// }
///
/// async fn handler(mut state: State) -> Result<(), BoxError> {
///     let request = Request::get("https://api.example.com/things").body(Full::default())?;
///     let response = state.api.ready().await?.call(request).await?;
///     Ok(())
/// }
///
/// fn share<T: Clone + Send + Sync + 'static>(_: T) {}
///
/// let client = service_fn(async |_: Request<Full<Bytes>>| Ok(Response::new(Full::default())));
/// let auth = AuthLayer::new(Origin::parse("https://api.example.com")?, StaticToken::new("key")?);
/// let state = State { api: auth.layer(BoxCloneSyncService::new(client)) };
/// share(state.clone());
/// let spawned = async move { handler(state).await };
/// # fn is_send(_: impl Send) {}
/// # is_send(spawned);
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
///
/// # Cancel safety
///
/// Dropping a response future ends that request and its wait, and nothing that others wait for.
pub struct Auth<S, K = CloneBodies, T: Choose = Single> {
    inner: S,
    hold: Hold<S, K, T>,
}

impl<S, K> Auth<S, K> {
    /// The token cache of this service.
    #[must_use]
    pub fn tokens(&self) -> TokenCache {
        self.hold.local().shared.choice.tokens.clone()
    }
}

impl<S, K, T: Choose> Auth<S, K, T> {
    pub(super) fn new(inner: S, shared: Arc<Shared<S, K, T>>) -> Self {
        Self { inner, hold: Hold::new(shared) }
    }

    /// The inner service.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

#[cfg(test)]
impl<S, K> Auth<S, K> {
    pub(super) fn local(&self) -> &Arc<super::local::Local<S, K, Single>> {
        self.hold.local()
    }
}

impl<S: Clone, K, T: Choose> Auth<S, K, T> {
    /// Has a request wait that isn't chosen for yet, and so knows nothing of its token.
    fn wait<B, R>(
        &mut self,
        request: Request<B>,
        chosen: T::Chosen,
        wait: Wait,
    ) -> ResponseFuture<S, K, B, R, T>
    where
        K: Keep<B>,
        S: Service<Request<K::Sent>>,
    {
        let local = self.hold.local();
        // As below.
        drop(mem::replace(&mut self.inner, local.shared.spare()));
        let is_head = request.method() == Method::HEAD;
        let (mut head, body) = request.into_parts();
        let (body, kept) = local.shared.keep(&head, body);
        local.shared.choice.mark(&mut head.extensions);
        let request = Request::from_parts(head, body);
        ResponseFuture::waiting(Exchange::unsent(local.clone(), chosen, request, kept, is_head), wait)
    }
}

impl<S, K, B, R, T> Service<Request<B>> for Auth<S, K, T>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
    T: Choose,
{
    type Response = Response<PeekBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<S, K, B, R, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.hold.local().shared;
        let choice = &shared.choice;
        let chosen = match choice.choose(request.uri(), request.extensions()) {
            Ok(chosen) => chosen,
            Err(Turned::Passes(why)) => {
                let request = request.map(|body| shared.keep.pass(body));
                return ResponseFuture::passing(self.inner.call(request), why);
            }
            Err(Turned::Waits(chosen, late)) => return self.wait(request, chosen, T::wait(late)),
        };
        self.hold.move_here();
        let is_head = request.method() == Method::HEAD;
        let (mut head, body) = request.into_parts();
        // Before mark and token are put in, which aren't part of the request.
        let (body, kept) = self.hold.local().shared.keep(&head, body);
        self.hold.local().shared.choice.mark(&mut head.extensions);
        // First, as a request that has a token of its own is no use of ours.
        let free = self.hold.local().shared.options.placement.free_header(&mut head.headers);
        let free = free.map(|free| free.and_then(|free| Some((free, self.hold.stamp(&chosen)?))));
        let local = self.hold.local();
        let sent = match free {
            Ok(Some((free, (token, generation)))) => fill(free, token).map(|()| Some(generation)),
            Ok(None) => local.shared.prepare(&chosen, &mut head.uri, &mut head.headers),
            Err(why) => Err(why),
        };
        match sent {
            Ok(Some(generation)) => {
                let exchange = Exchange::sent(local.clone(), chosen, kept, generation, is_head);
                ResponseFuture::calling(self.inner.call(Request::from_parts(head, body)), exchange)
            }
            Ok(None) => {
                // The place that poll_ready took is given back before waiting: the token request may need it.
                drop(mem::replace(&mut self.inner, local.shared.spare()));
                let request = Request::from_parts(head, body);
                let exchange = Exchange::unsent(local.clone(), chosen, request, kept, is_head);
                let wait = exchange.wait();
                ResponseFuture::waiting(exchange, wait)
            }
            Err(why) => {
                // It has one of its own, or as many headers as there can be; found out before anybody waits.
                let why = local.shared.tell_after_all(why, &head.uri);
                ResponseFuture::passing(self.inner.call(Request::from_parts(head, body)), why)
            }
        }
    }
}

impl<S: Clone, K, T: Choose> Clone for Auth<S, K, T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), hold: self.hold.clone() }
    }
}

impl<S, K, T: Choose> fmt::Debug for Auth<S, K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("tokens", &self.hold.local().shared.choice).finish_non_exhaustive()
    }
}
