//! The server that is called: it answers 200, and keeps the tokens that it was sent.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::ca::Ca;

pub(crate) struct Served {
    port: u16,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    tokens: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

impl Served {
    pub(crate) async fn plain() -> Self {
        Self::start(None).await
    }

    pub(crate) async fn tls(ca: &Ca, name: &str, offered: &str) -> Self {
        Self::start(Some(ca.acceptor(name, &[offered]))).await
    }

    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, kept) = (listener.local_addr().unwrap().port(), Arc::<Kept>::default());
        let shared = kept.clone();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (tls, kept) = (tls.clone(), shared.clone());
                kept.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let answer = service_fn(move |request| answer(request, kept.clone()));
                    let server = auto::Builder::new(TokioExecutor::new());
                    // How a connection ends is not this server's business.
                    let _ = match tls {
                        None => server.serve_connection(TokioIo::new(tcp), answer).await,
                        Some(tls) => {
                            let stream = TokioIo::new(tls.accept(tcp).await.unwrap());
                            server.serve_connection(stream, answer).await
                        }
                    };
                });
            }
        });
        Self { port, kept }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `Authorization` of each request.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.kept.tokens.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.kept.connections.load(Ordering::SeqCst)
    }
}

async fn answer(request: Request<Incoming>, kept: Arc<Kept>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let token = request.headers()[header::AUTHORIZATION].to_str().unwrap().to_owned();
    request.into_body().collect().await?;
    kept.tokens.lock().unwrap().push(token);
    Ok(Response::new(Full::default()))
}
