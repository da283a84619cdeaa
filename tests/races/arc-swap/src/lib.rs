//! What the token cache uses of `arc-swap`, over Shuttle's lock: each load and each store is one step.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, PoisonError},
};

use shuttle::sync::{Mutex, MutexGuard};

/// A place for an `Arc` that may be empty.
pub struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

/// What was in the place when it was looked at.
#[derive(Debug)]
pub struct Guard<T>(T);

impl<T> ArcSwapOption<T> {
    /// An empty place.
    pub fn empty() -> Self {
        Self(Mutex::new(None))
    }

    /// What is in the place.
    pub fn load(&self) -> Guard<Option<Arc<T>>> {
        Guard(self.lock().clone())
    }

    /// Puts something else into the place.
    pub fn store(&self, value: Option<Arc<T>>) {
        let old = std::mem::replace(&mut *self.lock(), value);
        drop(old);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for ArcSwapOption<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcSwapOption").finish_non_exhaustive()
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
