//! A flight: the one acquisition that is under way, as a task of its own, and how callers wait for it.
//!
//! The task belongs to no caller. It owns the credential's call, bounds it by the flight's deadline, and always
//! reports: on its end, on a panic, and when it is dropped with its runtime. Callers share one receiver; none of
//! them polls the credential, so a caller of a dead or idle runtime can't hold up the others.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{self, Either, select},
};
use secrecy::SecretString;
use tokio::{
    runtime::{self, Handle, RuntimeFlavor},
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Acquire, Grants, Reason, RefreshPolicy, Source,
    shared::Shared,
    state::{Catch, Landing, Miss, Order},
};
use crate::{
    error::{AcquireError, AcquireErrorKind},
    timer::{after, sleep_until},
};

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
    fn is_so(&self) -> bool {
        self.0.clone().now_or_never().is_some()
    }
}

/// The runtime that a flight runs on, if it has a single thread.
///
/// There, a caller needs no timer of its own, which thousands of callers would have to make and to drop again: the one
/// thread drives the flight, its timers and the caller, or none of them, so that a caller's timer could never be the
/// first to fire. On several threads it could, since one may be stuck with the flight's task.
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

    pub(super) fn ticket(&self, id: u64, deadline: Instant, now: Instant) -> Ticket {
        let (waiters, give_up_at) = (self.waiters.clone(), after(deadline, GRACE));
        Ticket { id, asked_at: now, waiters, home: self.home, give_up_at }
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
    /// This thread has no timer to wait with.
    NoTimer,
}

impl Ticket {
    /// Waits for the flight's end. Dropping this leaves the flight alone.
    pub(super) async fn landing(self) -> Result<Landing, NoLanding> {
        let landing = if self.home.is_here() {
            self.waiters.await
        } else {
            // On its own, since most of those who wait have none.
            let overdue = Box::pin(sleep_until(self.give_up_at).ok_or(NoLanding::NoTimer)?);
            match select(self.waiters, overdue).await {
                Either::Left((landing, _)) => landing,
                Either::Right(_) => return Err(NoLanding::Overdue),
            }
        };
        // The sender is dropped unused only together with the whole cache.
        Ok(landing.unwrap_or(Landing::Moved))
    }
}

/// The flight's task.
pub(super) async fn fly(report: Report, mut order: Order, superseded: Superseded) {
    // Superseded before it began: nothing is asked, and above all no grant is spent.
    if superseded.is_so() {
        return;
    }
    report.cache.change(|state| state.depart(&mut order));
    // The call is gone, with its connection, before anybody hears of its end.
    let result = {
        let cache = &report.cache;
        let keep = |token: &SecretString| cache.change(|state| state.rotate(order.id, token.clone()));
        let call = attempts(&**cache.source(), cache.policy(), &order, &superseded, keep);
        match select(pin!(timeout_at(order.deadline, call)), superseded.0.clone()).await {
            Either::Left((Ok(result), _)) => result,
            Either::Left((Err(_), _)) => {
                Err(Miss { error: Arc::new(timed_out("the flight's time was up")), grant_intact: false })
            }
            Either::Right(_) => return,
        }
    };
    report.send(result);
}

/// Sees to it that the cache hears of the flight's end, whatever ends it. Made before the task is, since a task
/// may be dropped before it runs.
pub(super) struct Report {
    cache: Arc<Shared>,
    flight: u64,
    began_at: Instant,
    sent: bool,
}

impl Report {
    pub(super) fn new(cache: Arc<Shared>, flight: u64) -> Self {
        Self { cache, flight, began_at: Instant::now(), sent: false }
    }

    fn send(mut self, result: Result<Catch, Miss>) {
        self.sent = true;
        self.cache.land(self.flight, self.began_at.elapsed(), result);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.sent {
            self.cache.supersede(self.flight);
        }
    }
}

/// One attempt after the other, until one brings a token or there is no point in going on. A refresh token that comes
/// without an access token is `keep`'s, at once: whatever ends the flight, it isn't lost.
async fn attempts(
    source: &dyn Source,
    policy: &RefreshPolicy,
    order: &Order,
    superseded: &Superseded,
    keep: impl Fn(&SecretString),
) -> Result<Catch, Miss> {
    let mut rng = fastrand::Rng::new();
    let mut previous = order.previous.clone();
    let (mut reason, mut tries) = (order.reason, 1);
    loop {
        // It may have been superseded between two attempts. Another call then would be beside its successor's. The
        // flight itself ends where it waits for this.
        if superseded.is_so() {
            future::pending::<()>().await;
        }
        let acquire = Acquire::new(reason, previous.as_ref());
        let asked_at = Instant::now();
        // The call itself is made inside, so that a panic before its first await is caught as well.
        let attempt = AssertUnwindSafe(async { source.acquire(acquire).await }).catch_unwind();
        let error = match timeout(policy.attempt_limit(), attempt).await {
            Ok(Ok(Ok(token))) => return Ok(Catch { token, asked_at }),
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) => AcquireError::new(AcquireErrorKind::Panicked, "the credential's code panicked"),
            Err(_) => timed_out("the attempt's time was up"),
        };
        let may_refresh = acquire.may_refresh();
        if let Some(token) = error.refresh_token() {
            keep(token);
            previous = previous.map(|previous| previous.with_refresh_token(token.clone()));
        }
        let refreshing = may_refresh && order.grants == Grants::RefreshThenOther;
        let max = match order.grants {
            Grants::SingleUse => policy.max_attempts().min(2),
            Grants::RefreshThenOther | Grants::Reusable => policy.max_attempts(),
        };
        match next(&error, refreshing, tries, max) {
            Next::Anew => reason = Reason::Rejected,
            Next::Again => {
                tokio::time::sleep(policy.wait_after(tries, &mut rng)).await;
                tries += 1;
            }
            Next::Stop => {
                // A server that asks to be left alone has not looked at the grant.
                let grant_intact = refreshing && error.is_throttled();
                return Err(Miss { error: Arc::new(error), grant_intact });
            }
        }
    }
}

fn timed_out(message: &str) -> AcquireError {
    AcquireError::new(AcquireErrorKind::TimedOut, message)
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The refresh grant failed, or nobody knows whether it did: another grant, at once.
    Anew,
    /// The same again, after a short wait.
    Again,
    Stop,
}

fn next(error: &AcquireError, refreshing: bool, tries: u32, max: u32) -> Next {
    match error.kind() {
        _ if error.is_throttled() => Next::Stop,
        AcquireErrorKind::GrantRejected | AcquireErrorKind::Transient | AcquireErrorKind::TimedOut
            if refreshing =>
        {
            Next::Anew
        }
        AcquireErrorKind::Transient | AcquireErrorKind::TimedOut if tries < max => Next::Again,
        _ => Next::Stop,
    }
}
