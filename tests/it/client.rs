//! The HTTPS client against real sockets: what it trusts, how long it waits, and what it sends how often.

use std::{
    collections::HashMap,
    error::Error as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, rustls::crypto::CryptoProvider};
use tower::{Service, ServiceExt};
use tower_reauth::{
    BoxError, Client, ConfigErrorKind, Transport,
    client::{ClientBuilder, ClientError, ClientErrorKind, Roots},
};

use crate::support::Ca;

mod causes;
mod empty;
mod encodings;
mod environment;
mod http2;
mod identities;
mod last_words;
mod proxies;
mod proxy;

#[tokio::test]
async fn the_http_version_is_the_one_that_alpn_picks() {
    let ca = Ca::new();
    for (offered, spoken) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let server = Server::tls(&ca, offered).await;
        let (head, body) = post(&ca.client(), &server.url("https"), "over the wire").await.unwrap();
        assert_eq!(head.version, spoken, "{offered:?}");
        assert_eq!(body, "over the wire");
    }
}

#[tokio::test]
async fn plain_http_works_too() {
    let server = Server::plain().await;
    let (head, body) = post(&any_client(), &server.url("http"), "in the clear").await.unwrap();
    assert_eq!((head.status, head.version), (StatusCode::OK, Version::HTTP_11));
    assert_eq!(body, "in the clear");
}

#[tokio::test]
async fn an_unknown_authority_is_refused_before_anything_is_sent() {
    let server = Server::tls(&Ca::new(), &["h2", "http/1.1"]).await;
    for client in [any_client(), Ca::new().client()] {
        let error = post(&client, &server.url("https"), "secret").await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Connect);
        assert!(chain(&error).contains("invalid peer certificate"), "{}", chain(&error));
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let ca = Ca::new();
    let server = Server::start(Some(ca.acceptor("api.example.com", &[]))).await;
    let error = post(&ca.client(), &server.url("https"), "secret").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Connect);
    assert!(chain(&error).contains("not valid for name"), "{}", chain(&error));
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_root_given_as_pem_or_as_der_is_trusted() {
    let (ca, other) = (Ca::new(), Ca::new());
    let server = Server::tls(&ca, &[]).await;
    let bundle = format!("# two of them\n{}\n{}", other.pem(), ca.pem());
    for builder in [
        given().root_pem(ca.pem().as_bytes()),
        given().root_pem(bundle.as_bytes()),
        given().root_pem(bundle.replace('\n', "\\n").as_bytes()),
        given().root_pem(format!("\u{feff}\"{}\"", bundle.replace('\n', " ")).as_bytes()),
        given().root_der(ca.der()),
        Client::builder().roots(Roots::Bundled).root_der(ca.der()),
    ] {
        let client = builder.unwrap().build().unwrap();
        post(&client, &server.url("https"), "").await.unwrap();
    }
    assert_eq!(server.requests(), 6);
}

#[test]
fn roots_that_are_none_are_a_configuration_error() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for pem in [
        "",
        "not a certificate",
        &key,
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
    ] {
        let error = given().root_pem(pem.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Tls, "{pem:?}");
    }
    let error = given().root_pem(key.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("it is a private key; take the certificate"), "{error}");
    for der in [&b""[..], b"not a certificate"] {
        assert_eq!(given().root_der(der).unwrap_err().kind(), ConfigErrorKind::Tls);
    }
    assert_eq!(given().build().unwrap_err().kind(), ConfigErrorKind::Tls);
}

/// The environment belongs to the whole process, so a child runs the part that needs another one.
#[test]
fn without_system_roots_the_error_says_what_to_do() {
    const CHILD: &str = "TOWER_REAUTH_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let error = Client::new().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Tls);
        assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
        assert!(error.source().is_some());
        any_client();
        return;
    }
    let name = "client::without_system_roots_the_error_says_what_to_do";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", "/nonexistent/roots.pem")
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

