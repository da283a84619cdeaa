//! [`Auth`]: the service that the layer makes. It decides which requests are ours, and sends those that can be sent
//! at once; everything that takes longer is the future's business.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, header::UPGRADE};
use http_body::Body;
use tower_service::Service;

use crate::{
    BoxError, Exempt, Keep,
    body::PeekBody,
    exchange::Exchange,
    future::ResponseFuture,
    keep::{CloneBodies, KeptHead, KeptRequest},
    layer::Options,
    outcome::NotReplayed,
    placement::Stamp,
    transport::TokenRequest,
};

/// A service that authenticates requests; see [`AuthLayer`](crate::AuthLayer), which makes it.
///
/// It is ready when the inner service is. While a request waits for a token it holds no place in the inner service.
/// Errors are the inner service's, as they were, or an [`AuthError`](crate::AuthError) if there is no token.
///
/// # Cancel safety
///
/// Dropping a response future ends that request and its wait, and nothing that others wait for.
pub struct Auth<S, K = CloneBodies> {
    inner: S,
    shared: Arc<Shared<S, K>>,
}

/// What all clones of a service share, and their futures.
pub(crate) struct Shared<S, K> {
    pub(crate) options: Options,
    pub(crate) keep: K,
    pub(crate) stamp: Stamp,
    /// For requests that couldn't be sent at once, and for replays. A service that is `Clone` needn't be `Sync`.
    pub(crate) spare: Mutex<S>,
}

impl<S, K> Auth<S, K> {
    pub(crate) fn new(inner: S, shared: Arc<Shared<S, K>>) -> Self {
        Self { inner, shared }
    }

    /// The token cache of this service.
    #[must_use]
    pub fn tokens(&self) -> crate::TokenCache {
        self.shared.options.tokens.clone()
    }

    /// The inner service.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Clone, K> Shared<S, K> {
    /// Another instance of the inner service, that holds no place in it yet.
    pub(crate) fn spare(&self) -> S {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S, K> Shared<S, K> {
    /// Whether a request may carry the token: it goes to our origin, and nobody else has authenticated it.
    fn is_ours<B>(&self, request: &Request<B>) -> bool {
        let (options, extensions) = (&self.options, request.extensions());
        options.origin.covers(request.uri())
            && !request.headers().contains_key(options.placement.header())
            && extensions.get::<TokenRequest>().is_none()
            && extensions.get::<Exempt>() != Some(&Exempt::FromAuthentication)
    }

    /// Splits a request into what is sent with this token, and what is kept of it.
    pub(crate) fn stamp<B>(
        &self,
        request: Request<B>,
        token: HeaderValue,
    ) -> (Request<K::Sent>, Kept<K::Kept>)
    where
        K: Keep<B>,
    {
        let (mut head, body) = request.into_parts();
        let exempt = if head.extensions.get() == Some(&Exempt::FromReplay) {
            Some(NotReplayed::Exempt)
        } else if head.method == Method::CONNECT || head.headers.contains_key(UPGRADE) {
            Some(NotReplayed::Upgrade)
        } else {
            None
        };
        let (sent, kept) = match exempt {
            Some(why) => (self.keep.pass(body), Err(why)),
            None => match self.keep.keep(body) {
                (sent, Ok(body)) => {
                    let kept = KeptHead::of(&head).map(|head| KeptRequest { head, body });
                    (sent, kept.ok_or(NotReplayed::Body))
                }
                (sent, Err(why)) => (sent, Err(why)),
            },
        };
        head.headers.insert(self.options.placement.header().clone(), token);
        (Request::from_parts(head, sent), kept)
    }
}

/// What is kept of a request, or why nothing is.
pub(crate) type Kept<T> = Result<KeptRequest<T>, NotReplayed>;

impl<S, K, B, R> Service<Request<B>> for Auth<S, K>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
{
    type Response = Response<PeekBody<R>>;
    type Error = BoxError;
    type Future = ResponseFuture<S, K, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        if !shared.is_ours(&request) {
            let request = request.map(|body| shared.keep.pass(body));
            return ResponseFuture::passing(self.inner.call(request));
        }
        let placement = &shared.options.placement;
        let usable = |entry: &_| shared.stamp.value(placement, entry);
        match shared.options.tokens.with_usable(usable) {
            Some((token, generation)) => {
                let is_head = request.method() == Method::HEAD;
                let (request, kept) = shared.stamp(request, token);
                let exchange = Exchange::sent(shared.clone(), kept, generation, is_head);
                ResponseFuture::calling(self.inner.call(request), exchange)
            }
            None => {
                // The place that poll_ready took is given back before waiting: the token request may need it.
                drop(mem::replace(&mut self.inner, shared.spare()));
                ResponseFuture::waiting(Exchange::unsent(shared.clone(), request))
            }
        }
    }
}

impl<S: Clone, K> Clone for Auth<S, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<S, K> fmt::Debug for Auth<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("origin", &self.shared.options.origin).finish_non_exhaustive()
    }
}
