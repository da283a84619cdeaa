//! [`Watch`]: sees the frames of a body pass, and changes none.

use bytes::Bytes;
use http_body::Frame;

use crate::error::BoxError;

/// Sees the frames of a body pass. What it makes of them is its own business.
pub(crate) trait Watch: Send + Sync {
    /// Sees what a body has given: a frame, its failure, or its end. Is called for each, until it says that it has seen
    /// enough. Must not block.
    fn see(&self, given: Option<&Result<Frame<Bytes>, BoxError>>) -> Seen;
}

/// Whether there is more to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    SoFar,
    Enough,
}
