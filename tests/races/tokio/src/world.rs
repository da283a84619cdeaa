//! What a scenario may do to the world that the cache lives in.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, task::Waker, time::Duration};

use crate::time::Instant;

thread_local! {
    // All threads of an execution are one to the operating system.
    static WORLD: RefCell<World> = RefCell::default();
}

#[derive(Default)]
struct World {
    now: Duration,
    timers: BTreeMap<u64, (Duration, Waker)>,
    next_timer: u64,
    /// What wakers, subscribers and other foreign code do when they are called.
    meddler: Option<Rc<dyn Fn()>>,
}

/// Begins anew.
pub fn reset() {
    let old = WORLD.with(|world| world.take());
    // What is in it may want to look at the new one.
    drop(old);
}

/// Moves the clock, and wakes whom it concerns.
pub fn advance(by: Duration) {
    shuttle::thread::yield_now();
    let due = WORLD.with(|world| {
        let mut world = world.borrow_mut();
        world.now += by;
        let now = world.now;
        world.timers.extract_if(.., |_, (at, _)| *at <= now).map(|(_, (_, waker))| waker).collect::<Vec<_>>()
    });
    due.into_iter().for_each(Waker::wake);
}

/// Sets what foreign code does when it is called: when a flight's end is announced, or an event told.
pub fn meddle_with(meddler: impl Fn() + 'static) {
    WORLD.with(|world| world.borrow_mut().meddler = Some(Rc::new(meddler)));
}

/// Foreign code is called here.
pub fn meddle() {
    let meddler = WORLD.with(|world| world.borrow().meddler.clone());
    if let Some(meddler) = meddler.filter(|_| !std::thread::panicking()) {
        meddler();
    }
}

pub(crate) fn now() -> Instant {
    WORLD.with(|world| Instant::at(world.borrow().now))
}

/// Registers a timer, or its new waker.
pub(crate) fn set_timer(id: Option<u64>, at: Duration, waker: Waker) -> u64 {
    WORLD.with(|world| {
        let mut world = world.borrow_mut();
        let id = id.unwrap_or(world.next_timer);
        world.next_timer = world.next_timer.max(id + 1);
        world.timers.insert(id, (at, waker));
        id
    })
}

pub(crate) fn clear_timer(id: u64) {
    // Without a world there is no timer either.
    let _ = WORLD.try_with(|world| world.borrow_mut().timers.remove(&id));
}
