//! [`Slot`]: whose token it is.

use std::fmt;

use super::digest::Digest;
use crate::error::{ConfigError, ConfigErrorKind};

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// Whose token it is: a name that the program chose, and a digest of what the credential says of itself. No part of it is
/// secret, and none depends on the keys that records are sealed with.
///
/// `Display` is what a store files it under: the name, a dot and 64 hexadecimal digits.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::{Digest, Slot};
///
/// # fn main() -> Result<(), tower_reauth::ConfigError> {
/// let slot = Slot::new("billing", Digest::new([0; 32]))?;
/// assert!(slot.to_string().starts_with("billing.0000"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    name: Box<str>,
    digest: Digest,
}

impl Slot {
    /// The slot of this name, for a credential with this digest.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Store`] for a name that isn't 1 to 64 lower-case letters, digits, `-` and `_`: some stores have
    /// files, and there are file systems to which upper and lower case are the same.
    pub fn new(name: &str, digest: Digest) -> Result<Self, ConfigError> {
        let fits =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
            let words = "a slot's name is 1 to 64 lower-case letters, digits, - and _; choose another one";
            return Err(ConfigError::new(ConfigErrorKind::Store, words));
        }
        Ok(Self { name: name.into(), digest })
    }

    /// The slot of the same name, for the credential with this digest.
    pub(super) fn with_digest(&self, digest: Digest) -> Self {
        Self { name: self.name.clone(), digest }
    }

    /// The name that the program chose.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the credential says of itself.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.digest)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
