//! [`Held`]: a tenant in memory. Whoever works with it holds on to it, and so keeps it there.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwapOption;
use http::HeaderValue;

use super::{id::TenantId, ward::Ward};
use crate::{
    auth::{Origin, PLACES, Placement, Stamp},
    sync::{AtomicBool, AtomicU32, Ordering::Relaxed},
    token::TokenCache,
};

/// A tenant in memory.
pub(super) struct Held<Id> {
    pub(super) tokens: TokenCache,
    pub(super) origin: Arc<Origin>,
    pub(super) ward: Arc<Ward<Id>>,
    /// It has a place in the map. Before it is known that there is room, and when it has left, it comes to nobody.
    is_in: AtomicBool,
    /// The threads that have it at hand, a bit for each. It is written to by who has the lock of that thread's table.
    tables: AtomicU32,
    /// Kept from the second request on that a token is used for: most tenants make one now and then.
    stamp: ArcSwapOption<Stamp>,
    /// The last token was used once.
    was_used: AtomicBool,
    /// That its grant is dead was told.
    pub(super) was_told: AtomicBool,
}

// A bit for each table.
const _: () = assert!(PLACES <= u32::BITS as usize);

/// What the allocator adds to each piece, and what the map has for each place beside the id.
const OVERHEAD: usize = 384;

impl<Id: TenantId> Held<Id> {
    pub(super) fn new(tokens: TokenCache, origin: Arc<Origin>, ward: Arc<Ward<Id>>) -> Self {
        Self {
            tokens,
            origin,
            ward,
            is_in: AtomicBool::new(false),
            stamp: ArcSwapOption::empty(),
            was_used: AtomicBool::new(false),
            was_told: AtomicBool::new(false),
            tables: AtomicU32::new(0),
        }
    }

    /// What a tenant takes in bytes before it has a token, with a credential of so many.
    pub(super) fn base(id: &Id, credential: usize) -> usize {
        size_of::<Self>()
            + size_of::<Ward<Id>>()
            + TokenCache::BYTES
            // Twice: with the ward, of whose size the one is a part, and in the map.
            + size_of::<Id>() + 2 * id.heap_bytes()
            + credential
            + OVERHEAD
    }

    pub(super) fn id(&self) -> &Id {
        self.ward.id()
    }

    /// What it takes by now, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let stamp = self.stamp.load().as_ref().map_or(0, |stamp| stamp.bytes());
        self.ward.base() + self.tokens.token_bytes() + stamp
    }

    /// Whether somebody works with it, or something would be lost with it. The map itself holds it once, and so does each table
    /// that `let_go` takes it out of.
    pub(super) fn is_pinned(self: &Arc<Self>, let_go: impl FnOnce()) -> bool {
        let in_tables = self.tables().count_ones() as usize;
        // For most that is known without a look at the tables.
        if Arc::strong_count(self) > 1 + in_tables {
            return true;
        }
        if in_tables > 0 {
            let_go();
        }
        // First, since nobody comes to hold it who didn't: whoever does may have got a grant when it is asked for that.
        Arc::strong_count(self) > 1 || self.tokens.is_held() || self.tokens.has_only_grant()
    }

    /// The tables that it is in, a bit for each.
    pub(super) fn tables(&self) -> u32 {
        self.tables.load(Relaxed)
    }

    pub(super) fn sit_down(&self, table: usize) {
        self.tables.fetch_or(1 << table, Relaxed);
    }

    pub(super) fn get_up(&self, table: usize) {
        self.tables.fetch_and(!(1 << table), Relaxed);
    }

    /// Says whether it has a place.
    pub(super) fn set_in(&self, is_in: bool) {
        self.is_in.store(is_in, Relaxed);
    }

    pub(super) fn is_in(&self) -> bool {
        self.is_in.load(Relaxed)
    }

    /// The header value of the newest usable token, and its generation. Calls `weigh` where it is kept from now on.
    pub(super) fn stamp(&self, placement: &Placement, weigh: impl FnOnce()) -> Option<(HeaderValue, u64)> {
        match &*self.stamp.load() {
            Some(stamp) if stamp.is_good(&self.tokens) => Some(stamp.copy()),
            _ => self.new_stamp(placement, weigh),
        }
    }

    #[cold]
    fn new_stamp(&self, placement: &Placement, weigh: impl FnOnce()) -> Option<(HeaderValue, u64)> {
        let (stamp, copy) = Stamp::of(&self.tokens, placement)?;
        if self.was_used.swap(true, Relaxed) {
            self.stamp.store(Some(Arc::new(stamp)));
            self.was_used.store(false, Relaxed);
            weigh();
        }
        Some(copy)
    }

    /// Whether its token was used more than once.
    pub(super) fn has_stamp(&self) -> bool {
        self.stamp.load().is_some()
    }

    /// A new token has come: what was written for the one before it is of no use.
    pub(super) fn forget_stamp(&self) {
        self.stamp.store(None);
    }
}

impl<Id> fmt::Debug for Held<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
