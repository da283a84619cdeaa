//! Without the feature `tracing`.

use http::Uri;

use super::{event::Event, passed::Passed, reason::Reason};

#[inline]
pub(super) fn record(_: &str, _: Event<'_>) {}

#[inline]
pub(super) fn record_passage(_: &str, _: Passed, _: &Uri) {}

#[inline]
pub(crate) fn within_flight<F: Future>(_: &str, _: Reason, flight: F) -> F {
    flight
}
