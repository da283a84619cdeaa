//! The layer over in-memory services, in paused time.

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
    AccessToken, Acquire, AcquireError, Auth, AuthError, AuthErrorKind, AuthLayer, AuthOutcome, Credential,
    Exempt, NotReplayed, Origin, Placement, Reason, RefreshPolicy, Rule, Signatures, StaticToken, TokenCache,
    TokenState, Transport, Unread, Verdict,
    signature::{body, json},
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
        let token = |request: &Sent| match request.headers().get(AUTHORIZATION) {
            Some(value) => value.to_str().unwrap().trim_start_matches("Bearer ").to_owned(),
            None => "none".to_owned(),
        };
        self.seen.lock().unwrap().iter().map(token).collect()
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

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refreshed_once_and_the_request_replayed_once() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let mut service = layer(&endpoint).layer(server.service());
    let response = service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((outcome(&response).verdict(), outcome(&response).replayed()), (Verdict::Accepted, true));
    assert!(outcome(&response).refreshed());
    assert_eq!(server.sent(), ["t1", "t2"]);
    assert_eq!(*endpoint.reasons.lock().unwrap(), [Reason::Cold, Reason::Expired]);
    let response = service.ready().await.unwrap().call(get()).await.unwrap();
    assert!(response.extensions().get::<AuthOutcome>().is_none(), "nothing to say about an ordinary answer");
    assert_eq!(server.sent(), ["t1", "t2", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_rejection_is_the_callers_and_there_is_no_third_send() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired(), expired(), expired()]));
    let service = layer(&endpoint).layer(server.service());
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((outcome(&response).verdict(), outcome(&response).replayed()), (Verdict::Expired, true));
    assert_eq!(outcome(&response).reason(), Some("jwt expired"));
    assert_eq!(response.headers()["x-kept"], "yes");
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(server.sent(), ["t1", "t2"]);
    // The new token was rejected as well: a pause, in which requests go out once.
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Paused));
    assert_eq!(outcome(&response).error().map(AuthError::kind), Some(AuthErrorKind::Paused));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(server.sent(), ["t1", "t2", "t2"]);
    assert_eq!(endpoint.calls.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_token_is_acquired_anew_and_a_denial_is_left_alone() {
    let answers = [answer_with(401, r#"{"message":"invalid token"}"#), answer_with(200, "fine")];
    let (endpoint, server) = (Endpoint::default(), Server::answering(answers));
    let service = layer(&endpoint).layer(server.service());
    assert_eq!(service.clone().oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(*endpoint.reasons.lock().unwrap(), [Reason::Cold, Reason::Rejected]);
    let denial = r#"{"message":"no such permission"}"#;
    server.answers.lock().unwrap().push_back(answer_with(401, denial));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).verdict(), Verdict::Denied);
    assert_eq!(text(response).await, denial);
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rejections_of_one_token_make_one_refresh() {
    let endpoint = Endpoint::default();
    let (seen, inner) = rejecting_old_tokens(1);
    let service = layer(&endpoint).layer(inner);
    service.clone().oneshot(get()).await.unwrap();
    seen.store(2, SeqCst);
    let responses = join_all((0..100).map(|_| service.clone().oneshot(get()))).await;
    assert!(responses.iter().all(|response| response.as_ref().unwrap().status() == 200));
    assert_eq!(endpoint.calls.load(SeqCst), 2);
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

#[tokio::test(start_paused = true)]
async fn the_replay_is_the_same_request_but_for_the_token() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let mut cookie = HeaderValue::from_bytes(b"caf\xe9").unwrap();
    cookie.set_sensitive(true);
    let request = Request::post("https://api.test/a%2Fb/../c?x=%41&y")
        .version(Version::HTTP_2)
        .header("x-many", "1")
        .header("cookie", cookie)
        .header("x-many", "2")
        .extension(Mark(7))
        .body(Full::from("body"))
        .unwrap();
    let response = layer(&endpoint).layer(server.service()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = mem::take(&mut *server.seen.lock().unwrap());
    let [first, second] = <[Sent; 2]>::try_from(seen).unwrap();
    assert_eq!(
        (first.method(), first.uri(), first.version()),
        (second.method(), second.uri(), second.version())
    );
    assert_eq!(second.uri(), "https://api.test/a%2Fb/../c?x=%41&y");
    assert_eq!(
        (second.extensions().get(), second.extensions().len()),
        (Some(&Mark(7)), first.extensions().len())
    );
    let headers = |request: &Sent| {
        let mut headers = request.headers().clone();
        let token = headers.remove(AUTHORIZATION).expect("a token");
        assert!(token.is_sensitive());
        headers.iter().map(|(n, v)| (n.clone(), v.clone(), v.is_sensitive())).collect::<Vec<_>>()
    };
    assert_eq!(headers(&first), headers(&second));
    assert!(second.headers()["cookie"].is_sensitive());
    let (first, second) = (first.into_body().collect(), second.into_body().collect());
    assert_eq!(first.await.unwrap().to_bytes(), second.await.unwrap().to_bytes());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_replayed_is_handed_over_and_refreshed_for_the_next() {
    let upgrade = || Request::get("https://api.test/ws").header("upgrade", "websocket").body(Full::default());
    let exempt = || Request::get("https://api.test/").extension(Exempt::FromReplay).body(Full::default());
    for (request, why) in [(upgrade(), NotReplayed::Upgrade), (exempt(), NotReplayed::Exempt)] {
        let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
        let service = layer(&endpoint).layer(server.service());
        let response = service.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(outcome(&response).not_replayed(), Some(why));
        assert!(outcome(&response).refreshed() && !outcome(&response).replayed());
        assert_eq!(text(response).await, EXPIRED);
        assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
        assert_eq!(server.sent(), ["t1", "t2"]);
    }
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let service = layer(&endpoint).no_replay().layer(server.service());
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Body));
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn when_the_refresh_fails_the_caller_gets_the_original_response_whole() {
    let trailers =
        || Ok(Frame::trailers([("x-sum".parse().unwrap(), "1".parse().unwrap())].into_iter().collect()));
    let body = || slow(vec![data("{\"message\":"), data("\"jwt expired\"}"), trailers()]);
    let rejection = |body| Response::builder().status(401).header("x-kept", "yes").body(body).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([rejection(body())]));
    let service = layer(&endpoint).peek(1024, 10 * SECOND).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    endpoint.down.store(1, SeqCst);
    let response = service.clone().oneshot(get()).await.unwrap();
    let error = outcome(&response).error().expect("why there is no replay");
    assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!(error.acquire_error().unwrap().to_string(), "wrong key");
    assert!(!outcome(&response).refreshed());
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-kept"]),
        (401, &HeaderValue::from_static("yes"))
    );
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "1");
    assert_eq!(body.to_bytes(), EXPIRED);
    // From now on there is no token at all: a typed error, and nothing is sent.
    let error = service.oneshot(get()).await.unwrap_err();
    assert_eq!(AuthError::find(&*error).unwrap().kind(), AuthErrorKind::CredentialsRejected);
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_fails_in_transport_returns_that_error() {
    #[derive(Debug, PartialEq)]
    struct Reset;
    impl fmt::Display for Reset {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("reset")
        }
    }
    impl std::error::Error for Reset {}
    let sends = Arc::new(AtomicUsize::new(0));
    let count = sends.clone();
    let inner = service_fn(move |_: Sent| {
        let send = count.fetch_add(1, SeqCst);
        async move { if send == 0 { Ok(expired()) } else { Err(Reset) } }
    });
    let error = layer(&Endpoint::default()).layer(inner).oneshot(get()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Reset));
    assert_eq!(sends.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn other_requests_than_ours_pass_through_without_token_and_inspection() {
    let own = |request: Sent| (request, "own");
    let with = |name: &str, value: &str| {
        Request::get("https://api.test/").header(name, value).body(Full::default()).unwrap()
    };
    let to = |uri: &str| Request::get(uri).body(Full::<Bytes>::default()).unwrap();
    let exempt =
        Request::get("https://api.test/").extension(Exempt::FromAuthentication).body(Full::default());
    for (request, sent) in [
        own(with("authorization", "own")),
        (to("https://other.test/"), "none"),
        (to("http://api.test/"), "none"),
        (to("https://api.test:8443/"), "none"),
        (to("/path/only"), "none"),
        (exempt.unwrap(), "none"),
    ] {
        let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
        let response = layer(&endpoint).layer(server.service()).oneshot(request).await.unwrap();
        assert!(response.extensions().get::<AuthOutcome>().is_none());
        assert_eq!(text(response).await, EXPIRED);
        assert_eq!(server.sent(), [sent]);
        assert_eq!(endpoint.calls.load(SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_with_a_token_of_its_own_is_no_use_of_the_cached_one() {
    struct Short(Endpoint);
    impl Credential for Short {
        async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(self.0.acquire(request).await?.with_lifetime(100 * SECOND))
        }
    }
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let layer = AuthLayer::new(Origin::parse("https://api.test").unwrap(), Short(endpoint.clone()));
    let (tokens, service) = (layer.tokens(), layer.layer(server.service()));
    service.clone().oneshot(get()).await.unwrap();
    sleep(97 * SECOND).await;
    assert_eq!(tokens.state().token(), TokenState::Stale);
    let mut request = get();
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer own"));
    service.clone().oneshot(request).await.unwrap();
    assert!(!tokens.state().acquiring());
    service.oneshot(get()).await.unwrap();
    assert!(tokens.state().acquiring(), "whereas one of ours begins to renew it");
    assert_eq!(server.sent(), ["t1", "own", "t1"]);
}

#[tokio::test(start_paused = true)]
async fn a_uri_without_authority_gets_the_token_if_the_origin_is_implied() {
    let origin = Origin::parse("https://api.test").unwrap().implied();
    let server = Server::default();
    let service = AuthLayer::new(origin, Endpoint::default()).layer(server.service());
    let request = Request::get("/path/only").header("host", "evil.test").body(Full::default()).unwrap();
    service.oneshot(request).await.unwrap();
    assert_eq!(server.sent(), ["t1"]);
}

#[tokio::test(start_paused = true)]
async fn the_authenticated_client_as_transport_does_not_recurse() {
    let endpoint = Endpoint::default();
    let server = Server::default();
    let service = layer(&endpoint).layer(server.service());
    let transport = Transport::new::<_, Full<Bytes>, _>(service);
    let request = Request::post("https://api.test/token").body(Bytes::new()).unwrap();
    assert_eq!(transport.send(request).await.unwrap().status(), 200);
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["none".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_token_in_another_place() {
    let server = Server::default();
    let placement = Placement::with_scheme("X-API-Token", "Bearer").unwrap();
    let service = layer(&Endpoint::default()).placement(placement).layer(server.service());
    service.clone().oneshot(get()).await.unwrap();
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].headers()["x-api-token"], "Bearer t1");
    assert!(seen[0].headers()["x-api-token"].is_sensitive());
    assert!(!seen[0].headers().contains_key(AUTHORIZATION));
}

#[tokio::test(start_paused = true)]
async fn layers_that_share_a_cache_share_its_token() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let tokens = TokenCache::new(endpoint.clone());
    let origin = Origin::parse("https://api.test").unwrap();
    let exports = AuthLayer::with_tokens(origin.clone(), tokens.clone())
        .placement(Placement::bare("x-api-token").unwrap())
        .layer(server.service());
    let calls = AuthLayer::with_tokens(origin, tokens).layer(server.service());
    exports.oneshot(get()).await.unwrap();
    calls.oneshot(get()).await.unwrap();
    assert_eq!(endpoint.calls.load(SeqCst), 1);
    assert_eq!(server.sent(), ["none", "t1"]);
}

#[tokio::test(start_paused = true)]
async fn no_place_in_the_inner_service_is_held_while_waiting() {
    let endpoint = Endpoint::default();
    let server = Server::answering([answer_with(200, "fine"), expired()]);
    let limited = ConcurrencyLimitLayer::new(1).layer(server.service());
    let mut service = layer(&endpoint).layer(limited.clone());
    // One long-lived instance, readied and called in turn, as a client's owner would.
    for place in ["cold", "expired and replayed", "cached"] {
        let call = service.ready().await.unwrap().call(get());
        let free = async {
            // Half-way through the token request the one place is free for somebody else.
            sleep(SECOND / 2).await;
            limited.clone().ready().await.unwrap().call(get()).await.unwrap()
        };
        let (response, other) = tokio::time::timeout(30 * SECOND, async { tokio::join!(call, free) })
            .await
            .unwrap_or_else(|_| panic!("{place}: stuck"));
        assert_eq!((response.unwrap().status(), other.status()), (StatusCode::OK, StatusCode::OK), "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_send_takes_exactly_one_readiness() {
    #[derive(Clone, Default)]
    struct Counting {
        server: Server,
        readied: Arc<AtomicUsize>,
        ready: bool,
    }
    impl Service<Sent> for Counting {
        type Response = Answer;
        type Error = BoxError;
        type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            self.readied.fetch_add(1, SeqCst);
            self.ready = true;
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, request: Sent) -> Self::Future {
            assert!(mem::take(&mut self.ready), "called without being ready");
            Box::pin(self.server.service().oneshot(request))
        }
    }
    let inner =
        Counting { server: Server::answering([answer_with(200, ""), expired()]), ..Counting::default() };
    let mut service = layer(&Endpoint::default()).layer(inner.clone());
    service.tokens().get(Duration::ZERO).await.unwrap();
    service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!((inner.readied.load(SeqCst), inner.server.sent().len()), (1, 1), "with a usable token");
    service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!((inner.readied.load(SeqCst), inner.server.sent().len()), (3, 3), "with a replay");
}

#[tokio::test(start_paused = true)]
async fn the_inner_future_is_gone_as_soon_as_it_is_done() {
    /// Holds its place as long as it lives, done or not, as the future of a concurrency limit does.
    struct Held(Arc<AtomicUsize>, u16);
    impl Future for Held {
        type Output = Result<Answer, BoxError>;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(answer_with(self.1, EXPIRED)))
        }
    }
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    let held = Arc::new(AtomicUsize::new(0));
    for status in [401, 200] {
        let held = held.clone();
        let count = held.clone();
        let inner = service_fn(move |_: Sent| {
            count.fetch_add(1, SeqCst);
            Held(count.clone(), status)
        });
        let mut service = layer(&Endpoint::default()).layer(inner);
        service.tokens().get(Duration::ZERO).await.unwrap();
        let mut call = std::pin::pin!(service.ready().await.unwrap().call(get()));
        assert_eq!(held.load(SeqCst), 1);
        let polled = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        assert_eq!(polled.is_ready(), status == 200);
        assert_eq!(held.load(SeqCst), 0, "while a refresh is waited for, and after the end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_past_the_caps_streams_through_unread() {
    let long = |text: &'static str| {
        let mut answer = answer_with(401, text);
        answer.headers_mut().remove("x-kept");
        answer
    };
    let filler: &'static str = Box::leak(format!("{{\"pad\":\"{}\"}}", "x".repeat(40)).into_boxed_str());
    let (endpoint, server) = (Endpoint::default(), Server::answering([long(filler)]));
    let service = layer(&endpoint).peek(16, SECOND).layer(server.service());
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).unread(), Some(Unread::TooLong));
    assert_eq!(outcome(&response).verdict(), Verdict::Accepted);
    assert_eq!(response.body().size_hint().exact(), Some(filler.len() as u64));
    assert_eq!(text(response).await, filler);

    let frames = || vec![data("{\"message\":"), data("\"jwt "), data("expired\"}")];
    let answer = Response::builder().status(401).body(slow(frames())).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let service = layer(&endpoint).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    let start = Instant::now();
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!((outcome(&response).unread(), start.elapsed()), (Some(Unread::TooSlow), 2 * SECOND));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(endpoint.calls.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_is_no_match_and_its_error_reaches_the_caller() {
    let frames = vec![data(EXPIRED), Err("reset by peer".into())];
    let answer = Response::builder().status(401).body(slow(frames)).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let service = layer(&endpoint).peek(1024, 10 * SECOND).layer(server.service());
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).unread(), Some(Unread::BrokenOff));
    let mut body = response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), EXPIRED);
    assert!(!body.is_end_stream());
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "reset by peer");
    assert!(body.frame().await.is_none());
    assert_eq!(endpoint.calls.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_encoded_body_is_not_looked_at() {
    let mut answer = expired();
    answer.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let response = layer(&endpoint).layer(server.service()).oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).unread(), Some(Unread::Encoded));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(endpoint.calls.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_body_are_not_waited_for() {
    let never =
        || BodyExt::boxed(SyncBody(Mutex::new(Box::pin(StreamBody::new(futures_util::stream::pending())))));
    let rule = Rule::expired().when(body().contains("expired"));
    for (method, status, length) in [("HEAD", 401, None), ("GET", 304, None), ("GET", 401, Some("0"))] {
        let mut answer: Answer = Response::builder().status(status).body(never()).unwrap();
        if let Some(length) = length {
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        let server = Server::answering([answer]);
        let service = layer(&Endpoint::default())
            .signatures(Signatures::new().rule(rule.clone()))
            .layer(server.service());
        service.tokens().get(Duration::ZERO).await.unwrap();
        let start = Instant::now();
        let request =
            Request::builder().method(method).uri("https://api.test/").body(Full::default()).unwrap();
        service.oneshot(request).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "{method} {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_too_long_to_set_aside_is_handed_over_and_refreshed_behind() {
    let frames = || vec![data("an HTML page"), data(" that goes on"), data(" and on")];
    let answer = Response::builder().status(401).body(slow(frames())).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let any_401 = Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED));
    let service = layer(&endpoint).signatures(any_401).layer(server.service());
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Response));
    assert!(outcome(&response).refreshed());
    assert_eq!(text(response).await, "an HTML page that goes on and on");
    service.oneshot(get()).await.unwrap();
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned(), "t2".to_owned()], 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_rejected_while_the_inner_service_gets_ready_is_not_sent() {
    let (endpoint, server, gate) = (Endpoint::default(), Server::default(), Arc::new(Notify::new()));
    #[derive(Clone)]
    struct Gated<S> {
        gate: Arc<Notify>,
        inner: S,
        wait: Arc<Mutex<Option<Wait>>>,
    }
    type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;
    impl<S: Service<Sent>> Service<Sent> for Gated<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;
        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            let gate = self.gate.clone();
            let mut wait = self.wait.lock().unwrap();
            let wait = wait.get_or_insert_with(|| Box::pin(async move { gate.notified().await }));
            ready!(wait.as_mut().poll(cx));
            *wait = Box::pin(std::future::ready(()));
            self.inner.poll_ready(cx)
        }
        fn call(&mut self, request: Sent) -> S::Future {
            self.inner.call(request)
        }
    }
    let inner = Gated { gate: gate.clone(), inner: server.service(), wait: Arc::default() };
    let mut service = layer(&endpoint).layer(inner);
    // Called without being ready: our layer needs no place of its own to begin with.
    let call = tokio::spawn(service.call(get()));
    sleep(2 * SECOND).await;
    let tokens = service.tokens();
    let lease = tokens.try_get().expect("acquired, and waiting for a place");
    tokens.mark_accepted(lease.generation());
    tokens.mark_rejected(lease.generation(), Reason::Expired);
    gate.notify_one();
    call.await.unwrap().unwrap();
    assert_eq!(server.sent(), ["t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_forgotten_while_a_request_waits_for_a_place_is_not_sent() {
    let (endpoint, server) = (Endpoint::default(), Server::default());
    let mut inner = ConcurrencyLimitLayer::new(1).layer(server.service());
    // Somebody else has the one place.
    inner.ready().await.unwrap();
    let service = layer(&endpoint).layer(inner.clone());
    let tokens = service.tokens();
    let mut ours = service.clone();
    // Called without being ready: our layer needs no place of its own to begin with.
    let call = tokio::spawn(ours.call(get()));
    sleep(2 * SECOND).await;
    let old = tokens.try_get().expect("acquired, and waiting for a place");
    tokens.mark_rejected(old.generation(), Reason::Expired);
    tokens.replace(old.generation()).await.unwrap();
    tokens.invalidate();
    drop(inner);
    call.await.unwrap().unwrap();
    assert_eq!(server.sent(), ["t3"], "neither the rejected token nor the forgotten one");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_rejects_everything_costs_few_token_calls_and_every_caller_gets_its_answer() {
    let endpoint = Endpoint::default();
    let sends = Arc::new(AtomicUsize::new(0));
    let count = sends.clone();
    let inner = service_fn(move |_: Sent| {
        count.fetch_add(1, SeqCst);
        async { Ok::<_, Infallible>(expired()) }
    });
    let service = layer(&endpoint).layer(inner);
    let mut calls = Vec::new();
    for _ in 0..6000 {
        calls.push(tokio::spawn(service.clone().oneshot(get())));
        sleep(SECOND / 100).await;
    }
    for call in calls {
        assert_eq!(text(call.await.unwrap().unwrap()).await, EXPIRED);
    }
    assert!(endpoint.calls.load(SeqCst) < 12, "{} token calls in a minute", endpoint.calls.load(SeqCst));
    assert!(sends.load(SeqCst) < 2 * 6000);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_a_server_accepts_may_be_replaced_at_once_when_it_is_rejected() {
    let tells = [(200, true), (204, true), (304, true), (101, true), (404, false), (500, false)];
    for (status, is_acceptance) in tells {
        for (to_the_replay, afterwards) in [(status, 500), (500, status)] {
            let (endpoint, server) = (Endpoint::default(), Server::default());
            let service = layer(&endpoint).layer(server.service());
            let [to_the_replay, afterwards] =
                [to_the_replay, afterwards].map(|status| answer_with(status, ""));
            let answers = [expired(), to_the_replay, afterwards, expired()];
            *server.answers.lock().unwrap() = answers.into();
            for _ in 0..2 {
                service.clone().oneshot(get()).await.unwrap();
            }
            let response = service.oneshot(get()).await.unwrap();
            assert_eq!(outcome(&response).replayed(), is_acceptance, "{status}");
            assert_eq!(outcome(&response).error().is_some(), !is_acceptance, "{status}: paused");
            assert_eq!(endpoint.calls.load(SeqCst), if is_acceptance { 3 } else { 2 });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_key_is_rejected_until_it_is_accepted_again() {
    let server =
        Server::answering([answer_with(200, ""), expired(), answer_with(500, ""), answer_with(200, "")]);
    let origin = Origin::parse("https://api.test").unwrap();
    let layer = AuthLayer::new(origin, StaticToken::new("key").unwrap()).signatures(signatures());
    let (tokens, service) = (layer.tokens(), layer.layer(server.service()));
    for state in [TokenState::Fresh, TokenState::Rejected, TokenState::Rejected, TokenState::Fresh] {
        service.clone().oneshot(get()).await.unwrap();
        assert_eq!(tokens.state().token(), state);
    }
    assert_eq!(server.sent(), ["key"; 4]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_caller_between_refresh_and_replay_leaves_the_refresh_alone() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let service = layer(&endpoint).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    tokio::time::timeout(SECOND / 2, service.clone().oneshot(get())).await.unwrap_err();
    sleep(SECOND).await;
    assert_eq!(service.tokens().try_get().unwrap().token().expose_secret(), "t2");
    assert_eq!((server.sent().len(), endpoint.calls.load(SeqCst)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_replay_whose_token_is_rejected_before_it_is_sent_gives_way_to_the_original_response() {
    let (endpoint, server) = (Endpoint::default(), Server::answering([expired()]));
    let inner = ConcurrencyLimitLayer::new(1).layer(server.service());
    let service = layer(&endpoint).layer(inner.clone());
    let tokens = service.tokens();
    tokens.get(Duration::ZERO).await.unwrap();
    let call = tokio::spawn(service.oneshot(get()));
    sleep(SECOND / 2).await;
    // Somebody else takes the one place while the refresh is under way.
    let mut other = inner;
    other.ready().await.unwrap();
    sleep(SECOND).await;
    tokens.mark_rejected(tokens.try_get().expect("refreshed").generation(), Reason::Expired);
    drop(other);
    let response = call.await.unwrap().unwrap();
    assert_eq!(outcome(&response).error().map(AuthError::kind), Some(AuthErrorKind::Paused));
    assert_eq!(text(response).await, EXPIRED);
    assert_eq!(server.sent(), ["t1"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_caller_while_a_body_is_looked_at_drops_the_body_and_rejects_nothing() {
    /// Says when it is gone.
    struct Watched(BoxBody<Bytes, BoxError>, Arc<AtomicUsize>);
    impl Body for Watched {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Pin::new(&mut self.0).poll_frame(cx)
        }
    }
    impl Drop for Watched {
        fn drop(&mut self) {
            self.1.fetch_add(1, SeqCst);
        }
    }
    let gone = Arc::new(AtomicUsize::new(0));
    let body = Watched(slow(vec![data("{\"message\":"), data("\"jwt expired\"}")]), gone.clone());
    let answer = Response::builder().status(401).body(BodyExt::boxed(body)).unwrap();
    let (endpoint, server) = (Endpoint::default(), Server::answering([answer]));
    let service = layer(&endpoint).layer(server.service());
    service.tokens().get(Duration::ZERO).await.unwrap();
    tokio::time::timeout(SECOND / 2, service.clone().oneshot(get())).await.unwrap_err();
    assert_eq!(gone.load(SeqCst), 1);
    sleep(10 * SECOND).await;
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!((server.sent(), endpoint.calls.load(SeqCst)), (vec!["t1".to_owned(); 2], 1));
}

#[tokio::test(start_paused = true)]
async fn an_early_renewal_and_a_policy_are_the_layers_too() {
    #[derive(Clone, Default)]
    struct Short(Endpoint);
    impl Credential for Short {
        async fn acquire(&self, request: Acquire<'_>) -> Result<AccessToken, AcquireError> {
            Ok(self.0.acquire(request).await?.with_lifetime(10 * SECOND))
        }
    }
    let (short, server) = (Short::default(), Server::default());
    let origin = Origin::parse("https://api.test").unwrap();
    let policy = RefreshPolicy::default().early(0.5, 100 * SECOND);
    let service: Auth<_> = AuthLayer::new(origin, short.clone()).policy(policy).layer(server.service());
    for _ in 0..40 {
        service.clone().oneshot(get()).await.unwrap();
        sleep(SECOND).await;
    }
    let reasons = short.0.reasons.lock().unwrap();
    assert!(reasons[1..].iter().all(|reason| *reason == Reason::Expiring), "{reasons:?}");
    assert!((4..=8).contains(&reasons.len()), "{reasons:?}");
}

#[test]
fn the_service_and_its_future_are_send_for_a_client_that_is() {
    fn is_send<T: Send + 'static>(_: &T) {}
    let server = Server::default();
    let mut service = layer(&Endpoint::default()).layer(tower::util::BoxCloneService::new(server.service()));
    is_send(&service);
    is_send(&service.call(get()));
}

#[test]
fn the_future_is_small() {
    type Inner = tower::util::BoxCloneService<Sent, Answer, BoxError>;
    type Future = <Inner as Service<Sent>>::Future;
    let own = size_of::<ResponseFuture<Inner, crate::CloneBodies, Full<Bytes>, BoxBody<Bytes, BoxError>>>();
    assert!(own <= size_of::<Future>() + 128, "{own} bytes around {}", size_of::<Future>());
}
