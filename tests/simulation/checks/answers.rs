//! What callers get: the server's answer as it was, cured of a rejection where that can be, or an error that says
//! the truth.

use http::StatusCode;
use tower_reauth::{AuthError, AuthErrorKind, AuthOutcome, BoxError, Lease, NotReplayed};

use crate::{
    event::Event,
    plan::{Kind, Sign},
    world::{Does, Inner, Sent},
};

impl Inner {
    /// Somebody has read the body of answer `sent`, to its end or until it broke off.
    pub(crate) fn body_is_read(&mut self, sent: usize, whole: bool) {
        let Sent { delivered, told, op, .. } = self.sends[sent];
        if delivered || told || !self.is_rejection(sent) || (self.plan.sign == Sign::Body && !whole) {
            return;
        }
        // It was the layer. It deals with the rejection in the same breath.
        self.rejection_is_told(sent);
        let now = self.now();
        self.ops[op].waiting_since = Some(now);
    }

    /// A caller gets an answer with number `sent`, or an error.
    pub(crate) fn caller_is_answered(
        &mut self,
        op: usize,
        result: Result<(usize, StatusCode, Option<&AuthOutcome>), &BoxError>,
    ) {
        let now = self.now();
        let waited_since = self.ops[op].waiting_since.unwrap_or(now);
        self.wait_is_over(op);
        self.ops[op].done = true;
        match result {
            Ok((sent, status, outcome)) => {
                self.say(format_args!("op {op} gets answer {sent}: {status} {}", describe(outcome)));
                self.check(
                    self.ops[op].sends.last() == Some(&sent),
                    "untouched: the caller gets another answer than its request's last",
                );
                self.sends[sent].delivered = true;
                if self.is_rejection(sent) && self.plan.sign == Sign::Head {
                    self.rejection_is_told(sent);
                }
                if status.is_success() {
                    let generation = self.sends[sent].generation;
                    self.model.accept(generation);
                }
                self.rejection_is_cured_if_it_can_be(op, sent, outcome, waited_since);
                self.check(!self.calm_and_bad(status), "progress: all is well, and a request fails");
            }
            Err(error) => {
                self.say(format_args!("op {op} gets an error: {error}"));
                self.error_is_true(op, error, waited_since);
            }
        }
    }

    /// A caller gets a lease, or an error, from the cache itself.
    pub(crate) fn lease_is_handed_out(&mut self, op: usize, older: u64, result: Result<&Lease, &AuthError>) {
        let now = self.now();
        let waited_since = self.ops[op].waiting_since.unwrap_or(now);
        self.wait_is_over(op);
        self.ops[op].done = true;
        self.forget_wish(op);
        match result {
            Ok(lease) => {
                let text = lease.token().expose_secret();
                self.say(format_args!("op {op} gets {text} (generation {})", lease.generation()));
                self.check(lease.generation() > older, "rejected: no newer token is handed out");
                let known = self
                    .model
                    .at_some_moment(|view| view.newest.as_ref().is_some_and(|newest| &*newest.text == text));
                self.check(known, "newest: a token is handed out that is not the newest");
                let model = &self.model;
                let blocked = model.at_some_moment(|view| model.may_be_paused(view));
                self.check(!lease.is_rejected() || blocked, "rejected: a rejected token is handed out");
            }
            Err(error) => {
                self.say(format_args!("op {op} gets an error: {error}"));
                let explained = self.refusal_is_explained(error, waited_since);
                self.check(explained, format_args!("error: there was no reason for \"{error}\""));
                self.check(!self.there_is_a_good_token(older), "error: there was a good token all the time");
                self.check(!self.calm, "progress: all is well, and there is no token");
            }
        }
    }

    /// A caller is gone before it was answered.
    pub(crate) fn caller_is_gone(&mut self, op: usize, event: Event) {
        if self.ops[op].done {
            return;
        }
        self.say(format_args!("op {op} is gone: {event:?}"));
        self.saw(event);
        if self.ops[op].waiting_since.take().is_some() {
            self.saw(Event::CancelledWhileWaiting);
        }
        self.ops[op].done = true;
        self.forget_wish(op);
    }

    fn forget_wish(&mut self, op: usize) {
        let now = self.now();
        for wish in self.model.wishes.iter_mut().filter(|(of, ..)| *of == op) {
            wish.2 = Some(now);
        }
    }

    /// Whether answer `sent` says that the token is bad, if the layer can read it.
    fn is_rejection(&self, sent: usize) -> bool {
        let answer = self.sends[sent].answer.as_ref();
        answer.is_some_and(|answer| answer.status == StatusCode::UNAUTHORIZED)
    }

