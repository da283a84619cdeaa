//! The crate itself, and what tower has.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body_util::Empty;
use tower::{BoxError, Layer, Service};

use crate::{
    Peers, assert_authorized,
    support::{Counted, Inner, Work, call, floor, layer, retry, warmed},
    timing::Posted,
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let credential = Counted::default();
    let auth = warmed(peers.runtime, layer(credential.clone()));
    through(&mut auth.layer(Checked), Work::new().request());
    through(&mut retry(Checked), Work::new().request());
    peers.add("bare inner service", Inner, through);
    peers.add("AddAuthorization (can't refresh)", floor(Inner), through);
    peers.add("Auth, replayable", auth.layer(Inner), through);
    peers.add("Auth, replay off (no replay)", auth.no_replay().layer(Inner), through);
    peers.add("tower Retry + AddAuthorization (no refresh)", retry(Inner), through);
    assert_eq!(credential.calls(), 1, "the token was cached");
    Ok(())
}

/// For peers that are services.
pub(crate) fn through<S: Service<Posted>>(service: &mut S, request: Posted) {
    call(service, request);
}

/// A trivial client that looks that it gets the token.
#[derive(Clone)]
pub(crate) struct Checked;

impl Service<Posted> for Checked {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Posted) -> Self::Future {
        assert_authorized(request.headers());
        ready(Ok(Response::new(Empty::new())))
    }
}
