//! Where nobody can tell whether a process lives: claims end by themselves.

use bytes::Bytes;

/// This process.
pub(super) fn this_process() -> Bytes {
    Bytes::new()
}

/// Whether it is a process that has surely ended.
pub(super) fn is_dead(_: &[u8]) -> bool {
    false
}
