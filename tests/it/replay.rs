//! Replays over real connections: the second send is the first but for the token, and what can't be sent twice isn't.

mod servers;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_reauth::{
    AccessToken, AuthLayer, AuthOutcome, BoxError, Client, Credential, Exempt, Keep, NotReplayed, Origin,
    PeekBody, RecordBodies, Rule, Signatures,
    client::{ClientError, Roots},
    from_fn,
};

use self::servers::{Http2, Manner, Wire};

const LIMIT: usize = RecordBodies::DEFAULT_LIMIT;

#[tokio::test]
async fn over_http1_a_replay_is_the_same_bytes_but_for_the_token() {
    let text = || full("a body of known length");
    same_bytes(|layer| layer, text()).await;
    same_bytes(|layer| layer, Full::<Bytes>::default()).await;
    same_bytes(|layer| layer, Chunks::of(&["one", "", "two", "three"])).await;
    same_bytes(|layer| layer, Chunks::of(&["one", "two"]).with_trailers()).await;

    let recording = |layer: AuthLayer| layer.record_bodies(LIMIT);
    same_bytes(recording, text()).await;
    same_bytes(recording, Body::empty()).await;
    same_bytes(recording, Body::from("a body of known length")).await;
    same_bytes(recording, stream_of(&["one", "", "two", "three"])).await;
    same_bytes(recording, stream_of(&[])).await;
    same_bytes(recording, Chunks::of(&["one", "two"]).with_trailers()).await;
    same_bytes(recording, Body::new(Chunks::of(&["one", "two"]).with_trailers())).await;
}

#[tokio::test]
async fn a_stream_that_is_left_at_its_content_length_is_replayed() {
    // hyper reads no further than the header says, and so never sees the stream's end.
    let wire = Wire::answering(Manner::Whole).await;
    let mut request = request(&wire.origin, stream_of(&["twelve", " bytes"]));
    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(12));
    let client = http1();
    let response = send(client, layer(&wire.origin).record_bodies(LIMIT), request).await.unwrap();
    assert_eq!(response.status(), 200);
    wire.assert_same_but_for_the_token("twelve bytes");
}

#[tokio::test]
async fn a_request_that_expects_100_continue_is_replayed_with_that() {
    for recorded in [true, false] {
        let wire = Wire::answering(Manner::Whole).await;
        let request = |body| {
            let mut request = request(&wire.origin, body);
            request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
            request
        };
        let response = if recorded {
            let request = request(Body::new(stream_of(&["please"])));
            send(http1(), layer(&wire.origin).record_bodies(LIMIT), request).await
        } else {
            send(http1(), layer(&wire.origin), request(Body::empty()).map(|_| full("please"))).await
        };
        assert_eq!(response.unwrap().status(), 200);
        wire.assert_same_but_for_the_token("expect: 100-continue");
    }
}

#[tokio::test]
async fn over_http2_a_replay_has_the_same_headers_data_and_trailers() {
    let recording = |layer: AuthLayer| layer.record_bodies(LIMIT);
    same_streams(|layer| layer, full("a body of known length")).await;
    same_streams(|layer| layer, Full::<Bytes>::default()).await;
    same_streams(|layer| layer, Chunks::of(&["one", "", "two"]).with_trailers()).await;
    same_streams(recording, Body::empty()).await;
    same_streams(recording, Body::from("a body of known length")).await;
    same_streams(recording, stream_of(&["one", "", "two"])).await;
    same_streams(recording, stream_of(&[])).await;
    same_streams(recording, Body::new(Chunks::of(&["one", "two"]).with_trailers())).await;
    same_streams(recording, stream_of(&[&"x".repeat(LIMIT)])).await;
}

