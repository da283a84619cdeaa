//! What the handles of a cache share: the state, and the flight that is under way.
//!
//! The state is behind a lock that no await point is under; what the hot path needs of it is published beside it.
//! Every change of the state publishes what came of it before the lock is released.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::time::Instant;

use super::{
    common::Link,
    lease::Entry,
    policy::RefreshPolicy,
    source::Source,
    state::{Landing, Quiet, State},
    waiting::Attached,
};
use crate::{
    observe::{Event, Observer, Reason},
    sync::{
        AtomicU64, Mutex, MutexGuard,
        Ordering::{Acquire, Relaxed, Release},
        PoisonError,
    },
};

/// What all handles share, and the flight holds on to.
pub(super) struct Shared {
    /// The token that may be used without asking the state. Its expiry is for the reader to check.
    published: ArcSwapOption<Entry>,
    /// Its generation, or 0 without one.
    newest: AtomicU64,
    /// Until when nobody needs to ask whether to renew it when it is stale, in nanoseconds from `began`.
    quiet_until: AtomicU64,
    began: Instant,
    /// The newest generation that is known to have been accepted.
    accepted: AtomicU64,
    state: Mutex<State<Attached>>,
    observer: Observer,
    source: Arc<dyn Source>,
    /// The way to what other processes have, if the token is shared with any.
    link: OnceLock<Arc<Link>>,
}

impl Shared {
    pub(super) fn new(
        source: Arc<dyn Source>,
        policy: Arc<RefreshPolicy>,
        observer: Option<Observer>,
    ) -> Self {
        let description = source.describe();
        let state = State::new(policy, &description, fastrand::Rng::new());
        Self {
            published: ArcSwapOption::empty(),
            newest: AtomicU64::new(0),
            quiet_until: AtomicU64::new(0),
            began: Instant::now(),
            accepted: AtomicU64::new(0),
            state: Mutex::new(state),
            observer: observer.unwrap_or_else(|| Observer::new(description.name())),
            source,
            link: OnceLock::new(),
        }
    }

    pub(super) fn link(&self) -> Option<&Arc<Link>> {
        self.link.get()
    }

    /// Shares the token with other processes from now on. Returns whether it wasn't shared before.
    pub(super) fn share(&self, link: Link) -> bool {
        let is_new = self.link.set(Arc::new(link)).is_ok();
        if is_new {
            self.change(State::share);
        }
        is_new
    }

    pub(super) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.observer
    }

    /// The token that may be used without asking the state.
    pub(super) fn published(&self) -> Guard<Option<Arc<Entry>>> {
        self.published.load()
    }

    /// The generation of the token that may be used without asking the state, or 0 without one.
    #[inline]
    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Acquire)
    }

    /// Looks at the state.
    pub(super) fn look<T>(&self, look: impl FnOnce(&State<Attached>) -> T) -> T {
        look(&self.lock())
    }

    /// Takes down that a server accepted `generation`. Writes, and locks, only until one has done so for each; for a key
    /// that can't be renewed again after each rejection.
    #[inline]
    pub(super) fn accept(&self, generation: u64) {
        if self.accepted.load(Relaxed) < generation {
            self.change(|state| {
                state.accept(generation);
                // Not before: whoever sees it leaves the state alone, and a rejection may be the next it takes down.
                // Under the lock, which orders the two.
                self.accepted.fetch_max(generation, Relaxed);
            });
        }
    }

    /// Takes down that a server rejected `generation`.
    pub(super) fn reject(&self, generation: u64, reason: Reason) {
        let is_news = self.change(|state| {
            let is_news = state.reject(generation, reason, Instant::now());
            if state.doubts_key() {
                // It stays in use, and the next acceptance counts.
                self.accepted.store(0, Relaxed);
            }
            is_news
        });
        if is_news {
            self.observer.tell(Event::Rejected { generation, reason });
        }
    }

    /// Ends a flight by a change of the state: one that took so long, or one that has found what others had. Returns what was
    /// told to whoever waited.
    pub(super) fn land(
        &self,
        took: Option<Duration>,
        change: impl FnOnce(&mut State<Attached>, Instant) -> Option<(Attached, Landing)>,
    ) -> Option<Landing> {
        let (flight, landing) = self.change(|state| change(state, Instant::now()))?;
        match &landing {
            Landing::Landed(lease) => {
                let (generation, remaining) = (lease.generation(), lease.remaining());
                self.observer.tell(match took {
                    Some(took) => Event::Acquired { generation, took, remaining },
                    None => Event::Adopted { generation, remaining },
                });
            }
            Landing::Failed(error) => {
                if let Some(took) = took {
                    self.observer.tell(Event::NotAcquired { error, took });
                }
            }
            Landing::Moved => {}
        }
        flight.announce(landing.clone());
        match &landing {
            Landing::Landed(lease) => self.source.hear(Ok(lease.token())),
            Landing::Failed(error) => self.source.hear(Err(error)),
            Landing::Moved => {}
        }
        Some(landing)
    }

    /// Takes flight `id` out of the way, if it is still the flight.
    pub(super) fn supersede(&self, id: u64) {
        self.retire(|state| ((), state.supersede(Some(id))));
    }

    /// Whether a stale token may be used at this time without asking the state.
    pub(super) fn is_quiet(&self, now: Instant) -> bool {
        self.nanos(now) < self.quiet_until.load(Relaxed)
    }

    /// The state, unless somebody else has it.
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, State<Attached>>> {
        self.state.try_lock().ok()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<Attached>> {
        // Transitions don't panic; if one did, the state would still be one that was meant to be.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and publishes what may now be used.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State<Attached>) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.publish(&state, Instant::now());
        result
    }

    /// Publishes what may be used by now, though nothing has changed the state: a token whose renewal nobody waits for
    /// any longer. Whoever looks first sees to it, be it one who waited or one who has just come.
    pub(super) fn catch_up(&self, state: &State<Attached>, now: Instant) {
        if self.newest() == 0 && state.published(now).is_some() {
            self.publish(state, now);
        }
    }

    /// Changes the state in a way that may end a flight, and sends those who wait for it to look again.
    pub(super) fn retire<T>(&self, change: impl FnOnce(&mut State<Attached>) -> (T, Option<Attached>)) -> T {
        let (result, flight) = self.change(change);
        if let Some(flight) = flight {
            self.observer.tell(Event::Superseded);
            flight.announce(Landing::Moved);
        }
        result
    }

    pub(super) fn publish(&self, state: &State<Attached>, now: Instant) {
        let entry = state.published(now);
        let newest = entry.map_or(0, |entry| entry.generation);
        // It is the same after most of the rejections that come at once. Under the lock, so that nobody else changes it.
        if self.newest.load(Relaxed) != newest {
            // First, so that nobody holds on to a token when somebody else has been given its successor.
            self.newest.store(newest, Release);
            self.published.store(entry.cloned());
        }
        let quiet_until = match state.quiet_until() {
            Quiet::No => 0,
            Quiet::Until(at) => self.nanos(at),
            Quiet::UntilItExpires => u64::MAX,
        };
        // Who reads the one before asks in vain, or lets the next one ask.
        self.quiet_until.store(quiet_until, Relaxed);
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }
}
