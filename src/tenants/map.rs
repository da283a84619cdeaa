//! [`Map`]: the tenants in memory, bounded by what they really take. A tenant that somebody works with isn't forgotten, nor
//! one with which a grant would be lost.

use std::{fmt, sync::Arc, time::Duration};

use quick_cache::{
    DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter,
    sync::{Cache, EntryAction, EntryResult},
};

use super::{held::Held, id::TenantId, lately::Lately};

/// A tenant's share of the bytes, when not even its size is known.
const USUAL: u64 = 4096;

/// The least that a shard of the map holds, so that one large tenant doesn't drive out all others of its shard.
const SHARD: u64 = 1 << 20;

/// The tenants in memory.
pub(super) struct Map<Id: TenantId> {
    places: Cache<Id, Place<Id>, Weigh, DefaultHashBuilder, Pin<Id>>,
    most: u64,
    /// What threads have at hand of it.
    pub(super) lately: Arc<Lately<Id>>,
}

/// A tenant's place, with what it was last known to take: a cache mustn't see a weight change by itself.
#[derive(Clone)]
struct Place<Id> {
    held: Arc<Held<Id>>,
    weight: u64,
}

impl<Id: TenantId> Map<Id> {
    pub(super) fn new(most: u64) -> Self {
        let shards = usize::try_from((most / SHARD).clamp(1, 64)).unwrap_or(64);
        let items = usize::try_from(most / USUAL).unwrap_or(usize::MAX).max(32 * shards);
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(items)
            .weight_capacity(most)
            .build()
            .expect("all that is required is set");
        let lately = Arc::new(Lately::beside(most));
        let pin = Pin(lately.clone());
        Self { places: Cache::with_options(options, Weigh, DefaultHashBuilder::default(), pin), most, lately }
    }

    pub(super) fn get(&self, id: &Id) -> Option<Arc<Held<Id>>> {
        self.places.get(id).map(|place| place.held).filter(|held| held.is_in())
    }

    /// Gives a tenant a place, and others' up for it. Returns whether there is one: not where all are pinned. Nobody gets it
    /// before that is known, or a grant might be used that then is lost with it.
    pub(super) fn insert(&self, held: &Arc<Held<Id>>) -> bool {
        let place = Place { held: held.clone(), weight: held.bytes() as u64 };
        self.places.insert(held.id().clone(), place);
        let fits = self.fits();
        held.set_in(fits);
        if !fits {
            self.remove(held);
        }
        fits
    }

    /// Whether all take no more than they may, after others' places were given up if need be. A shard in which tenants have
    /// grown may hold more than its share, as long as others hold less.
    fn fits(&self) -> bool {
        if self.places.weight() > self.most {
            self.places.set_capacity(self.most);
        }
        self.places.weight() <= self.most
    }

    /// Takes down what a tenant takes by now, and gives others' places up if that is too much. Returns whether it no longer is:
    /// not where all are pinned. What takes no more than before is no reason to ask all shards what theirs take.
    pub(super) fn weigh(&self, held: &Arc<Held<Id>>) -> bool {
        let weight = held.bytes() as u64;
        // What isn't there is asked for once more, and left alone.
        let weighed = self.places.entry(held.id(), Some(Duration::ZERO), |_, place| {
            let is_it = Arc::ptr_eq(&place.held, held);
            let grows = is_it && place.weight < weight;
            if is_it {
                place.weight = weight;
            }
            EntryAction::Retain(grows)
        });
        !matches!(weighed, EntryResult::Retained(true)) || self.fits()
    }

    /// Takes a tenant out, if it is still this one.
    pub(super) fn remove(&self, held: &Arc<Held<Id>>) {
        held.set_in(false);
        self.places.remove_if(held.id(), |place| Arc::ptr_eq(&place.held, held));
        self.lately.let_go_for_good(held);
    }

    /// All of them, one after the other.
    pub(super) fn all(&self) -> impl Iterator<Item = Arc<Held<Id>>> + '_ {
        self.places.iter().map(|(_, place)| place.held)
    }

    pub(super) fn weight(&self) -> u64 {
        self.places.weight()
    }
}

impl<Id: TenantId> fmt::Debug for Map<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("tenants", &self.places.len()).field("bytes", &self.weight()).finish()
    }
}

#[derive(Clone)]
struct Weigh;

impl<Id> Weighter<Id, Place<Id>> for Weigh {
    fn weight(&self, _: &Id, place: &Place<Id>) -> u64 {
        place.weight
    }
}

#[derive(Clone)]
struct Pin<Id>(Arc<Lately<Id>>);

impl<Id: TenantId> Lifecycle<Id, Place<Id>> for Pin<Id> {
    /// Those whose places were given up, so that they are dropped under no lock.
    type RequestState = Vec<(Id, Place<Id>)>;

    fn is_pinned(&self, _: &Id, place: &Place<Id>) -> bool {
        place.held.is_pinned(|| self.0.let_go(&place.held))
    }

    fn on_evict(&self, evicted: &mut Self::RequestState, id: Id, place: Place<Id>) {
        evicted.push((id, place));
    }
}
