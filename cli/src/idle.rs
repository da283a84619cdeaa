//! [`Idle`]: a bound on the time in which nothing moves, however long the whole takes.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

/// Ends a wait when nothing has moved for a while. Clones share what they know.
///
/// An upload of an hour is fine as long as it goes on; a server that says nothing isn't.
#[derive(Clone)]
pub(crate) struct Idle {
    limit: Duration,
    moved: Arc<Mutex<Instant>>,
}

/// Nothing moved for as long as is allowed.
pub(crate) struct Elapsed;

impl Idle {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, moved: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Takes down that something moved now.
    pub(crate) fn moved(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits for `future` for as long as something moves in the meantime. It is pinned already, as what is moved into an `async fn`
    /// and pinned there takes its memory twice.
    pub(crate) async fn bound<F: Future>(&self, mut future: Pin<&mut F>) -> Result<F::Output, Elapsed> {
        self.moved();
        loop {
            let deadline = self.deadline();
            match timeout_at(deadline, future.as_mut()).await {
                Ok(output) => return Ok(output),
                Err(_) if self.deadline() > deadline => {}
                Err(_) => return Err(Elapsed),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        // Too long for the clock is as good as for ever.
        moved.checked_add(self.limit).unwrap_or_else(|| moved + Duration::from_secs(86_400 * 365))
    }
}
