//! The lock and the atomics that threads meet at, from one place: `tests/races` builds the cache with its own, whose
//! order it decides.

pub(crate) use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};
