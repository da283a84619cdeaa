//! [`TokenCache`]: one credential's token for everybody.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    access_token::AccessToken,
    common::{Alone, Link, Stored, forget, put},
    lease::{Entry, Lease, Standing},
    obtain::runtime,
    policy::RefreshPolicy,
    report::CacheState,
    shared::Shared,
    source::{Credential, Source},
    state::{Catch, State, Want},
};
use crate::{
    error::{AcquireErrorKind, AuthError, AuthErrorKind, ConfigError, ConfigErrorKind, StoreError},
    observe::{Event, Reason},
    store::{Revision, SharedSlot},
    time::{after, sleep_until, wall_clock},
};

/// The token of one credential, for everybody who shares it.
///
/// Cloning gives another handle to the same cache. There is at most one acquisition at a time; it belongs to no
/// caller, and everyone who waits gets its outcome, its failure included.
///
/// A cache needs a Tokio runtime with its time driver enabled, on which acquisitions run as tasks. It may be used
/// from several runtimes, also one after the other. When the last handle and layer are dropped, nothing new
/// starts; a running acquisition ends by its deadline.
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
/// # async fn main() -> Result<(), tower_reauth::AuthError> {
/// use std::time::Duration;
/// use tower_reauth::TokenCache;
///
/// let tokens = TokenCache::new(Vault);
/// assert!(tokens.try_get().is_none());
/// let lease = tokens.get(Duration::from_secs(30)).await?;
/// assert_eq!(lease.token().expose_secret(), "abc");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenCache {
    pub(super) shared: Arc<Shared>,
}

impl TokenCache {
    /// A cache for `credential`'s token, with the default [`RefreshPolicy`].
    pub fn new(credential: impl Credential) -> Self {
        Self::with_policy(credential, RefreshPolicy::default())
    }

    /// A cache for `credential`'s token.
    pub fn with_policy(credential: impl Credential, policy: RefreshPolicy) -> Self {
        Self::from_source(Arc::new(credential), policy)
    }

    pub(crate) fn from_source(source: Arc<dyn Source>, policy: RefreshPolicy) -> Self {
        Self { shared: Arc::new(Shared::new(source, Arc::new(policy), None)) }
    }

    /// Has `policy` decide from now on, for everybody who shares the cache.
    pub(crate) fn set_policy(&self, policy: RefreshPolicy) {
        self.shared.change(|state| state.set_policy(policy));
    }

    /// Whether there is a token that can be [shared](crate::AuthLayer::shared): not if it is a key that is its own token, or
    /// what a platform gives to a machine.
    #[must_use]
    pub fn is_shareable(&self) -> bool {
        self.shared.source().describe().whole().is_shareable()
    }

    /// Shares the token with the processes that have the same slot in a store.
    pub(crate) fn share(&self, slot: SharedSlot) -> Result<(), ConfigError> {
        let description = self.shared.source().describe().whole();
        let shelf = description.shelf(&slot)?;
        let observer = self.shared.observer().clone();
        let alone = if slot.is_locked_always() { Alone::Waits } else { Alone::Goes };
        let link = Link::new(shelf, description.asks_for.into_owned(), alone, observer);
        if self.shared.share(link) {
            Ok(())
        } else {
            let words = "the token is shared already; a cache has one slot";
            Err(ConfigError::new(ConfigErrorKind::Store, words))
        }
    }

    /// A token that is valid for at least `min_ttl`.
    ///
    /// There is at most one acquisition for this call. If the new token lives shorter than `min_ttl`, or none can be
    /// acquired while the old one is still valid, the freshest there is is returned; see [`Lease::remaining`]. A
    /// token without known expiry, or as fresh as its kind can be, lives long enough.
    ///
    /// # Errors
    ///
    /// An [`AuthError`] if there is no valid token and none could be acquired.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends only this wait; the acquisition goes on.
    pub async fn get(&self, min_ttl: Duration) -> Result<Lease, AuthError> {
        self.shared.clone().obtain(Want::Token { min_ttl }).await
    }

    /// The cached token if it is valid now. No I/O, no waiting, and no renewal.
    #[must_use]
    pub fn try_get(&self) -> Option<Lease> {
        let entry = self.shared.published().clone()?;
        (!entry.is_expired(Instant::now())).then(|| Lease::new(entry, Standing::Good))
    }

    /// How the cache is doing, for readiness probes. No I/O, no waiting.
    #[must_use]
    pub fn state(&self) -> CacheState {
        let state = self.shared.look(|state| state.report(Instant::now()));
        let by_credential = self.shared.source().describe().unsaved_since;
        let link = self.shared.link();
        CacheState {
            unsaved_since: [state.unsaved_since, by_credential].into_iter().flatten().min(),
            is_shared: link.is_some(),
            store_lost: link.and_then(|link| link.lost()),
            ..state
        }
    }

