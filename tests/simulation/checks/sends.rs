//! Requests as the server gets them: at most two of each, the second like the first, and with a token that may be
//! used.

use crate::{
    event::Event,
    plan::Kind,
    view::{Newest, View},
    world::{Inner, Sent},
};

impl Inner {
    /// A request is handed to the server. Returns its number.
    pub(crate) fn request_is_sent(&mut self, op: usize, text: &str, likeness: String) -> usize {
        let index = self.sends.len();
        self.say(format_args!("op {op} sends request {index} with {text}"));
        let before: Vec<usize> = self.ops[op].sends.clone();
        self.check(before.len() < 2, "two sends: a request is sent for the third time");
        let waiting_since = self.ops[op].waiting_since;
        self.wait_is_over(op);

        let (generation, in_pause) = match self.token_of(text) {
            Some((token, retired_at)) => {
                let lease_at = waiting_since.filter(|_| self.plan.places.is_some()).unwrap_or(self.now());
                let is_current = retired_at.is_none_or(|at| at >= lease_at);
                self.check(is_current, "newest: a token is sent that has been replaced before");
                let rejected = token.is_rejected();
                if rejected {
                    self.a_rejected_token_may_be_sent(retired_at.is_none(), before.is_empty());
                } else {
                    self.the_token_is_valid(&token, lease_at);
                }
                (token.generation, rejected)
            }
            None => {
                self.violated("superseded: a token is sent that the cache was not to keep");
                (0, false)
            }
        };
        if let [first, ..] = *before {
            self.replay_is_right(first, &likeness, generation);
        }
        self.ops[op].sends.push(index);
        self.sends.push(Sent {
            op,
            text: text.to_owned(),
            generation,
            in_pause,
            likeness,
            answer: None,
            broke: false,
            told: false,
            delivered: false,
        });
        index
    }

    /// The cache's newest token with this text, and until when it was the newest, if it is not any more.
    fn token_of(&self, text: &str) -> Option<(Newest, Option<tokio::time::Instant>)> {
        let newest = self.model.view.newest.as_ref().filter(|newest| &*newest.text == text);
        let retired = || self.model.retired.iter().rev().find(|(token, _)| &*token.text == text);
        newest
            .map(|newest| (newest.clone(), None))
            .or_else(|| retired().map(|(token, at)| (token.clone(), Some(*at))))
    }

    /// A token that is known to be rejected goes out only with first attempts, while there is to be no other.
    fn a_rejected_token_may_be_sent(&mut self, is_newest: bool, is_first_attempt: bool) {
        self.check(is_newest, "rejected: an old token is sent that was rejected");
        self.check(is_first_attempt, "rejected: a replay carries a token that was rejected");
        let model = &self.model;
        let now = model.now();
        let may = model.at_some_moment(|view| model.may_be_paused(view));
        let in_pause = model.at_some_moment(|view| {
            let until = view.newest.as_ref().and_then(|newest| newest.paused_until);
            until.is_some_and(|until| until > now)
        });
        self.check(may, "rejected: a rejected token is sent again outside a pause and within the budget");
        self.saw(if in_pause { Event::Paused } else { Event::OutOfBudget });
    }

    /// A token is sent only while it is valid, by our clock, unless it was just handed to those who waited, or it is
    /// to bridge an outage. Where renewing kills it, it isn't sent meanwhile.
    fn the_token_is_valid(&mut self, token: &Newest, lease_at: tokio::time::Instant) {
        let expired = token.expires_at.is_some_and(|at| at <= lease_at);
        if expired {
            self.model.settle();
        }
        let model = &self.model;
        let limit = model.numbers.serve_expired;
        // Who had to wait for a place as well may be too late, but is not kept waiting for ever.
        let is_late = self.plan.places.is_some();
        let outage = |view: &View| view.failure.as_ref().is_some_and(|last| last.is_outage());
        let bridges = token.expires_at.is_some_and(|at| lease_at < at + limit)
            && (is_late || model.at_some_moment(outage));
        let is_fresh = token.handed_at >= lease_at;
        let kills = model.kind == Kind::RevokesPrevious;
        let renewing = kills && model.at_every_moment(|view| is_waited_for(view, model.now()));
        let goes_on = kills && model.at_every_moment(|view| view.flight.is_some());
        if expired && !is_fresh {
            self.check(bridges, "expiry: an expired token is sent");
            self.saw(Event::ServedExpired);
        }
        self.check(!renewing || is_fresh || is_late, "renewal: a token is sent while its successor kills it");
        if goes_on && !is_fresh && !is_late {
            self.check(!expired, "renewal: an expired token is sent while it is renewed");
            self.saw(Event::RenewalOutwaited);
        }
    }

    /// A replay is the same request, follows a rejection, and carries a newer token.
    fn replay_is_right(&mut self, first: usize, likeness: &str, generation: u64) {
        self.saw(Event::Replayed);
        let first = &self.sends[first];
        let (told, older) = (first.told, first.generation < generation);
        let unlike = (first.likeness != likeness).then(|| format!("{} / {likeness}", first.likeness));
        if let Some(unlike) = unlike {
            self.violated(format_args!("replay: it is not the same request: {unlike}"));
        }
        self.check(told, "replay: the request was not rejected");
        self.check(older, "replay: it carries no newer token");
    }
}

fn is_waited_for(view: &View, now: tokio::time::Instant) -> bool {
    view.flight.as_ref().is_some_and(|flight| flight.patience_until > now)
}