    /// The layer knows that answer `sent` rejects the token that its request carried.
    pub(crate) fn rejection_is_told(&mut self, sent: usize) {
        if self.sends[sent].told {
            return;
        }
        self.sends[sent].told = true;
        let generation = self.sends[sent].generation;
        let news = self.model.reject(generation);
        self.say(format_args!("the layer knows that answer {sent} rejects generation {generation}"));
        if self
            .model
            .view
            .newest
            .as_ref()
            .is_some_and(|newest| newest.generation == generation && newest.ended)
        {
            self.saw(Event::EndedNaturally);
        }
        let (now, flight) = (self.now(), self.model.view.flight.as_ref());
        let is_outwaited = flight.is_some_and(|flight| flight.patience_until <= now);
        if news && is_outwaited && self.plan.kind == Kind::RevokesPrevious {
            self.saw(Event::DeadWhenUsedAgain);
        }
        if self.model.kind == Kind::StaticKey {
            self.saw(Event::StaticKeyRejected);
        } else if !news && self.there_is_a_good_token(generation) {
            self.saw(Event::LateRejectionCured);
        }
    }

    /// A rejection reaches the caller only where the request was sent twice, must not be sent twice, or where there
    /// is a good reason not to have another token.
    fn rejection_is_cured_if_it_can_be(
        &mut self,
        op: usize,
        sent: usize,
        outcome: Option<&AuthOutcome>,
        waited_since: tokio::time::Instant,
    ) {
        let replayed = outcome.is_some_and(AuthOutcome::replayed);
        self.check(
            replayed == (self.ops[op].sends.len() == 2),
            "outcome: it says wrongly whether it was replayed",
        );
        if !self.sends[sent].told || replayed {
            return;
        }
        let Some(outcome) = outcome else {
            return self.violated("cure: a rejection reaches the caller without a word");
        };
        let was_in_pause = self.sends[sent].in_pause;
        let replayable = self.ops[op].does == Does::Sends { replayable: true };
        match outcome.not_replayed() {
            Some(NotReplayed::Paused) => {
                self.check(was_in_pause, "cure: a request is said to be sent in a pause, and was not");
            }
            Some(NotReplayed::Exempt | NotReplayed::Body) => {
                self.check(!replayable, "cure: a request that could be replayed was not");
            }
            Some(NotReplayed::Response) => {
                self.check(self.is_hard_to_keep(sent), "cure: a short answer was not set aside");
            }
            Some(_) => self.violated("cure: no request asks for another protocol"),
            None => match outcome.error() {
                Some(error) => {
                    self.saw(Event::OriginalResponseKept);
                    let generation = self.sends[sent].generation;
                    let explained = self.refusal_is_explained(error, waited_since);
                    self.check(explained, format_args!("error: there was no reason for \"{error}\""));
                    let good = self.there_is_a_good_token(generation);
                    self.check(!good, "cure: there was a good token all the time");
                }
                None => self.violated("cure: a rejection reaches the caller without a reason"),
            },
        }
    }

    /// Without a token, an error says why; with an answer, that is what the caller gets; and a broken connection is
    /// told as it was.
    fn error_is_true(&mut self, op: usize, error: &BoxError, waited_since: tokio::time::Instant) {
        let last = self.ops[op].sends.last().copied();
        let Some(auth) = AuthError::find(&**error) else {
            let broke = last.is_some_and(|sent| self.sends[sent].broke);
            return self.check(broke, "error: the connection did not break");
        };
        self.check(last.is_none(), "original response: it is lost, and the caller gets an error instead");
        self.check(auth.kind() != AuthErrorKind::Paused, "pause: a request is not sent because of a pause");
        let explained = self.refusal_is_explained(auth, waited_since);
        self.check(explained, format_args!("error: there was no reason for \"{auth}\""));
        self.check(!self.there_is_a_good_token(0), "error: there was a good token all the time");
        self.check(!self.calm, "progress: all is well, and a request fails for want of a token");
    }

    /// Whether answer `sent` can't be set aside within the limits.
    fn is_hard_to_keep(&self, sent: usize) -> bool {
        self.sends[sent]
            .answer
            .as_ref()
            .is_some_and(|answer| answer.is_slow || answer.body.len() > self.plan.peek.0)
    }

    fn calm_and_bad(&self, status: StatusCode) -> bool {
        self.calm && !status.is_success()
    }
}

fn describe(outcome: Option<&AuthOutcome>) -> String {
    let Some(outcome) = outcome else { return String::new() };
    let error = outcome.error().map(AuthError::kind);
    format!(
        "({:?}, refreshed {}, replayed {}, not replayed {:?}, error {error:?})",
        outcome.verdict(),
        outcome.refreshed(),
        outcome.replayed(),
        outcome.not_replayed(),
    )
}
