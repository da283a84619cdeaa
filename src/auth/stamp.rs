//! [`Stamp`]: the header value of a token, made once.

use std::sync::Arc;

use http::HeaderValue;

use super::placement::Placement;
use crate::{
    observe::EACH_USE,
    time::Horizon,
    token::{Entry, TokenCache},
};

/// The header value of a token, made once.
pub(crate) struct Stamp {
    entry: Arc<Entry>,
    value: HeaderValue,
    /// Until when it is surely fresh.
    fresh: Horizon,
}

impl Stamp {
    /// That of the newest token in `tokens`, if it may be used now, with a copy of it. There is none where the token is joined
    /// with something of the request's.
    pub(crate) fn of(tokens: &TokenCache, placement: &Placement) -> Option<(Self, (HeaderValue, u64))> {
        if placement.is_joined() {
            return None;
        }
        let entry = tokens.usable_now()?;
        let (value, generation) = (placement.write(&entry.token)?, entry.generation);
        let fresh = if EACH_USE { Horizon::Veiled } else { Horizon::before(entry.stale_at()) };
        // The clone is kept, since it is cheaper to clone than what it is a clone of.
        let stamp = Self { entry, value: value.clone(), fresh };
        Some((stamp, (value, generation)))
    }

    /// Whether its token may still be used.
    #[inline]
    pub(crate) fn is_good(&self, tokens: &TokenCache) -> bool {
        tokens.is_newest(&self.entry) && (self.fresh.is_clear() || tokens.uses(&self.entry))
    }

    /// What it takes, in bytes.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + 6 * size_of::<usize>() + self.value.len()
    }

    /// The value and the token's generation.
    #[inline]
    pub(crate) fn copy(&self) -> (HeaderValue, u64) {
        (self.value.clone(), self.entry.generation)
    }
}
