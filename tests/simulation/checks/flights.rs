//! Acquisitions: one flight at a time, which belongs to no caller, tries as often as it may, and begins only for a
//! cause and not before its time.

use std::time::Duration;

use tokio::task::Id;
use tower_reauth::{AccessToken, AcquireError, AcquireErrorKind, AuthErrorKind, Reason};

use crate::{
    endpoint::Presented,
    event::Event,
    plan::Kind,
    view::{Cause, Next, View},
    world::{Call, Inner},
};

impl Inner {
    /// The credential is called. Returns the call's number.
    pub(crate) fn call_begins(
        &mut self,
        task: Option<Id>,
        reason: Reason,
        may_refresh: bool,
        previous: Option<&AccessToken>,
        presented: Presented,
    ) -> usize {
        let (index, now) = (self.calls.len(), self.now());
        self.say(format_args!("call {index} begins: {reason:?}, presents {presented:?}"));
        let is_one = self.calls.iter().all(|call| !call.alive || call.superseded_at.is_some());
        self.check(is_one, "one flight: another call of the credential is still under way");

        let superseded = self.model.superseded_tasks.iter().find(|(of, _)| *of == task).copied();
        let is_attempt = self.model.view.flight.as_ref().is_some_and(|flight| flight.task == task);
        let (flight, superseded_at) = if let Some((_, at)) = superseded {
            self.check(at == now, "superseded: an aborted flight makes another attempt later on");
            let before = self.calls.iter().rev().find(|call| call.task == task);
            (before.map_or(0, |call| call.flight), Some(at))
        } else if is_attempt {
            (self.another_attempt_is_due(reason, may_refresh), None)
        } else {
            (self.a_flight_begins(task, reason), None)
        };
        let is_first = superseded.is_none() && !is_attempt;
        self.the_newest_grant_is_presented(is_first, previous, &presented);
        let deadline = self.model.view.flight.as_ref().map_or(now, |flight| flight.deadline);
        self.calls.push(Call {
            task,
            flight,
            began_at: now,
            deadline,
            may_refresh,
            presented,
            alive: true,
            superseded_at,
        });
        index
    }

    /// The credential's call returns.
    pub(crate) fn call_ends(&mut self, index: usize, result: &Result<AccessToken, AcquireError>) {
        self.calls[index].alive = false;
        let (flight, began_at) = (self.calls[index].flight, self.calls[index].began_at);
        let is_superseded = self.calls[index].superseded_at.is_some();
        self.the_call_was_in_time(index);
        self.grant_was_used(index, Some(result));
        match result {
            Ok(token) => {
                use secrecy::ExposeSecret;
                let refresh = token.refresh_token().map(|refresh| refresh.expose_secret().into());
                let expires_at = token.lifetime().map(|lifetime| began_at + lifetime);
                self.say(format_args!(
                    "call {index} brings {} for {:?}, {refresh:?}",
                    token.expose_secret(),
                    token.lifetime(),
                ));
                if is_superseded {
                    self.saw(Event::FlightSuperseded);
                    if self.model.save_grant(flight, refresh) {
                        self.saw(Event::LateGrantSaved);
                    }
                } else {
                    self.model.land(flight, &token.expose_secret().into(), refresh, expires_at);
                }
            }
            Err(error) => {
                self.say(format_args!("call {index} fails: {error}"));
                if !is_superseded {
                    let status = error.status().map_or(0, |status| status.as_u16());
                    let throttled = error.retry_after().is_some() || matches!(status, 429 | 503);
                    self.attempt_failed(index, error.kind(), error.retry_after(), throttled);
                }
            }
        }
    }

    /// The credential's call panics.
    pub(crate) fn call_panics(&mut self, index: usize) {
        self.calls[index].alive = false;
        self.say(format_args!("call {index} panics"));
        self.grant_was_used(index, None);
        if self.calls[index].superseded_at.is_none() {
            self.attempt_failed(index, AcquireErrorKind::Panicked, None, false);
        }
    }

    /// The credential's call is dropped unfinished. A flight belongs to no caller: only its time, or somebody who
    /// invalidates the cache, ends it.
    pub(crate) fn call_is_dropped(&mut self, index: usize) {
        let (now, numbers) = (self.now(), self.model.numbers);
        let call = &mut self.calls[index];
        call.alive = false;
        let (superseded_at, began_at, deadline) = (call.superseded_at, call.began_at, call.deadline);
        self.say(format_args!("call {index} is dropped"));
        self.the_call_was_in_time(index);
        self.grant_was_used(index, None);
        if superseded_at.is_some() {
            self.saw(Event::FlightSuperseded);
        } else if now >= began_at + numbers.attempt {
            self.saw(Event::AttemptTimedOut);
            self.attempt_failed(index, AcquireErrorKind::TimedOut, None, false);
        } else if now >= deadline {
            self.saw(Event::FlightTimedOut);
            self.model.fail_flight(AuthErrorKind::TimedOut, None, false);
        } else {
            self.violated("detached: a call of the credential was dropped before its time was up");
        }
    }

    /// Each attempt has its time, and so has the whole flight.
    fn the_call_was_in_time(&mut self, index: usize) {
        let (call, slack) = (&self.calls[index], Duration::from_millis(1));
        let limit = call.deadline.min(call.began_at + self.model.numbers.attempt);
        let in_time = self.now() <= limit + slack || call.superseded_at.is_some();
        self.check(in_time, "attempts: a call goes on after its time, or its flight's, is up");
    }

