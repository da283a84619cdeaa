//! The first byte of a stored body: what was done to the rest.

/// Nothing.
pub(super) const PLAIN: u8 = 0;

/// It is sealed with AES-256-GCM.
pub(super) const SEALED: u8 = 1;