#[tokio::test]
async fn no_process_wide_provider_is_installed() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &[]).await;
    post(&ca.client(), &server.url("https"), "").await.unwrap();
    assert!(CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn requests_share_a_connection() {
    let ca = Ca::new();
    for offered in [&["http/1.1"][..], &["h2"]] {
        let server = Server::tls(&ca, offered).await;
        let client = ca.client();
        for _ in 0..3 {
            post(&client.clone(), &server.url("https"), "").await.unwrap();
        }
        assert_eq!((server.accepted(), server.requests()), (1, 3), "{offered:?}");
    }
}

#[tokio::test]
async fn a_hundred_requests_at_once_share_an_http2_connection() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["h2"]).await;
    let client = ca.client();
    post(&client, &server.url("https"), "").await.unwrap();
    let url = server.url("https");
    futures_util::future::join_all((0..100).map(|_| post(&client, &url, "x")))
        .await
        .into_iter()
        .for_each(|answer| assert_eq!(answer.unwrap().1, "x"));
    assert_eq!((server.accepted(), server.requests()), (1, 101));
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let server = Server::plain().await;
    let client =
        Client::builder().roots(Roots::Bundled).idle_timeout(Duration::from_millis(100)).build().unwrap();
    post(&client, &server.url("http"), "").await.unwrap();
    server.all_closed().await;
    post(&client, &server.url("http"), "").await.unwrap();
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn with_the_last_clone_the_connections_go() {
    let ca = Ca::new();
    for offered in [&["http/1.1"][..], &["h2"]] {
        let server = Server::tls(&ca, offered).await;
        let client = ca.client();
        post(&client, &server.url("https"), "").await.unwrap();
        assert_eq!(server.open(), 1);
        drop(client);
        server.all_closed().await;
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_ends_with_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let client =
        Client::builder().roots(Roots::Bundled).connect_timeout(Duration::from_millis(200)).build().unwrap();

    let began = Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(10), post(&client, &url, "")).await;
    let took = began.elapsed();
    let error = answer.expect("the handshake stalls for good").unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::ConnectTimedOut, "{}", chain(&error));
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_refused_connection_and_a_bad_scheme_are_connect_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "https", "ftp"] {
        let error = post(&any_client(), &format!("{scheme}://{address}/"), "").await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Connect, "{scheme}: {}", chain(&error));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::plain().await;
    let (head, _) = post(&any_client(), &format!("{}redirect", server.url("http")), "secret").await.unwrap();
    assert_eq!(head.status, StatusCode::TEMPORARY_REDIRECT);
    assert!(head.headers.contains_key(header::LOCATION));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    let server = HangingUp::after_answering().await;
    let client = any_client();
    for id in ["one", "two", "three"] {
        post(&client, &server.url, id).await.unwrap();
        // Long enough for the server's FIN to be seen.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.seen(), HashMap::from([("one", 1), ("two", 1), ("three", 1)].map(owned)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_meets_the_closing_is_never_delivered_twice() {
    let server = HangingUp::after_answering().await;
    let client = any_client();
    let mut answered = Vec::new();
    for id in 0..200 {
        let id = format!("request-{id}");
        match post(&client, &server.url, &id).await {
            Ok(_) => answered.push(id),
            Err(error) => assert_eq!(error.kind(), ClientErrorKind::Exchange, "{}", chain(&error)),
        }
    }
    let seen = server.seen();
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert!(answered.iter().all(|id| seen.contains_key(id)));
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_not_sent_again() {
    let server = HangingUp::instead_of_answering_the_second().await;
    let client = any_client();
    post(&client, &server.url, "first").await.unwrap();
    let error = post(&client, &server.url, "second").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Exchange);
    assert_eq!(server.seen(), HashMap::from([("first", 1), ("second", 1)].map(owned)));
}

#[test]
fn a_client_outlives_the_runtime_of_its_connections() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let servers = runtime();
    let server = servers.block_on(Server::plain());
    let client = any_client();
    for _ in 0..3 {
        runtime().block_on(post(&client, &server.url("http"), "")).unwrap();
    }
    assert_eq!((server.accepted(), server.requests()), (3, 3));
}

#[tokio::test]
async fn other_body_types_and_the_transport_fit() {
    let server = Server::plain().await;
    let client =
        Client::builder().roots(Roots::Bundled).build_for::<UnsyncBoxBody<Bytes, BoxError>>().unwrap();
    let body = Full::from("boxed").map_err(|never| match never {}).boxed_unsync();
    let response =
        client.clone().oneshot(Request::post(server.url("http")).body(body).unwrap()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "boxed");

    let client = any_client();
    let _ = Transport::from(client.clone());
    assert_eq!(format!("{client:?}"), "Client { .. }");
    assert_eq!(
        format!("{:?}", Client::builder()),
        "ClientBuilder { roots: System, given: 0, identity: None, proxies: None, versions: Negotiated, \
         connect_timeout: 10s, idle_timeout: 50s, idle_per_host: 100 }"
    );
}

