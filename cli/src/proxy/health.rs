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

/// Answers at its paths. Everything else there is, is the vendors'.
pub(crate) struct Health {
    path: String,
    live_path: String,
    tokens: Tokens,
}

/// Whose tokens there are.
pub(crate) enum Tokens {
    /// One vendor's.
    Of(TokenCache),
    /// Several vendors', by name.
    Each(Vec<(String, TokenCache)>),
}

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    Alive,
    All,
    /// How this one is doing.
    One(&'a TokenCache),
}

impl Health {
    pub(crate) fn new(path: String, live_path: String, tokens: Tokens) -> Self {
        Self { path, live_path, tokens }
    }

    /// What is asked at this path, byte for byte, if it is one of these.
    pub(crate) fn asked(&self, uri: &Uri) -> Option<Question<'_>> {
        if uri.path() == self.path {
            return Some(Question::All);
        }
        if uri.path() == self.live_path {
            return Some(Question::Alive);
        }
        let Tokens::Each(each) = &self.tokens else { return None };
        let name = uri.path().strip_prefix(&*self.path)?.strip_prefix('/')?;
        each.iter().find(|(known, _)| known == name).map(|(_, tokens)| Question::One(tokens))
    }

    pub(crate) fn answer(&self, method: &Method, question: &Question<'_>) -> Response<Body> {
        if let Some(refusal) = only_get(method, "only GET is for health") {
            return refusal;
        }
        let (ready, content) = match (*question, &self.tokens) {
            (Question::Alive, _) => (true, json!({ "status": "alive" })),
            (Question::One(tokens), _) | (Question::All, Tokens::Of(tokens)) => about(tokens),
            (Question::All, Tokens::Each(each)) => about_each(each),
        };
        let mut response = Response::new(Body::from(format!("{content}\n")));
        if !ready {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What is said to those who want to do something else than look.
pub(crate) fn only_get(method: &Method, detail: &str) -> Option<Response<Body>> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "http_request_error", detail);
    let mut response = problem.answer();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    Some(response)
}

fn about(tokens: &TokenCache) -> (bool, Value) {
    let state = tokens.state();
    let ready = is_ready(&state);
    (ready, describe(&state, ready))
}

/// Ready if all are.
fn about_each(each: &[(String, TokenCache)]) -> (bool, Value) {
    let mut all_ready = true;
    let mut upstreams = serde_json::Map::new();
    for (name, tokens) in each {
        let (ready, content) = about(tokens);
        all_ready &= ready;
        upstreams.insert(name.clone(), content);
    }
    (all_ready, json!({ "status": word_of(all_ready), "upstreams": upstreams }))
}

fn word_of(ready: bool) -> &'static str {
    if ready { "ready" } else { "not ready" }
}

/// Whether the next request can be expected to go out with a token that is accepted.
pub(crate) fn is_ready(state: &CacheState) -> bool {
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
        "status": word_of(ready),
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
