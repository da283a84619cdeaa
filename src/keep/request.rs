//! [`KeptRequest`]: head and body as they are kept.

use std::fmt;

use super::head::KeptHead;

/// A request as it can be sent again.
pub(crate) struct KeptRequest<T> {
    pub(crate) head: KeptHead,
    pub(crate) body: T,
}

impl<T> fmt::Debug for KeptRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptRequest").finish_non_exhaustive()
    }
}
