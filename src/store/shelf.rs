//! [`Shelf`]: what a flight asks: one credential's slot, in its store.
//!
//! Each call has a deadline, and the bodies that go through it are sealed and opened.

use std::{future::Future, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{
    claim::{Claim, Claimed, Seen},
    contract::ErasedStore,
    digest::Digest,
    record::Record,
    release::Release,
    save::{Save, Saved},
    slot::Slot,
    wrap::Wrap,
};
use crate::error::{StoreError, StoreErrorKind};

/// The longest that a store is waited for.
const LIMIT: Duration = Duration::from_millis(500);

/// One credential's slot, in its store.
#[derive(Clone)]
pub(crate) struct Shelf {
    store: Arc<dyn ErasedStore>,
    slot: Slot,
    wrap: Arc<dyn Wrap>,
    keep: Option<Duration>,
}

impl Shelf {
    pub(super) fn new(
        store: Arc<dyn ErasedStore>,
        slot: Slot,
        wrap: Arc<dyn Wrap>,
        keep: Option<Duration>,
    ) -> Self {
        Self { store, slot, wrap, keep }
    }

    #[cfg(test)]
    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// What stands for a secret that was refused, to those who have the same keys; none if there is no key, and then
    /// everybody waits.
    pub(crate) fn secret_digest(&self, secret: &SecretString) -> Option<Digest> {
        self.wrap.secret_digest(&self.slot, secret.expose_secret().as_bytes())
    }

    pub(crate) async fn look(&self) -> Result<Seen, StoreError> {
        self.open(within(self.store.look(&self.slot)).await?)
    }

    pub(crate) async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        Ok(match within(self.store.claim(&self.slot, claim)).await? {
            Claimed::Newer(seen) => Claimed::Newer(Box::new(self.open(*seen)?)),
            Claimed::Yours { seen, next } => Claimed::Yours { seen: Box::new(self.open(*seen)?), next },
            other => other,
        })
    }

    pub(crate) async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        let save = match save {
            Save::Draft(mut draft) => {
                draft.body = self.wrap.wrap(&self.slot, draft.revision, &draft.body)?;
                draft.keep = draft.keep.or(self.keep);
                Save::Draft(draft)
            }
            other => other,
        };
        Ok(match within(self.store.save(&self.slot, save)).await? {
            Saved::Newer(seen) => Saved::Newer(Box::new(self.open(*seen)?)),
            Saved::Done => Saved::Done,
        })
    }

    pub(crate) async fn release(&self, release: Release) -> Result<(), StoreError> {
        within(self.store.release(&self.slot, release)).await
    }

    fn open(&self, seen: Seen) -> Result<Seen, StoreError> {
        let Seen { now, record } = seen;
        if record.body.as_bytes().is_empty() {
            return Ok(Seen { now, record });
        }
        let body = self.wrap.unwrap(&self.slot, record.revision, &record.body)?;
        Ok(Seen { now, record: Record { body, ..record } })
    }
}

/// What a store answers, if it does so in time.
async fn within<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(LIMIT, call).await.unwrap_or_else(|_| {
        let words =
            "the store didn't answer within 500 ms; check whether it is overloaded, and the way to it";
        Err(StoreError::new(StoreErrorKind::TimedOut, words))
    })
}
