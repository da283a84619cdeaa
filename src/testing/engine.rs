//! How every fake answers: check the contract, then planned faults, then the vendor's own rules.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, HeaderName},
    request::Parts,
};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

use super::{
    answer::Answer,
    controls::{Controls, State},
    plan::{Endpoint, Fault},
    recorded::Recorded,
    refusal::{Refusal, Violation},
    tokens::{Issue, Tokens},
};
use crate::error::BoxError;

/// Videsk's header for its exports; no vendor takes credentials in both.
pub(super) const X_API_TOKEN: HeaderName = HeaderName::from_static("x-api-token");

/// The longest request body that an API call's answer repeats, in bytes.
const ECHOED: usize = 16 * 1024;

/// What differs between the vendors.
pub(super) trait Vendor: Send + 'static {
    /// What a token request asks for, once it is known to keep the contract.
    type Grant;

    /// Why an API call's token isn't accepted.
    type Denial: Into<Answer>;

    /// The body of a successful answer that can't be understood.
    const MALFORMED: &'static str;

    /// Which endpoint a path is; the method doesn't matter.
    fn endpoint(&self, path: &str) -> Endpoint;

    /// Reads a request to one of the endpoints for tokens.
    fn read(&self, endpoint: Endpoint, request: &Recorded) -> Result<Self::Grant, Violation>;

    /// Answers a token request, which takes effect.
    fn exchange(&self, grant: Self::Grant, tokens: &mut Tokens) -> Answer;

    /// Checks the contract of an API call, its token aside.
    fn check(&self, request: &Recorded) -> Result<(), Violation>;

    /// Checks the token of an API call.
    fn authorise(&self, request: &Recorded, tokens: &Tokens) -> Result<(), Self::Denial>;
}

pub(super) struct Engine<V> {
    vendor: Arc<Mutex<V>>,
    controls: Controls,
}

impl<V: Vendor> Engine<V> {
    /// `lifetime` is that of tokens, by default.
    pub(super) fn new(vendor: V, lifetime: Option<Duration>) -> Self {
        Self { vendor: Arc::new(Mutex::new(vendor)), controls: Controls::new(lifetime) }
    }

    pub(super) fn controls(&self) -> &Controls {
        &self.controls
    }

    /// Reads or changes the vendor's own settings.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut V, &mut State) -> T) -> T {
        let mut vendor = self.vendor();
        change(&mut vendor, &mut self.controls.lock())
    }

    /// Answers one request.
    pub(super) async fn answer<B>(self, request: Request<B>) -> io::Result<Response<Full<Bytes>>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let endpoint = self.vendor().endpoint(parts.uri.path());
        let _in_flight = self.controls.arrive(endpoint);
        let limit = self.controls.lock().body_limit;
        let outcome = match Limited::new(body, limit).collect().await {
            Ok(body) => {
                let trailers = body.trailers().cloned();
                self.decide(Recorded::new(endpoint, parts, body.to_bytes(), trailers))
            }
            Err(error) if error.is::<LengthLimitError>() => self.refuse_length(endpoint, parts),
            Err(error) => return Err(io::Error::other(error)),
        };
        if !outcome.delay.is_zero() {
            tokio::time::sleep(outcome.delay).await;
        }
        match outcome.ending {
            Ending::Answered(answer) => Ok(answer.into_response()),
            Ending::Lost => Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection lost on request")),
            Ending::Never => std::future::pending().await,
        }
    }

    fn decide(&self, request: Recorded) -> Outcome {
        let vendor = self.vendor();
        let mut state = self.controls.lock();
        let endpoint = request.endpoint();
        let ending = ending(&*vendor, &mut state, &request).unwrap_or_else(|violation| {
            let answer = violation.answer();
            state.refuse(endpoint, Refusal::new(violation, request.method(), request.path()));
            Ending::Answered(answer)
        });
        conclude(&mut state, request, ending)
    }

    fn refuse_length(&self, endpoint: Endpoint, parts: Parts) -> Outcome {
        let mut state = self.controls.lock();
        let violation = Violation::BodyTooLong;
        let answer = violation.answer();
        state.refuse(endpoint, Refusal::new(violation, &parts.method, parts.uri.path()));
        conclude(&mut state, Recorded::new(endpoint, parts, Bytes::new(), None), Ending::Answered(answer))
    }

    fn vendor(&self) -> MutexGuard<'_, V> {
        self.vendor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Clone for Engine<V> {
    fn clone(&self) -> Self {
        Self { vendor: Arc::clone(&self.vendor), controls: self.controls.clone() }
    }
}

