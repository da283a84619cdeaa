//! [`Lately`]: what each thread has at hand of the tenants that it has sent for lately, so that threads don't meet in memory.
//!
//! Whoever asks the map writes to its lock, to the tenant's count of references and to that of its header value, as everybody
//! else does. Two threads that write to one count cost each other more than all else that is done for a tenant. So each
//! thread has a table of [`Hand`]s, which have a count and a value of their own, and which only it writes to.
//!
//! It is a shortcut, and no second map: which tenants are kept is decided there. Before the map gives up a tenant, or counts it
//! as less used, it has it taken out of all tables. Then counts of references say whether somebody works with it, as they do
//! without tables, and its next use asks the map, which counts that. So what a table has holds nobody in memory.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use http::HeaderValue;

use super::{held::Held, id::TenantId};
use crate::{
    auth::{PLACES, Stamp, place},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What share of the bytes of all tenants the table of one thread may take beside them.
const SHARE: u64 = 512;

/// What a tenant in a table is thought to take, when nothing is known of it. Its token is most of it.
const USUAL: usize = 256;

/// The most that one table has.
const MOST: usize = 4096;

/// One of so many requests for a tenant that isn't in the table takes another one's seat: where there are far more tenants than
/// have room, to do so each time would cost more than it saves.
const TURN: u32 = 32;

/// The tables of all threads.
pub(super) struct Lately<Id> {
    /// None, where there is room for too little.
    tables: Box<[Table<Id>]>,
    /// The most that one table may take, in bytes.
    most: usize,
    /// Strangers may choose ids, but not which have one seat.
    hashes: RandomState,
}

/// The table of one thread, or of a few if there are more threads than tables. Not next to another one's in memory.
#[repr(align(128))]
struct Table<Id>(Mutex<Seats<Id>>);

struct Seats<Id> {
    /// A power of two of them, and none before one is taken. A tenant has one of two neighbours, which are found by its id.
    seats: Box<[Seat<Id>]>,
    /// What all of them take.
    bytes: usize,
    /// Counts what wasn't found.
    turns: u32,
    /// The last seat that was made free for others.
    freed: usize,
}

/// Where one tenant is, with its mark, so that nobody else's is looked at.
struct Seat<Id> {
    mark: u64,
    hand: Option<Arc<Hand<Id>>>,
}

/// A tenant that isn't at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// And is to be taken at hand now.
    InTurn,
    OutOfTurn,
}

/// A tenant at hand: a count of references, and a header value, that one thread has for itself.
pub(super) struct Hand<Id> {
    pub(super) held: Arc<Held<Id>>,
    stamp: Stamp,
}

impl<Id: TenantId> Lately<Id> {
    /// Tables for tenants that take so many bytes.
    pub(super) fn beside(bytes: u64) -> Self {
        let most = usize::try_from(bytes / SHARE).unwrap_or(usize::MAX);
        let tables = if most < 2 * USUAL { 0 } else { PLACES };
        Self { tables: (0..tables).map(|_| Table::default()).collect(), most, hashes: RandomState::new() }
    }

    /// The tenant, if this thread has it at hand.
    ///
    /// # Errors
    ///
    /// Whether it is to be [taken](Self::take) at hand, when it was found in the map.
    #[inline]
    pub(super) fn find(&self, id: &Id) -> Result<Arc<Hand<Id>>, Missing> {
        let Some(table) = self.tables.get(place()) else { return Err(Missing::OutOfTurn) };
        let mark = self.mark(id);
        // Whoever has it lets go of a tenant, or shares it.
        let Ok(mut seats) = table.0.try_lock() else { return Err(Missing::OutOfTurn) };
        match seats.find(mark, |hand| hand.held.id() == id) {
            Some((_, hand)) => Ok(hand.clone()),
            None => Err(seats.miss(mark)),
        }
    }

    /// Takes a tenant at hand, which has to be held meanwhile, with a value that nobody else has.
    #[cold]
    pub(super) fn take(&self, held: &Arc<Held<Id>>, stamp: Stamp) {
        let at = place();
        let Some(table) = self.tables.get(at) else { return };
        let (mark, hand) = (self.mark(held.id()), Hand { held: held.clone(), stamp });
        let mut left = Vec::new();
        {
            let mut seats = table.lock();
            // Whoever leaves is told so before it is looked for here.
            if held.is_in() && hand.bytes() <= self.most {
                seats.put(at, mark, Arc::new(hand), self.most, &mut left);
            }
        }
        // Under no lock: it may be the last of a tenant.
        drop(left);
    }

    /// Takes a tenant out of all tables that it is in.
    pub(super) fn let_go(&self, held: &Arc<Held<Id>>) {
        let (mut at, mark) = (held.tables(), self.mark(held.id()));
        while at != 0 {
            self.let_go_at(at.trailing_zeros() as usize, mark, held);
            at &= at - 1;
        }
    }

