//! Without the feature `tracing`.

use super::{event::Event, reason::Reason};

#[inline]
pub(super) fn record(_: &str, _: Event<'_>) {}

#[inline]
pub(crate) fn within_flight<F: Future>(_: &str, _: Reason, flight: F) -> F {
    flight
}
