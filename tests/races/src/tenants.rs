//! Of the tenants, what threads meet at that isn't one tenant's cache: who builds a tenant, who asks an endpoint, and what
//! each thread has at hand. The sources are the crate's own. What they keep in the map is a stand-in, as the map is quick_cache's, whose locks are none
//! of Shuttle's.

#[path = "../../../src/tenants/building.rs"]
mod building;
#[path = "../../../src/tenants/gates.rs"]
mod gates;
#[path = "../../../src/tenants/held.rs"]
mod held;
#[path = "../../../src/tenants/id.rs"]
mod id;
#[path = "../../../src/tenants/lately.rs"]
mod lately;

mod at_hand;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use building::{Building, Built, Site};
use gates::Gates;
use shuttle::{sync::Mutex, thread};
use tokio::{
    runtime::{Handle, Runtime},
    world,
};

pub use at_hand::{at_hand_and_anything, at_hand_and_evicted, at_hand_and_removed};
use held::Held;
use ward::Ward;

use crate::{
    AuthErrorKind, TokenCache,
    auth::Origin,
    server::{Server, take_a_while},
};

/// In the place of the crate's file of this name. What is known of a tenant is no part of the model.
mod ward {
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    pub(super) struct Ward<Id> {
        pub(super) id: Id,
        /// Which one it is of those by its id.
        pub(super) number: usize,
        /// How many requests are under way for it.
        pub(super) senders: AtomicUsize,
        pub(super) is_evicted: AtomicBool,
    }

    impl<Id> Ward<Id> {
        pub(super) fn id(&self) -> &Id {
            &self.id
        }

        pub(super) fn base(&self) -> usize {
            0
        }
    }
}

fn new_held(number: usize) -> Arc<Held<u64>> {
    let ward = Ward { id: ID, number, senders: AtomicUsize::new(0), is_evicted: AtomicBool::new(false) };
    Arc::new(Held::new(TokenCache::new(Server::new().credential()), Arc::new(Origin), Arc::new(ward)))
}

const ID: u64 = 7;

/// A place where one tenant is built, and what is known of it. The counts are no part of the model.
#[derive(Clone)]
struct Town {
    building: Arc<Building<u64>>,
    /// In the place of the map.
    held: Arc<Mutex<Option<Arc<Held<u64>>>>>,
    built: Arc<AtomicUsize>,
    /// How many builders are at work who haven't been sent away.
    at_work: Arc<AtomicUsize>,
    bars: Arc<AtomicUsize>,
}

impl Town {
    fn new(at_once: usize) -> Self {
        Self {
            building: Building::new(at_once, Duration::from_secs(10)),
            held: Arc::default(),
            built: Arc::default(),
            at_work: Arc::default(),
            bars: Arc::default(),
        }
    }

    fn find(&self) -> Option<Arc<Held<u64>>> {
        self.held.lock().expect("no panic").clone()
    }

    async fn tenant(&self, runtime: &Handle) -> Built<u64> {
        if let Some(held) = self.find() {
            return Ok(held);
        }
        let begin = |site| {
            let town = self.clone();
            drop(runtime.spawn(town.build(site)));
            Ok(())
        };
        self.building.clone().join(ID, |_| self.find(), begin).await
    }

    async fn build(self, site: Site<u64>) {
        self.built.fetch_add(1, SeqCst);
        self.at_work.fetch_add(1, SeqCst);
        take_a_while().await;
        self.at_work.fetch_sub(1, SeqCst);
        let held = new_held(0);
        assert_eq!(site.id(), held.id());
        site.end(Ok(held), |held| {
            assert_eq!(self.bars.load(SeqCst), 0, "nothing is taken in while it is removed");
            let before = self.held.lock().expect("no panic").replace(held.clone());
            assert!(before.is_none(), "a tenant is built once");
            Ok(held)
        });
    }

    /// As `Tenants::remove` does it.
    async fn remove(&self) {
        let barred = self.building.bar(&ID);
        self.bars.fetch_add(1, SeqCst);
        drop(self.held.lock().expect("no panic").take());
        take_a_while().await;
        assert!(self.find().is_none(), "it isn't built before all is over that it has left behind");
        self.bars.fetch_sub(1, SeqCst);
        drop(barred);
    }

