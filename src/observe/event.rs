//! [`Event`]: what an operator may want to know of.

use std::time::Duration;

use tokio::time::Instant;

use super::reason::Reason;
use crate::error::{AuthError, StoreError};

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
    /// A flight found a token that another process had acquired.
    Adopted { generation: u64, remaining: Option<Duration> },
    /// The store has answered who is to acquire a token.
    Claimed { answer: &'static str },
    /// A token was saved for other processes, or wasn't, or there was a newer one.
    Saved { outcome: &'static str },
    /// The store couldn't be asked. Told once, until it can be.
    StoreLost { error: &'a StoreError },
    /// The store can be asked again, after so long.
    StoreBack { after: Duration },
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
    /// A token is used that is valid for so long yet, if that is known.
    Used { remaining: Option<Duration> },
}
