//! [`Wrap`]: what is done to the bytes of a record before a store gets them.

use super::{body::Body, digest::Digest, revision::Revision, slot::Slot};
use crate::error::StoreError;

/// Seals bodies, or leaves them as they are.
pub(super) trait Wrap: Send + Sync + 'static {
    /// What stands for these names and values, without telling them.
    fn digest(&self, parts: &[(&str, &[u8])]) -> Digest;

    /// What stands for a secret in this slot, to those who have the same keys; none if there is no key.
    fn secret_digest(&self, slot: &Slot, secret: &[u8]) -> Option<Digest>;

    /// A body as it is stored, for this slot and revision alone.
    fn wrap(&self, slot: &Slot, revision: Revision, body: &Body) -> Result<Body, StoreError>;

    /// A stored body as it was.
    fn unwrap(&self, slot: &Slot, revision: Revision, body: &Body) -> Result<Body, StoreError>;
}
