//! What the client of the feature `client` says of an error's cause.

use super::client::ClientError;
use crate::error::{AcquireErrorKind, BoxError};

/// Why there is `error`, in words of ours that it doesn't repeat, and what kind of failure it is of an acquisition.
pub(super) fn tell_cause(error: &mut BoxError) -> Option<(AcquireErrorKind, String)> {
    error.downcast_mut().and_then(ClientError::tell_cause)
}
