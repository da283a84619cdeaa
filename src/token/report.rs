//! [`CacheState`]: how a cache is doing, for readiness probes. Holds no token.

use tokio::time::Instant;

use crate::error::{AuthError, StoreError};

/// How a [`TokenCache`](super::TokenCache) is doing at one moment. It holds no token.
///
/// # Examples
///
/// ```
/// use tower_reauth::{TokenCache, TokenState};
///
/// fn ready(tokens: &TokenCache) -> bool {
///     // A cache that has not been used yet is as ready as one with a valid token.
///     let state = tokens.state();
///     state.error().is_none() && state.token() != TokenState::Rejected
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CacheState {
    pub(super) token: TokenState,
    pub(super) generation: Option<u64>,
    pub(super) expires_at: Option<Instant>,
    pub(super) acquiring: bool,
    pub(super) paused_until: Option<Instant>,
    pub(super) failing_since: Option<Instant>,
    pub(super) error: Option<AuthError>,
    pub(super) unsaved_since: Option<Instant>,
    pub(super) is_shared: bool,
    pub(super) store_lost: Option<(Instant, StoreError)>,
}

/// What there is to be said of the newest token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenState {
    /// There is none.
    Missing,
    /// It is valid.
    Fresh,
    /// It is valid, but should be renewed.
    Stale,
    /// It has expired.
    Expired,
    /// A server rejected it. A key that can't be renewed is in use nevertheless, and is no longer in this state when a
    /// server accepts it.
    Rejected,
}

impl CacheState {
    /// What there is to be said of the newest token.
    #[must_use]
    pub fn token(&self) -> TokenState {
        self.token
    }

    /// The newest token's generation.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        self.generation
    }

    /// When the newest token expires, if that is known.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        self.expires_at
    }

    /// Whether a token is being acquired.
    #[must_use]
    pub fn acquiring(&self) -> bool {
        self.acquiring
    }

    /// Until when rejections cause no acquisition, because they came too fast.
    #[must_use]
    pub fn paused_until(&self) -> Option<Instant> {
        self.paused_until
    }

    /// Since when every acquisition has failed.
    #[must_use]
    pub fn failing_since(&self) -> Option<Instant> {
        self.failing_since
    }

    /// Why the last acquisition failed, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&AuthError> {
        self.error.as_ref()
    }

    /// Since when there has been a secret that should have been saved and couldn't be, by the credential or in the store: a
    /// refresh token that a server has rotated. It works from memory. A program that ends now will start with one that is
    /// spent.
    #[must_use]
    pub fn unsaved_since(&self) -> Option<Instant> {
        self.unsaved_since
    }

    /// Whether the token is shared with other processes ([`AuthLayer::shared`](crate::AuthLayer::shared)).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Since when the store couldn't be asked that the token is shared by. The token is used from memory meanwhile.
    #[must_use]
    pub fn store_lost_since(&self) -> Option<Instant> {
        self.store_lost.as_ref().map(|(since, _)| *since)
    }

    /// Why it couldn't be asked the last time, if it couldn't: also where there is a record that can't be read.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        self.store_lost.as_ref().map(|(_, error)| error)
    }
}
