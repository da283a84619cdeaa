//! [`Site`]: hands each request to the guard, to health or to the upstream that it is for.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower_reauth::AuthOutcome;

use super::{
    body::Body,
    front::{Answers, Arrival},
    guard::Guard,
    headers,
    health::{Health, is_ready, only_get},
    keys::Keys,
    metrics::{Line, Metrics},
    problem::Problem,
    table::{Entry, Table},
    upgrade::Upgrades,
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

impl Answers for Site {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>, arrival: Arrival) -> Response<Body> {
        let began = Instant::now();
        match self.respond(request, arrival, began).await {
            Ok(response) => response,
            Err(problem) => {
                self.metrics.refused.answered(problem.status(), began.elapsed(), false);
                problem.answer()
            }
        }
    }
}

impl Site {
    /// A problem here is one of requests that get to no upstream.
    async fn respond(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        began: Instant,
    ) -> Result<Response<Body>, Problem> {
        let (mut head, body) = request.into_parts();
        self.guard.admit(&head, arrival)?;
        if let Some(question) = self.health.asked(&head.uri) {
            return Ok(self.health.answer(&head.method, &question));
        }
        if head.uri.path() == self.metrics_path {
            return Ok(self.count(&head.method));
        }
        let found = self.table.find(&head);
        let keys = found.as_ref().and_then(|(entry, _)| entry.keys.as_ref());
        keys.unwrap_or(&self.keys).admit(&head.headers)?;
        let (entry, target) = found.ok_or_else(Table::nobody)?;
        if headers::stops_here(&head.method, &mut head.headers) {
            let mut response = Response::new(Body::from(""));
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Ok(response);
        }
        let mut request = Request::from_parts(head, body);
        let answered = match self.upgrades.asked(&mut request)? {
            None => entry.upstream.forward(request, target).await,
            Some(asked) => entry.upstream.upgrade(request, target, asked, &self.upgrades).await,
        };
        let response = answered.unwrap_or_else(|problem| problem.answer());
        let replayed = response.extensions().get().is_some_and(AuthOutcome::replayed);
        entry.counts.answered(response.status(), began.elapsed(), replayed);
        Ok(response)
    }

    fn count(&self, method: &Method) -> Response<Body> {
        if let Some(refusal) = only_get(method, "only GET is for metrics") {
            return refusal;
        }
        let lines: Vec<_> = self.table.entries().iter().map(line).collect();
        self.metrics.answer(&lines)
    }
}

fn line(entry: &Entry) -> Line<'_> {
    let tokens = entry.upstream.tokens();
    let is_ready = is_ready(&tokens.state());
    Line { name: &entry.name, counts: &entry.counts, tokens, is_ready }
}
