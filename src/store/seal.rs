//! [`Seal`]: bodies sealed with AES-256-GCM, each with a key for itself.
//!
//! A sealed body is: its kind (one byte), the id of the key (8 bytes), random bytes (32), the ciphertext with its tag. Its
//! key is HKDF-SHA256 of the master key, with the random bytes as salt, and kind and id as info. As no two messages have a
//! key in common, GCM's nonce is zero. What is authenticated beside it is kind, id, revision (8 bytes) and slot: so a body
//! that was moved to another slot, or is offered as another revision, is refused.

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};

use super::{
    body::Body,
    digest::Digest,
    identity::digest_of,
    keys::{Key, KeyId},
    kind::{PLAIN, SEALED},
    revision::Revision,
    slot::Slot,
    wrap::Wrap,
};
use crate::error::{StoreError, StoreErrorKind};

const SALT: usize = 32;
const TAG: usize = 16;

/// Seals bodies.
pub(super) struct Seal {
    /// The one to seal with is the first.
    keys: Vec<Key>,
    random: SystemRandom,
}

impl Seal {
    /// Seals with the first of these keys. There has to be one.
    pub(super) fn new(keys: Vec<Key>) -> Self {
        Self { keys, random: SystemRandom::new() }
    }

    fn current(&self) -> &Key {
        &self.keys[0]
    }

    /// With the salt given, so that a test can know what comes out.
    fn seal(
        &self,
        salt: [u8; SALT],
        slot: &Slot,
        revision: Revision,
        body: &Body,
    ) -> Result<Body, StoreError> {
        let key = self.current();
        let mut text = body.as_bytes().to_vec();
        let aad = Aad::from(aad(key.id(), slot, revision));
        let sealed = cipher(key, &salt)
            .and_then(|cipher| cipher.seal_in_place_append_tag(zero(), aad, &mut text).ok());
        sealed.ok_or_else(|| {
            StoreError::new(
                StoreErrorKind::Config,
                "the token is too long to be sealed; look at what is saved",
            )
        })?;
        Ok([&[SEALED][..], &key.id(), &salt, &text].concat().into())
    }
}

impl Wrap for Seal {
    fn digest(&self, parts: &[(&str, &[u8])]) -> Digest {
        digest_of(parts)
    }

    fn secret_digest(&self, slot: &Slot, secret: &[u8]) -> Option<Digest> {
        let key =
            self.current().derive::<32>(b"tower-reauth", &[b"refused secret", slot.to_string().as_bytes()]);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key[..]), secret);
        <[u8; 32]>::try_from(tag.as_ref()).ok().map(Digest::new)
    }

    fn wrap(&self, slot: &Slot, revision: Revision, body: &Body) -> Result<Body, StoreError> {
        let mut salt = [0; SALT];
        self.random.fill(&mut salt).map_err(|_| {
            StoreError::new(
                StoreErrorKind::Unavailable,
                "the system has no random bytes to seal with; wait for them",
            )
        })?;
        self.seal(salt, slot, revision, body)
    }

    fn unwrap(&self, slot: &Slot, revision: Revision, body: &Body) -> Result<Body, StoreError> {
        let unreadable = |words: &str| StoreError::new(StoreErrorKind::Unreadable, words);
        let bytes = body.as_bytes();
        match bytes.first() {
            Some(&SEALED) => {}
            Some(&PLAIN) => {
                let words = "the record isn't sealed, but the store is opened with a key; remove the record, or open the \
                             store without one";
                return Err(unreadable(words));
            }
            Some(_) => {
                let words = "the record is sealed in a way that a later release knows; update this program";
                return Err(StoreError::new(StoreErrorKind::NewerFormat, words));
            }
            None => return Err(unreadable("the record is damaged, or cut off")),
        }
        let parts = bytes[1..].split_first_chunk().and_then(|(id, rest): (&KeyId, _)| {
            let (salt, text): (&[u8; SALT], _) = rest.split_first_chunk()?;
            (text.len() >= TAG).then_some((id, salt, text))
        });
        let (id, salt, text) = parts.ok_or_else(|| unreadable("the record is damaged, or cut off"))?;
        let key = self.keys.iter().find(|key| key.id() == *id).ok_or_else(|| {
            let words = "the record is sealed with a key that this program doesn't have; accept that key";
            StoreError::new(StoreErrorKind::UnknownKey, words)
        })?;
        let mut text = text.to_vec();
        let aad = Aad::from(aad(*id, slot, revision));
        let opened = cipher(key, salt)
            .and_then(|cipher| Some(cipher.open_in_place(zero(), aad, &mut text).ok()?.len()));
        let length = opened.ok_or_else(|| {
            unreadable(
                "the record's seal is broken: it is damaged, or was moved here from another slot; remove it",
            )
        })?;
        text.truncate(length);
        Ok(text.into())
    }
}

fn cipher(key: &Key, salt: &[u8; SALT]) -> Option<LessSafeKey> {
    let bytes = key.derive::<32>(salt, &[&[SEALED], &key.id()]);
    Some(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes[..]).ok()?))
}

fn zero() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn aad(id: KeyId, slot: &Slot, revision: Revision) -> Vec<u8> {
    [&[SEALED][..], &id, &revision.number().to_be_bytes(), slot.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests;
