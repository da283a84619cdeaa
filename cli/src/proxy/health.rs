//! [`Health`]: how the token is doing, for whoever watches the proxy. Holds no secret.

use std::time::Duration;

use http::{
    HeaderValue, Method, Response, StatusCode, Uri,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE},
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower_reauth::{CacheState, TokenCache, TokenState};

use super::{body::Body, problem::Problem};
use crate::message::chain;

/// Answers at one path. Everything else there is, is the vendor's.
#[derive(Debug)]
pub(crate) struct Health {
    path: String,
    tokens: TokenCache,
}

impl Health {
    pub(crate) fn new(path: String, tokens: TokenCache) -> Self {
        Self { path, tokens }
    }

    /// Whether that is the path, byte for byte.
    pub(crate) fn is_at(&self, uri: &Uri) -> bool {
        uri.path() == self.path
    }

    pub(crate) fn answer(&self, method: &Method) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let problem =
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "http_request_error", "only GET is for health");
            let mut response = problem.answer();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let state = self.tokens.state();
        let ready = is_ready(&state);
        let mut response = Response::new(Body::from(format!("{}\n", describe(&state, ready))));
        if !ready {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Whether the next request can be expected to go out with a token that is accepted.
fn is_ready(state: &CacheState) -> bool {
    match state.token() {
        // An early renewal that failed does no harm as long as the token is valid.
        TokenState::Fresh | TokenState::Stale => true,
        TokenState::Missing | TokenState::Expired => state.error().is_none(),
        // Unless a new one is on its way there will be none: it is paused, or the key can't be renewed.
        TokenState::Rejected => state.error().is_none() && state.acquiring(),
        _ => false,
    }
}

fn describe(state: &CacheState, ready: bool) -> Value {
    let now = Instant::now();
    let until = |at: Option<Instant>| at.map(|at| whole(at.saturating_duration_since(now)));
    let since = |at: Option<Instant>| at.map(|at| whole(now.saturating_duration_since(at)));
    json!({
        "status": if ready { "ready" } else { "not ready" },
        "token": word(state.token()),
        "generation": state.generation(),
        "expires_in": until(state.expires_at()),
        "acquiring": state.acquiring(),
        "paused_for": until(state.paused_until()),
        "failing_for": since(state.failing_since()),
        "error": state.error().map(|error| chain(error)),
        "store_error": state.store_error().map(|error| chain(error)),
    })
}

fn whole(duration: Duration) -> u64 {
    duration.as_secs()
}

fn word(token: TokenState) -> &'static str {
    match token {
        TokenState::Missing => "missing",
        TokenState::Fresh => "fresh",
        TokenState::Stale => "stale",
        TokenState::Expired => "expired",
        TokenState::Rejected => "rejected",
        _ => "unknown",
    }
}
