//! How the cache is at one moment, as far as an observer can tell.

use std::{sync::Arc, time::Duration};

use tokio::{task::Id, time::Instant};
use tower_reauth::{AuthErrorKind, Reason};

/// The newest token that was handed to the cache.
#[derive(Clone, Debug)]
pub(crate) struct Newest {
    pub(crate) text: Arc<str>,
    pub(crate) generation: u64,
    pub(crate) acquired_at: Instant,
    /// When it was handed out last; the same token may come again.
    pub(crate) handed_at: Instant,
    pub(crate) expires_at: Option<Instant>,
    /// It isn't stale before that.
    pub(crate) stale_from: Option<Instant>,
    /// A server accepted it.
    pub(crate) accepted: bool,
    /// It is known to be rejected, and no other is asked for until then.
    pub(crate) paused_until: Option<Instant>,
    /// It was rejected when it had lived long enough to have expired: another may be asked for at once.
    pub(crate) ended: bool,
}

impl Newest {
    pub(crate) fn is_rejected(&self) -> bool {
        self.paused_until.is_some()
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether a rejection now is its natural end.
    pub(crate) fn ends(&self, now: Instant) -> bool {
        let life = self.expires_at.map(|at| at.saturating_duration_since(self.acquired_at));
        let lived = |life: Duration| !life.is_zero() && now >= self.acquired_at + life / 4;
        self.accepted && life.is_some_and(lived)
    }

    pub(crate) fn may_be_stale(&self, now: Instant) -> bool {
        self.stale_from.is_some_and(|at| at <= now)
    }

    /// Whether it surely lives for `min_ttl`, or is as fresh as one with its lifetime can be.
    pub(crate) fn surely_lives_for(&self, min_ttl: Duration, now: Instant) -> bool {
        let Some(expires_at) = self.expires_at else { return true };
        let fresh = expires_at - self.acquired_at <= min_ttl && !self.may_be_stale(now);
        expires_at > now && (expires_at - now >= min_ttl || fresh)
    }
}

/// The last flight's failure.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: AuthErrorKind,
    pub(crate) in_a_row: u32,
    pub(crate) at: Instant,
    /// Nobody may ask before that.
    pub(crate) no_flight_before: Instant,
    /// Nobody may be refused because of it after that.
    pub(crate) over_at: Instant,
}

impl Failure {
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self.kind, AuthErrorKind::Unavailable | AuthErrorKind::TimedOut)
    }
}

/// What is to follow in a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The answer of the call that is under way.
    Answer,
    /// The same again, by then.
    Again { by: Instant },
    /// Another grant, at once.
    OtherGrant { at: Instant },
}

#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) id: u64,
    /// The task that makes its calls: each flight has one of its own.
    pub(crate) task: Option<Id>,
    pub(crate) deadline: Instant,
    /// Where it kills the token, nobody who can use that waits for it after that.
    pub(crate) patience_until: Instant,
    pub(crate) reason: Reason,
    pub(crate) tries: u32,
    pub(crate) next: Next,
}

/// How the cache is at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) newest: Option<Newest>,
    pub(crate) failure: Option<Failure>,
    pub(crate) flight: Option<Flight>,
}

/// Why a flight might begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// There is no token, or it has expired, or may be stale, or somebody wants one that lives longer.
    Want,
    Rejection,
    /// It was rejected, but it is too early to ask for another.
    Pause,
    /// There is a good one.
    Nothing,
}

/// A flight that came to its own end.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) at: Instant,
    pub(crate) reason: Reason,
    /// What it brought was rejected at the same instant, so that those who waited have to wait again.
    pub(crate) in_vain: bool,
}

/// The newest token as a grant.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) refresh: Option<Arc<str>>,
    pub(crate) flight: u64,
}
