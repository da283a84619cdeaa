//! [`TokenCache`]: one credential's token for everybody, acquired by one flight at a time.
//!
//! The state is behind a lock that no await point is under; what the hot path needs of it is published beside it.
//! Every change of the state goes through [`Inner::change`], which publishes what came of it before it unlocks.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{runtime::Handle, time::Instant};

use super::{
    Reason, RefreshPolicy, Source,
    flight::{Attached, NoLanding, Report, Ticket, fly},
    lease::{Entry, Lease, Standing},
    state::{Catch, Landing, Miss, State, Step, Want},
};
use crate::{
    Credential,
    error::{AcquireErrorKind, AuthError, AuthErrorKind},
    timer::sleep_until,
};

/// How often a caller follows from a flight that was superseded to its successor.
const MOVES: u32 = 4;

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
    inner: Arc<Inner>,
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
        let (renewal, policy) = (source.describe().renews(), Arc::new(policy));
        let state = State::new(policy.clone(), renewal, fastrand::Rng::new());
        let inner = Inner {
            published: ArcSwapOption::empty(),
            accepted: AtomicU64::new(0),
            state: Mutex::new(state),
            policy,
            source,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The same credential in another, empty cache with this policy.
    pub(crate) fn restarted(&self, policy: RefreshPolicy) -> Self {
        Self::from_source(self.inner.source.clone(), policy)
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
        self.inner.clone().obtain(Want::Token { min_ttl }).await
    }

    /// The cached token if it is valid now. No I/O, no waiting, and no renewal.
    #[must_use]
    pub fn try_get(&self) -> Option<Lease> {
        let entry = self.inner.published.load_full()?;
        (!entry.is_expired(Instant::now())).then(|| Lease::new(entry, Standing::Good))
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
        self.inner.retire(|state| ((), state.invalidate()));
    }

    /// Forgets the token, and makes the server forget it as well (a logout). The next call acquires a new one.
    ///
    /// Without a token there is nothing to do. The token is gone from the cache whatever the server answers.
    ///
    /// # Errors
    ///
    /// An [`AuthError`], of kind [`NotRevocable`](AuthErrorKind::NotRevocable) if the credential can't do it.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the request to the server goes on when the future is dropped.
    pub async fn revoke(&self) -> Result<(), AuthError> {
        let handle = runtime()?;
        let Some(token) = self.inner.retire(State::take) else { return Ok(()) };
        let (source, limit) = (self.inner.source.clone(), self.inner.policy.attempt_limit());
        let call = async move { tokio::time::timeout(limit, source.revoke(&token)).await };
        match handle.spawn(call).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) if error.kind() == AcquireErrorKind::Unsupported => {
                Err(AuthError::new(AuthErrorKind::NotRevocable))
            }
            Ok(Ok(Err(error))) => Err(AuthError::from_acquire(Arc::new(error))),
            Ok(Err(_)) => Err(AuthError::new(AuthErrorKind::TimedOut)),
            Err(error) if error.is_panic() => Err(AuthError::new(AuthErrorKind::Panicked)),
            Err(_) => Err(AuthError::new(AuthErrorKind::Lost)),
        }
    }

    /// Shows the newest usable token to `use_it`, without locking or waiting. A stale one begins to be renewed.
    pub(crate) fn with_usable<T>(&self, use_it: impl FnOnce(&Entry) -> T) -> Option<T> {
        let published = self.inner.published.load();
        let entry = published.as_ref()?;
        let now = Instant::now();
        if entry.is_expired(now) {
            return None;
        }
        if entry.is_stale(now) && !self.inner.renew(now) {
            return None;
        }
        Some(use_it(entry))
    }

    /// Waits for a usable token.
    pub(crate) fn usable(&self) -> impl Future<Output = Result<Lease, AuthError>> + Send + use<> {
        self.inner.clone().obtain(Want::Token { min_ttl: Duration::ZERO })
    }

    /// Waits for another token than `generation`.
    pub(crate) fn replace(
        &self,
        generation: u64,
    ) -> impl Future<Output = Result<Lease, AuthError>> + Send + use<> {
        self.inner.clone().obtain(Want::Newer { than: generation })
    }

    /// Begins to replace `generation`, for the sake of those who come next.
    pub(crate) fn begin_to_replace(&self, generation: u64) -> Result<(), AuthError> {
        self.inner.begin_unless_busy(Want::Newer { than: generation })
    }

    /// Takes down that a server accepted `generation`.
    pub(crate) fn mark_accepted(&self, generation: u64) {
        // Only the first time for each generation does this write, or lock.
        if self.inner.accepted.load(Relaxed) < generation {
            self.inner.accepted.fetch_max(generation, Relaxed);
            self.inner.change(|state| state.accept(generation));
        }
    }

    /// Takes down that a server rejected `generation`.
    pub(crate) fn mark_rejected(&self, generation: u64, reason: Reason) {
        self.inner.change(|state| state.reject(generation, reason));
    }

    /// Whether `generation` is the newest one and has been rejected.
    pub(crate) fn is_rejected(&self, generation: u64) -> bool {
        self.inner.lock().is_rejected(generation)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("credential", &self.inner.source.describe().name())
            .field("newest", &self.try_get())
            .finish_non_exhaustive()
    }
}

/// What all handles share, and the flight holds on to.
pub(super) struct Inner {
    /// The token that may be used without asking the state. Its expiry is for the reader to check.
    published: ArcSwapOption<Entry>,
    /// The newest generation that is known to have been accepted.
    accepted: AtomicU64,
    state: Mutex<State<Attached>>,
    policy: Arc<RefreshPolicy>,
    source: Arc<dyn Source>,
}

