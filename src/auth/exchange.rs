//! [`Exchange`]: the story of one request, from top to bottom. It waits for a token, is sent, its answer is looked at,
//! and either handed out, or set aside while the request goes back to waiting, to be sent once more.
//!
//! A request is sent at most twice. Between the two, the rejected response is read to its end and set aside, so that the
//! caller still gets it if no new token comes. When each step is taken is [the future](super::future)'s business.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, StatusCode, header::CONTENT_LENGTH, response::Parts};
use http_body::Body;

use super::{
    choice::{Choose, Wait},
    finding::{censor, is_acceptance, is_rejection, reason},
    local::Local,
    outcome::{AuthOutcome, TrailersOutcome, mark_authenticated, passed},
    shared::{Kept, Options},
    trailers::Trailers,
};
use crate::{
    body::{Peek, PeekBody, Unread},
    error::{AuthError, AuthErrorKind, BoxError},
    keep::{Keep, KeptHead, KeptRequest, NotReplayed},
    observe::Passed,
    signature::{Finding, Head, Screening, Verdict},
    text::is_encoded,
    token::{Lease, TokenCache},
};

/// One request on its way, apart from what the inner service holds of it.
pub(super) struct Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    local: Arc<Local<S, K, T>>,
    /// Whose token it carries.
    chosen: T::Chosen,
    load: Load<K::Sent, K::Kept, R>,
    /// The generation that was sent last.
    generation: u64,
    is_head: bool,
    /// It was sent with a token that was known to be rejected.
    in_pause: bool,
}

/// The request in each stage of its life.
enum Load<Sent, T, R> {
    Unsent(Box<(Request<Sent>, Kept<T>)>),
    Sent(Kept<T>),
    Again(Box<Replay<Sent, R>>),
    /// It has been sent without a token, for which it had no room, as only showed when there was one.
    Passed(Option<Passed>),
    /// Nothing may be sent any more.
    Replayed,
}

// A request begins: it has been sent with a cached token, or there is none yet.
impl<S, K, B, R, T> Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    /// The exchange for a request that was sent with `generation`.
    pub(super) fn sent(
        local: Arc<Local<S, K, T>>,
        chosen: T::Chosen,
        kept: Kept<K::Kept>,
        generation: u64,
        is_head: bool,
    ) -> Self {
        Self { local, chosen, load: Load::Sent(kept), generation, is_head, in_pause: false }
    }

    /// The exchange for a request that has not been sent yet.
    pub(super) fn unsent(
        local: Arc<Local<S, K, T>>,
        chosen: T::Chosen,
        request: Request<K::Sent>,
        kept: Kept<K::Kept>,
        is_head: bool,
    ) -> Self {
        let load = Load::Unsent(Box::new((request, kept)));
        Self { local, chosen, load, generation: 0, is_head, in_pause: false }
    }

    /// Where its tokens are.
    #[inline]
    fn tokens(&self) -> &TokenCache {
        self.local.shared.choice.tokens(&self.chosen)
    }
}

// It waits for a token, holding nothing of the inner service.
impl<S, K, B, R, T> Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    /// The wait for a token to send the request with.
    pub(super) fn wait(&self) -> Wait {
        Box::pin(self.tokens().usable())
    }

    /// A token that is known to be rejected is good enough for a first attempt, in a pause, but not for a replay. One that
    /// can't be put in its place is good for nothing.
    pub(super) fn check(&self, result: Result<Lease, AuthError>) -> Result<Lease, AuthError> {
        let placement = &self.local.shared.options.placement;
        result.and_then(|lease| match &self.load {
            Load::Again(_) if lease.is_rejected() => Err(AuthError::new(AuthErrorKind::Paused)),
            _ if !placement.carries(lease.token()) => Err(AuthError::new(AuthErrorKind::NotPlaceable)),
            _ => self.local.shared.choice.check(&self.chosen).map(|()| lease),
        })
    }

    /// An instance of the inner service that holds no place in it yet.
    pub(super) fn spare(&self) -> S
    where
        S: Clone,
    {
        self.local.shared.spare()
    }
}

