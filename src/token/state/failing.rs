//! What a failed flight leads to: how long calls fail at once, and what ends that.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Failure, LOOK_INTERVAL, Miss, State};
use crate::{
    error::{AcquireError, AuthError},
    observe::Reason,
    time::after,
    token::policy::LEAST_WAIT,
};

impl<F> State<F> {
    pub(super) fn fail(
        &mut self,
        Miss { error, grant_intact }: Miss,
        id: u64,
        reason: Reason,
        now: Instant,
    ) -> AuthError {
        if grant_intact && let Some(grant) = &mut self.grant {
            grant.spent = false;
        }
        let since = self.failure.as_ref().map_or(now, |last| last.since);
        let in_a_row = self.failures_in_a_row().max(self.failures_of_others()).saturating_add(1);
        let pause = match error.kind() {
            kind if kind.may_be_the_secret() => self.policy.fail_fast_after(in_a_row),
            kind if kind.is_about_endpoint() && error.retry_after().is_none() => {
                self.policy.endpoint_pause_after(in_a_row, &mut self.rng)
            }
            _ => match error.retry_after() {
                Some(wish) => self.policy.obey(wish, &mut self.rng),
                // Nobody waits for an early renewal, so there is time to back off from the first failure on.
                None if reason == Reason::Expiring => {
                    let pause = self.policy.back_off_after(in_a_row + 1, &mut self.rng);
                    pause.min(self.time_left(now) / 4).max(LEAST_WAIT)
                }
                None if error.is_throttled() => self.policy.back_off_after(in_a_row + 1, &mut self.rng),
                None => self.policy.back_off_after(in_a_row, &mut self.rng),
            },
        };
        if self.policy.is_without_dead_grants() && error.is_dead_grant() {
            return self.bury(error, id, in_a_row, since, now);
        }
        let retry_at = Some(after(now, pause)).filter(|_| !pause.is_zero());
        let error = AuthError::from_acquire(error).with_retry_at(retry_at);
        self.failure = Some(Failure::of(&error, id, in_a_row, since, retry_at));
        error
    }

    /// The only grant is dead: nobody asks again before there is another one.
    fn bury(
        &mut self,
        error: Arc<AcquireError>,
        flight: u64,
        in_a_row: u32,
        since: Instant,
        now: Instant,
    ) -> AuthError {
        let error = AuthError::from_acquire(error);
        let retry_at = Some(after(now, Duration::MAX));
        self.failure = Some(Failure::of(&error, flight, in_a_row, since, retry_at));
        error
    }

    /// How long the newest token is still valid.
    fn time_left(&self, now: Instant) -> Duration {
        let expires_at = self.newest.as_ref().and_then(|newest| newest.entry.expires_at());
        expires_at.map_or(Duration::MAX, |at| at.saturating_duration_since(now))
    }

    /// The flight whose secret was refused, if it is time to ask for a new one; then that counts as asked.
    pub(in crate::token) fn look_for_secret(&mut self, now: Instant) -> Option<u64> {
        let refused = |failure: &&mut Failure| failure.error.may_be_the_secret();
        let failure = self.failure.as_deref_mut().filter(refused)?;
        let due = failure.looked_at.is_none_or(|at| after(at, LOOK_INTERVAL) <= now);
        due.then(|| {
            failure.looked_at = Some(now);
            failure.flight
        })
    }

    /// Forgets that `flight` failed, unless a later one has failed since: perhaps with the secret that is new.
    pub(in crate::token) fn forgive(&mut self, flight: u64) {
        if self.failure.take_if(|failure| failure.flight == flight).is_some() {
            self.insist();
        }
    }
}
