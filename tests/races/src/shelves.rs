//! The store of the scenarios: it takes as long as it likes, but each step is one.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::time::Instant;

use crate::{
    StoreError,
    server::take_a_while,
    store::{Claim, Claimed, Moment, Record, Release, Save, Saved, Seen, SharedSlot, Slot, Store},
};

/// Records, and whoever asks for them. Looking into them is no step of the model.
#[derive(Clone, Debug)]
pub(crate) struct Shelves {
    records: Arc<Mutex<HashMap<Slot, Record>>>,
    began: Instant,
    busy: Arc<AtomicUsize>,
}

impl Shelves {
    pub(crate) fn new() -> Self {
        Self { records: Arc::default(), began: Instant::now(), busy: Arc::default() }
    }

    pub(crate) fn slot(&self) -> SharedSlot {
        SharedSlot::plain(self.clone(), "races").expect("a name").subject("somebody")
    }

    /// Whether somebody waits for an answer.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(SeqCst) > 0
    }

    async fn step<T>(
        &self,
        slot: &Slot,
        step: impl FnOnce(&mut Record, Moment) -> T + Send,
    ) -> Result<T, StoreError> {
        let _busy = Busy::new(&self.busy);
        take_a_while().await;
        let answer = {
            let now = Moment::from_millis(1_700_000_000_000).after(self.began.elapsed());
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            step(records.entry(slot.clone()).or_default(), now)
        };
        take_a_while().await;
        Ok(answer)
    }
}

impl Store for Shelves {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.step(slot, |record, now| record.look(now)).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        self.step(slot, |record, now| record.claim(now, &claim)).await
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        self.step(slot, |record, now| record.save(now, &save)).await
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.step(slot, |record, now| record.release(now, &release)).await
    }
}

struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(busy: &Arc<AtomicUsize>) -> Self {
        busy.fetch_add(1, SeqCst);
        Self(busy.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
