//! Without the feature `client`.

use crate::error::BoxError;

pub(super) fn tell_cause(_: &mut BoxError) -> Option<String> {
    None
}
