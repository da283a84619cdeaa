//! The cache's whole state and its transitions: pure, given the time. What may be used, what has to be waited
//! for, and when to stop asking are decided here and nowhere else.
//!
//! - There is at most one flight.
//! - A rejection counts only against the newest generation; a generation never comes back.
//! - What a flight brings counts only while it is still *the* flight; a superseded one can only save a rotated
//!   refresh token.

mod common;
mod decide;
mod failing;
mod grant;
mod terms;

use std::{sync::Arc, time::Duration};

pub(super) use terms::{Adopted, Catch, Errand, Known, Landing, Miss, Order, Quiet, Step, Want};
use tokio::time::Instant;

use super::{
    access_token::AccessToken,
    budget::Budget,
    description::{Description, Grants, Renewal},
    lease::{Entry, Lease, Moments, Standing},
    policy::RefreshPolicy,
    refresh_tokens::RefreshTokens,
};
use crate::{error::AuthError, observe::Reason, store::Revision, time::after};

/// How often a credential is asked for a new secret while calls fail fast.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long an early renewal that kills the token is waited for, from the flight's begin.
const PATIENCE: Duration = Duration::from_secs(1);

/// `F` is what the cache attaches to the running flight: its task and its waiters.
#[derive(Debug)]
pub(super) struct State<F> {
    policy: Arc<RefreshPolicy>,
    renewal: Renewal,
    grants: Grants,
    /// Where the credential keeps its refresh token, if it does: then the one that came with the token counts for nothing.
    refresh_tokens: Option<RefreshTokens>,
    rng: fastrand::Rng,
    /// This instance's place in the spread of early renewals, 0 to 1.
    spread: f64,
    newest: Option<Newest>,
    grant: Option<Grant>,
    /// Rejections in a row, since a generation was accepted.
    rejections: u32,
    budget: Budget,
    // On their own, as most of the time there are none, and caches are many.
    failure: Option<Box<Failure>>,
    flight: Option<Box<Flight<F>>>,
    generations: u64,
    flights: u64,
    /// What there is beside all this where other processes share the token.
    common: Option<Box<Common>>,
}

/// What a cache has in mind of the processes that share its token.
#[derive(Debug, Default)]
struct Common {
    /// The newest revision that was ever seen here. Nothing but a newer one is taken from others.
    known: Revision,
    /// What they know the newest token by, if they know it.
    saved: Option<Saved>,
    /// When others were last asked whether they have something, in spite of a reason not to ask for a token.
    looked_at: Option<Instant>,
    /// Since when there has been a token that the others should have and haven't.
    unsaved_since: Option<Instant>,
    /// How many flights of others have failed in a row, as far as the last flight here has heard.
    failures: u32,
    /// The next flight doesn't wait for what others have been told: the program has asked for a new try, or has a new secret.
    insists: bool,
    /// All processes together count rejections in a row, as far as is known here, and haven't heard of a token that was accepted.
    has_row: bool,
}

/// What other processes know a generation by, and when this one saved it, if it has.
#[derive(Clone, Copy, Debug)]
struct Saved {
    generation: u64,
    revision: Revision,
    at: Option<Instant>,
}

#[derive(Debug)]
struct Newest {
    entry: Arc<Entry>,
    /// A server accepted it, and the token endpoint hasn't handed it out again after a rejection.
    accepted: bool,
    rejected: Option<Rejected>,
    /// A static key that was rejected after it was last accepted. It stays in use.
    doubted: bool,
}

impl Newest {
    /// Whether a rejection now is its natural end: it was good, and has lived long enough to have expired.
    fn has_ended(&self, now: Instant) -> bool {
        self.accepted && self.entry.may_be_over(now)
    }

    fn lease(&self) -> Lease {
        let standing = if self.rejected.is_some() { Standing::Rejected } else { Standing::Good };
        Lease::new(self.entry.clone(), standing)
    }
}

#[derive(Clone, Copy, Debug)]
struct Rejected {
    reason: Reason,
    death: Death,
}

/// What a rejection says of the progress that tokens make.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// Nothing: whatever lives as long as that may die.
    Natural,
    /// That there may be none. Another token counts against the budget, and isn't acquired before then.
    Early { pause_until: Instant },
}

/// The newest token as something that the next one can be got with.
#[derive(Debug)]
struct Grant {
    token: AccessToken,
    /// The flight that brought it.
    flight: u64,
    /// It was sent, and not known to be still good after that.
    spent: bool,
}

#[derive(Debug)]
struct Failure {
    error: AuthError,
    /// The last one that failed.
    flight: u64,
    in_a_row: u32,
    since: Instant,
    /// Calls fail at once until then.
    retry_at: Option<Instant>,
    /// When the credential was last asked for a new secret.
    looked_at: Option<Instant>,
}

