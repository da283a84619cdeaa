//! How much memory response bodies take: little, whatever their size, and none at all that the layer doesn't need. And a
//! token endpoint's longest answers: not much more than they are long.
//!
//! Allocations are counted for the thread that measures. Servers have threads of their own.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

use std::{
    convert::Infallible,
    fmt::Debug,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_LENGTH};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt};
use tower_reauth::{
    Acquire, AuthLayer, AuthOutcome, BoxError, Client, Credential, NotReplayed, Origin, Reason, Rule,
    Signatures, StaticToken, TokenEndpoint, TokenRequest, Transport, Unread, Verdict,
    client::Roots,
    signature::{body, json},
};

const MB: u64 = 1_000_000;
const KIB_16: usize = 16 << 10;
const MIB: usize = 1 << 20;
const ORIGIN: &str = "https://api.test";

#[test]
fn a_400_of_50_mb_that_a_rule_wants_to_see_takes_less_than_1_mb() {
    for has_length in [true, false] {
        let server = Server::start(400, Some(50 * MB), has_length);
        let rule = Rule::expired().status(StatusCode::BAD_REQUEST).when(json("/code").is(190));
        let (read, taken) = server.drain(rule, u64::MAX, |outcome| {
            assert_eq!(outcome.unwrap().unread(), Some(Unread::TooLong));
        });
        assert_eq!(read, 50 * MB);
        assert!(taken.bytes_max < MB, "{} bytes", taken.bytes_max);
    }
}

#[test]
fn a_200_of_500_mb_takes_less_than_1_mb() {
    let server = Server::start(200, Some(500 * MB), false);
    let rule = Rule::expired().status(StatusCode::BAD_REQUEST).when(json("/code").is(190));
    let (read, taken) = server.drain(rule, u64::MAX, |outcome| assert!(outcome.is_none()));
    assert_eq!(read, 500 * MB);
    assert!(taken.bytes_max < MB, "{} bytes", taken.bytes_max);
}

#[test]
fn an_endless_401_takes_less_than_1_mb_whatever_the_rule() {
    let by_status = Rule::expired().status(StatusCode::UNAUTHORIZED);
    let by_body = by_status.clone().when(body().contains("expired"));
    for rule in [by_status, by_body] {
        let server = Server::start(401, None, false);
        let (read, taken) = server.drain(rule, 50 * MB, |outcome| {
            let outcome = outcome.unwrap();
            match outcome.verdict() {
                Verdict::Expired => assert_eq!(outcome.not_replayed(), Some(NotReplayed::Response)),
                _ => assert_eq!(outcome.unread(), Some(Unread::TooLong)),
            }
        });
        assert!(read >= 50 * MB);
        assert!(taken.bytes_max < MB, "{} bytes", taken.bytes_max);
    }
}

#[test]
fn a_response_that_nobody_looks_at_costs_no_allocation() {
    let rule = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/code").is(190));
    let client = answering(200, pieces(1 << 20, 1000));
    let service = layer(ORIGIN, rule).no_replay().layer(client.clone());
    runtime().block_on(service.tokens().get(Duration::ZERO)).unwrap();
    let (_, alone) = call(client);
    call(service.clone());
    let (mut response, taken) = call(service);
    assert_eq!(taken.count_total, alone.count_total);
    let mut read = 0;
    let taken = measure(|| {
        while let Some(data) = next(response.body_mut()) {
            read += data.len();
            assert!(!response.body().is_end_stream() && response.body().size_hint().lower() == 0);
        }
    });
    assert_eq!((read, taken.count_total), (1 << 20, 0));
}

#[test]
fn a_body_that_is_looked_at_is_copied_at_most_once() {
    let look = |frames: usize| {
        let rule = Rule::expired().status(StatusCode::BAD_REQUEST).when(body().contains("expired"));
        let service = layer(ORIGIN, rule).layer(answering(400, pieces(KIB_16, frames)));
        runtime().block_on(service.tokens().get(Duration::ZERO)).unwrap();
        let (mut response, taken) = call(service);
        let mut read = 0;
        let rest = measure(|| {
            while let Some(data) = next(response.body_mut()) {
                read += data.len();
            }
        });
        assert_eq!((read, rest.count_total), (KIB_16, 0), "{frames} frames");
        taken
    };
    let (one, some, many) = (look(1), look(512), look(1024));
    // What came in one frame isn't copied, and what came in several is once. The rest is for the list of frames.
    assert!(one.bytes_total < 4096, "{one:?}");
    assert!(some.bytes_total < 200_000, "{some:?}");
    assert!(many.bytes_total < 2 * some.bytes_total, "{many:?}, but {some:?} for half as many frames");
    assert!(many.count_total < one.count_total + 24, "{many:?}");
}

