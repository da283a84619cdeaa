//! [`Keys`]: what records are sealed with, and what they may have been sealed with.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use secrecy::{ExposeSecret, SecretBox, zeroize::Zeroizing};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::{SecretSource, Supply},
};

/// The keys for records: one to seal with, and others that records may have been sealed with.
///
/// A key is 32 random bytes in base64, as `openssl rand -base64 32` prints them. It is read when the store is built, and
/// then stays for as long as the program runs. `Debug` shows no key.
///
/// To change it: first [`accept`](Self::accept) the new one everywhere, then seal with the new one and accept the old
/// one everywhere, and drop the old one when all records have been written since.
///
/// # Examples
///
/// ```
/// use tower_reauth::{SecretSource, store::Keys};
///
/// let keys = Keys::new(SecretSource::env("TOKENS_KEY")).accept(SecretSource::file("/run/secrets/tokens-key-2025"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Keys {
    current: SecretSource,
    accepted: Vec<SecretSource>,
}

impl Keys {
    /// Seals with this key, and opens what was sealed with it.
    pub fn new(current: impl Into<SecretSource>) -> Self {
        Self { current: current.into(), accepted: Vec::new() }
    }

    /// Opens what was sealed with this key, too.
    pub fn accept(mut self, key: impl Into<SecretSource>) -> Self {
        self.accepted.push(key.into());
        self
    }

    /// Reads them all, the one to seal with first.
    pub(super) fn read(&self) -> Result<Vec<Key>, ConfigError> {
        [&self.current].into_iter().chain(&self.accepted).map(Key::read).collect()
    }
}

/// The id of a key, which is told with each record: it follows from the key and says nothing of it.
pub(super) type KeyId = [u8; 8];

/// One key.
pub(super) struct Key {
    id: KeyId,
    master: SecretBox<[u8; 32]>,
}

impl Key {
    fn read(source: &SecretSource) -> Result<Self, ConfigError> {
        let refuse = |words: String| Err(ConfigError::new(ConfigErrorKind::Secret, words));
        if let Supply::Ask(_) = source.0 {
            let words = "a key to seal with can't come from a closure that is waited for; read it first";
            return refuse(words.to_owned());
        }
        let text = source.0.peek("key to seal with")?;
        let decoded = BASE64_STANDARD.decode(text.expose_secret()).map(Zeroizing::new);
        let Some(bytes) = decoded.ok().and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok()) else {
            let words =
                "the key to seal with is not 32 bytes in base64; `openssl rand -base64 32` prints one";
            return refuse(match source.0.may_change() {
                true => format!("{words}: {source:?}"),
                false => words.to_owned(),
            });
        };
        Ok(Self::from(bytes))
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// The key's key for one purpose, given as what to extract and to expand with (RFC 5869).
    pub(super) fn derive<const N: usize>(&self, salt: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
        expand(&extract(self.master.expose_secret(), salt), info)
    }
}

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Self {
        let id = *expand(&extract(&bytes, b"tower-reauth"), &[b"key id"]);
        Self { id, master: SecretBox::new(Box::new(bytes)) }
    }
}

fn extract(master: &[u8; 32], salt: &[u8]) -> Prk {
    Salt::new(HKDF_SHA256, salt).extract(master)
}

fn expand<const N: usize>(extracted: &Prk, info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    let filled = extracted.expand(info, Length(N)).and_then(|okm| okm.fill(&mut bytes[..]));
    filled.expect("a few bytes are fewer than 255 times those of SHA-256");
    bytes
}

/// So many bytes.
#[derive(Clone, Copy)]
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
