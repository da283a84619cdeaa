//! Clocks and timers: time without panics, and a clock that costs little.

#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "no_coarse.rs")]
mod coarse;
mod horizon;
mod timer;
#[cfg_attr(test, path = "wall_of_tests.rs")]
mod wall;

pub(crate) use horizon::Horizon;
pub(crate) use timer::{after, sleep_until};
#[cfg(test)]
pub(crate) use wall::machine_sleeps;
pub(crate) use wall::wall_clock;
