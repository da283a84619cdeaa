//! Without the feature `tracing`.

use http::Uri;

#[inline]
pub(crate) fn tell_tunnel(_: &str, _: &Uri) {}
