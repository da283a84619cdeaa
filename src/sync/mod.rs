//! The lock and the atomics that threads meet at, from one place: `tests/races` builds the cache with its own, whose
//! order it decides.

#[cfg(feature = "tenants")]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32};
pub(crate) use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};
