//! Which place a thread has, where each has one of its own so that threads don't meet in memory.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How many threads have a place of their own. Those beyond share, which costs time only.
pub(crate) const PLACES: usize = 32;

/// The place of the current thread.
#[inline]
pub(crate) fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: usize = NEXT.fetch_add(1, Relaxed) % PLACES;
    }
    PLACE.with(|place| *place)
}
