//! [`Nonce`]: which flight it is that asks.

use std::{collections::hash_map::RandomState, fmt, hash::BuildHasher, process, time::SystemTime};

use super::hex;

/// What one flight is known by, in all processes. Each flight has one of its own, and says it with all that it asks of
/// a [`Store`](super::Store), so that what is asked twice is done once.
///
/// It isn't secret, and needn't be impossible to guess.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::Nonce;
///
/// assert_ne!(Nonce::random(), Nonce::random());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// No flight's.
    pub(super) const NOBODY: Self = Self([0; 16]);

    /// A nonce that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        // Keyed with 128 bits of the system's randomness in each thread. Clock and process are for machines that were
        // copied while they ran.
        let half = || RandomState::new().hash_one((SystemTime::now(), process::id())).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&half());
        bytes[8..].copy_from_slice(&half());
        Self(bytes)
    }

    /// The nonce that these bytes are.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        hex::read(text).map(Self)
    }
}

/// 32 digits of lower-case hexadecimal.
impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
