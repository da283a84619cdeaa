//! [`Digest`]: what stands for something without telling it.

use std::fmt;

use super::hex;

/// The SHA-256, or HMAC-SHA-256, of something that isn't told itself.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::Digest;
///
/// let digest = Digest::new([0xab; 32]);
/// assert!(digest.to_string().starts_with("abab"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest that these bytes are.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        hex::read(text).map(Self)
    }
}

/// 64 digits of lower-case hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
