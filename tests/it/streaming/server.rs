//! A server on loopback that gives prepared answers in turn, and clients for it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, UPGRADE},
};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioIo},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tower::{ServiceExt, util::BoxCloneService};
use tower_reauth::{BoxError, Client, client::Roots};

pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;
pub(super) type Http = BoxCloneService<Request<Full<Bytes>>, Response<Incoming>, BoxError>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Speaks {
    Http1,
    /// With room for one stream on a connection.
    Http2,
}

pub(super) const BOTH: [Speaks; 2] = [Speaks::Http1, Speaks::Http2];

impl Speaks {
    pub(super) fn client(self) -> Http {
        match self {
            Self::Http1 => {
                let client = Client::builder().roots(Roots::Bundled).build().unwrap();
                client.map_err(Into::into).boxed_clone()
            }
            Self::Http2 => {
                let client = legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http();
                client.map_err(Into::into).boxed_clone()
            }
        }
    }
}

/// Answers requests in turn; one that asks for another protocol gets it, and an echo.
pub(super) struct Server {
    origin: String,
    accepted: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start<const N: usize>(speaks: Speaks, answers: [Response<Body>; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                count.fetch_add(1, SeqCst);
                tokio::spawn(converse(speaks, tcp, answers.clone()));
            }
        });
        Self { origin, accepted }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// How many connections there have been.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(SeqCst)
    }
}

async fn converse(speaks: Speaks, tcp: TcpStream, answers: Arc<Mutex<VecDeque<Response<Body>>>>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answers = answers.clone();
        async move {
            if request.headers().contains_key(UPGRADE) {
                return Ok(upgrade(request));
            }
            Ok::<_, Infallible>(answers.lock().unwrap().pop_front().expect("an answer for every request"))
        }
    });
    let tcp = TokioIo::new(tcp);
    // How a connection ended is not this server's business.
    let _ = match speaks {
        Speaks::Http1 => {
            hyper::server::conn::http1::Builder::new().serve_connection(tcp, service).with_upgrades().await
        }
        Speaks::Http2 => {
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(1)
                .serve_connection(tcp, service)
                .await
        }
    };
}

fn upgrade(request: Request<Incoming>) -> Response<Body> {
    tokio::spawn(async move {
        let mut upgraded = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut buffer = [0; 5];
        upgraded.read_exact(&mut buffer).await.unwrap();
        upgraded.write_all(&buffer).await.unwrap();
    });
    let mut response = answer(101, full(""));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
    response
}

pub(super) fn answer(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

pub(super) fn full(text: &'static str) -> Body {
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
}

/// A body that goes on for as long as its sender lives.
pub(super) fn live() -> (mpsc::UnboundedSender<Frame<Bytes>>, Body) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let frames = stream::poll_fn(move |cx| receiver.poll_recv(cx).map(|frame| frame.map(Ok)));
    (sender, StreamBody::new(frames).boxed_unsync())
}

/// Waits for `future`, but not for ever.
pub(super) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("what should come soon doesn't")
}
