//! [`SealedStore`]: a store that gets nothing but sealed tokens; and [`SharedSlot::plain`], where it gets them as they are.

use std::{fmt, sync::Arc};

use super::{
    contract::{ErasedStore, Store},
    digest::Digest,
    keys::Keys,
    plain::Plain,
    seal::Seal,
    shared_slot::SharedSlot,
    slot::Slot,
};
use crate::error::ConfigError;

/// A store that gets nothing but sealed tokens: whoever reads it can't use them, and whoever writes to it can't make one.
///
/// They are sealed with AES-256-GCM, for one slot and one revision each. Clones share the store.
///
/// # Examples
///
/// ```
/// use tower_reauth::{ConfigError, store::{Keys, SealedStore, SharedSlot, Store}};
///
/// fn slot(store: impl Store) -> Result<SharedSlot, ConfigError> {
///     let key = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";
///     SealedStore::new(store, &Keys::new(key))?.slot("billing")
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct SealedStore {
    store: Arc<dyn ErasedStore>,
    seal: Arc<Seal>,
}

impl SealedStore {
    /// Seals what goes to `store`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Secret`](crate::ConfigErrorKind::Secret) if a key isn't 32 bytes in base64, can't be read, or
    /// comes from a closure that has to be waited for.
    pub fn new(store: impl Store, keys: &Keys) -> Result<Self, ConfigError> {
        Ok(Self { store: Arc::new(store), seal: Arc::new(Seal::new(keys.read()?)) })
    }

    /// The place of this name, for a token. Which one it is also depends on what the credential says of itself.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Store`](crate::ConfigErrorKind::Store) for a name that isn't 1 to 64 lower-case letters, digits,
    /// `-` and `_`.
    pub fn slot(&self, name: &str) -> Result<SharedSlot, ConfigError> {
        Ok(SharedSlot::new(self.store.clone(), named(name)?, self.seal.clone()))
    }
}

impl SharedSlot {
    /// The place of this name in a store that gets tokens as they are: whoever can read the store can use them. That is for
    /// stores which nobody else can read; [`SealedStore`] is for all others.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Store`](crate::ConfigErrorKind::Store) for a name that isn't 1 to 64 lower-case letters, digits,
    /// `-` and `_`.
    pub fn plain(store: impl Store, name: &str) -> Result<Self, ConfigError> {
        Ok(Self::new(Arc::new(store), named(name)?, Arc::new(Plain)))
    }
}

impl fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedStore").finish_non_exhaustive()
    }
}

/// The slot of this name, while it isn't known yet whose it is.
fn named(name: &str) -> Result<Slot, ConfigError> {
    Slot::new(name, Digest::new([0; 32]))
}
