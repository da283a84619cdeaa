//! What may be used now, what has to be waited for, and when to stop asking. Reads the state, changes nothing.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Death, Newest, Quiet, State, Step, Want};
use crate::{
    error::{AuthError, AuthErrorKind},
    observe::Reason,
    time::after,
    token::{
        Renewal,
        lease::{Entry, Lease, Standing},
        report::{CacheState, TokenState},
    },
};

impl<F> State<F> {
    /// What to do about `want` now. The first that applies counts:
    ///
    /// 1. A valid token is used, and renewed in time. If renewing kills it, that is waited for first, for a while.
    /// 2. An expired one bridges an outage, where that was asked for.
    /// 3. A flight that is under way is waited for.
    /// 4. Where there is to be no other token for now, the newest is tried once, whatever is wrong with it.
    /// 5. While the token endpoint fails, callers fail at once.
    /// 6. A flight begins.
    pub(in crate::token) fn classify(&self, want: Want, now: Instant) -> Step {
        let good = self.good(want).filter(|_| !self.is_held_back(now));
        let may_begin = self.flight.is_none() && self.failing(now).is_none();
        if let Some(entry) = good.filter(|entry| entry.lives_for(want.min_ttl(), now)) {
            let lease = Lease::new(entry.clone(), Standing::Good);
            return match self.renewal {
                _ if !may_begin || !entry.is_stale(now) => Step::Use(lease),
                Renewal::KeepsPrevious => Step::UseAndRenew(lease, self.reason(now)),
                // Whoever used the token now would see it die on the way.
                Renewal::RevokesPrevious => Step::Begin(self.reason(now)),
                Renewal::Unsupported => Step::Use(lease),
            };
        }
        let good = good.filter(|_| self.killer().is_none());
        if let Some(entry) = good.filter(|entry| self.bridges_outage(entry, now)) {
            let lease = Lease::new(entry.clone(), Standing::Good);
            let renewing = |lease| Step::UseAndRenew(lease, self.reason(now));
            return if may_begin { renewing(lease) } else { Step::Use(lease) };
        }
        // One that only looks changes nothing unless it finds something.
        let looks = self.flight.as_ref().is_some_and(|flight| flight.looks);
        if self.flight.is_some() && !looks {
            return Step::Wait;
        }
        if let Some(blocked) = self.blocked(now) {
            return match (want, &self.newest) {
                (Want::Token { .. }, Some(newest)) => Step::Use(newest.lease()),
                _ if looks => Step::Wait,
                _ => Step::Fail(blocked),
            };
        }
        if let Some(failing) = self.failing(now) {
            let otherwise = if looks { Step::Wait } else { Step::Fail(failing) };
            return self.still_valid(want, now).map_or(otherwise, Step::Use);
        }
        if looks { Step::Wait } else { Step::Begin(self.reason(now)) }
    }

    /// Until when a stale token may be used without anybody asking here whether to renew it: as long as nothing else
    /// changes, [`classify`](Self::classify) would only say to use it.
    pub(in crate::token) fn quiet_until(&self) -> Quiet {
        if self.flight.is_some() || self.renewal == Renewal::Unsupported {
            return Quiet::UntilItExpires;
        }
        self.failure.as_ref().and_then(|failure| failure.retry_at).map_or(Quiet::No, Quiet::Until)
    }

    /// Until when somebody with this `want` waits for the running flight and no longer, since the token that it kills
    /// will do: one that is valid then, and new enough. All others wait for the flight's end.
    pub(in crate::token) fn patience_until(&self, want: Want, now: Instant) -> Option<Instant> {
        let until = self.killer().map(|flight| flight.patience_until).filter(|until| *until > now)?;
        self.good(want)?.lives_for(want.min_ttl(), until).then_some(until)
    }

    /// The token that is still good for `want` after a flight failed, however little time is left on it.
    pub(in crate::token) fn still_valid(&self, want: Want, now: Instant) -> Option<Lease> {
        let entry = self.good(want)?;
        let valid = !entry.is_expired(now) || self.bridges_outage(entry, now);
        valid.then(|| Lease::new(entry.clone(), Standing::Good))
    }

