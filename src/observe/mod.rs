//! What happens, for logs and metrics. Each event is told once; without their features both listeners are empty.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{AuthError, AuthErrorKind, Reason};

#[cfg_attr(not(feature = "tracing"), path = "no_logs.rs")]
mod logs;
#[cfg_attr(not(feature = "metrics"), path = "no_metrics.rs")]
mod metrics;

pub(crate) use logs::within_flight;

/// Whether somebody wants to hear of [`Event::Used`].
pub(crate) const EACH_USE: bool = metrics::EACH_USE;

/// Something that an operator wants to know of. Holds no secret.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    expect(dead_code, reason = "one listener alone doesn't want to know everything")
)]
pub(crate) enum Event<'a> {
    /// A flight brought a token.
    Acquired { generation: u64, took: Duration, remaining: Option<Duration> },
    /// A flight failed.
    NotAcquired { error: &'a AuthError, took: Duration },
    /// A flight was superseded, or lost with its runtime.
    Superseded,
    /// A server rejected the newest token.
    Rejected { generation: u64, reason: Reason },
    /// A request is sent for the second time.
    Replayed { generation: u64 },
    /// A request goes out with a rejected token, or is not replayed, since acquiring is paused.
    Paused { until: Option<Instant> },
    /// A call fails without asking the token endpoint.
    FailedFast { error: &'a AuthError },
    /// A call has waited for a flight since then.
    Waited { since: Instant },
    /// A token is used that is valid until then, if that is known.
    Used { expires_at: Option<Instant>, now: Instant },
}

/// Who the events are about.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    credential: Arc<str>,
    meters: metrics::Meters,
}

impl Observer {
    pub(crate) fn new(credential: &str) -> Self {
        let credential = Arc::from(credential);
        Self { meters: metrics::Meters::new(&credential), credential }
    }

    /// The credential's name.
    pub(crate) fn credential(&self) -> &Arc<str> {
        &self.credential
    }

    #[inline]
    pub(crate) fn tell(&self, event: Event<'_>) {
        logs::record(&self.credential, event);
        self.meters.record(&self.credential, event);
    }

    /// Tells why a caller gets no token without anybody being asked for it.
    pub(crate) fn tell_refusal(&self, error: &AuthError) {
        self.tell(match error.kind() {
            AuthErrorKind::Paused => Event::Paused { until: error.retry_at() },
            _ => Event::FailedFast { error },
        });
    }
}
