//! [`Site`]: hands each request to the guard, to health or to the upstream that it is for.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::{
    body::Body,
    front::{Answers, Arrival},
    guard::Guard,
    headers,
    health::Health,
    keys::Keys,
    problem::Problem,
    table::Table,
    upgrade::Upgrades,
};

/// What every request needs.
pub(crate) struct Site {
    pub(crate) guard: Guard,
    pub(crate) keys: Keys,
    pub(crate) health: Health,
    pub(crate) upgrades: Arc<Upgrades>,
    pub(crate) table: Table,
}

impl Answers for Site {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>, arrival: Arrival) -> Response<Body> {
        self.respond(request, arrival).await.unwrap_or_else(|problem| problem.answer())
    }
}

impl Site {
    async fn respond(&self, request: Request<Incoming>, arrival: Arrival) -> Result<Response<Body>, Problem> {
        let (mut head, body) = request.into_parts();
        self.guard.admit(&head, arrival)?;
        if let Some(question) = self.health.asked(&head.uri) {
            return Ok(self.health.answer(&head.method, &question));
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
        match self.upgrades.asked(&mut request)? {
            None => entry.upstream.forward(request, target).await,
            Some(asked) => entry.upstream.upgrade(request, target, asked, &self.upgrades).await,
        }
    }
}
