//! [`ResponseFuture`]: waits for a token, for the inner service, for its answer, and once more. What an answer calls for
//! is [`Exchange`]'s to say. Nothing of the inner service is held while a token is waited for.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    choice::{Choose, Wait},
    exchange::{Exchange, Look, Next},
    outcome::passed,
    single::Single,
};
use crate::{body::PeekBody, error::BoxError, keep::Keep, observe::Passed, token::Lease};

pin_project! {
    /// The future of [`Auth`](crate::Auth).
    ///
    /// # Panics
    ///
    /// When it is polled again after it was done.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, K, B, R, T = Single>
    where
        K: Keep<B>,
        S: Service<Request<K::Sent>>,
        T: Choose,
    {
        #[pin]
        kind: Kind<S, K, B, R, S::Future, T>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, K, B, R, F, T>
    where
        K: Keep<B>,
        T: Choose,
    {
        // The request isn't ours, for this reason if that is to be said.
        Passing { #[pin] call: F, why: Option<Passed> },
        Ours { #[pin] state: State<S, F, R>, exchange: Exchange<S, K, B, R, T> },
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

impl<S, K, B, R, T> ResponseFuture<S, K, B, R, T>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>>,
    T: Choose,
{
    /// For a request that isn't ours.
    pub(super) fn passing(call: S::Future, why: Option<Passed>) -> Self {
        Self { kind: Kind::Passing { call, why } }
    }

    /// For a request that has been sent with a token.
    pub(super) fn calling(call: S::Future, exchange: Exchange<S, K, B, R, T>) -> Self {
        Self { kind: Kind::Ours { state: State::Calling { call }, exchange } }
    }

    /// For a request that has to wait for a token.
    pub(super) fn waiting(exchange: Exchange<S, K, B, R, T>, wait: Wait) -> Self {
        Self { kind: Kind::Ours { state: State::Waiting { wait }, exchange } }
    }
}

impl<S, K, B, R, T> Future for ResponseFuture<S, K, B, R, T>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
    T: Choose,
{
    type Output = Result<Response<PeekBody<R>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut state, exchange) = match self.project().kind.project() {
            KindProjection::Passing { call, why } => {
                return call.poll(cx).map_ok(|response| passed(response, *why)).map_err(Into::into);
            }
            KindProjection::Ours { state, exchange } => (state, exchange),
        };
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Calling { call } => {
                    let result = ready!(call.poll(cx));
                    // With the call goes whatever place it held in the inner service.
                    state.set(State::Done);
                    match result {
                        Ok(response) if exchange.is_usual(response.status()) => {
                            exchange.mark_accepted(response.status());
                            return Poll::Ready(Ok(response.map(PeekBody::plain)));
                        }
                        Ok(response) => exchange.screen(response),
                        Err(error) => return Poll::Ready(Err(error.into())),
                    }
                }
                StateProjection::Looking { look } => {
                    let unread = ready!(look.poll(cx));
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
                            let mut service = exchange.spare();
                            // In memory of its own only where it keeps us waiting.
                            if service.poll_ready(cx).map_err(Into::into)?.is_pending() {
                                state.set(State::Readying { service: Box::new(service), lease });
                                return Poll::Pending;
                            }
                            match exchange.load(&lease) {
                                Ok(request) => {
                                    let call = service.call(request);
                                    state.set(State::Calling { call });
                                    continue;
                                }
                                Err(next) => next,
                            }
                        }
                        Err(error) => Next::Deliver(exchange.without_token(error)?),
                    }
                }
                StateProjection::Readying { service, lease } => {
                    ready!(service.poll_ready(cx)).map_err(Into::into)?;
                    match exchange.load(lease) {
                        Ok(request) => {
                            let call = service.call(request);
                            state.set(State::Calling { call });
                            continue;
                        }
                        Err(next) => next,
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

impl<S, K, B, R, T> fmt::Debug for ResponseFuture<S, K, B, R, T>
where
    K: Keep<B>,
    S: Service<Request<K::Sent>>,
    T: Choose,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