// It is sent, for the first or the second time.
impl<S, K, B, R, T> Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    /// The request with the freshest token there is.
    ///
    /// # Errors
    ///
    /// What else is to be done: to wait again, if `lease` became worthless while the inner service was getting ready (rejected,
    /// forgotten, or meant for a pause that is over), or to hand out the rejection.
    pub(super) fn load(&mut self, lease: &Lease) -> Result<Request<K::Sent>, Next<R>> {
        let placement = &self.local.shared.options.placement;
        let ((token, generation), in_pause) = match self.local.stamp(&self.chosen) {
            Some(usable) => (usable, false),
            None => {
                let stands = self.tokens().still_stands(lease);
                match stands.and_then(|lease| Some((placement.write(lease.token())?, lease))) {
                    Some((token, lease)) => ((token, lease.generation()), lease.is_rejected()),
                    None => return Err(Next::Wait(self.wait())),
                }
            }
        };
        self.generation = generation;
        self.in_pause = in_pause;
        match mem::replace(&mut self.load, Load::Replayed) {
            Load::Unsent(unsent) => {
                let (request, kept) = *unsent;
                let (mut head, body) = request.into_parts();
                self.load =
                    match self.local.shared.put_late(&self.chosen, token, &mut head.uri, &mut head.headers) {
                        Ok(()) => Load::Sent(kept),
                        Err(why) => Load::Passed(self.local.shared.tell_after_all(why, &head.uri)),
                    };
                Ok(Request::from_parts(head, body))
            }
            Load::Again(replay) => {
                let Replay { head, body, rejection, finding } = *replay;
                let Some(mut head) = head.restore() else {
                    return Err(Next::Deliver(given_up(rejection, finding, NotReplayed::Body)));
                };
                // For a header, the restored head has room.
                if placement.put(token, &mut head.uri, &mut head.headers).is_err() {
                    return Err(Next::Deliver(given_up(rejection, finding, NotReplayed::NoRoom)));
                }
                self.local.shared.choice.mark(&mut head.extensions);
                self.tokens().tell_replayed(generation);
                Ok(Request::from_parts(head, body))
            }
            Load::Sent(_) | Load::Replayed | Load::Passed(_) => {
                unreachable!("only what is to be sent waits for a token")
            }
        }
    }
}

