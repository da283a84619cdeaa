//! A layer whose token other processes share, by a store in memory: nothing of that is on the way of a request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tower_reauth::{
    AuthLayer, Credential, StoreError,
    store::{Claim, Claimed, Moment, Record, Release, Save, Saved, Seen, SharedSlot, Slot, Store},
};

use crate::support::layer;

/// The layer of the other rows, with a place in a store.
pub fn shared(credential: impl Credential) -> AuthLayer {
    let slot = SharedSlot::plain(Shelves::default(), "bench").expect("a name").subject("bench");
    layer(credential).shared(slot).expect("it can be shared")
}

#[derive(Clone, Default)]
struct Shelves(Arc<Mutex<HashMap<Slot, Record>>>);

impl Shelves {
    fn lock(&self) -> MutexGuard<'_, HashMap<Slot, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Moment {
    Moment::from_system_time(SystemTime::now())
}

impl Store for Shelves {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        Ok(self.lock().entry(slot.clone()).or_default().look(now()))
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        Ok(self.lock().entry(slot.clone()).or_default().claim(now(), &claim))
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        Ok(self.lock().entry(slot.clone()).or_default().save(now(), &save))
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.lock().entry(slot.clone()).or_default().release(now(), &release);
        Ok(())
    }
}
