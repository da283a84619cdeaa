//! [`SharedSlot`]: a place in a store, for a layer whose token several processes share.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use super::{contract::ErasedStore, shelf::Shelf, slot::Slot, wrap::Wrap};

/// A place in a store for one token, by the name that the program gave it. Which place it is also depends on what the
/// credential says of itself, so that two credentials never get each other's token, whatever their slots' names are.
///
/// Clones are the same place.
#[derive(Clone)]
#[must_use]
pub struct SharedSlot {
    store: Arc<dyn ErasedStore>,
    name: Slot,
    wrap: Arc<dyn Wrap>,
    keep: Option<Duration>,
    subject: Option<Box<str>>,
    is_locked_always: bool,
}

impl SharedSlot {
    /// Sets how long a token is kept after it was saved, if it can be renewed. By default that is 90 days. Others are kept
    /// until an hour after they expire.
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Says whose token it is, where the credential can't: an account's number, a user's name. Two credentials with the same
    /// subject have the same token. It isn't secret, and only a digest of it is seen in the store.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into().into());
        self
    }

    /// Sends a refresh token that is the only way to a new token, and may be good once only, also while the store can't be
    /// asked whether another process has sent it. If one has, a server that detects reuse may revoke all tokens that came
    /// of it, and somebody has to log in again. By default it isn't sent before the store is back, and calls fail when the
    /// access token has expired.
    pub fn refreshing_without_lock_while_store_is_lost(mut self) -> Self {
        self.is_locked_always = false;
        self
    }

    /// The name that the program gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.name()
    }

    /// The place in `store` for `name`.
    #[allow(dead_code, reason = "stores make them")]
    pub(super) fn new(store: Arc<dyn ErasedStore>, name: Slot, wrap: Arc<dyn Wrap>) -> Self {
        Self { store, name, wrap, keep: None, subject: None, is_locked_always: true }
    }

    /// The place for the credential which says this of itself. None, if neither it says anything nor the program has.
    pub(crate) fn place(&self, identity: &[(&'static str, Cow<'static, str>)]) -> Option<Shelf> {
        let subject = self.subject.as_deref().map(|subject| ("subject", subject.as_bytes()));
        let identity = identity.iter().map(|(name, value)| (*name, value.as_bytes()));
        let parts: Vec<_> = identity.chain(subject).collect();
        (!parts.is_empty()).then(|| self.shelf(&parts))
    }

    /// Whether a refresh token that may be good once only is sent with the store's knowledge alone.
    pub(crate) fn is_locked_always(&self) -> bool {
        self.is_locked_always
    }

    /// The place for these names and values, which no two credentials have in common.
    pub(super) fn shelf(&self, identity: &[(&str, &[u8])]) -> Shelf {
        let slot = self.name.with_digest(self.wrap.digest(identity));
        Shelf::new(self.store.clone(), slot, self.wrap.clone(), self.keep)
    }
}

impl fmt::Debug for SharedSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSlot").field("name", &self.name()).finish_non_exhaustive()
    }
}
