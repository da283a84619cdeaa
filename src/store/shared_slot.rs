//! [`SharedSlot`]: a place in a store, for a layer whose token several processes share.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};

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

    /// Says whose token it is, where the credential can't: an account's number, a user's name. Two credentials that say the
    /// same of themselves and have the same subject have the same token. It isn't secret, and only a digest of it is seen in
    /// the store.
    ///
    /// Without it these can be told apart: clients and users of OAuth 2.0, logins by a refresh token that is the same text at
    /// each start (`oauth2::RefreshToken` without `persist`), and VIDIZMO's users. Who is known by a key, an assertion or a
    /// closure alone can't.
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

    /// Whether the program has said whose token it is.
    pub(crate) fn has_subject(&self) -> bool {
        self.subject.is_some()
    }

    /// The place for the credential which says this of itself. `login` tells whose token it is, where the program doesn't.
    pub(crate) fn place(
        &self,
        identity: &[(&'static str, Cow<'static, str>)],
        login: Option<&SecretString>,
    ) -> Shelf {
        let subject = match (&self.subject, login) {
            (Some(subject), _) => Some(("subject", subject.as_bytes())),
            (None, Some(login)) => Some(("login", login.expose_secret().as_bytes())),
            (None, None) => None,
        };
        let identity = identity.iter().map(|(name, value)| (*name, value.as_bytes()));
        let parts: Vec<_> = identity.chain(subject).collect();
        self.shelf(&parts)
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
