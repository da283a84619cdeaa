//! A server that wants a client certificate, from an authority of its own.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{RootCertStore, ServerConfig, crypto, server::WebPkiClientVerifier},
};

/// Answers each request on a connection of its own. What it has is PEM.
pub(crate) struct Strict {
    pub(crate) origin: String,
    pub(crate) authority: String,
    /// A client's that it knows, and the key of that.
    pub(crate) certificate: String,
    pub(crate) key: String,
    seen: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Strict {
    /// At loopback, with `body` for an answer, in JSON.
    pub(crate) async fn start(body: &'static str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issued = |name: &str| {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap(), key)
        };
        let provider = Arc::new(crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let (certificate, key) = issued("localhost");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.into()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut task, requests) = (JoinSet::new(), seen.clone());
        task.spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, requests) = (acceptor.clone(), requests.clone());
                tokio::spawn(async move {
                    match acceptor.accept(tcp).into_fallible().await {
                        Ok(mut stream) => {
                            let mut bytes = vec![0; 4096];
                            let read = stream.read(&mut bytes).await.unwrap_or_default();
                            requests
                                .lock()
                                .unwrap()
                                .push(String::from_utf8_lossy(&bytes[..read]).into_owned());
                            let head =
                                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
                            let answer = format!("{head}{}\r\n\r\n{body}", body.len());
                            let _ = stream.write_all(answer.as_bytes()).await;
                            let _ = stream.read(&mut bytes).await;
                        }
                        // What the client has sent is read, or the alert would get lost.
                        Err((_, mut tcp)) => {
                            let _ = tcp.shutdown().await;
                            let _ = tcp.read_to_end(&mut Vec::new()).await;
                        }
                    }
                });
            }
        });
        let (certificate, key) = issued("client.test");
        Self {
            origin,
            authority: authority.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            seen,
            _task: task,
        }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}
