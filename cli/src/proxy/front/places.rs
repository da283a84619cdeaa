//! [`Places`]: how many connections may be open, and how many are.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places for connections, of which each open one has one.
#[derive(Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
    most: usize,
}

/// A place that nobody else has. Listeners have one each, for the next connection.
pub(super) struct Place(OwnedSemaphorePermit);

/// A connection that is open, for as long as this is held.
pub(super) struct Open {
    _place: OwnedSemaphorePermit,
    open: Arc<AtomicUsize>,
}

impl Places {
    pub(crate) fn new(most: u32) -> Self {
        let most = most as usize;
        Self { free: Arc::new(Semaphore::new(most)), open: Arc::default(), most }
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// How many may be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A place, if one is free now.
    pub(super) fn free(&self) -> Option<Place> {
        Arc::clone(&self.free).try_acquire_owned().ok().map(Place)
    }

    /// A place, when one is free.
    pub(super) async fn next(&self) -> Option<Place> {
        // Nobody closes it.
        Arc::clone(&self.free).acquire_owned().await.ok().map(Place)
    }

    /// A connection has come for it.
    pub(super) fn take(&self, place: Place) -> Open {
        self.open.fetch_add(1, Relaxed);
        Open { _place: place.0, open: Arc::clone(&self.open) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Relaxed);
    }
}
