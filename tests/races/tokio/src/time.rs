//! Time that stands still until the scenario moves it.

use std::{
    fmt,
    future::Future,
    ops::Add,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_util::future::{Either, select};

pub use std::time::Duration;

use crate::world;

/// A moment of the scenario's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        world::now()
    }

    pub(crate) fn at(since_start: Duration) -> Self {
        Self(since_start)
    }

    pub fn checked_add(self, wait: Duration) -> Option<Self> {
        self.0.checked_add(wait).map(Self)
    }

    pub fn checked_sub(self, wait: Duration) -> Option<Self> {
        self.0.checked_sub(wait).map(Self)
    }

    pub fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0)
    }

    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub fn elapsed(self) -> Duration {
        Self::now().saturating_duration_since(self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0 + wait)
    }
}

/// A timer.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    at: Instant,
    registered: Option<u64>,
}

pub fn sleep_until(at: Instant) -> Sleep {
    Sleep { at, registered: None }
}

pub fn sleep(wait: Duration) -> Sleep {
    sleep_until(Instant::now() + wait)
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.at <= Instant::now() {
            return Poll::Ready(());
        }
        self.registered = Some(world::set_timer(self.registered, self.at.0, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.registered {
            world::clear_timer(id);
        }
    }
}

/// The time was up.
#[derive(Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

pub fn timeout<F: Future>(limit: Duration, future: F) -> impl Future<Output = Result<F::Output, Elapsed>> {
    timeout_at(Instant::now() + limit, future)
}

pub async fn timeout_at<F: Future>(deadline: Instant, future: F) -> Result<F::Output, Elapsed> {
    match select(pin!(future), sleep_until(deadline)).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(Elapsed(())),
    }
}