    /// Takes a tenant out that has left the map, so that it comes into none any more.
    pub(super) fn let_go_for_good(&self, held: &Arc<Held<Id>>) {
        debug_assert!(!held.is_in());
        // All of them: it may be about to come into one.
        let mark = self.mark(held.id());
        (0..self.tables.len()).for_each(|at| self.let_go_at(at, mark, held));
    }

    fn let_go_at(&self, at: usize, mark: u64, held: &Arc<Held<Id>>) {
        let Some(table) = self.tables.get(at) else { return };
        let mut seats = table.lock();
        let found = seats.find(mark, |hand| Arc::ptr_eq(&hand.held, held));
        let seat = found.map(|(seat, _)| seat);
        let left = seat.and_then(|seat| seats.free(at, seat));
        drop(seats);
        drop(left);
    }

    /// By what a tenant's seat is found.
    #[inline]
    fn mark(&self, id: &Id) -> u64 {
        self.hashes.hash_one(id)
    }
}

#[cfg(test)]
impl<Id: TenantId> Lately<Id> {
    /// What the table of this thread takes, in bytes, and how many are in it.
    pub(super) fn here(&self) -> (usize, usize) {
        let seats = self.tables[place()].lock();
        (seats.bytes, seats.seats.iter().filter(|seat| seat.hand.is_some()).count())
    }
}

impl<Id> Table<Id> {
    fn lock(&self) -> MutexGuard<'_, Seats<Id>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Id> Default for Table<Id> {
    fn default() -> Self {
        Self(Mutex::new(Seats { seats: Box::default(), bytes: 0, turns: 0, freed: 0 }))
    }
}

impl<Id: TenantId> Seats<Id> {
    /// The two seats that a tenant may have.
    #[inline]
    fn of(&self, mark: u64) -> [usize; 2] {
        // The upper half, where each bit depends on all of the id.
        let seat = (mark >> 32) as usize & self.seats.len().wrapping_sub(1);
        [seat, seat ^ 1]
    }

    /// Which seat a tenant has.
    #[inline]
    fn find(&self, mark: u64, is_it: impl Fn(&Hand<Id>) -> bool) -> Option<(usize, &Arc<Hand<Id>>)> {
        let mut pair = self.of(mark).into_iter();
        pair.find_map(|seat| match self.seats.get(seat)? {
            Seat { mark: other, hand: Some(hand) } if *other == mark && is_it(hand) => Some((seat, hand)),
            _ => None,
        })
    }

    /// A tenant has none. Says whether it is to have one.
    fn miss(&mut self, mark: u64) -> Missing {
        self.turns = self.turns.wrapping_add(1);
        if self.turns.is_multiple_of(TURN) || self.vacant(mark).is_some() {
            Missing::InTurn
        } else {
            Missing::OutOfTurn
        }
    }

    /// A tenant's seat that nobody has.
    fn vacant(&self, mark: u64) -> Option<usize> {
        self.of(mark).into_iter().find(|seat| self.seats.get(*seat).is_none_or(|seat| seat.hand.is_none()))
    }

    /// Gives a tenant a seat, and takes down who has left for it.
    fn put(&mut self, at: usize, mark: u64, hand: Arc<Hand<Id>>, most: usize, left: &mut Vec<Arc<Hand<Id>>>) {
        if self.seats.is_empty() {
            let count = 1 << (most / USUAL).clamp(2, MOST).ilog2();
            self.seats = (0..count).map(|_| Seat { mark: 0, hand: None }).collect();
        }
        let its = self.find(mark, |other| Arc::ptr_eq(&other.held, &hand.held)).map(|(seat, _)| seat);
        // One after the other.
        let either = self.of(mark)[usize::from(self.turns & TURN != 0)];
        let seat = its.or_else(|| self.vacant(mark)).unwrap_or(either);
        left.extend(self.free(at, seat));
        while self.bytes + hand.bytes() > most {
            self.freed = (self.freed + 1) % self.seats.len();
            left.extend(self.free(at, self.freed));
        }
        self.bytes += hand.bytes();
        hand.held.sit_down(at);
        self.seats[seat] = Seat { mark, hand: Some(hand) };
    }

    fn free(&mut self, at: usize, seat: usize) -> Option<Arc<Hand<Id>>> {
        let hand = self.seats[seat].hand.take()?;
        self.bytes -= hand.bytes();
        hand.held.get_up(at);
        Some(hand)
    }
}

impl<Id: TenantId> Hand<Id> {
    /// The header value and the token's generation, if that may still be used.
    #[inline]
    pub(super) fn copy(&self) -> Option<(HeaderValue, u64)> {
        self.stamp.is_good(&self.held.tokens).then(|| self.stamp.copy())
    }

    /// What it takes, in bytes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Seat<Id>>() + 2 * size_of::<usize>() + self.stamp.bytes()
    }
}

impl<Id> fmt::Debug for Lately<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lately").field("most", &self.most).finish_non_exhaustive()
    }
}
