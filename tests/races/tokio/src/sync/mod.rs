//! Channels, and places that are given in turn.

pub mod oneshot;
mod semaphore;

pub use semaphore::{AcquireError, OwnedSemaphorePermit, Semaphore};
