//! What changes where other processes share the token: what is told to them, and what is taken from them.

use tokio::time::Instant;

use super::{
    Adopted, Catch, Death, Errand, Failure, Grant, Known, LOOK_INTERVAL, Landing, Lease, Order, Saved, State,
};
use crate::{
    error::{AuthError, AuthErrorKind},
    observe::Reason,
    store::{Rejection, Revision},
    time::after,
    token::access_token::AccessToken,
};

impl<F> State<F> {
    /// Has the token shared with other processes from now on.
    pub(in crate::token) fn share(&mut self) {
        self.common.get_or_insert_default();
    }

    /// What a flight has to know of the newest token, to ask others for a newer one.
    pub(in crate::token) fn known(&self, now: Instant) -> Known {
        let Some(common) = &self.common else { return Known::default() };
        let known = Known { revision: common.known, ..Known::default() };
        let Some(newest) = &self.newest else { return known };
        let valid_until = newest.entry.expires_at().filter(|at| newest.rejected.is_none() && *at > now);
        // Of a token that others don't know there is nothing to tell them.
        let is_it =
            |saved: &Saved| saved.generation == newest.entry.generation && saved.revision == common.known;
        let Some(Saved { at: saved_at, .. }) = common.saved.filter(is_it) else {
            return Known { valid_until, ..known };
        };
        let rejection = newest.rejected.map(|rejected| match rejected.death {
            Death::Natural => Rejection::Natural,
            Death::Early { .. } => Rejection::Early,
        });
        Known { saved_at, rejection, accepted: newest.accepted, valid_until, ..known }
    }

    /// Whether it is time to look whether another process has a newer token, though this one is not to ask for one; then
    /// that counts as done.
    pub(in crate::token) fn is_to_look(&mut self, now: Instant) -> bool {
        let Some(common) = self.common.as_mut().filter(|_| self.flight.is_none()) else { return false };
        let due = common.looked_at.is_none_or(|at| after(at, LOOK_INTERVAL) <= now);
        if due {
            common.looked_at = Some(now);
        }
        due
    }

    /// Begins a flight that only looks.
    pub(in crate::token) fn begin_to_look(&mut self, now: Instant, attached: F) -> Order {
        self.launch(Reason::Expired, Errand::Look, now, attached)
    }

    /// Ends flight `id`, for which another process had a token. That is no rejection, and costs nothing.
    pub(in crate::token) fn adopt(
        &mut self,
        id: u64,
        adopted: Adopted,
        now: Instant,
    ) -> Option<(F, Landing)> {
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        Some((flight.attached, Landing::Landed(self.take_in(adopted, id, now))))
    }

    /// Ends flight `id`, which has found nothing, and was not to ask any further. Whoever waited looks again at what is known
    /// here: by now another token may be asked for.
    pub(in crate::token) fn come_back(&mut self, id: u64) -> Option<(F, Landing)> {
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        Some((flight.attached, Landing::Moved))
    }

    /// Ends flight `id`, which has learnt from others that rejections come too fast: so many in a row. Where there is no
    /// token to be tried meanwhile, that is what callers are told.
    pub(in crate::token) fn fall_in(
        &mut self,
        id: u64,
        row: u32,
        pause_until: Instant,
        now: Instant,
    ) -> Option<(F, Landing)> {
        self.spare(id);
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        self.rejections = self.rejections.max(row);
        if let Some(rejected) = self.newest.as_mut().and_then(|newest| newest.rejected.as_mut()) {
            rejected.death = Death::Early { pause_until };
            return Some((flight.attached, Landing::Moved));
        }
        let retry_at = Some(pause_until);
        let error = AuthError::new(AuthErrorKind::Paused).with_retry_at(retry_at);
        let (in_a_row, since) = self.failure.as_ref().map_or((0, now), |last| (last.in_a_row, last.since));
        self.failure = Some(Failure::of(&error, id, in_a_row, since, retry_at));
        Some((flight.attached, Landing::Failed(error)))
    }

    /// Ends flight `id`, whose token nobody is to use: it was revoked, as `revision`, before others knew of it.
    pub(in crate::token) fn lose(&mut self, id: u64, revision: Revision) -> Option<(F, Landing)> {
        self.forget_grant(revision);
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        Some((flight.attached, Landing::Moved))
    }

    /// Takes down that flight `id` has not sent what it departed with.
    pub(in crate::token) fn spare(&mut self, id: u64) {
        if let Some(grant) = self.grant.as_mut().filter(|_| self.flights == id) {
            grant.spent = false;
        }
    }

    /// Takes down that what flight `id` has brought is known to others as `revision`.
    pub(in crate::token) fn saved(&mut self, id: u64, revision: Revision, now: Instant) {
        let is_newest = self.grant.as_ref().is_some_and(|grant| grant.flight == id);
        if is_newest {
            self.know_newest_by(revision, Some(now));
        }
        self.see(revision);
        self.settle_saving();
    }

    /// Takes down that there has been something since then that others should know and don't.
    pub(in crate::token) fn unsaved(&mut self, since: Instant) {
        if let Some(common) = &mut self.common {
            common.unsaved_since.get_or_insert(since);
        }
    }

