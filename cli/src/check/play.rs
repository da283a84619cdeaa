//! What becomes of an answer: the layer and its cache run with it, and what they do is watched.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_reauth::{
    AccessToken, AcquireErrorKind, AuthError, AuthOutcome, BoxError, Reason, RefreshPolicy, StaticToken,
    TokenCache, Trial, Verdict, from_fn,
};

/// Whose answer it is, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The token endpoint's, to the request for the first token.
    Token,
    /// The token endpoint's, to the request that renews one.
    Refresh,
    Api,
    /// The API's, to a HEAD.
    Head,
}

/// What an answer is, as somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Token,
    Refused,
    /// The token endpoint wants to be left alone.
    Later,
    Expired,
    Passed,
}

/// What became of an answer.
pub(crate) enum Found {
    Token(AccessToken),
    /// No token, after so many requests, and for how long calls fail at once.
    NoToken {
        error: AuthError,
        asked: usize,
        pause: Duration,
    },
    /// A refresh that brought nothing, after which a token was acquired by the other grant.
    Anew(String),
    /// What the layer said of an answer of the API.
    Api(Box<Call>),
}

/// A call of the API that was answered, each time like that.
pub(crate) struct Call {
    /// What the layer says, if it says anything.
    pub(crate) outcome: Option<AuthOutcome>,
    /// How often it was sent.
    pub(crate) sent: usize,
    /// Whether a new token was got by the request that renews one.
    pub(crate) renewed: bool,
}

impl Found {
    /// Whether it is what somebody says it is.
    pub(crate) fn is(&self, expected: Expected) -> bool {
        match expected {
            Expected::Token => matches!(self, Self::Token(_)),
            Expected::Refused => self.kind() == Some(AcquireErrorKind::Rejected),
            Expected::Later => self.kind() == Some(AcquireErrorKind::Transient),
            Expected::Expired => self.is_rejection(),
            Expected::Passed => matches!(self, Self::Api(_)) && !self.is_rejection(),
        }
    }

    /// Whether the declaration knows what it is.
    pub(crate) fn makes_sense(&self) -> bool {
        let is_nonsense = |kind| {
            matches!(
                kind,
                AcquireErrorKind::Unintelligible | AcquireErrorKind::TokenType | AcquireErrorKind::Undeclared
            )
        };
        let is_unread = matches!(self, Self::Api(call) if call.outcome.as_ref().is_some_and(|said| said.unread().is_some()));
        !self.kind().is_some_and(is_nonsense) && !is_unread
    }

    fn kind(&self) -> Option<AcquireErrorKind> {
        match self {
            Self::NoToken { error, .. } => Some(error.acquire_error()?.kind()),
            Self::Token(_) | Self::Anew(_) | Self::Api(_) => None,
        }
    }

    fn is_rejection(&self) -> bool {
        let Self::Api(call) = self else { return false };
        let verdict = call.outcome.as_ref().map(AuthOutcome::verdict);
        matches!(verdict, Some(Verdict::Expired | Verdict::Invalid))
    }
}

/// Has the layer meet `response`.
pub(crate) async fn play(trial: &Trial, place: Place, response: &Response<Bytes>) -> Result<Found, BoxError> {
    match place {
        Place::Token => Ok(first_token(trial, response).await),
        Place::Refresh => refresh(trial, response).await,
        Place::Api => call(trial, response, Method::GET).await,
        Place::Head => call(trial, response, Method::HEAD).await,
    }
}

/// As by default, but without long waits between the attempts of one flight.
fn policy() -> RefreshPolicy {
    let short = Duration::from_millis(50);
    RefreshPolicy::default().between_attempts(short, short)
}

/// A cache asks for a token.
async fn first_token(trial: &Trial, response: &Response<Bytes>) -> Found {
    let asked = Arc::new(Mutex::new(0));
    let (trial, response, counted) = (trial.clone(), response.clone(), asked.clone());
    let credential = from_fn(move |_, _| {
        *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        std::future::ready(trial.read_answer(&response))
    });
    let tokens = TokenCache::with_policy(credential, policy());
    match tokens.get(Duration::ZERO).await {
        Ok(lease) => Found::Token(lease.token().clone()),
        Err(error) => {
            let asked = *asked.lock().unwrap_or_else(PoisonError::into_inner);
            Found::no_token(error, asked)
        }
    }
}

