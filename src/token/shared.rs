//! What the handles of a cache share: the state, and the flight that is under way.
//!
//! The state is behind a lock that no await point is under; what the hot path needs of it is published beside it.
//! Every change of the state publishes what came of it before the lock is released.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::{runtime::Handle, time::Instant};

use super::{
    Reason, RefreshPolicy, Source,
    flight::{Attached, NoLanding, Report, Ticket, fly},
    lease::{Entry, Lease},
    state::{Catch, Landing, Miss, Quiet, State, Step, Want},
};
use crate::{
    error::{AuthError, AuthErrorKind},
    observe::{Event, Observer, within_flight},
    sync::{
        AtomicU64, Mutex, MutexGuard,
        Ordering::{Acquire, Relaxed, Release},
        PoisonError,
    },
    timer::sleep_until,
};

/// How often a caller follows from a flight that was superseded to its successor.
const MOVES: u32 = 4;

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
    policy: Arc<RefreshPolicy>,
    source: Arc<dyn Source>,
}

impl Shared {
    pub(super) fn new(source: Arc<dyn Source>, policy: RefreshPolicy) -> Self {
        let (description, policy) = (source.describe(), Arc::new(policy));
        let state = State::new(policy.clone(), &description, fastrand::Rng::new());
        Self {
            published: ArcSwapOption::empty(),
            newest: AtomicU64::new(0),
            quiet_until: AtomicU64::new(0),
            began: Instant::now(),
            accepted: AtomicU64::new(0),
            state: Mutex::new(state),
            observer: Observer::new(description.name()),
            policy,
            source,
        }
    }

    pub(super) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.observer
    }

    pub(super) fn policy(&self) -> &RefreshPolicy {
        &self.policy
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
            let is_news = state.reject(generation, reason);
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

    /// Ends flight `id`, which took so long, with what it brought.
    pub(super) fn land(&self, id: u64, took: Duration, result: Result<Catch, Miss>) {
        let landed = self.change(|state| state.land(id, result, Instant::now()));
        let Some((flight, landing)) = landed else { return };
        match &landing {
            Landing::Landed(lease) => {
                let (generation, remaining) = (lease.generation(), lease.remaining());
                self.observer.tell(Event::Acquired { generation, took, remaining });
            }
            Landing::Failed(error) => self.observer.tell(Event::NotAcquired { error, took }),
            Landing::Moved => {}
        }
        flight.announce(landing);
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
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State<Attached>) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.publish(&state);
        result
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

    /// Gets what is wanted, by waiting for a flight if need be.
    pub(super) async fn obtain(self: Arc<Self>, want: Want) -> Result<Lease, AuthError> {
        match self.step(want) {
            Ok(Progress::Wait(ticket)) => {
                let since = ticket.asked_at;
                let result = self.follow(ticket, want).await;
                self.observer.tell(Event::Waited { since });
                result
            }
            Ok(Progress::Lease(lease)) => {
                if lease.is_rejected() {
                    self.observer.tell(Event::Paused { until: None });
                }
                Ok(lease)
            }
            Err(error) => {
                self.observer.tell_refusal(&error);
                Err(error)
            }
        }
    }

    /// Waits for a flight, and for its successors.
    async fn follow(self: &Arc<Self>, mut ticket: Ticket, want: Want) -> Result<Lease, AuthError> {
        for _ in 0..MOVES {
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
            ticket = match self.step(want)? {
                Progress::Lease(lease) => return Ok(lease),
                Progress::Wait(ticket) => ticket,
            };
        }
        Err(AuthError::new(AuthErrorKind::Lost))
    }

    /// One look at the state: a lease, or a flight to wait for, begun if need be.
    fn step(self: &Arc<Self>, want: Want) -> Result<Progress, AuthError> {
        // In this order: a flight's deadline counts from when it begins, not from before a wait for the lock.
        let (mut state, now) = (self.lock(), Instant::now());
        match state.classify(want, now) {
            Step::Use(lease) => Ok(Progress::Lease(lease)),
            Step::UseAndRenew(lease, reason) => {
                // Where there is no runtime, the token is still good.
                let _ = self.begin(state, reason, now);
                Ok(Progress::Lease(lease))
            }
            Step::Fail(error) => {
                let Some(refused) = state.look_for_secret(now) else { return Err(error) };
                drop(state);
                // A bug in there is no reason to fail in another way than we would anyhow.
                if !catch_unwind(AssertUnwindSafe(|| self.source.has_new_secret())).unwrap_or(false) {
                    return Err(error);
                }
                self.change(|state| state.forgive(refused));
                self.step(want)
            }
            Step::Begin(reason) => self.begin(state, reason, now).map(Progress::Wait),
            Step::Wait => Ok(Progress::Wait(ticket(&state, now))),
        }
    }

    /// Begins to acquire what is wanted, if nothing speaks against it and nobody has begun yet.
    pub(super) fn begin_unless_busy(self: &Arc<Self>, want: Want) -> Result<(), AuthError> {
        let (state, now) = (self.lock(), Instant::now());
        match state.classify(want, now) {
            Step::Begin(reason) => self.begin(state, reason, now).map(drop),
            Step::Fail(error) => {
                drop(state);
                self.observer.tell_refusal(&error);
                Err(error)
            }
            Step::Use(_) | Step::UseAndRenew(..) | Step::Wait => Ok(()),
        }
    }

    /// Begins to renew a stale token in the background, unless that is under way or has to wait. Doesn't wait for the
    /// lock: whoever holds it sees to the same. Returns whether the token may be used meanwhile.
    pub(super) fn renew(self: &Arc<Self>, now: Instant) -> bool {
        if self.nanos(now) < self.quiet_until.load(Relaxed) {
            return true;
        }
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
        let (attached, superseded) = Attached::new(&handle);
        let order = state.begin(reason, now, attached);
        let ticket = ticket(&state, now);
        self.publish(&state);
        drop(state);
        let flight = fly(Report::new(self.clone(), order.id), order, superseded);
        handle.spawn(within_flight(self.observer.credential(), reason, flight));
        Ok(ticket)
    }

    fn publish(&self, state: &State<Attached>) {
        let entry = state.published();
        // First, so that nobody holds on to a token when somebody else has been given its successor.
        self.newest.store(entry.map_or(0, |entry| entry.generation), Release);
        self.published.store(entry.cloned());
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

/// Where a caller that looked at the state is.
#[derive(Debug)]
enum Progress {
    Lease(Lease),
    Wait(Ticket),
}

fn ticket(state: &State<Attached>, now: Instant) -> Ticket {
    let flight = state.flight().expect("a ticket is for a flight under way");
    flight.attached.ticket(flight.id, flight.deadline, now)
}

/// The runtime to acquire on.
pub(super) fn runtime() -> Result<Handle, AuthError> {
    let none = || AuthError::new(AuthErrorKind::NoRuntime);
    drop(sleep_until(Instant::now()).ok_or_else(none)?);
    Handle::try_current().map_err(|_| none())
}
