//! [`SharedSlot`]: a place in a store, for a layer whose token several processes share.

use std::{fmt, sync::Arc, time::Duration};

use super::{contract::ErasedStore, shelf::Shelf, slot::Slot, wrap::Wrap};

/// A place in a store for one token, by the name that the program gave it. Which place it is also depends on what the
/// credential says of itself, so that two credentials never get each other's token, whatever their slots' names are.
///
/// Clones are the same place.
#[derive(Clone)]
#[must_use]
pub struct SharedSlot {
    store: Arc<dyn ErasedStore>,
    name: Slot,
    wrap: Arc<dyn Wrap>,
    keep: Option<Duration>,
}

impl SharedSlot {
    /// Sets how long a token is kept after it was saved, if it can be renewed. By default that is 90 days. Others are kept
    /// until an hour after they expire.
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = Some(keep);
        self
    }

    /// The name that the program gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.name()
    }

    /// The place in `store` for `name`.
    #[allow(dead_code, reason = "no flight asks yet")]
    pub(super) fn new(store: Arc<dyn ErasedStore>, name: Slot, wrap: Arc<dyn Wrap>) -> Self {
        Self { store, name, wrap, keep: None }
    }

    /// The place for the credential which says this of itself: names and values that no two credentials have in common.
    #[allow(dead_code, reason = "no flight asks yet")]
    pub(crate) fn shelf(&self, identity: &[(&str, &[u8])]) -> Shelf {
        let slot = self.name.with_digest(self.wrap.digest(identity));
        Shelf::new(self.store.clone(), slot, self.wrap.clone(), self.keep)
    }
}

impl fmt::Debug for SharedSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSlot").field("name", &self.name()).finish_non_exhaustive()
    }
}
