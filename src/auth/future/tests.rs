//! The layer over in-memory services, in paused time.

mod bodies;
mod passing;
mod placements;
mod rejections;
mod replays;
mod requests;
mod waiting;

use std::{
    collections::VecDeque,
    convert::Infallible,
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{
    HeaderValue, StatusCode, Version,
    header::{AUTHORIZATION, CONTENT_LENGTH},
};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tower::{Layer, Service as _, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};

use super::*;
use crate::{
    auth::{Auth, AuthLayer, AuthOutcome, Origin, Placement},
    body::Unread,
    credential::StaticToken,
    error::{AcquireError, AuthError, AuthErrorKind},
    keep::{Exempt, NotReplayed},
    observe::{Passed, Reason},
    signature::{Rule, Signatures, Verdict, body, json},
    token::{AccessToken, Acquire, Credential, RefreshPolicy, TokenCache, TokenState},
    transport::Transport,
};

const SECOND: Duration = Duration::from_secs(1);
const EXPIRED: &str = r#"{"message":"jwt expired"}"#;

type Answer = Response<BoxBody<Bytes, BoxError>>;
type Sent = Request<Full<Bytes>>;

/// Hands out `t1`, `t2` and so on, after a second, or fails.
#[derive(Clone, Default)]
struct Endpoint {
    calls: Arc<AtomicU64>,
    reasons: Arc<Mutex<Vec<Reason>>>,
    down: Arc<AtomicUsize>,
}

impl Credential for Endpoint {
    async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        self.reasons.lock().unwrap().push(request.reason());
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        sleep(SECOND).await;
        match self.down.load(SeqCst) {
            0 => Ok(AccessToken::new(format!("t{call}"))?),
            _ => Err(AcquireError::rejected("wrong key")),
        }
    }
}

/// A server that answers requests in turn as it is told, and 200 after that; it keeps what it got.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<Sent>>>,
}

impl Server {
    fn answering<const N: usize>(answers: [Answer; N]) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into())), ..Self::default() }
    }

    fn service(
        &self,
    ) -> impl Service<Sent, Response = Answer, Error = BoxError, Future: Send> + Clone + Send + 'static {
        let server = self.clone();
        service_fn(move |request: Sent| {
            server.seen.lock().unwrap().push(request);
            let answer = server.answers.lock().unwrap().pop_front();
            std::future::ready(Ok(answer.unwrap_or_else(|| answer_with(200, "fine"))))
        })
    }

    fn sent(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(token).collect()
    }
}

/// The token of a request, if it has one.
fn token(request: &Sent) -> String {
    match request.headers().get(AUTHORIZATION) {
        Some(value) => value.to_str().unwrap().trim_start_matches("Bearer ").to_owned(),
        None => "none".to_owned(),
    }
}

fn answer_with(status: u16, text: &'static str) -> Answer {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed();
    Response::builder().status(status).header("x-kept", "yes").body(body).unwrap()
}

fn expired() -> Answer {
    answer_with(401, EXPIRED)
}

/// A body of these frames, with a second between them.
fn slow(frames: Vec<Result<Frame<Bytes>, BoxError>>) -> BoxBody<Bytes, BoxError> {
    let frames = futures_util::stream::unfold(frames.into_iter(), |mut frames| async move {
        let frame = frames.next()?;
        sleep(SECOND).await;
        Some((frame, frames))
    });
    BodyExt::boxed(SyncBody(Mutex::new(Box::pin(StreamBody::new(frames)))))
}

/// A stream that is only `Send`, for a box that wants `Sync`.
struct SyncBody<T>(Mutex<Pin<Box<T>>>);

impl<T: Body> Body for SyncBody<T> {
    type Data = T::Data;
    type Error = T::Error;
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<T::Data>, T::Error>>> {
        self.0.lock().unwrap().as_mut().poll_frame(cx)
    }
}

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn signatures() -> Signatures {
    let rule =
        |rule: Rule, message: &str| rule.status(StatusCode::UNAUTHORIZED).when(json("/message").is(message));
    Signatures::new()
        .rule(rule(Rule::expired(), "jwt expired").reason("/message"))
        .rule(rule(Rule::invalid(), "invalid token"))
        .rule(rule(Rule::denied(), "no such permission"))
}

fn layer(endpoint: &Endpoint) -> AuthLayer {
    AuthLayer::new(Origin::parse("https://api.test").unwrap(), endpoint.clone()).signatures(signatures())
}

fn get() -> Sent {
    Request::get("https://api.test/things?a=%41").body(Full::default()).unwrap()
}

async fn text(response: Response<PeekBody<BoxBody<Bytes, BoxError>>>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn outcome<B>(response: &Response<B>) -> &AuthOutcome {
    response.extensions().get().expect("an outcome")
}

/// A service that rejects tokens below the number in the returned cell, each answer up to 200 ms late.
fn rejecting_old_tokens(
    least: u64,
) -> (Arc<AtomicU64>, impl Service<Sent, Response = Answer, Error = BoxError, Future: Send> + Clone) {
    let least = Arc::new(AtomicU64::new(least));
    let (cell, turn) = (least.clone(), Arc::new(AtomicU64::new(0)));
    let service = service_fn(move |request: Sent| {
        let (cell, turn) = (cell.clone(), turn.fetch_add(1, SeqCst));
        async move {
            sleep(Duration::from_millis(turn * 37 % 200)).await;
            let token = request.headers()[AUTHORIZATION].to_str().unwrap();
            let number: u64 = token.trim_start_matches("Bearer t").parse().unwrap();
            Ok(if number < cell.load(SeqCst) { expired() } else { answer_with(200, "fine") })
        }
    });
    (least, service)
}