impl Found {
    fn no_token(error: AuthError, asked: usize) -> Self {
        let pause = error.retry_at().map(|at| at.saturating_duration_since(Instant::now()));
        Self::NoToken { error, asked, pause: pause.unwrap_or_default() }
    }
}

/// What the token endpoint was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    First,
    Renewal,
}

/// A token has expired, and is renewed.
async fn refresh(trial: &Trial, response: &Response<Bytes>) -> Result<Found, BoxError> {
    if !trial.refreshes() {
        return Err("it declares no refresh, so there is no such answer; the request for the first token is sent again".into());
    }
    let said = Arc::new(Mutex::new(None));
    let (trial, response, heard) = (trial.clone(), response.clone(), said.clone());
    let credential = from_fn(move |reason, previous: Option<AccessToken>| {
        let previous = previous.filter(|_| matches!(reason, Reason::Expiring | Reason::Expired));
        std::future::ready(match previous {
            None => AccessToken::new("stand-in").map(fleeting).map_err(Into::into),
            Some(previous) => {
                let read = trial.read_refresh_answer(&previous, &response);
                if let Err(error) = &read {
                    *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                }
                read
            }
        })
    });
    let tokens = TokenCache::with_policy(credential, policy());
    let first = tokens.get(Duration::ZERO).await?;
    tokio::time::sleep(LEAST * 2).await;
    let renewed = tokens.get(Duration::ZERO).await;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(match (renewed, said) {
        (Ok(_), Some(said)) => Found::Anew(said),
        (Ok(lease), None) if lease.generation() != first.generation() => Found::Token(lease.token().clone()),
        (Ok(_), None) => return Err("the token wasn't renewed".into()),
        (Err(error), _) => Found::no_token(error, 1),
    })
}

const LEAST: Duration = Duration::from_millis(20);

fn fleeting(token: AccessToken) -> AccessToken {
    token.with_lifetime(LEAST).with_refresh_token("stand-in")
}

/// A call of the API gets `response`, however often it is sent.
async fn call(trial: &Trial, response: &Response<Bytes>, method: Method) -> Result<Found, BoxError> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (asked, refreshes) = (log.clone(), trial.refreshes());
    let layer = if trial.acquires() {
        let credential = from_fn(move |reason, previous: Option<AccessToken>| {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            let renews =
                refreshes && previous.is_some() && matches!(reason, Reason::Expiring | Reason::Expired);
            asked.push(if renews { Asked::Renewal } else { Asked::First });
            let token = AccessToken::new(format!("stand-in-{}", asked.len()));
            let token = token.map(|token| token.with_refresh_token("stand-in")).map_err(Into::into);
            std::future::ready(token)
        });
        trial.layer(credential)?
    } else {
        trial.layer(StaticToken::new("stand-in")?)?
    };
    let sent = Arc::new(Mutex::new(0));
    let (counted, is_head) = (sent.clone(), method == Method::HEAD);
    let (status, headers, body) = (response.status(), response.headers().clone(), response.body().clone());
    let api = service_fn(move |_: Request<Full<Bytes>>| {
        *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let mut answer = Response::new(Full::new(if is_head { Bytes::new() } else { body.clone() }));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers.clone();
        std::future::ready(Ok::<_, BoxError>(answer))
    });
    let url = format!("{}/", trial.origin()?);
    let request = Request::builder().method(method).uri(url).body(Full::default())?;
    let answered = layer.layer(api).oneshot(request).await?;
    let outcome = answered.extensions().get::<AuthOutcome>().cloned();
    let renewed = log.lock().unwrap_or_else(PoisonError::into_inner).get(1) == Some(&Asked::Renewal);
    let sent = *sent.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Found::Api(Box::new(Call { outcome, sent, renewed })))
}