// Its answer comes, and is looked at no further than need be.
impl<S, K, B, R, T> Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    /// Whether a response with this status is the usual one: no rule is about it, and there is nothing to tell, neither
    /// the caller nor a layer around this one.
    #[inline]
    pub(super) fn is_usual(&self, status: StatusCode) -> bool {
        !self.local.shared.options.signatures.concern(status)
            && matches!(self.load, Load::Sent(_))
            && status != StatusCode::UNAUTHORIZED
    }

    /// Tells the cache that the token was accepted, if this status of an answer that no rule matches means that.
    #[inline]
    pub(super) fn mark_accepted(&self, status: StatusCode) {
        if is_acceptance(status) {
            self.tokens().mark_accepted(self.generation);
        }
    }

    /// The first look at any other response: status and headers.
    pub(super) fn screen(&mut self, response: Response<R>) -> Next<R>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        if let Load::Passed(why) = self.load {
            return Next::Deliver(passed(response, why));
        }
        let signatures = &self.local.shared.options.signatures;
        let head = Head { status: response.status(), headers: response.headers() };
        let (finding, unread) = match signatures.screen(head) {
            Screening::Done(finding) => (finding, None),
            Screening::NeedsBody if self.is_head => (signatures.judge_head(head), None),
            Screening::NeedsBody if is_encoded(response.headers()) => {
                (signatures.judge(head, None), Some(Unread::Encoded))
            }
            Screening::NeedsBody if is_bodyless(&response) => (signatures.judge(head, Some(b"")), None),
            Screening::NeedsBody => return Next::Look(self.look(response, None, None)),
        };
        let finding = self.conclude(response.status(), finding);
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
        Box::new(Look { head, body: Peek::new(body, self.local.shared.options.peek), finding, unread })
    }

    /// The second look: the body has been read, as far as may be.
    pub(super) fn judge(&mut self, look: Look<R>, stopped: Option<Unread>) -> Next<R>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let Look { head, body, finding, unread } = look;
        let (finding, unread) = match finding {
            Some(finding) => (finding, unread),
            None => {
                let signatures = &self.local.shared.options.signatures;
                let known = Head { status: head.status, headers: &head.headers };
                let finding = match stopped {
                    None => signatures.judge_whole(known, &body.data(), body.trailers()),
                    Some(_) => signatures.judge(known, None),
                };
                (self.conclude(head.status, finding), stopped)
            }
        };
        if self.calls_for_replay(&finding) {
            self.set_aside(head, body, finding, unread)
        } else {
            let response = Response::from_parts(head, body.into_body());
            Next::Deliver(self.settle(response, finding, unread))
        }
    }

    /// What a response with this status says, beyond what a rule has found. Where the machine has slept, our clock says
    /// of a token that it is valid when it has long expired. A 401 that no rule knows is then taken for the expiry.
    fn conclude(&self, status: StatusCode, finding: Finding) -> Finding {
        let (tokens, placement) = (self.tokens(), &self.local.shared.options.placement);
        let mut finding = censor(finding, tokens, self.generation, placement);
        if status == StatusCode::UNAUTHORIZED
            && finding.verdict == Verdict::Accepted
            && tokens.has_expired_on_the_wall(self.generation)
        {
            finding.verdict = Verdict::Expired;
        }
        finding
    }
}

/// A look at a response's body.
pub(super) struct Look<R> {
    head: Parts,
    body: Peek<R>,
    /// The verdict, if the body isn't needed for it.
    finding: Option<Finding>,
    unread: Option<Unread>,
}

impl<R> Look<R>
where
    R: Body,
    R::Error: Into<BoxError>,
{
    /// Reads on; then says why not all was read, if it wasn't.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Unread>> {
        self.body.poll(cx)
    }
}

/// What to do with a response.
pub(super) enum Next<R> {
    Deliver(Response<PeekBody<R>>),
    Look(Box<Look<R>>),
    Wait(Wait),
}

// The answer rejects the token: it is set aside, and the request goes back to waiting.
impl<S, K, B, R, T> Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    /// Whether a response with this finding is to be replaced by a replay's, as far as is known yet.
    fn calls_for_replay(&self, finding: &Finding) -> bool {
        is_rejection(finding.verdict) && !self.in_pause && matches!(self.load, Load::Sent(Ok(_)))
    }

    /// Keeps a rejection that a replay may do away with, for the case that no new token comes. Where it is too long for
    /// that, or the request's body can't be had again, it is handed out.
    fn set_aside(&mut self, head: Parts, body: Peek<R>, finding: Finding, unread: Option<Unread>) -> Next<R>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let kept = if body.has_rest() { Err(NotReplayed::Response) } else { self.again() };
        let response = Response::from_parts(head, body.into_body());
        match kept {
            Ok(KeptRequest { head, body }) => {
                let tokens = self.tokens();
                tokens.mark_rejected(self.generation, reason(finding.verdict));
                let wait = Box::pin(tokens.replace(self.generation));
                self.load = Load::Again(Box::new(Replay { head, body, rejection: response, finding }));
                Next::Wait(wait)
            }
            Err(why) => {
                self.load = Load::Sent(Err(why));
                Next::Deliver(self.settle(response, finding, unread))
            }
        }
    }

    /// The kept request, with the body that is sent again.
    fn again(&mut self) -> Result<KeptRequest<K::Sent>, NotReplayed> {
        match mem::replace(&mut self.load, Load::Replayed) {
            Load::Sent(Ok(KeptRequest { head, body })) => {
                Ok(KeptRequest { head, body: self.local.shared.keep.again(body)? })
            }
            _ => Err(NotReplayed::Body),
        }
    }
}

