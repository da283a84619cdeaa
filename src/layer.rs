//! [`AuthLayer`]: what to authenticate, with what, and how.

use std::sync::Arc;

use crate::{Credential, Origin, Placement, Signatures, token::Source};

/// Authenticates outbound requests.
#[derive(Clone)]
#[must_use]
pub struct AuthLayer {
    origin: Origin,
    source: Arc<dyn Source>,
    signatures: Signatures,
    placement: Placement,
}

impl std::fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthLayer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl AuthLayer {
    /// A layer that puts `credential`'s tokens on requests to `origin`.
    pub fn new(origin: Origin, credential: impl Credential) -> Self {
        Self {
            origin,
            source: Arc::new(credential),
            signatures: Signatures::default(),
            placement: Placement::default(),
        }
    }

    /// Sets which responses mean what.
    pub fn signatures(mut self, signatures: Signatures) -> Self {
        self.signatures = signatures;
        self
    }

    /// Sets where in a request the token goes.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }
}