    /// Whatever was, it can be built again.
    fn end(self, runtime: Runtime) {
        runtime.join();
        let held = runtime.handle().block_on(self.tenant(runtime.handle())).expect("whatever was, it works");
        assert_eq!((*held.id(), self.at_work.load(SeqCst)), (ID, 0));
        drop((held, runtime));
        let building = Arc::downgrade(&self.building);
        drop(self);
        world::reset();
        assert!(building.upgrade().is_none(), "something is left of it");
    }
}

/// Those who ask at once wait for the same builder, and who comes later finds what was built.
pub fn built_once() {
    let (town, runtime) = (Town::new(1), Runtime::driven());
    let askers = [(); 3].map(|()| {
        let (town, handle) = (town.clone(), runtime.handle().clone());
        thread::spawn(move || {
            let held = handle.block_on(town.tenant(&handle)).expect("a tenant");
            assert_eq!(*held.id(), ID);
        })
    });
    askers.into_iter().for_each(|asker| asker.join().expect("no panic"));
    assert_eq!(town.built.load(SeqCst), 1);
    town.end(runtime);
}

/// Who is removed is told so, also while it is built, by two at once. Nobody builds it meanwhile.
pub fn removed_while_built() {
    let (town, runtime) = (Town::new(2), Runtime::driven());
    let askers = [(); 2].map(|()| {
        let (town, handle) = (town.clone(), runtime.handle().clone());
        thread::spawn(move || {
            if let Err(error) = handle.block_on(town.tenant(&handle)) {
                assert_eq!(error.kind(), AuthErrorKind::TenantRemoved);
            }
        })
    });
    let removers = [(); 2].map(|()| {
        let (town, handle) = (town.clone(), runtime.handle().clone());
        thread::spawn(move || handle.block_on(town.remove()))
    });
    askers.into_iter().chain(removers).for_each(|thread| thread.join().expect("no panic"));
    assert!(town.built.load(SeqCst) <= 2, "each who asks begins one at most");
    town.end(runtime);
}

/// A runtime that goes away with the builder leaves nobody behind who waits.
pub fn builder_gone() {
    let (town, runtimes) = (Town::new(1), [Runtime::driven(), Runtime::driven()]);
    let [goes, stays] = runtimes;
    let (asker, handles) = (town.clone(), (stays.handle().clone(), goes.handle().clone()));
    let asker = thread::spawn(move || {
        let (here, there) = handles;
        if let Err(error) = here.block_on(asker.tenant(&there)) {
            assert_eq!(error.kind(), AuthErrorKind::Lost);
        }
    });
    let gone = thread::spawn(move || drop(goes));
    [asker, gone].into_iter().for_each(|thread| thread.join().expect("no panic"));
    town.at_work.store(0, SeqCst);
    town.end(stays);
}

/// No more are within at an endpoint than may be, and whoever goes away while it waits gives its place to the next.
pub fn gate() {
    let (gates, runtime, within) = (Gates::new(1), Runtime::driven(), Arc::new(AtomicUsize::new(0)));
    let visitors = [false, false, true].map(|is_impatient| {
        let (gates, handle, within) = (gates.clone(), runtime.handle().clone(), within.clone());
        thread::spawn(move || {
            handle.block_on(async {
                let entering = gates.enter("endpoint".into());
                if is_impatient {
                    let patience = std::pin::pin!(take_a_while());
                    drop(futures_util::future::select(std::pin::pin!(entering), patience).await);
                    return;
                }
                let place = entering.await;
                assert_eq!(within.fetch_add(1, SeqCst), 0, "one at a time");
                take_a_while().await;
                within.fetch_sub(1, SeqCst);
                drop(place);
            });
        })
    });
    visitors.into_iter().for_each(|visitor| visitor.join().expect("no panic"));
    runtime.handle().block_on(async { drop(gates.clone().enter("endpoint".into()).await) });
    drop(runtime);
    world::reset();
    assert!(format!("{gates:?}").contains("endpoints: 0"), "nothing is kept of an endpoint that nobody asks");
}
