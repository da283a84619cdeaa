//! What a cache tells whoever holds many of them: whether it may be forgotten, and what it weighs.

use std::sync::Arc;

use super::{
    access_token::AccessToken, cache::TokenCache, lease::Entry, policy::RefreshPolicy, shared::Shared,
    source::Source, state::State,
};
use crate::observe::Observer;

impl TokenCache {
    /// What a cache without a token takes, in bytes, apart from its credential.
    pub(crate) const BYTES: usize = size_of::<Shared>() + 2 * size_of::<usize>();

    /// One of many caches, that have policy and observer in common.
    pub(crate) fn of_many(source: Arc<dyn Source>, policy: Arc<RefreshPolicy>, observer: Observer) -> Self {
        Self { shared: Arc::new(Shared::new(source, policy, Some(observer))) }
    }

    /// Whether somebody else holds on to it: a caller, a flight, or a response whose trailers are still to come.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }

    /// Whether a grant would be lost with it: one that should have been saved and couldn't be, or that a server has handed
    /// out, is good once, and is kept nowhere else.
    pub(crate) fn has_only_grant(&self) -> bool {
        let description = self.shared.source().describe();
        let is_kept = description.is_saved_by_program || self.shared.link().is_some();
        description.unsaved_since.is_some()
            || self
                .shared
                .look(|state| state.unsaved_since().is_some() || (!is_kept && state.has_only_grant()))
    }

    /// Forgets everything, and hands over what was there. Who waits for a flight looks again.
    pub(crate) fn leave(&self) -> Option<AccessToken> {
        self.shared.retire(State::take)
    }

    /// What its token takes, in bytes, with what came with it.
    pub(crate) fn token_bytes(&self) -> usize {
        let entry = size_of::<Entry>() + 2 * size_of::<usize>();
        self.shared.look(|state| state.newest().map_or(0, |newest| entry + newest.token.bytes()))
    }
}
