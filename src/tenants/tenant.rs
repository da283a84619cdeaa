//! [`Tenant`]: what differs from one tenant to the next.

use std::{fmt, sync::Arc};

use crate::{
    auth::Origin,
    store::SharedSlot,
    token::{Credential, Source},
};

/// What one tenant has of its own: a credential, and maybe an origin and a place in a store. All else is the layer's.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Origin, StaticToken, Tenant};
///
/// # fn main() -> Result<(), tower_reauth::ConfigError> {
/// let tenant = Tenant::new(StaticToken::new("key-of-acme")?).origin(Origin::parse("https://acme.example.com")?);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Tenant {
    pub(super) source: Box<dyn Source>,
    size: usize,
    texts: usize,
    pub(super) origin: Option<Arc<Origin>>,
    pub(super) slot: Option<SharedSlot>,
}

/// What a credential has beside its own size, if nobody says: that of one of this crate that shares nothing with others, with
/// what the allocator adds.
const TEXTS: usize = 900;

impl Tenant {
    /// A tenant with this credential.
    pub fn new<C: Credential>(credential: C) -> Self {
        let texts = credential.describe().heap_bytes.unwrap_or(TEXTS);
        Self { size: size_of::<C>(), texts, source: Box::new(credential), origin: None, slot: None }
    }

    /// Sets where the tenant's requests go: `https://acme.vendor.com`. By default to the
    /// [origin of all](crate::TenantsBuilder::origin).
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(Arc::new(origin));
        self
    }

    /// Shares the tenant's token with all processes that have the same slot in a store. One name will do for all tenants,
    /// where each has a [subject](SharedSlot::subject) of its own: its id.
    pub fn shared(mut self, slot: SharedSlot) -> Self {
        self.slot = Some(slot);
        self
    }

    /// Says what the credential takes beside its own size, in bytes: the texts that it has, and what it shares with no other.
    /// By default 900, or less where it says so itself: one that was made of a pattern
    /// ([`EndpointCredential::with_input`](crate::EndpointCredential::with_input)).
    pub fn heap_bytes(mut self, bytes: usize) -> Self {
        self.texts = bytes;
        self
    }
}

impl Tenant {
    /// What the credential takes, in bytes.
    pub(super) fn credential_bytes(&self) -> usize {
        self.size.saturating_add(self.texts)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("origin", &self.origin)
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}
