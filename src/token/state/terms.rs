//! What the state is asked, and what it answers: to callers, and to the flight.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use crate::{
    error::{AcquireError, AuthError},
    observe::Reason,
    store::{Rejection, Revision},
    token::{access_token::AccessToken, description::Grants, lease::Lease, policy::RefreshPolicy},
};

/// What somebody wants of the cache.
#[derive(Clone, Copy, Debug)]
pub(in crate::token) enum Want {
    /// A token that lives for at least this long.
    Token { min_ttl: Duration },
    /// Another token than this generation.
    Newer { than: u64 },
}

impl Want {
    pub(super) fn min_ttl(self) -> Duration {
        match self {
            Self::Token { min_ttl } => min_ttl,
            Self::Newer { .. } => Duration::ZERO,
        }
    }
}

/// What to do about it now.
#[derive(Debug)]
pub(in crate::token) enum Step {
    Use(Lease),
    /// Use it, and let a flight renew it in the background.
    UseAndRenew(Lease, Reason),
    /// Wait for the running flight.
    Wait,
    /// Begin a flight, then wait for it.
    Begin(Reason),
    Fail(AuthError),
}

/// How long a stale token can be used without asking what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::token) enum Quiet {
    No,
    Until(Instant),
    UntilItExpires,
}

/// What a flight is to ask for.
#[derive(Debug)]
pub(in crate::token) struct Order {
    pub(in crate::token) id: u64,
    pub(in crate::token) reason: Reason,
    pub(in crate::token) previous: Option<AccessToken>,
    pub(in crate::token) grants: Grants,
    /// That of the moment at which the flight began.
    pub(in crate::token) policy: Arc<RefreshPolicy>,
    pub(in crate::token) deadline: Instant,
    /// What is known here of what other processes may know more of.
    pub(in crate::token) known: Known,
    /// It doesn't wait for what other processes have been told.
    pub(in crate::token) insists: bool,
    pub(in crate::token) errand: Errand,
}

/// What a flight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::token) enum Errand {
    /// A token, from wherever it can be had.
    Acquire,
    /// One that another process has got. Nobody is asked for another, and where there is none all is as before.
    Look,
}

/// What one process knows of the token that it shares with others.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::token) struct Known {
    /// Nothing but a newer one is taken from others.
    pub(in crate::token) revision: Revision,
    /// When this process saved it, if it did.
    pub(in crate::token) saved_at: Option<Instant>,
    /// That a server has rejected it, if that is why the flight begins.
    pub(in crate::token) rejection: Option<Rejection>,
    /// Whether a server has accepted it here.
    pub(in crate::token) accepted: bool,
    /// Until when it can be used, if it can.
    pub(in crate::token) valid_until: Option<Instant>,
}

/// How a flight ended, for those who waited.
#[derive(Clone, Debug)]
pub(in crate::token) enum Landing {
    Landed(Lease),
    Failed(AuthError),
    /// It was superseded or lost: look again.
    Moved,
}

/// A token, and the moment from which its lifetime counts if it doesn't say so itself.
#[derive(Debug)]
pub(in crate::token) struct Catch {
    pub(in crate::token) token: AccessToken,
    pub(in crate::token) asked_at: Instant,
    /// The same moment by the wall clock.
    pub(in crate::token) wall_asked_at: SystemTime,
}

/// A token that another process has got, or this one before it was started again.
#[derive(Debug)]
pub(in crate::token) struct Adopted {
    /// With what is left of its lifetime.
    pub(in crate::token) catch: Catch,
    pub(in crate::token) revision: Revision,
    /// The whole of its lifetime, by which it is renewed in time.
    pub(in crate::token) lifetime: Option<Duration>,
}

/// Why a flight brought nothing, and whether the refresh grant it may have used is still good.
#[derive(Debug)]
pub(in crate::token) struct Miss {
    pub(in crate::token) error: Arc<AcquireError>,
    pub(in crate::token) grant_intact: bool,
}
