//! [`Report`]: what is said of a call on standard error. None of it is a secret.

use std::fmt::Write;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use hyper::ext::ReasonPhrase;
use tokio::time::Instant;
use tower_reauth::{AuthOutcome, TokenCache, Verdict};

use crate::message::{chain, tell};

/// Says what was done about the token if it was asked to, and otherwise only why an answer is a refusal of the token.
pub(crate) struct Report {
    verbose: bool,
}

impl Report {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose }
    }

    pub(crate) fn request<B>(&self, request: &Request<B>) {
        self.say(|| format!("> {} {}", request.method(), request.uri()));
    }

    pub(crate) fn response<B>(&self, response: &Response<B>, tokens: &TokenCache) {
        let outcome = response.extensions().get::<AuthOutcome>();
        self.say(|| format!("< {:?} {}", response.version(), response.status()));
        self.say(|| token(tokens));
        match outcome {
            Some(outcome) => self.outcome(outcome),
            None => self.say(|| "* verdict: accepted, replayed: no".to_owned()),
        }
    }

    fn outcome(&self, outcome: &AuthOutcome) {
        let replayed = if outcome.replayed() { "yes" } else { "no" };
        self.say(|| format!("* verdict: {}, replayed: {replayed}", verdict(outcome.verdict())));
        if let Some(reason) = outcome.reason() {
            self.say(|| format!("* reason: {reason}"));
        }
        if let Some(why) = outcome.not_replayed() {
            self.say(|| format!("* not replayed: {why:?}"));
        }
        if let Some(why) = outcome.unread() {
            self.say(|| format!("* not looked at: {why:?}"));
        }
        if outcome.verdict() != Verdict::Accepted
            && let Some(error) = outcome.error()
        {
            tell(format_args!(
                "reauth call: the token was rejected, and there is no new one: {}",
                chain(error)
            ));
        }
    }

    fn say(&self, line: impl FnOnce() -> String) {
        if self.verbose {
            tell(line());
        }
    }
}

/// Status line and headers, as HTTP/1.1 would have them.
pub(crate) fn head<B>(response: &Response<B>) -> Bytes {
    let mut head = BytesMut::new();
    let status = response.status();
    // The server's own words, which are there if they aren't the usual ones.
    let words = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
    let words = words.or(status.canonical_reason().map(str::as_bytes)).unwrap_or_default();
    // Writing to memory doesn't fail.
    let _ = write!(head, "{:?} {} ", response.version(), status.as_str());
    head.extend_from_slice(words);
    head.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head.freeze()
}

fn token(tokens: &TokenCache) -> String {
    let state = tokens.state();
    let mut line = match state.generation() {
        Some(generation) => format!("* token: generation {generation}"),
        None => "* token: none".to_owned(),
    };
    if let Some(at) = state.expires_at() {
        let left = at.saturating_duration_since(Instant::now());
        // Writing to memory doesn't fail.
        let _ = write!(line, ", for another {} s", left.as_secs());
    }
    line
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Expired => "expired",
        Verdict::Invalid => "invalid",
        Verdict::Denied => "denied",
        _ => "unknown",
    }
}