impl Inner {
    pub(super) fn source(&self) -> &dyn Source {
        &*self.source
    }

    pub(super) fn policy(&self) -> &RefreshPolicy {
        &self.policy
    }

    /// Ends flight `id` with what it brought.
    pub(super) fn land(&self, id: u64, result: Result<Catch, Miss>) {
        let landed = self.change(|state| state.land(id, result, Instant::now()));
        if let Some((flight, landing)) = landed {
            flight.announce(landing);
        }
    }

    /// Takes flight `id` out of the way, if it is still the flight.
    pub(super) fn supersede(&self, id: u64) {
        self.retire(|state| ((), state.supersede(Some(id))));
    }

    fn lock(&self) -> MutexGuard<'_, State<Attached>> {
        // Transitions don't panic; if one did, the state would still be one that was meant to be.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and publishes what may now be used.
    fn change<T>(&self, change: impl FnOnce(&mut State<Attached>) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.publish(&state);
        result
    }

    /// Changes the state in a way that may end a flight, and sends those who wait for it to look again.
    fn retire<T>(&self, change: impl FnOnce(&mut State<Attached>) -> (T, Option<Attached>)) -> T {
        let (result, flight) = self.change(change);
        if let Some(flight) = flight {
            flight.announce(Landing::Moved);
        }
        result
    }

    async fn obtain(self: Arc<Self>, want: Want) -> Result<Lease, AuthError> {
        for _ in 0..MOVES {
            let ticket = match self.step(want, Instant::now())? {
                Progress::Lease(lease) => return Ok(lease),
                Progress::Wait(ticket) => ticket,
            };
            let id = ticket.id;
            match ticket.landing().await {
                Ok(Landing::Landed(lease)) => match want {
                    // The endpoint handed out what was rejected. Those who wait don't try one after the other.
                    Want::Newer { than } if lease.generation() <= than => {
                        return Err(AuthError::new(AuthErrorKind::Paused));
                    }
                    _ => return Ok(lease),
                },
                // A failed flight leaves a valid token in place, for those who can do with it.
                Ok(Landing::Failed(error)) => {
                    return self.lock().still_valid(want, Instant::now()).ok_or(error);
                }
                Ok(Landing::Moved) => {}
                Err(NoLanding::Overdue) => self.supersede(id),
                Err(NoLanding::NoTimer) => return Err(AuthError::new(AuthErrorKind::NoRuntime)),
            }
        }
        Err(AuthError::new(AuthErrorKind::Lost))
    }

    /// One look at the state: a lease, or a flight to wait for, begun if need be.
    fn step(self: &Arc<Self>, want: Want, now: Instant) -> Result<Progress, AuthError> {
        let state = self.lock();
        match state.classify(want, now) {
            Step::Use(lease) => Ok(Progress::Lease(lease)),
            Step::UseAndRenew(lease, reason) => {
                // Where there is no runtime, the token is still good.
                let _ = self.begin(state, reason, now);
                Ok(Progress::Lease(lease))
            }
            Step::Fail(error) => Err(error),
            Step::Begin(reason) => self.begin(state, reason, now).map(Progress::Wait),
            Step::Wait => Ok(Progress::Wait(ticket(&state))),
        }
    }

    /// Begins to acquire what is wanted, if nothing speaks against it and nobody has begun yet.
    fn begin_unless_busy(self: &Arc<Self>, want: Want) -> Result<(), AuthError> {
        let (state, now) = (self.lock(), Instant::now());
        match state.classify(want, now) {
            Step::Begin(reason) => self.begin(state, reason, now).map(drop),
            Step::Fail(error) => Err(error),
            Step::Use(_) | Step::UseAndRenew(..) | Step::Wait => Ok(()),
        }
    }

    /// Begins to renew a stale token in the background. Doesn't wait for the lock: whoever holds it sees to the
    /// same. Returns whether the token may be used meanwhile.
    fn renew(self: &Arc<Self>, now: Instant) -> bool {
        let Ok(state) = self.state.try_lock() else { return true };
        match state.classify(Want::Token { min_ttl: Duration::ZERO }, now) {
            Step::UseAndRenew(_, reason) => {
                // Where there is no runtime, the token is still good.
                let _ = self.begin(state, reason, now);
                true
            }
            Step::Use(_) => true,
            Step::Begin(_) | Step::Wait | Step::Fail(_) => false,
        }
    }

    /// Begins a flight. Takes the lock over, since the task must not be spawned under it: a runtime that is
    /// shutting down drops it at once, and then it reports.
    fn begin(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<Attached>>,
        reason: Reason,
        now: Instant,
    ) -> Result<Ticket, AuthError> {
        let handle = runtime()?;
        let (attached, superseded) = Attached::new();
        let order = state.begin(reason, now, attached);
        let ticket = ticket(&state);
        self.publish(&state);
        drop(state);
        handle.spawn(fly(Report::new(self.clone(), order.id), order, superseded));
        Ok(ticket)
    }

    fn publish(&self, state: &State<Attached>) {
        self.published.store(state.published().cloned());
    }
}

/// Where a caller that looked at the state is.
#[derive(Debug)]
enum Progress {
    Lease(Lease),
    Wait(Ticket),
}

fn ticket(state: &State<Attached>) -> Ticket {
    let flight = state.flight().expect("a ticket is for a flight under way");
    flight.attached.ticket(flight.id, flight.deadline)
}

/// The runtime to acquire on.
fn runtime() -> Result<Handle, AuthError> {
    let none = || AuthError::new(AuthErrorKind::NoRuntime);
    drop(sleep_until(Instant::now()).ok_or_else(none)?);
    Handle::try_current().map_err(|_| none())
}

#[cfg(test)]
mod tests;