    /// Reports that a server rejected `lease`, and gets another token.
    ///
    /// If there is a newer one already, that is handed out without I/O: a late rejection never throws a fresh token
    /// away. Otherwise a token is acquired anew, unless rejections are coming too fast.
    ///
    /// # Errors
    ///
    /// An [`AuthError`], among others of kind [`Paused`](AuthErrorKind::Paused) when the server keeps rejecting new
    /// tokens, and [`NotRenewable`](AuthErrorKind::NotRenewable) for a static key.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends only this wait. The rejection counts from the first poll.
    pub async fn reject(&self, lease: &Lease) -> Result<Lease, AuthError> {
        self.mark_rejected(lease.generation(), Reason::Rejected);
        self.replace(lease.generation()).await
    }

    /// Forgets the access token, and with it every reason not to ask at once: fail-fast, back-off, pause. Keeps
    /// the refresh token. A running acquisition is aborted; those who wait for it wait for the next one.
    ///
    /// Call it when the credential's secret has changed.
    pub fn invalidate(&self) {
        self.shared.retire(|state| ((), state.invalidate()));
    }

    /// Takes a token that the program has got in another way, such as by a login, in place of whatever there is. With it come
    /// its refresh token and its lifetime, which counts from
    /// [`requested_at`](AccessToken::with_requested_at), or from now.
    ///
    /// Where the token is [shared](crate::AuthLayer::shared), it is in the store first, so that all processes take it from
    /// there, and with the next acquisition also those that were told of a failure. What was there before is forgotten, and no
    /// server is told: [`revoke`](Self::revoke) before that does so.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the store couldn't be told. Then nothing has changed here.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the token may be in the store and not here yet: the next acquisition finds it there.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_reauth::{AccessToken, AuthLayer, BoxError};
    ///
    /// async fn logged_in(layer: &AuthLayer, token: String, refresh: String) -> Result<(), BoxError> {
    ///     let token = AccessToken::new(token)?.with_refresh_token(refresh).with_lifetime(Duration::from_secs(3600));
    ///     Ok(layer.tokens().put(token).await?)
    /// }
    /// ```
    pub async fn put(&self, token: AccessToken) -> Result<(), StoreError> {
        let catch = Catch { token, asked_at: Instant::now(), wall_asked_at: wall_clock() };
        let revision = match self.shared.link() {
            Some(link) => {
                let (known, limit) =
                    self.shared.look(|state| (state.known_revision(), state.policy().attempt_limit()));
                Some(put(link, known, limit, &catch).await?)
            }
            None => None,
        };
        drop(self.shared.retire(|state| state.put(catch, revision, Instant::now())));
        Ok(())
    }

    /// What the store has for this cache now, whatever is known here. `None` if it has nothing that is of any use, or the token
    /// isn't [shared](crate::AuthLayer::shared). It asks the store once, and no server.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the store can't be asked, or what it has can't be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the look.
    pub async fn stored(&self) -> Result<Option<Stored>, StoreError> {
        match self.shared.link() {
            Some(link) => Stored::look(link).await,
            None => Ok(None),
        }
    }

    /// Forgets the token, and makes the server forget it as well (a logout). The next call acquires a new one.
    ///
    /// Without a token there is nothing to do. The token is gone from the cache whatever the server answers. Where it is
    /// [shared](crate::AuthLayer::shared), it is gone from the store first, so that no other process takes it from there.
    ///
    /// # Errors
    ///
    /// An [`AuthError`], of kind [`NotRevocable`](AuthErrorKind::NotRevocable) if the credential can't do it, or
    /// [`StoreLost`](AuthErrorKind::StoreLost) if the server has revoked it, and the store couldn't be told.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the request to the server goes on when the future is dropped.
    pub async fn revoke(&self) -> Result<(), AuthError> {
        let handle = runtime()?;
        let (known, limit) =
            self.shared.look(|state| (state.known_revision(), state.policy().attempt_limit()));
        let token = self.shared.retire(State::take);
        if token.is_none() && self.shared.link().is_none() {
            return Ok(());
        }
        match handle.spawn(forget_everywhere(self.shared.clone(), token, known, limit)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(AuthError::new(AuthErrorKind::Panicked)),
            Err(_) => Err(AuthError::new(AuthErrorKind::Lost)),
        }
    }

