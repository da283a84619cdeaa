//! [`StoreFault`]: what can go wrong with a store.

use std::time::Duration;

use crate::error::StoreErrorKind;

/// What one call of a [`MemoryStore`](super::MemoryStore) does wrong.
///
/// # Examples
///
/// ```
/// use tower_reauth::{StoreErrorKind, testing::{MemoryStore, StoreCall, StoreFault}};
///
/// let store = MemoryStore::new();
/// store.fault(StoreCall::Save, StoreFault::AnswerLost, 1);
/// store.fault(None, StoreFault::Refused(StoreErrorKind::Unavailable), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFault {
    /// It is late: first this time passes, and then the step is taken and answered.
    Delayed(Duration),
    /// The step is taken, and its answer is lost.
    AnswerLost,
    /// The step isn't taken, and an error of this kind says so.
    Refused(StoreErrorKind),
    /// The step isn't taken, and there is no answer, ever.
    Hangs,
    /// The step is taken, and there is no answer, ever.
    HangsAfterwards,
}

/// One of the calls of a [`Store`](crate::store::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreCall {
    /// `look`
    Look,
    /// `claim`
    Claim,
    /// `save`
    Save,
    /// `release`
    Release,
}
