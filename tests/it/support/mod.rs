//! What the tests over sockets share: a client, a way to send, and bounds on every wait.

mod ca;
mod declared;
mod gate;
mod secret_file;
mod secrets;
mod serving;
mod site;
mod subject;

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response, StatusCode, response::Parts};
use http_body_util::{BodyExt, Full};
use tower::{Service, ServiceExt};
use tower_reauth::{
    AuthError, AuthOutcome, BoxError, Client, Transport,
    client::Roots,
    testing::{Answer, Endpoint, Recorded},
};

pub(crate) use self::{
    ca::Ca,
    declared::{
        declared, declared_api_video, declared_vervoe, declared_vervoe_in_json, declared_videsk,
        declared_vidizmo,
    },
    gate::Gate,
    secret_file::SecretFile,
    secrets::Secrets,
    serving::Serving,
    site::Site,
    subject::{End, KEYS, Subject, api_video, vervoe, videsk, vidizmo},
};

pub(crate) type Body = Full<Bytes>;

/// Far more than anything here takes; only what hangs meets it.
const GENEROUS: Duration = Duration::from_secs(30);

/// A client of its own, with an empty pool.
pub(crate) fn client() -> Client {
    Client::builder().roots(Roots::Bundled).build().unwrap()
}

/// Token requests through a gate.
pub(crate) fn gated(gate: &Gate) -> Transport {
    Transport::new::<_, Body, _>(gate.guard(client()))
}

/// Waits for `future`, but not for ever.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(GENEROUS, future).await {
            Ok(output) => output,
            Err(_) => panic!("still waiting after {GENEROUS:?}, at {caller}"),
        }
    }
}

/// Polls once, and tells whether there is something to wait for.
pub(crate) async fn is_waiting<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Waits until something that others count has come true.
#[track_caller]
pub(crate) fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    soon(async move {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl Answered {
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    /// What the layer says of it, if anything.
    pub(crate) fn outcome(&self) -> Option<&AuthOutcome> {
        self.head.extensions.get()
    }

    /// Checks that it is what the server sent to the last of the recorded requests, byte for byte.
    #[track_caller]
    pub(crate) fn assert_is_answer_to(&self, request: &Recorded) {
        self.assert_is(request.answer().expect("an answer was sent"));
    }

    /// Checks status, headers and body. Of what hyper's server adds, the length is known and the date isn't.
    #[track_caller]
    pub(crate) fn assert_is(&self, answer: &Answer) {
        assert_eq!(self.status(), answer.status());
        let mut headers = self.head.headers.clone();
        assert!(headers.remove("date").is_some(), "hyper's server adds it");
        let mut expected = answer.headers().clone();
        expected.insert("content-length", answer.bytes().len().into());
        assert_eq!(headers, expected);
        assert_eq!(self.body, answer.bytes());
    }
}

/// Sends one request through a clone of `service`, and reads the whole answer.
#[track_caller]
pub(crate) fn send<S, R>(
    service: &S,
    request: Request<Body>,
) -> impl Future<Output = Result<Answered, BoxError>> + use<S, R>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    let service = service.clone();
    soon(async move {
        let (head, body) = service.oneshot(request).await.map_err(Into::into)?.into_parts();
        let body = body.collect().await.map_err(Into::into)?.to_bytes();
        Ok(Answered { head, body })
    })
}

/// Sends `count` requests at the same time: all of them are on their way before the first one can be answered.
#[track_caller]
pub(crate) fn send_all<S, R>(
    service: &S,
    count: usize,
    request: impl Fn() -> Request<Body>,
) -> impl Future<Output = Vec<Result<Answered, BoxError>>>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    join_all((0..count).map(|_| send(service, request())).collect::<Vec<_>>())
}

pub(crate) fn get(url: &str) -> Request<Body> {
    Request::get(url)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .body(Body::default())
        .unwrap()
}

/// The crate's own error in a chain of errors.
#[track_caller]
pub(crate) fn auth_error(error: &BoxError) -> &AuthError {
    AuthError::find(&**error).unwrap_or_else(|| panic!("no AuthError in {error:?}"))
}

/// The recorded requests to one kind of endpoint.
pub(crate) fn requests_to(endpoint: Endpoint, requests: Vec<Recorded>) -> Vec<Recorded> {
    requests.into_iter().filter(|request| request.endpoint() == endpoint).collect()
}

/// The bearer token of each recorded request, in the order received.
pub(crate) fn bearers(requests: &[Recorded]) -> Vec<String> {
    let bearer = |request: &Recorded| {
        let value = request.headers().get("authorization")?.to_str().ok()?;
        value.strip_prefix("Bearer ").map(str::to_owned)
    };
    requests.iter().filter_map(bearer).collect()
}