    /// Takes what others have in place of something that was to be saved, and is older. Not in the way of a flight, which
    /// finds it by itself.
    pub(in crate::token) fn overtake(&mut self, adopted: Adopted, now: Instant) {
        self.settle_saving();
        let is_news = self.common.as_ref().is_some_and(|common| common.known < adopted.revision);
        if is_news && self.flight.is_none() {
            self.take_in(adopted, self.flights, now);
        }
    }

    /// Takes what the program has brought in place of all there is. `revision` is what others know it by, if they do.
    pub(in crate::token) fn put(
        &mut self,
        catch: Catch,
        revision: Option<Revision>,
        now: Instant,
    ) -> (Option<AccessToken>, Option<F>) {
        let retired = self.take();
        self.rejections = 0;
        let lifetime = catch.token.lifetime();
        let flight = self.flights;
        match revision {
            Some(revision) => drop(self.take_in(Adopted { catch, revision, lifetime }, flight, now)),
            None => {
                if let (Some(kept), Some(refresh_token)) = (&self.refresh_tokens, catch.token.refresh_token())
                {
                    kept.replace(refresh_token.clone());
                }
                self.commit(catch, lifetime, flight, now);
            }
        }
        retired
    }

    /// Takes the refresh token of a revision whose access token is of no use here.
    pub(in crate::token) fn learn(&mut self, token: AccessToken, revision: Revision, id: u64) {
        self.see(revision);
        let Some(refresh_token) = token.refresh_token().cloned() else { return };
        match &self.refresh_tokens {
            Some(kept) => kept.replace(refresh_token),
            None => self.grant = Some(Grant { token, flight: id, spent: false }),
        }
    }

    /// Has the next flight try what others have failed by.
    pub(super) fn insist(&mut self) {
        if let Some(common) = &mut self.common {
            common.insists = true;
        }
    }

    /// Whether `token` is the one there is, and a server has rejected it.
    pub(in crate::token) fn has_rejected(&self, token: &AccessToken) -> bool {
        self.newest.as_ref().is_some_and(|newest| {
            newest.rejected.is_some() && newest.entry.token.expose_secret() == token.expose_secret()
        })
    }

    /// The newest revision that was ever seen here.
    pub(in crate::token) fn known_revision(&self) -> Revision {
        self.common.as_ref().map_or(Revision::NONE, |common| common.known)
    }

    /// Whether there is a flight, or something to be saved.
    pub(in crate::token) fn is_busy(&self) -> bool {
        self.flight.is_some() || self.unsaved_since().is_some()
    }

    /// Since when others haven't had what they should have.
    pub(in crate::token) fn unsaved_since(&self) -> Option<Instant> {
        self.common.as_ref()?.unsaved_since
    }

    /// Forgets what the next token could be got with: somebody has revoked it, as `revision`.
    pub(in crate::token) fn forget_grant(&mut self, revision: Revision) {
        self.see(revision);
        self.grant = None;
        if let Some(kept) = &self.refresh_tokens {
            kept.forget();
        }
    }

    /// Takes down how many flights have failed in a row in all processes: one that fails here is the next.
    pub(in crate::token) fn hear_of_failures(&mut self, in_a_row: u32) {
        if let Some(common) = &mut self.common {
            common.failures = in_a_row;
        }
    }

    /// How many flights have failed in a row, as far as is known here.
    pub(in crate::token) fn failures_in_a_row(&self) -> u32 {
        self.failure.as_ref().map_or(0, |failure| failure.in_a_row)
    }

    pub(super) fn failures_of_others(&self) -> u32 {
        self.common.as_ref().map_or(0, |common| common.failures)
    }

    /// Takes down how many rejections in a row all processes count.
    pub(in crate::token) fn hear_of_rejections(&mut self, in_a_row: u32) {
        if let Some(common) = &mut self.common {
            common.has_row = in_a_row > 0;
        }
    }

    /// What others know the newest token by, if a server has accepted it here, and they still count the rejections before it.
    pub(in crate::token) fn untold_acceptance(&self) -> Option<Revision> {
        let common = self.common.as_ref().filter(|common| common.has_row)?;
        let newest = self.newest.as_ref().filter(|newest| newest.accepted && newest.rejected.is_none())?;
        let saved = common.saved.filter(|saved| saved.generation == newest.entry.generation)?;
        (saved.revision == common.known).then_some(saved.revision)
    }

    /// Takes down that there is this revision.
    pub(in crate::token) fn see(&mut self, revision: Revision) {
        if let Some(common) = &mut self.common {
            common.known = common.known.max(revision);
        }
    }

    /// Takes down that there is nothing to be saved any more.
    pub(in crate::token) fn settle_saving(&mut self) {
        if let Some(common) = &mut self.common {
            common.unsaved_since = None;
        }
    }

    fn take_in(&mut self, adopted: Adopted, flight: u64, now: Instant) -> Lease {
        let Adopted { catch, revision, lifetime } = adopted;
        if let (Some(kept), Some(refresh_token)) = (&self.refresh_tokens, catch.token.refresh_token()) {
            kept.replace(refresh_token.clone());
        }
        self.see(revision);
        let lease = self.commit(catch, lifetime, flight, now);
        self.know_newest_by(revision, None);
        lease
    }

    /// Takes down what others know the newest token by.
    fn know_newest_by(&mut self, revision: Revision, at: Option<Instant>) {
        if let (Some(newest), Some(common)) = (&self.newest, &mut self.common) {
            common.saved = Some(Saved { generation: newest.entry.generation, revision, at });
        }
    }
}
