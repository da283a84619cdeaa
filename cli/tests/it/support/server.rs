//! A server that answers byte for byte, and keeps what it was sent.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::until;

/// Answers each request in full with the next of its answers, and with the last one for ever after. In them `ORIGIN`
/// is its own.
pub(crate) struct Raw {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

/// What a server does beside answering.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Manner {
    KeepsOpen,
    /// Closes after the answer.
    Closes,
    /// Answers when there is a head, and reads no body.
    Hasty,
}

impl Raw {
    pub(crate) async fn start(answers: &[&str]) -> Self {
        Self::with(Manner::KeepsOpen, answers).await
    }

    pub(crate) async fn with(manner: Manner, answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (seen, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let answers: Arc<[String]> = answers.iter().map(|answer| answer.replace("ORIGIN", &origin)).collect();
        let mut task = JoinSet::new();
        let connection = Connection { answers, manner, seen: seen.clone(), open: open.clone() };
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                connections.spawn(connection.clone().converse(tcp));
            }
        });
        Self { origin, seen, open, _task: task }
    }

    /// The requests so far, each with its body as it was sent.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.open.load(SeqCst)
    }

    pub(crate) async fn until_seen(&self, requests: usize) {
        until("a request", || self.seen().len() >= requests).await;
    }
}

#[derive(Clone)]
struct Connection {
    answers: Arc<[String]>,
    manner: Manner,
    seen: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
}

impl Connection {
    async fn converse(self, mut tcp: TcpStream) {
        self.open.fetch_add(1, SeqCst);
        let is_enough = if self.manner == Manner::Hasty { has_head } else { is_whole };
        while let Some(request) = read(&mut tcp, is_enough).await {
            let answer = {
                let mut seen = self.seen.lock().unwrap();
                seen.push(request);
                self.answers.get(seen.len() - 1).or(self.answers.last()).expect("an answer").clone()
            };
            // An empty one is none: it hangs.
            if tcp.write_all(answer.as_bytes()).await.is_err() || self.manner == Manner::Closes {
                break;
            }
        }
        self.open.fetch_sub(1, SeqCst);
    }
}

/// Reads a whole request or response, if the peer doesn't close before.
pub(crate) async fn read_message(tcp: &mut TcpStream) -> Option<String> {
    read(tcp, is_whole).await
}

async fn read(tcp: &mut TcpStream, is_enough: fn(&[u8]) -> bool) -> Option<String> {
    let mut bytes = Vec::new();
    while !is_enough(&bytes) {
        if tcp.read_buf(&mut bytes).await.ok()? == 0 {
            return (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Some(String::from_utf8(bytes).expect("a test sends text"))
}

fn has_head(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|end| end == b"\r\n\r\n")
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("\r\n\r\n") && (body.starts_with("0\r\n") || body.contains("\r\n0\r\n"));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().expect("a length"))
}
