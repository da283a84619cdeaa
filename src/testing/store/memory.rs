//! [`MemoryStore`]: a store in memory, with faults.

use std::{
    collections::HashMap,
    fmt, future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::fault::{StoreCall, StoreFault};
use crate::{
    error::{StoreError, StoreErrorKind},
    store::{Claim, Claimed, Moment, Record, Release, Save, Saved, Seen, Slot, Store},
};

/// A [`Store`] in memory, for tests. Clones share it, as processes share a real one.
///
/// Its clock follows Tokio's, so that tests can pause it, and can be set.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_reauth::{
///     store::{Claim, Claimed, Digest, Nonce, Revision, Slot, Store},
///     testing::{MemoryStore, StoreCall},
/// };
///
/// let store = MemoryStore::new();
/// let slot = Slot::new("billing", Digest::new([0; 32]))?;
/// let claimed = store.claim(&slot, Claim::new(Nonce::random(), Revision::NONE)).await?;
/// assert!(matches!(claimed, Claimed::Yours { .. }));
/// assert_eq!(store.calls(StoreCall::Claim), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Mutex<Inside>>);

struct Inside {
    records: HashMap<String, Record>,
    /// What the last write has replaced.
    replaced: Option<(String, Option<Record>)>,
    faults: Vec<Planned>,
    calls: HashMap<StoreCall, u64>,
    began_at: Instant,
    /// What the clock showed then.
    clock: Moment,
}

struct Planned {
    on: Option<StoreCall>,
    fault: StoreFault,
    times: u32,
}

impl MemoryStore {
    /// A store in which there is nothing. Its clock begins in 2023.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Inside {
            records: HashMap::new(),
            replaced: None,
            faults: Vec::new(),
            calls: HashMap::new(),
            began_at: Instant::now(),
            clock: Moment::from_millis(1_700_000_000_000),
        })))
    }

    /// The next `times` calls of this kind, or of any kind, have this fault. Those that were planned first come first.
    pub fn fault(&self, on: impl Into<Option<StoreCall>>, fault: StoreFault, times: u32) {
        self.inside().faults.push(Planned { on: on.into(), fault, times });
    }

    /// Forgets all faults that are still to come.
    pub fn mend(&self) {
        self.inside().faults.clear();
    }

    /// Loses everything.
    pub fn flush(&self) {
        let mut inside = self.inside();
        inside.records.clear();
        inside.replaced = None;
    }

    /// Goes on as a replica that has not got the last write.
    pub fn fail_over(&self) {
        let mut inside = self.inside();
        match inside.replaced.take() {
            Some((slot, Some(record))) => drop(inside.records.insert(slot, record)),
            Some((slot, None)) => drop(inside.records.remove(&slot)),
            None => {}
        }
    }

    /// Sets the clock, from which it goes on.
    pub fn set_clock(&self, clock: Moment) {
        let mut inside = self.inside();
        (inside.began_at, inside.clock) = (Instant::now(), clock);
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.inside().now()
    }

    /// What is kept of a slot, as it is: claims that have ended are shown, too.
    #[must_use]
    pub fn record(&self, slot: &Slot) -> Option<Record> {
        self.inside().records.get(&slot.to_string()).cloned()
    }

    /// The slots of which something is kept.
    #[must_use]
    pub fn slots(&self) -> Vec<String> {
        self.inside().records.keys().cloned().collect()
    }

    /// Replaces what is kept of a slot.
    pub fn put(&self, slot: &Slot, record: Record) {
        self.inside().records.insert(slot.to_string(), record);
    }

    /// How many calls of this kind there have been, or of all kinds.
    #[must_use]
    pub fn calls(&self, of: impl Into<Option<StoreCall>>) -> u64 {
        let of = of.into();
        let inside = self.inside();
        inside.calls.iter().filter(|(call, _)| of.is_none_or(|of| of == **call)).map(|(_, count)| count).sum()
    }

    async fn call<T>(
        &self,
        call: StoreCall,
        slot: &Slot,
        step: impl FnOnce(&mut Record, Moment) -> T,
    ) -> Result<T, StoreError> {
        let fault = self.inside().begin(call);
        let take = |inside: &mut Inside| {
            let now = inside.now();
            let slot = slot.to_string();
            let before = inside.records.get(&slot).cloned();
            let mut record = before.clone().unwrap_or_default();
            let answer = step(&mut record, now);
            if call != StoreCall::Look {
                inside.records.insert(slot.clone(), record);
                inside.replaced = Some((slot, before));
            }
            answer
        };
        match fault {
            None => Ok(take(&mut self.inside())),
            Some(StoreFault::Delayed(time)) => {
                sleep(time).await;
                Ok(take(&mut self.inside()))
            }
            Some(StoreFault::AnswerLost) => {
                take(&mut self.inside());
                Err(StoreError::new(StoreErrorKind::TimedOut, "the answer was lost, as the test wants it"))
            }
            Some(StoreFault::Refused(kind)) => Err(StoreError::new(kind, "the test wants it to fail")),
            Some(StoreFault::Hangs) => future::pending().await,
            Some(StoreFault::HangsAfterwards) => {
                take(&mut self.inside());
                future::pending().await
            }
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn now(&self) -> Moment {
        self.clock.after(Duration::from_millis(self.began_at.elapsed().as_millis() as u64))
    }

    fn begin(&mut self, call: StoreCall) -> Option<StoreFault> {
        *self.calls.entry(call).or_default() += 1;
        let fits = |planned: &Planned| planned.times > 0 && planned.on.is_none_or(|on| on == call);
        let planned = self.faults.iter_mut().find(|planned| fits(planned))?;
        planned.times -= 1;
        Some(planned.fault)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("slots", &self.slots()).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.call(StoreCall::Look, slot, |record, now| record.look(now)).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        self.call(StoreCall::Claim, slot, |record, now| record.claim(now, &claim)).await
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        self.call(StoreCall::Save, slot, |record, now| record.save(now, &save)).await
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.call(StoreCall::Release, slot, |record, now| record.release(now, &release)).await
    }
}
