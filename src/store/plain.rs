//! [`Plain`]: bodies as they are.

use super::{
    body::Body,
    digest::Digest,
    identity::digest_of,
    kind::{PLAIN, SEALED},
    revision::Revision,
    slot::Slot,
    wrap::Wrap,
};
use crate::error::{StoreError, StoreErrorKind};

/// Leaves bodies as they are, and says so in their first byte.
pub(super) struct Plain;

impl Wrap for Plain {
    fn digest(&self, parts: &[(&str, &[u8])]) -> Digest {
        digest_of(parts)
    }

    /// Without a key anybody could try what the secret may be.
    fn secret_digest(&self, _: &Slot, _: &[u8]) -> Option<Digest> {
        None
    }

    fn wrap(&self, _: &Slot, _: Revision, body: &Body) -> Result<Body, StoreError> {
        Ok([&[PLAIN][..], body.as_bytes()].concat().into())
    }

    fn unwrap(&self, _: &Slot, _: Revision, body: &Body) -> Result<Body, StoreError> {
        let bytes = body.as_bytes();
        match bytes.first() {
            Some(&PLAIN) => Ok(bytes.slice(1..).into()),
            Some(&SEALED) => {
                let words =
                    "the record is sealed, and the store is opened without a key; open it with the key";
                Err(StoreError::new(StoreErrorKind::UnknownKey, words))
            }
            _ => {
                let words = "the record is kept in a way that a later release knows; update this program";
                Err(StoreError::new(StoreErrorKind::NewerFormat, words))
            }
        }
    }
}