#[test]
fn a_token_answer_of_1_mib_takes_less_than_3_mib_with_itself() {
    let one = |begin: &str, middle: &str, end: &str| {
        let end = format!(r#"{end}"access_token":"abc","expires_in":3600,"token_type":"Bearer"}}"#);
        format!("{begin}{}{end}", middle.repeat((MIB - begin.len() - end.len()) / middle.len()))
    };
    let many: String = (0..).map(|i| format!(r#""{i}":1,"#)).take(90_000).collect();
    let many = one(&format!("{{{many}"), r#""m":"v","#, "");
    for (what, answer) in [
        ("one long member", one(r#"{"long":""#, "x", r#"","#)),
        ("a long member with escapes", one(r#"{"long":""#, r"\u00e9", r#"","#)),
        ("many small members", one("{", r#""member":"value","#, "")),
        ("many numbers", many),
        ("as many members as there can be", one("{", r#""":1,"#, "")),
        ("nested as deep as can be", one(r#"{"a":"#, "[1,", r#"1],"#).replacen("[1,", "[", 1)),
    ] {
        assert!(answer.len() > MIB * 9 / 10 && answer.len() <= MIB, "{what}: {}", answer.len());
        for frames in [1, 64] {
            // A transport clones its client for each request.
            let answer: Arc<str> = (&*answer).into();
            let server = tower::service_fn(move |_: Request<Full<Bytes>>| {
                let pieces = answer.as_bytes().chunks(MIB.div_ceil(frames)).map(Bytes::copy_from_slice);
                let pieces: Vec<_> = pieces.map(|data| Ok::<_, Infallible>(Frame::data(data))).collect();
                std::future::ready(Ok::<_, Infallible>(Response::new(StreamBody::new(stream::iter(pieces)))))
            });
            let endpoint = TokenEndpoint::new("Acme", ORIGIN, TokenRequest::post("/token"));
            let credential = endpoint.build(Transport::new(server)).unwrap();
            let runtime = runtime();
            let mut token = None;
            let taken = measure(|| {
                token = Some(runtime.block_on(credential.acquire(Acquire::new(Reason::Cold, None))));
            });
            if !what.starts_with("nested") {
                let token = token.unwrap().unwrap();
                assert_eq!(
                    (token.expose_secret(), token.lifetime()),
                    ("abc", Some(Duration::from_secs(3600)))
                );
            }
            assert!(taken.bytes_max < 3 * MIB as u64, "{what} in {frames} frames: {} bytes", taken.bytes_max);
        }
    }
}

/// Generates bodies on the fly, in a thread of its own.
struct Server {
    address: SocketAddr,
}

impl Server {
    /// `length` is how long the body is, if it ends at all.
    fn start(status: u16, length: Option<u64>, has_length: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        // It ends with the process.
        thread::spawn(move || {
            runtime().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    let service = service_fn(async |_| {
                        let mut response = Response::new(zeros(length));
                        *response.status_mut() = StatusCode::from_u16(status).unwrap();
                        if let Some(length) = length.filter(|_| has_length) {
                            response.headers_mut().insert(CONTENT_LENGTH, length.into());
                        }
                        Ok::<_, Infallible>(response)
                    });
                    // How a connection ended is not this server's business.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(tcp), service)
                        .await;
                }
            });
        });
        Self { address }
    }

    /// Reads the answer through the layer, until it has read `enough`. Returns how much it has read, and what that took.
    fn drain(
        &self,
        rule: Rule,
        enough: u64,
        check: impl FnOnce(Option<&AuthOutcome>),
    ) -> (u64, AllocationInfo) {
        let origin = format!("http://{}", self.address);
        let client = Client::builder().roots(Roots::Bundled).build().unwrap();
        let service = layer(&origin, rule).layer(client);
        let runtime = runtime();
        let mut read = 0;
        let taken = measure(|| {
            runtime.block_on(async {
                let response = service.oneshot(get(&origin)).await.unwrap();
                check(response.extensions().get());
                let mut body = response.into_body();
                while read < enough {
                    let Some(frame) = body.frame().await else { break };
                    read += frame.unwrap().into_data().unwrap().len() as u64;
                }
            });
        });
        (read, taken)
    }
}

fn zeros(length: Option<u64>) -> impl Body<Data = Bytes, Error = Infallible> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let frames = stream::unfold(length.unwrap_or(u64::MAX), async |left| {
        let next = left.min(1 << 16);
        let data = Bytes::from_static(&ZEROS[..usize::try_from(next).unwrap()]);
        (next > 0).then(|| (Ok(Frame::data(data)), left - next))
    });
    StreamBody::new(Box::pin(frames))
}

/// This many bytes, in about this many frames.
fn pieces(bytes: usize, frames: usize) -> Vec<Bytes> {
    Bytes::from(vec![b'x'; bytes]).chunks(bytes.div_ceil(frames)).map(Bytes::copy_from_slice).collect()
}

/// A service that has its answers at hand.
fn answering(
    status: u16,
    pieces: Vec<Bytes>,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<impl Body<Data = Bytes, Error = BoxError> + Unpin>,
    Error = BoxError,
> + Clone {
    tower::service_fn(move |_: Request<Full<Bytes>>| {
        let frames = pieces.clone().into_iter().map(|data| Ok(Frame::data(data)));
        let mut response = Response::new(StreamBody::new(stream::iter(frames)));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        std::future::ready(Ok(response))
    })
}

fn layer(origin: &str, rule: Rule) -> AuthLayer {
    AuthLayer::new(Origin::parse(origin).unwrap(), StaticToken::new("key").unwrap())
        .signatures(Signatures::new().rule(rule))
        .peek(KIB_16, Duration::from_secs(60))
}

fn get(origin: &str) -> Request<Full<Bytes>> {
    Request::get(origin).body(Full::default()).unwrap()
}

/// The answer, which is there at once, and what it took.
fn call<S: Service<Request<Full<Bytes>>>>(mut service: S) -> (S::Response, AllocationInfo)
where
    S::Error: Debug,
{
    let mut request = get(ORIGIN);
    request.headers_mut().insert("accept", HeaderValue::from_static("*/*"));
    let mut response = None;
    let taken = measure(|| response = service.call(request).now_or_never());
    (response.unwrap().unwrap(), taken)
}

/// The next data, which is there already.
fn next<R: Body<Data = Bytes, Error = BoxError> + Unpin>(body: &mut R) -> Option<Bytes> {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(body).poll_frame(&mut cx) {
        Poll::Ready(frame) => Some(frame?.unwrap().into_data().unwrap()),
        Poll::Pending => panic!("all of the body is there"),
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
