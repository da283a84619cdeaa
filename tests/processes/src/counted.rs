//! [`Counted`]: a store that counts what it is asked.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use tower_reauth::{
    StoreError,
    store::{Claim, Claimed, Release, Save, Saved, Seen, Slot, Store},
};

/// How often the store was asked.
#[derive(Clone, Default)]
pub struct Commands(Arc<AtomicU32>);

impl Commands {
    /// One more.
    pub fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    #[must_use]
    pub fn sum(&self) -> u32 {
        self.0.load(Relaxed)
    }
}

/// Counts what a store is asked.
pub struct Counted<S>(pub S, pub Commands);

impl<S> Counted<S> {
    fn store(&self) -> &S {
        self.1.count();
        &self.0
    }
}

impl<S: Store> Store for Counted<S> {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.store().look(slot).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        self.store().claim(slot, claim).await
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        self.store().save(slot, save).await
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.store().release(slot, release).await
    }
}
