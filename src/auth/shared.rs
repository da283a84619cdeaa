//! [`Shared`]: what all clones of a service and all of their requests have in common, and what they do alike: is a
//! request ours, where does the token go, what is kept.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Uri, request::Parts};

use super::{choice::Choose, placement::Placement};
use crate::{
    body::PeekLimits,
    keep::{Exempt, Keep, KeptHead, KeptRequest, NotReplayed},
    observe::Passed,
    signature::Signatures,
};

/// Everything that is set on a layer, never changes afterwards, and is the same whosever token a request carries.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) signatures: Signatures,
    pub(super) placement: Placement,
    pub(super) peek: PeekLimits,
}

/// What all clones of a service share, and their futures.
pub(super) struct Shared<S, K, T> {
    pub(super) choice: T,
    pub(super) options: Options,
    pub(super) keep: K,
    /// For requests that couldn't be sent at once, and for replays. A service that is `Clone` needn't be `Sync`.
    pub(super) spare: Mutex<S>,
}

/// What is kept of a request, or why nothing is.
pub(super) type Kept<T> = Result<KeptRequest<T>, NotReplayed>;

impl<S: Clone, K, T> Shared<S, K, T> {
    /// Another instance of the inner service, that holds no place in it yet.
    pub(super) fn spare(&self) -> S {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S, K, T: Choose> Shared<S, K, T> {
    /// Tells of a request that passes though it was admitted.
    #[cold]
    pub(super) fn tell_after_all(&self, why: Passed, uri: &Uri) -> Option<Passed> {
        self.choice.passages().tell(why, uri);
        Some(why)
    }

    /// Prepares a request for which no header's value is ready. If its token is joined with something of its own, and is
    /// there, it is put in, and its generation returned. Otherwise the token has to be waited for.
    ///
    /// # Errors
    ///
    /// Why the request is to pass.
    #[cold]
    pub(super) fn prepare(
        &self,
        chosen: &T::Chosen,
        uri: &mut Uri,
        headers: &mut HeaderMap,
    ) -> Result<Option<u64>, Passed> {
        let placement = &self.options.placement;
        placement.prepare(uri, headers, self.choice.origin(chosen))?;
        if !placement.is_joined() {
            return Ok(None);
        }
        let Some(entry) = self.choice.tokens(chosen).usable_now() else { return Ok(None) };
        // Of a token that can't be written, the wait says so.
        let Some(token) = placement.write(&entry.token) else { return Ok(None) };
        placement.put(token, uri, headers)?;
        Ok(Some(entry.generation))
    }

    /// Puts what was written for a token into a request that has waited for it. Nobody may have looked at it before.
    ///
    /// # Errors
    ///
    /// Why the request is to pass.
    pub(super) fn put_late(
        &self,
        chosen: &T::Chosen,
        written: HeaderValue,
        uri: &mut Uri,
        headers: &mut HeaderMap,
    ) -> Result<(), Passed> {
        let placement = &self.options.placement;
        placement.prepare(uri, headers, self.choice.origin(chosen))?;
        placement.put(written, uri, headers)
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
