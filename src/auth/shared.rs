//! [`Shared`]: what all clones of a service and all of their requests have in common, and what they do alike: is a
//! request ours, where does the token go, what is kept.

use std::sync::{Mutex, PoisonError};

use http::{Extensions, HeaderMap, HeaderValue, Request, Uri, request::Parts};

use super::{
    origin::Origin,
    placement::{Placement, insert},
};
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
            && request.headers().keys().all(|name| name != options.placement.watched());
        if is_free { Ok(()) } else { self.look_again(request.uri(), extensions) }
    }

    /// Looks again at a request that has the placement's header, or is exempt. Where the token is joined with what is
    /// there, that header alone says nothing; [`prepare`](Self::prepare) asks what does.
    #[inline(never)]
    fn look_again(&self, uri: &Uri, extensions: &Extensions) -> Result<(), Option<Passed>> {
        let is_exempt = extensions.get::<TokenRequest>().is_some() || is_exempt(extensions);
        if self.options.placement.is_joined() && !is_exempt {
            return Ok(());
        }
        Err(self.tell_passed(Passed::OwnHeader, uri, extensions))
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

    /// Tells of a request that passes though it was admitted.
    #[cold]
    pub(super) fn tell_after_all(&self, why: Passed, uri: &Uri) -> Option<Passed> {
        self.options.passages.tell(why, uri);
        Some(why)
    }

    /// Puts the token's header value in its place, a header that is free.
    ///
    /// # Errors
    ///
    /// If there are as many headers as there can be.
    #[inline]
    pub(super) fn put(&self, token: HeaderValue, headers: &mut HeaderMap) -> Result<(), Passed> {
        insert(self.options.placement.watched(), token, headers)
    }

    /// Prepares a request for which no header's value is ready. If its token is joined with something of its own, and is
    /// there, it is put in, and its generation returned. Otherwise the token has to be waited for.
    ///
    /// # Errors
    ///
    /// Why the request is to pass.
    #[cold]
    pub(super) fn prepare(&self, uri: &mut Uri, headers: &mut HeaderMap) -> Result<Option<u64>, Passed> {
        let Options { origin, tokens, placement, .. } = &self.options;
        placement.prepare(uri, headers, origin)?;
        if !placement.is_joined() {
            return Ok(None);
        }
        let Some(entry) = tokens.usable_now() else { return Ok(None) };
        // Of a token that can't be written, the wait says so.
        let Some(token) = placement.write(&entry.token) else { return Ok(None) };
        placement.put(token, uri, headers)?;
        Ok(Some(entry.generation))
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
