//! [`Site`]: hands each request to the guard, to health or to the vendor.

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::{
    body::Body,
    forward::Upstream,
    front::{Answers, Arrival},
    guard::Guard,
    headers,
    health::Health,
    keys::Keys,
    problem::Problem,
    upgrade::Upgrades,
};

/// What every request needs.
pub(crate) struct Site {
    pub(crate) guard: Guard,
    pub(crate) keys: Keys,
    pub(crate) health: Health,
    pub(crate) upgrades: Upgrades,
    pub(crate) upstream: Upstream,
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
        if self.health.is_at(&head.uri) {
            return Ok(self.health.answer(&head.method));
        }
        self.keys.admit(&head.headers)?;
        if headers::stops_here(&head.method, &mut head.headers) {
            let mut response = Response::new(Body::from(""));
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Ok(response);
        }
        let mut request = Request::from_parts(head, body);
        match self.upgrades.asked(&mut request)? {
            None => self.upstream.forward(request).await,
            Some(asked) => self.upstream.upgrade(request, asked, &self.upgrades).await,
        }
    }
}
