//! A server for what no vendor's fake does: it answers as a test says, and remembers the heads of its requests.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Body, extract::Request, response::Response, serve::Listener};
use http::request::Parts;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Stops when it is dropped.
pub(crate) struct Site {
    scheme: &'static str,
    port: u16,
    seen: Arc<Mutex<Vec<Parts>>>,
    task: JoinHandle<()>,
}

impl Site {
    /// Answers every request with what `answer` makes of its head.
    pub(crate) async fn start(answer: impl Fn(&Parts) -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve("http", listener.local_addr().unwrap().port(), listener, answer)
    }

    /// Answers 200 to everything, over TLS.
    pub(crate) async fn with_tls(acceptor: TlsAcceptor) -> Self {
        Self::start_with_tls(acceptor, |_| Response::new(Body::empty())).await
    }

    /// As [`start`](Self::start), over TLS.
    pub(crate) async fn start_with_tls(
        acceptor: TlsAcceptor,
        answer: impl Fn(&Parts) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        Self::serve("https", port, TlsListener { tcp, acceptor }, answer)
    }

    fn serve<L: Listener<Addr = SocketAddr>>(
        scheme: &'static str,
        port: u16,
        listener: L,
        answer: impl Fn(&Parts) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let recorded = seen.clone();
        let router = Router::new().fallback(async move |request: Request| {
            let (head, _) = request.into_parts();
            let response = answer(&head);
            recorded.lock().unwrap_or_else(PoisonError::into_inner).push(head);
            response
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { scheme, port, seen, task }
    }

    /// Answers 200 to everything.
    pub(crate) async fn that_agrees() -> Self {
        Self::start(|_| Response::new(Body::empty())).await
    }

    pub(crate) fn url(&self, target: &str) -> String {
        self.url_at("127.0.0.1", target)
    }

    /// The same server by another name.
    pub(crate) fn url_at(&self, host: &str, target: &str) -> String {
        format!("{}://{host}:{}{target}", self.scheme, self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Parts> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Each request's path, and the value of one of its headers.
    pub(crate) fn seen(&self, header: &str) -> Vec<(String, Option<String>)> {
        let value = |head: &Parts| {
            head.headers.get(header).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        self.requests().iter().map(|head| (head.uri.path().to_owned(), value(head))).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
