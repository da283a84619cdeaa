//! [`Local`]: what one thread needs to send requests at once.
//!
//! The only memory that requests with a cached token would write to together is reference counts: of the state that
//! their futures hold on to, and of the token's header value. Two threads that write to one count cost each other more
//! than all else that the layer does. So each thread has a count and a value of its own, which only it writes to as
//! long as services aren't handed from thread to thread between their calls.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwapOption;
use http::HeaderValue;

use crate::{service::Shared, token::Entry};

/// How many threads have a place of their own. Those beyond share, which costs time only.
const PLACES: usize = 32;

/// The state that all clones of a service share, as one thread holds on to it. Not next to another thread's in memory.
#[repr(align(128))]
pub(crate) struct Local<S, K> {
    pub(crate) shared: Arc<Shared<S, K>>,
    place: usize,
    stamp: ArcSwapOption<Stamp>,
}

/// The header value of a token, made once.
struct Stamp {
    entry: Arc<Entry>,
    value: HeaderValue,
}

impl<S, K> Local<S, K> {
    pub(crate) fn new(shared: Arc<Shared<S, K>>) -> Arc<Self> {
        Self::at(place(), shared)
    }

    fn at(place: usize, shared: Arc<Shared<S, K>>) -> Arc<Self> {
        Arc::new(Self { shared, place, stamp: ArcSwapOption::empty() })
    }

    /// Moves to the thread that this is called on.
    #[inline]
    pub(crate) fn here(self: &mut Arc<Self>) -> &Arc<Self> {
        let here = place();
        if self.place != here {
            *self = Self::at(here, self.shared.clone());
        }
        self
    }

    /// The header value of the newest usable token, and its generation, without waiting.
    #[inline]
    pub(crate) fn stamp(&self) -> Option<(HeaderValue, u64)> {
        if let Some(stamp) = &*self.stamp.load()
            && self.shared.options.tokens.admits(&stamp.entry)
        {
            return Some((stamp.value.clone(), stamp.entry.generation));
        }
        self.new_stamp()
    }

    #[cold]
    fn new_stamp(&self) -> Option<(HeaderValue, u64)> {
        let entry = self.shared.options.tokens.usable_now()?;
        let (value, generation) = (self.shared.options.placement.value(&entry.token), entry.generation);
        self.stamp.store(Some(Arc::new(Stamp { entry, value: value.clone() })));
        Some((value, generation))
    }
}

impl<S, K> fmt::Debug for Local<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What a service's clones on other threads begin with, so that a service that is cloned for each request need not
/// make it each time. Lives as long as the service does, not as its clones.
pub(crate) struct Elsewhere<S, K> {
    places: OnceLock<Box<Places<S, K>>>,
}

type Places<S, K> = [OnceLock<Arc<Local<S, K>>>; PLACES];

impl<S, K> Elsewhere<S, K> {
    pub(crate) const fn new() -> Self {
        Self { places: OnceLock::new() }
    }

    /// What `local` is on the thread that this is called on.
    #[inline]
    pub(crate) fn here(&self, local: &Arc<Local<S, K>>) -> Arc<Local<S, K>> {
        let here = place();
        if local.place == here {
            return local.clone();
        }
        let places = self.places.get_or_init(|| Box::new([const { OnceLock::new() }; PLACES]));
        places[here].get_or_init(|| Local::at(here, local.shared.clone())).clone()
    }
}

/// The place of the current thread.
#[inline]
fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: usize = NEXT.fetch_add(1, Relaxed) % PLACES;
    }
    PLACE.with(|place| *place)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tower_layer::Layer;

    use super::*;
    use crate::{Auth, AuthLayer, Origin, StaticToken};

    type Service = Auth<Arc<()>>;

    /// A service, and its inner service, which counts who holds on to what all clones share.
    fn service() -> (Service, Arc<()>) {
        let inner = Arc::new(());
        let origin = Origin::parse("https://api.test").expect("an origin");
        let layer = AuthLayer::new(origin, StaticToken::new("abc").expect("a token"));
        (layer.layer(inner.clone()), inner)
    }

    fn on_another_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| scope.spawn(run).join().expect("no panic"))
    }

    #[test]
    fn clones_on_one_thread_share_a_place() {
        let (service, _inner) = service();
        let (one, two) = (service.clone(), service.clone());
        assert!(Arc::ptr_eq(one.local(), two.local()));
        assert!(Arc::ptr_eq(one.local(), service.local()));
    }

    #[test]
    fn clones_on_another_thread_share_that_threads_place() {
        let (service, _inner) = service();
        on_another_thread(|| {
            let (one, two) = (service.clone(), service.clone());
            assert!(Arc::ptr_eq(one.local(), two.local()));
            assert!(Arc::ptr_eq(one.local(), one.clone().local()), "a clone's clone as well");
            assert!(!Arc::ptr_eq(one.local(), service.local()));
            assert!(Arc::ptr_eq(&one.local().shared, &service.local().shared), "one state for all");
        });
    }

    #[test]
    fn a_service_that_is_called_on_another_thread_moves_there() {
        let (service, _inner) = service();
        let mut local = service.local().clone();
        assert!(Arc::ptr_eq(local.here(), service.local()), "at home");
        let moved = on_another_thread(|| local.here().clone());
        assert!(Arc::ptr_eq(&moved, &local) && !Arc::ptr_eq(&moved, service.local()));
    }

    #[test]
    fn nothing_is_left_when_all_clones_are_gone() {
        let (service, inner) = service();
        let elsewhere = on_another_thread(|| service.clone());
        drop(service);
        assert!(Arc::strong_count(&inner) > 1, "a clone keeps alive what it needs");
        drop(elsewhere);
        assert_eq!(Arc::strong_count(&inner), 1);
    }
}
