//! Waiting: for one flight only, whose outcome everybody gets at once, and no longer than it may take.

use std::time::Duration;

use tokio::time::Instant;
use tower_reauth::{AuthError, AuthErrorKind};

use crate::{
    event::Event,
    plan::Kind,
    world::{Does, Inner},
};

impl Inner {
    /// The layer gives back an operation for which it was in charge.
    pub(super) fn wait_is_over(&mut self, op: usize) {
        let Some(since) = self.ops[op].waiting_since.take() else { return };
        let now = self.now();
        if now == since {
            return;
        }
        self.model.settle();
        // Beneath a limit the layer may have to wait for a place, which is not seen from outside.
        if self.plan.places.is_some() {
            return;
        }
        let superseded = self.model.superseded_since(since);
        let ended = self.model.ended.iter().rev().take_while(|ended| ended.at > since);
        let missed = ended.clone().any(|ended| ended.at < now && !ended.in_vain);
        let in_vain = ended.clone().filter(|ended| ended.in_vain).count() as u32;
        let early = ended.clone().any(|ended| ended.reason == tower_reauth::Reason::Expiring);
        self.check(
            !missed,
            format_args!("shared: op {op} was not told when the flight that it waited for ended"),
        );
        let limit = self.model.numbers.flight * (1 + superseded + in_vain) + Duration::from_millis(1);
        self.check(
            now - since <= limit,
            format_args!("deadline: op {op} waited longer than a flight may take"),
        );
        if early && self.plan.kind == Kind::RevokesPrevious {
            self.saw(Event::WaitedForRevokingRenewal);
        }
        self.a_renewal_is_not_waited_for_too_long(op, since);
    }

    /// Who can use the token waits for its renewal until that is a second old, and no longer.
    fn a_renewal_is_not_waited_for_too_long(&mut self, op: usize, since: Instant) {
        let now = self.now();
        let is_first = matches!(self.ops[op].does, Does::Sends { .. }) && self.ops[op].sends.is_empty();
        if self.plan.kind != Kind::RevokesPrevious || !is_first {
            return;
        }
        // What is good at the end was good all the time that the flight took.
        let in_vain = self.model.at_some_moment(|view| {
            let over = view.flight.as_ref().is_some_and(|flight| flight.patience_until.max(since) < now);
            over && view
                .newest
                .as_ref()
                .is_some_and(|newest| !newest.is_rejected() && !newest.is_expired(now))
        });
        self.check(
            !in_vain,
            format_args!("patience: op {op} waited for a renewal, though it had a token to go on with"),
        );
    }

    /// Whether the cache had a reason to refuse a token with `error` at this instant, to somebody who waited since.
    pub(super) fn refusal_is_explained(&mut self, error: &AuthError, waited_since: Instant) -> bool {
        if error.kind() == AuthErrorKind::TimedOut {
            self.model.settle();
        }
        let (now, model) = (self.now(), &self.model);
        match error.kind() {
            AuthErrorKind::Lost => model.superseded_since(waited_since) >= 4,
            AuthErrorKind::NotRenewable => model.kind == Kind::StaticKey,
            AuthErrorKind::Paused => model.at_some_moment(|view| {
                let same_again = view
                    .newest
                    .as_ref()
                    .is_some_and(|newest| newest.is_rejected() && newest.handed_at == now);
                same_again || model.may_be_paused(view)
            }),
            kind => {
                let failed = model.at_some_moment(|view| {
                    view.failure
                        .as_ref()
                        .is_some_and(|last| last.kind == kind && (last.at == now || last.over_at > now))
                });
                let just_now = self.model.view.failure.as_ref().is_some_and(|last| last.at == now);
                if failed && !just_now {
                    self.saw(Event::FailedFast);
                } else if waited_since < now && self.failure_told_at.replace(now) == Some(now) {
                    self.saw(Event::SharedFailure);
                }
                failed
            }
        }
    }

    /// Whether there was a good token all the time at this instant, newer than `generation`.
    pub(super) fn there_is_a_good_token(&self, generation: u64) -> bool {
        let now = self.now();
        self.model.at_every_moment(|view| {
            view.newest.as_ref().is_some_and(|newest| {
                newest.generation > generation && !newest.is_rejected() && !newest.is_expired(now)
            })
        })
    }
}
