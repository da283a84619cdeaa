//! Stands in for the crate's `time/`: without the clock that costs little, which only the layer asks.

#[path = "../../../src/time/timer.rs"]
mod timer;
#[path = "../../../src/time/wall.rs"]
mod wall;

pub(crate) use timer::{after, sleep_until};
pub(crate) use wall::wall_clock;
