//! Servers that reject a token once, and keep what reached them.

use std::{
    convert::Infallible,
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const EXPIRED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 7\r\n\r\nexpired";
const FINE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

/// How a server deals with the requests that it rejects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Manner {
    /// It reads them first.
    Whole,
    /// It answers at once, and reads them afterwards.
    EarlyThenDrain,
    /// It answers at once, and hangs up.
    EarlyThenClose,
    /// It answers at once, and reads nothing for a while before it hangs up.
    EarlyThenStall,
}

/// How long a server waits for the next request on a connection, as every server does for some time.
const IDLE: Duration = Duration::from_secs(2);

/// An HTTP/1.1 server that rejects `t1`, and keeps the bytes that it has read.
pub(super) struct Wire {
    pub(super) origin: String,
    pub(super) requests: Arc<Mutex<Vec<Vec<u8>>>>,
    pub(super) accepted: Arc<AtomicUsize>,
    pub(super) open: Arc<AtomicUsize>,
}

impl Wire {
    pub(super) async fn answering(manner: Manner) -> Self {
        let (listener, origin) = listen().await;
        let wire = Self { origin, requests: Arc::default(), accepted: Arc::default(), open: Arc::default() };
        let (requests, accepted, open) = (wire.requests.clone(), wire.accepted.clone(), wire.open.clone());
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (requests, open) = (requests.clone(), open.clone());
                accepted.fetch_add(1, SeqCst);
                open.fetch_add(1, SeqCst);
                tokio::spawn(async move {
                    // A client that hangs up is a test's to judge.
                    let _ = converse(tcp, manner, &requests).await;
                    open.fetch_sub(1, SeqCst);
                });
            }
        });
        wire
    }

    pub(super) fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }

    #[track_caller]
    pub(super) fn assert_same_but_for_the_token(&self, part: &str) {
        let requests = self.requests();
        let [first, second] = &requests[..] else { panic!("{} requests arrived", requests.len()) };
        let (first, second) = (Escaped(first).to_string(), Escaped(second).to_string());
        assert_eq!(first.replacen("Bearer t1\r\n", "Bearer t2\r\n", 1), second);
        assert_ne!(first, second);
        assert!(first.contains(part), "{first}");
    }
}

/// Bytes as text, each byte its own character.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| fmt::Write::write_char(f, char::from(*byte)))
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (listener, origin)
}

async fn converse(mut tcp: TcpStream, manner: Manner, requests: &Mutex<Vec<Vec<u8>>>) -> io::Result<()> {
    let mut raw = Vec::new();
    loop {
        while find(&raw, b"\r\n\r\n").is_none() {
            match tokio::time::timeout(IDLE, tcp.read_buf(&mut raw)).await {
                Ok(Ok(1..)) => {}
                Ok(Err(error)) => return Err(error),
                Ok(Ok(0)) | Err(_) => return Ok(()),
            }
        }
        let head = Escaped(&raw).to_string();
        let answer = if head.contains("Bearer t2") { FINE } else { EXPIRED };
        let early = answer == EXPIRED && manner != Manner::Whole;
        if head.contains("expect: 100-continue") {
            tcp.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if early {
            tcp.write_all(answer).await?;
        }
        match manner {
            Manner::EarlyThenClose if early => return tcp.shutdown().await,
            Manner::EarlyThenStall if early => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                return Ok(());
            }
            _ => {}
        }
        let end = loop {
            match end_of_request(&raw) {
                Some(end) => break end,
                None => drop(tcp.read_buf(&mut raw).await.and_then(some)?),
            }
        };
        let rest = raw.split_off(end);
        requests.lock().unwrap().push(std::mem::replace(&mut raw, rest));
        if !early {
            tcp.write_all(answer).await?;
        }
    }
}

fn some(read: usize) -> io::Result<usize> {
    if read > 0 { Ok(read) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Where a request ends (RFC 9112 §6.3), if it is all there.
fn end_of_request(raw: &[u8]) -> Option<usize> {
    let mut at = find(raw, b"\r\n\r\n")? + 4;
    let head = Escaped(&raw[..at]).to_string();
    if let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        let end = at + length.parse::<usize>().unwrap();
        return (end <= raw.len()).then_some(end);
    }
    if !head.contains("transfer-encoding: chunked") {
        return Some(at);
    }
    loop {
        let line = raw.get(at..).and_then(|rest| rest.split_at_checked(find(rest, b"\r\n")?))?.0;
        let size = usize::from_str_radix(std::str::from_utf8(line).unwrap(), 16).unwrap();
        at += line.len() + 2;
        if size == 0 {
            break;
        }
        at += size + 2;
    }
    // Trailers, and an empty line.
    loop {
        let length = find(&raw[at..], b"\r\n")?;
        at += length + 2;
        if length == 0 {
            return Some(at);
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// An HTTP/2 server.
pub(super) struct Http2 {
    pub(super) origin: String,
    pub(super) accepted: Arc<AtomicUsize>,
    pub(super) open: Arc<AtomicUsize>,
}

impl Http2 {
    pub(super) async fn start<F, Fut>(streams: u32, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let (listener, origin) = listen().await;
        let server = Self { origin, accepted: Arc::default(), open: Arc::default() };
        let (accepted, open) = (server.accepted.clone(), server.open.clone());
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (answer, open) = (answer.clone(), open.clone());
                accepted.fetch_add(1, SeqCst);
                open.fetch_add(1, SeqCst);
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let answer = answer(request);
                        async move { Ok::<_, Infallible>(answer.await) }
                    });
                    let _ = http2::Builder::new(TokioExecutor::new())
                        .max_concurrent_streams(streams)
                        .serve_connection(TokioIo::new(tcp), service)
                        .await;
                    open.fetch_sub(1, SeqCst);
                });
            }
        });
        server
    }
}
