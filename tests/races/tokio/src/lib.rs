//! What the token cache uses of Tokio, over Shuttle's threads: runtimes that can go away or stand still, a clock that
//! moves when a scenario says so, and a oneshot channel.
//!
//! `shuttle-tokio` has one runtime that lasts for ever, and its timers are over at once. The cache's races are about
//! what happens when a runtime doesn't last, and a wait that is over at once never sees a flight land.

pub mod runtime;
pub mod sync;
pub mod task;
pub mod time;
pub mod world;
