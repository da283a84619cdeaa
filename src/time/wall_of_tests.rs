//! The wall clock in the crate's own tests: each thread can let the machine sleep, as far as it is concerned.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

thread_local! {
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What the wall clock shows.
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now() + SLEPT.get()
}

/// Lets the machine sleep for so long: all other clocks stand still meanwhile.
pub(crate) fn machine_sleeps(time: Duration) {
    SLEPT.set(SLEPT.get() + time);
}
