//! The fakes keep their contracts, and count what doesn't.

mod api_video;
mod faults;
mod hostile;
mod sockets;
mod store;
mod vervoe;
mod videsk;
mod vidizmo;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header, request};
use http_body_util::{BodyExt, Full};
use tower::{Service, ServiceExt};

use super::{Answer, Refusal, Violation};

type Body = Full<Bytes>;

/// What came back.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status.as_u16(), self.text()), (status, body));
    }
}

async fn send<S>(fake: &S, request: Request<Body>) -> Reply
where
    S: Service<Request<Body>, Response = Response<Body>, Error = std::io::Error> + Clone,
{
    let (parts, body) = fake.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, body }
}

fn empty(builder: request::Builder) -> Request<Body> {
    builder.body(Body::default()).unwrap()
}

fn get(target: &str, token: &str) -> Request<Body> {
    empty(Request::get(target).header("authorization", format!("Bearer {token}")))
}

/// A token request as the contracts want it.
fn post_json(target: &str, body: &str) -> Request<Body> {
    Request::post(target)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// `request` after `change`.
fn altered(mut request: Request<Body>, change: impl FnOnce(&mut Request<Body>)) -> Request<Body> {
    change(&mut request);
    request
}

fn without(request: Request<Body>, name: header::HeaderName) -> Request<Body> {
    altered(request, |request| drop(request.headers_mut().remove(name)))
}

fn with(request: Request<Body>, name: &'static str, value: &'static str) -> Request<Body> {
    altered(request, |request| {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    })
}

/// Sends each request, and checks that it is refused with a 4xx, for that reason.
async fn assert_refused<S>(
    fake: &S,
    refusals: impl Fn() -> Vec<Refusal>,
    table: Vec<(Request<Body>, Violation)>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = std::io::Error> + Clone,
{
    for (number, (request, violation)) in table.into_iter().enumerate() {
        let what = format!("{} {}: {violation}", request.method(), request.uri());
        let reply = send(fake, request).await;
        assert!(reply.status.is_client_error(), "{what}: {}", reply.status);
        let refusals = refusals();
        assert_eq!(refusals.len(), number + 1, "{what}: {}", reply.text());
        assert_eq!(refusals[number].violation(), &violation, "{what}");
    }
}

/// Checks the body of every named error against the contract's.
#[track_caller]
fn assert_bodies<E: Copy + Into<Answer>>(all: &[E], table: &[(E, u16, &str)]) {
    assert_eq!(all.len(), table.len(), "every error is in the table");
    for (error, status, body) in table {
        let answer: Answer = (*error).into();
        assert_eq!((answer.status().as_u16(), &*answer.bytes()), (*status, body.as_bytes()));
    }
}
