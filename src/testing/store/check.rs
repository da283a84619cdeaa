//! [`Check`]: the store that is checked, and what each check asks of it.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use crate::store::{
    Body, Claim, Claimed, Digest, Draft, Nonce, Record, Release, Revision, Save, Saved, Seen, Slot, Store,
};

/// What is wrong.
pub(super) type Wrong = String;

/// How long short claims and waits last.
pub(super) const SHORT: Duration = Duration::from_millis(150);
/// How long to wait until one is surely over.
pub(super) const OVER: Duration = Duration::from_millis(250);
/// How long waits last that are to be seen, however long a call takes.
pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) const NONE: Revision = Revision::NONE;

/// The store that is checked.
pub(super) struct Check<'a, S> {
    store: &'a S,
    run: Nonce,
    slots: AtomicU8,
}

impl<'a, S: Store> Check<'a, S> {
    pub(super) fn new(store: &'a S) -> Self {
        Self { store, run: Nonce::random(), slots: AtomicU8::new(0) }
    }

    /// A slot that nobody has used.
    pub(super) fn slot(&self) -> At<'a, S> {
        let number = self.slots.fetch_add(1, Ordering::Relaxed);
        self.named("conformance", number)
    }

    /// The slot of this name and number.
    pub(super) fn named(&self, name: &str, number: u8) -> At<'a, S> {
        let mut digest = [number; 32];
        for (byte, random) in digest[1..].iter_mut().zip(self.run.to_string().bytes()) {
            *byte = random;
        }
        let slot = Slot::new(name, Digest::new(digest)).expect("a name that stores can have");
        At { store: self.store, slot }
    }
}

/// A slot of the store.
pub(super) struct At<'a, S> {
    store: &'a S,
    slot: Slot,
}

impl<S: Store> At<'_, S> {
    pub(super) async fn look(&self) -> Result<Seen, Wrong> {
        self.store.look(&self.slot).await.map_err(|error| failed("look", &error))
    }

    pub(super) async fn record(&self) -> Result<Record, Wrong> {
        Ok(self.look().await?.record)
    }

    pub(super) async fn claim(&self, claim: Claim) -> Result<Claimed, Wrong> {
        self.store.claim(&self.slot, claim).await.map_err(|error| failed("claim", &error))
    }

    /// The record and the next revision, if the claim is granted.
    pub(super) async fn granted(&self, claim: Claim) -> Result<(Box<Seen>, Revision), Wrong> {
        match self.claim(claim.clone()).await? {
            Claimed::Yours { seen, next } => Ok((seen, next)),
            other => Err(format!("{claim:?} should be granted, and is answered {other:?}")),
        }
    }

    pub(super) async fn has_to_wait(&self, claim: Claim) -> Result<(), Wrong> {
        match self.claim(claim.clone()).await? {
            Claimed::Wait { .. } => Ok(()),
            other => Err(format!("{claim:?} should wait, and is answered {other:?}")),
        }
    }

    pub(super) async fn save(&self, save: Save) -> Result<Saved, Wrong> {
        self.store.save(&self.slot, save).await.map_err(|error| failed("save", &error))
    }

    /// Saves what must be saved.
    pub(super) async fn saved(&self, draft: Draft) -> Result<(), Wrong> {
        match self.save(Save::Draft(draft.clone())).await? {
            Saved::Done => Ok(()),
            other => Err(format!("{draft:?} should be saved, and is answered {other:?}")),
        }
    }

    /// Saves what must not be saved. Returns what is newer.
    pub(super) async fn overtaken(&self, draft: Draft) -> Result<Box<Seen>, Wrong> {
        match self.save(Save::Draft(draft.clone())).await? {
            Saved::Newer(seen) => Ok(seen),
            other => Err(format!("{draft:?} should not be saved, and is answered {other:?}")),
        }
    }

    pub(super) async fn release(&self, release: Release) -> Result<(), Wrong> {
        self.store.release(&self.slot, release).await.map_err(|error| failed("release", &error))
    }
}

pub(super) fn flights<const N: usize>() -> [Nonce; N] {
    [(); N].map(|()| Nonce::random())
}

/// A slot in which something was saved, by this flight, as this revision.
pub(super) async fn with_record<'a, S: Store>(
    check: &Check<'a, S>,
) -> Result<(At<'a, S>, Nonce, Revision), Wrong> {
    let (at, flight) = (check.slot(), Nonce::random());
    let (_, next) = at.granted(Claim::new(flight, NONE)).await?;
    at.saved(draft(flight, NONE, next)).await?;
    Ok((at, flight, next))
}

/// What this flight saves as `revision`, when nothing newer than `than` is known.
pub(super) fn draft(flight: Nonce, than: Revision, revision: Revision) -> Draft {
    Draft::new(flight, than, revision, Body::from(&b"what is saved"[..]))
}

/// That `what` is as it should be.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), Wrong> {
    if found == expected { Ok(()) } else { Err(format!("{what} should be {expected:?}, and is {found:?}")) }
}

fn failed(call: &str, error: &dyn std::error::Error) -> Wrong {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("`{call}` fails: {error}{source}")
}
