//! Spans and events for `tracing`. See the table in the crate's documentation.

use std::time::Duration;

use http::Uri;
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span, instrument::Instrumented, warn};

use super::{event::Event, passed::Passed, reason::Reason};
use crate::error::AuthError;

/// The span in which a credential is asked, whatever it logs itself included.
pub(crate) fn within_flight<F: Future>(credential: &str, reason: Reason, flight: F) -> Instrumented<F> {
    // A flight belongs to no request, so it is no request's child.
    flight.instrument(debug_span!(parent: None, "acquire", credential, ?reason))
}

pub(super) fn record(credential: &str, event: Event<'_>) {
    match event {
        Event::Acquired { generation, took, remaining } => {
            debug!(
                credential,
                generation,
                ?took,
                remaining = remaining.map(tracing::field::debug),
                "acquired"
            );
        }
        Event::NotAcquired { error, took } => {
            let retry_in = error.retry_at().map(time_until).map(tracing::field::debug);
            warn!(credential, error = %Chain(error), ?took, retry_in, "acquiring failed");
        }
        Event::Adopted { generation, remaining } => {
            let remaining = remaining.map(tracing::field::debug);
            debug!(credential, generation, remaining, "another process had a token");
        }
        Event::Claimed { answer } => debug!(credential, answer, "asked the store"),
        Event::Saved { outcome } => debug!(credential, outcome, "saved for other processes"),
        Event::StoreLost { error } => warn!(credential, error = %error, "the store can't be asked"),
        Event::StoreBack { after } => debug!(credential, ?after, "the store can be asked again"),
        Event::Superseded => debug!(credential, "acquiring was superseded or lost"),
        Event::Rejected { generation, reason } => debug!(credential, generation, ?reason, "token rejected"),
        Event::Replayed { generation } => debug!(credential, generation, "replaying"),
        Event::Paused { until } => {
            debug!(
                credential,
                retry_in = until.map(time_until).map(tracing::field::debug),
                "acquiring is paused"
            );
        }
        Event::FailedFast { error } => {
            let retry_in = error.retry_at().map(time_until).map(tracing::field::debug);
            debug!(credential, error = %error, retry_in, "failing without asking");
        }
        Event::Waited { since } => debug!(credential, waited = ?since.elapsed(), "waited for a token"),
        // For every request: a metric, but no log line.
        Event::Used { .. } => {}
    }
}

/// Of the URI only what an origin is made of: what else is in it may be secret.
pub(super) fn record_passage(origin: &str, why: Passed, uri: &Uri) {
    debug!(
        origin,
        reason = ?why,
        scheme = uri.scheme_str(),
        host = uri.host(),
        port = uri.port_u16(),
        "passed without a token"
    );
}

fn time_until(at: Instant) -> Duration {
    at.saturating_duration_since(Instant::now())
}

/// The error with the credential's own. Not further down, where texts are others'.
struct Chain<'a>(&'a AuthError);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        match self.0.acquire_error() {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}