/// A client that trusts no test server, and doesn't depend on what the machine trusts.
fn any_client() -> Client {
    Client::builder().roots(Roots::Bundled).build().unwrap()
}

fn given() -> ClientBuilder {
    Client::builder().roots(Roots::Given)
}

async fn post(client: &Client, url: &str, body: &str) -> Result<(http::response::Parts, Bytes), ClientError> {
    let request = Request::post(url).body(Full::from(body.to_owned())).unwrap();
    let mut client = client.clone();
    let response = client.ready().await?.call(request).await?;
    let (head, body) = response.into_parts();
    Ok((head, body.collect().await.unwrap().to_bytes()))
}

fn chain(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text += &format!(": {error}");
        next = error.source();
    }
    text
}

fn owned((id, times): (&str, usize)) -> (String, usize) {
    (id.to_owned(), times)
}

/// Answers with what it was sent, its length as a header; `/redirect` redirects. Counts.
struct Server {
    port: u16,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    open: AtomicUsize,
    requests: AtomicUsize,
}

impl Server {
    async fn plain() -> Self {
        Self::start(None).await
    }

    async fn tls(ca: &Ca, offered: &[&str]) -> Self {
        Self::start(Some(ca.acceptor("localhost", offered))).await
    }

    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                shared.accepted.fetch_add(1, SeqCst);
                tokio::spawn(serve(tcp, tls.clone(), shared.clone()));
            }
        });
        Self { port, counts }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}/", self.port)
    }

    fn accepted(&self) -> usize {
        self.counts.accepted.load(SeqCst)
    }

    fn open(&self) -> usize {
        self.counts.open.load(SeqCst)
    }

    fn requests(&self) -> usize {
        self.counts.requests.load(SeqCst)
    }

    async fn all_closed(&self) {
        let closed = async {
            while self.open() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), closed).await.expect("a connection stays open");
    }
}

async fn serve(tcp: TcpStream, tls: Option<TlsAcceptor>, counts: Arc<Counts>) {
    let Some(tls) = tls else { return converse(tcp, false, counts).await };
    // Clients that don't trust the certificate hang up here.
    let Ok(stream) = tls.accept(tcp).await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    converse(stream, http2, counts).await;
}

async fn converse<I>(stream: I, http2: bool, counts: Arc<Counts>)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    counts.open.fetch_add(1, SeqCst);
    let requests = counts.clone();
    let echo = service_fn(move |request: Request<Incoming>| {
        requests.requests.fetch_add(1, SeqCst);
        let redirect = request.uri().path() == "/redirect";
        let length = request.headers().get(header::CONTENT_LENGTH).cloned();
        async move {
            let body = Full::new(request.into_body().collect().await?.to_bytes());
            let mut response = Response::new(body);
            if let Some(length) = length {
                response.headers_mut().insert("x-content-length", length);
            }
            if redirect {
                *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
                response.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static("/"));
            }
            Ok::<_, hyper::Error>(response)
        }
    });
    let stream = TokioIo::new(stream);
    // How a connection ended is not this server's business.
    let _ = match http2 {
        true => {
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(stream, echo)
                .await
        }
        false => hyper::server::conn::http1::Builder::new().serve_connection(stream, echo).await,
    };
    counts.open.fetch_sub(1, SeqCst);
}

/// An HTTP/1.1 server that says it keeps the connection, and closes it all the same. Counts how often each body came.
struct HangingUp {
    url: String,
    seen: Arc<Mutex<HashMap<String, usize>>>,
}

impl HangingUp {
    async fn after_answering() -> Self {
        Self::start(1, 1).await
    }

    async fn instead_of_answering_the_second() -> Self {
        Self::start(2, 1).await
    }

    /// Per connection, reads `read` requests and answers the first `answered` of them.
    async fn start(read: usize, answered: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(HashMap::new()));
        let shared = seen.clone();
        tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                let shared = shared.clone();
                tokio::spawn(async move {
                    for number in 0..read {
                        let Some(id) = read_request(&mut tcp).await else { return };
                        *shared.lock().unwrap().entry(id).or_default() += 1;
                        if number < answered {
                            tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                        }
                    }
                });
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> HashMap<String, usize> {
        self.seen.lock().unwrap().clone()
    }
}

/// Reads one request and returns its body, or nothing if the client hung up.
async fn read_request(tcp: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return Some(body.to_owned());
            }
        }
        let mut buffer = [0; 1024];
        match tcp.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => text += std::str::from_utf8(&buffer[..read]).unwrap(),
        }
    }
}