impl Failure {
    /// That `flight` has failed, as `in_a_row`th, with what callers are told.
    fn of(
        error: &AuthError,
        flight: u64,
        in_a_row: u32,
        since: Instant,
        retry_at: Option<Instant>,
    ) -> Box<Self> {
        Box::new(Self { error: error.clone(), flight, in_a_row, since, retry_at, looked_at: None })
    }
}

#[derive(Debug)]
pub(super) struct Flight<F> {
    pub(super) id: u64,
    pub(super) deadline: Instant,
    pub(super) attached: F,
    reason: Reason,
    /// If it kills the token, nobody who could use that waits for it any longer than that.
    patience_until: Instant,
    /// It only looks whether another process has a token.
    looks: bool,
}

impl<F> State<F> {
    pub(super) fn new(policy: Arc<RefreshPolicy>, credential: &Description, mut rng: fastrand::Rng) -> Self {
        let spread = rng.f64();
        Self {
            policy,
            renewal: credential.renewal,
            grants: credential.grants,
            refresh_tokens: credential.refresh_tokens.clone(),
            rng,
            spread,
            newest: None,
            grant: None,
            rejections: 0,
            budget: Budget::default(),
            failure: None,
            flight: None,
            generations: 0,
            flights: 0,
            common: None,
        }
    }

    pub(super) fn policy(&self) -> &Arc<RefreshPolicy> {
        &self.policy
    }

    /// Has `policy` decide from now on, with a full budget. What was decided by the one before it stands: when the token
    /// is stale, how long a pause or a failure lasts, and all of a flight that has begun.
    pub(super) fn set_policy(&mut self, policy: RefreshPolicy) {
        self.budget = Budget::default();
        self.policy = Arc::new(policy);
    }

    pub(super) fn flight(&self) -> Option<&Flight<F>> {
        self.flight.as_deref()
    }

    /// The token that may be used without asking again, until it is stale. One that a renewal is about to kill is held
    /// back for a while, and may be used again when nothing has changed but the time.
    pub(super) fn published(&self, now: Instant) -> Option<&Arc<Entry>> {
        let newest = self.newest.as_ref().filter(|newest| newest.rejected.is_none())?;
        (!self.is_held_back(now)).then_some(&newest.entry)
    }

    /// The newest token, whatever is wrong with it.
    pub(super) fn newest(&self) -> Option<&Arc<Entry>> {
        self.newest.as_ref().map(|newest| &newest.entry)
    }

    /// Takes down that a server accepted `generation`.
    pub(super) fn accept(&mut self, generation: u64) {
        if let Some(newest) = self.newest.as_mut().filter(|newest| newest.entry.generation == generation) {
            (newest.accepted, newest.doubted) = (true, false);
            self.rejections = 0;
        }
    }

    /// Takes down that a server rejected `generation`. Returns whether that is news.
    pub(super) fn reject(&mut self, generation: u64, reason: Reason, now: Instant) -> bool {
        let newest = self.newest.as_mut().filter(|newest| newest.entry.generation == generation);
        let Some(newest) = newest else { return false };
        let is_news = newest.rejected.is_none();
        if self.renewal == Renewal::Unsupported {
            // There is no other token than a static key, so it stays in use.
            newest.doubted = true;
        } else if newest.has_ended(now) {
            // Also where it was rejected before, too early for that: perhaps only on some path.
            self.rejections = 0;
            newest.rejected = Some(Rejected { reason, death: Death::Natural });
        } else if is_news {
            self.rejections = self.rejections.saturating_add(1);
            let pause_until = after(newest.entry.acquired_at, self.policy.pause_after(self.rejections));
            newest.rejected = Some(Rejected { reason, death: Death::Early { pause_until } });
        }
        is_news
    }

