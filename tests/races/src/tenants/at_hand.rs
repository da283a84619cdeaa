//! What threads have at hand of one tenant, while others make room, remove it, and ask whether it is pinned. What is counted
//! is no part of the model.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use shuttle::{sync::Mutex, thread};

use super::{
    ID,
    held::Held,
    lately::{Hand, Lately},
    new_held,
};
use crate::auth::{Placement, Stamp};

/// A map with a place for one tenant, which is built anew when it is gone, and the tables beside it.
#[derive(Clone)]
struct Street {
    lately: Arc<Lately<u64>>,
    /// In the place of the map. As there, whether a tenant is pinned is asked under its lock.
    place: Arc<Mutex<Option<Arc<Held<u64>>>>>,
    /// All that there have been, by their numbers.
    built: Arc<std::sync::Mutex<Vec<Weak<Held<u64>>>>>,
    /// How many of them nobody may send for any more.
    gone: Arc<AtomicUsize>,
}

/// As a request has it that was chosen for.
enum Chosen {
    Near(Arc<Hand<u64>>),
    Now(Arc<Held<u64>>),
}

impl Street {
    fn new() -> Self {
        let (place, built, gone) = Default::default();
        Self { lately: Arc::new(Lately::beside(1 << 20)), place, built, gone }
    }

    fn find(&self) -> Option<Arc<Held<u64>>> {
        self.place.lock().expect("no panic").clone().filter(|held| held.is_in())
    }

    /// As `Map::insert` gives a place, where nobody has one.
    fn build(&self) -> Option<Arc<Held<u64>>> {
        let held = {
            let mut place = self.place.lock().expect("no panic");
            if place.is_some() {
                return None;
            }
            let number = self.built.lock().expect("no panic").len();
            let held = new_held(number);
            self.built.lock().expect("no panic").push(Arc::downgrade(&held));
            *place = Some(held.clone());
            held
        };
        held.set_in(true);
        Some(held)
    }

    /// As `Tenants` choose and write.
    fn send(&self) {
        let gone = self.gone.load(SeqCst);
        let chosen = match self.lately.find(&ID) {
            Ok(hand) => Chosen::Near(hand),
            Err(_) => match self.find().or_else(|| self.build()) {
                Some(held) => Chosen::Now(held),
                None => return,
            },
        };
        let held = match &chosen {
            Chosen::Near(hand) => &hand.held,
            Chosen::Now(held) => held,
        };
        let ward = &held.ward;
        assert!(ward.number >= gone, "it was gone before this began");
        ward.senders.fetch_add(1, SeqCst);
        match &chosen {
            Chosen::Near(hand) => assert!(hand.copy().is_some()),
            Chosen::Now(held) => {
                if let Some((stamp, _)) = Stamp::of(&held.tokens, &Placement) {
                    self.lately.take(held, stamp);
                }
            }
        }
        thread::yield_now();
        assert!(!ward.is_evicted.load(SeqCst), "a request is under way for it");
        ward.senders.fetch_sub(1, SeqCst);
    }

    /// As the map does that makes room.
    fn make_room(&self) {
        let evicted = {
            let mut place = self.place.lock().expect("no panic");
            place.take_if(|held| !self.is_pinned(held))
        };
        if let Some(held) = evicted {
            held.ward.is_evicted.store(true, SeqCst);
            self.gone.fetch_max(held.ward.number + 1, SeqCst);
        }
    }

    /// As the map does that counts somebody as less used.
    fn ask(&self) {
        if let Some(held) = &*self.place.lock().expect("no panic") {
            self.is_pinned(held);
        }
    }

    fn is_pinned(&self, held: &Arc<Held<u64>>) -> bool {
        let is_pinned = held.is_pinned(|| self.lately.let_go(held));
        if !is_pinned {
            assert_eq!(held.ward.senders.load(SeqCst), 0, "a request is under way for it");
            assert_eq!((held.tables(), Arc::strong_count(held)), (0, 1), "it comes into a table yet");
        }
        is_pinned
    }

    /// As `Map::remove` does it.
    fn remove(&self) {
        let Some(held) = self.find() else { return };
        held.set_in(false);
        drop(self.place.lock().expect("no panic").take_if(|other| Arc::ptr_eq(other, &held)));
        self.lately.let_go_for_good(&held);
        self.gone.fetch_max(held.ward.number + 1, SeqCst);
    }

    /// When nobody sends, the counts say so, and nothing is left of anybody who has gone.
    fn end(self) {
        if let Some(held) = &*self.place.lock().expect("no panic") {
            assert_eq!(Arc::strong_count(held), 1 + held.tables().count_ones() as usize);
            assert!(!self.is_pinned(held), "nobody sends for it");
        }
        drop(self.place.lock().expect("no panic").take());
        let built = self.built.lock().expect("no panic");
        assert!(built.iter().all(|held| held.upgrade().is_none()), "something is left of a tenant");
    }
}

fn run(threads: [fn(&Street); 3]) {
    let street = Street::new();
    street.build();
    let threads = threads.map(|acts| {
        let street = street.clone();
        thread::spawn(move || acts(&street))
    });
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    street.end();
}

fn send_twice(street: &Street) {
    street.send();
    street.send();
}

/// Nobody is evicted while somebody sends for it, also not somebody who has it at hand.
pub fn at_hand_and_evicted() {
    run([send_twice, send_twice, |street| {
        street.make_room();
        street.ask();
        street.make_room();
    }]);
}

/// Nobody sends for a tenant any more that was removed, though somebody had found it or had it at hand; its successor is
/// another one.
pub fn at_hand_and_removed() {
    run([send_twice, send_twice, |street| {
        street.remove();
        street.send();
        street.remove();
    }]);
}

/// All of it.
pub fn at_hand_and_anything() {
    run([send_twice, Street::remove, |street| {
        street.ask();
        street.send();
        street.make_room();
    }]);
}