/// A request that is to be sent again, and the response that rejected its token, read to its end, which the replay is
/// to do away with.
struct Replay<Sent, R> {
    /// Packed until it is sent: thousands may be waiting.
    head: KeptHead,
    body: Sent,
    rejection: Response<PeekBody<R>>,
    finding: Finding,
}

// It ends: a response is handed out for good.
impl<S, K, B, R, T> Exchange<S, K, B, R, T>
where
    K: Keep<B>,
    T: Choose,
{
    /// Hands out a response for good: tells the cache what it says of the token, and the caller what was done.
    fn settle(
        &mut self,
        mut response: Response<PeekBody<R>>,
        finding: Finding,
        unread: Option<Unread>,
    ) -> Response<PeekBody<R>>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let tokens = self.tokens();
        let verdict = finding.verdict;
        let mut outcome = AuthOutcome::new(finding).with_unread(unread);
        if verdict == Verdict::Accepted {
            match self.trailers(&response) {
                Some(trailers) => {
                    response.extensions_mut().insert(trailers.outcome.clone());
                    response = response.map(|body| body.watched_by(trailers));
                }
                None => self.mark_accepted(response.status()),
            }
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
        } else if response.status() == StatusCode::UNAUTHORIZED {
            mark_authenticated(response.extensions_mut());
        }
        response
    }

    /// What is to have the last word on the token, where a rule is about the trailers and they are still to come.
    fn trailers(&self, response: &Response<PeekBody<R>>) -> Option<Trailers>
    where
        R: Body,
        R::Error: Into<BoxError>,
    {
        let Options { signatures, placement, .. } = &self.local.shared.options;
        let head = Head { status: response.status(), headers: response.headers() };
        if !signatures.awaits_trailers(head) || response.body().is_end_stream() {
            return None;
        }
        Some(Trailers {
            tokens: self.tokens().clone(),
            signatures: signatures.clone(),
            placement: placement.clone(),
            status: response.status(),
            headers: response.headers().clone(),
            generation: self.generation,
            not_replayed: match &self.load {
                Load::Replayed => None,
                _ if self.in_pause => Some(NotReplayed::Paused),
                _ => Some(NotReplayed::Trailers),
            },
            outcome: TrailersOutcome::default(),
        })
    }

    /// No token came: the rejected response, if there is one, or the error.
    pub(super) fn without_token(&mut self, error: AuthError) -> Result<Response<PeekBody<R>>, BoxError> {
        let Load::Again(replay) = mem::replace(&mut self.load, Load::Replayed) else {
            return Err(error.into());
        };
        let Replay { mut rejection, finding, .. } = *replay;
        rejection.extensions_mut().insert(AuthOutcome::new(finding).with_refresh(Err(error)));
        Ok(rejection)
    }
}

/// The rejection of a request whose head can't be restored (only a value that `http` itself would refuse can't), or that
/// has no room for the new token.
#[cold]
fn given_up<R>(
    mut rejection: Response<PeekBody<R>>,
    finding: Finding,
    why: NotReplayed,
) -> Response<PeekBody<R>> {
    let outcome = AuthOutcome::new(finding).with_refresh(Ok(())).with_not_replayed(Some(why));
    rejection.extensions_mut().insert(outcome);
    rejection
}

/// Whether the response, which is none to a HEAD, has no body by its nature (RFC 9110 §6.4.1).
fn is_bodyless<R>(response: &Response<R>) -> bool {
    let status = response.status();
    status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.headers().get(CONTENT_LENGTH).is_some_and(|length| length == "0")
}
