//! A token in the cache, and the lease of it that one attempt uses.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::access_token::AccessToken;
use crate::time::after;

/// How far the wall clock has to be past a token's expiry. It is set now and then, and a sleep takes longer than that.
const SLACK: Duration = Duration::from_secs(1);

/// A token in the cache, with what the cache knows of it. Never changes.
///
/// There may be a million of them, so its moments are kept as distances, which take half of what moments take.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) token: AccessToken,
    /// Counts the cache's tokens. A rejection names it, so that a late one can't hit a newer token.
    pub(crate) generation: u64,
    /// When it was put into the cache.
    pub(super) acquired_at: Instant,
    stale_in: Distance,
    expires_in: Distance,
    /// By the wall clock, from the Unix epoch.
    wall_expires_in: Distance,
}

/// When what becomes of a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    /// When it was put into the cache.
    pub(super) acquired_at: Instant,
    /// From here on it should be renewed. Never later than it expires.
    pub(super) stale_at: Option<Instant>,
    /// From here on it is unusable.
    pub(super) expires_at: Option<Instant>,
    /// The same by the wall clock, which goes on while the machine sleeps.
    pub(super) wall_expires_at: Option<SystemTime>,
}

/// How far a moment is from another one, in nanoseconds, if there is one. Beyond 292 years it comes then.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Distance(i64);

impl Distance {
    const NONE: Self = Self(0);
    const ENDLESS: Self = Self(i64::MAX);

    fn between(from: Instant, to: Option<Instant>) -> Self {
        to.map_or(Self::ENDLESS, |to| match to.checked_duration_since(from) {
            Some(ahead) => Self::ahead(ahead),
            None => Self(-Self::ahead(from.saturating_duration_since(to)).0),
        })
    }

    fn ahead(distance: Duration) -> Self {
        Self(i64::try_from(distance.as_nanos()).unwrap_or(i64::MAX).min(i64::MAX - 1))
    }

    fn from(self, from: Instant) -> Option<Instant> {
        let distance = Duration::from_nanos(self.0.unsigned_abs());
        match self.0 {
            i64::MAX => None,
            0.. => Some(after(from, distance)),
            _ => from.checked_sub(distance),
        }
    }

    /// How much further it is than `other`.
    fn beyond(self, other: Self) -> Option<Duration> {
        let left = self.0.saturating_sub(other.0).max(0).unsigned_abs();
        (self != Self::ENDLESS).then_some(Duration::from_nanos(left))
    }
}

impl Entry {
    pub(super) fn new(token: AccessToken, generation: u64, moments: Moments) -> Self {
        let Moments { acquired_at, stale_at, expires_at, wall_expires_at } = moments;
        let since_epoch = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            token,
            generation,
            acquired_at,
            stale_in: Distance::between(acquired_at, stale_at),
            expires_in: Distance::between(acquired_at, expires_at),
            wall_expires_in: wall_expires_at.map_or(Distance::ENDLESS, |at| Distance::ahead(since_epoch(at))),
        }
    }

    /// From when on it should be renewed, if that is known. Never later than it expires.
    pub(crate) fn stale_at(&self) -> Option<Instant> {
        self.stale_in.from(self.acquired_at)
    }

    /// From when on it is unusable, if that is known.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.expires_in.from(self.acquired_at)
    }

    /// How old it is. Whoever wants to know more than one thing of a moment asks for this once.
    #[inline]
    pub(super) fn age(&self, now: Instant) -> Distance {
        Distance::ahead(now.saturating_duration_since(self.acquired_at))
    }

    /// How long it is valid yet at this age, if that is known.
    #[inline]
    pub(super) fn remaining_at(&self, age: Distance) -> Option<Duration> {
        self.expires_in.beyond(age)
    }

    #[inline]
    pub(super) fn is_expired_at(&self, age: Distance) -> bool {
        self.expires_in <= age
    }

    #[inline]
    pub(super) fn is_stale_at(&self, age: Distance) -> bool {
        self.stale_in <= age
    }

    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.is_expired_at(self.age(now))
    }

    /// Whether it has clearly expired by the wall clock, which shows `now`. That alone is no reason not to use it.
    pub(super) fn is_expired_on_the_wall(&self, now: SystemTime) -> bool {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let over = since_epoch.checked_sub(SLACK).map(Distance::ahead);
        over.is_some_and(|over| self.wall_expires_in.0 <= over.0)
    }

    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.is_stale_at(self.age(now))
    }

    /// Whether it has lived for a quarter of its lifetime, so that it may be over: lifetimes are counted in whole
    /// seconds, or not as they were told. What counts is the time it has been here, and what was left when it came.
    pub(super) fn may_be_over(&self, now: Instant) -> bool {
        let Some(lifetime) = self.remaining_at(Distance::NONE) else { return false };
        !lifetime.is_zero() && Distance::ahead(lifetime / 4) <= self.age(now)
    }

    /// Whether it is valid, and lives for another `min_ttl` or is as fresh as one with its lifetime can be.
    pub(super) fn lives_for(&self, min_ttl: Duration, now: Instant) -> bool {
        let age = self.age(now);
        let (lifetime, remaining) = (self.remaining_at(Distance::NONE), self.remaining_at(age));
        let (Some(lifetime), Some(remaining)) = (lifetime, remaining) else { return true };
        !self.is_expired_at(age) && (remaining >= min_ttl || (lifetime <= min_ttl && !self.is_stale_at(age)))
    }
}

/// A token as one attempt uses it: what [`TokenCache::reject`](super::TokenCache::reject) wants to be shown, so
/// that it can tell a token that is still current from one that has been replaced since.
///
/// # Examples
///
/// ```
/// # async fn example(tokens: &tower_reauth::TokenCache) -> Result<(), tower_reauth::AuthError> {
/// use std::time::Duration;
///
/// let lease = tokens.get(Duration::from_secs(60)).await?;
/// println!("token {} is good for {:?}", lease.generation(), lease.remaining());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Lease {
    entry: Arc<Entry>,
    standing: Standing,
}

/// Whether a token is known to be bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    /// A server rejected it, but it is the newest there is for now.
    Rejected,
}

impl Lease {
    pub(super) fn new(entry: Arc<Entry>, standing: Standing) -> Self {
        Self { entry, standing }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &AccessToken {
        &self.entry.token
    }

    /// Counts the tokens of one cache; a later token has a higher number.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.entry.generation
    }

    /// When the token expires, if that is known.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        self.entry.expires_at()
    }

    /// How long the token is valid from now on, if that is known; zero when it has expired.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.entry.expires_at().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether a server has rejected this token already. Such a lease is handed out while acquiring is paused, so
    /// that requests can be tried once with the newest token there is.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.standing == Standing::Rejected
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("generation", &self.entry.generation)
            .field("expires_at", &self.entry.expires_at())
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}
