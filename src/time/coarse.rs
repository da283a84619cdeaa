//! The clock of the kernel's ticks. Its scale is that of the exact one: neither goes on while the machine sleeps.

use std::time::Duration;

use coarsetime::Instant;

/// A moment on that clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(Instant);

impl Mark {
    /// The moment so long after the last tick.
    #[inline]
    pub(super) fn after(wait: Duration) -> Option<Self> {
        Some(Self(now().saturating_add(wait.into())))
    }

    #[inline]
    pub(super) fn is_ahead(self) -> bool {
        now() < self.0
    }
}

/// Without writing it down for others, which would be a write that all threads share.
#[inline]
fn now() -> Instant {
    Instant::now_without_cache_update()
}
