//! [`Shared`]: what all clones of a service and all of their requests have in common, and what they do alike: is a
//! request ours, where does the token go, what is kept.

use std::sync::{Mutex, PoisonError};

use http::{Extensions, HeaderMap, HeaderValue, Request, Uri, header::MaxSizeReached, request::Parts};

use super::{origin::Origin, placement::Placement};
use crate::{
    body::PeekLimits,
    keep::{Exempt, Keep, KeptHead, KeptRequest, NotReplayed},
    observe::{Passages, Passed},
    signature::Signatures,
    token::TokenCache,
    transport::TokenRequest,
};

/// Everything that is set on a layer and never changes afterwards.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) origin: Origin,
    pub(super) tokens: TokenCache,
    pub(super) signatures: Signatures,
    pub(super) placement: Placement,
    pub(super) peek: PeekLimits,
    pub(super) passages: Passages,
}

/// What all clones of a service share, and their futures.
pub(super) struct Shared<S, K> {
    pub(super) options: Options,
    pub(super) keep: K,
    /// For requests that couldn't be sent at once, and for replays. A service that is `Clone` needn't be `Sync`.
    pub(super) spare: Mutex<S>,
}

/// What is kept of a request, or why nothing is.
pub(super) type Kept<T> = Result<KeptRequest<T>, NotReplayed>;

impl<S: Clone, K> Shared<S, K> {
    /// Another instance of the inner service, that holds no place in it yet.
    pub(super) fn spare(&self) -> S {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S, K> Shared<S, K> {
    /// Admits a request that is to carry the token: it goes to our origin, isn't exempt, and nobody else has
    /// authenticated it.
    ///
    /// # Errors
    ///
    /// Why any other passes, having told of it. `None` for a credential's own, whose business it is alone.
    #[inline]
    pub(super) fn admit<B>(&self, request: &Request<B>) -> Result<(), Option<Passed>> {
        let (options, extensions) = (&self.options, request.extensions());
        if !options.origin.covers(request.uri()) {
            return Err(self.tell_passed(Passed::OtherOrigin, request.uri(), extensions));
        }
        let is_free = extensions.get::<TokenRequest>().is_none()
            && !is_exempt(extensions)
            // To look through as many names as requests have takes less than to hash one.
            && request.headers().keys().all(|name| name != options.placement.header());
        if is_free { Ok(()) } else { Err(self.tell_passed(Passed::OwnHeader, request.uri(), extensions)) }
    }

    /// Tells of a request that is not admitted, by what is against it if nobody has exempted it. Out of the way of those
    /// that are.
    #[inline(never)]
    fn tell_passed(&self, why: Passed, uri: &Uri, extensions: &Extensions) -> Option<Passed> {
        if extensions.get::<TokenRequest>().is_some() {
            return None;
        }
        // Wherever it goes, it was its sender's wish.
        let why = if is_exempt(extensions) { Passed::Exempt } else { why };
        self.options.passages.tell(why, uri);
        Some(why)
    }

    /// Tells of a request that passes though it was admitted: it has no room for the token.
    #[cold]
    pub(super) fn tell_no_room(&self, uri: &Uri) -> Option<Passed> {
        self.options.passages.tell(Passed::NoRoom, uri);
        Some(Passed::NoRoom)
    }

    /// Puts the token's header value in its place, which is free.
    ///
    /// # Errors
    ///
    /// If there are as many headers as there can be.
    #[inline]
    pub(super) fn put(&self, token: HeaderValue, headers: &mut HeaderMap) -> Result<(), MaxSizeReached> {
        headers.try_insert(self.options.placement.header(), token).map(drop)
    }

    /// Takes down what a replay of a request needs, and says which body is sent.
    #[inline]
    pub(super) fn keep<B>(&self, head: &Parts, body: B) -> (K::Sent, Kept<K::Kept>)
    where
        K: Keep<B>,
    {
        if head.extensions.get() == Some(&Exempt::FromReplay) {
            return (self.keep.pass(body), Err(NotReplayed::Exempt));
        }
        let (sent, kept) = self.keep.keep(body);
        (sent, kept.and_then(|body| Ok(KeptRequest { head: KeptHead::of(head)?, body })))
    }
}

#[inline]
fn is_exempt(extensions: &Extensions) -> bool {
    extensions.get() == Some(&Exempt::FromAuthentication)
}
