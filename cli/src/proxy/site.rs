//! [`Site`]: hands each request to the guard, to health or to the upstream that it is for.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, header::EXPECT, uri::PathAndQuery};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;
use tower_reauth::AuthOutcome;

use super::{
    body::Body,
    front::Arrival,
    guard::Guard,
    headers,
    health::{Health, is_ready, only_get},
    keys::Keys,
    metrics::{Line, Metrics},
    problem::Problem,
    table::{Entry, Table},
    target,
    upgrade::{Asked, Upgrades},
};

/// What every request needs.
pub(crate) struct Site {
    pub(crate) guard: Guard,
    pub(crate) keys: Keys,
    pub(crate) health: Health,
    pub(crate) metrics_path: String,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) upgrades: Arc<Upgrades>,
    pub(crate) table: Table,
}

/// A body of no more than that may have come with its head, in bytes.
const SHORT: u64 = 8 * 1024;

impl Site {
    /// Answers a request, whatever site takes the place of this one meanwhile.
    pub(crate) async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        arrival: Arrival,
    ) -> Response<Body> {
        let began = Instant::now();
        let (entry, answered) = match self.lead(&mut request, arrival) {
            Ok(Led::Here(response)) => return *response,
            Ok(Led::On(entry, target)) => (entry, entry.upstream.forward(request, target, began).await),
            Ok(Led::Changes(entry, target, asked)) => {
                // In memory of its own, which other requests don't have to bring.
                let upgraded = entry.upstream.upgrade(request, target, asked, &self.upgrades, began);
                (entry, Box::pin(upgraded).await)
            }
            Err(problem) => {
                self.metrics.refused.answered(problem.status(), began.elapsed(), false);
                return if is_left_unread(&request) { problem.closing().answer() } else { problem.answer() };
            }
        };
        let response = answered.unwrap_or_else(|problem| problem.answer());
        let replayed = response.extensions().get().is_some_and(AuthOutcome::replayed);
        entry.counts.answered(response.status(), began.elapsed(), replayed);
        response
    }

    /// A problem here is one of requests that get to no upstream.
    fn lead(&self, request: &mut Request<Incoming>, arrival: Arrival) -> Result<Led<'_>, Problem> {
        self.guard.admit(request, arrival)?;
        target::admit(request, arrival)?;
        if headers::expects_more(request.headers()) {
            let detail = "nothing can be expected here but 100-continue";
            return Err(Problem::new(StatusCode::EXPECTATION_FAILED, "http_request_error", detail));
        }
        if let Some(question) = self.health.asked(request.uri()) {
            return Ok(Led::Here(self.health.answer(request.method(), &question).into()));
        }
        if request.uri().path() == self.metrics_path {
            return Ok(Led::Here(self.count(request.method()).into()));
        }
        let found = self.table.find(request);
        let keys = found.as_ref().and_then(|(entry, _)| entry.keys.as_ref());
        keys.unwrap_or(&self.keys).admit(request.headers())?;
        let (entry, target) = found.ok_or_else(Table::nobody)?;
        if headers::stops_here(request) {
            let mut response = Response::new(Body::from(""));
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Ok(Led::Here(response.into()));
        }
        Ok(match self.upgrades.asked(request)? {
            None => Led::On(entry, target),
            Some(asked) => Led::Changes(entry, target, asked),
        })
    }

    fn count(&self, method: &Method) -> Response<Body> {
        if let Some(refusal) = only_get(method, "only GET is for metrics") {
            return refusal;
        }
        let lines: Vec<_> = self.table.entries().iter().map(line).collect();
        self.metrics.answer(&lines)
    }
}

/// Where a request leads.
enum Led<'a> {
    /// It is answered here.
    Here(Box<Response<Body>>),
    /// To a target at an upstream.
    On(&'a Entry, PathAndQuery),
    /// The same, on a connection that is to change to another protocol.
    Changes(&'a Entry, PathAndQuery, Asked),
}

fn line(entry: &Entry) -> Line<'_> {
    let tokens = entry.upstream.tokens();
    let is_ready = is_ready(&tokens.state());
    Line { name: &entry.name, counts: &entry.counts, tokens, is_ready }
}

/// Whether a request that goes nowhere has a body that keeps the connection from being used again: a client that waits to be told to
/// go on may send it after this, or leave it out (RFC 9110 §10.1.1), and of a long one hyper reads no more than has come already.
fn is_left_unread(request: &Request<Incoming>) -> bool {
    let is_short = request.body().size_hint().upper().is_some_and(|length| length <= SHORT);
    !is_short || request.headers().contains_key(EXPECT)
}
