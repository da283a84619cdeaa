//! [`Asked`]: what the answer to a token request comes to, a token or a failure. The same for what was sent, and for what was
//! recorded.

use std::borrow::Cow;

use http::Response;
use secrecy::ExposeSecret;

use super::{
    answer::Answer,
    contract::Contract,
    judgement::{self, Problem, Sent},
    request::TokenRequest,
};
use crate::{
    error::{AcquireError, AcquireErrorKind},
    secret::Redactor,
    token::AccessToken,
};

/// A token request that was answered.
pub(super) struct Asked<'a> {
    pub(super) contract: &'a Contract,
    /// With the secrets that were sent, as far as they are known.
    pub(super) request: &'a TokenRequest,
    pub(super) sent: &'a Sent,
    /// The token that is renewed by it.
    pub(super) renewed: Option<&'a AccessToken>,
    /// The one that there was before.
    pub(super) previous: Option<&'a AccessToken>,
}

impl Asked<'_> {
    /// The token that `response` brings.
    pub(super) fn token(&self, response: &Response<impl AsRef<[u8]>>) -> Result<AccessToken, AcquireError> {
        let refused = match self.renewed {
            Some(_) => AcquireErrorKind::GrantRejected,
            None => AcquireErrorKind::Rejected,
        };
        let answer = Answer::new(&self.contract.shape, response);
        let failed = |problem| self.failure(problem, refused, &answer);

        judgement::problem(&self.contract.shape, self.request, &answer).map_err(failed)?;
        judgement::lack(&self.contract.shape, &answer).map_err(failed)?;
        let nonsense =
            |error| failed(Problem::Nonsense("sent text that can't be a token", "")).with_source(error);
        let token = judgement::token(&answer)
            .map_err(failed)
            .and_then(|token| AccessToken::new(token).map_err(nonsense));
        let mut token = match (token, answer.refresh_token()) {
            (Ok(token), _) => token,
            // The one before it may be spent by now.
            (Err(error), Some(refresh_token)) => return Err(error.with_refresh_token(refresh_token)),
            (Err(error), None) => return Err(error),
        };
        if let Some(lifetime) = answer.lifetime(token.expose_secret()) {
            token = token.with_lifetime(lifetime);
        }
        for (name, value) in answer.members() {
            token = token.with_member(name, value);
        }
        // RFC 6749 §6: without a new refresh token the one that was used stays in force.
        let kept = || self.renewed?.refresh_token().cloned();
        Ok(match answer.refresh_token().or_else(kept) {
            Some(refresh_token) => token.with_refresh_token(refresh_token),
            None => token,
        })
    }

    /// Whether `response` says that it was done, where no token is wanted.
    pub(super) fn success(&self, response: &Response<impl AsRef<[u8]>>) -> Result<(), AcquireError> {
        let answer = Answer::new(&self.contract.shape, response);
        judgement::problem(&self.contract.shape, self.request, &answer)
            .map_err(|problem| self.failure(problem, AcquireErrorKind::Rejected, &answer))
    }

    fn failure(&self, problem: Problem, refused: AcquireErrorKind, answer: &Answer<'_>) -> AcquireError {
        let redactor = self.contract.redactor(self.request, self.previous, Some(answer));
        let words = judgement::words(problem, &self.contract.name, self.sent, answer, &redactor);
        let kind = match problem {
            Problem::Refused if answer.refuses_the_client() => AcquireErrorKind::Rejected,
            _ => problem.kind(refused),
        };
        let mut error = AcquireError::new(kind, words).with_status(answer.status);
        if problem == Problem::Later {
            error = error.with_throttled();
        }
        if let Some(code) = answer.code() {
            error = error.with_code(code);
        }
        match answer.retry_after() {
            Some(after) => error.with_retry_after(after),
            None => error,
        }
    }
}

impl Contract {
    /// Knows every secret that could come back in an answer or an error.
    pub(super) fn redactor(
        &self,
        sent: &TokenRequest,
        previous: Option<&AccessToken>,
        answer: Option<&Answer<'_>>,
    ) -> Redactor {
        let requests = [sent, &self.acquire].into_iter().chain(&self.refresh).chain(&self.revoke);
        let mut secrets: Vec<Cow<'_, str>> = requests.flat_map(TokenRequest::secrets).collect();
        if let Some(token) = previous {
            secrets.push(token.expose_secret().into());
            secrets.extend(token.refresh_token().map(|token| token.expose_secret().into()));
        }
        if let Some(answer) = answer {
            secrets.extend(answer.secrets().map(Cow::Owned));
        }
        Redactor::new(secrets.iter().map(|secret| &**secret))
    }
}
