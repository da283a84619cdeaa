//! [`Body`]: the bytes of a record that a store keeps and doesn't look into.

use std::fmt;

use bytes::Bytes;

/// The bytes of a record that a store keeps and doesn't look into. They may hold tokens, so `Debug` shows their number
/// alone.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::Body;
///
/// let body = Body::from(&b"sealed"[..]);
/// assert_eq!(&body.as_bytes()[..], b"sealed");
/// assert_eq!(format!("{body:?}"), "[6 bytes]");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(Bytes);

impl Body {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(bytes))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}
