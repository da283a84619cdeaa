//! What tower itself has to offer.

use std::future::{Ready, ready};

use http::{Request, Response, StatusCode};
use tower::{Layer, retry};
use tower_http::auth::{AddAuthorization, AddAuthorizationLayer};

use super::TOKEN;

/// The practical floor: a header that never changes. It can't refresh.
pub(crate) fn floor<S>(inner: S) -> AddAuthorization<S> {
    AddAuthorizationLayer::bearer(TOKEN).layer(inner)
}

/// Sends a request again after a 401. It clones every request; nothing here refreshes the token.
pub(crate) fn retry<S: Clone>(inner: S) -> retry::Retry<OnUnauthorized, AddAuthorization<S>> {
    retry::Retry::new(OnUnauthorized, floor(inner))
}

#[derive(Clone)]
pub(crate) struct OnUnauthorized;

impl<B: Clone, R, E> retry::Policy<Request<B>, Response<R>, E> for OnUnauthorized {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<B>, result: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
        match result {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => Some(ready(())),
            _ => None,
        }
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}
