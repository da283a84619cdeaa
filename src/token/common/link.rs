//! [`Link`]: the way to the store, which is left alone for a while when it fails.

use std::{future::Future, time::Duration};

use secrecy::SecretString;
use tokio::time::Instant;

use crate::{
    error::StoreError,
    observe::{Event, Observer},
    store::{Claim, Claimed, Digest, Draft, Release, Revision, Save, Saved, Seen, Shelf},
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError},
    time::after,
};

/// How long a store is left alone after the first failure, and at most. It doubles between them.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The way to the store. While it is left alone, calls fail at once.
pub(in crate::token) struct Link {
    shelf: Shelf,
    mark: String,
    /// Whether a refresh token that is the only grant may be sent when nobody can be asked about it.
    pub(super) alone: Alone,
    trouble: Mutex<Option<Trouble>>,
    /// What a flight has brought and could not save yet.
    unsaved: Mutex<Option<Unsaved>>,
    /// Flights that may have something to tell the store, also after those who wait here were told.
    flights: AtomicU64,
    observer: Observer,
}

/// A flight that may have something to tell the store, until it is dropped.
pub(super) struct UnderWay<'a>(&'a Link);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.flights.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What is done with a refresh token that is used up by its use, and is the only grant, while the store can't be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::token) enum Alone {
    /// It isn't sent.
    Waits,
    /// It is sent, at the risk that another process sends it too.
    Goes,
}

/// What a flight has brought, and the store hasn't got yet.
#[derive(Clone)]
pub(super) struct Unsaved {
    pub(super) flight: u64,
    pub(super) draft: Draft,
    /// Its revision is one by the store's clock.
    pub(super) is_dated: bool,
}

/// How the store has failed.
#[derive(Clone, Debug)]
struct Trouble {
    /// The last time that it was asked.
    error: StoreError,
    since: Instant,
    in_a_row: u32,
    until: Instant,
}

impl Link {
    pub(in crate::token) fn new(shelf: Shelf, mark: String, alone: Alone, observer: Observer) -> Self {
        let (trouble, unsaved, flights) = (Mutex::new(None), Mutex::new(None), AtomicU64::new(0));
        Self { shelf, mark, alone, trouble, unsaved, flights, observer }
    }

    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.flights.fetch_add(1, Ordering::SeqCst);
        UnderWay(self)
    }

    /// Whether a flight may still have something to tell the store.
    pub(in crate::token) fn is_busy(&self) -> bool {
        self.flights.load(Ordering::SeqCst) > 0
    }

    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// Since when the store can't be asked, and why.
    pub(in crate::token) fn lost(&self) -> Option<(Instant, StoreError)> {
        self.lock().as_ref().map(|trouble| (trouble.since, trouble.error.clone()))
    }

    /// What is still to be saved. A flight sees to it before it asks for anything: what it sends may be in there.
    pub(super) fn unsaved(&self) -> Option<Unsaved> {
        self.pending().clone()
    }

    /// Takes down what is still to be saved, in place of what was before.
    pub(super) fn set_unsaved(&self, unsaved: Unsaved) {
        *self.pending() = Some(unsaved);
    }

    /// Whether what this flight has brought is still to be saved.
    pub(super) fn is_unsaved(&self, flight: u64) -> bool {
        self.pending().as_ref().is_some_and(|unsaved| unsaved.flight == flight)
    }

    /// Takes down that it needn't be saved any more.
    pub(super) fn settle(&self, flight: u64) {
        self.pending().take_if(|unsaved| unsaved.flight == flight);
    }

    fn pending(&self) -> MutexGuard<'_, Option<Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands for a secret among those who share the token, if they have a key.
    pub(super) fn digest_of(&self, secret: &SecretString) -> Option<Digest> {
        self.shelf.secret_digest(secret)
    }

    pub(super) async fn look(&self) -> Result<Seen, StoreError> {
        self.ask(self.shelf.look()).await
    }

    pub(super) async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        let claimed = self.ask(self.shelf.claim(claim)).await?;
        let answer = match claimed {
            Claimed::Newer(_) => "newer",
            Claimed::Yours { .. } => "yours",
            Claimed::Held { .. } => "held",
            Claimed::Wait { .. } => "wait",
        };
        self.observer.tell(Event::Claimed { answer });
        Ok(claimed)
    }

    /// Tells all processes that this revision is good, which ends the row of rejections before it. Returns whether that was heard.
    pub(in crate::token) async fn tell_accepted(&self, revision: Revision) -> bool {
        self.save(Save::Accepted(revision)).await.is_ok()
    }

    pub(super) async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.ask(self.shelf.save(save)).await
    }

    pub(super) async fn release(&self, release: Release) -> Result<(), StoreError> {
        self.ask(self.shelf.release(release)).await
    }

    async fn ask<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let resting = self.lock().as_ref().filter(|trouble| trouble.until > Instant::now()).cloned();
        if let Some(Trouble { error, .. }) = resting {
            let words = "the store is left alone for a while, since it has failed";
            return Err(StoreError::new(error.kind(), words).with_source(error));
        }
        let result = call.await;
        let now = Instant::now();
        let mut trouble = self.lock();
        let last = trouble.take();
        if let Err(error) = &result {
            let (since, in_a_row) =
                last.as_ref().map_or((now, 1), |last| (last.since, last.in_a_row.saturating_add(1)));
            let rest = FIRST_REST.saturating_mul(1 << in_a_row.saturating_sub(1).min(6)).min(LONGEST_REST);
            *trouble = Some(Trouble { error: error.clone(), since, in_a_row, until: after(now, rest) });
        }
        drop(trouble);
        match (last, &result) {
            (None, Err(error)) => self.observer.tell(Event::StoreLost { error }),
            (Some(last), Ok(_)) => {
                self.observer.tell(Event::StoreBack { after: now.saturating_duration_since(last.since) });
            }
            _ => {}
        }
        result
    }

    /// Tells what has become of a token that was to be saved.
    pub(super) fn tell_saved(&self, outcome: &'static str) {
        self.observer.tell(Event::Saved { outcome });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
