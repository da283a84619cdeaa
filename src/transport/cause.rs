//! What the client of the feature `client` says of an error's cause.

use super::client::ClientError;
use crate::error::BoxError;

/// Why there is `error`, in words of ours that it doesn't repeat.
pub(super) fn tell_cause(error: &mut BoxError) -> Option<String> {
    error.downcast_mut().and_then(ClientError::tell_cause)
}
