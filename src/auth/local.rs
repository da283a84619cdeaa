//! What a service needs to send requests at once, made for the thread that it is called on.
//!
//! The only memory that requests with a cached token would write to together is reference counts: of the state that
//! their futures hold on to, and of the token's header value. Two threads that write to one count cost each other more
//! than all else that the layer does. So each thread has a count and a value of its own, in a [`Local`], which only it
//! writes to as long as services aren't handed from thread to thread between their calls. A service that is kept
//! remembers the value in its [`Hold`], and is spared even the look at what the services of its thread share.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::HeaderValue;

use super::{
    choice::Choose,
    place::{PLACES, place},
    shared::Shared,
};

/// The state that all clones of a service share, as one thread holds on to it. Not next to another thread's in memory.
#[repr(align(128))]
pub(super) struct Local<S, K, T: Choose> {
    pub(super) shared: Arc<Shared<S, K, T>>,
    place: usize,
    memory: T::Memory,
}

impl<S, K, T: Choose> Local<S, K, T> {
    fn at(place: usize, shared: Arc<Shared<S, K, T>>) -> Arc<Self> {
        Arc::new(Self { shared, place, memory: T::Memory::default() })
    }

    /// The header value of the newest usable token, and its generation, without waiting. There is none where the token is
    /// joined with something of the request's.
    #[inline]
    pub(super) fn stamp(&self, chosen: &T::Chosen) -> Option<(HeaderValue, u64)> {
        let Shared { choice, options, .. } = &*self.shared;
        choice.stamp(chosen, &options.placement, &self.memory)
    }
}

impl<S, K, T: Choose> fmt::Debug for Local<S, K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A service's hold on the part of the thread that it is called on.
pub(super) struct Hold<S, K, T: Choose> {
    local: Arc<Local<S, K, T>>,
    last: T::Last,
    elsewhere: OnceLock<Box<Places<S, K, T>>>,
}

/// What a service's clones on other threads begin with, so that a service that is cloned for each request need not
/// make it each time. Lives as long as the service does, not as its clones.
type Places<S, K, T> = [OnceLock<Arc<Local<S, K, T>>>; PLACES];

impl<S, K, T: Choose> Hold<S, K, T> {
    pub(super) fn new(shared: Arc<Shared<S, K, T>>) -> Self {
        Self::on(Local::at(place(), shared))
    }

    fn on(local: Arc<Local<S, K, T>>) -> Self {
        Self { local, last: T::Last::default(), elsewhere: OnceLock::new() }
    }

    #[inline]
    pub(super) fn local(&self) -> &Arc<Local<S, K, T>> {
        &self.local
    }

    /// Moves to the thread that this is called on.
    #[inline]
    pub(super) fn move_here(&mut self) {
        let here = place();
        if self.local.place != here {
            self.local = Local::at(here, self.local.shared.clone());
            self.last = T::Last::default();
        }
    }

    /// As [`Local::stamp`].
    #[inline]
    pub(super) fn stamp(&mut self, chosen: &T::Chosen) -> Option<(HeaderValue, u64)> {
        let Local { shared, memory, .. } = &*self.local;
        shared.choice.stamp_of_kept(chosen, &shared.options.placement, memory, &mut self.last)
    }
}

impl<S, K, T: Choose> Clone for Hold<S, K, T> {
    #[inline]
    fn clone(&self) -> Self {
        let here = place();
        if self.local.place == here {
            return Self::on(self.local.clone());
        }
        let places = self.elsewhere.get_or_init(|| Box::new([const { OnceLock::new() }; PLACES]));
        Self::on(places[here].get_or_init(|| Local::at(here, self.local.shared.clone())).clone())
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use tower_layer::Layer;

    use super::*;
    use crate::{
        auth::{Auth, AuthLayer, Origin},
        credential::StaticToken,
    };

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
        let mut hold = Hold::on(service.local().clone());
        hold.move_here();
        assert!(Arc::ptr_eq(hold.local(), service.local()), "at home");
        let moved = on_another_thread(|| {
            hold.move_here();
            hold.local().clone()
        });
        assert!(Arc::ptr_eq(&moved, hold.local()) && !Arc::ptr_eq(&moved, service.local()));
    }

    #[tokio::test]
    async fn a_service_remembers_what_it_sent_until_it_moves() {
        let (service, _inner) = service();
        service.tokens().get(Duration::ZERO).await.expect("the token");
        let mut hold = Hold::on(service.local().clone());
        for is_kept in [false, true] {
            assert!(hold.stamp(&()).is_some());
            assert_eq!(hold.last.stamp.is_some(), is_kept);
        }
        on_another_thread(|| {
            hold.move_here();
            assert!(hold.last.stamp.is_none(), "it would share its count with the thread that it comes from");
        });
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
