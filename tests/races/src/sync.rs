//! Stands in for the crate's `sync.rs`.

pub(crate) use shuttle::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};
