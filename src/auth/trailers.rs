//! [`Trailers`]: what the trailers of a response say of its token, when the response has long been handed out. Nothing is
//! held up for them, and no frame is changed.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::Frame;

use super::{
    finding::{censor, is_acceptance, is_rejection, reason},
    outcome::{AuthOutcome, TrailersOutcome},
    placement::Placement,
};
use crate::{
    body::{Seen, Watch},
    error::BoxError,
    keep::NotReplayed,
    signature::{Finding, Head, Signatures, Verdict},
    token::TokenCache,
};

/// Sees the frames of a response pass, until its trailers come, and tells the cache what they say.
pub(super) struct Trailers {
    pub(super) tokens: TokenCache,
    pub(super) signatures: Signatures,
    pub(super) placement: Placement,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The generation that the request was sent with.
    pub(super) generation: u64,
    /// Why the request can't be replayed; `None` if it has been.
    pub(super) not_replayed: Option<NotReplayed>,
    pub(super) outcome: TrailersOutcome,
}

impl Trailers {
    fn accept(&self) {
        if is_acceptance(self.status) {
            self.tokens.mark_accepted(self.generation);
        }
    }

    fn conclude(&self, trailers: &HeaderMap) {
        let head = Head { status: self.status, headers: &self.headers };
        let finding = self.signatures.judge_trailers(head, trailers);
        self.outcome.set(self.settle(censor(finding, &self.tokens, self.generation, &self.placement)));
    }

    /// Tells the cache what the trailers say of the token. The next request shall find a new one.
    fn settle(&self, finding: Finding) -> AuthOutcome {
        let verdict = finding.verdict;
        let outcome = AuthOutcome::new(finding);
        if verdict == Verdict::Accepted {
            self.accept();
        }
        if !is_rejection(verdict) {
            return if self.not_replayed.is_none() { outcome.with_replayed() } else { outcome };
        }
        self.tokens.mark_rejected(self.generation, reason(verdict));
        match self.not_replayed {
            Some(why) => outcome
                .with_refresh(self.tokens.begin_to_replace(self.generation))
                .with_not_replayed(Some(why)),
            None => outcome.with_replayed(),
        }
    }
}

impl Watch for Trailers {
    fn see(&self, given: Option<&Result<Frame<Bytes>, BoxError>>) -> Seen {
        match given {
            Some(Ok(frame)) => match (frame.data_ref(), frame.trailers_ref()) {
                (Some(data), _) => {
                    // A server that hands out data has accepted the token, whatever it says in the end.
                    if !data.is_empty() {
                        self.accept();
                    }
                    Seen::SoFar
                }
                (None, Some(trailers)) => {
                    self.conclude(trailers);
                    Seen::Enough
                }
                (None, None) => Seen::SoFar,
            },
            // How the server meant to end isn't known.
            Some(Err(_)) => Seen::Enough,
            None => {
                self.accept();
                self.outcome.set(AuthOutcome::default());
                Seen::Enough
            }
        }
    }
}

#[cfg(test)]
mod tests;