    /// Waits until nothing is under way: a flight, and the saving of what it has brought for other processes, or the word to them
    /// that it has failed. At most for as long as a flight may take ([`RefreshPolicy::flight_deadline`], 30 s by default). Where
    /// other processes count rejections in a row, and a server has accepted the newest token here, they are told: that ends the row.
    ///
    /// A program that ends calls this before it does, so that it doesn't end between a refresh and its saving. One that is
    /// soon over has no use for early renewals: [`RefreshPolicy::early`] of 0 begins none.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends only this wait.
    pub async fn settled(&self) {
        const BETWEEN: Duration = Duration::from_millis(20);
        let limit = self.shared.look(|state| state.policy().flight_limit());
        let deadline = after(Instant::now(), limit);
        let is_busy =
            || self.shared.look(State::is_busy) || self.shared.link().is_some_and(|link| link.is_busy());
        while is_busy() && Instant::now() < deadline {
            let Some(timer) = sleep_until(after(Instant::now(), BETWEEN)) else { return };
            timer.await;
        }
        if let Some(link) = self.shared.link()
            && let Some(revision) = self.shared.look(State::untold_acceptance)
            && link.tell_accepted(revision).await
        {
            self.shared.change(|state| state.hear_of_rejections(0));
        }
    }

    /// The newest token, if it may be used now, without locking or waiting. A stale one begins to be renewed.
    pub(crate) fn usable_now(&self) -> Option<Arc<Entry>> {
        let entry = self.shared.published().clone()?;
        self.uses(&entry).then_some(entry)
    }

    /// Whether `entry` is still the newest token, and nothing is known against it.
    #[inline]
    pub(crate) fn is_newest(&self, entry: &Entry) -> bool {
        self.shared.newest() == entry.generation
    }

    /// Whether `entry`, if it is the newest token, may be used at this time; then that is a use. A stale one begins to
    /// be renewed.
    pub(crate) fn uses(&self, entry: &Entry) -> bool {
        let now = Instant::now();
        let age = entry.age(now);
        let usable = !entry.is_stale_at(age) || (!entry.is_expired_at(age) && self.shared.renew(now));
        if usable {
            self.shared.observer().tell(Event::Used { remaining: entry.remaining_at(age) });
        }
        usable
    }

    /// Waits for a usable token.
    pub(crate) fn usable(&self) -> impl Future<Output = Result<Lease, AuthError>> + Send + use<> {
        self.shared.clone().obtain(Want::Token { min_ttl: Duration::ZERO })
    }

    /// Waits for another token than `generation`.
    pub(crate) fn replace(
        &self,
        generation: u64,
    ) -> impl Future<Output = Result<Lease, AuthError>> + Send + use<> {
        self.shared.clone().obtain(Want::Newer { than: generation })
    }

    /// The newest token, whatever is wrong with it, if it is of this generation.
    pub(crate) fn newest_if(&self, generation: u64) -> Option<Arc<Entry>> {
        self.shared.look(|state| state.newest().filter(|entry| entry.generation == generation).cloned())
    }

    /// Whether `generation`, if it is the newest token's, has expired by the wall clock.
    pub(crate) fn has_expired_on_the_wall(&self, generation: u64) -> bool {
        self.newest_if(generation).is_some_and(|entry| entry.is_expired_on_the_wall(wall_clock()))
    }

    /// Begins to replace `generation`, for the sake of those who come next.
    pub(crate) fn begin_to_replace(&self, generation: u64) -> Result<(), AuthError> {
        self.shared.begin_unless_busy(Want::Newer { than: generation })
    }

    /// Takes down that a server accepted `generation`.
    #[inline(always)]
    pub(crate) fn mark_accepted(&self, generation: u64) {
        self.shared.accept(generation);
    }

    /// Takes down that a server rejected `generation`.
    pub(crate) fn mark_rejected(&self, generation: u64, reason: Reason) {
        self.shared.reject(generation, reason);
    }

    /// Tells that a request is sent once more, with `generation`.
    pub(crate) fn tell_replayed(&self, generation: u64) {
        self.shared.observer().tell(Event::Replayed { generation });
    }

    /// What may be used instead of a published token by somebody who has held `lease` for a while, if anything.
    pub(crate) fn still_stands(&self, lease: &Lease) -> Option<Lease> {
        self.shared.look(|state| state.still_stands(lease, Instant::now()))
    }
}

/// Has the store forget a token, and then the server.
async fn forget_everywhere(
    cache: Arc<Shared>,
    token: Option<AccessToken>,
    known: Revision,
    limit: Duration,
) -> Result<(), AuthError> {
    let (mut token, mut is_told) = (token, true);
    if let Some(link) = cache.link() {
        match forget(link, known, limit).await {
            Ok((newest, revision)) => {
                token = newest.or(token);
                cache.change(|state| state.see(revision));
            }
            Err(_) => is_told = false,
        }
    }
    if let Some(token) = token {
        match tokio::time::timeout(limit, cache.source().revoke(&token)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.kind() == AcquireErrorKind::Unsupported => {
                return Err(AuthError::new(AuthErrorKind::NotRevocable));
            }
            Ok(Err(error)) => return Err(AuthError::from_acquire(Arc::new(error))),
            Err(_) => return Err(AuthError::new(AuthErrorKind::TimedOut)),
        }
    }
    if is_told { Ok(()) } else { Err(AuthError::new(AuthErrorKind::StoreLost)) }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("credential", &self.shared.source().describe().name())
            .field("newest", &self.try_get())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
