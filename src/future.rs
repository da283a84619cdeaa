//! [`ResponseFuture`]: the whole of refresh-once, replay-once.
//!
//! A request is sent at most twice. Between the two, the rejected response is read to its end and set aside, so that
//! nothing of the inner service is held while a new token is waited for, and the caller still gets that response if
//! none comes.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
    response::Parts,
};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    AuthError, AuthErrorKind, AuthOutcome, BoxError, Keep, Lease, NotReplayed, Reason, Unread, Verdict,
    body::{Peek, PeekBody},
    layer::Options,
    service::{Kept, Shared},
    signature::{Finding, Head, Screening},
    token::Entry,
};

pin_project! {
    /// The future of [`Auth`](crate::Auth).
    ///
    /// # Panics
    ///
    /// When it is polled again after it was done.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, K, B, R>
    where
        K: Keep<B>,
        S: Service<Request<K::Sent>>,
    {
        #[pin]
        kind: Kind<S, K, B, R, S::Future>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, K, B, R, F>
    where
        K: Keep<B>,
    {
        // The request isn't ours.
        Passing { #[pin] call: F },
        Ours { #[pin] state: State<S, F, R>, exchange: Exchange<S, K, B, R> },
    }
}

pin_project! {
    #[project = StateProjection]
    #[project_replace = StateTaken]
    enum State<S, F, R> {
        // The request is with the inner service.
        Calling { #[pin] call: F },
        // There is no usable token. Nothing of the inner service is held.
        Waiting { wait: Wait },
        // There is a token, and a fresh instance of the inner service is not ready yet.
        Readying { service: Box<S>, lease: Lease },
        // A rule wants to see the body, or the response is a rejection that is being set aside.
        Looking { look: Box<Look<R>> },
        // The outcome has been handed out.
        Done,
    }
}

type Wait = Pin<Box<dyn Future<Output = Result<Lease, AuthError>> + Send>>;

/// One request on its way, apart from what the inner service holds of it.
pub(crate) struct Exchange<S, K, B, R>
where
    K: Keep<B>,
{
    shared: Arc<Shared<S, K>>,
    load: Load<Request<B>, Kept<K::Kept>, Request<K::Sent>>,
    /// The generation that was sent last.
    generation: u64,
    is_head: bool,
    /// It was sent with a token that was known to be rejected.
    in_pause: bool,
    /// The rejection that the replay is to do away with.
    rejection: Option<Box<Rejection<R>>>,
}

/// The request in each stage of its life.
enum Load<Unsent, Kept, Again> {
    Unsent(Box<Unsent>),
    Sent(Kept),
    Again(Box<Again>),
    /// Nothing may be sent any more.
    Replayed,
}

/// A look at a response's body.
struct Look<R> {
    head: Parts,
    body: Peek<R>,
    /// The verdict, if the body isn't needed for it.
    finding: Option<Finding>,
    unread: Option<Unread>,
}

/// A response that rejected the token, read to its end.
struct Rejection<R> {
    response: Response<PeekBody<R>>,
    finding: Finding,
}

/// What to do with a response.
enum Next<R> {
    Deliver(Response<PeekBody<R>>),
    Look(Box<Look<R>>),
    Wait(Wait),
}

impl<S, K, B, R> ResponseFuture<S, K, B, R>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>>,
{
    /// For a request that isn't ours.
    pub(crate) fn passing(call: S::Future) -> Self {
        Self { kind: Kind::Passing { call } }
    }

    /// For a request that has been sent with a token.
    pub(crate) fn calling(call: S::Future, exchange: Exchange<S, K, B, R>) -> Self {
        Self { kind: Kind::Ours { state: State::Calling { call }, exchange } }
    }

    /// For a request that has to wait for a token.
    pub(crate) fn waiting(exchange: Exchange<S, K, B, R>) -> Self {
        let wait = Box::pin(exchange.shared.options.tokens.usable());
        Self { kind: Kind::Ours { state: State::Waiting { wait }, exchange } }
    }
}

impl<S, K, B, R> Future for ResponseFuture<S, K, B, R>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<PeekBody<R>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut state, exchange) = match self.project().kind.project() {
            KindProjection::Passing { call } => {
                return call.poll(cx).map_ok(|response| response.map(PeekBody::plain)).map_err(Into::into);
            }
            KindProjection::Ours { state, exchange } => (state, exchange),
        };
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Calling { call } => {
                    let result = ready!(call.poll(cx));
                    // With the call goes whatever place it held in the inner service.
                    state.set(State::Done);
                    exchange.screen(result.map_err(Into::into)?)
                }
                StateProjection::Looking { look } => {
                    let unread = ready!(look.body.poll(cx));
                    let StateTaken::Looking { look } = state.as_mut().project_replace(State::Done) else {
                        unreachable!("the state was just matched")
                    };
                    exchange.judge(*look, unread)
                }
                StateProjection::Waiting { wait } => {
                    let result = ready!(wait.as_mut().poll(cx));
                    state.set(State::Done);
                    match exchange.check(result) {
                        Ok(lease) => {
                            let service = Box::new(exchange.shared.spare());
                            state.set(State::Readying { service, lease });
                            continue;
                        }
                        Err(error) => Next::Deliver(exchange.without_token(error)?),
                    }
                }
                StateProjection::Readying { service, lease } => {
                    ready!(service.poll_ready(cx)).map_err(Into::into)?;
                    match exchange.load(lease) {
                        Some(request) => {
                            let call = service.call(request);
                            state.set(State::Calling { call });
                            continue;
                        }
                        None => Next::Wait(Box::pin(exchange.shared.options.tokens.usable())),
                    }
                }
                StateProjection::Done => panic!("a response future was polled after it was done"),
            };
            match next {
                Next::Deliver(response) => return Poll::Ready(Ok(response)),
                Next::Look(look) => state.set(State::Looking { look }),
                Next::Wait(wait) => state.set(State::Waiting { wait }),
            }
        }
    }
}

