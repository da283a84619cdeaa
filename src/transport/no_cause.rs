//! Without the feature `client`.

use crate::error::{AcquireErrorKind, BoxError};

pub(super) fn tell_cause(_: &mut BoxError) -> Option<(AcquireErrorKind, String)> {
    None
}