    /// Somebody is about to invalidate the cache, or to log out.
    pub(crate) fn cache_is_invalidated(&mut self, acquiring: bool, logout: bool) {
        let now = self.now();
        for call in self.calls.iter_mut().filter(|call| call.alive) {
            call.superseded_at.get_or_insert(now);
        }
        self.model.forget(acquiring, logout);
    }

    /// An aborted call must be gone when the clock moves on.
    pub(crate) fn superseded_calls_are_dropped_at_once(&mut self) {
        let now = self.now();
        let lingers = |call: &Call| call.alive && call.superseded_at.is_some_and(|at| at < now);
        let lingering = self.calls.iter().rev().take(4).any(lingers);
        self.check(!lingering, "superseded: the aborted flight's call goes on");
    }

    /// Whether the flight under way may call again. Returns the flight.
    fn another_attempt_is_due(&mut self, reason: Reason, may_refresh: bool) -> u64 {
        let now = self.now();
        let Some(flight) = self.model.view.flight.clone() else { return 0 };
        match flight.next {
            Next::Again { by } => {
                self.saw(Event::NextAttempt);
                self.check(now <= by, "attempts: the wait between two of them was too long");
                self.check(flight.tries <= self.most_attempts(), "attempts: more than the policy allows");
            }
            Next::OtherGrant { at } => {
                self.saw(Event::TriedAnotherGrant);
                self.check(now == at, "attempts: another grant is tried at once");
                self.check(!may_refresh, "grants: the refresh grant is tried twice in a flight");
                self.check(reason == Reason::Rejected, "grants: the other grant acquires anew");
            }
            Next::Answer => {}
        }
        self.check(now <= flight.deadline, "deadline: an attempt begins after the flight's");
        self.model.proceed(flight.tries, Next::Answer);
        flight.id
    }

    /// Whether a flight may begin. Returns its number.
    fn a_flight_begins(&mut self, task: Option<Id>, reason: Reason) -> u64 {
        self.model.settle();
        let is_first = self.model.view.flight.is_none();
        self.check(is_first, "one flight: another is still under way, between two attempts");
        self.check(!self.closed, "nothing left: a flight begins when all handles are dropped");
        if reason == Reason::Expiring {
            self.saw(Event::RenewedEarly);
        }

        let (now, model) = (self.now(), &self.model);
        let begins = |view: &View, cause: Cause| view.flight.is_none() && cause == model.cause(view);
        let may_begin = |cause| model.at_some_moment(|view| begins(view, cause));
        let (is_free, is_driven) = (may_begin(Cause::Want), may_begin(Cause::Rejection));
        let is_paused = may_begin(Cause::Pause);
        let gate = |view: &View| view.failure.as_ref().is_none_or(|last| last.no_flight_before <= now);
        let is_gated = !model.at_some_moment(|view| view.flight.is_none() && gate(view));
        let has_budget = model.budget_allows(false);

        if !is_free && !is_driven {
            self.check(!is_paused, "pause: a flight begins before the pause is over");
            self.check(
                is_paused,
                "cause: a token that is good is replaced; a late rejection must not do that",
            );
        }
        if !is_free && is_driven {
            self.check(has_budget, "budget: rejections cause more flights than they may");
        }
        self.check(!is_gated, "fail fast: the endpoint is asked before its time");
        self.model.begin(task, reason, is_driven.then_some(!is_free))
    }

    /// How often the grant that may be repeated is presented in a flight: one that may be used up by its use, though
    /// there is no other, once more at most.
    fn most_attempts(&self) -> u32 {
        let attempts = self.model.numbers.attempts;
        if self.plan.kind == Kind::RefreshOnly { attempts.min(2) } else { attempts }
    }

    fn attempt_failed(
        &mut self,
        index: usize,
        kind: AcquireErrorKind,
        retry_after: Option<Duration>,
        throttled: bool,
    ) {
        let now = self.now();
        let refreshing = self.calls[index].may_refresh && self.plan.kind.has_fallback();
        let tries = self.model.view.flight.as_ref().map_or(0, |flight| flight.tries);
        let may_pass = matches!(kind, AcquireErrorKind::Transient | AcquireErrorKind::TimedOut);
        if !throttled && refreshing && (may_pass || kind == AcquireErrorKind::GrantRejected) {
            self.model.proceed(tries, Next::OtherGrant { at: now });
        } else if !throttled && may_pass && tries < self.most_attempts() {
            let wait = self.model.numbers.between_attempts(tries) + Duration::from_millis(1);
            self.model.proceed(tries + 1, Next::Again { by: now + wait });
        } else {
            self.model.fail_flight(told_as(kind), retry_after, throttled);
        }
    }
}

/// What callers are told of a flight that ended like this.
fn told_as(kind: AcquireErrorKind) -> AuthErrorKind {
    match kind {
        AcquireErrorKind::Rejected | AcquireErrorKind::GrantRejected => AuthErrorKind::CredentialsRejected,
        AcquireErrorKind::Unsupported => AuthErrorKind::NotRenewable,
        AcquireErrorKind::TimedOut => AuthErrorKind::TimedOut,
        AcquireErrorKind::Panicked => AuthErrorKind::Panicked,
        _ => AuthErrorKind::Unavailable,
    }
}