    /// Whether the newest token is a static key that was rejected after it was last accepted.
    pub(super) fn doubts_key(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.doubted)
    }

    /// Begins a flight. Only to be called when there is none.
    pub(super) fn begin(&mut self, reason: Reason, now: Instant, attached: F) -> Order {
        debug_assert!(self.flight.is_none(), "one flight at a time");
        // Where others may have a newer token, one is taken when none of them has.
        if self.common.is_none() {
            self.charge(now);
        }
        self.launch(reason, Errand::Acquire, now, attached)
    }

    /// Takes from the budget what another token costs, if the one there is was rejected too early.
    pub(super) fn charge(&mut self, now: Instant) {
        if let Some(Newest { rejected: Some(Rejected { death: Death::Early { .. }, .. }), .. }) = self.newest
        {
            self.budget.take(self.policy.allowance(), now);
        }
    }

    fn launch(&mut self, reason: Reason, errand: Errand, now: Instant, attached: F) -> Order {
        self.flights += 1;
        let (id, deadline) = (self.flights, after(now, self.policy.flight_limit()));
        let patience_until = after(now, PATIENCE);
        let looks = errand == Errand::Look;
        self.flight = Some(Box::new(Flight { id, deadline, attached, reason, patience_until, looks }));
        Order {
            id,
            reason,
            previous: None,
            grants: self.grants,
            policy: self.policy.clone(),
            deadline,
            known: self.known(now),
            insists: self.common.as_mut().is_some_and(|common| std::mem::take(&mut common.insists)),
            errand,
        }
    }

    /// Ends flight `id` with what it brought. Returns what to tell whom, unless the flight was superseded.
    pub(super) fn land(
        &mut self,
        id: u64,
        result: Result<Catch, Miss>,
        now: Instant,
    ) -> Option<(F, Landing)> {
        let Some(flight) = self.flight.take_if(|flight| flight.id == id) else {
            if let Ok(Catch { token, .. }) = result {
                self.save_grant(token, id);
            }
            return None;
        };
        let landing = match result {
            Ok(catch) => Landing::Landed(self.commit(catch, None, id, now)),
            Err(miss) => Landing::Failed(self.fail(miss, id, flight.reason, now)),
        };
        Some((flight.attached, landing))
    }

    /// Takes flight `id` out of the way, or any flight: whoever waits for it must look again.
    pub(super) fn supersede(&mut self, id: Option<u64>) -> Option<F> {
        self.flight.take_if(|flight| id.is_none_or(|id| flight.id == id)).map(|flight| flight.attached)
    }

    /// Forgets the access token, and every reason not to ask at once. Keeps the refresh token.
    pub(super) fn invalidate(&mut self) -> Option<F> {
        self.insist();
        self.newest = None;
        self.grant = self
            .grant
            .take()
            .filter(|grant| grant.token.refresh_token().is_some() || self.refresh_tokens.is_some());
        self.failure = None;
        self.rejections = 0;
        self.supersede(None)
    }

    /// Forgets everything about the token, and hands it over.
    pub(super) fn take(&mut self) -> (Option<AccessToken>, Option<F>) {
        let token = self.grant.take().map(|grant| self.with_newest(grant.token));
        (token, self.invalidate())
    }

    /// The running flight, if it is about to kill the token that it renews.
    fn killer(&self) -> Option<&Flight<F>> {
        self.flight.as_deref().filter(|flight| self.renewal == Renewal::RevokesPrevious && !flight.looks)
    }

    /// Whether the token isn't used now, since it is about to be killed.
    fn is_held_back(&self, now: Instant) -> bool {
        self.killer().is_some_and(|flight| flight.patience_until > now)
    }

    /// Puts a token into its place. Of one whose `lifetime` has begun before it was asked for, that is the whole.
    fn commit(&mut self, catch: Catch, lifetime: Option<Duration>, flight: u64, now: Instant) -> Lease {
        let Catch { token, asked_at, wall_asked_at } = catch;
        self.failure = None;
        self.grant = Some(Grant { token: token.clone(), flight, spent: false });
        if let Some(Newest { entry, accepted, rejected: Some(rejected), .. }) = &mut self.newest
            && entry.token.expose_secret() == token.expose_secret()
        {
            // The endpoint handed out what the server has just rejected: no progress, so there is a pause even if
            // somebody's late answer was an acceptance, or the token had lived long enough.
            self.rejections = self.rejections.saturating_add(1).max(2);
            let pause_until = after(now, self.policy.pause_after(self.rejections));
            (*accepted, rejected.death) = (false, Death::Early { pause_until });
            return Lease::new(entry.clone(), Standing::Rejected);
        }
        self.generations += 1;
        let requested_at = token.requested_at().unwrap_or(asked_at);
        let expires_at = token.lifetime().and_then(|lifetime| requested_at.checked_add(lifetime));
        let stale_at = expires_at.map(|expires_at| {
            let left = expires_at.saturating_duration_since(now);
            let window = self.policy.early_window(lifetime.unwrap_or(left).max(left), self.spread);
            // Of what is left of the lifetime, so that the window never begins before now.
            after(now, left.saturating_sub(window)).min(expires_at)
        });
        let wall_expires_at =
            expires_at.and_then(|at| wall_asked_at.checked_add(at.saturating_duration_since(asked_at)));
        let generation = self.generations;
        let moments = Moments { acquired_at: now, stale_at, expires_at, wall_expires_at };
        let entry = Arc::new(Entry::new(token, generation, moments));
        self.newest = Some(Newest { entry: entry.clone(), accepted: false, rejected: None, doubted: false });
        Lease::new(entry, Standing::Good)
    }
}

#[cfg(test)]
mod tests;