    /// What a caller that has held `lease` for a while may use instead of a published token: nothing, where it has
    /// to look again. Who waited for a token that has expired since may still use it.
    pub(in crate::token) fn still_stands(&self, lease: &Lease, now: Instant) -> Option<Lease> {
        let newest = self.newest.as_ref()?;
        match newest.rejected {
            None => Some(newest.lease()),
            Some(_) => {
                // A flight that only looks is in nobody's way, and whoever waited for it would get the same again.
                let looks = self.flight.as_ref().is_none_or(|flight| flight.looks);
                let paused = lease.is_rejected() && looks && self.blocked(now).is_some();
                paused.then(|| newest.lease())
            }
        }
    }

    /// How things are, apart from what only the credential knows.
    pub(in crate::token) fn report(&self, now: Instant) -> CacheState {
        let newest = self.newest.as_ref();
        let paused = self.blocked(now).filter(|blocked| blocked.kind() == AuthErrorKind::Paused);
        CacheState {
            token: match newest {
                None => TokenState::Missing,
                Some(Newest { rejected: Some(_), .. } | Newest { doubted: true, .. }) => TokenState::Rejected,
                Some(Newest { entry, .. }) if entry.is_expired(now) => TokenState::Expired,
                Some(Newest { entry, .. }) if entry.is_stale(now) => TokenState::Stale,
                Some(_) => TokenState::Fresh,
            },
            generation: newest.map(|newest| newest.entry.generation),
            expires_at: newest.and_then(|newest| newest.entry.expires_at()),
            acquiring: self.flight.is_some(),
            paused_until: paused.and_then(|paused| paused.retry_at()),
            failing_since: self.failure.as_ref().map(|failure| failure.since),
            error: self.failure.as_ref().map(|failure| failure.error.clone()),
            unsaved_since: self.unsaved_since(),
            is_shared: false,
            store_lost: None,
        }
    }

    /// The newest token, if nobody has rejected it and `want` can do with its generation.
    fn good(&self, want: Want) -> Option<&Arc<Entry>> {
        let newest = self.newest.as_ref().filter(|newest| newest.rejected.is_none())?;
        let new_enough = match want {
            Want::Token { .. } => true,
            Want::Newer { than } => newest.entry.generation > than,
        };
        new_enough.then_some(&newest.entry)
    }

    /// Whether `entry`, though expired, may be used because no other can be had.
    fn bridges_outage(&self, entry: &Entry, now: Instant) -> bool {
        let down = self.failure.as_ref().is_some_and(|failure| failure.error.is_outage());
        let until = entry.expires_at().map(|at| after(at, self.policy.expired_limit()));
        down && until.is_some_and(|until| now < until)
    }

    /// Why rejections may not cause an acquisition now.
    fn blocked(&self, now: Instant) -> Option<AuthError> {
        if self.renewal == Renewal::Unsupported && self.newest.is_some() {
            return Some(AuthError::new(AuthErrorKind::NotRenewable));
        }
        let Death::Early { pause_until } = self.newest.as_ref()?.rejected?.death else { return None };
        let pause_until = Some(pause_until).filter(|until| *until > now);
        let until = pause_until.max(self.budget.next_at(self.policy.allowance(), now))?;
        Some(AuthError::new(AuthErrorKind::Paused).with_retry_at(Some(until)))
    }

    /// The failure that calls get at once.
    fn failing(&self, now: Instant) -> Option<AuthError> {
        let failure = self.failure.as_ref()?;
        failure.retry_at.is_some_and(|at| at > now).then(|| failure.error.clone())
    }

    fn reason(&self, now: Instant) -> Reason {
        let reason = match &self.newest {
            None if self.grant.is_none() => Reason::Cold,
            None => Reason::Expired,
            Some(Newest { rejected: Some(rejected), .. }) => rejected.reason,
            Some(Newest { entry, .. }) if entry.is_expired(now) => Reason::Expired,
            Some(_) => Reason::Expiring,
        };
        // A grant that may have been used up already isn't sent again while there may be another one.
        let spent = self.grant.as_ref().is_some_and(|grant| grant.spent);
        if spent && matches!(reason, Reason::Expiring | Reason::Expired) { Reason::Rejected } else { reason }
    }
}
