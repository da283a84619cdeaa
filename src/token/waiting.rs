//! How callers wait for a flight: the ends of it that the cache keeps, and a caller's ticket.
//!
//! Callers share one receiver; none of them polls the credential, so a caller of a dead or idle runtime can't hold up
//! the others.

use std::{convert::Infallible, time::Duration};

use futures_util::{
    FutureExt,
    future::{self, Either, select},
};
use tokio::{
    runtime::{self, Handle, RuntimeFlavor},
    sync::oneshot,
    time::Instant,
};

use super::state::Landing;
use crate::time::{after, sleep_until};

/// How long after a flight's deadline a waiter declares it dead: its task ends itself at the deadline, so later
/// than that its runtime is gone, or nobody drives it.
const GRACE: Duration = Duration::from_secs(1);

/// What callers wait for, as often cloned as there are callers.
type Landed = future::Shared<oneshot::Receiver<Landing>>;

/// The ends of a flight that stay with the cache.
#[derive(Debug)]
pub(super) struct Attached {
    landing: oneshot::Sender<Landing>,
    waiters: Landed,
    home: Home,
    /// Dropping it tells the task that it was superseded.
    _standing: oneshot::Sender<Infallible>,
}

/// The end that the task keeps. Shared, since one part of the task waits for it and another one looks at it.
#[derive(Clone, Debug)]
pub(super) struct Superseded(future::Shared<oneshot::Receiver<Infallible>>);

impl Superseded {
    pub(super) fn is_so(&self) -> bool {
        self.0.clone().now_or_never().is_some()
    }

    /// Waits for that.
    pub(super) fn until_so(&self) -> impl Future<Output = ()> + Unpin + use<> {
        self.0.clone().map(drop)
    }
}

/// The runtime that a flight runs on, if it has a single thread.
///
/// There, a caller who waits for the flight's end needs no timer of its own, which thousands of callers would have to
/// make and to drop again: the one thread drives the flight, its timers and the caller, or none of them, so that a
/// caller's timer could never be the first to fire. On several threads it could, since one may be stuck with the
/// flight's task.
#[derive(Clone, Copy, Debug)]
struct Home(Option<runtime::Id>);

impl Home {
    fn of(runtime: &Handle) -> Self {
        Self((runtime.runtime_flavor() == RuntimeFlavor::CurrentThread).then(|| runtime.id()))
    }

    /// Whether the caller lives there as well.
    fn is_here(self) -> bool {
        self.0.is_some_and(|home| Handle::try_current().is_ok_and(|here| here.id() == home))
    }
}

/// A caller's place among those who wait for a flight.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) id: u64,
    pub(super) asked_at: Instant,
    waiters: Landed,
    home: Home,
    give_up_at: Instant,
    /// Until when this caller waits for the flight, if it has something to go on with.
    patience_until: Option<Instant>,
}

impl Attached {
    /// The ends of a flight on `runtime`.
    pub(super) fn new(runtime: &Handle) -> (Self, Superseded) {
        let (landing, landed) = oneshot::channel();
        let (standing, superseded) = oneshot::channel();
        let attached =
            Self { landing, waiters: landed.shared(), home: Home::of(runtime), _standing: standing };
        (attached, Superseded(superseded.shared()))
    }

    pub(super) fn ticket(
        &self,
        id: u64,
        deadline: Instant,
        patience_until: Option<Instant>,
        now: Instant,
    ) -> Ticket {
        let (waiters, give_up_at) = (self.waiters.clone(), after(deadline, GRACE));
        Ticket { id, asked_at: now, waiters, home: self.home, give_up_at, patience_until }
    }

    /// Wakes everyone who waits. Not to be called under the cache's lock: a waker may run anything.
    pub(super) fn announce(self, landing: Landing) {
        // Nobody may be waiting any more.
        let _ = self.landing.send(landing);
    }
}

/// How waiting for a flight ended, when the flight itself didn't end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoLanding {
    /// The deadline is long past: nobody drives the flight.
    Overdue,
    /// The flight is well, but this caller need not wait for it any longer.
    Outwaited,
    /// This thread has no timer to wait with.
    NoTimer,
}

impl Ticket {
    /// Waits for the flight's end. Dropping this leaves the flight alone.
    pub(super) async fn landing(self) -> Result<Landing, NoLanding> {
        let limit = match self.patience_until {
            // Also at home, where the flight's own timers are for its end.
            Some(at) => Some((at, NoLanding::Outwaited)),
            None if self.home.is_here() => None,
            None => Some((self.give_up_at, NoLanding::Overdue)),
        };
        let landing = match limit {
            None => self.waiters.await,
            Some((at, end)) => {
                // On its own, since most of those who wait have none.
                let timer = Box::pin(sleep_until(at).ok_or(NoLanding::NoTimer)?);
                match select(self.waiters, timer).await {
                    Either::Left((landing, _)) => landing,
                    Either::Right(_) => return Err(end),
                }
            }
        };
        // The sender is dropped unused only together with the whole cache.
        Ok(landing.unwrap_or(Landing::Moved))
    }
}
