//! [`Store`]: what keeps records, in any place that several processes reach.

use std::{future::Future, pin::Pin};

use super::{
    claim::{Claim, Claimed, Seen},
    release::Release,
    save::{Save, Saved},
    slot::Slot,
};
use crate::error::StoreError;

/// Something that keeps a [`Record`](super::Record) for each slot, where several processes reach it.
///
/// Flights ask it, nobody else needs to. The contract:
///
/// - **Each call is one atomic step** on one slot's record, and does what the method of the same name of
///   [`Record`](super::Record) does, with the store's own clock. Two steps on one slot come one after the other, whoever
///   takes them. A slot of which there is no record yet has the default one.
/// - **There is one clock** for all who share a store, or several that agree within seconds. It may be set.
/// - **A step that was acknowledged is kept**, and seen by each later one. If a store loses some all the same, flights
///   notice it by the revision, as far as they know of it; so a record mustn't be mended or guessed. A store that can tell
///   that another server has taken over which may lack the newest says so with the next [claim](Claim::after_a_loss) that is
///   asked of it, and takes what is saved first [for doubtful](super::Draft::in_doubt).
/// - **A record that can't be read is an error**, and left as it is. It isn't an empty one.
/// - **Repeating a step does no harm**, since each carries its flight's nonce. So a call whose answer was lost may be
///   repeated, by the store as well.
/// - **Nothing ends by itself but whole records**, at their [`goes_at`](super::Record::goes_at) or later. The end of a claim
///   is compared in the next step. The note outlives it.
/// - **It must not block the thread**, and should answer within 500 ms: whoever waits longer takes it for failed.
/// - **It may be dropped at any await point.** Then the step was taken, or it wasn't.
///
/// With the feature `testing`, `testing::store_conformance` checks a store for most of this.
pub trait Store: Send + Sync + 'static {
    /// The record as it is. Nothing is written, and nobody is kept from anything.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the store can't be asked, or the record can't be read.
    fn look(&self, slot: &Slot) -> impl Future<Output = Result<Seen, StoreError>> + Send;

    /// A flight's claim to make a newer revision: at first, and to renew it. [`Record::claim`](super::Record::claim).
    ///
    /// # Errors
    ///
    /// A [`StoreError`]. Then the claim may have been granted.
    fn claim(&self, slot: &Slot, claim: Claim) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    /// Saves a newer revision, or what servers say of one. [`Record::save`](super::Record::save).
    ///
    /// # Errors
    ///
    /// A [`StoreError`]. Then it may have been saved.
    fn save(&self, slot: &Slot, save: Save) -> impl Future<Output = Result<Saved, StoreError>> + Send;

    /// Ends a flight's claim under which nothing was saved. [`Record::release`](super::Record::release).
    ///
    /// # Errors
    ///
    /// A [`StoreError`]. Then it may have been released, and else it ends by itself.
    fn release(&self, slot: &Slot, release: Release) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A boxed future of an [`ErasedStore`].
type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The object-safe twin of [`Store`]: flights name no store's type.
pub(super) trait ErasedStore: Send + Sync + 'static {
    fn look<'a>(&'a self, slot: &'a Slot) -> StoreFuture<'a, Seen>;
    fn claim<'a>(&'a self, slot: &'a Slot, claim: Claim) -> StoreFuture<'a, Claimed>;
    fn save<'a>(&'a self, slot: &'a Slot, save: Save) -> StoreFuture<'a, Saved>;
    fn release<'a>(&'a self, slot: &'a Slot, release: Release) -> StoreFuture<'a, ()>;
}

impl<S: Store> ErasedStore for S {
    fn look<'a>(&'a self, slot: &'a Slot) -> StoreFuture<'a, Seen> {
        Box::pin(Store::look(self, slot))
    }

    fn claim<'a>(&'a self, slot: &'a Slot, claim: Claim) -> StoreFuture<'a, Claimed> {
        Box::pin(Store::claim(self, slot, claim))
    }

    fn save<'a>(&'a self, slot: &'a Slot, save: Save) -> StoreFuture<'a, Saved> {
        Box::pin(Store::save(self, slot, save))
    }

    fn release<'a>(&'a self, slot: &'a Slot, release: Release) -> StoreFuture<'a, ()> {
        Box::pin(Store::release(self, slot, release))
    }
}
