//! [`Issued`]: a token that may be printed, and when it expires by everybody's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tower_reauth::Lease;

use super::timestamp::timestamp;
use crate::vendor::Vendor;

/// A token that may be printed: none has a line break, a space or a NUL in it.
pub(super) struct Issued {
    lease: Lease,
    left: Option<Duration>,
    expires_at: Option<u64>,
}

impl Issued {
    pub(super) fn new(lease: Lease) -> Self {
        let left = lease.remaining();
        // Too early rather than too late.
        let at = left.and_then(|left| SystemTime::now().checked_add(left)?.duration_since(UNIX_EPOCH).ok());
        Self { lease, left, expires_at: at.map(|at| at.as_secs()) }
    }

    pub(super) fn token(&self) -> &str {
        self.lease.token().expose_secret()
    }

    /// When it expires, in seconds since 1970, if that is known.
    pub(super) fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// All that is known of it.
    pub(super) fn json(&self, vendor: &Vendor) -> String {
        let json = json!({
            "token": self.token(),
            "expires_at": self.expires_at.map(timestamp),
            "expires_in": self.left.map(|left| left.as_secs()),
            "header": vendor.header.as_ref().map(http::HeaderName::as_str),
            "scheme": vendor.scheme,
        });
        format!("{json}\n")
    }
}
