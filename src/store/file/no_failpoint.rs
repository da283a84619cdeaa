//! Nobody is killed outside tests.

#[inline]
pub(super) fn reached(_: &str) {}
