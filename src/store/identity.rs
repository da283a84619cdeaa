//! What stands for what a credential says of itself.

use ring::digest::{Context, SHA256};

use super::digest::Digest;

/// The SHA-256 of these names and values, with their lengths, so that no two lists are alike.
pub(super) fn digest_of(parts: &[(&str, &[u8])]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(b"tower-reauth slot");
    for bytes in parts.iter().flat_map(|(name, value)| [name.as_bytes(), value]) {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Digest::new(digest)
}
