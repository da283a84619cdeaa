//! How callers get what they want of a cache: a look at the state, a flight that begins if need be, and the wait for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{runtime::Handle, time::Instant};

use super::{
    flight::fly,
    landing::Report,
    lease::Lease,
    shared::Shared,
    state::{Landing, Order, State, Step, Want},
    waiting::{Attached, NoLanding, Ticket},
};
use crate::{
    error::{AuthError, AuthErrorKind},
    observe::{Event, Reason, within_flight},
    sync::MutexGuard,
    time::sleep_until,
};

/// How often a caller follows from a flight that was superseded to its successor.
const MOVES: u32 = 4;

impl Shared {
    /// Gets what is wanted, by waiting for a flight if need be.
    pub(super) async fn obtain(self: Arc<Self>, want: Want) -> Result<Lease, AuthError> {
        match self.step(want) {
            Ok(Progress::Wait(ticket)) => {
                let since = ticket.asked_at;
                let result = self.follow(ticket, want).await;
                self.observer().tell(Event::Waited { since });
                result
            }
            Ok(Progress::Lease(lease)) => {
                if lease.is_rejected() {
                    self.observer().tell(Event::Paused { until: None });
                }
                Ok(lease)
            }
            Err(error) => {
                self.observer().tell_refusal(&error);
                Err(error)
            }
        }
    }

    /// Waits for a flight, and for its successors.
    async fn follow(self: &Arc<Self>, mut ticket: Ticket, want: Want) -> Result<Lease, AuthError> {
        let mut moves = 0;
        while moves < MOVES {
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
                Ok(Landing::Moved) => moves += 1,
                Err(NoLanding::Overdue) => {
                    self.supersede(id);
                    moves += 1;
                }
                // The flight goes on, and is as much the flight as before.
                Err(NoLanding::Outwaited) => {}
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
        self.catch_up(&state, now);
        match state.classify(want, now) {
            Step::Use(lease) => {
                // Nobody is asked for another, but somebody may have one.
                if lease.is_rejected() && state.is_to_look(now) {
                    let _ = self.begin_to_look(state, want, now);
                }
                Ok(Progress::Lease(lease))
            }
            Step::UseAndRenew(lease, reason) => {
                // Where there is no runtime, the token is still good.
                let _ = self.begin(state, want, reason, now);
                Ok(Progress::Lease(lease))
            }
            Step::Fail(error) => {
                let Some(refused) = state.look_for_secret(now) else {
                    return self.look_elsewhere(state, want, error, now);
                };
                drop(state);
                // A bug in there is no reason to fail in another way than we would anyhow.
                if !catch_unwind(AssertUnwindSafe(|| self.source().has_new_secret())).unwrap_or(false) {
                    return self.look_elsewhere(self.lock(), want, error, now);
                }
                self.change(|state| state.forgive(refused));
                self.step(want)
            }
            Step::Begin(reason) => self.begin(state, want, reason, now).map(Progress::Wait),
            Step::Wait => Ok(Progress::Wait(ticket(&state, want, now))),
        }
    }

    /// Looks whether another process has what this one is not to ask for now, if it is time for that.
    fn look_elsewhere(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<Attached>>,
        want: Want,
        error: AuthError,
        now: Instant,
    ) -> Result<Progress, AuthError> {
        if state.is_to_look(now) {
            self.begin_to_look(state, want, now).map(Progress::Wait)
        } else {
            Err(error)
        }
    }

    /// Begins to acquire what is wanted, if nothing speaks against it and nobody has begun yet.
    pub(super) fn begin_unless_busy(self: &Arc<Self>, want: Want) -> Result<(), AuthError> {
        let (state, now) = (self.lock(), Instant::now());
        match state.classify(want, now) {
            Step::Begin(reason) => self.begin(state, want, reason, now).map(drop),
            Step::Fail(error) => {
                drop(state);
                self.observer().tell_refusal(&error);
                Err(error)
            }
            Step::Use(_) | Step::UseAndRenew(..) | Step::Wait => Ok(()),
        }
    }

    /// Begins to renew a stale token in the background, unless that is under way or has to wait. Doesn't wait for the
    /// lock: whoever holds it sees to the same. Returns whether the token may be used meanwhile.
    pub(super) fn renew(self: &Arc<Self>, now: Instant) -> bool {
        if self.is_quiet(now) {
            return true;
        }
        let Some(state) = self.try_lock() else { return true };
        let want = Want::Token { min_ttl: Duration::ZERO };
        match state.classify(want, now) {
            Step::UseAndRenew(_, reason) => {
                // Where there is no runtime, the token is still good.
                let _ = self.begin(state, want, reason, now);
                true
            }
            Step::Use(_) => true,
            Step::Begin(_) | Step::Wait | Step::Fail(_) => false,
        }
    }

    fn begin(
        self: &Arc<Self>,
        state: MutexGuard<'_, State<Attached>>,
        want: Want,
        reason: Reason,
        now: Instant,
    ) -> Result<Ticket, AuthError> {
        self.launch(state, want, now, |state, attached| state.begin(reason, now, attached))
    }

    fn begin_to_look(
        self: &Arc<Self>,
        state: MutexGuard<'_, State<Attached>>,
        want: Want,
        now: Instant,
    ) -> Result<Ticket, AuthError> {
        self.launch(state, want, now, |state, attached| state.begin_to_look(now, attached))
    }

    /// Begins a flight. Takes the lock over, since the task must not be spawned under it: a runtime that is
    /// shutting down drops it at once, and then it reports.
    fn launch(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<Attached>>,
        want: Want,
        now: Instant,
        begin: impl FnOnce(&mut State<Attached>, Attached) -> Order,
    ) -> Result<Ticket, AuthError> {
        let handle = runtime()?;
        let (attached, superseded) = Attached::new(&handle);
        let order = begin(&mut state, attached);
        let reason = order.reason;
        let ticket = ticket(&state, want, now);
        self.publish(&state, now);
        drop(state);
        let flight = fly(Report::new(self.clone(), order.id), order, superseded);
        handle.spawn(within_flight(self.observer().credential(), reason, flight));
        Ok(ticket)
    }
}

/// Where a caller that looked at the state is.
#[derive(Debug)]
enum Progress {
    Lease(Lease),
    Wait(Ticket),
}

fn ticket(state: &State<Attached>, want: Want, now: Instant) -> Ticket {
    let flight = state.flight().expect("a ticket is for a flight under way");
    flight.attached.ticket(flight.id, flight.deadline, state.patience_until(want, now), now)
}

/// The runtime to acquire on.
pub(super) fn runtime() -> Result<Handle, AuthError> {
    let none = || AuthError::new(AuthErrorKind::NoRuntime);
    drop(sleep_until(Instant::now()).ok_or_else(none)?);
    Handle::try_current().map_err(|_| none())
}