#[tokio::test]
async fn a_body_past_the_limit_is_sent_whole_and_not_replayed() {
    let wire = Wire::answering(Manner::Whole).await;
    let service = service(http1(), layer(&wire.origin).record_bodies(9));
    let response =
        service.clone().oneshot(request(&wire.origin, stream_of(&["five,", "five."]))).await.unwrap();
    assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::BodyTooLong));
    assert!(outcome(&response).refreshed());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "expired");
    let response = service.oneshot(request(&wire.origin, Body::empty())).await.unwrap();
    assert_eq!(response.status(), 200);
    let requests = wire.requests();
    assert!(requests[0].ends_with(b"5\r\nfive,\r\n5\r\nfive.\r\n0\r\n\r\n"));
    assert!(contains(&requests[1], "Bearer t2"), "the next request has the new token");
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn an_upgrade_is_not_replayed() {
    async fn check<K, B>(layer: impl FnOnce(AuthLayer) -> AuthLayer<K>, body: B)
    where
        K: Keep<B, Sent: Sendable> + Clone,
    {
        let wire = Wire::answering(Manner::Whole).await;
        let mut request = request(&wire.origin, body);
        *request.method_mut() = Method::GET;
        for (name, value) in [("connection", "upgrade"), ("upgrade", "websocket")] {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        let response = send(http1(), layer(self::layer(&wire.origin)), request).await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(outcome(&response).not_replayed(), Some(NotReplayed::Upgrade));
        assert!(contains(&wire.requests()[0], "upgrade: websocket"));
        assert_eq!(wire.requests().len(), 1);
    }
    check(|layer| layer, Full::<Bytes>::default()).await;
    check(|layer| layer.record_bodies(LIMIT), Body::empty()).await;
}

#[tokio::test]
async fn exempt_requests_send_recorded_bodies_once() {
    for (exempt, token, why) in
        [(Exempt::FromReplay, true, Some(NotReplayed::Exempt)), (Exempt::FromAuthentication, false, None)]
    {
        let wire = Wire::answering(Manner::Whole).await;
        let mut request = request(&wire.origin, stream_of(&["one", "two"]));
        request.extensions_mut().insert(exempt);
        let response = send(http1(), layer(&wire.origin).record_bodies(LIMIT), request).await.unwrap();
        assert_eq!(response.status(), 401);
        let told = response.extensions().get::<AuthOutcome>();
        assert_eq!(told.and_then(AuthOutcome::not_replayed), why);
        let [sent] = &wire.requests()[..] else { panic!("sent more than once") };
        assert_eq!(contains(sent, "authorization: Bearer t1"), token);
        assert!(sent.ends_with(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
    }
}

const UPLOAD: usize = 20 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_rejection_of_an_upload_over_http1_ends_in_time_and_leaves_nothing() {
    for manner in [Manner::EarlyThenDrain, Manner::EarlyThenClose, Manner::EarlyThenStall] {
        for (body, held) in [upload_of_known_length(), upload_of_unknown_length()] {
            let wire = Wire::answering(manner).await;
            let call = send(http1(), layer(&wire.origin).record_bodies(LIMIT), request(&wire.origin, body));
            match soon(call).await {
                Ok(response) => {
                    assert_eq!(response.status(), 401, "{manner:?}");
                    let why = outcome(&response).not_replayed();
                    assert!(
                        matches!(why, Some(NotReplayed::BodyTooLong | NotReplayed::BodyUnfinished)),
                        "{manner:?}: {why:?}"
                    );
                    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "expired");
                }
                // Whether hyper finds the answer or the broken pipe first is a matter of luck.
                Err(error) => {
                    assert!(
                        error.is::<ClientError>() && matches!(manner, Manner::EarlyThenClose),
                        "{error:?}"
                    );
                }
            }
            until(|| wire.open.load(SeqCst) == 0 && Arc::strong_count(&held) == 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_from_memory_is_replayed_while_the_first_send_is_still_going_on() {
    for manner in [Manner::EarlyThenDrain, Manner::EarlyThenStall] {
        let wire = Wire::answering(manner).await;
        let body = full(vec![b'x'; UPLOAD]);
        let response = soon(send(http1(), layer(&wire.origin), request(&wire.origin, body))).await.unwrap();
        assert_eq!(response.status(), 200, "{manner:?}");
        let requests = wire.requests();
        let replay = requests.iter().find(|request| contains(&request[..400], "Bearer t2")).unwrap();
        assert!(replay.len() > UPLOAD);
        drop(response);
        until(|| wire.open.load(SeqCst) == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_rejection_of_an_upload_over_http2_ends_in_time_and_leaves_nothing() {
    let lengths = Arc::new(Mutex::new(Vec::new()));
    let seen = lengths.clone();
    let server = Http2::start(100, move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            if request.headers()[header::AUTHORIZATION] == "Bearer t1" {
                return rejection();
            }
            let length = request.into_body().collect().await.unwrap().to_bytes().len();
            seen.lock().unwrap().push(length);
            Response::new(full("fine"))
        }
    })
    .await;
    for (body, held) in [upload_of_known_length(), upload_of_unknown_length()] {
        let request = Request::put(format!("{}/upload", server.origin)).body(body).unwrap();
        let call = send(http2_client(), layer(&server.origin).record_bodies(LIMIT), request);
        let response = soon(call).await.unwrap();
        let outcome = outcome(&response);
        match outcome.not_replayed() {
            Some(NotReplayed::BodyTooLong | NotReplayed::BodyUnfinished) => {
                assert_eq!(response.status(), 401)
            }
            // The stream was reset before the limit was reached: the replay has read on.
            None => assert!(outcome.replayed() && lengths.lock().unwrap().pop() == Some(UPLOAD)),
            Some(why) => panic!("{why:?}"),
        }
        drop(response);
        until(|| server.open.load(SeqCst) == 0 && Arc::strong_count(&held) == 1).await;
    }
    let request = Request::put(format!("{}/upload", server.origin)).body(full(vec![b'x'; UPLOAD])).unwrap();
    let response = soon(send(http2_client(), layer(&server.origin), request)).await.unwrap();
    assert_eq!((response.status(), lengths.lock().unwrap().pop()), (StatusCode::OK, Some(UPLOAD)));
    drop(response);
    until(|| server.open.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn a_connection_with_one_stream_recovers_from_expiry() {
    let valid = Arc::new(AtomicUsize::new(1));
    let (issued, current) = (Arc::new(AtomicUsize::new(0)), valid.clone());
    let server = Http2::start(1, move |request: Request<Incoming>| {
        let (issued, current) = (issued.clone(), current.clone());
        async move {
            if request.uri().path() == "/token" {
                return Response::new(full(format!("t{}", issued.fetch_add(1, SeqCst) + 1)));
            }
            let token = format!("Bearer t{}", current.load(SeqCst));
            if request.headers()[header::AUTHORIZATION] != token.as_str() {
                return rejection();
            }
            Response::new(full(request.into_body().collect().await.unwrap().to_bytes()))
        }
    })
    .await;
    // Token requests go over the same client, and so over the same connection.
    let client = http2_client::<Body>();
    let (tokens, url) = (client.clone(), format!("{}/token", server.origin));
    let credential = from_fn(move |_, _| {
        let (tokens, url) = (tokens.clone(), url.clone());
        async move {
            let failed =
                |error: BoxError| tower_reauth::AcquireError::transient("no token").with_source(error);
            let request = Request::post(url).body(Body::empty()).unwrap();
            let answer = tokens.oneshot(request).await.map_err(|error| failed(error.into()))?;
            let token = answer.into_body().collect().await.map_err(|error| failed(error.into()))?.to_bytes();
            Ok(AccessToken::new(String::from_utf8(token.to_vec()).unwrap())?)
        }
    });
    let layer = AuthLayer::new(Origin::parse(&server.origin).unwrap(), credential)
        .signatures(signatures())
        .record_bodies(LIMIT);
    let service = ServiceBuilder::new()
        .layer(layer)
        .map_request(|request: Request<_>| request.map(Body::new))
        .service(client);
    for round in 1..=3 {
        valid.store(round, SeqCst);
        let calls = (0..10).map(|call| {
            let request = Request::post(format!("{}/things", server.origin))
                .body(stream_of(&["call ", &call.to_string()]))
                .unwrap();
            let service = service.clone();
            async move {
                let response = service.oneshot(request).await.unwrap();
                assert_eq!(response.status(), 200, "{:?}", response.extensions().get::<AuthOutcome>());
                let body = response.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body, format!("call {call}"));
            }
        });
        soon(join_all(calls)).await;
    }
    assert_eq!(server.accepted.load(SeqCst), 1);
}

/// Sends a request over HTTP/1.1 to a server that rejects it once, and compares the bytes of both sends.
async fn same_bytes<K, B>(keep: impl Fn(AuthLayer) -> AuthLayer<K>, body: B)
where
    K: Keep<B, Sent: Sendable> + Clone,
{
    let wire = Wire::answering(Manner::Whole).await;
    let beneath = Beneath::default();
    let client = beneath.watch(http1());
    let response = send(client, keep(layer(&wire.origin)), request(&wire.origin, body)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(outcome(&response).replayed());
    beneath.assert_same();
    wire.assert_same_but_for_the_token("POST /a%2Fb/../c?x=%41&y HTTP/1.1\r\n");
}

/// Sends a request over HTTP/2 to a server that rejects it once, and compares what arrived.
async fn same_streams<K, B>(keep: impl Fn(AuthLayer) -> AuthLayer<K>, body: B)
where
    K: Keep<B, Sent: Sendable> + Clone,
{
    #[derive(Debug, PartialEq)]
    struct Received {
        method: Method,
        uri: Uri,
        headers: Vec<(HeaderName, HeaderValue, bool)>,
        has_ended: bool,
        data: Bytes,
        trailers: Option<HeaderMap>,
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let received = seen.clone();
    let server = Http2::start(100, move |request: Request<Incoming>| {
        let received = received.clone();
        async move {
            let (head, body) = request.into_parts();
            let mut headers = head.headers;
            let token = headers.remove(header::AUTHORIZATION).unwrap();
            let has_ended = http_body::Body::is_end_stream(&body);
            let body = body.collect().await.unwrap();
            let trailers = body.trailers().cloned();
            received.lock().unwrap().push(Received {
                method: head.method,
                uri: head.uri,
                headers: listed(&headers),
                has_ended,
                data: body.to_bytes(),
                trailers,
            });
            if token == "Bearer t1" { rejection() } else { Response::new(full("fine")) }
        }
    })
    .await;
    let beneath = Beneath::default();
    let client = beneath.watch(http2_client());
    let request = request(&server.origin, body);
    let response = send(client, keep(layer(&server.origin)), request).await.unwrap();
    assert_eq!(response.status(), 200);
    beneath.assert_same();
    let seen = seen.lock().unwrap();
    let [first, second] = &seen[..] else { panic!("sent {} times", seen.len()) };
    assert_eq!(first, second);
    assert!(first.headers.iter().any(|(_, value, _)| value.as_bytes() == b"caf\xe9"));
}

/// A body as hyper's clients take it.
trait Sendable: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static {}
impl<B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static> Sendable for B {}

fn http1<B: Sendable>() -> Client<B> {
    Client::builder().roots(Roots::Bundled).build_for().unwrap()
}

fn http2_client<B: Sendable>() -> legacy::Client<HttpConnector, B> {
    legacy::Client::builder(TokioExecutor::new()).timer(TokioTimer::new()).http2_only(true).build_http()
}

fn layer(origin: &str) -> AuthLayer {
    AuthLayer::new(Origin::parse(origin).unwrap(), credential()).signatures(signatures())
}

/// Hands out `t1`, `t2` and so on.
fn credential() -> impl Credential {
    let calls = AtomicUsize::new(0);
    from_fn(move |_, _| {
        let call = calls.fetch_add(1, SeqCst) + 1;
        async move { Ok(AccessToken::new(format!("t{call}"))?) }
    })
}

fn signatures() -> Signatures {
    Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED))
}

fn rejection() -> Response<Full<Bytes>> {
    Response::builder().status(401).body(full("expired")).unwrap()
}

fn service<S, K>(client: S, layer: AuthLayer<K>) -> tower_reauth::Auth<S, K>
where
    S: Clone,
    K: Clone,
{
    tower::Layer::layer(&layer, client)
}

async fn send<S, K, B>(
    client: S,
    layer: AuthLayer<K>,
    request: Request<B>,
) -> Result<Response<PeekBody<Incoming>>, BoxError>
where
    K: Keep<B> + Clone,
    S: Service<Request<K::Sent>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone,
{
    service(client, layer).oneshot(request).await
}

fn outcome<B>(response: &Response<B>) -> &AuthOutcome {
    response.extensions().get().expect("an outcome")
}

#[derive(Clone, Debug, PartialEq)]
struct Mark(u8);

fn full(data: impl Into<Bytes>) -> Full<Bytes> {
    Full::new(data.into())
}

/// A request with everything that a replay could get wrong.
fn request<B>(origin: &str, body: B) -> Request<B> {
    let mut cookie = HeaderValue::from_bytes(b"caf\xe9").unwrap();
    cookie.set_sensitive(true);
    Request::post(format!("{origin}/a%2Fb/../c?x=%41&y"))
        .header("x-many", "1")
        .header("cookie", cookie)
        .header("x-many", "2")
        .header("x-empty", "")
        .header("trailer", "x-sum")
        .header("x-many", "1")
        .extension(Mark(7))
        .body(body)
        .unwrap()
}

fn listed(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue, bool)> {
    headers.iter().map(|(name, value)| (name.clone(), value.clone(), value.is_sensitive())).collect()
}

/// What reaches the client without going over the wire.
#[derive(Clone, Default)]
struct Beneath(Arc<Mutex<Vec<Noted>>>);

type Noted = (Option<Mark>, Vec<(HeaderName, HeaderValue, bool)>, http::Version);

impl Beneath {
    fn watch<S, B>(
        &self,
        client: S,
    ) -> impl Service<Request<B>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone
    where
        S: Service<Request<B>, Response = Response<Incoming>, Error: Into<BoxError>> + Clone,
    {
        let noted = self.0.clone();
        client.map_request(move |request: Request<B>| {
            let mut headers = request.headers().clone();
            assert!(headers.remove(header::AUTHORIZATION).unwrap().is_sensitive());
            let mark = request.extensions().get().cloned();
            noted.lock().unwrap().push((mark, listed(&headers), request.version()));
            request
        })
    }

    fn assert_same(&self) {
        let noted = self.0.lock().unwrap();
        let [first, second] = &noted[..] else { panic!("sent {} times", noted.len()) };
        assert_eq!(first, second);
        assert_eq!(first.0, Some(Mark(7)));
        assert!(first.1.iter().any(|(_, value, sensitive)| value.as_bytes() == b"caf\xe9" && *sensitive));
    }
}

/// A body in several frames that can be cloned.
#[derive(Clone, Debug)]
struct Chunks {
    frames: std::collections::VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Chunks {
    fn of(frames: &[&str]) -> Self {
        let frames = frames.iter().map(|frame| Bytes::copy_from_slice(frame.as_bytes())).collect();
        Self { frames, trailers: None }
    }

    fn with_trailers(self) -> Self {
        let trailers = [(HeaderName::from_static("x-sum"), HeaderValue::from_static("7"))];
        Self { trailers: Some(trailers.into_iter().collect()), ..self }
    }
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.frames.pop_front().map(Frame::data);
        Poll::Ready(data.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }
}

/// A body that is there only once, piece by piece.
fn stream_of(pieces: &[&str]) -> Body {
    let pieces: Vec<_> = pieces.iter().map(|piece| Bytes::copy_from_slice(piece.as_bytes())).collect();
    Body::from_stream(stream::iter(pieces).then(async |piece| {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(piece)
    }))
}

/// An upload, and what is held as long as its body is.
fn upload_of_unknown_length() -> (Body, Arc<()>) {
    let held = Arc::new(());
    let hold = held.clone();
    let piece = Bytes::from(vec![b'x'; UPLOAD / 1280]);
    let pieces = stream::iter(0..1280).map(move |_| {
        let _ = &hold;
        Ok::<_, Infallible>(Frame::data(piece.clone()))
    });
    (Body::new(StreamBody::new(pieces)), held)
}

fn upload_of_known_length() -> (Body, Arc<()>) {
    struct Owner(Vec<u8>, #[expect(dead_code, reason = "it is only held")] Arc<()>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let held = Arc::new(());
    (Body::from(Bytes::from_owner(Owner(vec![b'x'; UPLOAD], held.clone()))), held)
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it takes too long")
}

async fn until(condition: impl Fn() -> bool) {
    soon(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