impl<V> fmt::Debug for Engine<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.controls.fmt(f)
    }
}

struct Outcome {
    delay: Duration,
    ending: Ending,
}

enum Ending {
    Answered(Answer),
    Lost,
    Never,
}

fn ending<V: Vendor>(vendor: &V, state: &mut State, request: &Recorded) -> Result<Ending, Violation> {
    let endpoint = request.endpoint();
    expect_one_credential(request)?;
    if endpoint == Endpoint::Api {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            request.expect_no_body()?;
        }
        if request.is_json_data() {
            request.expect_json()?;
        }
        vendor.check(request)?;
        let fault = state.faults.take(endpoint, request.path());
        return Ok(api_call(vendor, state, request, fault));
    }
    let grant = vendor.read(endpoint, request)?;
    let fault = state.faults.take(endpoint, request.path());
    Ok(token_call(vendor, state, grant, fault))
}

fn api_call<V: Vendor>(vendor: &V, state: &mut State, request: &Recorded, fault: Option<Fault>) -> Ending {
    let lost = match fault {
        Some(Fault::Hang) => return Ending::Never,
        Some(Fault::RequestLost) => return Ending::Lost,
        Some(Fault::Answer(answer)) => {
            state.counts.api_planned += 1;
            return Ending::Answered(answer);
        }
        Some(Fault::Malformed) => {
            state.counts.api_planned += 1;
            return Ending::Answered(Answer::json(StatusCode::OK, V::MALFORMED));
        }
        Some(Fault::AnswerLost) => true,
        Some(Fault::SameToken) | None => false,
    };
    match vendor.authorise(request, &state.tokens) {
        _ if lost => Ending::Lost,
        Ok(()) => {
            state.counts.api_accepted += 1;
            Ending::Answered(echo(request))
        }
        Err(denial) => {
            state.counts.api_unauthorised += 1;
            Ending::Answered(denial.into())
        }
    }
}

fn token_call<V: Vendor>(vendor: &V, state: &mut State, grant: V::Grant, fault: Option<Fault>) -> Ending {
    match fault {
        Some(Fault::Hang) => Ending::Never,
        Some(Fault::RequestLost) => Ending::Lost,
        Some(Fault::Answer(answer)) => Ending::Answered(answer),
        Some(Fault::Malformed) => Ending::Answered(Answer::json(StatusCode::OK, V::MALFORMED)),
        Some(Fault::AnswerLost) => {
            vendor.exchange(grant, &mut state.tokens);
            Ending::Lost
        }
        Some(Fault::SameToken) => {
            state.tokens.set_issue(Issue::NewestAgain);
            let answer = vendor.exchange(grant, &mut state.tokens);
            state.tokens.set_issue(Issue::New);
            Ending::Answered(answer)
        }
        None => Ending::Answered(vendor.exchange(grant, &mut state.tokens)),
    }
}

fn conclude(state: &mut State, request: Recorded, ending: Ending) -> Outcome {
    let delay =
        state.delays.take(request.endpoint(), request.path()).map_or(Duration::ZERO, |delay| delay.draw());
    let ending = match ending {
        Ending::Answered(answer) if request.method() == Method::HEAD => {
            Ending::Answered(answer.body(Bytes::new()))
        }
        Ending::Answered(answer) => Ending::Answered(answer.settle()),
        other => other,
    };
    let answer = match &ending {
        Ending::Answered(answer) => Some(answer.clone()),
        Ending::Lost | Ending::Never => None,
    };
    state.record(request.answered(answer));
    Outcome { delay, ending }
}

fn expect_one_credential(request: &Recorded) -> Result<(), Violation> {
    let count = |name| request.headers().get_all(name).iter().count();
    if count(&AUTHORIZATION) + count(&X_API_TOKEN) > 1 { Err(Violation::TwoCredentials) } else { Ok(()) }
}

/// What the server saw, so that a test can compare a replay with its original.
fn echo(request: &Recorded) -> Answer {
    let mut seen = serde_json::json!({
        "method": request.method().as_str(),
        "target": request.target(),
        "bodyLength": request.body().len(),
    });
    if request.body().len() <= ECHOED {
        seen["body"] = String::from_utf8_lossy(request.body()).into();
    }
    Answer::json(StatusCode::OK, seen.to_string())
}
