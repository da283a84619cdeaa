//! [`Report`]: how the cache hears of a flight's end.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    shared::Shared,
    state::{Catch, Landing, Miss, State},
    waiting::Attached,
};

/// Sees to it that the cache hears of the flight's end, whatever ends it. Made before the task is, since a task
/// may be dropped before it runs.
pub(super) struct Report {
    pub(super) cache: Arc<Shared>,
    flight: u64,
    began_at: Instant,
    sent: bool,
}

impl Report {
    pub(super) fn new(cache: Arc<Shared>, flight: u64) -> Self {
        Self { cache, flight, began_at: Instant::now(), sent: false }
    }

    /// The flight has ended with what it brought.
    pub(super) fn send(self, result: Result<Catch, Miss>) {
        let id = self.flight;
        self.end(|state, now| state.land(id, result, now));
    }

    /// The flight has ended, by a change of the state. Returns what was told to whoever waited, if it was still the flight.
    pub(super) fn end(
        mut self,
        change: impl FnOnce(&mut State<Attached>, Instant) -> Option<(Attached, Landing)>,
    ) -> Option<Landing> {
        self.sent = true;
        self.cache.land(Some(self.began_at.elapsed()), change)
    }

    /// The flight has asked nobody: it has found what others had, or nothing.
    pub(super) fn end_unasked(
        mut self,
        change: impl FnOnce(&mut State<Attached>, Instant) -> Option<(Attached, Landing)>,
    ) -> Option<Landing> {
        self.sent = true;
        self.cache.land(None, change)
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.sent {
            self.cache.supersede(self.flight);
        }
    }
}
