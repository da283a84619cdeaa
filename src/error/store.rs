//! [`StoreError`]: why a store couldn't be asked.

use std::{error::Error as StdError, fmt, sync::Arc};

use super::boxed::BoxError;

/// Why a [`Store`](crate::store::Store) didn't do what it was asked, or nobody knows whether it did.
///
/// Its text says what to do, and holds no secret.
///
/// # Examples
///
/// ```
/// use tower_reauth::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Unavailable, "the database is restarting; wait for it");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// ```
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It can't be reached, or is about to start or to stop.
    Unavailable,
    /// It didn't answer in time, or a lock was busy for too long. Whether the step was taken isn't known.
    TimedOut,
    /// It can be read and not written: a replica, or a directory without the right to write.
    ReadOnly,
    /// It has no room.
    Full,
    /// It doesn't let this program in: a wrong password, a user without the right, a directory that is open to others.
    Denied,
    /// A record can't be read: it is damaged, was moved, or something else has written it. It is left as it is.
    Unreadable,
    /// A record was written by a later release. It is left as it is.
    NewerFormat,
    /// A record was sealed with a key that this program doesn't have. It is left as it is.
    UnknownKey,
    /// It can't work as it is configured.
    Config,
}

impl StoreError {
    /// An error of this kind. `message` says what happened and what to do, in lower case, without a full stop and without a
    /// secret.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the error that caused this one. Its text must not hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