impl<S, K, B, R> Exchange<S, K, B, R>
where
    K: Keep<B>,
{
    /// The exchange for a request that has not been sent yet.
    pub(crate) fn unsent(shared: Arc<Shared<S, K>>, request: Request<B>) -> Self {
        let is_head = request.method() == Method::HEAD;
        let load = Load::Unsent(Box::new(request));
        Self { shared, load, generation: 0, is_head, in_pause: false, rejection: None }
    }

    /// The exchange for a request that was sent with `generation`.
    pub(crate) fn sent(
        shared: Arc<Shared<S, K>>,
        kept: Kept<K::Kept>,
        generation: u64,
        is_head: bool,
    ) -> Self {
        Self { shared, load: Load::Sent(kept), generation, is_head, in_pause: false, rejection: None }
    }

    /// A token that is known to be rejected is good enough for a first attempt, in a pause, but not for a replay.
    fn check(&self, result: Result<Lease, AuthError>) -> Result<Lease, AuthError> {
        result.and_then(|lease| match &self.rejection {
            Some(_) if lease.is_rejected() => Err(AuthError::new(AuthErrorKind::Paused)),
            _ => Ok(lease),
        })
    }

    /// The request with the freshest token there is, or nothing if `lease` became worthless while the inner service
    /// was getting ready: rejected, forgotten, or meant for a pause that is over.
    fn load(&mut self, lease: &Lease) -> Option<Request<K::Sent>> {
        let Options { tokens, placement, .. } = &self.shared.options;
        let value = |entry: &Entry| self.shared.stamp.value(placement, entry);
        let ((token, generation), in_pause) = match tokens.with_usable(value) {
            Some(usable) => (usable, false),
            None => {
                let lease = tokens.still_stands(lease)?;
                (value(lease.entry()), lease.is_rejected())
            }
        };
        self.generation = generation;
        self.in_pause = in_pause;
        match mem::replace(&mut self.load, Load::Replayed) {
            Load::Unsent(request) => {
                let (request, kept) = self.shared.stamp(*request, token);
                self.load = Load::Sent(kept);
                Some(request)
            }
            Load::Again(mut request) => {
                request.headers_mut().insert(placement.header().clone(), token);
                self.rejection = None;
                tokens.tell_replayed(generation);
                Some(*request)
            }
            Load::Sent(_) | Load::Replayed => unreachable!("only what is to be sent waits for a token"),
        }
    }

    /// The first look at a response: status and headers.
    fn screen(&mut self, response: Response<R>) -> Next<R>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let signatures = &self.shared.options.signatures;
        let head = Head { status: response.status(), headers: response.headers() };
        let (finding, unread) = match signatures.screen(head) {
            Screening::Done(finding) => (finding, None),
            Screening::NeedsBody if is_encoded(response.headers()) => {
                (signatures.judge(head, None), Some(Unread::Encoded))
            }
            Screening::NeedsBody if self.is_bodyless(&response) => (signatures.judge(head, Some(b"")), None),
            Screening::NeedsBody => return Next::Look(self.look(response, None, None)),
        };
        if self.calls_for_replay(&finding) {
            Next::Look(self.look(response, Some(finding), unread))
        } else {
            Next::Deliver(self.settle(response.map(PeekBody::plain), finding, unread))
        }
    }

    fn look(&self, response: Response<R>, finding: Option<Finding>, unread: Option<Unread>) -> Box<Look<R>>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let (head, body) = response.into_parts();
        Box::new(Look { head, body: Peek::new(body, self.shared.options.peek), finding, unread })
    }

    /// The second look: the body has been read, as far as may be.
    fn judge(&mut self, look: Look<R>, stopped: Option<Unread>) -> Next<R>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let Look { head, body, finding, unread } = look;
        let (finding, unread) = match finding {
            Some(finding) => (finding, unread),
            None => {
                let data = stopped.is_none().then(|| body.data());
                let known = Head { status: head.status, headers: &head.headers };
                (self.shared.options.signatures.judge(known, data.as_deref()), stopped)
            }
        };
        let has_rest = body.has_rest();
        let response = Response::from_parts(head, body.into_body());
        if !self.calls_for_replay(&finding) {
            return Next::Deliver(self.settle(response, finding, unread));
        }
        if has_rest {
            self.load = Load::Sent(Err(NotReplayed::Response));
            return Next::Deliver(self.settle(response, finding, unread));
        }
        match self.again() {
            Ok(request) => {
                let tokens = &self.shared.options.tokens;
                tokens.mark_rejected(self.generation, reason(finding.verdict));
                let wait = Box::pin(tokens.replace(self.generation));
                self.load = Load::Again(Box::new(request));
                self.rejection = Some(Box::new(Rejection { response, finding }));
                Next::Wait(wait)
            }
            Err(why) => {
                self.load = Load::Sent(Err(why));
                Next::Deliver(self.settle(response, finding, unread))
            }
        }
    }

    /// Whether a response with this finding is to be replaced by a replay's, as far as is known yet.
    fn calls_for_replay(&self, finding: &Finding) -> bool {
        is_rejection(finding.verdict) && !self.in_pause && matches!(self.load, Load::Sent(Ok(_)))
    }

    /// The kept request as it is sent again, still without a token.
    fn again(&mut self) -> Result<Request<K::Sent>, NotReplayed> {
        match mem::replace(&mut self.load, Load::Replayed) {
            Load::Sent(Ok(kept)) => {
                let body = self.shared.keep.again(kept.body)?;
                let head = kept.head.restore().ok_or(NotReplayed::Body)?;
                Ok(Request::from_parts(head, body))
            }
            _ => Err(NotReplayed::Body),
        }
    }

    /// Hands out a response for good: tells the cache what it says of the token, and the caller what was done.
    fn settle(
        &mut self,
        mut response: Response<PeekBody<R>>,
        finding: Finding,
        unread: Option<Unread>,
    ) -> Response<PeekBody<R>> {
        let tokens = &self.shared.options.tokens;
        let verdict = finding.verdict;
        let mut outcome = AuthOutcome::new(finding).with_unread(unread);
        if verdict == Verdict::Accepted && is_acceptance(response.status()) {
            tokens.mark_accepted(self.generation);
        }
        if is_rejection(verdict) {
            tokens.mark_rejected(self.generation, reason(verdict));
        }
        match &self.load {
            Load::Replayed => outcome = outcome.with_replayed(),
            Load::Sent(kept) if is_rejection(verdict) => {
                let why =
                    if self.in_pause { Some(NotReplayed::Paused) } else { kept.as_ref().err().copied() };
                // The next request shall find a new token, even if this one can't use it.
                let begun = tokens.begin_to_replace(self.generation);
                outcome = outcome.with_refresh(begun).with_not_replayed(why);
            }
            _ => {}
        }
        if outcome.is_telling() {
            response.extensions_mut().insert(outcome);
        }
        response
    }

    /// No token came: the rejected response, if there is one, or the error.
    fn without_token(&mut self, error: AuthError) -> Result<Response<PeekBody<R>>, BoxError> {
        let Some(rejection) = self.rejection.take() else { return Err(error.into()) };
        let Rejection { mut response, finding } = *rejection;
        response.extensions_mut().insert(AuthOutcome::new(finding).with_refresh(Err(error)));
        Ok(response)
    }

    /// Whether the response has no body by its nature (RFC 9110 §6.4.1).
    fn is_bodyless(&self, response: &Response<R>) -> bool {
        let status = response.status();
        self.is_head
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || response.headers().get(CONTENT_LENGTH).is_some_and(|length| length == "0")
    }
}

impl<S, K, B, R> fmt::Debug for ResponseFuture<S, K, B, R>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

fn is_rejection(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Expired | Verdict::Invalid)
}

/// What a rejection asks the credential for.
fn reason(verdict: Verdict) -> Reason {
    match verdict {
        Verdict::Invalid => Reason::Rejected,
        _ => Reason::Expired,
    }
}

/// Whether a server that answers with this status has accepted the token.
fn is_acceptance(status: StatusCode) -> bool {
    status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests;
